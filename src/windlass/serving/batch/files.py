"""Answers for whole files, a chunk at a time: no row is left out, and one that cannot be answered says why."""

import io
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from windlass.errors import DataError, NotReady, SpecError, WindlassError, expected, listed
from windlass.kinds import table as kinds
from windlass.kinds.contract import has_surrogate
from windlass.kinds.image import SUFFIXES
from windlass.outputs import table as outputs
from windlass.predictors.contract import Predictor
from windlass.records import Answer, Column
from windlass.sources.confinement import check_files
from windlass.sources.contract import RawRow
from windlass.sources.outgoing import ANSWER, ENDS, as_csv, free_names, written
from windlass.sources.places import file_and_sheet, table
from windlass.sources.readers.json_files import read_objects, row_of
from windlass.sources.readers.system_files import files_below
from windlass.store.files import naming, sync_folder
from windlass.store.json_files import fingerprint, read_json, write_json

logger = logging.getLogger("windlass.serving")
CHUNK = 256
SAVE_S = 0.5
"""Between two times that what was written is flushed to disk."""
Line = tuple[dict[str, Any], Answer | str]
"""The row, and its answer or why there is none."""
WRITTEN = (".csv", ".jsonl", ".ndjson")
"""What a file to write may end in."""


@dataclass
class Counts:
    """Rows answered and rows refused; together all that were read. taken_over: of these, by a run that was killed.

    notes: what is to be known of how the file was read and written.
    """

    answered: int = 0
    refused: int = 0
    taken_over: int = 0
    notes: list[str] = field(default_factory=list)

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
    except (ValueError, RecursionError) as error:
        raise DataError(f"row is not JSON ({error}), {wanted}") from None
    if not isinstance(row, dict):
        raise DataError(f"row is a {type(row).__name__}, {wanted}")
    return row


@dataclass
class Feed:
    """Rows to answer, with the folder that they name files in.

    columns: their own, in order; names: what `answer`, `confidence`, `error` ... are called beside them; named: words
    without places that nobody knows of, see `Source.named`.
    """

    rows: Iterator[RawRow]
    root: Path
    columns: list[str]
    allowed: Sequence[Path] = ()
    named: Callable[[str], str] = str
    names: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = free_names(ANSWER, self.columns)


def answer_file(
    predictor: Predictor, source: str, to: Path | None, release: str = "", allowed: Sequence[Path] = ()
) -> Counts:
    """Answers each row of a table into a CSV or JSONL file, or as JSONL to stdout; the row's own columns are kept. A
    picture is a row by itself, a folder a row for each picture in it, where a picture is all that the product reads.

    A file to write appears when it is whole. Killed before, the same call goes on where it was: with the same source,
    unchanged, and the same release. allowed: folders beside the file's own that its rows may name files in.
    Raises: DataError, SpecError: the file cannot be read, or its ending is not known.
    """
    if to is not None and to.suffix.lower() not in WRITTEN:
        raise SpecError(f"'{to}' ends in '{to.suffix}', expected {expected(WRITTEN)}")
    with _opened(source, predictor.manifest.inputs, allowed) as (feed, warnings):
        if outputs.get(predictor.manifest.output.kind).has_intervals:
            feed.names = free_names((*ANSWER, *ENDS), feed.columns)
        counts = _to_stdout(predictor, feed) if to is None else _to_file(predictor, feed, to, _mark(source, release))
        counts.notes[:0] = dict.fromkeys(warnings)
    own = [name for name in ANSWER if name in feed.columns]
    if own:
        shown = ", ".join(f"'{name}'" for name in own)
        counts.notes.append(f"columns of the file are kept ({shown}): answers are in '{feed.names['answer']}'")
    return counts


def _to_stdout(predictor: Predictor, feed: Feed) -> Counts:
    counts = Counts()
    while chunk := list(islice(feed.rows, CHUNK)):
        _write_json_lines(sys.stdout, _counted(counts, chunk, _answers(predictor, chunk, feed)), feed.names)
    return counts


