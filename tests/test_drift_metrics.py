"""Tests of drift agree with scipy, with hand calculations and with what their papers promise."""

import numpy as np
import pytest
from scipy import integrate, stats

from windlass.kinds.sketch import alike
from windlass.metrics import drift
from windlass.metrics.proportions import Proportion

RANDOM = np.random.default_rng(7)


def test_the_stability_index_is_the_hand_calculation():
    """Shares .5/.5 -> .75/.25: .25 ln 1.5 + (-.25) ln .5 = .27465; half a row in 200,000 does not show."""
    found = drift.population_stability_index(np.array([100_000, 100_000]), np.array([150_000, 50_000]))
    assert found == pytest.approx(0.25 * np.log(1.5) + 0.25 * np.log(2), abs=1e-4)


def test_without_drift_the_index_is_what_its_paper_expects():
    """Yurdakul & Naranjo: mean (k - 1)(1/n + 1/m); a fixed limit of .2 with 32 bins of 300 rows alarms often."""
    shares = np.full(32, 1 / 32)
    found = [
        drift.population_stability_index(RANDOM.multinomial(600, shares), RANDOM.multinomial(600, shares))
        for _ in range(400)
    ]
    assert np.mean(found) == pytest.approx(drift.expected_index(32, 600, 600), rel=0.08)


@pytest.mark.parametrize("shift", [0.0, 0.15, 0.4])
def test_kolmogorov_smirnov_is_scipys(shift):
    """Over bins so fine that no two values share one."""
    first, second = RANDOM.normal(size=400), RANDOM.normal(shift, size=700)
    edges = np.sort(np.concatenate([first, second]))
    counts = [np.histogram(sample, [*edges, edges[-1] + 1])[0] for sample in (first, second)]
    wanted = stats.ks_2samp(first, second)
    found = drift.kolmogorov_smirnov(*counts)
    assert found.distance == pytest.approx(wanted.statistic)
    en = np.sqrt(400 * 700 / 1100)
    assert found.p == pytest.approx(stats.kstwobign.sf(wanted.statistic * en), rel=1e-6)


def test_chi_square_is_scipys_where_no_cell_is_small():
    table = np.array([[60, 40, 25], [30, 70, 40]])
    wanted = stats.chi2_contingency(table, correction=False)
    found = drift.chi_square(*table)
    assert found.p == pytest.approx(wanted.pvalue)
    assert found.distance == pytest.approx(np.sqrt(wanted.statistic / table.sum()))


def test_small_cells_are_taken_together():
    """Six cells of one row each make one of six; control: with each for itself the p-value would be another."""
    many, merged = np.array([90, 1, 2, 1, 1, 1]), np.array([70, 5, 5, 5, 6, 5])
    wanted = stats.chi2_contingency(np.array([[90, 6], [70, 26]]), correction=False).pvalue
    assert drift.chi_square(many, merged).p == pytest.approx(wanted)
    assert stats.chi2_contingency(np.array([many, merged]), correction=False).pvalue != pytest.approx(wanted)


@pytest.mark.parametrize(("before", "now"), [((3, 400), (9, 300)), ((0, 500), (4, 200)), ((50, 100), (20, 100))])
def test_more_often_is_fishers_exact_test(before, now):
    table = [[now[0], now[1] - now[0]], [before[0], before[1] - before[0]]]
    found = drift.more_often(Proportion(*before), Proportion(*now))
    assert found.p == pytest.approx(stats.fisher_exact(table, alternative="greater")[1])


def test_surely_below_is_the_integral_by_hand_and_by_quadrature():
    """One wrong answer, bound a half: the ratio is (1/2 - 1/8) / (1/2 * 1/2) = 3/2."""
    assert drift.surely_below(0, 1, 0.5) == pytest.approx(2 / 3)
    mixed, _ = integrate.quad(lambda share: share**10 * (1 - share) ** 20, 0, 0.7)
    assert drift.surely_below(10, 30, 0.7) == pytest.approx(0.7 * 0.7**10 * 0.3**20 / mixed)
    assert drift.surely_below(30, 30, 0.7) == 1.0


def test_surely_below_keeps_its_level_however_often_one_looks():
    """A look after each of 500 answers, of which as many are right as the bound has it: at most 5 % ever speak.

    Control: Fisher's kind of test, made for one look, speaks far more often.
    """
    random = np.random.default_rng(3)
    ever = once = 0
    for _ in range(300):
        hits = np.cumsum(random.random(500) < 0.8)
        looks = range(20, 500, 5)
        ever += any(drift.surely_below(int(hits[n - 1]), n, 0.8) <= 0.05 for n in looks)
        once += any(stats.binom.cdf(hits[n - 1], n, 0.8) <= 0.05 for n in looks)
    assert ever / 300 <= 0.05
    assert once / 300 > 0.15


def test_the_energy_distance_is_scipys_in_one_dimension():
    """scipy gives the root of twice the integrated square; the unbiased form differs by terms of 1/n."""
    first, second = RANDOM.normal(size=800), RANDOM.normal(1.0, size=800)
    found = drift.energy(first[:, None], second[:, None])
    apart = np.abs(first[:, None] - second[None, :]).mean()
    assert found.distance * 2 * apart == pytest.approx(stats.energy_distance(first, second) ** 2, abs=0.004)
    assert found.p < 1e-6


def test_the_permutation_test_keeps_its_level():
    """Of 200 pairs from one source about 5 % lie below .05, and none far out in the fitted tail."""
    found = [drift.energy(RANDOM.normal(size=(60, 4)), RANDOM.normal(size=(40, 4)), seed).p for seed in range(200)]
    assert 2 <= sum(p < 0.05 for p in found) <= 20
    assert min(found) > 1e-5


def test_a_change_of_spread_alone_is_seen():
    """The means are the same: a test of means would see nothing."""
    assert drift.energy(RANDOM.normal(size=(200, 8)), RANDOM.normal(scale=1.5, size=(200, 8))).p < 0.001


def test_holm_is_the_textbook():
    """Of .01, .04, .03, .005 with four tests: 4 x .005, 3 x .01, 2 x .03, and .06 again since it may not fall."""
    assert drift.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_numbers_that_follow_each_other_tell_less_than_independent_ones():
    """By theory: with a correlation of .6 as much as (1 - .6) / (1 + .6) = a quarter of them."""
    random = np.random.default_rng(3)
    noise = random.normal(size=4_000)
    assert drift.independent_share(noise) == 1.0
    chained = np.zeros(4_000)
    for place in range(1, 4_000):
        chained[place] = 0.6 * chained[place - 1] + noise[place]
    assert drift.independent_share(chained) == pytest.approx(0.25, abs=0.03)
    assert drift.independent_share(np.ones(50)) == drift.independent_share(np.zeros(0)) == 1.0


def test_rows_are_compared_with_those_of_the_same_time_of_the_year():
    """Ten rows a week: 150 are those of fifteen weeks, around the turn of the year too; without weeks it is all."""
    weeks = np.repeat(np.arange(1, 54), 10)
    found = set(weeks[alike(weeks, np.array([53, 1, 0]))].tolist())
    assert found == {*range(47, 54), *range(1, 8)} | {8, 46}
    assert alike(weeks, np.array([0])).all()
