"""Intervals whose width follows the row: they cover what they promise, also where rows are hard, and are no wider."""

import numpy as np
import pytest

from windlass.metrics.intervals import (
    QUANTILES,
    VALUE,
    Ranges,
    best_ranges,
    by_quantiles,
    holds,
    interval_score,
    margin,
)
from windlass.metrics.numbers import COVERAGE, NumberMarks, half_width


def rows(n_rows: int, seed: int = 1):
    """Answers from 1 to 10 whose errors have a tenth of their size as deviation, and the two true quantiles."""
    random = np.random.default_rng(seed)
    values = random.uniform(1, 10, n_rows)
    spread = values / 10
    basis = np.stack([values - 1.645 * spread, values + 1.645 * spread], axis=1)
    return values + random.normal(0, 1, n_rows) * spread, values, basis


def test_the_score_is_the_width_and_twenty_times_what_is_missed():
    """Gneiting & Raftery 2007, by hand: 2 / 0.1 = 20; a number 0.5 above the interval costs 10 more."""
    found = interval_score(np.array([1.0, 2.5, -1.0]), np.zeros(3), np.full(3, 2.0))
    assert found.tolist() == pytest.approx([2, 12, 22])


def test_a_margin_is_the_place_of_split_conformal_prediction():
    lacks = np.arange(1.0, 100)
    assert margin(lacks, 0.9) == 90 == half_width(lacks)
    assert margin(lacks[:3], 0.9) == 3


@pytest.mark.parametrize("has_quantiles", [True, False])
def test_widths_follow_rows_whose_errors_do_and_cover_easy_and_hard_ones_alike(has_quantiles):
    """The control: one width for all leaves hard rows out and is far too wide for easy ones."""
    targets, values, basis = rows(1_600)
    found = best_ranges(targets, values, basis if has_quantiles else None)
    assert found.by == (QUANTILES if has_quantiles else VALUE)
    targets, values, basis = rows(20_000, 2)
    low, high = found.ends(values, basis)
    inside, half = (low <= targets) & (targets <= high), half_width(targets - values)
    easy, hard = values < 4, values > 7
    for part in (easy, hard):
        assert abs(inside[part].mean() - 0.9) < 0.025
        assert abs((np.abs(targets - values)[part] <= half).mean() - 0.9) > 0.04
    assert (high - low).mean() < 2 * half


def test_where_all_rows_err_alike_one_width_is_kept():
    random = np.random.default_rng(4)
    values = random.uniform(1, 10, 1_000)
    assert best_ranges(values + random.normal(0, 1, 1_000), values) is None
    assert best_ranges(*rows(150)) is None, "too few rows"


def test_margins_of_another_time_are_told_from_those_that_hold():
    targets, _, basis = rows(2_000)
    found = by_quantiles(targets, basis)
    assert holds(found, *(rows(1_000, 3)[place] for place in (0, 2)))
    later, _, quantiles = rows(1_000, 3)
    assert not holds(found, later + 2, quantiles)


def test_an_answer_lies_inside_its_own_interval():
    found = Ranges(QUANTILES, (), (0.0,), (0.0,))
    low, high = found.ends(np.array([5.0]), np.array([[1.0, 2.0]]))
    assert (low[0], high[0]) == (1.0, 5.0)


def test_ranges_pass_a_file_as_they_are_and_damaged_ones_are_refused():
    found = Ranges(VALUE, (1.0,), (2.0, 3.0), (4.0, 5.0))
    assert Ranges.from_json(found.as_json()) == found
    for change in ({"by": "luck"}, {"edges": [2.0, 1.0]}, {"below": [float("nan"), 1.0]}, {"above": None}):
        with pytest.raises(ValueError, match="ranges of the interval are damaged"):
            Ranges.from_json({**found.as_json(), **change})


def test_marks_measure_the_interval_of_each_row():
    ends = np.array([[0.0, 2.0], [0.0, 2.0]])
    assert NumberMarks(np.array([1.0, 3.0]), np.ones(2), 1.0, None, ends).value(COVERAGE) == 0.5


def test_what_a_heap_of_equal_numbers_covers_for_nothing_narrows_the_other_side():
    """Two rows in five are 0, which no low end misses: all failures are left for the high end, and 90 % lie inside."""

    def drawn(seed):
        random = np.random.default_rng(seed)
        targets = np.where(random.random(4_000) < 0.4, 0.0, random.exponential(1, 4_000))
        return targets, np.stack([np.zeros(4_000), np.full(4_000, 3.0)], axis=1)

    found = by_quantiles(*drawn(1))
    targets, basis = drawn(2)
    low, high = found.ends(np.ones(4_000), basis)
    assert abs(((low <= targets) & (targets <= high)).mean() - 0.9) < 0.02
    assert high[0] == pytest.approx(-np.log(0.1 / 0.6), abs=0.15)
