"""Labels: an answer is one of a set of names, with a calibrated probability."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from windlass.kinds.category import MAX_CHARACTERS
from windlass.metrics.costs import COST
from windlass.outputs.contract import Output, Scored, Uncertainty, Unsupported, later
from windlass.outputs.labels import examples, explanation, measures, reference_profile, report
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json, Manifest

METRICS = ("macro_f1", "accuracy", "macro_precision", "macro_recall", "roc_auc", "pr_auc", COST)
MOST_LISTED = 200
"""A product with more labels says that its answer is a text."""


def answer_schema(column: Column) -> Json:
    labels = column.state.get("labels") or []
    listed = {"enum": list(labels)} if 0 < len(labels) <= MOST_LISTED else {}
    return {"type": "string", "description": "the answer", **listed}


def feedback_schema(column: Column) -> Json:
    """A label, also one that the release does not know; written in any way that means it."""
    return {"type": ["string", "number", "boolean"], "maxLength": MAX_CHARACTERS}


def widget(manifest: Manifest) -> Json:
    return {"answer": "labels", "verb": "find", "labels": manifest.output.state.get("labels", [])}


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """The margin is between the two likeliest labels."""
    labeller = measures.labeller(champion)
    probabilities = labeller.probabilities([row["inputs"] for row in rows])
    best, ranked = probabilities.argmax(axis=1), np.sort(probabilities, axis=1)
    first, second = ranked[:, -1].tolist(), ranked[:, -2].tolist()
    return [
        Uncertainty(labeller.labels[place], sure, sure - other)
        for place, sure, other in zip(best.tolist(), first, second, strict=True)
    ]


def is_same(one: Any, other: Any) -> bool:
    return bool(one == other)


OUTPUT = Output(
    kind="category",
    metrics=METRICS,
    headline=lambda spec: COST if spec.costs else METRICS[0],
    learned=lambda metric: METRICS[0] if metric == COST else metric,
    check=measures.check,
    split=later("windlass.outputs.labels.split", "split"),
    counts=later("windlass.outputs.labels.split", "counts"),
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
    kept=reference_profile.kept,
    seen=reference_profile.seen,
    named=str,
    is_right=lambda value, correct, answers: is_same(value, correct),
    answer_schema=answer_schema,
    feedback_schema=feedback_schema,
    example=lambda column: next(iter(column.state.get("labels") or ["a better answer"])),
    kept_as=str,
    value_of=str,
    widget=widget,
    same=is_same,
    unfit=later("windlass.outputs.labels.new_labels", "fit_to_learn"),
    opinion=later("windlass.outputs.labels.trust", "opinion"),
    compare=later("windlass.outputs.labels.comparison", "compare"),
    doubts=doubts,
    scored=lambda marks, metric, splits: Scored(metric, marks),
    compares=Unsupported("labels are compared by `evaluate`"),
)
