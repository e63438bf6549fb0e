"""Statistical models that are fitted to the question's own history when it is asked; nothing of training is kept.

A history that is too short, or that a model cannot follow, is answered by the last season again, and that is said.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.errors import DataError, expected
from windlass.metrics.forecasts import seasonal_naive
from windlass.predictors.series import smoothing
from windlass.predictors.series.question import Question, filled
from windlass.records import Json, Manifest

logger = logging.getLogger("windlass.predictors")
MOST_POINTS, SEASONS = 200, 3
"""Of the history: so many, or so many seasons where that is more; older points say little of what comes next."""
LEAST_POINTS = 8
FARTHEST = 10.0
"""From the last point, in widths of the history: a forecast beyond has run away."""
BLOCK = 8
"""Longer histories lose their oldest points to a multiple of it, so that many are of one length and fitted together."""
Method = Callable[[np.ndarray, int, int], np.ndarray]
"""(rows of points (R, N) without gaps, season, horizon) -> (R, horizon), NaN where it fails."""
NAMES = {"ets": "exponential smoothing", "theta": "Theta", "croston": "Croston's method", "arima": "ARIMA"}


def _croston(settings: Json) -> Method:
    alpha, sort = settings.get("alpha"), settings.get("sort")
    if not isinstance(alpha, float) or not 0 < alpha <= 1 or sort not in smoothing.SORTS:
        raise DataError(f"alpha is {alpha!r} of '{sort}', expected 0 to 1 and {expected(smoothing.SORTS)}")

    def method(values: np.ndarray, season: int, horizon: int) -> np.ndarray:
        found = [smoothing.croston(row, alpha, sort) for row in values]
        return np.repeat(np.array(found)[:, None], horizon, axis=1)

    return method


def _arima(settings: Json) -> Method:
    from windlass.predictors.series import arima

    return arima.arima


METHODS: dict[str, Callable[[Json], Method]] = {
    "ets": lambda settings: smoothing.ets,
    "theta": lambda settings: smoothing.theta,
    "croston": _croston,
    "arima": _arima,
}


@dataclass(frozen=True)
class Local:
    """Answers by a method; `told` says beside which questions it could not follow."""

    name: str
    method: Method
    season: int

    def __call__(self, questions: Sequence[Question]) -> np.ndarray:
        return self.told(questions)[0]

    def told(self, questions: Sequence[Question]) -> tuple[np.ndarray, list[str]]:
        """(n, h), and for each question what a person should know of how it was answered, '' = nothing."""
        horizon = questions[0].horizon if questions else 0
        points = np.array([seasonal_naive(each.history, self.season, horizon) for each in questions])
        notes = [""] * len(questions)
        groups: dict[int, list[int]] = {}
        rows = [latest(each.history, self.season) for each in questions]
        for place, row in enumerate(rows):
            if len(row) < LEAST_POINTS:
                notes[place] = f"{len(row)} points are too few for {NAMES[self.name]}: the last season again"
            elif row.min() < row.max():  # what is constant goes on as it is
                groups.setdefault(len(row), []).append(place)
        for places in groups.values():
            found = self._followed(np.array([rows[place] for place in places]), horizon)
            for place, steps in zip(places, found, strict=True):
                if np.isfinite(steps).all():
                    points[place] = steps
                else:
                    notes[place] = f"{NAMES[self.name]} could not follow the series: the last season again"
        return points.reshape(len(questions), horizon), notes

    def _followed(self, values: np.ndarray, horizon: int) -> np.ndarray:
        """(R, horizon), NaN of rows where the method fails or runs away. Rows are fitted in units of their width, so
        that a series of billions is no harder than one of billionths."""
        middle = values.mean(axis=1, keepdims=True)
        width = values.max(axis=1, keepdims=True) - values.min(axis=1, keepdims=True)
        size = np.maximum(np.abs(middle), width)
        found = self._tried(values / size, horizon) * size
        far = np.abs(found - values[:, -1:]).max(axis=1) > FARTHEST * width[:, 0]
        return np.where(far[:, None], np.nan, found)

    def _tried(self, values: np.ndarray, horizon: int) -> np.ndarray:
        """Together; one by one where that fails, so that one series never fails the others."""
        try:
            return self.method(values, self.season, horizon)
        except Exception:  # noqa: BLE001  what a numerical library raises of odd numbers is not documented
            if len(values) == 1:
                logger.debug("%s failed on a series of %d points", self.name, values.shape[1], exc_info=True)
                return np.full((1, horizon), np.nan)
            return np.concatenate([self._tried(row[None], horizon) for row in values])


def latest(history: np.ndarray, season: int) -> np.ndarray:
    """(n,) the latest points that are looked at, without gaps; none where nothing is known."""
    there = np.flatnonzero(np.isfinite(history))
    if not len(there):
        return np.zeros(0)
    begun = history[there[0] :]
    most = max(MOST_POINTS, SEASONS * season)
    if len(begun) > 4 * BLOCK:
        begun = begun[-(min(len(begun), most) // BLOCK * BLOCK) :]
    return filled(begun, season)


def engine(settings: Json, season: int) -> Local:
    """Raises: DataError: no such method."""
    name = str(settings.get("method"))
    if name not in METHODS:
        raise DataError(f"method is '{name}', expected {expected(METHODS)}")
    return Local(name, METHODS[name](settings), season)


def load(folder: Path, manifest: Manifest) -> Local:
    return engine(manifest.settings, int(manifest.output.state["season"]))
