"""Ranked lists of items: what somebody may want next, with a reason for each; feedback is what came of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from windlass.kinds import items
from windlass.metrics.recommendations import ITEM_METRICS, NDCG
from windlass.outputs.contract import Output, Scored, Uncertainty, Unsupported, later
from windlass.outputs.items import explanation, feedback, measures, reference_profile, report, trust
from windlass.outputs.reference_profile import kept_rows
from windlass.predictors.contract import Predictor
from windlass.predictors.recommend.renewal import renewed
from windlass.records import Column, Json, Manifest

TEXT = {"type": "string", "maxLength": 20_000}
ID = {"type": ["string", "integer"], "maxLength": items.MOST_ID}


def answer_schema(column: Column) -> Json:
    """A list of items, the likeliest first."""
    entry = {
        "type": "object",
        "required": ["item", "score", "reason"],
        "properties": {
            "item": {**TEXT, "description": "id of the item"},
            "title": {**TEXT, "description": "as the catalogue calls it"},
            "score": {"type": "number", "description": "larger is wanted more; no probability"},
            "reason": {**TEXT, "description": "why, in words"},
            "because": {"type": "array", "items": TEXT, "description": "items of the history that speak for it"},
            "titles": {"type": "object", "additionalProperties": TEXT, "description": "in other languages"},
            "price": {**TEXT, "description": "as the catalogue says it"},
            "category": {**TEXT, "description": "as the catalogue says it"},
            "chance": {"type": "number", "description": "of standing at its place, where the product explores"},
            "people": {"type": "integer", "description": "how many had it"},
        },
    }
    return {"type": "array", "items": entry, "description": "the items, the likeliest first"}


def feedback_schema(column: Column) -> Json:
    """What came of the list: an id, an event with an item, or several."""
    names = list((column.state.get("written") or {}).get("counts") or {})
    event: Json = {"type": "string", "enum": [*names, *([] if feedback.NOT_WANTED in names else [feedback.NOT_WANTED])]}
    said = {
        "type": "object",
        "required": ["item"],
        "properties": {
            "item": ID,
            "event": event if names else {"type": "string"},
            "rating": {"type": "number"},
            "weight": {"type": "number", "minimum": 0, "description": "0: not wanted"},
            "time": {"type": ["string", "number"]},
        },
    }
    return {"anyOf": [ID, said, {"type": "array", "items": {"anyOf": [ID, said]}, "maxItems": feedback.MOST_SAID}]}


def example(column: Column) -> Json:
    names = list((column.state.get("written") or {}).get("counts") or {})
    return {"item": "i5", **({"event": names[0]} if names else {})}


def kept_as(value: Any) -> str:
    """As JSON: the list of an answer, or what a person did."""
    return json.dumps(value.as_json() if isinstance(value, items.History) else value, ensure_ascii=False)


def same(one: Any, other: Any) -> bool:
    """The same items in the same order."""
    if isinstance(one, list) and isinstance(other, list):
        return measures.items_of(one) == measures.items_of(other)
    return measures.wanted(one).items == measures.wanted(other).items


def teaches(given: Any, right: Any) -> bool:
    """That a list was right names no item of it."""
    return measures.wanted(given).items != measures.wanted(right).items


def amended(given: Any, said: Any) -> Any:
    return said


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """Nobody is asked what somebody else wants."""
    return [Uncertainty(", ".join(measures.items_of(json.loads(row["value"])))[:40], None, 0.0) for row in rows]


def widget(manifest: Manifest) -> Json:
    """events: what a person may say of an item, those of the product that weigh most first; titles are in answers."""
    written: Mapping[str, Any] = manifest.output.state.get("written") or {}
    counts = dict(written.get("counts") or {})
    wanted = sorted((name for name, weight in counts.items() if weight > 0), key=lambda name: -counts[name])
    return {"answer": "items", "verb": "find", "labels": [], "wanted": wanted, "unwanted": feedback.NOT_WANTED}


OUTPUT = Output(
    kind="items",
    metrics=ITEM_METRICS,
    headline=lambda spec: NDCG,
    check=measures.check,
    split=later("windlass.outputs.items.split", "split"),
    continued=later("windlass.outputs.items.continued", "continued"),
    counts=lambda splits, column: {},
    warn=lambda train, spec, cleaning: None,
    check_rows=measures.check_rows,
    check_tests=measures.check_tests,
    tune_decision=lambda folder, splits, spec, metric: None,
    marks=measures.marks,
    validated=measures.validated,
    baseline=measures.baseline,
    sections=report.report_sections,
    remarks=report.remarks,
    details=report.details,
    advice=report.advice,
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
    teaches=teaches,
    opinion=trust.opinion,
    compare=later("windlass.outputs.items.comparison", "PairedLists"),
    doubts=doubts,
    scored=lambda marks, metric, splits: Scored(NDCG, marks),
    most_tested=measures.MOST_TESTED,
    asks_once=False,
    read_correction=feedback.read_correction,
    check_correction=feedback.check_correction,
    amended=amended,
    together=feedback.together,
    came_to=later("windlass.outputs.items.trial", "clicked"),
    renewed=lambda predictor, table: renewed(measures.recommender(predictor), table),
    compares=Unsupported("ranked lists are compared by `evaluate`"),
)
