"""Dirty tables by chance through `init`, `collect` and `prepare`: each is read, or refused in words; no traceback.

Usage: python benchmarks/fuzz_tables.py [--tables 10000] [--seed 1]
A table that ends in a traceback is printed, shrunk. The test in `tests/sources/test_dirty_tables.py` tries fewer.
"""

import argparse
import csv
import io
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from goals import Goal, record
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from windlass.errors import WindlassError
from windlass.sources.guess import write_guess
from windlass.spec import load
from windlass.stages.collect import collect
from windlass.stages.prepare import prepare
from windlass.store.store import Store

MOST_COLUMNS, MOST_ROWS = 5, 40
NAMES = (
    "label", "id", "text", "age", "preis", "when", "标签", "answer", "messages",
    "y", "image", "Ünïcode", "a b", "x:y", "",
    "*", "^a$", "value", "len", "_split", "n", "null", "True", "#", "- x", "a\nb", "{", "'", "output", "reply",
    "\u202e",
    "é" * 80,
)  # fmt: skip
ODD = (
    "", " ", "?", "NA", "unknown", "inf", "-inf", "nan", "1e400", "五星", "Total", "#REF!", "#DIV/0!", "=1+1", "-",
    "--", "0x1F", "1_000", "1,234", "1.234,5", "12%", "$5", "($3.00)", "€ 1.000,00", "9007199254740993", "1" * 400,
    "1" * 5000, "16:32:31", "25:99", "192.168.0.1", "a@b.cd", "AB-12-X", "1.2.30", "2026-02-30", "31/12/2026",
    "13/13/2026", "00.00.0000", "20210930", "99999999", "２０２６年３月１日", "Dec 31, 2026", "Foo 31, 2026",
    "31-Dec-26", "2026-03-31T25:00:00+99:99", "true", "TRUE", "yes", " yes ", "YES", "ja\u200b", "\ufeff", "a;b",
    "a|b", "[1, 2]", '{"a": 1}', "x.png", "/etc/passwd", "../x.jpg", "a" * 600, "word " * 300, "字" * 300, "\x00",
    "\x1b[31m", "\u2028", "\r", "🙂", "<b>", "`x`", "@id", "+1", "½", "Ⅷ", "²", "१२", "é",
    "000000000000000000000000000000", "-0.0", ".5", "5.", "+", ",", ".", "1,2,3", "1 2 3", "(", ")", "'",
)  # fmt: skip
OTHER = (None, True, False, 0, -1, 2.5, 1e308, 10**18 + 1, 10**30, [], ["a"], [1, None], {}, {"a": [1]}, float("nan"),
         float("inf"))  # fmt: skip
"""What JSON can bring beside texts; NaN and infinity as Python writes them."""


