"""Answers for whole files, a chunk at a time: no row is left out, and one that cannot be answered says why."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from windlass.errors import DataError, SpecError, expected
from windlass.predictors.contract import Predictor
from windlass.records import Answer
from windlass.sources.contract import RawRow, Source
from windlass.sources.text_files import read_csv, read_json_lines

CHUNK = 256
READERS = {".csv": read_csv, ".tsv": read_csv, ".jsonl": read_json_lines, ".ndjson": read_json_lines}


@dataclass
class Counts:
    """Rows answered and rows refused; together all that were read."""

    answered: int = 0
    refused: int = 0


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


def answer_file(predictor: Predictor, source: str, to: Path | None) -> Counts:
    """Answers each row of a CSV or JSONL file into a file of either form, or as JSONL to stdout.

    Raises: DataError, SpecError: the file cannot be read, or its ending is not known.
    """
    rows, root = _rows(source)
    counts = Counts()
    with _writer(to) as write:
        while chunk := list(islice(rows, CHUNK)):
            for raw, result in zip(chunk, _answers(predictor, chunk, root), strict=True):
                counts.answered += isinstance(result, Answer)
                counts.refused += isinstance(result, str)
                write(raw.values or {}, result)
    return counts


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


@contextmanager
def _writer(to: Path | None) -> Iterator[Any]:
    if to is None:
        yield lambda values, result: _write_json(sys.stdout, values, result)
        return
    if to.suffix.lower() not in READERS:
        raise SpecError(f"'{to}' ends in '{to.suffix}', expected {expected(READERS)}")
    with to.open("w", encoding="utf-8", newline="") as file:
        if READERS[to.suffix.lower()] is read_csv:
            yield _CsvWriter(file)
        else:
            yield lambda values, result: _write_json(file, values, result)


def _columns(result: Answer | str) -> dict[str, Any]:
    if isinstance(result, str):
        return {"answer": None, "confidence": None, "error": result}
    return {"answer": result.value, "confidence": result.as_json()["confidence"], "error": None}


def _write_json(file: TextIO, values: dict[str, Any], result: Answer | str) -> None:
    file.write(json.dumps({**values, **_columns(result)}, ensure_ascii=False, default=str) + "\n")


class _CsvWriter:
    """Writes the columns of the first row, then `answer`, `confidence` and `error`."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._writer: Any = None

    def __call__(self, values: dict[str, Any], result: Answer | str) -> None:
        if self._writer is None:
            columns = [*values, "answer", "confidence", "error"]
            self._writer = csv.DictWriter(self._file, columns, restval="", extrasaction="ignore")
            self._writer.writeheader()
        self._writer.writerow({**values, **_columns(result)})
