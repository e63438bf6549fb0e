"""Cited answers beside the right ones, what they must beat, and from which confidence on they are given."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError, SpecError
from windlass.goals import Goal
from windlass.kinds import cited
from windlass.metrics.citations import RIGHT, CitedMarks, best_confidence
from windlass.metrics.measures import Marks
from windlass.metrics.retrieval import threshold_at
from windlass.outputs.cited import injection
from windlass.outputs.contract import Baseline, Held, Tested, Validated
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest, write_manifest
from windlass.predictors.contract import Predictor
from windlass.predictors.passages import summary
from windlass.predictors.passages.answerer import LEAST, Answerer
from windlass.records import Json, Passage, Row, Splits
from windlass.spec import Spec

ENOUGH, LIKELIER_THAN_NOT = 100, 0.5
"""Validation questions of which fewer do not say from which confidence on to answer; what is then asked for."""
NEVER = 2.0
"""A confidence that no answer has."""


def answerer(predictor: Predictor) -> Answerer:
    """The predictor, which cites: any predictor of an output of this kind does."""
    assert isinstance(predictor, Answerer)
    return predictor


def changed_documents(predictor: Predictor, splits: Splits) -> list[str]:
    """Documents that are new, gone, or of which a passage is another one, or for others, than the release has."""
    known, there = (_by_document(each) for each in (answerer(predictor).engine.passages, splits.passages or ()))
    return sorted(path for path in {*known, *there} if known.get(path) != there.get(path))


def _by_document(passages: Iterable[Passage]) -> dict[str, set[Passage]]:
    found: dict[str, set[Passage]] = {}
    for passage in passages:
        found.setdefault(passage.document, set()).add(passage)
    return found


def search(predictor: Predictor, rows: Sequence[Row], k: int) -> list[list[Json]]:
    """Of each row the k best passages. Raises: DataError: a row cannot be read."""
    return answerer(predictor).search(rows, k)


def summarise(predictor: Predictor, document: str, n: int) -> Json:
    """Raises: DataError: who asks may see no such document."""
    return summary.summarise(answerer(predictor), document, n)


def spoken_of(predictor: Predictor, topic: str) -> list[Json]:
    """What the documents say of a topic."""
    return summary.spoken_of(answerer(predictor), topic)


def cited_marks(marks: Marks) -> CitedMarks:
    """The marks, which are of cited answers."""
    assert isinstance(marks, CitedMarks)
    return marks


def marks(predictor: Predictor, rows: Sequence[Row], held: Held) -> Marks:
    """With orders planted into the passages of some of the questions. Raises: DataError: a row cannot be read."""
    found = _tested(predictor, rows, held)
    return replace(found, attacks=injection.attacks(answerer(predictor), rows, found.given, held.root))


def _tested(predictor: Predictor, rows: Sequence[Row], held: Held) -> CitedMarks:
    return answerer(predictor).tested(rows, [row[held.spec.output_column] for row in rows], held.root)


def check(spec: Spec, goal: Goal) -> None:
    """Raises: SpecError: there are no documents, or a question is no text."""
    if not spec.documents:
        raise SpecError(
            f"output '{spec.output_column}' is cited and there are no 'documents', expected a folder of them",
            "`documents: docs`",
        )
    if set(spec.inputs.values()) != {"text"}:
        name, kind = next((name, kind) for name, kind in spec.inputs.items() if kind != "text")
        raise SpecError(f"input '{name}' is '{kind}', expected a question: text")


def check_rows(spec: Spec, splits: Splits) -> None:
    """Raises: SpecError: what is set for another output. DataError: there is nothing to cite, or to learn."""
    for name, value in (("monotone", spec.monotone), ("costs", spec.costs), ("threshold", spec.threshold)):
        if value:
            raise SpecError(f"'{name}' is set and output '{splits.output_column}' is cited, expected another output")
    if all(cited.is_refusal(cited.read(value, None) or {}) for value in splits.train[splits.output_column]):
        raise DataError(
            "no train question has an answer, expected some that a document answers",
            '{"question": ..., "answer": {"text": ..., "document": ..., "quote": ...}}',
        )
    if splits.passages is None or not len(splits.passages):
        raise DataError("there are no passages, expected documents with text", "`windlass collect` says what it read")


def check_tests(rows: Sequence[Row], spec: Spec) -> None:
    """Raises: DataError: no test question has an answer in the documents."""
    if all(cited.is_refusal(cited.read(row[spec.output_column], None) or {}) for row in rows):
        raise DataError(
            "no test question has an answer, expected some that a document answers",
            "more questions, or a test file of its own",
        )


def tune_decision(run_folder: Path, splits: Splits, spec: Spec, metric: str) -> float | None:
    """Writes into the artifact the confidence from which on an answer is given, as validation questions tell it."""
    folder = run_folder / "artifact"
    manifest = read_manifest(folder)
    state = {name: value for name, value in manifest.output.state.items() if name != LEAST}
    plain = answerer(predictors.load(folder))
    plain = replace(plain, manifest=replace(manifest, output=replace(manifest.output, state=state)))
    held = splits.validation.to_dicts()
    if not held:
        return None
    found = plain.tested(held, [row[splits.output_column] for row in held], splits.root)
    if spec.limits.risk is None:
        is_few = len(held) < ENOUGH
        least = LIKELIER_THAN_NOT if is_few else best_confidence(found.confidence, found.is_found, found.answerable)
    else:
        least = min(threshold_at(found.confidence, found.is_found, spec.limits.risk), NEVER)
    decided = replace(manifest, output=replace(manifest.output, state={**state, LEAST: least}))
    if decided.output != manifest.output:
        write_manifest(folder, decided)
    given = found.given & (found.confidence >= least)
    right = np.where(given, found.is_found, ~found.answerable)
    return replace(found, given=given, right=right).value(metric)


def validated(predictor: Predictor, run_folder: Path, splits: Splits, held: Held) -> Validated | None:
    """Validation questions, answered now: who ranks had not learned from them."""
    rows = splits.validation.to_dicts()
    return Validated(_tested(predictor, rows, held), np.arange(len(rows))) if rows else None


def baseline(tested: Tested) -> Baseline | None:
    """Never answering, which is right where nothing answers."""
    if tested.metric != RIGHT:
        return None
    first = cited_marks(next(iter(tested.marks.values())))
    none = np.zeros(len(first), bool)
    never = replace(first, given=none, right=~first.answerable, said=("",) * len(first))
    return Baseline("never answering", never.value(RIGHT), never)
