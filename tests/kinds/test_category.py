"""Categories: names as they are read, levels, labels and answers."""

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.kinds.category import KIND, MAX_LEVELS, positive


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (3.0, "3"),
        (-2.0, "-2"),
        (3, "3"),
        (2.5, "2.5"),
        (True, "true"),
        (np.bool_(False), "false"),
        (np.int64(4), "4"),
        (np.float32(3.0), "3"),
        (" red ", "red"),
        ("红", "红"),
        (None, ""),
        ("", ""),
        ("  ", ""),
        (float("nan"), ""),
        (np.float32("nan"), ""),
        ("NaN", "NaN"),
        (0, "0"),
        (-0.0, "0"),
        (1e22, "10000000000000000000000"),
    ],
)
def test_a_name_is_read_alike_from_every_source(value, name):
    """A whole number that became a float in one file and not in the other is the same level."""
    assert KIND.read(value, None) == name


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x" * 501, "has 501 characters, expected a name of at most 500"),
        ([], "is list, expected a name"),
        (b"a", "is bytes, expected a name"),
        (10**600, "expected a name of at most 500 characters"),
        pytest.param(10**5000, "expected a name", id="huge"),
        ("half \ud83d", "holds half of a surrogate pair, expected valid Unicode"),
    ],
)
def test_what_is_no_name_is_refused(value, words):
    with pytest.raises(DataError, match=f"category .*{words}"):
        KIND.read(value, None)


def fitted(form, values):
    return KIND.fit(iter(values), form, {})


VALUES = ["red"] * 3 + ["blue"] * 2 + ["rare", "", ""]


def test_levels_are_the_names_seen_twice():
    assert fitted("onehot", VALUES)["levels"] == ["blue", "red"]


def test_onehot_has_a_place_for_other_and_for_missing():
    batch = KIND.encode(["red", "blue", "rare", "never seen", ""], fitted("onehot", VALUES))
    assert batch.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_index_numbers_the_levels_then_other_and_leaves_missing_open():
    batch = KIND.encode(["red", "blue", "rare", "never seen", ""], fitted("index", VALUES))
    assert np.array_equal(batch, np.array([[1], [0], [2], [2], [np.nan]]), equal_nan=True)


def test_levels_are_bounded_to_the_commonest():
    values = [f"common{number}" for number in range(MAX_LEVELS)] * 3 + [f"rare{number}" for number in range(50)] * 2
    levels = fitted("onehot", values)["levels"]
    assert len(levels) == MAX_LEVELS
    assert not any(level.startswith("rare") for level in levels)


def test_labels_are_every_name_in_order_with_its_count():
    state = fitted("label", ["b", "a", "b", "", "10", "9"])
    assert state == {"form": "label", "labels": ["10", "9", "a", "b"], "counts": [1, 1, 1, 2]}
    assert KIND.encode(["b", "10"], state).tolist() == [3, 0]


@pytest.mark.parametrize("value", ["c", ""])
def test_a_label_that_was_not_trained_on_is_refused(value):
    with pytest.raises(DataError, match=f"label is '{value}', expected one that occurs in the training rows"):
        KIND.encode(["a", value], fitted("label", ["a", "b"]))


def test_an_answer_is_the_likeliest_label_with_the_next_ones():
    state = fitted("label", ["a", "b", "c", "d", "e"])
    answer = KIND.decode(np.array([[0.1, 0.5, 0.15, 0.05, 0.2]]), state)[0]
    assert (answer.value, answer.confidence) == ("b", 0.5)
    assert answer.alternatives == (("e", 0.2), ("c", 0.15), ("a", 0.1))


def test_a_tie_falls_to_the_first_label():
    assert KIND.decode(np.array([[0.5, 0.5]]), fitted("label", ["a", "b"]))[0].value == "a"


def test_the_positive_class_is_the_rarer_one():
    assert positive({"labels": ["ham", "spam"], "counts": [90, 10]}) == 1
    assert positive({"labels": ["fraud", "good"], "counts": [10, 90]}) == 0
