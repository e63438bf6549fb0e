"""Masks: an answer is a list of things, each with its class, its pixels and a score; an empty one is an answer, too."""

import json
from collections.abc import Sequence
from typing import Any

from windlass.errors import DataError, NotReady
from windlass.kinds import boxes, masks
from windlass.kinds.boxes import BOX, CLASSES, CROWD, LABEL, SCORE
from windlass.kinds.masks import APART, MASK, RUNS, SIZE
from windlass.kinds.things import labels_of
from windlass.metrics.segmentation import DICE, MASK_METRICS
from windlass.outputs.contract import Output, Scored, Uncertainty, Unsupported, Why, later
from windlass.outputs.masks import measures, reference_profile, report
from windlass.outputs.reference_profile import kept_rows
from windlass.predictors.contract import Predictor
from windlass.records import Column, Explanation, Json, Manifest, Row

NAME = {"type": "string", "maxLength": boxes.MOST_CHARACTERS}
SIDES = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4,
         "description": "left, top, right, bottom in pixels of the upright picture"}  # fmt: skip
PIXELS = {
    "type": "object",
    "description": "COCO's run lengths of the upright picture, column by column",
    "required": [SIZE, RUNS],
    "properties": {
        SIZE: {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2,
               "description": "height, width"},
        RUNS: {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer", "minimum": 0}}]},
    },
}  # fmt: skip


def answer_schema(column: Column) -> Json:
    """A list of masks with their labels and scores."""
    score = {"type": "number", "minimum": 0, "maximum": 1}
    properties = {LABEL: NAME, MASK: PIXELS, BOX: SIDES, SCORE: score}
    thing = {"type": "object", "required": [LABEL, MASK], "properties": properties}
    return {"type": "array", "description": "what is there, and which pixels it covers", "items": thing}


def feedback_schema(column: Column) -> Json:
    """All right masks; an empty list: nothing is there."""
    properties = {LABEL: NAME, MASK: PIXELS, BOX: SIDES, SCORE: {"type": "number"}, CROWD: {"type": "boolean"}}
    thing = {"type": "object", "required": [LABEL, MASK], "properties": properties, "additionalProperties": False}
    return {"type": "array", "maxItems": masks.MOST_MASKS, "items": thing}


def example(column: Column) -> Json | list[Any]:
    names = column.state.get(CLASSES) or ["thing"]
    return [{LABEL: names[0], MASK: {SIZE: [4, 6], RUNS: [5, 2, 2, 2, 13]}}]


def amended(given: Any, said: Any) -> Any:
    """Raises: DataError: the masks are of another size than the picture."""
    if given and said and masks.size_of(given[0]) != masks.size_of(said[0]):
        (height, width), (higher, wider) = masks.size_of(given[0]), masks.size_of(said[0])
        raise DataError(f"masks are of {wider} x {higher} pixels, expected the picture's {width} x {height}")
    return said


def same(one: Any, other: Any) -> bool:
    """The same pixels with the same labels; scores do not count."""
    return masks.truth(one) == masks.truth(other)


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """The margin is the score of the mask that it was least sure of; of a picture without one, half."""
    found = []
    for row in rows:
        scores = [float(thing.get(SCORE, 1.0)) for thing in json.loads(row["value"])]
        found.append(Uncertainty(masks.brief(row["value"]), row["confidence"], min(scores, default=0.5)))
    return found


def explain(model: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """Raises: NotReady: a mask shows by itself what it rests on."""
    raise NotReady("masks are not weighed", "each shows what it was found by")


def widget(manifest: Manifest) -> Json:
    state = manifest.output.state
    return {"answer": "masks", "verb": "find", "labels": list(state.get(CLASSES, [])), "apart": bool(state.get(APART))}


OUTPUT = Output(
    kind="masks",
    metrics=MASK_METRICS,
    headline=lambda spec: DICE,
    check=measures.check,
    split=later("windlass.outputs.masks.split", "split"),
    counts=later("windlass.outputs.boxes.split", "counts"),
    warn=later("windlass.outputs.masks.split", "warn"),
    check_rows=measures.check_rows,
    check_tests=measures.check_tests,
    tune_decision=measures.tune_decision,
    marks=measures.marks,
    validated=measures.validated,
    baseline=measures.baseline,
    sections=report.report_sections,
    data_sections=report.data_sections,
    remarks=report.remarks,
    advice=report.advice,
    explain=explain,
    kept=kept_rows,
    seen=reference_profile.seen,
    is_right=reference_profile.is_right,
    answer_schema=answer_schema,
    feedback_schema=feedback_schema,
    example=example,
    kept_as=lambda value: json.dumps(value, ensure_ascii=False),
    value_of=json.loads,
    widget=widget,
    same=same,
    amended=amended,
    unfit=later("windlass.outputs.masks.trust", "unfit"),
    opinion=later("windlass.outputs.masks.trust", "opinion"),
    compare=later("windlass.outputs.masks.comparison", "PairedMasks"),
    doubts=doubts,
    scored=lambda marks, metric, splits: Scored(DICE, marks),
    labels_of=lambda value: sorted(set(labels_of(value))),
    is_queued=True,
    to_label=later("windlass.outputs.masks.export", "to_label"),
    export=later("windlass.outputs.masks.export", "export"),
    explains_live=Unsupported("masks show themselves what was found, and where"),
    proposals=Unsupported("answers are masks: `plan` has no curve of them yet"),
    compares=Unsupported("masks are compared by `evaluate`"),
)
