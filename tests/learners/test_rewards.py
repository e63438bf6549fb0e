"""What an answer is worth: each rule by hand-made answers, right and wrong."""

from decimal import Decimal

import pytest

from windlass.errors import NotReady
from windlass.learners.language.rewards import REWARDS, arithmetic, by_tests, exact, last_number, program, statements

ADD = "def add(a, b):\n    return a + b\n"
TESTS = "assert add(1, 2) == 3\nassert add(-1, 1) == 0\n"


@pytest.mark.parametrize(
    ("answer", "rights", "worth"),
    [
        ("Paris", ["Paris"], 1),
        ("  the PARIS! ", ["Paris"], 1),
        ("Rome", ["Paris", "rome"], 1),
        ("Paris, France", ["Paris"], 0),
        ("", ["Paris"], 0),
        ("巴黎。", ["巴黎"], 1),
    ],
)
def test_an_exact_answer(answer, rights, worth):
    assert exact(answer, {}, rights) == worth


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so 3 + 4 = 7", "7"),
        ("7.", "7"),
        ("It costs $1,234.50.", "1234.50"),
        ("#### 72", "72"),
        ("from 5 to -3", "-3"),
        ("x=−2", "-2"),
        ("7-5", "5"),
        ("(3)-2", "2"),
        ("1,2", "2"),
        ("12,345,678", "12345678"),
        ("1,2345", "2345"),
        ("no number", None),
        ("", None),
        ("room A12", "12"),
    ],
)
def test_the_last_number_of_a_text(text, number):
    assert last_number(text) == (None if number is None else Decimal(number))


def test_arithmetic_asks_for_the_last_number_alone():
    assert arithmetic("first 3, then 7.0", {}, ["7"]) == 1
    assert arithmetic("7, no, 8", {}, ["#### 7", "9"]) == 0
    assert arithmetic("no idea", {}, ["none"]) == 0


@pytest.mark.parametrize(
    ("answer", "inside"),
    [
        (ADD, ADD),
        (f"Here:\n```python\n{ADD}```\nDone.", ADD),
        (f"```\n{ADD}", ADD),
        ("", ""),
        (f"```py\n{ADD}```\n```\nother\n```", ADD),
    ],
)
def test_the_program_in_an_answer(answer, inside):
    assert program(answer) == inside


def test_tests_are_statements():
    assert statements(TESTS) == ["assert add(1, 2) == 3", "assert add(-1, 1) == 0"]
    assert statements("assert f(\n  1,\n) == 2") == ["assert f(1) == 2"]
    assert statements("no python here\n\nassert (") == ["no python here", "assert ("]
    assert statements("") == []


def test_a_program_is_worth_something_when_all_tests_hold():
    try:
        right = by_tests(f"```python\n{ADD}```", {"tests": TESTS}, ())
    except NotReady as error:
        pytest.skip(str(error))
    assert right == 1
    assert by_tests(ADD.replace("+", "-"), {"tests": TESTS}, ()) == 0
    assert by_tests("while True: pass", {"tests": ""}, ()) == 0
    assert by_tests(ADD, {}, ()) == 0


def test_every_reward_of_the_specification_is_there():
    from typing import get_args

    from windlass.spec import Language

    assert {"", *REWARDS} == set(get_args(Language.model_fields["reward"].annotation))
