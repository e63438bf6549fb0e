"""Learning curves: forecasts against curves whose truth is known."""

import itertools

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.planning.curves import Point, fit

ROWS = (500, 800, 1_200, 1_800, 2_500)


def measured(truth, noise=0.003, seed=0):
    random = np.random.default_rng(seed)
    return [Point(rows, truth(rows) + random.normal() * noise, noise) for rows in ROWS]


@pytest.mark.parametrize(
    "truth",
    [
        lambda rows: 0.95 - 4 * rows**-0.5,
        lambda rows: 0.92 - 20 * rows**-0.8,
        lambda rows: 0.40 + 0.05 * np.log(rows),
        lambda rows: 0.90 - 0.3 * np.exp(-rows / 700),
    ],
    ids=["power law", "steep power law", "logarithm", "exponential"],
)
def test_four_times_the_rows_are_foretold_whatever_the_form(truth):
    curve = fit(measured(truth))
    forecast = curve.score(10_000)
    assert abs(forecast.value - truth(10_000)) < 0.04
    assert forecast.low <= truth(10_000) <= forecast.high


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """95 % intervals of 60 noisy curves: far fewer hits would mean that they are too narrow."""
    inside = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        top, exponent = random.uniform(0.75, 0.98), random.uniform(0.3, 0.9)
        scale = random.uniform(0.2, 0.4) * 500**exponent

        def truth(rows, top=top, scale=scale, exponent=exponent):
            return top - scale * rows**-exponent

        forecast = fit(measured(truth, 0.006, seed)).score(10_000)
        inside += forecast.low <= truth(10_000) <= forecast.high
    assert inside >= 53


def test_a_flat_curve_promises_nothing():
    gain = fit(measured(lambda rows: 0.8, 0.001)).gain(2_500, 10_000)
    assert gain.low >= 0
    assert gain.value < 0.005


def test_scores_stay_shares_and_never_fall():
    curve = fit(measured(lambda rows: 0.3 + 0.09 * np.log(rows / 100)))
    steps = [curve.draws(rows) for rows in (2_500, 10_000, 100_000, 10**7)]
    assert all((later >= earlier - 1e-12).all() for earlier, later in itertools.pairwise(steps))
    assert max(step.max() for step in steps) <= 1.0


def test_the_rows_for_a_gain_are_those_that_bring_it():
    curve = fit(measured(lambda rows: 0.95 - 4 * rows**-0.5, 0.001))
    rows, chance = curve.rows_for(0.02, 2_500, 25_000)
    assert curve.gain(2_500, rows).value == pytest.approx(0.02, abs=0.001)
    assert chance > 0.9


def test_a_gain_that_no_rows_bring_has_no_number_of_rows():
    rows, chance = fit(measured(lambda rows: 0.8, 0.001)).rows_for(0.1, 2_500, 25_000)
    assert rows is None
    assert chance < 0.5


def test_the_same_seed_gives_the_same_forecast():
    points = measured(lambda rows: 0.95 - 4 * rows**-0.5)
    assert fit(points, 5).score(9_000) == fit(points, 5).score(9_000)


def test_two_sizes_make_no_curve():
    with pytest.raises(DataError, match="expected at least 3"):
        fit(measured(lambda rows: 0.8)[:2])
