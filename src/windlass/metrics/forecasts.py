"""What makes one set of forecasts better than another: sums over rows, so that any resample is measured at once.

A row is a question to one series at one origin; its truth is (h,) with NaN where nothing is known, which counts for
nothing. Less is better, but for the coverage, which should be what it promises.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windlass.metrics.measures import Array, Estimate
from windlass.metrics.numbers import COVERAGE

DECILES = tuple(round(0.1 * place, 1) for place in range(1, 10))
TINY = 1e-12


@dataclass(frozen=True)
class ForecastMarks:
    """A candidate's forecasts on rows whose truth is known, at least in part.

    targets, values: (n, h). scale: (n,) the mean absolute error that the last season has, repeated, within the history
    of the row; NaN where there is too little of it. quantiles: (n, 9, h) the deciles; None: only `values` are given.
    low, high: (n, h) ends of the interval of 90 %; None: there is none. again: (n, h) what repeating the last season
    would say; None: that is not known.
    """

    targets: Array
    values: Array
    scale: Array
    quantiles: Array | None = None
    low: Array | None = None
    high: Array | None = None
    again: Array | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def metrics(self) -> tuple[str, ...]:
        return (*FORECAST_METRICS, *([COVERAGE] if self.low is not None else []))

    @property
    def calibration_error(self) -> float | None:
        """None: how well quantiles hold is told by the coverage."""
        return None

    @property
    def residuals(self) -> Array:
        """Right less foreseen, (n, h), NaN where nothing is known."""
        return self.targets - self.values

    @cached_property
    def sums(self) -> dict[str, Array]:
        """What is added up, (n,) each."""
        errors, there = np.abs(self.residuals), np.isfinite(self.targets)
        count = there.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(count > 0, np.nansum(errors, axis=1) / count, np.nan)
            scaled = np.where(self.scale > 0, each / self.scale, np.nan)
            both = np.abs(self.targets) + np.abs(self.values)
            relative = np.where(there & (both > TINY), 2 * errors / both, 0.0)
        return {
            "count": count.astype(np.float64),
            "size": np.nansum(np.abs(self.targets), axis=1),
            "absolute": np.nansum(errors, axis=1),
            "squared": np.nansum(errors**2, axis=1),
            "signed": np.nansum(np.where(there, self.values - self.targets, 0.0), axis=1),
            "scaled": scaled,
            "relative": np.nansum(np.where(there, relative, 0.0), axis=1),
            "quantile": self._quantile_loss(),
            "inside": self._inside(there),
        }

    def _quantile_loss(self) -> Array:
        """(n,) twice the pinball loss, the mean of the deciles; of a forecast without quantiles each is the forecast.

        Source: Koenker & Bassett 1978, Econometrica 46(1).
        """
        given = np.repeat(self.values[:, None, :], len(DECILES), axis=1) if self.quantiles is None else self.quantiles
        shares = np.array(DECILES)[None, :, None]
        errors = self.targets[:, None, :] - given
        losses = 2 * np.maximum(shares * errors, (shares - 1) * errors)
        return np.asarray(np.nansum(losses, axis=(1, 2)) / len(DECILES))

    def _inside(self, there: Array) -> Array:
        if self.low is None or self.high is None:
            return np.zeros(len(self))
        return np.asarray((there & (self.targets >= self.low) & (self.targets <= self.high)).sum(axis=1), np.float64)

    @property
    def row_losses(self) -> Array:
        """(n,) what each row loses: its mean absolute error in units of its scale; of rows without one, of the mean."""
        usual = np.nanmean(self.scale) if np.isfinite(self.scale).any() else 1.0
        scale = np.where(self.scale > 0, self.scale, usual or 1.0)
        return np.asarray(self.sums["absolute"] / np.maximum(self.sums["count"], 1) / scale)

    def value(self, metric: str, rows: Array | None = None) -> float:
        """The metric of all rows, or of these (a row may be named several times)."""
        chosen = slice(None) if rows is None else rows
        sums = {name: each[chosen] for name, each in self.sums.items()}
        if metric == COVERAGE:
            return _share(sums["inside"].sum(), sums["count"].sum())
        return FORECAST_METRICS[metric](sums)

    def exact(self, metric: str) -> Estimate | None:
        """None: steps of one row depend on each other, so that rows are resampled."""
        return None


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _mase(sums: dict[str, Array]) -> float:
    """Mean absolute error in units of what repeating the last season is off by in the history; rows count alike.

    Source: Hyndman & Koehler 2006, International Journal of Forecasting 22(4).
    """
    known = sums["scaled"][np.isfinite(sums["scaled"])]
    return float(known.mean()) if len(known) else float("nan")


def _wql(sums: dict[str, Array]) -> float:
    """Weighted quantile loss: of nine deciles, as a share of the sum of what came true.

    Source: Park et al. 2022, AISTATS (PMLR 151), eq. 6, as GluonTS and AutoGluon measure it.
    """
    return _share(sums["quantile"].sum(), sums["size"].sum())


def _smape(sums: dict[str, Array]) -> float:
    """Mean of 2|y - f| / (|y| + |f|), from 0 to 2; 0 where both are 0. Source: Makridakis 1993, IJF 9(4)."""
    return _share(sums["relative"].sum(), sums["count"].sum())


def _mae(sums: dict[str, Array]) -> float:
    return _share(sums["absolute"].sum(), sums["count"].sum())


def _mse(sums: dict[str, Array]) -> float:
    return _share(sums["squared"].sum(), sums["count"].sum())


def _rmse(sums: dict[str, Array]) -> float:
    return float(np.sqrt(_mse(sums)))


def _bias(sums: dict[str, Array]) -> float:
    """By which share of all that came true the forecasts were too high or too low together."""
    return _share(abs(sums["signed"].sum()), sums["size"].sum())


FORECAST_METRICS: dict[str, Callable[[dict[str, Array]], float]] = {
    "mase": _mase,
    "wql": _wql,
    "smape": _smape,
    "mae": _mae,
    "rmse": _rmse,
    "mse": _mse,
    "bias": _bias,
}


def seasonal_scale(history: Array, season: int) -> float:
    """The mean absolute difference of points a season apart, of points (n,) with NaN; NaN where there are none."""
    if len(history) <= season:
        return float("nan")
    differences = np.abs(history[season:] - history[:-season])
    known = differences[np.isfinite(differences)]
    return float(known.mean()) if len(known) else float("nan")


def seasonal_naive(history: Array, season: int, horizon: int) -> Array:
    """(horizon,) the last known value of the same place in the season; where none is known, the last of all.

    Source: Hyndman & Athanasopoulos 2021, Forecasting: principles and practice, 5.2.
    """
    found = np.full(horizon, np.nan)
    n_points = len(history)
    for step in range(horizon):
        place = n_points + step - season * (step // season + 1)
        while place >= 0 and not np.isfinite(history[place]):
            place -= season
        found[step] = history[place] if place >= 0 else np.nan
    known = history[np.isfinite(history)]
    return np.where(np.isfinite(found), found, known[-1] if len(known) else np.nan)
