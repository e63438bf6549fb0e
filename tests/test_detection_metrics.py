"""Average precision of boxes, by hand and against COCO's own code."""

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest

from windlass.metrics.box_calibration import calibrated, curve, fault
from windlass.metrics.costs import COST, BoxCosts
from windlass.metrics.detection import (
    BOX_F1,
    BOX_METRICS,
    BOX_PRECISION,
    BOX_RECALL,
    COUNT_ERROR,
    MAP,
    MAP50,
    MOST_FOUND,
    SIZES,
    BoxMarks,
    ClassMatches,
    Found,
    agree,
    overlaps,
)


def found(*boxes):
    """(label, score, left, top, right, bottom) each."""
    parts = np.array(boxes, float).reshape(-1, 6)
    return Found(parts[:, 2:], parts[:, 0].astype(int), parts[:, 1])


def marks(given, right, n_classes=1, threshold=0.5):
    names = tuple("abcdefgh"[:n_classes])
    return BoxMarks(tuple(given), tuple(right), names, np.full(n_classes, threshold), np.full((len(right), 2), 100))


def test_overlap_is_intersection_over_union_and_beside_a_crowd_over_the_own_area():
    """Halves of each other share a third; a quarter of a crowd lies in it whole."""
    one, other = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10]])
    assert overlaps(one, other)[0, 0] == pytest.approx(1 / 3)
    assert overlaps(np.array([[0.0, 0, 5, 5]]), one, np.array([True]))[0, 0] == 1


def test_average_precision_by_hand():
    """Right, wrong, right of two: precision 1 up to recall 0.5 (51 of 101 recalls), then 2/3."""
    right = [found((0, 0, 0, 0, 10, 10), (0, 0, 50, 50, 60, 60))]
    given = [found((0, 0.9, 0, 0, 10, 10), (0, 0.8, 80, 80, 90, 90), (0, 0.7, 50, 50, 60, 60))]
    measured = marks(given, right)
    assert measured.value(MAP50) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert measured.value(BOX_PRECISION) == pytest.approx(2 / 3)
    assert measured.value(BOX_RECALL) == 1
    assert measured.value(BOX_F1) == pytest.approx(0.8)
    assert measured.each == pytest.approx([0.8])


def test_a_second_box_on_the_same_thing_is_wrong_and_one_on_a_crowd_is_neither():
    one = found((0, 0.9, 0, 0, 10, 10), (0, 0.8, 0, 0, 10, 10))
    assert marks([one], [found((0, 0, 0, 0, 10, 10))]).value(BOX_PRECISION) == 0.5
    crowd = found((0, 1, 0, 0, 40, 40))
    alone = marks([one], [crowd])
    assert np.isnan(alone.value(MAP50))
    assert np.isnan(alone.value(BOX_PRECISION))


def test_counts_are_off_by_class():
    """Two given of one class where one of another is: three off."""
    given = [found((0, 0.9, 0, 0, 10, 10), (0, 0.6, 20, 20, 30, 30), (1, 0.2, 50, 50, 60, 60))]
    assert marks(given, [found((1, 0, 50, 50, 60, 60))], 2).value(COUNT_ERROR) == 3


def test_a_picture_that_counts_twice_is_as_two_pictures():
    random = np.random.default_rng(3)
    given, right = zip(*(scene(random) for _ in range(6)), strict=True)
    measured = marks(given, right, 3)
    rows = np.array([0, 2, 2, 5, 1, 2])
    again = marks([given[n] for n in rows], [right[n] for n in rows], 3)
    for metric in BOX_METRICS:
        assert measured.value(metric, rows) == pytest.approx(again.value(metric), abs=1e-9), metric


def test_two_lists_agree_by_class_and_place():
    one = found((0, 0, 0, 0, 10, 10), (1, 0, 50, 50, 60, 60))
    assert agree(one, found((1, 0, 51, 50, 61, 60), (0, 0, 0, 0, 10, 10)))
    assert not agree(one, found((0, 0, 51, 50, 61, 60), (1, 0, 0, 0, 10, 10)))
    assert not agree(one, found((0, 0, 0, 0, 10, 10)))


def test_the_best_threshold_lies_between_right_and_wrong():
    given = [found((0, 0.9, 0, 0, 10, 10), (0, 0.3, 80, 80, 90, 90))]
    assert marks(given, [found((0, 0, 0, 0, 10, 10))]).best_thresholds() == [pytest.approx(0.6)]


def scene(random, n_classes=3):
    """Right boxes, and found ones near them, beside them and doubled."""
    right, given = [], []
    for _ in range(random.integers(0, 12)):
        left, top, wide, high = random.uniform(0, 70), random.uniform(0, 70), *random.uniform(8, 30, 2)
        label = random.integers(n_classes)
        right.append((label, float(random.random() < 0.1), left, top, left + wide, top + high))
        for _ in range(random.integers(0, 3)):
            off = np.clip(random.normal(0, 2.0, 4), -3.9, 3.9)
            said = label if random.random() < 0.8 else random.integers(n_classes)
            given.append(
                (said, random.random(), left + off[0], top + off[1], left + wide + off[2], top + high + off[3])
            )
    return found(*given), found(*right)


def scaled(both, times):
    return tuple(each._replace(boxes=each.boxes * times) for each in both)


