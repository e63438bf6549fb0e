"""Counts against their own past: values by hand and by scipy, and worlds in which nothing happens."""

import numpy as np
import pytest
from scipy.stats import nbinom

from windlass.metrics.measures import wilson
from windlass.metrics.proportions import Proportion
from windlass.trends.alarms import Rule, episodes, surprises
from windlass.trends.surprise import ExpectedCount, share_difference, usual, weekday_factors


def test_the_tail_is_that_of_the_negative_binomial():
    known = ExpectedCount(np.array([2.0, 7.5, 0.3]), np.array([5.0, 40.0, 0.5]))
    counts = np.array([6, 12, 0])
    wanted = nbinom.sf(counts - 1, known.size, known.size / (known.size + known.mean))
    assert known.tail(counts) == pytest.approx(wanted, rel=1e-9)


def test_a_far_tail_is_still_told_exactly():
    """1 - cdf would be 0."""
    known = ExpectedCount(np.array([2.0]), np.array([5.0]))
    assert known.tail(np.array([120])) == pytest.approx(nbinom.sf(119, 5, 5 / 7), rel=1e-6)
    assert 0 < known.tail(np.array([120]))[0] < 1e-40


def test_the_smallest_count_that_is_rare_enough():
    known = ExpectedCount(np.array([2.0, 30.0]), np.array([5.0, 1e9]))
    reached = known.reached(0.01)
    assert (known.tail(reached) <= 0.01).all()
    assert (known.tail(reached - 1) > 0.01).all()


def test_even_days_foretell_their_mean():
    """28 days of 3: (84 + 1/2) / 28; nothing scatters more than Poisson, so the size is near the 84 that were seen."""
    known = usual(np.full((1, 28), 3), np.ones(28), 1.0)
    assert known.mean[0] == pytest.approx(84.5 / 28)
    assert usual(np.full((1, 28), 3), np.ones(28), 0.5).mean[0] == pytest.approx(84.5 / 56)


def test_a_past_outbreak_hides_no_second_one():
    """A month of 3 a day with one of 40: its mean would be 4.3; the control without weights shows what is hidden."""
    past = np.full((1, 28), 3)
    past[0, 20] = 40
    known = usual(past, np.ones(28), 1.0)
    assert known.mean[0] == pytest.approx(3, abs=0.15)
    assert past.mean() > 4.3
    assert known.tail(np.array([15]))[0] < 1e-3


def test_a_new_level_becomes_usual():
    """Three weeks at 12 after one at 3 are no outbreak any more."""
    past = np.array([[3] * 7 + [12] * 21])
    assert usual(past, np.ones(28), 1.0).tail(np.array([14]))[0] > 0.05


def test_series_that_scatter_more_need_more():
    random = np.random.default_rng(5)
    calm, wild = random.poisson(5, (1, 28)), random.poisson(5 * random.gamma(1, 1, (1, 28)))
    assert usual(wild, np.ones(28), 1.0).reached(1e-3)[0] > 1.5 * usual(calm, np.ones(28), 1.0).reached(1e-3)[0]


def test_weekdays_are_learned_and_lean_on_the_mean():
    """Mondays 20, Sundays 0, four weeks: mean 10 over both; ((4 x 20) + 10) / (5 x 10) and (0 + 10) / 50."""
    factors = weekday_factors(np.array([20, 0] * 4), np.array([0, 6] * 4))
    assert factors[[0, 6]].tolist() == pytest.approx([1.8, 0.2])
    assert factors[3] == 1
    assert weekday_factors(np.zeros(3), np.arange(3)).tolist() == [1] * 7


def test_an_interval_of_newcombe_1998():
    """His table II, method 10: 56/70 against 48/80 is 0.2 with (0.0524, 0.3339)."""
    found = share_difference(Proportion(56, 70), Proportion(48, 80))
    assert [found.value, found.low, found.high] == pytest.approx([0.2, 0.0524, 0.3339], abs=1e-4)
    assert np.isnan(wilson(0, 0).value)


def calm_feed(random, n_days, n=20, scatter=0.1):
    """Entities of very different size, five working days and a quiet weekend, a little more scatter than Poisson."""
    weekdays = np.arange(n_days) % 7
    means = np.exp(random.normal(np.log(2), 1, n))[:, None] * np.where(weekdays < 5, 1.0, 0.35)
    counts = random.poisson(means * random.gamma(1 / scatter, scatter, means.shape))
    return counts, counts.sum(0) * 4, weekdays


def test_where_nothing_happens_there_is_less_than_one_alarm_a_month():
    """Twenty entities for 24 months, every count an alarm candidate; the promise is one a month at most."""
    random = np.random.default_rng(13)
    n_alarms, n_days = 0, 0
    for _ in range(3):
        counts, volumes, weekdays = calm_feed(random, 28 + 244)
        found = surprises(counts, volumes, weekdays, Rule(least=1))
        n_alarms += int(found.is_alarm[:, 28:].sum())
        n_days += 244
    assert n_alarms / (n_days / 30.4375) <= 1


def test_without_regard_for_the_number_of_tests_there_are_many_false_ones():
    """Control of the one above: each entity at its own 5 %."""
    random = np.random.default_rng(13)
    counts, volumes, weekdays = calm_feed(random, 28 + 122)
    found = surprises(counts, volumes, weekdays, Rule(least=1))
    assert (found.chance[:, 28:] < 0.05).sum() / 4 > 10


def test_a_planted_event_is_seen_on_its_first_day_and_nothing_else_is():
    random = np.random.default_rng(3)
    counts, volumes, weekdays = calm_feed(random, 70, scatter=0.01)
    counts[4] = random.poisson(2, 70)
    counts[4, 50:53] = (13, 17, 12)
    found = surprises(counts, volumes, weekdays, Rule())
    assert episodes(found.is_alarm[4]) == [(50, 52)]
    assert found.is_alarm.sum() == 3
    assert found.needed[4, 50] <= 13
    assert found.mean[4, 50] == pytest.approx(2, abs=1)


def test_nothing_is_an_alarm_before_there_is_a_past_or_below_the_least_count():
    counts = np.zeros((1, 40), int)
    counts[0, [3, 30]] = 50
    counts[0, 35] = 4
    found = surprises(counts, np.full(40, 100), np.arange(40) % 7, Rule(least=5))
    assert np.flatnonzero(found.is_alarm[0]).tolist() == [30]
    assert np.isnan(found.chance[0, 3])


def test_runs_of_days():
    assert episodes(np.array([1, 1, 0, 0, 1, 0, 1], bool)) == [(0, 1), (4, 4), (6, 6)]
    assert episodes(np.zeros(3, bool)) == []
