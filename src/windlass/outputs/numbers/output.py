"""Numbers: an answer says how much, with an interval inside which the right number lies in nine cases of ten."""

from collections.abc import Sequence
from typing import Any

from windlass.kinds import number
from windlass.metrics.costs import COST
from windlass.metrics.numbers import NUMBER_METRICS
from windlass.outputs.contract import Output, Uncertainty, Unsupported, later
from windlass.outputs.numbers import costs, examples, explanation, measures, reference_profile, report, trust
from windlass.outputs.reference_profile import kept_rows
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json, Manifest


def answer_schema(column: Column) -> Json:
    unit = column.state.get(number.UNIT)
    return {"type": "number", "description": f"the answer, in {unit}" if unit else "the answer"}


def feedback_schema(column: Column) -> Json:
    """A number, as JSON has it or as the column's values are written."""
    return {"type": ["number", "string"], "maxLength": number.MOST_WRITTEN}


def widget(manifest: Manifest) -> Json:
    return {"answer": "number", "verb": "find", "labels": [], "unit": manifest.output.state.get(number.UNIT, "")}


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """One interval is as wide as another: what to ask about is told by how much rows differ."""
    return [Uncertainty(str(row["value"]), None, 0.0) for row in rows]


def value_of(text: str) -> Any:
    return number.parse(text)


HEADLINE = next(iter(NUMBER_METRICS))
OUTPUT = Output(
    kind="number",
    metrics=(*NUMBER_METRICS, COST),
    headline=lambda spec: COST if spec.costs else HEADLINE,
    learned=lambda metric: HEADLINE if metric == COST else metric,
    check=measures.check,
    split=later("windlass.outputs.numbers.split", "split"),
    counts=later("windlass.outputs.numbers.split", "counts"),
    warn=later("windlass.outputs.numbers.split", "warn"),
    check_rows=measures.check_rows,
    tune_decision=costs.tune_decision,
    marks=measures.marks,
    validated=measures.validated,
    baseline=measures.baseline,
    sections=report.report_sections,
    remarks=report.remarks,
    read_correction=trust.read_correction,
    advice=report.advice,
    picked=examples.picked,
    explain=explanation.explain,
    kept=kept_rows,
    seen=reference_profile.seen,
    is_right=reference_profile.is_right,
    answer_schema=answer_schema,
    feedback_schema=feedback_schema,
    example=lambda column: float(column.state.get("mean", 1.0)),
    kept_as=repr,
    value_of=value_of,
    widget=widget,
    same=later("windlass.outputs.numbers.comparison", "same"),
    opinion=trust.opinion,
    compare=later("windlass.outputs.numbers.comparison", "compare"),
    doubts=doubts,
    scored=measures.scored,
    asks_once=False,
    has_intervals=True,
    has_unit=True,
    level=costs.level,
    compares=Unsupported("numbers are compared by `evaluate`"),
)
