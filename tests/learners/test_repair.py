"""`repair`: a learner without a model, whose artifact answers with the program that passes the tests of its row."""

import polars as pl
import pytest

from windlass.errors import NotReady
from windlass.learners.contract import Budget, Options
from windlass.learners.retrieval import repair
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_golden
from windlass.records import Splits, silent

BROKEN = "def larger(a, b):\n    return a if a < b else b"
RIGHT = BROKEN.replace("<", ">")
TESTS = "assert larger(1, 2) == 2\nassert larger(5, 3) == 5"


def splits(folder, **columns):
    rows = pl.DataFrame({"broken": [BROKEN, BROKEN + " "], "tests": ["", ""], "fixed": [RIGHT, RIGHT]} | columns)
    kinds = {name: "text" for name in rows.columns if name != "fixed"}
    return Splits(kinds, {"fixed": "text"}, rows, rows.head(1), rows, folder)


def test_a_row_is_answered_with_the_program_that_passes_its_tests(tmp_path):
    fitted = repair.fit(splits(tmp_path), Options(tmp_path, "chrf"), Budget(10), silent)
    predictor = predictors.load(fitted.artifact)
    predictors.replay(predictor, fitted.artifact)
    assert read_golden(fitted.artifact)[1][-1] == "def double(number):\n    return number * 2"
    asked = [{"broken": BROKEN, "tests": tests} for tests in (TESTS, "", "assert larger(1, 2) == 7")]
    passed, unasked, hopeless = predictor.answer(asked)
    assert (passed.value, passed.confidence) == (RIGHT, 1)
    assert (unasked.value, unasked.confidence) == (BROKEN, None)
    assert hopeless.confidence == pytest.approx(0, abs=1e-9)


def test_an_endless_program_is_ended_and_the_search_goes_on(tmp_path):
    fitted = repair.fit(splits(tmp_path), Options(tmp_path, "chrf"), Budget(10), silent)
    endless = "def first(n):\n    while n < 3:\n        n -= 1\n    return n"
    answer = predictors.load(fitted.artifact).answer([{"broken": endless, "tests": "assert first(0) == 3"}])[0]
    assert (answer.confidence, "n += 1" in answer.value) == (1, True)


def test_rows_without_a_column_of_tests_are_refused_with_the_nearest_name(tmp_path):
    given = splits(tmp_path)
    assert repair.no_tests(given, "") == ""
    assert (
        repair.no_tests(given, "test")
        == "'test' is no text input, expected one of 'broken', 'tests' (did you mean 'tests'?)"
    )
    three = splits(tmp_path, note=["", ""])
    assert repair.no_tests(three, "") == "rows have 3 text inputs, expected a program and its tests"
    with pytest.raises(NotReady, match="3 text inputs"):
        repair.fit(three, Options(tmp_path, "chrf"), Budget(10), silent)
