"""Average precision of boxes, by hand and against COCO's own code."""

import contextlib
import io

import numpy as np
import pytest

from windlass.metrics.detection import (
    BOX_F1,
    BOX_METRICS,
    BOX_PRECISION,
    BOX_RECALL,
    COUNT_ERROR,
    MAP,
    MAP50,
    BoxMarks,
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


def test_it_is_as_cocos_own_code_measures():
    """Sixty scenes with crowds, doubles and wrong classes, to a millionth."""
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    random = np.random.default_rng(11)
    given, right = zip(*(scene(random) for _ in range(60)), strict=True)
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
