"""Cited answers: sentences out of documents with where they stand, or an honest refusal."""

import json
from collections.abc import Sequence
from typing import Any

from windlass.errors import DataError, did_you_mean
from windlass.kinds import cited
from windlass.kinds.text import MAX_CHARACTERS
from windlass.metrics.citations import CITED_METRICS, RIGHT
from windlass.outputs.cited import explanation, measures, reference_profile, report
from windlass.outputs.contract import Output, Scored, Uncertainty, Unsupported, later
from windlass.outputs.reference_profile import kept_rows
from windlass.predictors.contract import Predictor
from windlass.predictors.reading.verifier import DIFFERENCES
from windlass.records import Column, Json, Manifest

KEPT = ("text", "refused", "sentences")
TEXT = {"type": "string", "maxLength": MAX_CHARACTERS}
NUMBER = {"type": "integer", "minimum": 0}
SPAN = {"document": TEXT, "title": TEXT, "page": NUMBER, "start": NUMBER, "end": NUMBER}


def answer_schema(column: Column) -> Json:
    """Sentences with citations, the passages that were found, and those of them that say otherwise."""
    citation: Json = {"type": "object", "required": ["document", "quote"], "properties": {**SPAN, "quote": TEXT}}
    sentence = {
        "type": "object",
        "required": ["text", "citations"],
        "properties": {"text": TEXT, "citations": {"type": "array", "items": citation}},
    }
    passage = {"type": "object", "properties": {**SPAN, "text": TEXT, "score": {"type": "number"}}}
    conflict = {"type": "object", "properties": {**citation["properties"], "difference": {"enum": list(DIFFERENCES)}}}
    return {
        "type": "object",
        "description": "the answer, or that there is none",
        "required": list(KEPT),
        "properties": {
            "text": TEXT,
            "refused": {"type": "boolean"},
            "sentences": {"type": "array", "items": sentence},
            "passages": {"type": "array", "items": passage},
            "conflicts": {"type": "array", "items": conflict},
        },
    }


def feedback_schema(column: Column) -> Json:
    """The right answer as a text, or with its document and the sentence there; `{}`: nothing there answers."""
    said = {"type": "string", "maxLength": cited.MOST_CHARACTERS}
    parts = {"type": "object", "properties": dict.fromkeys(cited.PARTS, said), "additionalProperties": False}
    return {"anyOf": [said, parts]}


def kept_as(value: Any) -> str:
    """The answer, or what a person said, without the passages that were found."""
    parts = {name: value[name] for name in value if name != "passages"} if isinstance(value, dict) else value
    return json.dumps(parts, ensure_ascii=False, sort_keys=True)


def same(one: Any, other: Any) -> bool:
    """Both say the same out of the same places; what a person said is compared by its parts."""
    return kept_as(one) == kept_as(other)


def refuses(value: Any) -> bool:
    """An answer that is none, or a person's word that nothing answers."""
    return isinstance(value, dict) and bool(value.get("refused", cited.is_refusal(value)))


def check_correction(predictor: Predictor, said: Any) -> None:
    """Raises: DataError: it names a document that the release does not have, or that who speaks may not see: no word
    tells the one from the other."""
    named = said.get("document") if isinstance(said, dict) else None
    if not named:
        return
    known = measures.answerer(predictor).visible_documents()
    if named not in known:
        raise DataError(
            f"document is '{named[:80]}', expected one that the release has read",
            did_you_mean(named, known) or "leave 'document' out where no document says it yet",
        )


def doubts(champion: Predictor, rows: Sequence[Json]) -> list[Uncertainty]:
    """The margin is the confidence: the least sure answers teach most."""
    return [Uncertainty(str(row["value"]), row["confidence"], row["confidence"] or 0.0) for row in rows]


def widget(manifest: Manifest) -> Json:
    return {"answer": "cited", "verb": "find", "labels": []}


OUTPUT = Output(
    kind="cited",
    metrics=CITED_METRICS,
    headline=lambda spec: RIGHT,
    check=measures.check,
    split=later("windlass.outputs.cited.split", "split"),
    counts=later("windlass.outputs.cited.split", "counts"),
    warn=later("windlass.outputs.cited.split", "warn"),
    check_rows=measures.check_rows,
    check_tests=measures.check_tests,
    tune_decision=measures.tune_decision,
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
    example=lambda column: {"text": "a better answer", "document": "returns.md"},
    kept_as=kept_as,
    value_of=json.loads,
    widget=widget,
    same=same,
    opinion=later("windlass.outputs.cited.trust", "opinion"),
    compare=later("windlass.outputs.cited.comparison", "PairedCitations"),
    doubts=doubts,
    scored=lambda marks, metric, splits: Scored(metric, marks),
    cites=True,
    refuses=refuses,
    dropped=lambda value: int(value.get("dropped", 0)) if isinstance(value, dict) else 0,
    check_correction=check_correction,
    search=measures.search,
    summarise=measures.summarise,
    spoken_of=measures.spoken_of,
    changed_documents=measures.changed_documents,
    explains_live=Unsupported("a cited answer says what it rests on: its citations"),
    proposals=Unsupported("answers cite documents: `plan` has no curve of them yet"),
    compares=Unsupported("cited answers are compared by `evaluate`"),
)
