"""Dice, IoU, instance AP and distances of outlines, by hand; run lengths against COCO's own text."""

import numpy as np
import pytest

from windlass.metrics import run_lengths
from windlass.metrics.segmentation import BOUNDARY, DICE, INSTANCE_AP, IOU, NOBODY_KNOWS, MaskMarks, Segments, measured

SIZE = (10, 12)


def segments(*things, crowds=()):
    """(class, top, left, height, width) each; later ones lie on top."""
    numbers = np.zeros(SIZE, np.int32)
    for number, (_, top, left, height, width) in enumerate(things, 1):
        numbers[top : top + height, left : left + width] = number
    is_crowd = np.array([place in crowds for place in range(len(things))], bool)
    return Segments(numbers, np.array([each[0] for each in things], int), is_crowd)


def marks(*pairs, classes=("a", "b")):
    found = tuple(measured(given, right, len(classes)) for given, right in pairs)
    nothing = ((),) * len(found)
    return MaskMarks(found, nothing, nothing, classes, np.zeros((len(found), 2)))


def test_dice_and_iou_by_hand():
    """4 x 4 right, 4 x 4 given, shifted by one: 12 shared; Dice 24 / 32, IoU 12 / 20. The other picture is empty."""
    found = marks((segments((0, 2, 3, 4, 4)), segments((0, 2, 2, 4, 4))), (segments(), segments()))
    assert found.each.tolist() == [0.75, 1.0]
    assert found.value(DICE) == pytest.approx(0.875)
    assert found.value(IOU) == pytest.approx(0.6)
    assert found.value(DICE, np.array([0, 0])) == 0.75
    assert np.isnan(found.iou()[1]), "class b is nowhere"


def test_a_class_that_is_given_where_it_is_not_counts_as_wrong():
    found = marks((segments((0, 0, 0, 4, 4), (1, 6, 6, 2, 2)), segments((0, 0, 0, 4, 4))))
    assert found.value(DICE) == 0.5
    assert found.value(IOU) == 0.5
    assert found.iou().tolist() == [1.0, 0.0]


def test_pixels_of_nobody_knows_what_count_nowhere():
    """Half of what is given lies where nobody told what is there."""
    right = segments((0, 0, 0, 4, 4), (NOBODY_KNOWS, 0, 4, 4, 4))
    found = marks((segments((0, 0, 0, 4, 8)), right))
    assert found.value(DICE) == 1.0
    assert found.value(INSTANCE_AP) == 1.0


def test_instance_ap_as_the_data_science_bowl_has_it():
    """One exact, one with IoU 12 / 20 = .6 (found at .50 and .55 alone), one wrong, one missed: at two overlaps 2 of 4
    things, at eight 1 of 5."""
    given = segments((0, 0, 0, 3, 3), (0, 5, 1, 4, 4), (0, 0, 9, 2, 2))
    right = segments((0, 0, 0, 3, 3), (0, 5, 0, 4, 4), (0, 5, 8, 2, 2))
    found = marks((given, right))
    assert found.value(INSTANCE_AP) == pytest.approx((2 * 2 / 4 + 8 * 1 / 5) / 10)
    assert found.n_there.tolist() == [[3, 0]]
    assert marks((segments(), segments())).value(INSTANCE_AP) == 1.0
    assert marks((segments((0, 0, 0, 2, 2)), segments())).value(INSTANCE_AP) == 0.0


def test_a_thing_of_another_class_is_wrong_and_missed():
    found = marks((segments((1, 0, 0, 3, 3)), segments((0, 0, 0, 3, 3))))
    assert found.value(INSTANCE_AP) == 0.0
    assert found.things[0, :, :, 0].tolist() == [[0, 0], [0, 1], [1, 0]]


def test_inside_a_crowd_things_are_neither_right_nor_wrong():
    crowd = segments((0, 0, 0, 4, 12), crowds={0})
    found = marks((segments((0, 0, 0, 4, 4), (0, 0, 6, 4, 3)), crowd))
    assert found.value(INSTANCE_AP) == 1.0
    assert found.value(DICE) == pytest.approx(2 * 28 / (28 + 48)), "by pixels it counts"


def test_outlines_are_apart_by_the_mean_distance_both_ways():
    """Two single lines of 6 pixels, two rows apart."""
    found = marks((segments((0, 2, 3, 1, 6)), segments((0, 4, 3, 1, 6))))
    assert found.value(BOUNDARY) == 2.0
    assert np.isnan(marks((segments(), segments((0, 4, 3, 1, 6)))).value(BOUNDARY))
    assert marks((segments((0, 2, 3, 4, 4)), segments((0, 2, 3, 4, 4)))).value(BOUNDARY) == 0.0


def test_run_lengths_are_those_of_coco():
    """`maskUtils.encode` of a 3 x 3 mask with its middle column: 3 outside, 3 inside, 3 outside."""
    mask = np.zeros((3, 3), bool)
    mask[:, 1] = True
    runs = run_lengths.runs_of(mask)
    assert runs == [3, 3, 3]
    assert run_lengths.packed(runs) == "333"
    assert run_lengths.unpacked("333") == runs
    assert run_lengths.bounds(runs, 3) == [1, 0, 2, 3]
    for broken in ("\x01", "o" * 20, "3P"):
        with pytest.raises(ValueError, match="no run"):
            run_lengths.unpacked(broken)


def test_run_lengths_come_back_whatever_the_mask():
    random = np.random.default_rng(7)
    for _ in range(60):
        size = tuple(random.integers(1, 40, 2).tolist())
        numbers = (random.random(size) < random.random()) * random.integers(1, 4, size)
        mask = numbers > 0
        runs = run_lengths.runs_of(mask)
        assert run_lengths.unpacked(run_lengths.packed(runs)) == runs
        assert np.array_equal(run_lengths.mask_of(runs, *size), mask)
        assert run_lengths.area(runs) == mask.sum()
        assert dict(run_lengths.each_of(numbers)) == {
            number: run_lengths.runs_of(numbers == number) for number in (1, 2, 3) if (numbers == number).any()
        }
        if mask.any():
            rows, columns = np.nonzero(mask)
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert run_lengths.bounds(runs, size[0]) == box


def test_run_lengths_are_packed_as_pycocotools_does():
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is missing")
    random = np.random.default_rng(3)
    for _ in range(20):
        mask = random.random((37, 23)) < random.random()
        packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
        assert run_lengths.packed(run_lengths.runs_of(mask)) == packed
