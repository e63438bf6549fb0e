"""Counts with an interval that holds nine in ten of them, wide where boxes are doubtful."""

import numpy as np
import pytest

from windlass.metrics.counting import FLOOR, doubt, factor, inside, interval


def test_a_box_is_most_doubtful_at_its_threshold():
    least = np.array([0.4])
    assert doubt(np.array([0.4]), least) == pytest.approx(FLOOR + 0.5)
    assert doubt(np.array([0.2]), least) == pytest.approx(FLOOR + 0.25)
    assert doubt(np.array([0.7]), least) == pytest.approx(FLOOR + 0.25)
    assert doubt(np.array([1.0]), least) == doubt(np.array([0.01]), least) == FLOOR


def test_whole_numbers_lie_inside_and_none_below_zero():
    assert interval(5, 4.0, 0.7) == (4.0, 6.0, 0.9)
    assert interval(0, 4.0, 1.0) == (0.0, 2.0, 0.9)
    assert interval(7, FLOOR, 0.0) == (7.0, 7.0, 0.9)


def test_nine_in_ten_counts_lie_inside_whatever_the_doubt():
    """Poisson errors in proportion to the doubt; 400 pictures to learn from, 4,000 to judge; the mean of 20."""
    random, shares = np.random.default_rng(3), []
    for _ in range(20):
        doubts = random.uniform(0.3, 6, 4_400)
        off = np.rint(random.normal(0, np.sqrt(doubts))).astype(int)
        given = np.full(4_400, 50)
        wide = factor(off[:400], doubts[:400])
        shares.append(inside(given[400:], given[400:] + off[400:], doubts[400:], wide).mean())
    assert np.mean(shares) == pytest.approx(0.9, abs=0.02)


def test_few_pictures_tell_nothing():
    assert factor(np.zeros(8), np.ones(8)) is None
    assert factor(np.zeros(10), np.ones(10)) == 0
