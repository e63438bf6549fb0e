"""Rows from CSV and JSON lines: any common encoding, every broken line named."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from windlass.errors import DataError
from windlass.sources.contract import RawRow, Source

SAMPLE_BYTES = 1_000_000
DELIMITERS = ",;\t|"
MAX_FIELD = 10_000_000
N_SHOWN = 200
PASSAGE = 20_000
"""Characters of a plain text that make a row: long enough that few beginnings lack what stood before."""


def encoding_of(path: Path) -> str:
    """The encoding: by the byte order mark, else UTF-8, else GB 18030 if that reads as Chinese, else Windows-1252.

    Raises: DataError: the file is empty or not text.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if not head.strip():
        raise DataError(f"{path} is empty, expected rows")
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return name
    if _decodes(path, "utf-8"):
        if b"\x00" in head:
            raise DataError(f"{path} holds zero bytes, expected text", "is it a spreadsheet or an archive?")
        return "utf-8"
    if b"\x00" in head:
        raise DataError(f"{path} is not text, expected CSV or JSON lines", "save a spreadsheet as CSV (UTF-8)")
    if _decodes(path, "gb18030") and _looks_chinese(head):
        return "gb18030"
    return "cp1252" if _decodes(path, "cp1252") else "latin-1"


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(SAMPLE_BYTES):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _looks_chinese(head: bytes) -> bool:
    """True when most characters beyond ASCII are common Chinese ones."""
    beyond = [character for character in head.decode("gb18030", "ignore") if character > "\x7f"]
    chinese = sum("\u4e00" <= character <= "\u9fff" or character in "，。！？：；、（）“”《》" for character in beyond)
    return bool(beyond) and chinese / len(beyond) > 0.8


def _open(source: Source) -> TextIO:
    encoding = encoding_of(source.path)
    if not encoding.startswith("utf-8"):
        source.warnings.append(f"{source.path.name} was read as {encoding}, not UTF-8: look whether accents are right")
    return source.path.open(encoding=encoding, newline="")


def read_csv(source: Source) -> Iterator[RawRow]:
    """Rows of a CSV file with a header; a row with another number of fields is a fault.

    Raises: DataError: no header, or a header that names a column twice or not at all.
    """
    csv.field_size_limit(MAX_FIELD)
    with _open(source) as file:
        delimiter = _delimiter(file.readline(), source.path)
        file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        header = [name.strip().lstrip("\ufeff") for name in next(reader)]
        _check_header(header, source.path)
        yield from _csv_rows(reader, header)


def _csv_rows(reader: Any, header: list[str]) -> Iterator[RawRow]:
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RawRow(line, None, f"cannot be read: {error} (a quote that is never closed?)")
            continue
        if not fields:
            continue
        if len(fields) != len(header):
            yield RawRow(line, None, f"has {len(fields)} fields, expected {len(header)}", ",".join(fields)[:N_SHOWN])
            continue
        yield RawRow(line, dict(zip(header, fields, strict=True)))


def _delimiter(first_line: str, path: Path) -> str:
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    return max(DELIMITERS, key=first_line.count) if first_line else ","


def _check_header(header: list[str], path: Path) -> None:
    if not any(header):
        raise DataError(f"{path} has no header, expected column names in its first line")
    for name in header:
        if header.count(name) > 1:
            what = f"names column '{name}' twice" if name else "has a column without a name"
            raise DataError(f"{path} {what}, expected each column once, named, in its first line")


def read_json_lines(source: Source) -> Iterator[RawRow]:
    """Rows of a file with one JSON object a line."""
    with _open(source) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _json_row(number, line)


def _json_row(number: int, line: str) -> RawRow:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return RawRow(number, None, f"is not JSON ({str(error)[:80]}): cut off?", line[:N_SHOWN])
    if not isinstance(values, dict):
        return RawRow(number, None, f"is {type(values).__name__}, expected an object with the columns", line[:N_SHOWN])
    return RawRow(number, values)


def read_passages(source: Source) -> Iterator[RawRow]:
    """A plain text in passages that end with a line, in its order: nothing is asked, the text is what is written."""
    names, line, passage, first = source.names, 0, "", 1
    with _open(source) as file:
        for line, text in enumerate(file, 1):
            passage += text
            if len(passage) >= PASSAGE:
                yield RawRow(first, {names.image: "", names.label: passage})
                passage, first = "", line + 1
    if passage.strip():
        yield RawRow(first, {names.image: "", names.label: passage})
