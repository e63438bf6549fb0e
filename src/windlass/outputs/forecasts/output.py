"""Forecasts: an answer says what comes in each of the next steps, with an interval that nine in ten of them lie in."""

import json
from collections.abc import Sequence
from typing import Any

from windlass.kinds import forecast
from windlass.metrics.forecasts import FORECAST_METRICS
from windlass.outputs.contract import Output, Uncertainty, Unsupported, later
from windlass.outputs.forecasts import explanation, feedback, measures, reference_profile, report, trust
from windlass.outputs.reference_profile import kept_rows
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json, Manifest


def answer_schema(column: Column) -> Json:
    """A list of steps."""
    number: Json = {"type": "number"}
    step = {
        "type": "object",
        "properties": {
            "time": {"type": ["string", "integer"], "description": "the moment, or which step it is, from 1"},
            "value": {**number, "description": "what is foreseen"},
            "low": {**number, "description": "nine in ten lie between low and high"},
            "high": number,
            "quantiles": {"type": "array", "items": number, "description": "the deciles, 10 % to 90 %"},
        },
        "required": ["time", "value"],
    }
    return {"type": "array", "items": step, "description": "the steps, in order"}


def feedback_schema(column: Column) -> Json:
    """What came true: a number a step from the first on, null where it is not known; or steps as an answer has them."""
    step = {"type": ["number", "null", "object", "string"]}
    return {"type": "array", "items": step, "minItems": 1, "maxItems": forecast.MOST_STEPS}


def example(column: Column) -> list[float]:
    return [float(column.state.get("level", 1.0))] * min(3, int(column.state.get(forecast.HORIZON, 1)))


def kept_as(value: Any) -> str:
    """As JSON: the steps of an answer, or the numbers that came true."""
    return json.dumps(value, ensure_ascii=False)


def widget(manifest: Manifest) -> Json:
    return {"answer": "forecast", "verb": "find", "labels": []}


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """Nobody is asked what will be."""
    return [Uncertainty(str(row["value"])[:40], None, 0.0) for row in rows]


def same(one: Any, other: Any) -> bool:
    """Both say the same of every step, but for how numbers are rounded."""
    first, second = measures.steps_of(one), measures.steps_of(other)
    if len(first) != len(second):
        return False
    return all(_is_near(left, right) for left, right in zip(first, second, strict=True))


def _is_near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-5 * max(abs(one), abs(other))


OUTPUT = Output(
    kind="forecast",
    metrics=tuple(FORECAST_METRICS),
    headline=lambda spec: next(iter(FORECAST_METRICS)),
    check=measures.check,
    split=later("windlass.outputs.forecasts.split", "split"),
    counts=lambda splits, column: {},
    warn=lambda train, spec, cleaning: None,
    check_rows=measures.check_rows,
    tune_decision=lambda folder, splits, spec, metric: None,
    marks=measures.marks,
    validated=measures.validated,
    baseline=measures.baseline,
    sections=report.report_sections,
    advice=report.advice,
    picked=explanation.picked,
    explain=explanation.explain,
    kept=kept_rows,
    seen=reference_profile.seen,
    is_right=reference_profile.is_right,
    answer_schema=answer_schema,
    feedback_schema=feedback_schema,
    example=example,
    kept_as=kept_as,
    value_of=json.loads,
    widget=widget,
    same=same,
    opinion=trust.opinion,
    compare=later("windlass.outputs.forecasts.comparison", "compare"),
    doubts=doubts,
    scored=measures.scored,
    asks_once=False,
    read_correction=feedback.read_correction,
    amended=feedback.amended,
    has_intervals=True,
    compares=Unsupported("forecasts are compared by `evaluate`"),
)
