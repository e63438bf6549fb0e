"""What the segmenter is taught: borders and middles, crops that move with their pixels, and a loss that knows wrong."""

import numpy as np
import pytest
import torch

from windlass.learners.vision.mask_loss import loss
from windlass.learners.vision.scenes import UNKNOWN, Changes, borders_of, crops, middles_of, scene
from windlass.learners.vision.segmenter import tiling_for
from windlass.learners.vision.unet import UNet
from windlass.metrics.segmentation import NOBODY_KNOWS, Segments

STILL = Changes(scale=(1.0, 1.0), turn=0.0, light=0.0, contrast=0.0, tint=0.0, noise=0.0)


def numbers():
    found = np.zeros((32, 32), np.int32)
    found[4:13, 4:13], found[4:13, 14:23] = 1, 2
    return found


def test_there_is_a_border_where_two_things_are_near_and_nowhere_else():
    found = borders_of(numbers())
    assert found[8, 13]
    assert not found[8, 4]
    assert not borders_of(np.minimum(numbers(), 1)).any()


def test_the_middle_of_a_thing_is_the_farthest_from_its_outside():
    found = middles_of(numbers())
    assert found[8, 8] == found[8, 18] == 1
    assert found[4, 4] == pytest.approx(0.2)
    assert found[0, 0] == found[8, 13] == 0


def taught():
    picture = np.full((32, 32, 3), 60, np.uint8)
    picture[numbers() > 0] = 200
    return scene(picture, Segments(numbers(), np.array([0, NOBODY_KNOWS]), np.zeros(2, bool)))


@pytest.mark.parametrize("seed", range(6))
def test_masks_go_where_their_pixels_go(seed):
    torch.manual_seed(seed)
    pixels, targets = crops([taught()], 32, Changes(light=0, contrast=0, tint=0, noise=0, is_any_side_up=True))
    is_light, is_thing = pixels[0, 0] > pixels.mean(), targets[0, 0] > 0
    assert (is_light == is_thing).float().mean() > 0.95
    assert set(targets[0, 0].unique().tolist()) <= {0.0, 1.0, float(UNKNOWN)}


def test_right_maps_cost_least_and_each_mistake_costs():
    _, targets = crops([taught()], 32, STILL)
    classes = targets[0, 0]
    maps = torch.zeros(1, 4, 32, 32)
    maps[0, 0], maps[0, 1] = torch.where(classes == 0, 9.0, -9.0), torch.where(classes == 1, 9.0, -9.0)
    maps[0, 2:] = torch.logit(targets[0, 1:], eps=1e-4)
    least = loss(maps, targets, 1)
    assert least < 0.7  # what is left is the entropy of middles between 0 and 1
    elsewhere = maps.clone()
    elsewhere[0, :2, 20:30, 4:14] = torch.tensor([-9.0, 9.0])[:, None, None]
    assert loss(elsewhere, targets, 1) > least + 0.5
    unknown = maps.clone()
    unknown[0, :, classes == UNKNOWN] = 5.0
    assert loss(unknown, targets, 1) == pytest.approx(float(least), abs=1e-5), "nobody knows what is there"


def test_the_network_gives_maps_of_its_tiles_with_half_a_million_weights():
    network = UNet(4).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 32, 48)).shape == (1, 4, 32, 48)
    assert 4e5 < sum(value.numel() for value in network.parameters()) < 6e5


def test_tiles_are_as_large_as_pictures_and_overlap_by_the_largest_thing():
    thing = {"label": "a", "mask": {"size": [256, 256], "counts": [0, 60, 256 * 256 - 60]}}
    assert tiling_for([(256, 256)] * 3, [[thing]], True) == type(tiling_for([(9, 9)], [], False))(256, 60, 512)
    assert (tiling_for([(40, 30)], [], False).side, tiling_for([(4_000, 300)], [], False).side) == (64, 256)
