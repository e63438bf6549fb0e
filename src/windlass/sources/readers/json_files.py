"""Rows from JSON: an object a line, objects over several lines, or an array of objects; every broken one is named."""

import json
from collections.abc import Iterator
from typing import Any, TextIO

from windlass.errors import DataError
from windlass.sources.contract import MOST_COLUMNS, RawRow, Source
from windlass.sources.readers.encodings import fault_of, open_text

N_SHOWN = 200
MAX_CHARACTERS = 500_000_000
"""Of a file that is not a row a line: it is held in memory while it is read."""
LIST_KEYS = ("data", "rows", "records", "items", "examples", "instances", "results", "train")
"""What the one list of rows in a JSON document is called."""
SPACE = " \t\r\n\ufeff"


def read_objects(source: Source) -> Iterator[RawRow]:
    """Rows of a file with one JSON object a line, or of a document over several lines.

    Raises: DataError: not text, too large to be read at once, or columns where rows are expected.
    """
    with open_text(source) as file:
        if _is_a_row_a_line(file):
            yield from (row_of(number, line) for number, line in enumerate(file, 1) if line.strip(SPACE))
            return
        text = file.read(MAX_CHARACTERS + 1)
    if len(text) > MAX_CHARACTERS:
        raise DataError(
            f"{source.path} is JSON over several lines with more than {MAX_CHARACTERS:,} characters, "
            "expected an object a line",
            "`jq -c '.[]' data.json > data.jsonl` writes it so",
        )
    yield from _document(text, source)


def _is_a_row_a_line(file: TextIO) -> bool:
    """True unless a document begins; the file is at its beginning again.

    A first line that is cut off, with a whole row below it, begins none.
    """
    lines = (line.strip(SPACE) for line in iter(file.readline, "") if line.strip(SPACE))
    first, second = next(lines, ""), next(lines, "")
    file.seek(0)
    if not first.startswith(("{", "[")):
        return True
    return bool(second) and (_is_json(first) or (first.startswith("{") and _is_json(second)))


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def row_of(number: int, text: str) -> RawRow:
    """The row that a line is, or what is wrong with it."""
    try:
        values = json.loads(text.strip(SPACE))
    except (ValueError, RecursionError) as error:
        return RawRow(number, None, f"is not JSON ({str(error)[:80]}): cut off?", text[:N_SHOWN])
    return _checked(number, values, text)


def _checked(number: int, values: Any, text: str) -> RawRow:
    if not isinstance(values, dict):
        return RawRow(number, None, f"is {type(values).__name__}, expected an object with the columns", text[:N_SHOWN])
    if len(values) > MOST_COLUMNS:
        fault = f"has {len(values):,} fields, expected at most {MOST_COLUMNS:,}"
        return RawRow(number, None, fault, text[:N_SHOWN])
    if fault := fault_of(text):
        return RawRow(number, None, fault, text[:N_SHOWN])
    return RawRow(number, values)


def _document(text: str, source: Source) -> Iterator[RawRow]:
    """The objects of an array, or one after the other; what follows a broken one is not read, which is a fault."""
    place = _after_space(text, 0)
    in_array = text.startswith("[", place)
    if not in_array and (inner := _list_inside(text, place, source)) is not None:
        yield from (_checked(number, values, json.dumps(values)[:N_SHOWN]) for number, values in enumerate(inner, 1))
        return
    place, line, counted = place + in_array, 1, 0
    decoder = json.JSONDecoder()
    while (place := _after_space(text, place)) < len(text) and not (in_array and text[place] == "]"):
        line, counted = line + text.count("\n", counted, place), place
        try:
            values, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            words = f"is not JSON ({str(error)[:80]}), and what follows it is not read: cut off?"
            yield RawRow(line, None, words, text[place : place + N_SHOWN])
            return
        yield _checked(line, values, text[place:end])
        place = _after_space(text, end)
        place += text.startswith(",", place)
    if in_array and text[place:].strip(SPACE) != "]":
        words = "has more behind its array" if place < len(text) else "ends inside its array: cut off?"
        yield RawRow(1 + text.count("\n", 0, place), None, words, text[place : place + N_SHOWN])


def _after_space(text: str, place: int) -> int:
    while place < len(text) and text[place] in SPACE:
        place += 1
    return place


def _list_inside(text: str, place: int, source: Source) -> list[Any] | None:
    """The rows of a document `{"data": [...]}`; None for another one. Raises: DataError: it holds columns."""
    if source.path.suffix.lower() != ".json":
        return None
    try:
        values = json.loads(text[place:])
    except (ValueError, RecursionError):
        return None
    lists = {key: each for key, each in values.items() if isinstance(each, list) and each}
    for key in LIST_KEYS:
        if isinstance(lists.get(key), list) and all(isinstance(each, dict) for each in lists[key]):
            source.warnings.append(f"{source.path.name}: rows are those of '{key}'")
            return lists[key]
    if values and all(map(_is_column, values.values())):
        raise DataError(
            f"{source.path} holds a list for each column, expected a list of rows",
            "pandas writes it by `to_json(path, orient='records')`",
        )
    return None


def _is_column(value: Any) -> bool:
    cells = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return len(cells) > 1 and not any(isinstance(cell, dict | list) for cell in cells)
