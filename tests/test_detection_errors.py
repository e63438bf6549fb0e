"""Each sort of mistake by a box drawn for it, as TIDE defines it."""

import numpy as np
import pytest

from windlass.metrics.detection import BoxMarks, Found
from windlass.metrics.detection_errors import BACKGROUND, BOTH, CLASS, DUPLICATE, MISSED, PLACE, mistakes, of_picture


def things(*found):
    """(class, left, top, right, bottom, score or crowd)."""
    parts = np.array(found, float).reshape(-1, 6)
    return Found(parts[:, 1:5], parts[:, 0].astype(int), parts[:, 5])


RIGHT = things((0, 0, 0, 10, 10, 0))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (things((0, 0, 0, 10, 10, 0.9)), []),
        (things((1, 0, 0, 10, 10, 0.9)), [CLASS]),
        (things((0, 5, 0, 15, 10, 0.9)), [PLACE]),  # a third
        (things((1, 5, 0, 15, 10, 0.9)), [BOTH, MISSED]),
        (things((0, 0, 0, 10, 9, 0.8), (0, 0, 0, 10, 10, 0.9)), [DUPLICATE]),
        (things((0, 50, 50, 60, 60, 0.9)), [BACKGROUND, MISSED]),
        (things(), [MISSED]),
    ],
)
def test_each_sort_has_its_box(given, found):
    assert of_picture(given, RIGHT) == found


def test_a_crowd_forgives_what_lies_on_it_and_is_not_missed():
    crowd = things((0, 0, 0, 100, 100, 1))
    assert of_picture(things((0, 10, 10, 20, 20, 0.9)), crowd) == []
    assert of_picture(things(), crowd) == []


def test_boxes_below_the_threshold_are_not_given():
    marks = BoxMarks(
        (things((0, 50, 50, 60, 60, 0.4)),), (RIGHT,), ("a", "b"), np.array([0.5, 0.5]), np.array([[99, 99]])
    )
    assert {name: n for name, n in mistakes(marks).items() if n} == {MISSED: 1}
