"""CSV that leaves the house runs in no spreadsheet, and comes back as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.sources.contract import Source
from windlass.sources.outgoing import ANSWER, as_csv, free_names, guarded, is_ours, unescape_formula
from windlass.sources.readers.text_files import read_csv

STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a cell a formula, by OWASP."""
DANGEROUS = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1,1)", "\t=1", "\r=1", "  =1", "＝1+1", '=HYPERLINK("x","y")',
]  # fmt: skip
NUMBERS = ["-3.5", "+5", "-1e-5", "-3,5", "-1,234.50", "-5%", "-", "--"]


@pytest.mark.parametrize("cell", DANGEROUS)
def test_a_formula_is_marked(cell):
    assert guarded(cell) == "'" + cell


@pytest.mark.parametrize("cell", [*NUMBERS, -3.5, 7, None, "a=b", "me@example.com", "'quoted'", ""])
def test_numbers_and_ordinary_texts_stay_what_they_are(cell):
    assert guarded(cell) == cell


@given(st.text(st.sampled_from("'=+-@\t\r\n a1.,;\"＝"), max_size=8))
def test_every_text_comes_back_and_none_that_leaves_begins_a_formula(text):
    """The control: without the mark, most of these begin one."""
    left = guarded(text)
    assert unescape_formula(left) == text
    assert not left.startswith(STARTS) or not any(character.isalpha() for character in left)


def test_a_file_of_ours_is_read_without_marks_and_anybody_elses_as_it_is(tmp_path):
    texts = [*DANGEROUS, *NUMBERS, "'=already marked", "''=twice", "'plain'", 'a "b", c\r\nd', "a\rb"]
    columns = ["=text", *ANSWER]
    path = tmp_path / "a.csv"
    rows = [{"=text": text, "answer": "x", "confidence": 0.5, "error": None} for text in texts]
    path.write_bytes(as_csv(columns, rows).encode())
    assert [row.values["=text"] for row in Source(path, "", read_csv).rows()] == texts
    kept = [line[0] for line in csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))]
    assert kept[:2] == ["'=text", "'=1+1"]
    path.write_text("text,label\n'=1+1,x\n'@home,y\n")
    assert [row.values["text"] for row in Source(path, "", read_csv).rows()] == ["'=1+1", "'@home"]


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        (["text", "answer", "confidence", "error", "evidence"], True),
        (["text", "answer", "answer_1", "confidence_1", "error_1", "evidence_1"], True),
        (["id", "text", "label", "answered", "confidence"], True),
        (["id", "text", "label", "answered", "caller", "reason"], True),
        (["text", "answer", "confidence"], False),
        (["text", "answer", "confidence_1", "error_1"], False),
    ],
)
def test_our_own_files_are_known_by_the_columns_that_only_we_add(header, ours):
    assert is_ours(header) is ours


def test_names_that_are_taken_get_the_first_free_number_all_together():
    assert free_names(ANSWER, ["text"]) == dict(zip(ANSWER, ANSWER, strict=True))
    assert list(free_names(ANSWER, ["confidence", "error_1"]).values()) == [f"{name}_2" for name in ANSWER]
