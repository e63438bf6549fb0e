"""LexRank and marginal relevance by hand."""

import numpy as np
import pytest

from windlass.predictors.reading import central


def test_the_walk_stays_longest_where_all_others_lead():
    """A star: the middle is alike to both ends (cosine .707), the ends to nothing else: m = .5/3 + .5(1 - m)."""
    middle = np.array([0.70710678, 0.70710678])
    shares = central.lexrank(np.array([[1, 0], middle, [0, 1]]), np.zeros(3))
    assert shares.sum() == pytest.approx(1)
    assert shares[1] == pytest.approx((0.5 / 3 + 0.5) / 1.5, abs=1e-4)


def test_the_title_draws_the_walk():
    """Two that share nothing, one of them the title's: all restarts go there, m = .5 + .5 / 2."""
    shares = central.lexrank(np.eye(2), np.array([0.0, 0.4]))
    assert shares[1] == pytest.approx(0.75, abs=1e-4)


def test_what_repeats_a_chosen_sentence_is_left_out():
    rows = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert central.diverse(np.array([0.5, 0.4, 0.1]), rows, 3) == [0, 2]
    assert central.diverse(np.zeros(0), np.zeros((0, 0)), 3) == []


def test_of_more_sentences_than_fit_those_nearest_to_all_are_weighed(monkeypatch):
    monkeypatch.setattr(central, "MOST", 2)
    texts = ["red fox runs far", "tax law", "red fox sleeps late", "blue whale"]
    assert central.central(texts, "", lambda term: 1.0, 2) == [0, 2]
