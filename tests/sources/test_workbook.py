"""Workbooks that leave the house: another program reads what was there, and nothing of it is a formula."""

import io
import zipfile
from xml.etree import ElementTree

import polars as pl
import pytest

from windlass.sources.workbook import xlsx

FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1+1", "\r=cmd|' /C calc'!A0", "\n@x"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula(text: str) -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx(["a"], [[text]]))) as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert sheet.count('t="inlineStr"') == 2


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
