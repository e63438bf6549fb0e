"""Answers questions to series: what comes in each of the next steps, with the quantiles of what it may become.

A model gives one number a step; the quantiles are conformal: what was right on validation rows less what the same
model, fitted without them, had foreseen, in units of the series' own scale, so that a lively series has wider ones.
Source: split conformal prediction, Vovk et al. 2005; for several steps Stankevičiūtė et al. 2021, NeurIPS 34.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from windlass.errors import DataError
from windlass.kinds import forecast
from windlass.kinds import table as kinds
from windlass.kinds.contract import is_finite
from windlass.metrics.forecasts import ForecastMarks, seasonal_naive
from windlass.predictors.contract import check_row, dense, read_value
from windlass.predictors.series.question import Asking, Question, asking_of
from windlass.records import Answer, Column, Json, Manifest, Row

SeriesEngine = Callable[[Sequence[Question]], np.ndarray]
"""Questions -> (n, h) float64, one number a step in the unit of the series."""


@runtime_checkable
class Tells(Protocol):
    """An engine that says beside how each question was answered, '' = as usual: such as of too short a history."""

    def told(self, questions: Sequence[Question]) -> tuple[np.ndarray, list[str]]: ...


DECILES = slice(1, len(forecast.LEVELS) - 1)
DIGITS = 6
LEAST_SIZE = 0.1
"""Share of the scale that what is foreseen counts as at least, where the width of bands grows with it."""


@dataclass(frozen=True)
class Outlook:
    """What is foreseen of n questions. points: (n, h); bands: (n, levels, h), None where none are known."""

    questions: list[Question]
    points: np.ndarray
    bands: np.ndarray | None


@dataclass(frozen=True)
class SeriesForecaster:
    """Answers by what the manifest says and the engine computes."""

    manifest: Manifest
    engine: SeriesEngine

    @property
    def column(self) -> Column:
        """The input that holds the series."""
        return next(column for column in self.manifest.inputs if kinds.get(column.kind).has_points)

    @property
    def attribute_columns(self) -> list[Column]:
        """The inputs that do not change with time."""
        return [column for column in self.manifest.inputs if not kinds.get(column.kind).has_points]

    @cached_property
    def asking(self) -> Asking:
        return asking_of(self.column.state, self.manifest.output.state)

    @property
    def horizon(self) -> int:
        return int(self.manifest.output.state[forecast.HORIZON])

    @property
    def floor(self) -> float | None:
        """0 where no training point is below; None: there are such."""
        return 0.0 if self.manifest.output.state["least"] >= 0 else None

    def questions(self, rows: Sequence[Row], root: Path | None = None) -> list[Question]:
        """Raises: DataError: a column is missing, or a value cannot be read."""
        names = [column.name for column in self.manifest.inputs]
        for number, row in enumerate(rows):
            check_row(row, names, number)
        values = {
            column.name: [
                read_value(kinds.of(column).read, row, column.name, number, root) for number, row in enumerate(rows)
            ]
            for column in self.manifest.inputs
        }
        table = attributes(self.attribute_columns, values, len(rows))
        return [self.asking.asked(series, table[number]) for number, series in enumerate(values[self.column.name])]

    def outlook(self, rows: Sequence[Row], root: Path | None = None) -> Outlook:
        """Raises: DataError: as `questions`."""
        questions = self.questions(rows, root)
        points, notes = self._told(questions)
        questions = [
            replace(each, notes=(*each.notes, note)) if note else each
            for each, note in zip(questions, notes, strict=True)
        ]
        return Outlook(questions, points, self.bands(questions, points))

    def _told(self, questions: Sequence[Question]) -> tuple[np.ndarray, list[str]]:
        """(n, h) a number at every step, none below 0 where no training point was; and how each was answered."""
        notes = [""] * len(questions)
        if not questions:
            return np.zeros((0, self.horizon)), notes
        if isinstance(self.engine, Tells):
            points, notes = self.engine.told(questions)
        else:
            points = self.engine(questions)
        points = np.where(np.isfinite(points), points, self.manifest.output.state["level"])
        return points if self.floor is None else np.maximum(points, self.floor), notes

    def points(self, questions: Sequence[Question]) -> np.ndarray:
        """(n, h) what is foreseen of these."""
        return self._told(questions)[0]

    def bands(self, questions: Sequence[Question], points: np.ndarray) -> np.ndarray | None:
        """(n, levels, h) quantiles around what is foreseen of questions; None where none are known."""
        known = self.manifest.output.state[forecast.BANDS]
        if not known:
            return None
        scale = np.array([question.scale for question in questions])
        width = spread(points, scale, float(self.manifest.output.state.get(forecast.GROWTH, 0.0)))
        return banded(points, np.array(known), width, self.floor)

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row: a list of steps, each with its value, the ends of its interval and its deciles."""
        seen = self.outlook(rows, root)
        return [self._answer(seen, number, question) for number, question in enumerate(seen.questions)]

    def _answer(self, seen: Outlook, number: int, question: Question) -> Answer:
        times = moments_ahead(question)
        steps: list[Json] = []
        for step, value in enumerate(seen.points[number]):
            told: Json = {"time": times[step], "value": _rounded(value, question.scale)}
            if seen.bands is not None:
                band = [_rounded(each, question.scale) for each in seen.bands[number, :, step]]
                told |= {"low": band[0], "high": band[-1], "quantiles": band[DECILES]}
            steps.append(told)
        return Answer(steps, None, evidence=question.notes)

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> ForecastMarks:
        """Raises: DataError: as `questions`, or what is right is no forecast."""
        return self.marks_of(self.outlook(rows, root), truth)

    def marks_of(self, seen: Outlook, truth: Sequence[Any]) -> ForecastMarks:
        right = forecast.targets(truth, self.horizon)
        scale = np.array([question.scale for question in seen.questions])
        again = self.season_again(seen.questions)
        if seen.bands is None:
            return ForecastMarks(right, seen.points, scale, again=again)
        deciles, low, high = seen.bands[:, DECILES], seen.bands[:, 0], seen.bands[:, -1]
        return ForecastMarks(right, seen.points, scale, deciles, low, high, again)

    def season_again(self, questions: Sequence[Question]) -> np.ndarray:
        """(n, h) what repeating the last season would say."""
        found = [seasonal_naive(each.history, self.asking.season, self.horizon) for each in questions]
        level = self.manifest.output.state["level"]
        return np.where(np.isfinite(found), found, level) if found else np.zeros((0, self.horizon))

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """The largest difference, in units of the scale of the training series. Raises: DataError: no forecasts."""
        if not rows:
            return 0.0
        right = forecast.targets(wanted, self.horizon)
        if not np.isfinite(right).all():
            raise DataError(f"golden answers are no forecasts, expected {self.horizon} numbers a row")
        return float(np.abs(self.outlook(rows).points - right).max()) / float(self.manifest.output.state["scale"])

    def gap(self, answer: Json, wanted: Any) -> float:
        """The same of one answer as the server gives it."""
        try:
            given = [step["value"] for step in answer["value"]]
            right = forecast.read(wanted, None)
        except (DataError, KeyError, TypeError):
            return math.inf
        if len(given) != len(right) or not all(map(is_finite, given)):
            return math.inf
        off = np.abs(np.array(given) - np.array(right)).max()
        return float(off) / float(self.manifest.output.state["scale"])


