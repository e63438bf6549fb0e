"""The JSON codec looks at a large body in small steps, and sees the same as in one."""

import json
import random
from typing import Any

import pytest

from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault

SIGNS = ('"', '"', "\\", "[", "]", "{", "}", ",", "x", " ", "\\u", "\n", "卡")


def bare(text: str) -> str:
    """What stands outside of strings, by one pattern over the whole."""
    return codec.STRING.sub("", text)


def test_what_stands_outside_of_strings_is_the_same_in_pieces() -> None:
    """Any text, JSON or not, cut at any place."""
    chance = random.Random(7)
    for size in (2, 3, 5, 8):
        for _ in range(2_000):
            text = "".join(chance.choices(SIGNS, k=chance.randrange(30)))
            assert "".join(codec._outside(text, size)) == bare(text), text


def test_no_step_looks_at_more_than_a_piece() -> None:
    """While a pattern looks at a text, no other thread runs."""
    pieces = list(codec._outside("[" * 1_000 + '"' + '\\"' * 1_000 + '"' + "," * 1_000, 100))
    assert max(map(len, pieces)) <= 100
    assert len("".join(pieces)) == 2_000


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("[" + ",".join(["1"] * 100_002) + "]", "more than 100,000 values"),
        ("[" * 33 + '"' + "x" * 300_000 + '"' + "]" * 33, "deeper than 32"),
        ('["\\ud83d", "' + "x" * 300_000 + '"]', "surrogate"),
        ('{"a": {"\\udc00": "' + "x" * 300_000 + '"}}', "surrogate"),
    ],
)
def test_a_large_body_is_refused_for_what_a_small_one_is(body: str, says: str) -> None:
    with pytest.raises(Fault, match=says):
        codec.loads(body.encode())


@pytest.mark.parametrize(
    "value",
    [
        ["[" * 50 + "," * 200_000],
        {"rows": [{"text": '\\"[' * 100_000}] * 40},
        [["😀" * 100_000, "\\ud83d"]],
        {"a": "x" * 262_143 + "\\", "b": [[[]]] * 50},
    ],
)
def test_a_large_body_means_what_another_reader_takes_it_for(value: Any) -> None:
    """Brackets and commas inside of strings count for nothing; both forms of escapes are read."""
    assert codec.loads(json.dumps(value).encode()) == value
    assert codec.loads(json.dumps(value, ensure_ascii=False).encode()) == value


ROWS = ('{"rows":[', "{", "}", "[", "]", '"a"', '"', ":", ",", "1", "\\\\", '\\"', "\\u5361", "\\ud83d", "卡", "]}")


def test_what_is_read_row_by_row_is_what_another_reader_reads() -> None:
    """Whatever follows the head: the same rows, or left to be read as a whole. Of right bodies none is left."""
    chance, n_read = random.Random(11), 0
    for size in (2, 5, 100):
        for _ in range(20_000):
            body = ('{"rows": [' + "".join(chance.choices(ROWS, k=chance.randrange(9))) + "]}").encode()
            rows = codec._row_by_row(body, size)
            if rows is not None:
                n_read += 1
                assert rows == json.loads(body)["rows"], body
        for value in ([{"a": 'x\\\\"[,]'}] * 3, ["卡", "\\", 1.5, [[{}]]], [{"a": None, "b": [True, {"c": "{"}]}]):
            for is_ascii in (True, False):
                text = json.dumps({"rows": value}, ensure_ascii=is_ascii, indent=chance.choice((None, 1)))
                assert codec._row_by_row(text.encode(), size) == value
    assert n_read > 1_000


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"a": "\\ud83d"}', "surrogate"),
        ('{"a": 1, "a": 2}', "key twice"),
        ("[" * 31 + "]" * 31, "deeper than 32"),
        ("1e999", "1.8e308"),
        ("[1}", "is not JSON at character"),
        ("", "is not JSON at character"),
    ],
)
def test_a_large_body_of_rows_is_refused_for_what_a_small_one_is(row: str, says: str) -> None:
    """17 bytes stand before the text of 1,100,000, and five between it and the broken byte."""
    body = '{"rows": [{"a": "' + "x" * 1_100_000 + '"}, ' + row + "]}"
    with pytest.raises(Fault, match=says):
        codec.loads(body.encode())
    with pytest.raises(Fault, match="not UTF-8 at byte 1100022"):
        codec.loads(b'{"rows": [{"a": "%s"}, "\xff"]}' % (b"x" * 1_100_000))