def _to_file(predictor: Predictor, feed: Feed, to: Path, mark: list[Any]) -> Counts:
    with naming(to), Unfinished(to, mark, feed) as unfinished:
        counts = unfinished.counts
        for _ in islice(feed.rows, counts.total):
            pass
        while chunk := list(islice(feed.rows, CHUNK)):
            unfinished.write(_counted(counts, chunk, _answers(predictor, chunk, feed)))
    if unfinished.left_out:
        shown = ", ".join(f"'{name}'" for name in sorted(unfinished.left_out)[:8])
        counts.notes.append(f"columns that the first {CHUNK} rows lack were left out of the CSV: {shown}")
    return counts


def _mark(source: str, release: str) -> list[Any]:
    """What must be the same for an answer to be the same; nothing where that is not known, as of stdin."""
    if source == "-" or not release:
        return []
    place = file_and_sheet(Path(source))[0]
    stamps = [[str(path), path.lstat().st_size, path.lstat().st_mtime_ns] for path in _pictures_below(place)]
    seen = place.stat()
    mark = [str(Path(source).resolve()), seen.st_size, seen.st_mtime_ns, release]
    return [*mark, fingerprint(stamps)] if stamps else mark


def _counted(counts: Counts, chunk: list[RawRow], results: list[Answer | str]) -> list[Line]:
    counts.answered += sum(isinstance(result, Answer) for result in results)
    counts.refused += sum(isinstance(result, str) for result in results)
    return [(raw.values or {}, result) for raw, result in zip(chunk, results, strict=True)]


@contextmanager
def _opened(source: str, inputs: Sequence[Column], allowed: Sequence[Path]) -> Iterator[tuple[Feed, list[str]]]:
    """The rows of a file, of pictures, or of stdin; with the warnings of whoever reads them."""
    if source == "-":
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # a row with broken bytes is refused
        rows = (row_of(number, line) for number, line in enumerate(sys.stdin, 1) if line.strip())
        first = list(islice(rows, CHUNK))
        yield Feed(chain(first, rows), Path.cwd(), _columns_of(first), allowed), []
        return
    if Path(source).is_dir() or Path(source).suffix.lower() in SUFFIXES:
        yield _pictures(Path(source), inputs, allowed)
        return
    with TemporaryDirectory(prefix="windlass-") as folder:
        found = table(Path(source), Path(folder))
        is_ragged = found.read is read_objects  # its rows need not have the same columns
        columns = _columns_of(found.rows() if is_ragged else _first_whole(found.rows()))
        found.warnings.clear()
        yield Feed(found.rows(), found.root.resolve(), columns, allowed, found.named), found.warnings


def _pictures(path: Path, inputs: Sequence[Column], allowed: Sequence[Path]) -> tuple[Feed, list[str]]:
    """A row for each picture, named from the folder; with what was left out.

    Raises: DataError: no picture there, or the product reads something else, too.
    """
    what, names = "a folder" if path.is_dir() else "a picture", list(dict.fromkeys(column.name for column in inputs))
    if len(names) != 1 or not kinds.get(inputs[0].kind).file_of("picture.png"):
        raise DataError(
            f"{path} is {what}, expected a file with {listed(names)}",
            "a CSV names a picture a row, and holds the other columns" if len(names) > 1 else "",
        )
    if not path.exists():
        raise DataError(f"{path} does not exist, expected a picture, or a folder of pictures")
    found = _pictures_below(path) if path.is_dir() else [path]
    if not found:
        raise DataError(f"{path} holds no picture, expected {expected(SUFFIXES)}")
    root = path if path.is_dir() else path.parent
    rows = (RawRow(number, {names[0]: str(each.relative_to(root))}) for number, each in enumerate(found, 1))
    n_others = len(files_below(path)) - len(found) if path.is_dir() else 0
    notes = [f"{n_others:,} files of {path} are no pictures by their endings: left out"] if n_others else []
    named = [] if path.is_dir() else [path.resolve()]  # a link that was named by hand is meant
    return Feed(rows, root.resolve(), names, [*allowed, *named]), notes


def _pictures_below(path: Path) -> list[Path]:
    return [each for each in files_below(path) if each.suffix.lower() in SUFFIXES] if path.is_dir() else []


def _first_whole(rows: Iterator[RawRow]) -> list[RawRow]:
    return list(islice((raw for raw in rows if raw.values is not None), 1))


def _columns_of(rows: Iterable[RawRow]) -> list[str]:
    return list(dict.fromkeys(name for raw in rows for name in raw.values or {}))


