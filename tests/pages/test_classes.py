"""Counts behind the tables: expectations by hand and from published values."""

import numpy as np
import pytest

from windlass.metrics.measures import wilson
from windlass.pages.text.classes import class_scores, confidence_bins, confident_mistakes, confused_pairs


def test_the_score_interval_agrees_with_the_published_value() -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3: 81 of 263 gives 0.2553 to 0.3662."""
    found = wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_the_score_interval_stays_within_a_share() -> None:
    """Newcombe 1998, same table: 0 of 20 gives 0 to 0.1611."""
    assert wilson(0, 20).low == 0
    assert round(wilson(0, 20).high, 4) == 0.1611
    assert wilson(20, 20).high == 1
    assert np.isnan(wilson(0, 0).value)


def test_precision_recall_and_f1_of_a_class_are_as_counted_by_hand() -> None:
    scores = class_scores(np.array([[8, 2], [4, 6]]), ["a", "b"])
    assert scores[0].precision.value == pytest.approx(8 / 12)
    assert scores[0].recall.value == pytest.approx(0.8)
    assert scores[0].f1.value == pytest.approx(16 / 22)
    assert scores[0].f1.low < 16 / 22 < scores[0].f1.high
    assert [score.rows for score in scores] == [10, 10]


def test_confusions_come_most_frequent_first_and_leave_out_right_answers() -> None:
    pairs = confused_pairs(np.array([[9, 1, 0], [0, 5, 5], [2, 0, 8]]), ["a", "b", "c"])
    assert [(pair.truth, pair.answer, pair.count) for pair in pairs] == [("b", "c", 5), ("c", "a", 2), ("a", "b", 1)]
    assert pairs[0].share == 0.5


def test_confidence_bins_hold_every_finite_row_once() -> None:
    targets = np.array([0, 1, 0, 0])
    probabilities = np.array([[0.95, 0.05], [0.92, 0.08], [0.55, 0.45], [np.nan, np.nan]])
    bins = confidence_bins(targets, probabilities)
    assert [each.rows for each in bins] == [1, 2]
    assert bins[1].accuracy.value == 0.5
    assert bins[1].confidence == pytest.approx(0.935)


def test_mistakes_come_most_confident_first() -> None:
    targets = np.array([0, 1, 1])
    probabilities = np.array([[0.4, 0.6], [0.9, 0.1], [0.2, 0.8]])
    found = confident_mistakes(targets, probabilities)
    assert [(each.row, each.truth, each.answer) for each in found] == [(1, 1, 0), (0, 0, 1)]
    assert len(confident_mistakes(targets, probabilities, top=1)) == 1
