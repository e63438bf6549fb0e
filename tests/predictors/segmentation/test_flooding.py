"""Parts that hang together, as scipy has them, and seeds that grow."""

import numpy as np
import pytest
from scipy import ndimage

from windlass.predictors.segmentation.flooding import flooded, parts
from windlass.predictors.segmentation.things import Decisions, things, whole
from windlass.predictors.segmentation.tiles import Tiling, hann


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.6, 0.8, 1.0])
def test_parts_are_those_of_scipy(share):
    random = np.random.default_rng(int(100 * share))
    for size in ((1, 1), (1, 30), (30, 1), (31, 17), (40, 64)):
        mask = random.random(size) < share
        assert np.array_equal(parts(mask), ndimage.label(mask)[0])


def test_a_snake_is_one_part():
    mask = np.ones((9, 9), bool)
    mask[1::4, :-1] = mask[3::4, 1:] = False
    assert parts(mask).max() == 1


def test_seeds_meet_at_the_lowest_place():
    """Two hills with a valley at column 6: each keeps its side, whatever their distance to the other seed."""
    height = np.minimum(np.abs(np.arange(16) - 6) / 8, 1.0)[None, :].repeat(4, axis=0)
    seeds = np.zeros((4, 16), int)
    seeds[1, 1], seeds[2, 15] = 1, 2
    found = flooded(seeds, height, np.ones((4, 16), bool))
    assert (found[:, :6] == 1).all()
    assert (found[:, 7:] == 2).all()


def test_nothing_grows_beyond_the_mask():
    mask = np.zeros((5, 9), bool)
    mask[:, :3] = mask[:, 6:] = True
    seeds = np.zeros((5, 9), int)
    seeds[2, 1] = 1
    found = flooded(seeds, np.ones((5, 9)), mask)
    assert (found[:, :3] == 1).all()
    assert (found[:, 3:] == 0).all()


def shares(size=(12, 20)):
    """Two bodies that touch at column 10, told apart by their middles, and a crumb without one."""
    body = np.zeros(size, np.float32)
    body[2:10, 2:18] = 0.9
    body[11, 0] = 0.8
    border, middle = np.zeros(size, np.float32), np.zeros(size, np.float32)
    border[2:10, 9:11] = 0.9
    middle[4:8, 4:8] = middle[4:8, 12:16] = 1.0
    return np.stack([1 - body, body, border, middle])


def test_bodies_that_touch_are_told_apart_by_their_middles():
    found = things(shares(), 1, Decisions(apart=True))
    assert [int((found.numbers == number).sum()) for number in (1, 2, 3)] == [64, 64, 1]
    assert found.scores == pytest.approx([0.9, 0.9, 0.8])
    assert things(shares(), 1, Decisions(smallest=2, apart=True)).numbers.max() == 2
    assert things(shares(), 1, Decisions(pixel=0.85, apart=True)).numbers.max() == 2
    assert things(shares(), 1, Decisions()).numbers.max() == 1


def test_each_pixel_is_of_its_likeliest_class():
    parts_ = np.zeros((3, 4, 4), np.float32)
    parts_[0, :2], parts_[1, 2:, :2], parts_[2, 2:, 2:] = 1, 1, 1
    found = things(parts_, 2, Decisions())
    assert found.segments.by_pixel.tolist() == [[0] * 4] * 2 + [[1, 1, 2, 2]] * 2


@pytest.mark.parametrize("size", [(40, 30), (64, 64), (65, 130), (200, 90), (1, 1)])
def test_tiles_are_blended_to_what_each_pixel_says(size):
    """Of a network that gives the red of each pixel, so that every blend of tiles is the picture itself."""
    tiling = Tiling(64, 16, 512)
    picture = np.random.default_rng(1).integers(0, 255, (*size, 3)).astype(np.uint8)
    found = tiling.blended(lambda batch: batch[:, :1], picture)
    red = picture.astype(np.float32)
    wanted = (red[:, :, 0] - red.mean()) / max(4.0, red.std())
    assert found.shape == (1, *size)
    assert np.allclose(found[0], wanted, atol=1e-4)


def test_tiles_overlap_as_much_as_they_must():
    tiling = Tiling(64, 16, 512)
    for length in range(1, 400, 7):
        places = tiling.places(length)
        assert places[0] == 0
        assert places[-1] == max(0, length - 64)
        assert max(np.diff(places), default=0) <= 48
    assert hann(64).argmax() in (31 * 64 + 31, 32 * 64 + 32)


def test_a_map_grows_to_its_picture():
    numbers = np.array([[1, 2], [3, 0]], np.int32)
    assert whole(numbers, (4, 6)).tolist() == [[1, 1, 1, 2, 2, 2]] * 2 + [[3, 3, 3, 0, 0, 0]] * 2
