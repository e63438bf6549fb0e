"""Boxes: an answer is a list of things, each with its class, its box and a score; an empty one is an answer, too."""

import json
from collections.abc import Sequence
from typing import Any

from windlass.kinds import boxes
from windlass.kinds.boxes import BOX, CLASSES, CROWD, HAND_OVER, LABEL, SCORE
from windlass.metrics.costs import COST
from windlass.metrics.detection import BOX_METRICS, MAP50
from windlass.outputs.boxes import measures, reference_profile, report
from windlass.outputs.contract import Output, Scored, Uncertainty, Unsupported, later
from windlass.outputs.reference_profile import kept_rows
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json, Manifest

SIDES = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4,
         "description": "left, top, right, bottom in pixels of the upright picture"}  # fmt: skip
NAME = {"type": "string", "maxLength": boxes.MOST_CHARACTERS}


def answer_schema(column: Column) -> Json:
    """A list of boxes with their labels and scores."""
    score = {"type": "number", "minimum": 0, "maximum": 1}
    unsure = {"type": "boolean", "description": "a person's look at this box is cheaper than a mistake"}
    properties = {LABEL: NAME, BOX: SIDES, SCORE: score, HAND_OVER: unsure}
    thing = {"type": "object", "required": [LABEL, BOX], "properties": properties}
    return {"type": "array", "description": "what is there, and where", "items": thing}


def feedback_schema(column: Column) -> Json:
    """All right boxes; an empty list: nothing is there."""
    truth = {"type": "boolean"}
    properties = {LABEL: NAME, BOX: SIDES, SCORE: {"type": "number"}, CROWD: truth, HAND_OVER: truth}
    thing = {"type": "object", "required": [LABEL, BOX], "properties": properties, "additionalProperties": False}
    return {"type": "array", "maxItems": boxes.MOST_BOXES, "items": thing}


def example(column: Column) -> Json | list[Any]:
    names = column.state.get(CLASSES) or ["thing"]
    return [{LABEL: names[0], BOX: [10.0, 20.0, 110.0, 90.0]}]


def same(one: Any, other: Any) -> bool:
    """The same boxes, to a pixel's hundredth; scores do not count."""
    return boxes.truth(one) == boxes.truth(other)


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """The more boxes are expected to be wrong, by their scores, the smaller the margin; a picture without one is in
    doubt as one of a score of a half is."""
    found = []
    for row in rows:
        wrong = [1.0 - float(thing.get(SCORE, 1.0)) for thing in json.loads(row["value"])] or [0.5]
        found.append(Uncertainty(boxes.brief(row["value"]), row["confidence"], 1 / (1 + sum(wrong))))
    return found


def widget(manifest: Manifest) -> Json:
    return {"answer": "boxes", "verb": "find", "labels": list(manifest.output.state.get(CLASSES, []))}


OUTPUT = Output(
    kind="boxes",
    metrics=BOX_METRICS,
    headline=lambda spec: COST if spec.costs else MAP50,
    learned=measures.learned,
    check=measures.check,
    split=later("windlass.outputs.boxes.split", "split"),
    counts=later("windlass.outputs.boxes.split", "counts"),
    warn=later("windlass.outputs.boxes.split", "warn"),
    check_rows=measures.check_rows,
    check_tests=measures.check_tests,
    tune_decision=measures.tune_decision,
    marks=measures.marks,
    validated=measures.validated,
    baseline=measures.baseline,
    sections=report.report_sections,
    data_sections=report.data_sections,
    remarks=report.remarks,
    details=report.details,
    suspected=later("windlass.outputs.boxes.missing", "suspected"),
    advice=report.advice,
    explain=later("windlass.outputs.boxes.explanation", "explain"),
    kept=kept_rows,
    seen=reference_profile.seen,
    is_right=reference_profile.is_right,
    answer_schema=answer_schema,
    feedback_schema=feedback_schema,
    example=example,
    kept_as=lambda value: json.dumps(value, ensure_ascii=False),
    value_of=json.loads,
    widget=widget,
    is_queued=True,
    to_label=later("windlass.outputs.boxes.export", "to_label"),
    same=same,
    unfit=later("windlass.outputs.boxes.trust", "unfit"),
    opinion=later("windlass.outputs.boxes.trust", "opinion"),
    compare=later("windlass.outputs.boxes.comparison", "PairedBoxes"),
    doubts=doubts,
    export=later("windlass.outputs.boxes.export", "export"),
    scored=lambda marks, metric, splits: Scored(measures.learned(metric), marks),
    labels_of=lambda value: sorted({thing[LABEL] for thing in boxes.truth(value)}),
    proposals=Unsupported("answers are boxes: `plan` proposes by their mistakes on the test pictures, without a curve"),
    compares=Unsupported("boxes are compared by `evaluate`"),
)
