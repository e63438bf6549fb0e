"""What the detector is taught: where it is hot, how far sides are, and boxes that move with their pixels."""

import numpy as np
import pytest
import torch

from windlass.learners.vision.changes import Changes, changed
from windlass.learners.vision.detector import canvas_for
from windlass.learners.vision.heat import Boxes, heat_of, loss
from windlass.learners.vision.pyramid import NARROW, Pyramid
from windlass.predictors.detection.peaks import decoded


def boxes(*found):
    """(picture, class, left, top, right, bottom, crowd) in places."""
    parts = torch.tensor(found, dtype=torch.float32).view(-1, 7)
    return Boxes(parts[:, 0].long(), parts[:, 1].long(), parts[:, 2:6], parts[:, 6] > 0)


def test_it_is_hottest_in_the_middle_and_cooler_around():
    heat = heat_of(boxes((1, 0, 2, 2, 8, 6, 0)), torch.Size((2, 2, 10, 12)))
    assert heat[1, 0, 4, 5] == 1
    assert heat.sum() == heat[1, 0].sum()
    assert 0 < heat[1, 0, 4, 7] < heat[1, 0, 4, 6] < 1
    assert heat_of(boxes(), torch.Size((2, 2, 4, 4))).sum() == 0


def test_maps_that_are_right_cost_least_and_are_decoded_to_the_boxes():
    """The loss of the wanted maps is near 0, and each thing that is wrong about them costs."""
    right = boxes((0, 1, 2, 2, 8, 6, 0))
    maps = torch.full((1, 6, 10, 12), -12.0)
    maps[:, 2:] = 1.0
    maps[0, 1, 4, 5] = 12.0
    for row in range(10):
        for column in range(12):
            sides = torch.tensor([column + 0.5 - 2, row + 0.5 - 2, 8 - column - 0.5, 6 - row - 0.5])
            maps[0, 2:, row, column] = sides.clamp(min=0.01)
    assert loss(maps, right) < 0.01
    found = decoded(maps[0].numpy(), 2)
    assert found.classes.tolist() == [1]
    assert found.boxes[0] == pytest.approx([8, 8, 32, 24])
    for change in ("missed", "elsewhere", "small"):
        wrong = maps.clone()
        if change == "missed":
            wrong[0, 1, 4, 5] = -12
        elif change == "elsewhere":
            wrong[0, 0, 1, 1] = 12
        else:
            wrong[0, 2:] *= 0.5
        assert loss(wrong, right) > 0.3, change
    hot = maps.clone()
    hot[0, 0, 1, 1] = 12
    assert loss(hot, boxes((0, 1, 2, 2, 8, 6, 0), (0, 0, 0, 0, 4, 4, 1))) < 0.01, "inside a crowd nothing is wrong"


@pytest.mark.parametrize("seed", range(6))
def test_boxes_go_where_their_pixels_go(seed):
    """A bright block on grey, changed by chance: its bright pixels lie inside the changed box, and reach its sides."""
    torch.manual_seed(seed)
    pixels = torch.full((1, 3, 64, 96), 114.0)
    pixels[:, :, 20:40, 36:60] = 255
    plain = Changes(light=0, contrast=0, tint=0, is_any_side_up=True)
    seen, found = changed(pixels, boxes((0, 0, 9, 5, 15, 10, 0)), plain)
    rows, columns = np.nonzero(seen[0, 0].numpy() > 190)
    left, top, right, bottom = (found.places[0] * 4).tolist()
    edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert edges == pytest.approx([left, top, right, bottom], abs=1.01)


def test_quarters_of_other_pictures_bring_their_boxes():
    """Pictures of one grey each, with a box in each quarter: what lies in a box of a mosaic is of one grey, and
    every picture keeps four boxes or parts of some."""
    torch.manual_seed(4)
    pixels = torch.arange(1.0, 6.0)[:, None, None, None].expand(-1, 3, 64, 96).clone() * 40
    corners = [(1, 1), (13, 1), (1, 9), (13, 9)]
    things = boxes(*((n, n, x, y, x + 9, y + 6, 0) for n in range(5) for x, y in corners))
    plain = Changes((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, mosaic=1.0)
    seen, found = changed(pixels, things, plain)
    for picture, number, box in zip(found.pictures, found.classes, found.places, strict=True):
        left, top, right, bottom = (4 * box).round().int().tolist()
        assert (seen[picture, 0, top + 1 : bottom - 1, left + 1 : right - 1] - 40 * (number + 1)).abs().max() < 0.1
    assert (torch.bincount(found.pictures) >= 4).all()
    assert len(set(found.classes[found.pictures == 0].tolist())) > 1


def test_a_picture_is_made_empty_by_painting_over_what_is_on_it():
    pixels = torch.full((1, 3, 64, 96), 114.0)
    pixels[:, :, 20:40, 36:60] = 255
    still = Changes((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, mosaic=0.0, erased=1.0)
    seen, found = changed(pixels, boxes((0, 0, 9, 5, 15, 10, 0)), still)
    assert len(found.classes) == 0
    assert (seen - 114).abs().max() < 2
    seen, found = changed(pixels, boxes((0, 0, 9, 5, 15, 10, 1)), still)
    assert found.is_crowd.tolist() == [True], "nobody knows what is in a crowd: it stays unknown"


def test_what_is_hardly_seen_any_more_is_neither_right_nor_wrong():
    torch.manual_seed(1)
    pixels = torch.zeros(1, 3, 64, 96)
    far = Changes(scale=(1.0, 1.0), move=0.0)
    _, found = changed(pixels, boxes((0, 0, -8, 0, 2, 4, 0), (0, 0, -9, 0, -1, 4, 0), (0, 0, 4, 4, 8, 8, 0)), far)
    assert found.is_crowd.tolist() == [True, False]


def test_the_network_starts_cold_with_usual_boxes():
    network = Pyramid(3, 2.0, NARROW).eval()
    with torch.no_grad():
        maps = network(torch.full((2, 3, 32, 48), 114.0))
    assert maps.shape == (2, 7, 8, 12)
    assert maps[:, :3].sigmoid().max() < 0.1
    assert maps[:, 3:].median() == pytest.approx(2.0, rel=0.5)


def test_a_canvas_is_of_the_usual_shape_within_bounds():
    sides = [(found.width, found.height) for found in map(canvas_for, ([(640, 480)], [(100, 400)], [(40, 30)]))]
    assert sides == [(320, 240), (80, 320), (96, 80)]