@dataclass(frozen=True)
class Dirty:
    """A table as it came to be: rows of values under names, in a form; broken: bytes that are put in the middle."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    form: str
    output: bool
    broken: bytes


def _column(n_rows: int) -> st.SearchStrategy[list[Any]]:
    """One sort of values with some strange ones among them."""
    numbers = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6), st.integers(2**53, 2**60)).map(str)
    forms = st.sampled_from(("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y"))
    dates = st.builds(lambda day, form: f"{day:{form}}", st.dates(), forms)
    amounts = st.floats(0, 1e6)
    money = amounts.map(lambda value: f"${value:,.2f}") | amounts.map(lambda value: f"{value:.1f}".replace(".", ","))
    labels = st.sampled_from(("yes", "no", "Yes", " no", "a;b", "b", "1", "1.0"))
    words = st.sampled_from(("card", "lost", "the", "我的", "卡", "please", "5"))
    sentences = st.lists(words, min_size=1, max_size=9).map(" ".join)
    others = (st.text(max_size=12), st.sampled_from(ODD))
    usual = st.sampled_from((numbers, dates, money, labels, labels, sentences, *others))

    def mixed(sort: st.SearchStrategy[str]) -> st.SearchStrategy[list[Any]]:
        strange = st.one_of(st.sampled_from(ODD), st.sampled_from(OTHER), st.text(max_size=5))
        rarely = st.integers(0, 19).flatmap(lambda chance: strange if chance == 0 else sort)
        return st.lists(st.one_of(sort, rarely), min_size=n_rows, max_size=n_rows)

    return usual.flatmap(mixed)


@st.composite
def tables(draw: Any) -> Dirty:
    """Tables of every sort that people have, with what should not be in them."""
    name = st.one_of(st.sampled_from(NAMES), st.text(max_size=6))
    names = draw(st.lists(name, min_size=1, max_size=MOST_COLUMNS, unique=True))
    n_rows = draw(st.integers(0, MOST_ROWS))
    columns = [draw(_column(n_rows)) for _ in names]
    if draw(st.booleans()):  # as many rows as guesses need
        columns = [column * draw(st.integers(1, 3)) for column in columns]
        n_rows = min(map(len, columns))
    rows = tuple(tuple(column[number] for column in columns) for number in range(n_rows))
    broken = draw(st.sampled_from((b"", b"", b"", b'"', b"\x00", b"\xff\xfe", b"\n\n", b",,,,\n", b"\xc3\x28")))
    return Dirty(tuple(names), rows, draw(st.sampled_from(("csv", "jsonl", "parquet"))), draw(st.booleans()), broken)


def write(table: Dirty, folder: Path) -> Path:
    """The table as a file."""
    path = folder / f"data.{table.form}"
    if table.form == "parquet":
        columns = {name: [row[place] for row in table.rows] for place, name in enumerate(table.names)}
        pl.DataFrame([_series(name, values) for name, values in columns.items()]).write_parquet(path)
        return path
    if table.form == "jsonl":
        lines = [json.dumps(dict(zip(table.names, row, strict=True))) for row in table.rows]
        content = "".join(f"{line}\n" for line in lines).encode()
    else:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(table.names)
        writer.writerows(table.rows)
        content = text.getvalue().encode("utf-8", "replace")
    middle = len(content) // 2
    path.write_bytes(content[:middle] + table.broken + content[middle:])
    return path


def _series(name: str, values: Sequence[Any]) -> pl.Series:
    """The values in their own type where they share one, else as texts; some as dates."""
    plain = [value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in values]
    name = name.encode("utf-8", "replace").decode()
    try:
        found = pl.Series(plain, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        found = pl.Series([None if value is None else str(value) for value in plain], dtype=pl.String)
    is_day = found.dtype == pl.String and len(name) % 3 == 0
    return (found.str.to_date("%Y-%m-%d", strict=False) if is_day else found).alias(name)


def survives(table: Dirty, guess: Callable[[Path, Path, str], object] = write_guess) -> str:
    """What became of the table: 'prepared', or the kind of refusal. Raises: what a user would see as a traceback.

    guess: what writes the specification, as `init` does.
    """
    with tempfile.TemporaryDirectory(prefix="windlass-fuzz-") as place:
        folder = Path(place)
        path = write(table, folder)
        try:
            guess(path, folder, table.names[-1] if table.output else "")
            spec, store = load(folder), Store(folder)
            collected = collect(spec, store)
            if collected.rows_in != collected.accepted + collected.rejected:
                raise AssertionError("rows in are not accepted + rejected")
            prepare(spec, store)
        except WindlassError as error:
            return type(error).__name__
    return "prepared"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    seen: dict[str, int] = {}
    started = time.monotonic()

    @seeded(asked.seed)
    @settings(max_examples=asked.tables, deadline=None, database=None, suppress_health_check=list(HealthCheck),
              phases=[Phase.generate, Phase.shrink])  # fmt: skip
    @given(tables())
    def all_survive(table: Dirty) -> None:
        word = survives(table)
        seen[word] = seen.get(word, 0) + 1

    all_survive()
    n_tables, took = sum(seen.values()), time.monotonic() - started
    told = ", ".join(f"{count:,} {word}" for word, count in sorted(seen.items()))
    note = f"init, collect and prepare of CSV, JSON lines and Parquet; {told}; {took:.0f} s; seed {asked.seed}"
    record(Goal(
        "mended", "10,000 fuzzed tables: no traceback", "0 tracebacks of 10,000", f"0 of {n_tables:,}",
        n_tables >= 10_000, note,
    ))  # fmt: skip


if __name__ == "__main__":
    main()