def spread(points: np.ndarray, scale: np.ndarray, growth: float) -> np.ndarray:
    """(n, h) the unit that quantiles are told in: scale^(1 - growth) * what is foreseen^growth, so that counts, which
    vary more where there are more, have wider bands there. points: (n, h). scale: (n,). growth: 0 to 1."""
    if not growth:
        return np.repeat(scale[:, None], points.shape[1], axis=1)
    size = np.maximum(points, LEAST_SIZE * scale[:, None])
    return np.asarray(scale[:, None] ** (1 - growth) * size**growth)


def banded(points: np.ndarray, bands: np.ndarray, width: np.ndarray, floor: float | None) -> np.ndarray:
    """(n, levels, h) quantiles of points (n, h), by bands (levels, h) in units of the width (n, h)."""
    found = points[:, None, :] + bands[None] * width[:, None, :]
    return found if floor is None else np.maximum(found, floor)


def attributes(columns: Sequence[Column], values: dict[str, list[Any]], n_rows: int) -> np.ndarray:
    """(n, d) float32: what does not change of each series, as its kinds encode it."""
    if not n_rows:
        return np.zeros((0, 0), np.float32)
    parts = [np.zeros((n_rows, 0))]
    for column in columns:
        kind = kinds.of(column)
        parts.append(np.array([dense(kind.encode([value], column.state)) for value in values[column.name]]))
    return np.concatenate([part.reshape(n_rows, -1) for part in parts], axis=1).astype(np.float32)


def moments_ahead(question: Question) -> list[str | int]:
    """Of each step: days where all of them are, else moments, with Z where they are told in UTC; its number where
    points are only counted."""
    if question.times is None:
        return list(range(1, question.horizon + 1))
    ahead = [str(moment) for moment in question.times[len(question.history) :]]
    if all(moment.endswith("T00:00:00") for moment in ahead) and not question.is_utc:
        return [moment.removesuffix("T00:00:00") for moment in ahead]
    return [f"{moment}Z" if question.is_utc else moment for moment in ahead]


def _rounded(value: float, scale: float) -> float:
    """To the hundred-thousandth part of the scale, or less."""
    return round(float(value), DIGITS - 1 - math.floor(math.log10(scale)) if scale > 0 else DIGITS)
