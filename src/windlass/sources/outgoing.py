"""CSV that leaves the house: what a spreadsheet would run is marked, and our own files are read without marks.

The mark is one `'` before the cell. A cell that would look marked gets one more, so that every text comes back as it
was; numbers such as -3.5 stay numbers. Files of others are read as they are: their `'` may be meant.
Source: CSV Injection, OWASP (https://owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any

MARK = "'"
RUNS = re.compile(r"'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")
"""What a spreadsheet takes for a formula, behind any number of marks."""
HARMLESS = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?%?|-+")
ANSWER = ("answer", "confidence", "error", "evidence")
"""The columns that are added to rows which were answered."""
ENDS = ("low", "high")
"""Those beside them where an answer has an interval."""
TAUGHT = ("id", "answered", "confidence", "caller", "reason")
"""Those that are added to rows for a person: `id`, `answered`, and some of the others."""
OURS = (("answer", "confidence", "error"), ("id", "answered", "confidence"), ("id", "answered", "caller", "reason"))


def written(value: Any) -> Any:
    """The value as text or number: days and times as ISO 8601, truth values and what is nested as JSON has them."""
    if isinstance(value, bool | dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=written)
    if isinstance(value, date | time):
        return value.isoformat()
    return value if isinstance(value, str | int | float) or value is None else str(value)


def guarded(value: Any) -> Any:
    """The value as a cell that no spreadsheet runs."""
    if isinstance(value, str) and RUNS.match(value) and not HARMLESS.fullmatch(value.strip()):
        return MARK + value
    return value


def unescape_formula(cell: str) -> str:
    """The value of a cell of one of our own files."""
    return cell[1:] if cell.startswith(MARK) and RUNS.match(cell[1:]) else cell


def free_names(words: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
    """The words as names of columns beside those that are there: all as they are, or all with the first free number."""
    there, number, ending = set(taken), 0, ""
    while any(f"{word}{ending}" in there for word in words):
        number += 1
        ending = f"_{number}"
    return {word: f"{word}{ending}" for word in words}


def is_ours(header: Sequence[str]) -> bool:
    """True for a file that has columns which only we add, with a number or without."""
    names = set(header)
    endings = {"", *(found.group() for name in header if (found := re.search(r"_\d+\Z", name)))}
    return any({f"{word}{end}" for word in words} <= names for words in OURS for end in endings)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], with_header: bool = True) -> str:
    """The rows as CSV, guarded; a column that a row lacks is empty, one that is not among `columns` is left out."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")  # of other endings, Python 3.12 quotes only their own
    if with_header:
        writer.writerow([guarded(name) for name in columns])
    writer.writerows([guarded(written(row.get(name))) for name in columns] for row in rows)
    return text.getvalue()
