"""Forecasts beside what came true: what is measured of them, and what they must beat."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import SpecError
from windlass.goals import Goal
from windlass.kinds import forecast
from windlass.kinds import table as kinds
from windlass.kinds.points.reading import Series
from windlass.metrics.forecasts import ForecastMarks
from windlass.metrics.measures import Marks
from windlass.metrics.numbers import SKILL, SkillMarks
from windlass.outputs.contract import Baseline, Held, Scored, Tested, Validated
from windlass.predictors.artifact import LOGITS, read_validation
from windlass.predictors.contract import Predictor
from windlass.predictors.series.forecaster import SeriesForecaster
from windlass.records import Json, Row, Splits
from windlass.spec import Spec


def forecaster(predictor: Predictor) -> SeriesForecaster:
    """The predictor, which foresees: any predictor of an output of this kind does."""
    assert isinstance(predictor, SeriesForecaster)
    return predictor


def forecast_marks(marks: Marks) -> ForecastMarks:
    """The marks, which are of forecasts."""
    assert isinstance(marks, ForecastMarks)
    return marks


def steps_of(value: Any) -> list[float | None]:
    """The numbers of an answer, or of what came true."""
    return [step.get("value") if isinstance(step, dict) else step for step in value or []]


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """Raises: DataError: a row cannot be read, or what is right is no forecast."""
    return predictor.marks(rows, [row[held.spec.output_column] for row in rows], held.root)


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """What was kept when it was trained, as the model that is served may have learned from these rows since."""
    kept = read_validation(run_folder)
    if not kept:
        return None
    points = kept[LOGITS].astype(np.float64)
    rows = np.flatnonzero(np.isfinite(points).all(axis=1))
    told = splits.validation[rows.tolist()].to_dicts()
    truth = [row[splits.output_column] for row in told]
    model = forecaster(predictor)
    seen = model.outlook(told, held.root)
    bands = model.bands(seen.questions, points[rows])
    return Validated(model.marks_of(replace(seen, points=points[rows], bands=bands), truth), rows)


def baseline(tested: Tested) -> Baseline | None:
    """The last season again."""
    first = forecast_marks(next(iter(tested.marks.values())))
    if first.again is None:
        return None
    always = ForecastMarks(first.targets, first.again, first.scale)
    return Baseline("repeating the last season", always.value(tested.metric), always)


def season_of(how: Json, series: Series | None) -> int:
    """Points of the shortest cycle: as the spec says it, else as the step of the series has it; 1: none."""
    if how.get("season"):
        return int(how["season"])
    seasons = series.every.seasons if series is not None and series.every is not None else ()
    return seasons[0] if seasons else 1


def scored(marks: Marks, metric: str, splits: Splits) -> Scored:
    """The share of the error of repeating the last season that is spared."""
    found = baseline(Tested(metric, splits, {}, {"": marks}))
    least = (found.value if found is not None else 0.0) or math.ulp(1.0)
    return Scored(SKILL, SkillMarks(marks, metric, least), lambda value: 1 - value / least)


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: it is not said how far is to be foreseen, or nothing holds the past."""
    name = spec.output_column
    if spec.checks:
        raise SpecError(f"output '{name}' is a forecast and has 'checks', expected a program: text")
    if spec.series is not None and spec.series.window:
        raise SpecError(f"output '{name}' is a forecast and 'series' has a window, expected a horizon")
    if spec.series is None or not spec.series.horizon:
        raise SpecError(
            f"output '{name}' is a forecast and 'series' has no horizon, expected how many steps are foreseen",
            "`series: {time: date, horizon: 28}`",
        )
    held = [each for each, kind in spec.inputs.items() if kinds.get(kind).has_points]
    if len(held) != 1:
        raise SpecError(
            f"output '{name}' is a forecast and {len(held)} inputs are series, expected one",
            "`inputs: {history: series}`",
        )
    if spec.series.horizon > forecast.MOST_STEPS:
        raise SpecError(f"horizon is {spec.series.horizon:,}, expected at most {forecast.MOST_STEPS:,} steps")


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: `threshold` is for labels."""
    if spec.threshold:
        raise SpecError(f"'threshold' is set and output '{splits.output_column}' is a forecast, expected a category")
