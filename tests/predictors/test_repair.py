"""Repair with toy proposers: what they are told, what is run, and when it ends."""

import pytest

from windlass.errors import DataError, NotReady
from windlass.predictors.retrieval.repair import Repaired, Tries, repair
from windlass.sandbox.programs import run_program

TESTS = ["assert double(1) == 2", "assert double(3) == 6", "assert double('a') == 'aa'"]
BROKEN = "def double(x):\n    return 2\n"
RIGHT = "def double(x):\n    return x + x\n"

try:
    run_program("pass")
except NotReady as error:
    pytest.skip(error.message, allow_module_level=True)


def program(body: str) -> str:
    return f"def double(x):\n    return {body}\n"


def test_a_program_that_passes_is_left_alone():
    assert repair(lambda broken, why: pytest.fail("asked"), RIGHT, TESTS) == Repaired(RIGHT, True, 0)


def test_each_proposal_is_told_what_failed_and_starts_from_the_furthest_program():
    """2 holds one test, x * 1 none, x + int(x) two; the third round mends it."""
    asked, rounds = [], iter([[program("x * 1")], [program("x + int(x)")], [RIGHT, program("never run")]])

    def propose(broken, why):
        asked.append((broken, why))
        return next(rounds)

    found = repair(propose, BROKEN, TESTS)
    assert found == Repaired(RIGHT, True, 3)
    assert asked == [
        (BROKEN, "AssertionError: assert double(3) == 6"),
        (BROKEN, "AssertionError: assert double(3) == 6"),
        (program("x + int(x)"), "ValueError: invalid literal for int() with base 10: 'a'"),
    ]


def test_of_equals_the_first_stays():
    asked = []

    def propose(broken, why):
        asked.append(broken)
        return [program(f"2  # {len(asked)}")]

    found = repair(propose, BROKEN, TESTS, Tries(rounds=3))
    assert asked == [BROKEN, BROKEN, BROKEN]
    assert (found.program, found.passed, found.tried) == (BROKEN, False, 3)


def test_no_more_is_run_than_was_asked_for():
    bodies = (str(number) for number in range(10, 1_000))
    found = repair(lambda broken, why: [program(next(bodies)) for _ in range(9)], BROKEN, TESTS, Tries(2, 3))
    assert (found.passed, found.tried) == (False, 6)
    assert found.program == BROKEN


def test_what_was_tried_is_not_run_again_and_nothing_new_is_the_end():
    asked = []

    def propose(broken, why):
        asked.append(why)
        return [BROKEN, program("1"), program("1")]

    found = repair(propose, BROKEN, TESTS, Tries(rounds=50))
    assert (found.tried, len(asked)) == (1, 2)
    assert repair(lambda broken, why: [], BROKEN, TESTS).tried == 0


def test_setup_is_run_before_the_tests():
    assert repair(lambda broken, why: [RIGHT], BROKEN, ["assert double(start) == 6"], setup="start = 3").passed


def test_without_tests_nothing_is_repaired():
    with pytest.raises(DataError, match="tests is empty"):
        repair(lambda broken, why: [], BROKEN, [])
