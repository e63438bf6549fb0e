"""Lists made fit for use, by hand."""

import numpy as np
import pytest

from windlass.predictors.recommend.reranking import by_margin, diverse, with_quota

BEST, SCORES = np.array([10, 11, 20]), np.array([1.0, 0.9, 0.5])


def alike(item: int, others: np.ndarray) -> np.ndarray:
    """Items of the same ten are the same."""
    return (others // 10 == item // 10).astype(float)


def test_a_diverse_list_brings_another_kind_forward() -> None:
    assert diverse(BEST, SCORES, alike, 0.0, 3).tolist() == [10, 11, 20]
    assert diverse(BEST, SCORES, alike, 0.5, 3).tolist() == [10, 20, 11]  # .5 * .8 - .5 * 1 < 0
    assert diverse(BEST, SCORES, alike, 0.5, 2).tolist() == [10, 20]
    assert diverse(np.zeros(0, int), np.zeros(0), alike, 0.5, 2).tolist() == []


def test_new_items_get_their_places_and_the_worst_old_ones_give_way() -> None:
    best, new = np.arange(10), np.array([90, 91, 92])
    assert with_quota(best, new, 0.1, 10).tolist() == [0, 90, 1, 2, 3, 4, 5, 6, 7, 8]
    found = with_quota(best, new, 0.2, 10).tolist()
    assert [each for each in found if each < 90] == list(range(8))
    assert [each for each in found if each >= 90] == [90, 91]
    assert found[0] == 0


def test_new_items_that_are_there_already_count_and_stay() -> None:
    best = np.array([0, 1, 2, 3, 91])
    assert with_quota(best, np.array([90, 91]), 0.2, 5).tolist() == [0, 1, 2, 3, 91]
    assert sorted(with_quota(best, np.array([90, 91]), 0.4, 5).tolist()) == [0, 1, 2, 90, 91]


def test_no_new_item_and_no_share_change_nothing() -> None:
    best = np.arange(10)
    assert with_quota(best, np.zeros(0, int), 0.5, 10).tolist() == best.tolist()
    assert with_quota(best, np.array([90]), 0.05, 10).tolist() == best.tolist()
    assert with_quota(np.zeros(0, int), np.array([90, 91]), 0.1, 10).tolist() == [90]


def test_margins_move_scores_by_their_spread_and_hidden_items_stay_hidden() -> None:
    scores, margin = np.array([1.0, 2.0, -np.inf]), np.array([3.0, 1.0, 9.0])
    found = by_margin(scores, margin[[0, 1, 1]], 1.0)
    unit = float(np.std([3.0, 1.0, 1.0]))
    assert found[0] == pytest.approx(1 + 0.5 * (3 - 5 / 3) / unit)
    assert found[2] == -np.inf
    assert by_margin(scores, margin, 0.0) is scores
    assert by_margin(scores, np.full(3, np.nan), 1.0) is scores
