"""The face of forecasts in the habits of sktime."""

import copy

import numpy as np
import pandas as pd
import pytest

import windlass
from windlass.sklearn.estimator_input import InputError

WEEK = np.array([3.0, 1.0, 2.0, 5.0, 4.0, 8.0, 7.0])


def noisy(n_points: int, seed: int = 0) -> np.ndarray:
    return np.tile(WEEK, n_points)[:n_points] + np.random.default_rng(seed).normal(0, 0.1, n_points)


def test_arrays_in_arrays_out():
    found = windlass.Forecaster(learner="nlinear", season=7).fit(noisy(140), fh=7)
    assert found.predict() == pytest.approx(WEEK, abs=0.3)
    assert found.predict([2, 5]) == pytest.approx(WEEK[[1, 4]], abs=0.3)
    ends = found.predict_interval(3)
    assert ends.shape == (3, 2)
    assert (ends[:, 0] < WEEK[:3]).all()
    assert (WEEK[:3] < ends[:, 1]).all()
    assert found.predict_quantiles(2, alpha=[0.5]).shape == (2, 1)


def test_pandas_in_pandas_out_with_what_is_known_ahead_and_newer_points():
    days = pd.date_range("2025-01-06", periods=150, freq="D")
    promo = pd.DataFrame({"promo": np.arange(150) % 11 == 0}, days)
    y = pd.Series(noisy(150), days)
    found = windlass.Forecaster(learner="nlinear").fit(y[:140], promo[:140], fh=range(1, 8))
    seen = found.predict(X=promo[140:147])
    assert seen.index.equals(pd.date_range("2025-05-26", periods=7, freq="D"))
    assert seen.to_numpy() == pytest.approx(WEEK, abs=0.3)
    found.update(y[140:], promo[140:])
    later = found.predict([1, 2], X=pd.DataFrame({"promo": [0, 0]}))
    assert later.index[0] == pd.Timestamp("2025-06-05")
    assert list(found.predict_quantiles([1], promo[:7], [0.1, 0.9]).columns) == ["0.1", "0.9"]
    assert copy.deepcopy(found).predict([1, 2], X=promo[:2]).equals(found.predict([1, 2], X=promo[:2]))


def test_a_series_in_another_order_is_sorted_by_its_moments_and_what_is_known_with_it():
    """The same forecasts, at the same moments, as of the series in order: the control is the shuffled array."""
    days = pd.date_range("2025-01-06", periods=150, freq="D")
    y, promo = pd.Series(noisy(150), days), pd.DataFrame({"promo": np.arange(150) % 11 == 0}, days)
    order = np.random.default_rng(1).permutation(150)
    for mixed, beside in ((y.iloc[order], promo.iloc[order]), (y.iloc[::-1], promo)):
        seen = windlass.Forecaster(learner="nlinear").fit(mixed, beside, fh=7).predict(X=promo[:7])
        wanted = windlass.Forecaster(learner="nlinear").fit(y, promo, fh=7).predict(X=promo[:7])
        assert seen.index.equals(pd.date_range("2025-06-05", periods=7, freq="D"))
        assert seen.to_numpy() == pytest.approx(wanted.to_numpy())
    blind = windlass.Forecaster(learner="nlinear", season=7).fit(y.iloc[order].to_numpy(), fh=7).predict()
    assert np.abs(blind - wanted.to_numpy()).max() > 1


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (["2025-01-01", "2025-01-01", *pd.date_range("2025-01-02", periods=48).strftime("%Y-%m-%d")], "twice"),
        (pd.Timestamp("2025-01-01") + pd.to_timedelta(np.cumsum(np.arange(1, 51) ** 3 * 7919), "s"), "irregular"),
        ([None, *pd.date_range("2025-01-02", periods=49)], "without its moment"),
    ],
)
def test_moments_that_are_no_grid_are_refused_and_not_ignored(days, words):
    with pytest.raises(InputError, match=words):
        windlass.Forecaster(learner="naive").fit(pd.Series(noisy(50), pd.DatetimeIndex(days)), fh=2)


def test_days_that_are_not_there_are_gaps():
    """Every day but six, with no NaN for them: the week goes on in its place, as where they are told as NaN."""
    y = pd.Series(noisy(150), pd.date_range("2025-01-06", periods=150))
    left_out = y.drop(y.index[[30, 60, 61, 90, 91, 92]])
    found = [windlass.Forecaster(learner="seasonal-naive").fit(each, fh=7).predict() for each in (left_out, y)]
    assert found[0].equals(found[1])
    spread = windlass.Forecaster(learner="nlinear").fit(left_out, fh=7)
    assert spread.predict().to_numpy() == pytest.approx(WEEK[[3, 4, 5, 6, 0, 1, 2]], abs=0.3)


def test_newer_points_that_are_not_newer_are_refused():
    y = pd.Series(noisy(50), pd.date_range("2025-01-06", periods=50))
    with pytest.raises(InputError, match=r"y begins at 2025-02-15T00:00:00, expected points after 2025-02-24"):
        windlass.Forecaster(learner="naive").fit(y, fh=2).update(y[40:])


def test_it_chooses_for_itself_and_says_what_was_tried():
    found = windlass.Forecaster(season=7, minutes=0.2).fit(noisy(140), fh=3)
    assert found.learner_ not in ("naive", "drift")
    assert {"naive", "seasonal-naive", "nlinear"} <= set(found.validation_)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda model: model.fit([1.0], fh=1), "at least two numbers"),
        (lambda model: model.fit(["a", "b"], fh=1), "what is no number"),
        (lambda model: model.fit(noisy(50), fh=0), "fh is 0"),
        (lambda model: model.fit(noisy(50), fh=[0.5]), "fh is"),
        (lambda model: model.fit(noisy(9), fh=30), "too few to foresee 30 steps"),
        (lambda model: model.fit(noisy(50), X=np.zeros((49, 1)), fh=2), "X has 49 rows"),
        (lambda model: model.fit(noisy(50), fh=2).predict(3), "fh goes to step 3, expected at most 2"),
        (lambda model: model.fit(noisy(50), fh=2).predict_quantiles(alpha=[0.33]), "alpha holds 0.33"),
        (
            lambda model: model.fit(noisy(50), np.zeros((50, 1)), 2).predict(X=pd.DataFrame({"a": [1, 2]})),
            "no column 'x0'",
        ),
    ],
)
def test_what_cannot_be_is_a_value_error_in_words(call, words):
    with pytest.raises(InputError) as caught:
        call(windlass.Forecaster(learner="seasonal-naive", season=7))
    assert words in str(caught.value)
