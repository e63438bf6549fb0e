"""Tables for spreadsheets: what a person reads is what was there, and nothing of it is a formula."""

import csv
import io
import zipfile
from xml.etree import ElementTree

import polars as pl
import pytest

from windlass.pages.text.spreadsheets import csv_lines, xlsx

FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1+1", "\r=cmd|' /C calc'!A0", "\n@x"]


def csv_of(rows: list[list]) -> list[list[str]]:
    content = b"".join(csv_lines(["a"], rows))
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_never_begins_as_a_formula_does(text: str) -> None:
    assert csv_of([[text]]) == [["a"], [f"'{text}"]]
    with zipfile.ZipFile(io.BytesIO(xlsx(["a"], [[text]]))) as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert sheet.count('t="inlineStr"') == 2


def test_other_texts_and_numbers_stay_what_they_are() -> None:
    assert csv_of([["a-b", -2.5, 3, True, None, float("nan"), "订单，退款"]])[1] == [
        "a-b", "-2.5", "3", "TRUE", "", "", "订单，退款"
    ]  # fmt: skip


def test_another_program_reads_the_workbook() -> None:
    rows = [['订单 <&> "x"', -2.5, 3, True], ["bad \x0b \ud800", None, float("inf"), False]]
    content = xlsx(["text", "half", "whole", "truth"], rows)
    pytest.importorskip("fastexcel")
    found = pl.read_excel(io.BytesIO(content))
    assert found.columns == ["text", "half", "whole", "truth"]
    assert found.rows() == [('订单 <&> "x"', -2.5, 3, True), ("bad \ufffd \ufffd", None, None, False)]
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        assert all(ElementTree.fromstring(package.read(name)) is not None for name in package.namelist())
