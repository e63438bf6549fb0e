"""Slices whose answers are farther off, or whose intervals fail, are told; what chance shows is not."""

import numpy as np

from windlass.metrics.numbers import NumberMarks
from windlass.outputs.contract import Shown
from windlass.outputs.numbers.report import report_sections
from windlass.outputs.numbers.slices import slices
from windlass.records import Board

INPUTS = {"town": "category", "size": "number"}


def asked(n_rows: int, spread_in_oslo: float):
    random = np.random.default_rng(1)
    towns, sizes = random.choice(["Bern", "Oslo"], n_rows), random.uniform(0, 10, n_rows)
    errors = random.normal(0, 1, n_rows) * np.where(towns == "Oslo", spread_in_oslo, 1)
    rows = [{"town": town, "size": size} for town, size in zip(towns.tolist(), sizes.tolist(), strict=True)]
    return NumberMarks(sizes + errors, sizes, half=1.645), rows


def test_a_town_with_larger_errors_is_told_with_its_interval():
    """By hand: the mean of |N(0, 3)| is 3 * 0.798 = 2.39, and 42 % of it lie within 1.645."""
    marks, rows = asked(3_000, 3.0)
    first = slices(marks, rows, INPUTS)[0]
    assert first.name == "town: Oslo"
    assert first.low < 2.39 < first.high
    assert abs(first.inside - 0.42) < 0.05
    assert first.is_worse
    assert first.is_uncovered


def test_where_all_are_alike_none_is_told():
    found = slices(*asked(3_000, 1.0), INPUTS)
    assert len(found) == 7
    assert not any(each.is_worse or each.is_uncovered for each in found)


def test_the_report_shows_them():
    marks, rows = asked(600, 3.0)
    board = Board("a", "mae", "", {}, "", "", [], [], 600, "")
    sections = report_sections(Shown(board, marks, [""] * 600, None, rows, INPUTS))
    shown = next(each for each in sections if each.name == "slices")
    assert "town: Oslo" in shown.body
    assert "farther off than the others" in shown.body
