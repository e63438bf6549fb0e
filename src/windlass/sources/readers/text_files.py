"""Rows from CSV files, and passages from plain text: any common encoding, every broken line named."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TextIO

from windlass.sources.contract import RawRow, Source
from windlass.sources.readers import grid
from windlass.sources.readers.encodings import fault_of, open_text

DELIMITERS = ",;\t|"
MAX_FIELD = 10_000_000
N_SNIFFED, SNIFFED_CHARACTERS = 100, 200_000
"""Lines, and characters of them, that a delimiter is looked for in."""
SEPARATOR = re.compile(r'"?sep=(.)"?[;,\t|]*\s*', re.IGNORECASE)
"""The line that tells Excel which delimiter follows."""
PASSAGE = 20_000
"""Characters of a plain text that make a row: long enough that few beginnings lack what stood before."""


def read_csv(source: Source) -> Iterator[RawRow]:
    """Rows of a CSV file with a header; the delimiter is found, or said by a first line `sep=;`.

    Raises: DataError: not text, no header, or one that names a column twice.
    """
    csv.field_size_limit(MAX_FIELD)
    with open_text(source) as file:
        said = SEPARATOR.fullmatch(file.readline(100).lstrip("\ufeff"))
        if not said:
            file.seek(0)
        lines = list(islice(_bounded(file), N_SNIFFED))
        delimiter = said[1] if said else _delimiter(lines, source)
        file.seek(0)
        if said:
            file.readline()
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        yield from grid.rows(_records(reader, 1 if said else 0), source)


def _bounded(file: TextIO) -> Iterator[str]:
    """Lines until there are enough characters of them; a longer line is cut."""
    left = SNIFFED_CHARACTERS
    while left > 0 and (line := file.readline(left)):
        left -= len(line)
        yield line


def _records(reader: Any, n_before: int) -> Iterator[grid.Record]:
    while True:
        line = reader.line_num + 1 + n_before
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = reader.line_num + n_before
            where = f", up to line {last}" if last > line else ""
            yield grid.Record(line, fault=f"cannot be read: {error} (a quote that is never closed{where}?)")
            continue
        yield grid.Record(line, cells)


def _delimiter(lines: Sequence[str], source: Source) -> str:
    """The delimiter of the first line when the lines below have as many fields, else the one most lines agree on."""
    first = next((line for line in lines if line.strip()), "")
    in_first = max(DELIMITERS, key=first.count)
    if source.path.suffix.lower() in (".tsv", ".tab") and "\t" in first:
        return "\t"
    n_fields = {mark: _fields(lines, mark) for mark in DELIMITERS}
    below = n_fields[in_first][1:]
    wide = n_fields[in_first][0] if n_fields[in_first] else 0
    if wide > 1 and sum(count >= wide for count in below) >= len(below) / 2:
        return in_first
    agreed = {mark: _agreement(counts) for mark, counts in n_fields.items()}
    best = max(DELIMITERS, key=lambda mark: agreed[mark])
    return best if agreed[best] >= grid.WIDTH_SHARE else in_first


def _fields(lines: Sequence[str], mark: str) -> list[int]:
    """How many fields each record has; the last one may be cut."""
    try:
        counts = [len(cells) for cells in csv.reader(lines, delimiter=mark) if cells]
    except csv.Error:
        return []
    return counts[:-1] if len(lines) >= N_SNIFFED else counts


def _agreement(counts: Sequence[int]) -> float:
    """The share of records that have as many fields as most have, when that is more than one."""
    most = max(set(counts), key=counts.count, default=0)
    return counts.count(most) / len(counts) if most > 1 else 0.0


def read_passages(source: Source) -> Iterator[RawRow]:
    """A plain text in passages that end with a line, in its order: nothing is asked, the text is what is written."""
    line, passage, first = 0, "", 1
    with open_text(source) as file:
        for line, text in enumerate(file, 1):
            passage += text
            if len(passage) >= PASSAGE:
                yield _passage(first, passage, source)
                passage, first = "", line + 1
    if passage.strip():
        yield _passage(first, passage, source)


def _passage(line: int, text: str, source: Source) -> RawRow:
    fault = fault_of(text)
    return RawRow(line, None if fault else {source.names.image: "", source.names.label: text}, fault)