def test_scores_are_calibrated_where_so_many_boxes_are_right_as_they_say():
    """Two boxes of score 0.5 of which one is right: no gap; both wrong: a gap of a half. Boxes that are not given do
    not count."""
    right = [found((0, 0, 0, 0, 10, 10))]
    even = [found((0, 0.5, 0, 0, 10, 10), (0, 0.5, 50, 50, 60, 60), (0, 0.4, 70, 70, 90, 90))]
    assert marks(even, right).calibration_error == pytest.approx(0)
    assert marks(even, [found((0, 0, 20, 20, 30, 30))]).calibration_error == pytest.approx(0.5)
    assert marks([found()], right).calibration_error is None


def test_mistakes_and_looks_cost_what_they_are_said_to():
    """A miss of 5, two false alarms of 1, a look of 0.4 at a box that is right: 7.4 on one picture, 0 on the other."""
    costs = BoxCosts((5.0,), (1.0,), 0.4)
    low, high = costs.bands[0]
    assert (low, high) == (pytest.approx(0.08), pytest.approx(0.6))
    right = [found((0, 0, 0, 0, 10, 10), (0, 0, 30, 30, 40, 40)), found()]
    wrong = [(0, 0.9, 70, 70, 80, 80), (0, 0.7, 50, 50, 60, 60)]
    given = [found(*wrong, (0, 0.3, 0, 0, 10, 10), (0, 0.07, 30, 30, 40, 40)), found((0, 0.05, 0, 0, 10, 10))]
    priced = replace(marks(given, right, threshold=low), costs=costs)
    assert priced.picture_costs.tolist() == pytest.approx([7.4, 0])
    assert priced.value(COST) == pytest.approx(3.7)
    assert priced.value(COST, np.array([0, 0])) == pytest.approx(7.4)
    assert COST in priced.metrics
    assert COST not in marks(given, right).metrics
    dear = BoxCosts((5.0,), (1.0,), 2.0).bands[0]
    assert dear.tolist() == pytest.approx([1 / 6, 1 / 6]), "a look that is never the cheapest: Elkan's threshold"


def test_curves_make_probabilities_of_scores_and_change_no_order():
    """Boxes that are right as often as the root of what their score says: the curve comes near it on others."""
    random = np.random.default_rng(7)
    scores = random.uniform(0.01, 0.99, 4_000)
    hits = random.random(4_000) < np.sqrt(scores)
    none = np.zeros((10, 4_000), bool)
    found = curve(ClassMatches(scores, np.zeros(4_000, int), none | hits, none, np.array([4_000.0])))
    asked = np.array([0.05, 0.2, 0.5, 0.9])
    assert calibrated(asked, np.zeros(4, int), [found]) == pytest.approx(np.sqrt(asked), abs=0.04)
    few = ClassMatches(scores[:30], np.zeros(30, int), none[:, :30], none[:, :30], np.array([30.0]))
    assert calibrated(asked, np.zeros(4, int), [curve(few)]) == pytest.approx(asked)
    assert fault([found], 1) == ""
    assert fault([found], 2)
    assert fault([[1.0, -1.0, 0.0]], 1)


def test_it_is_as_cocos_own_code_measures():
    """Sixty scenes of things of all sizes, with crowds, doubles and wrong classes, to a millionth; each class, too."""
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    random = np.random.default_rng(11)
    given, right = zip(*(scaled(scene(random), random.choice([1.0, 2.0, 4.0])) for _ in range(60)), strict=True)
    truth, answers = coco.COCO(), []
    annotations = []
    for picture, (one, other) in enumerate(zip(given, right, strict=True), 1):
        for box, label, crowd in zip(*other, strict=True):
            size = box[2:] - box[:2]
            annotations.append({"id": len(annotations) + 1, "image_id": picture, "category_id": int(label) + 1,
                                "bbox": [*box[:2], *size], "area": size.prod(), "iscrowd": int(crowd)})  # fmt: skip
        answers += [{"image_id": picture, "category_id": int(label) + 1, "bbox": [*box[:2], *(box[2:] - box[:2])],
                     "score": score} for box, label, score in zip(*one, strict=True)]  # fmt: skip
    truth.dataset = {"images": [{"id": n} for n in range(1, 61)], "annotations": annotations,
                     "categories": [{"id": n, "name": str(n)} for n in (1, 2, 3)]}  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        measured = evaluation.COCOeval(truth, truth.loadRes(answers), "bbox")
        measured.evaluate()
        measured.accumulate()
        measured.summarize()
    ours = marks(given, right, 3)
    assert ours.value(MAP) == pytest.approx(measured.stats[0], abs=1e-6)
    assert ours.value(MAP50) == pytest.approx(measured.stats[1], abs=1e-6)
    assert measured.params.maxDets[-1] == MOST_FOUND
    precision = measured.eval["precision"]  # (overlaps, recalls, classes, areas, most found)
    for number in range(3):
        for place, size in enumerate(["", *SIZES]):
            theirs = precision[:, :, number, place, -1]
            assert ours.average_precision(number, MAP, size=size) == pytest.approx(theirs.mean(), abs=1e-6), size
            assert ours.average_precision(number, MAP50, size=size) == pytest.approx(theirs[0].mean(), abs=1e-6), size
