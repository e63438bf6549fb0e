"""The error tree: exit codes, hints and the words for what was expected."""

import pytest

from windlass.errors import DataError, GateRefused, NotReady, SpecError, WindlassError, did_you_mean, expected, nearest


@pytest.mark.parametrize(("error", "code"), [(GateRefused, 1), (SpecError, 2), (DataError, 3), (NotReady, 4)])
def test_each_error_has_its_own_exit_code(error, code):
    """Scripts tell them apart by the code alone."""
    assert error("x").exit_code == code
    assert issubclass(error, WindlassError)


def test_every_kind_of_error_has_another_word_for_machines():
    """`--json` and HTTP answers name it."""
    assert {error.kind for error in (GateRefused, SpecError, DataError, NotReady)} == {
        "gate_refused",
        "spec_error",
        "data_error",
        "not_ready",
    }


def test_the_hint_stands_on_a_second_line():
    """Message and hint can be read apart."""
    error = DataError("x is 3, expected 4", "count again")
    assert str(error) == "x is 3, expected 4\nhint: count again"
    assert (error.message, error.hint) == ("x is 3, expected 4", "count again")


def test_without_a_hint_there_is_no_second_line():
    assert str(DataError("x is 3, expected 4")) == "x is 3, expected 4"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "nothing"),
        (["a"], "'a'"),
        (["a", "b"], "one of 'a', 'b'"),
        (range(10), "one of '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'"),
        (range(11), "one of '0', '1', '2', '3', '4', '5', '6', '7' ... (11 in all)"),
        (iter("ab"), "one of 'a', 'b'"),
    ],
)
def test_what_was_expected_is_listed_up_to_ten(options, words):
    assert expected(options) == words


def test_the_nearest_name_is_offered():
    assert did_you_mean("messgae", ["message", "intent"]) == "did you mean 'message'?"


@pytest.mark.parametrize("options", [["message", "intent"], [], {}])
def test_no_name_is_offered_when_none_is_near(options):
    assert did_you_mean("qqq", options) == ""


def test_two_letters_that_changed_places_are_the_likeliest_slip():
    assert did_you_mean("mea", ["mae", "rmse", "r2", "medae"]) == "did you mean 'mae'?"
    assert nearest(["mea", "rsme"], ["medae", "mae", "rmse"]) == "did you mean 'mae' by 'mea', 'rmse' by 'rsme'?"
