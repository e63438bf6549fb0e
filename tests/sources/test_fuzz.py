"""Whatever bytes a file holds: rows, faults or an error in words, never a crash; rows in = accepted + rejected."""

import contextlib
import gzip
import io
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed import excel, zipped

from windlass.errors import WindlassError
from windlass.sources.contract import Names
from windlass.sources.places import find
from windlass.spec import parse
from windlass.stages.collect import collect
from windlass.store.store import Store

LINES = ["Sales 2024", "age,city,y", "31,Bern,no,", '42,"Oslo, ""N""",yes', "", "Total,73,", "age,city,y", "sep=;"]
ROWS = [{"age": 31, "city": "Bern", "y": "no"}, {"age": None, "city": "京都", "y": ["yes"]}, {"messages": [{}]}]
MARKS = [b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"\n", b",,,", b"\r", b"[", b"{", b"\x1a", b"\xff", b"\xd6\xd0"]
TABLE = ("\n".join(LINES[1:6]) + "\n") * 2
EXAMPLES = 60


def seed(name: str, folder: Path) -> bytes:
    """A whole file of the ending that the name has."""
    if name.endswith(".gz"):
        return gzip.compress(TABLE.encode())
    if name.endswith(".zip"):
        return zipped(folder / "seed.zip", {"train.csv": TABLE, "test.csv": TABLE}).read_bytes()
    if name.endswith(".xlsx"):
        sheet = [["age", "city", "y"], [31, "Bern", "no"], [42.5, None, "yes"]]
        return excel(folder / "seed.xlsx", {"Data": sheet}).read_bytes()
    if name.endswith(".parquet"):
        file = io.BytesIO()
        pl.DataFrame({"age": [31, None], "city": ["Bern", "Oslo"], "y": ["no", "yes"]}).write_parquet(file)
        return file.getvalue()
    if name.endswith(".npz"):
        file = io.BytesIO()
        np.savez_compressed(file, x=np.zeros((3, 4, 4), np.uint8), y=np.array([0, 1, 0]))
        return file.getvalue()
    if name.endswith(".json"):
        return json.dumps({"data": ROWS}, indent=1, ensure_ascii=False).encode()
    if name.endswith(".jsonl"):
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()
    return TABLE.encode()


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[float, str, bytes]]:
    """Where (share of the file), what is done there, and with which bytes."""
    place = st.floats(0, 1, allow_nan=False)
    action = st.sampled_from(["put", "over", "cut", "again", "rest"])
    some = st.one_of(st.sampled_from(MARKS), st.binary(max_size=8))
    return draw(st.lists(st.tuples(place, action, some), max_size=6))


def changed(content: bytes, made: list[tuple[float, str, bytes]]) -> bytes:
    for where, action, some in made:
        place = int(where * len(content))
        head, tail = content[:place], content[place:]
        content = {
            "put": head + some + tail,
            "over": head + some + tail[len(some) :],
            "cut": head + tail[len(some) + 1 :],
            "again": head + tail[:40] + tail,
            "rest": head or tail,
        }[action]
    return content


def read(content: bytes, name: str) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / name).write_bytes(content)
        for source in find(name, folder, Names("city", "y"), folder / "scratch"):
            for row in source.rows():
                assert (row.values is None) == bool(row.fault)
                assert row.number > 0
    finally:
        shutil.rmtree(folder)


NAMES = ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.zip", "a.csv.gz", "a.xlsx", "a.txt", "a.parquet", "a.npz"]


@pytest.mark.parametrize("name", NAMES)
def test_changed_bytes_are_read_or_refused_in_words(name, tmp_path):
    whole = seed(name, tmp_path)

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(changes())
    def holds(made):
        with contextlib.suppress(WindlassError):
            read(changed(whole, made), name)

    holds()


@settings(max_examples=2 * EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=12), st.just("1,2,3")), max_size=25))
def test_lines_in_any_order_are_counted_and_each_is_accepted_or_rejected(lines):
    """Through `collect`, as the product reads them."""
    folder = Path(tempfile.mkdtemp())
    values = {"name": "p", "data": "a.csv", "inputs": {"age": "number", "city": "text"}, "output": {"y": "category"}}
    try:
        (folder / "a.csv").write_text("\n".join(["age,city,y", *lines]), encoding="utf-8", errors="replace")
        record = collect(parse(json.dumps(values)), Store(folder))
        assert record.rows_in == record.accepted + record.rejected
    except WindlassError:
        pass
    finally:
        shutil.rmtree(folder)
