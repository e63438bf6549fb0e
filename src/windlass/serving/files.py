"""Answers for whole files, a chunk at a time: no row is left out, and one that cannot be answered says why."""

import csv
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from windlass.errors import DataError, SpecError, WindlassError, expected
from windlass.predictors.contract import Predictor
from windlass.records import Answer
from windlass.sources.contract import RawRow, Source
from windlass.sources.text_files import read_csv, read_json_lines
from windlass.store import naming, read_json, sync_folder, write_json

CHUNK = 256
SAVE_S = 0.5
"""Between two times that what was written is flushed to disk."""
Line = tuple[dict[str, Any], Answer | str]
"""The row, and its answer or why there is none."""
READERS = {".csv": read_csv, ".tsv": read_csv, ".jsonl": read_json_lines, ".ndjson": read_json_lines}


@dataclass
class Counts:
    """Rows answered and rows refused; together all that were read. taken_over: of these, by a run that was killed."""

    answered: int = 0
    refused: int = 0
    taken_over: int = 0

    @property
    def total(self) -> int:
        return self.answered + self.refused


def answer_one(predictor: Predictor, text: str) -> Answer:
    """The answer to one row given as JSON. Raises: DataError."""
    return predictor.answer([read_row(text)], Path.cwd())[0]


def read_row(text: str) -> dict[str, Any]:
    """One row given as JSON. Raises: DataError."""
    wanted = 'expected an object such as {"message": "..."}'
    try:
        row = json.loads(text)
    except ValueError as error:
        raise DataError(f"row is not JSON ({error}), {wanted}") from None
    if not isinstance(row, dict):
        raise DataError(f"row is a {type(row).__name__}, {wanted}")
    return row


def answer_file(predictor: Predictor, source: str, to: Path | None, release: str = "") -> Counts:
    """Answers each row of a CSV or JSONL file into a file of either form, or as JSONL to stdout.

    A file to write appears when it is whole. Killed before, the same call goes on where it was: with the same source,
    unchanged, and the same release. Raises: DataError, SpecError: the file cannot be read, or its ending is not known.
    """
    rows, root = _rows(source)
    if to is None:
        counts = Counts()
        while chunk := list(islice(rows, CHUNK)):
            _write_json_lines(sys.stdout, _counted(counts, chunk, _answers(predictor, chunk, root)))
        return counts
    if to.suffix.lower() not in READERS:
        raise SpecError(f"'{to}' ends in '{to.suffix}', expected {expected(READERS)}")
    with naming(to), Unfinished(to, _mark(source, release)) as unfinished:
        counts = unfinished.counts
        for _ in islice(rows, counts.total):
            pass
        while chunk := list(islice(rows, CHUNK)):
            unfinished.write(_counted(counts, chunk, _answers(predictor, chunk, root)))
    return counts


def _mark(source: str, release: str) -> list[Any]:
    """What must be the same for an answer to be the same; nothing where that is not known, as of stdin."""
    if source == "-" or not release:
        return []
    seen = Path(source).stat()
    return [str(Path(source).resolve()), seen.st_size, seen.st_mtime_ns, release]


def _counted(counts: Counts, chunk: list[RawRow], results: list[Answer | str]) -> list[Line]:
    counts.answered += sum(isinstance(result, Answer) for result in results)
    counts.refused += sum(isinstance(result, str) for result in results)
    return [(raw.values or {}, result) for raw, result in zip(chunk, results, strict=True)]


def _rows(source: str) -> tuple[Iterator[RawRow], Path]:
    if source == "-":
        lines = (line for line in sys.stdin if line.strip())
        return (_stdin_row(number, line) for number, line in enumerate(lines, 1)), Path.cwd()
    path = Path(source)
    if path.suffix.lower() not in READERS:
        raise SpecError(f"'{source}' ends in '{path.suffix}', expected {expected(READERS)}")
    if not path.is_file():
        raise DataError(f"{source} does not exist, expected a file")
    return Source(path, "", READERS[path.suffix.lower()]).rows(), path.resolve().parent


