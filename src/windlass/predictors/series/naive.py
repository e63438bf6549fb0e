"""The plainest forecasts: the last value, the last season, or the line from the first to the last value, continued.

Source: Hyndman & Athanasopoulos 2021, Forecasting: principles and practice, 5.2.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from windlass.errors import DataError, expected
from windlass.metrics.forecasts import seasonal_naive
from windlass.predictors.series.forecaster import SeriesEngine
from windlass.predictors.series.question import Question
from windlass.records import Manifest


def last(question: Question, season: int) -> np.ndarray:
    return seasonal_naive(question.history, 1, question.horizon)


def last_season(question: Question, season: int) -> np.ndarray:
    return seasonal_naive(question.history, season, question.horizon)


def drift(question: Question, season: int) -> np.ndarray:
    """On from the last value by the mean step of the history."""
    there = np.flatnonzero(np.isfinite(question.history))
    if len(there) < 2:
        return last(question, season)
    step = (question.history[there[-1]] - question.history[there[0]]) / (there[-1] - there[0])
    return np.asarray(question.history[there[-1]] + step * np.arange(1, question.horizon + 1))


METHODS: dict[str, Callable[[Question, int], np.ndarray]] = {
    "naive": last,
    "seasonal-naive": last_season,
    "drift": drift,
}


def engine(method: str, season: int) -> SeriesEngine:
    """Raises: DataError: no such method."""
    if method not in METHODS:
        raise DataError(f"method is '{method}', expected {expected(METHODS)}")

    def foresee(questions: Sequence[Question]) -> np.ndarray:
        return np.array([METHODS[method](each, season) for each in questions])

    return foresee


def load(folder: Path, manifest: Manifest) -> SeriesEngine:
    return engine(str(manifest.settings.get("method")), int(manifest.output.state["season"]))
