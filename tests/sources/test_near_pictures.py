"""A picture that was resized, packed again, lightened or cut by a pixel is the same; other ones are not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from windlass.sources.near_pictures import connected, grey_copy, near_pairs


def scene(seed, size=(160, 120)):
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", size, (180, 170, 190))
    for _ in range(14):
        left, top = random.integers(0, size[0]), random.integers(0, size[1])
        wide = random.integers(10, 40)
        ImageDraw.Draw(picture).ellipse((left, top, left + wide, top + wide), fill=tuple(random.integers(0, 255, 3)))
    return picture


CHANGES = {
    "smaller": lambda picture: picture.resize((100, 75)),
    "wider": lambda picture: picture.resize((320, 200)),
    "lighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "less contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.7),
    "grey": lambda picture: picture.convert("L"),
    "cut by a pixel": lambda picture: picture.crop((1, 1, 160, 120)),
}


@pytest.fixture
def copy(tmp_path):
    def made(picture, name="a.png", **how):
        picture.save(tmp_path / name, **how)
        return grey_copy(name, tmp_path)

    return made


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_picture_is_the_same(copy, change):
    copies = [copy(scene(seed)) for seed in range(8)]
    assert near_pairs(np.array([*copies, copy(CHANGES[change](scene(3)))])) == [(3, 8)]


def test_a_picture_packed_hard_is_the_same(copy):
    assert near_pairs(np.array([copy(scene(1)), copy(scene(1), "a.jpg", quality=15), copy(scene(2))])) == [(0, 1)]


def test_things_in_other_places_on_plain_ground_are_other_pictures(copy):
    """Their hashes differ by a few bits only: most of the picture is as even."""
    copies = []
    for left in range(0, 130, 10):
        picture = Image.new("RGB", (160, 120), (120, 120, 120))
        ImageDraw.Draw(picture).ellipse((left, 40, left + 12, 52), fill=(200, 40, 40))
        copies.append(copy(picture))
    assert near_pairs(np.array(copies)) == []


def test_noise_is_no_likeness_and_nothing_is_near_to_nothing(copy):
    random = np.random.default_rng(0)
    noise = [Image.fromarray(random.integers(80, 160, (120, 160, 3)).astype(np.uint8)) for _ in range(6)]
    assert near_pairs(np.array([copy(each) for each in noise])) == []
    plain = [copy(Image.new("RGB", (50, 40), (grey,) * 3)) for grey in (90, 90, 140)]
    assert near_pairs(np.array(plain)) == []


def test_what_is_connected_has_one_number():
    assert connected(6, [(0, 3), (3, 5), (1, 2)]).tolist() == [0, 1, 1, 0, 4, 0]
    assert connected(0, []).tolist() == []
