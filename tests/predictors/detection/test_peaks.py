"""From maps to boxes, and from a canvas back to the picture."""

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.metrics.detection import Found
from windlass.predictors.detection.canvas import GREY, Canvas
from windlass.predictors.detection.heatmap import SURE, apart, as_found, flat, load
from windlass.predictors.detection.peaks import decoded
from windlass.records import Column, Manifest


def maps(*peaks, n_classes=2, height=8, width=10):
    """Cold maps with (class, row, column, logit) hot and sides of 1, 2, 3, 1 places there."""
    found = np.full((n_classes + 4, height, width), -9.0, np.float32)
    found[n_classes:] = 1
    for label, row, column, logit in peaks:
        found[label, row, column] = logit
        found[n_classes:, row, column] = 1, 2, 3, 1
    return found


def test_a_peak_says_how_far_its_sides_are():
    """At column 4, row 3 with 4 pixels a place: its middle is 18, 14."""
    found = decoded(maps((1, 3, 4, 0.0)), 2)
    assert found.classes.tolist() == [1]
    assert found.scores.tolist() == [0.5]
    assert found.boxes.tolist() == [[14, 6, 30, 18]]


def test_only_the_hottest_of_neighbours_is_a_thing_and_classes_do_not_hide_each_other():
    found = decoded(maps((0, 3, 4, 2.0), (0, 3, 5, 1.0), (0, 5, 6, 0.5), (1, 3, 4, 1.5)), 2)
    assert found.classes.tolist() == [0, 1, 0]
    assert (np.diff(found.scores) < 0).all()


def test_nothing_hot_is_nothing():
    assert len(decoded(maps(), 2).classes) == 0


@pytest.mark.parametrize("size", [(100, 50), (640, 480), (30, 300), (1, 1)])
def test_boxes_come_back_to_their_pixels(size):
    canvas = Canvas(96, 64)
    boxes = np.array([[0.0, 0, *size], [size[0] / 4, size[1] / 3, size[0] / 2, size[1]]])
    assert canvas.back(boxes * canvas.scale(size), size) == pytest.approx(boxes)
    drawn = canvas.drawn(np.full((min(size[1], 512), min(size[0], 512), 3), 7, np.uint8), size)
    assert drawn.shape == (64, 96, 3)
    assert drawn[0, 0].tolist() == [7, 7, 7]
    assert set(np.unique(drawn)) <= {7, GREY}


def test_golden_boxes_are_compared_by_score_and_pixel():
    """Half a pixel is two thousandths, as a score is; what is gone or new and sure is 1; what is hardly there is not
    looked at."""
    least = np.full(2, SURE)
    wanted = Found(np.array([[0.0, 0, 10, 10], [5, 5, 9, 9]]), np.array([0, 1]), np.array([0.9, SURE]))
    assert apart(wanted, as_found(flat(wanted)), least) == pytest.approx(0, abs=1e-6)
    moved = wanted._replace(boxes=wanted.boxes + 0.5)
    assert apart(moved, wanted, least) == pytest.approx(0.002)
    assert apart(Found(*(part[1:] for part in wanted)), wanted, least) == 1
    assert apart(Found(*(part[:1] for part in wanted)), wanted, least) == 0


def test_an_artifact_of_another_kind_is_refused(tmp_path):
    output = Column("things", "boxes", {"classes": ["a"]})
    for inputs, settings, words in (
        ((Column("message", "text"),), {"width": 96, "height": 64}, "expected boxes in one picture"),
        ((Column("image", "image"),), {"width": 97, "height": 64}, "expected multiples of 16"),
        ((Column("image", "image"),), {}, "expected multiples of 16"),
    ):
        with pytest.raises(DataError, match=words):
            load(tmp_path, Manifest("heatmap", "detector", inputs, output, settings=settings))
