"""What people answered to refused questions: passages of a document, what is right from now on, and tests."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from windlass.database.backend import Database
from windlass.database.people_answers import DOCUMENT, PersonAnswer, people_answers
from windlass.errors import DataError, SpecError
from windlass.outputs import table as outputs
from windlass.outputs.contract import Output
from windlass.outputs.labelled_row import Pairs
from windlass.predictors.contract import Predictor, seen_by
from windlass.predictors.passages.pairs import QUESTION_MARKS
from windlass.records import Json, Passage, Row, Splits
from windlass.spec import Spec
from windlass.store.files import write_text
from windlass.store.json_files import read_json, write_json
from windlass.store.store import Store

STATE, NOTHING_ANSWERS = "published.json", "{}"
ASKS, ASKS_CHINESE = QUESTION_MARKS


def tests_of(answers: Sequence[PersonAnswer], spec: Spec, output: Output) -> list[tuple[Row, str]]:
    """Each question with its right answer, as collected rows keep it; those of other columns are left out."""
    return [(each.inputs, output.kept_as(each.answer)) for each in answers if each.inputs.keys() == spec.inputs.keys()]


def passing(predictor: Predictor, tests: Pairs, output: Output, root: Path | None = None) -> list[bool]:
    """Which of the tests the release answers rightly now, to its owner."""
    answers = seen_by(predictor, None).answer([row for row, _ in tests], root) if tests else []
    return [
        output.is_right(answer.value, output.value_of(right), {})
        for answer, (_, right) in zip(answers, tests, strict=True)
    ]


def people_tests(predictor: Predictor, spec: Spec, log: Database) -> list[Json]:
    """question, answer, and whether the release answers so. Raises: SpecError: answers that cite nothing."""
    output = outputs.of(spec)
    if not output.cites:
        raise SpecError(f"output '{spec.output_column}' is no cited answer, expected answers out of documents")
    tests = tests_of(people_answers(log), spec, output)
    holds = passing(predictor, tests, output)
    return [
        {"question": "\n".join(map(str, row.values())), "answer": output.value_of(right), "holds": is_so}
        for (row, right), is_so in zip(tests, holds, strict=True)
    ]


def with_people(splits: Splits, answers: Sequence[PersonAnswer], spec: Spec, store: Store) -> tuple[Splits, list[str]]:
    """The splits with what people answered: its passages, and rows that ask the same with what is right now.

    Gives what a person should know of it, too. Raises: DataError: the document of answers is damaged.
    """
    if splits.passages is None:
        return splits, []
    passages, notes = _published(splits.passages, answers, spec, store)
    parts = (splits.train, splits.validation, splits.test)
    (train, in_train), (validation, held), (test, tested) = (_amended(part, answers, spec) for part in parts)
    if changed := in_train + held + tested:
        notes.append(f"{changed:,} questions without an answer have one now: people gave it")
    return replace(splits, passages=passages, train=train, validation=validation, test=test), notes


def _published(
    passages: Sequence[Passage], answers: Sequence[PersonAnswer], spec: Spec, store: Store
) -> tuple[list[Passage], list[str]]:
    """The passages, those of the document of answers as it stands now."""
    folder = store.project / spec.documents
    if not folder.is_dir():
        said = any(each.is_published for each in answers)
        why = f"'documents' is the file {spec.documents}, expected a folder, so that people's answers are found there"
        return list(passages), [why] * said
    path = folder / DOCUMENT
    _write_document(path, answers, store)
    others = [each for each in passages if each.document != DOCUMENT]
    if not path.is_file():
        return others, []
    from windlass.sources.documents.collection import read_documents  # most products have no documents

    found = read_documents(path)
    rejected = [f"{each.path}: {each.reason}" for each in found.rejected]
    return [*others, *(passage for each in found.documents for passage in each.passages)], rejected


def _write_document(path: Path, answers: Sequence[PersonAnswer], store: Store) -> None:
    """Adds to the document what was published since the last time. What is there, or was taken out of it by hand since
    then, stays so."""
    state = store.stage("improve") / STATE
    until = float(read_json(state)["until"]) if state.is_file() else 0.0
    fresh = [each for each in answers if each.at > until]
    if not fresh:
        return
    told = {_plain(_question(each)) for each in fresh}
    lines = [line for line in _lines(path) if _plain(str(line.get("question", ""))) not in told]
    lines += [{"question": _question(each), "answer": each.answer["text"]} for each in fresh if each.is_published]
    if lines:
        write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    else:
        path.unlink(missing_ok=True)
    write_json(state, {"until": max(each.at for each in fresh)})


def _lines(path: Path) -> list[Json]:
    """Raises: DataError: it is damaged."""
    if not path.is_file():
        return []
    try:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (ValueError, OSError):
        found = [None]
    if not all(isinstance(line, dict) for line in found):
        raise DataError(f"{path} is damaged, expected a question and an answer a line, as JSON", "mend or remove it")
    return found


def _question(each: PersonAnswer) -> str:
    """As the document asks it: with a question mark, since a question is never taken for an answer."""
    asked = " ".join(" ".join(str(value) for value in each.inputs.values()).split())
    if asked.endswith(QUESTION_MARKS):
        return asked
    return asked.rstrip(".。!！ ") + (ASKS if asked.isascii() else ASKS_CHINESE)


def _plain(question: str) -> str:
    return " ".join(question.split()).casefold().rstrip("?？.。!！ ")


def amended_by_document(rows: pl.DataFrame, passages: Sequence[Passage], spec: Spec) -> tuple[pl.DataFrame, int]:
    """The rows as the document of answers settles them, and how many it has: those that ask nearly what a pair there
    asks, and said that nothing answers, say what it answers."""
    if len(spec.inputs) != 1:
        return rows, 0
    pairs = [each.text.partition("\n") for each in passages if each.document == DOCUMENT]
    asked = [dict.fromkeys(spec.inputs, question) for question, _, _ in pairs]
    return _settled(rows, asked, [{"text": said, "document": DOCUMENT, "quote": said} for *_, said in pairs], spec)


def _amended(rows: pl.DataFrame, answers: Sequence[PersonAnswer], spec: Spec) -> tuple[pl.DataFrame, int]:
    """The same by all that people answered."""
    asked = [each for each in answers if each.answer and each.inputs.keys() == spec.inputs.keys()]
    return _settled(rows, [each.inputs for each in asked], [each.answer for each in asked], spec)


def _settled(rows: pl.DataFrame, asked: Sequence[Row], answers: Sequence[Json], spec: Spec) -> tuple[pl.DataFrame, int]:
    name, changed = spec.output_column, 0
    rights: list[Any] = rows[name].to_list()
    if not asked:
        return rows, 0
    from windlass.sources.near_duplicates import near

    for number, place in enumerate(near(rows.to_dicts(), asked, spec.inputs).tolist()):
        if place >= 0 and rights[number] == NOTHING_ANSWERS:
            rights[number] = json.dumps(answers[place], ensure_ascii=False, sort_keys=True)
            changed += 1
    return (rows.with_columns(pl.Series(name, rights, dtype=rows.schema[name])) if changed else rows), changed
