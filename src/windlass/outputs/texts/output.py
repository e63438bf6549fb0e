"""Texts: an answer is written, and there may be several right ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.kinds.text import several
from windlass.metrics.texts import BITS, PASSES, TEXT_METRICS
from windlass.outputs.contract import Output, Scored, Uncertainty, Unsupported, later
from windlass.outputs.reference_profile import kept_rows
from windlass.outputs.texts import explanation, measures, reference_profile, report
from windlass.predictors.contract import Predictor
from windlass.records import Column, Json, Manifest, Splits
from windlass.spec import Spec

if TYPE_CHECKING:
    import polars as pl

    from windlass.outputs.splitting import Cleaning

MOST_WRITTEN = 1_000
"""Of the test rows so many, evenly spread, are answered: writing takes its time."""
MOST_CHARACTERS = 100_000


def warn(train: "pl.DataFrame", spec: Spec, cleaning: "Cleaning") -> None:
    """Nothing of texts alone."""


def counts(splits: "Mapping[str, pl.DataFrame]", output: str) -> dict[str, dict[str, int]]:
    """Texts are not counted: each is its own."""
    return {}


def tune_decision(run_folder: Path, splits: Splits, spec: Spec, metric: str) -> float | None:
    """Nothing is decided after training."""
    return None


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """Texts are not written once more: what was said when they were is in the log."""
    return [Uncertainty(row["value"], row["confidence"] or 0.0, row["confidence"] or 0.0) for row in rows]


def answer_schema(column: Column) -> Json:
    return {"type": "string", "description": "the answer"}


def feedback_schema(column: Column) -> Json:
    return {"type": "string", "maxLength": MOST_CHARACTERS}


def widget(manifest: Manifest) -> Json:
    return {"answer": "text", "verb": "write", "labels": []}


OUTPUT = Output(
    kind="text",
    metrics=(*TEXT_METRICS, BITS, *PASSES),
    headline=measures.headline,
    learned=measures.learned,
    check=measures.check,
    split=later("windlass.outputs.texts.split", "split"),
    counts=counts,
    warn=warn,
    check_rows=measures.check_rows,
    check_tests=later("windlass.outputs.texts.judged", "check_tests"),
    tune_decision=tune_decision,
    marks=later("windlass.outputs.texts.judged", "marks"),
    validated=later("windlass.outputs.texts.judged", "validated"),
    baseline=measures.baseline,
    sections=report.report_sections,
    advice=report.advice,
    explain=explanation.explain,
    kept=kept_rows,
    seen=reference_profile.seen,
    is_right=lambda value, correct, answers: bool(value == correct),
    answer_schema=answer_schema,
    feedback_schema=feedback_schema,
    example=lambda column: "a better answer",
    kept_as=str,
    value_of=str,
    widget=widget,
    same=later("windlass.outputs.texts.trust", "is_same"),
    teaches=lambda given, right: bool(given != right),
    unfit=later("windlass.outputs.texts.trust", "unfit"),
    opinion=later("windlass.outputs.texts.trust", "opinion"),
    compare=later("windlass.outputs.texts.comparison", "PairedTexts"),
    doubts=doubts,
    scored=lambda marks, metric, splits: Scored(metric, marks),
    improves=measures.improves,
    most_tested=MOST_WRITTEN,
    rights=several,
    explains_live=Unsupported(
        "answers of this release are texts, expected labels to be explained over HTTP",
        "`windlass explain` weighs the words of a row by the likelihood of its answer",
    ),
    proposals=Unsupported("answers are texts here"),
)
