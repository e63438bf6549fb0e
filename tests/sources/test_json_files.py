"""JSON as programs write it: a row a line, pretty-printed, an array, or a document around one."""

import json

import pytest

from windlass.errors import DataError
from windlass.sources.contract import Source
from windlass.sources.readers.json_files import read_objects

ROWS = [{"text": "a", "y": "x", "more": {"k": [1, 2]}}, {"text": "b, ]\n", "y": "z"}, {"text": "c", "y": "x"}]


def read(tmp_path, content, name="a.jsonl"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = Source(path, "", read_objects)
    return list(source.rows()), source.warnings


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(json.dumps(row) for row in ROWS),
        "\n".join(json.dumps(row, indent=2) for row in ROWS),
        ",\n".join(json.dumps(row) for row in ROWS),
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "[" + ",\n".join(json.dumps(row) for row in ROWS) + "]\n\n",
        "\ufeff" + json.dumps(ROWS, indent=2),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_every_way_to_write_the_rows_gives_the_same(tmp_path, content, name):
    rows, warnings = read(tmp_path, content, name)
    assert [row.values for row in rows] == ROWS
    assert warnings == []


@pytest.mark.parametrize("indent", [None, 2])
def test_rows_inside_a_document_are_found_by_the_name_of_their_list(tmp_path, indent):
    rows, warnings = read(tmp_path, json.dumps({"version": 1, "data": ROWS}, indent=indent), "a.json")
    assert [row.values for row in rows] == ROWS
    assert warnings == ["a.json: rows are those of 'data'"]


def test_columns_in_place_of_rows_are_refused_with_the_way_to_write_rows(tmp_path):
    with pytest.raises(DataError, match="orient='records'"):
        read(tmp_path, json.dumps({"text": {"0": "a", "1": "b"}, "y": {"0": "x", "1": "z"}}), "a.json")


@pytest.mark.parametrize(
    ("content", "n_whole", "line", "words"),
    [
        ('[{"a": 1},\n{"a": 2},\n{"a": ', 2, 3, "what follows it is not read"),
        ('[{"a": 1},\n{"a": 2}\n', 2, 3, "ends inside its array: cut off?"),
        ('[\n{"a": 1}\n]\n{"b": 2}', 1, 3, "has more behind its array"),
        ('[{"a": 1},\n[1, 2],\n{"a": 2}]', 2, 2, "is list, expected an object"),
        ('{\n"a": 1\n}\n{\n"a": oops\n}\n{\n"a": 3\n}\n', 1, 4, "is not JSON"),
        ('{"text": "cut o\n{"a": 1}\n{"a": 2}\n', 2, 1, "is not JSON"),
        ('{"a": 1}\n{"a": "z\x00ero"}\n', 1, 2, "is not JSON"),
    ],
)
def test_what_is_broken_is_a_fault_with_its_line(tmp_path, content, n_whole, line, words):
    rows, _ = read(tmp_path, content, "a.json")
    bad = [row for row in rows if row.values is None]
    assert len(rows) - len(bad) == n_whole
    assert [row.number for row in bad] == [line]
    assert words in bad[0].fault


def test_nesting_without_end_is_a_fault_and_no_crash(tmp_path):
    rows, _ = read(tmp_path, "[" * 200_000, "a.json")
    assert [row.values for row in rows] == [None]
