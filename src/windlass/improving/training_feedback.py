"""Rows that somebody labelled: feedback on answers, and rows from a file; each knows where it comes from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from windlass.database.backend import Database
from windlass.database.request_log import feedback_rows
from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import is_missing
from windlass.outputs import table as outputs
from windlass.outputs.labelled_row import ASIDE, FILE, LabelledRow
from windlass.records import Json, Row
from windlass.sources.confinement import allowed_folders, check_files
from windlass.sources.outgoing import TAUGHT, free_names
from windlass.sources.places import check_columns, find, names_of
from windlass.spec import Spec
from windlass.store.json_files import fingerprint
from windlass.store.store import Store

MOST_READ = 30_000
"""The last feedback: rows are compared pair by pair, and what is older was learned, set aside, or is no longer so."""
AGAIN = "said anew later"


def from_log(place: Database, spec: Spec, of: Sequence[str] = (), most: int = MOST_READ) -> list[LabelledRow]:
    """A row for each feedback, oldest first. Of two on one answer the later one counts, with what was said before where
    the output adds it up. Raises: DataError.

    of: releases whose answers are meant; none given: all. most: feedback that is read, the last of it.
    """
    found = [_from_feedback(row, spec) for row in feedback_rows(place, of, most)]
    last = {row.answer: number for number, row in enumerate(found)}
    if add := outputs.of(spec).together:
        told: dict[str, list[str]] = {}
        for row in found:
            told.setdefault(row.answer, []).extend([row.label] if row.label and not row.fate else [])
        found = [replace(row, label=add(told[row.answer])) if not row.fate else row for row in found]
    return [row if last[row.answer] == number else row.becomes(ASIDE, AGAIN) for number, row in enumerate(found)]


def _from_feedback(row: Json, spec: Spec) -> LabelledRow:
    taught = LabelledRow(
        label=_label(row["correct"], spec),
        answer=row["id"],
        caller=row.get("caller") or "",
        at=row["at"],
        release=row["release"],
        said=_label(row["value"], spec),
    )
    if taught.label == "":
        return taught.becomes(ASIDE, "wrong, and nobody said what is right")
    if row["inputs"] is None:
        return taught.becomes(ASIDE, "what was asked was not kept (`keep_inputs: true`)")
    cleaned = _cleaned(taught, row["inputs"], spec, None)
    if cleaned.fate or outputs.of(spec).teaches(taught.said, taught.label):
        return cleaned
    return cleaned.becomes(ASIDE, "right as it was: a writer learns nothing from its own text")


def from_file(path: Path, spec: Spec, store: Store, now: float) -> list[LabelledRow]:
    """The rows of a file with the product's columns; a column `id` names the answer that a row is about.

    Rows whose label is empty are left out: nobody has labelled them yet. Raises: DataError: no such file, or a column
    is missing.
    """
    found, names, allowed = [], free_names(TAUGHT, spec.columns), allowed_folders(spec.files, store.project)
    for source in find(str(path.resolve()), store.project, names_of(spec), store.stage("improve") / "pictures"):
        for raw in source.rows():
            if raw.values is None:
                unread = LabelledRow(source=FILE, answer=f"{path.name}:{raw.number}", at=now)
                found.append(unread.becomes(ASIDE, raw.fault))
                continue
            check_columns(spec.columns, list(raw.values), source)
            row = LabelledRow(
                label=_label(raw.values.get(spec.output_column), spec),
                source=FILE,
                answer=str(raw.values.get(names["id"]) or f"{path.name}:{raw.number}-{fingerprint(raw.values)[:8]}"),
                at=now,
                said=str(raw.values.get(names["answered"]) or ""),
            )
            if row.label != "":
                found.append(_confined(row, raw.values, spec, source.root, allowed))
    return found


def _confined(taught: LabelledRow, values: Row, spec: Spec, root: Path, allowed: Sequence[Path]) -> LabelledRow:
    """With its inputs, or set aside because one cannot be read or names a file outside the data's folder."""
    try:
        check_files(values, {name: kinds.get(word) for name, word in spec.inputs.items()}, root, allowed)
    except DataError as error:
        return taught.becomes(ASIDE, error.message)
    return _cleaned(taught, values, spec, root)


def _label(value: Any, spec: Spec) -> Any:
    """What is right, as collected rows keep it; '' where there is none, or it cannot be read."""
    kind = kinds.reading(spec.output[spec.output_column], kinds.ways(spec).get(spec.output_column))
    try:
        found = (kind.clean or kind.read)(value, None)
    except DataError:
        return ""
    return "" if is_missing(found) else found


def _cleaned(taught: LabelledRow, values: Row, spec: Spec, root: Path | None) -> LabelledRow:
    """With its inputs, or set aside because one of them cannot be read."""
    cleaned: Json = {}
    ways = kinds.ways(spec)
    for name, word in spec.inputs.items():
        kind = kinds.reading(word, ways.get(name))
        try:
            cleaned[name] = (kind.clean or kind.read)(values.get(name), root)
        except DataError:
            return taught.becomes(ASIDE, f"column '{name}' cannot be read")
    if all(is_missing(value) for value in cleaned.values()):
        return taught.becomes(ASIDE, "every input is missing")
    return replace(taught, values=cleaned)
