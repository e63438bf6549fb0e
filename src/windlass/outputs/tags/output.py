"""Tags: an answer is a set of names, each with a calibrated probability; none is an answer, too."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from windlass.errors import DataError, expected
from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.kinds.contract import shown
from windlass.metrics.tags import TAG_METRICS
from windlass.outputs.contract import Output, Uncertainty, Unsupported, later
from windlass.outputs.labels.measures import check
from windlass.outputs.reference_profile import kept_rows
from windlass.outputs.tags import examples, explanation, measures, reference_profile, report
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json, Manifest

MOST_LISTED = 200
CHANGES = ("add", "remove")


def answer_schema(column: Column) -> Json:
    """A list of names, each once."""
    labels = column.state.get("labels") or []
    listed = {"enum": list(labels)} if 0 < len(labels) <= MOST_LISTED else {}
    return {"type": "array", "uniqueItems": True, "description": "the tags", "items": {"type": "string", **listed}}


def feedback_schema(column: Column) -> Json:
    """All right tags, as a list or as a file writes them; or what to add to the answer, and what to take away."""
    names = {
        "type": "array",
        "maxItems": tags.MOST_TAGS,
        "items": {"type": "string", "maxLength": tags.MOST_CHARACTERS},
    }
    changes = {"type": "object", "properties": dict.fromkeys(CHANGES, names), "additionalProperties": False,
               "minProperties": 1}  # fmt: skip
    return {"anyOf": [names, {"type": "string", "maxLength": tags.MOST_TAGS * tags.MOST_CHARACTERS}, changes]}


def read_correction(column: Column, said: Any) -> Any:
    """The right tags, or the changes to be made, each read by the kind. Raises: DataError."""
    read = kinds.of(column).read
    if not isinstance(said, dict):
        return read(said, None)
    if not said or not set(said) <= set(CHANGES) or not all(isinstance(each, list) for each in said.values()):
        raise DataError(
            f"tags are {shown(said)}, expected a list, or an object with {expected(CHANGES)}, lists of tags"
        )
    return {name: read(each, None) for name, each in said.items()}


def amended(given: Any, said: Any) -> Any:
    """The right tags: those that were said, or the given ones with the changes."""
    if not isinstance(said, dict):
        return said
    removed = set(said.get("remove", ()))
    return sorted({*(tag for tag in given if tag not in removed), *said.get("add", ())})


def widget(manifest: Manifest) -> Json:
    return {"answer": "tags", "verb": "find", "labels": manifest.output.state.get("labels", [])}


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """The margin is that of the tag which is nearest to being said or not."""
    tagger = measures.tagger(champion)
    probabilities = tagger.probabilities([row["inputs"] for row in rows])
    state = tagger.manifest.output.state
    margins = np.abs(probabilities - tags.thresholds(state)).min(axis=1)
    sure = tags.confidence(probabilities, state)
    return [
        Uncertainty(str(row["value"]), float(confidence), float(margin))
        for row, confidence, margin in zip(rows, sure, margins, strict=True)
    ]


OUTPUT = Output(
    kind="tags",
    metrics=TAG_METRICS,
    headline=lambda spec: TAG_METRICS[0],
    check=check,
    split=later("windlass.outputs.tags.split", "split"),
    counts=later("windlass.outputs.tags.split", "counts"),
    warn=later("windlass.outputs.labels.split", "warn"),
    check_rows=measures.check_rows,
    tune_decision=measures.tune_decision,
    marks=measures.marks,
    validated=measures.validated,
    baseline=measures.baseline,
    sections=report.report_sections,
    advice=report.advice,
    picked=examples.picked,
    explain=explanation.explain,
    kept=kept_rows,
    seen=reference_profile.seen,
    is_right=lambda value, correct, answers: reference_profile.is_same(value, correct),
    answer_schema=answer_schema,
    feedback_schema=feedback_schema,
    example=lambda column: [next(iter(column.state.get("labels") or ["a tag"]))],
    kept_as=lambda value: json.dumps(value, ensure_ascii=False),
    value_of=json.loads,
    widget=widget,
    same=reference_profile.is_same,
    unfit=later("windlass.outputs.tags.trust", "fit_to_learn"),
    opinion=later("windlass.outputs.tags.trust", "opinion"),
    compare=later("windlass.outputs.tags.comparison", "compare"),
    doubts=doubts,
    scored=measures.scored,
    read_correction=read_correction,
    amended=amended,
    labels_of=list,
    compares=Unsupported("tags are compared by `evaluate`"),
)
