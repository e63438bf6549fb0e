"""Public holidays as a covariate that nobody tells: the table is made once, and read alike in training and serving."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from tests.learners.series.shops import HORIZON, HOW, splits
from windlass.errors import DataError, SpecError
from windlass.kinds.points.reading import Series
from windlass.kinds.points.time_step import parse
from windlass.learners.contract import Budget, Options
from windlass.learners.series import holidays as learner
from windlass.learners.series import naive
from windlass.learners.series import questions as rows
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest
from windlass.predictors.series.holidays import HOLIDAY, kept, late, names_of
from windlass.records import silent
from windlass.spec import SeriesShape

TABLE = {"2026-01-01": "New Year's Day", "2026-01-06": "Epiphany"}


def moments(first: str, step: str, count: int) -> np.ndarray:
    return parse(step).after(np.datetime64(first, "s"), np.arange(count))


@pytest.mark.parametrize(
    ("first", "step", "wanted"),
    [
        ("2025-12-31", "1d", ["", "New Year's Day", "", "", "", "", "Epiphany", ""]),
        ("2026-01-01T12:00:00", "6h", ["New Year's Day", "New Year's Day", "", ""]),
        ("2025-12-22", "1w", ["", "New Year's Day", "Epiphany", ""]),  # the weeks from 29 December and 5 January
        ("2025-12-01", "1mo", ["", "New Year's Day", ""]),  # of two the first
        ("2026-01-06", "1d", ["Epiphany"]),
    ],
)
def test_each_step_has_the_first_holiday_within_it(first, step, wanted):
    assert names_of(moments(first, step, len(wanted)), TABLE, len(wanted)).tolist() == wanted


def test_points_without_moments_have_none():
    assert names_of(None, TABLE, 2).tolist() == ["", ""]


def test_the_end_of_the_table_is_said():
    assert late(moments("2026-12-30", "1d", 2), TABLE) == ""
    assert "until 2026" in late(moments("2026-12-30", "1d", 3), TABLE)


@pytest.mark.parametrize(
    "state",
    [
        {"holidays": ["2026-01-01"], "levels": {HOLIDAY: []}},
        {"holidays": {"2026-02-30": "x"}, "levels": {HOLIDAY: []}},
        {"holidays": {"soon": "x"}, "levels": {HOLIDAY: []}},
        {"holidays": {"2026-01-01": 1}, "levels": {HOLIDAY: []}},
        {"holidays": {"2026-01-01": "x"}, "levels": {}},
    ],
)
def test_a_damaged_table_is_refused(state):
    with pytest.raises(DataError, match="damaged"):
        kept(state)


def test_a_country_is_written_in_capitals():
    assert SeriesShape(time="day", horizon=1, holidays=["CN", "DE-BY"]).how("y")["holidays"] == ["CN", "DE-BY"]
    assert "holidays" not in SeriesShape(time="day", horizon=1).how("y")
    with pytest.raises(ValueError, match="holidays"):
        SeriesShape(time="day", horizon=1, holidays=["china"])


# with the package -----------------------------------------------------------------------------------------------------


def year(first: str, n_points: int = 400) -> Series:
    return Series({"value": [1.0] * n_points}, np.datetime64(first, "s"), parse("1d"))


def test_names_are_english_and_alike_for_all_days_of_a_holiday():
    """As the State Council announced them: the Spring Festival of 2024 began on 10 February."""
    pytest.importorskip("holidays")
    table = learner.table(["CN"], [year("2024-01-01")])
    assert table["2024-02-10"] == table["2024-02-12"] == "Chinese New Year"
    assert max(table)[:4] == "2035"  # the last training year is 2025
    assert learner.seen(table, [year("2024-01-01", 45)], 50) == {HOLIDAY: ["Chinese New Year", "New Year's Day"]}


def test_of_two_countries_each_day_has_both_names():
    pytest.importorskip("holidays")
    table = learner.table(["US", "DE-BY"], [year("2024-01-01", 9)])
    assert table["2024-01-01"] == "New Year's Day"
    assert table["2024-01-06"] == "Epiphany"
    assert table["2027-05-31"] == "Memorial Day"


def test_what_cannot_be_is_said():
    pytest.importorskip("holidays")
    with pytest.raises(SpecError, match="'XX'"):
        learner.table(["XX"], [year("2024-01-01", 9)])
    with pytest.raises(SpecError, match="no moment"):
        learner.table(["CN"], [Series({"value": [1.0]})])


def test_training_and_serving_read_holidays_alike(tmp_path):
    """In March 2026 (the toy shops' days) Women's Day is none of Germany's; New Year is, and it is a column."""
    pytest.importorskip("holidays")
    toy = splits()
    toy = replace(toy, written={"history": {**HOW, "holidays": ["DE-BY"]}})
    questions = rows.read(toy)
    labels = questions.asking.columns(questions.asking.written.known)
    assert labels == ["promo", f"{HOLIDAY}=Epiphany", f"{HOLIDAY}=New Year's Day"]
    whole = questions.train[0]
    place = (date(2026, 1, 6) - date(2026, 1, 1)) // timedelta(days=1)
    assert whole.known[place].tolist()[1:] == [1.0, 0.0]
    assert whole.known[:, 1].sum() == 1
    fitted = naive.fit_naive(toy, Options(tmp_path, "mase"), Budget(60), silent)
    predictor = predictors.load(fitted.artifact)
    asked = predictor.questions([toy.validation.row(0, named=True)])[0]
    assert np.array_equal(asked.known, questions.validation[0].known)
    assert asked.horizon == HORIZON
    assert read_manifest(fitted.artifact).inputs[0].state["holidays"]["2026-01-06"] == "Epiphany"
