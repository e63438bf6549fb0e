"""Measures of forecasts, against calculations by hand."""

import numpy as np
import pytest

from windlass.metrics.forecasts import DECILES, ForecastMarks, seasonal_naive, seasonal_scale

TRUTH = np.array([[10.0, 20.0], [0.0, np.nan]])
GIVEN = np.array([[12.0, 16.0], [1.0, 5.0]])
"""Errors 2, 4 and 1; the second step of the second row is not known."""


def marks(**more):
    return ForecastMarks(TRUTH, GIVEN, np.array([2.0, 4.0]), **more)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("mae", 7 / 3),
        ("mse", (4 + 16 + 1) / 3),
        ("rmse", np.sqrt(7)),
        ("mase", (3 / 2 + 1 / 4) / 2),
        ("smape", (4 / 22 + 8 / 36 + 2 / 1) / 3),
        ("bias", abs(2 - 4 + 1) / 30),
        ("wql", 7 / 30),  # of a forecast without quantiles each decile is the forecast: 2 * mean(q, 1 - q) = 1
    ],
)
def test_each_is_what_a_hand_calculates(metric, value):
    assert marks().value(metric) == pytest.approx(value)


def test_quantile_loss_and_coverage_by_hand():
    """Of truth 10 and deciles that are all 8: the error 2 costs 2 * q * 2 each, 2 on average; as a share of 10."""
    one = ForecastMarks(np.array([[10.0]]), np.array([[8.0]]), np.ones(1), np.full((1, 9, 1), 8.0),
                        np.array([[7.0]]), np.array([[10.0]]))  # fmt: skip
    assert one.value("wql") == pytest.approx(np.mean([2 * q * 2 for q in DECILES]) / 10)
    assert one.value("coverage_90") == 1
    assert "coverage_90" not in marks().metrics


def test_a_resample_is_measured_as_its_rows():
    assert marks().value("mae", np.array([1, 1, 1])) == 1
    assert np.isnan(ForecastMarks(TRUTH[:0], GIVEN[:0], np.zeros(0)).value("mae"))


def test_a_series_that_never_changes_has_no_scale_and_counts_not_for_mase():
    assert np.isnan(ForecastMarks(TRUTH, GIVEN, np.zeros(2)).value("mase"))


def test_the_last_season_again_by_hand():
    history = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert seasonal_naive(history, 3, 5).tolist() == [4, 5, 6, 4, 5]
    assert seasonal_scale(history, 3) == 3
    history[4] = np.nan  # what stood there a season before
    assert seasonal_naive(history, 3, 3).tolist() == [4, 2, 6]
    assert seasonal_scale(history, 3) == 3
    assert np.isnan(seasonal_naive(np.full(4, np.nan), 2, 2)).all()
    assert np.isnan(seasonal_scale(history[:3], 3))