def _stdin_row(number: int, line: str) -> RawRow:
    try:
        values = json.loads(line)
    except ValueError as error:
        return RawRow(number, None, f"is not JSON ({error})")
    return RawRow(number, values) if isinstance(values, dict) else RawRow(number, None, "is not an object")


def _answers(predictor: Predictor, chunk: list[RawRow], root: Path) -> list[Answer | str]:
    """An answer a row, or the reason why there is none: the chunk at once, row by row when one of them is bad."""
    whole = [raw.values for raw in chunk if raw.values is not None]
    if len(whole) == len(chunk):
        try:
            return list(predictor.answer(whole, root))
        except DataError:
            pass
    return [_answer(predictor, raw, root) for raw in chunk]


def _answer(predictor: Predictor, raw: RawRow, root: Path) -> Answer | str:
    if raw.values is None:
        return f"row {raw.number} {raw.fault}"
    try:
        return predictor.answer([raw.values], root)[0]
    except DataError as error:
        return f"row {raw.number}: {error.message.removeprefix('row 0, ')}"


class Unfinished:
    """A file that is being written: aside, with a journal of how much of it is on disk.

    mark: of what it is made from; a journal with another one, or an empty one, is of no use and the file begins anew.
    """

    def __init__(self, to: Path, mark: list[Any]) -> None:
        self.to, self.mark = to, mark
        self.aside, self.journal = (to.with_name(f".{to.name}.{word}") for word in ("part", "journal"))
        self.counts, self.columns = Counts(), list[str]()
        self._saved = time.monotonic()

    def __enter__(self) -> "Unfinished":
        size = self._known()
        self._file = self.aside.open("r+b" if size else "wb")
        self._file.truncate(size)
        self._file.seek(size)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        with self._file:
            self._save()
        if kind is None:
            os.replace(self.aside, self.to)
            sync_folder(self.to.parent)
        if kind is None or not self.counts.total:
            self.aside.unlink(missing_ok=True)
            self.journal.unlink(missing_ok=True)

    def write(self, lines: list[Line]) -> None:
        """Writes these; at most `SAVE_S` later they are on disk for good."""
        text = io.StringIO(newline="")
        if READERS[self.to.suffix.lower()] is read_csv:
            self._write_csv(text, lines)
        else:
            _write_json_lines(text, lines)
        self._file.write(text.getvalue().encode("utf-8", "replace"))
        if time.monotonic() - self._saved >= SAVE_S:
            self._save()

    def _write_csv(self, text: TextIO, lines: list[Line]) -> None:
        """The columns of the first row, then `answer`, `confidence` and `error`."""
        is_new = not self.columns
        self.columns = self.columns or [*lines[0][0], "answer", "confidence", "error"]
        writer = csv.DictWriter(text, self.columns, restval="", extrasaction="ignore")
        if is_new:
            writer.writeheader()
        writer.writerows({**values, **_columns(result)} for values, result in lines)

    def _known(self) -> int:
        """Bytes that are written for good; what is known of them is taken over."""
        try:
            values = read_json(self.journal)
        except WindlassError:
            return 0
        is_same = self.mark and isinstance(values, dict) and values.get("mark") == self.mark
        if not is_same or not self.aside.is_file() or self.aside.stat().st_size < values["size"]:
            return 0
        self.counts, self.columns = Counts(values["answered"], values["refused"]), values["columns"]
        self.counts.taken_over = self.counts.total
        return int(values["size"])

    def _save(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        counts = {"answered": self.counts.answered, "refused": self.counts.refused}
        journal = {"mark": self.mark, "size": self._file.tell(), "columns": self.columns, **counts}
        write_json(self.journal, journal)
        self._saved = time.monotonic()


def _columns(result: Answer | str) -> dict[str, Any]:
    if isinstance(result, str):
        return {"answer": None, "confidence": None, "error": result}
    return {"answer": result.value, "confidence": result.as_json()["confidence"], "error": None}


def _write_json_lines(file: TextIO, lines: list[Line]) -> None:
    for values, result in lines:
        file.write(json.dumps({**values, **_columns(result)}, ensure_ascii=False, default=str) + "\n")
