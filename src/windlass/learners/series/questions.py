"""Splits as questions to series, and what every learner of forecasts does at the end: bands, manifest, golden rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from windlass.kinds import forecast
from windlass.kinds import table as kinds
from windlass.kinds.points.reading import Series, Written
from windlass.learners.contract import Fitted, Options
from windlass.learners.series import holidays
from windlass.metrics.forecasts import ForecastMarks, seasonal_scale
from windlass.metrics.numbers import COVERAGE
from windlass.outputs.forecasts.measures import season_of
from windlass.predictors.artifact import LOGITS, N_GOLDEN, keep_validation, write_golden, write_manifest
from windlass.predictors.series.forecaster import SeriesEngine, attributes, banded, spread
from windlass.predictors.series.question import (
    MOST_LEVELS,
    POINTS,
    Asking,
    Question,
    fit_levels,
    joined,
    usual_values,
    with_holidays,
)
from windlass.records import Column, Json, Manifest, Splits

if TYPE_CHECKING:
    import polars as pl

FORMS = {"number": "scaled", "category": "onehot", "date": "calendar", "text": "terms"}
TERMS = {"text": {"n_terms": 64}}
GROWTHS = (0.0, 0.5, 1.0)
"""How the width of bands goes with what is foreseen: not at all, as that of counts, or in proportion."""
BANDED = frozenset({"wql", COVERAGE})
"""Metrics that look at quantiles."""
LEAST_POOLED = 200
"""Residuals that the quantiles of one step are taken of, where there are so many: those of steps beside it help."""
TINY = 1e-9


@dataclass(frozen=True)
class Questions:
    """Train and validation rows of forecasts.

    inputs: the columns as an artifact keeps them. output: with horizon, season, scale, level and least. train: the
    series up to where validation begins, nothing is asked of them. validation: questions; truth: (n, h) of them.
    """

    inputs: tuple[Column, ...]
    output: Column
    asking: Asking
    train: list[Question]
    validation: list[Question]
    truth: np.ndarray

    @property
    def horizon(self) -> int:
        return self.asking.horizon

    @property
    def season(self) -> int:
        return self.asking.season

    @cached_property
    def every(self) -> list[Question]:
        """All series to learn from for the last fit: those of train, and what validation rows add."""
        return [*self.train, *(joined(each, truth) for each, truth in zip(self.validation, self.truth, strict=True))]

    @property
    def first_new(self) -> int:
        """The place in `every` from which on series are of validation rows: only what they end with is new."""
        return len(self.train)

    def score(self, metric: str, points: np.ndarray) -> float:
        """The metric of forecasts (n, h) of the validation rows; rows with NaN were not reached; NaN without rows."""
        reached = np.isfinite(points).all(axis=1)
        if not reached.any():
            return float("nan")
        if metric in BANDED:
            return self.marks(points).value(metric)
        scale = np.array([each.scale for each in self.validation])
        return ForecastMarks(self.truth[reached], points[reached], scale[reached]).value(metric)

    def marks(self, points: np.ndarray) -> ForecastMarks:
        """Of the rows that were reached, with the quantiles that these very rows show."""
        return self.banded(points)[0]

    def banded(self, points: np.ndarray) -> tuple[ForecastMarks, Json]:
        """Forecasts (n, h), of rows that were reached, with the quantiles that these very rows show, and those as the
        state of the output has them: of the growth that these rows lose the least with."""
        reached = np.isfinite(points).all(axis=1)
        points, truth = points[reached], self.truth[reached]
        scale = np.array([each.scale for each in self.validation])[reached]
        floor = 0.0 if self.output.state["least"] >= 0 else None
        best, state = ForecastMarks(truth, points, scale), {forecast.BANDS: [], forecast.GROWTH: 0.0}
        for growth in GROWTHS if floor is not None else GROWTHS[:1]:
            width = spread(points, scale, growth)
            found = bands(truth - points, width)
            if not found:
                break
            table = banded(points, np.array(found), width, floor)
            marks = ForecastMarks(truth, points, scale, table[:, 1:-1], table[:, 0], table[:, -1])
            if not state[forecast.BANDS] or marks.value("wql") < best.value("wql"):
                best, state = marks, {forecast.BANDS: found, forecast.GROWTH: growth}
        return best, state

    def part(self, rows: np.ndarray) -> "Questions":
        """With these validation rows alone."""
        return replace(self, validation=[self.validation[row] for row in rows.tolist()], truth=self.truth[rows])


def read(splits: Splits) -> Questions:
    """Fits what is known of the columns on the training rows, and reads the rows as questions."""
    name = next(name for name, kind in splits.inputs.items() if kinds.get(kind).has_points)
    how = splits.written[name]
    series = {part: _series(frame, name, how) for part, frame in _parts(splits).items()}
    first = next((each for each in series["train"] if each.every is not None), None)
    how = {**how, "every": how["every"] or (str(first.every) if first is not None else "")}
    written, horizon, season = Written.of(how), how["horizon"], season_of(how, first)
    days = holidays.table(how.get("holidays", ()), series["train"])
    levels = {**fit_levels(series["train"], written), **holidays.seen(days, series["train"], MOST_LEVELS)}
    written = with_holidays(written) if days else written
    bare = Asking(written, horizon, season, levels, {}, 1.0, holidays=days)
    whole = [bare.asked(each) for each in series["train"]]
    usual = usual_values(whole, bare.columns(written.known))
    output = _output(splits, whole, horizon, season)
    asking = replace(bare, usual=usual, scale=output.state["scale"])
    state = {"form": POINTS, "levels": levels, "usual": usual, **({"holidays": days} if days else {})}
    others = [_attribute(each, splits) for each in splits.inputs if each != name]
    column = kinds.with_format(Column(name, splits.inputs[name], state), how)
    inputs = tuple(column if each == name else next(one for one in others if one.name == each)
                   for each in splits.inputs)  # fmt: skip
    questions = {part: _asked(asking, series[part], others, frame) for part, frame in _parts(splits).items()}
    right = {part: forecast.targets(frame[splits.output_column].to_list(), horizon)
             for part, frame in _parts(splits).items()}  # fmt: skip
    train = [joined(each, truth) for each, truth in zip(questions["train"], right["train"], strict=True)]
    return Questions(inputs, output, asking, train, questions["validation"], right["validation"])


def _parts(splits: Splits) -> "dict[str, pl.DataFrame]":
    return {"train": splits.train, "validation": splits.validation}


def _series(frame: "pl.DataFrame", name: str, how: Json) -> list[Series]:
    kind = kinds.reading("series", how)
    return [kind.read(value, None) for value in frame[name].to_list()]


def _attribute(name: str, splits: Splits) -> Column:
    kind = splits.inputs[name]
    values = splits.train[name].to_list()
    column = kinds.fit_column(name, kind, values, splits.root, FORMS[kind], TERMS.get(kind))
    return kinds.with_format(column, splits.written.get(name))


def _asked(asking: Asking, series: Sequence[Series], others: Sequence[Column], rows: "pl.DataFrame") -> list[Question]:
    values: dict[str, list[Any]] = {
        column.name: [kinds.of(column).read(value, None) for value in rows[column.name].to_list()] for column in others
    }
    table = attributes(others, values, len(rows))
    return [asking.asked(each, row) for each, row in zip(series, table, strict=True)]


def _output(splits: Splits, whole: Sequence[Question], horizon: int, season: int) -> Column:
    """What is answered, as the training series have it."""
    points = np.concatenate([np.zeros(0), *(each.history for each in whole)])
    known = points[np.isfinite(points)]
    scales = np.array([seasonal_scale(each.history, season) for each in whole])
    usable = scales[np.isfinite(scales) & (scales > 0)]
    size = float(np.abs(known).mean()) if len(known) else 1.0
    state = {
        forecast.HORIZON: horizon,
        "season": season,
        "scale": float(np.median(usable)) if len(usable) else max(0.01 * size, TINY),
        "level": float(np.median(known)) if len(known) else 0.0,
        "least": float(known.min()) if len(known) else 0.0,
        "most": float(known.max()) if len(known) else 0.0,
        forecast.BANDS: [],
    }
    name = splits.output_column
    return Column(name, splits.output[name], state)


def bands(residuals: np.ndarray, width: np.ndarray) -> list[list[float]]:
    """Quantiles of what is right less what was foreseen, (levels, h), in units of the width; none of too few rows.

    The outer two are conformal, of n residuals those of rank (n + 1) x level. Where one step has few residuals those of
    the steps beside it are taken in, from both sides alike.
    Args:   residuals: (n, h), NaN where nothing is known. width: (n, h), as `spread`.
    Source: Vovk et al. 2005, as `half_width`.
    """
    scaled = residuals / width
    horizon = scaled.shape[1]
    if np.isfinite(scaled).sum() < len(forecast.LEVELS):
        return []
    found = np.zeros((len(forecast.LEVELS), horizon))
    for step in range(horizon):
        reach, pooled = 0, scaled[:, step]
        while np.isfinite(pooled).sum() < LEAST_POOLED and (step - reach > 0 or step + reach < horizon - 1):
            reach += 1
            pooled = scaled[:, max(0, step - reach) : step + reach + 1]
        found[:, step] = _quantiles(pooled[np.isfinite(pooled)])
    return [[float(value) for value in row] for row in np.sort(found, axis=0)]


def _quantiles(values: np.ndarray) -> np.ndarray:
    n_values = len(values)
    shares = []
    for level in forecast.LEVELS:
        outer = (n_values + 1) * (level if level > 0.5 else 1 - level) / n_values
        shares.append(level if 0.1 < level < 0.9 else min(1.0, outer) if level > 0.5 else max(0.0, 1 - outer))
    places = np.array(shares) * (n_values - 1)
    return np.interp(places, np.arange(n_values), np.sort(values))  # as np.quantile, which takes ten times as long


def finish(options: Options, manifest: Mapping[str, Any], questions: Questions, splits: Splits,
           validation: np.ndarray, engine: SeriesEngine) -> Fitted:  # fmt: skip
    """Writes manifest and golden rows beside the model file that the learner has already written.

    Args: manifest: `predictor`, `learner` and `settings`. validation: (n, h) of a model that has not seen these rows,
          NaN where the minutes did not reach. engine: the model in memory, as it will be served.
    """
    folder = options.artifact
    folder.mkdir(parents=True, exist_ok=True)
    keep_validation(options.folder, **{LOGITS: validation})
    state = {**questions.output.state, **questions.banded(validation)[1]}
    output = replace(questions.output, state=state)
    write_manifest(folder, Manifest(inputs=questions.inputs, output=output, **manifest))
    rows = splits.validation.head(N_GOLDEN).select(list(splits.inputs)).to_dicts()
    portable = [
        {column.name: kinds.of(column).portable(row[column.name], splits.root) for column in questions.inputs}
        for row in rows
    ]
    points = engine(questions.validation[:N_GOLDEN]) if rows else np.zeros((0, questions.horizon))
    points = np.where(np.isfinite(points), points, state["level"])
    write_golden(folder, portable, np.maximum(points, 0) if state["least"] >= 0 else points)
    return Fitted(folder, questions.score(options.metric, validation) if len(validation) else float("nan"))
