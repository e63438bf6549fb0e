"""Learning curves: forecasts against curves whose truth is known."""

import itertools

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.planning.evidence.curves import Point, fit

ROWS = (500, 800, 1_200, 1_800, 2_500)


def measured(truth, noise=0.003, seed=0):
    random = np.random.default_rng(seed)
    return [Point(rows, truth(rows) + random.normal() * noise, noise) for rows in ROWS]


@pytest.mark.parametrize(
    ("truth", "tolerance"),
    [
        (lambda rows: 0.95 - 4 * rows**-0.5, 0.02),
        (lambda rows: 0.99 - 2 * rows**-0.3, 0.02),
        (lambda rows: 0.30 + 0.055 * np.log(rows), 0.03),
        (lambda rows: 0.90 - 0.3 * np.exp(-rows / 700), 0.045),
    ],
    ids=["power law", "slow power law", "logarithm", "exponential"],
)
def test_four_times_the_rows_are_foretold_whatever_the_form(truth, tolerance):
    """What ends at once, as an exponential, is foretold worst: real curves end slowly."""
    assert abs(fit(measured(truth)).score(10_000).value - truth(10_000)) < tolerance


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """95 % intervals of 60 noisy curves: far fewer hits would mean that they are too narrow."""
    inside = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        top, exponent = random.uniform(0.88, 0.99), random.uniform(0.2, 0.7)
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


def test_the_rows_that_spare_mistakes_are_those_that_do():
    curve = fit(measured(lambda rows: 0.95 - 4 * rows**-0.5, 0.001))
    rows = curve.rows_for(0.15, 2_500, 25_000)
    assert np.median(curve.won(2_500, rows)) == pytest.approx(0.15, abs=0.005)


def test_mistakes_that_no_rows_spare_have_no_number_of_rows():
    assert fit(measured(lambda rows: 0.8, 0.001)).rows_for(0.5, 2_500, 25_000) is None


def test_the_same_seed_gives_the_same_forecast():
    points = measured(lambda rows: 0.95 - 4 * rows**-0.5)
    assert fit(points, 5).score(9_000) == fit(points, 5).score(9_000)


def test_two_sizes_make_no_curve():
    with pytest.raises(DataError, match="expected at least 3"):
        fit(measured(lambda rows: 0.8)[:2])