def _answers(predictor: Predictor, chunk: list[RawRow], feed: Feed) -> list[Answer | str]:
    """An answer a row, or the reason why there is none: the chunk at once, row by row when one of them is bad."""
    whole = [raw.values for raw in chunk if raw.values is not None]
    if len(whole) == len(chunk):
        try:
            for values in whole:
                _check_files(predictor, values, feed)
            return list(predictor.answer(whole, feed.root))
        except DataError:
            pass
    return [_answer(predictor, raw, feed) for raw in chunk]


def _answer(predictor: Predictor, raw: RawRow, feed: Feed) -> Answer | str:
    if raw.values is None:
        return f"row {raw.number} {raw.fault}"
    try:
        _check_files(predictor, raw.values, feed)
        return predictor.answer([raw.values], feed.root)[0]
    except DataError as error:
        return f"row {raw.number}: {feed.named(error.message).removeprefix('row 0, ')}"


def _check_files(predictor: Predictor, values: Mapping[str, Any], feed: Feed) -> None:
    inputs = {column.name: kinds.get(column.kind) for column in predictor.manifest.inputs}
    check_files(values, inputs, feed.root, feed.allowed)


class Unfinished:
    """A file that is being written: aside, with a journal of how much of it is on disk.

    mark: of what it is made from; a journal with another one, or an empty one, is of no use and the file begins anew.
    """

    def __init__(self, to: Path, mark: list[Any], feed: Feed) -> None:
        self.to, self.mark, self.feed = to, mark, feed
        self.aside, self.journal = (to.with_name(f".{to.name}.{word}") for word in ("part", "journal"))
        self.counts = Counts()
        self.left_out: set[str] = set()
        self._saved = time.monotonic()

    def __enter__(self) -> "Unfinished":
        size = self._known()
        self._is_new = not size
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
        if self.to.suffix.lower() == ".csv":
            self._write_csv(text, lines)
        else:
            _write_json_lines(text, lines, self.feed.names)
        self._file.write(text.getvalue().encode("utf-8", "replace"))
        if time.monotonic() - self._saved >= SAVE_S:
            self._save()

    def _write_csv(self, text: TextIO, lines: list[Line]) -> None:
        """The file's own columns, then those of the answer."""
        names = self.feed.names
        columns = [*self.feed.columns, *names.values()]
        for values, _ in lines:
            self.left_out |= values.keys() - set(self.feed.columns)
        rows = ({**values, **_columns(result, names)} for values, result in lines)
        text.write(as_csv(columns, rows, with_header=self._is_new))
        self._is_new = False

    def _known(self) -> int:
        """Bytes that are written for good; what is known of them is taken over."""
        try:
            values = read_json(self.journal)
        except NotReady:
            return 0
        except WindlassError:
            logger.warning("%s cannot be read: answering begins anew", self.journal, exc_info=True)
            return 0
        is_same = self.mark and isinstance(values, dict) and values.get("mark") == self.mark
        if not is_same or not self.aside.is_file() or self.aside.stat().st_size < values["size"]:
            return 0
        self.counts = Counts(values["answered"], values["refused"])
        self.counts.taken_over = self.counts.total
        return int(values["size"])

    def _save(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        counts = {"answered": self.counts.answered, "refused": self.counts.refused}
        journal = {"mark": self.mark, "size": self._file.tell(), **counts}
        write_json(self.journal, journal)
        self._saved = time.monotonic()


def _columns(result: Answer | str, names: Mapping[str, str]) -> dict[str, Any]:
    said: tuple[Any, ...] = (None, None, result, None)
    if not isinstance(result, str):
        said = (result.value, result.as_json()["confidence"], None, "; ".join(result.evidence) or None)
    ends = (None, None) if isinstance(result, str) or result.interval is None else result.interval[:2]
    return dict(zip(names.values(), (*said, *ends)[: len(names)], strict=True))


def _write_json_lines(file: TextIO, lines: list[Line], names: Mapping[str, str]) -> None:
    """A row that has a column of that name, where those before it had none, gets names of its own."""
    for values, result in lines:
        free = names if values.keys().isdisjoint(names.values()) else free_names(tuple(names), values)
        told = {**values, **_columns(result, free)}
        line = json.dumps(told, ensure_ascii=False, default=written)
        file.write((json.dumps(told, default=written) if has_surrogate(line) else line) + "\n")
