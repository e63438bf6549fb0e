"""Categories: names as they are read, levels, labels and answers."""

from decimal import Decimal

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.kinds.category import KIND, MAX_LEVELS, decode, positive, slips, variants


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
        ("2.0", "2"),
        ("-7.00", "-7"),
        ("1.10", "1.10"),
        ("02.0", "02.0"),
        ("True", "true"),
        ("FALSE", "false"),
        ("\ufeffred\u200b", "red"),
        (Decimal("2.50"), "2.50"),
        (2**53 + 1, "9007199254740993"),
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
    answer = decode(np.array([[0.1, 0.5, 0.15, 0.05, 0.2]]), state)[0]
    assert (answer.value, answer.confidence) == ("b", 0.5)
    assert answer.alternatives == (("e", 0.2), ("c", 0.15), ("a", 0.1))


def test_a_tie_falls_to_the_first_label():
    assert decode(np.array([[0.5, 0.5]]), fitted("label", ["a", "b"]))[0].value == "a"


def test_the_positive_class_is_the_rarer_one():
    assert positive({"labels": ["ham", "spam"], "counts": [90, 10]}) == 1
    assert positive({"labels": ["fraud", "good"], "counts": [10, 90]}) == 0


def test_levels_of_an_older_artifact_are_found_by_what_is_read_today():
    """Until 0.1 a CSV's '2.0' and 'True' were levels of their own."""
    state = {"form": "onehot", "levels": ["2.0", "True"], "shares": [0.5, 0.5]}
    assert KIND.encode([KIND.read("2.0", None), KIND.read(True, None)], state).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert KIND.unknown(["2", "true", "", "7"], state) == {3: "is '7', which training did not know (new or rare)"}


def test_labels_keep_their_spelling_and_what_means_one_of_them_is_read_as_it():
    kind = KIND.as_written({"merge": {"Refnd": "refund"}, "labels": ["True", "refund", "1.0"]})
    said = ["True", True, "TRUE ", "refund", "Refund", "Refnd", "１", 1, "new", None]
    assert [kind.read(value, None) for value in said] == [
        "True", "True", "True", "refund", "refund", "refund", "1.0", "1.0", "new", "",
    ]  # fmt: skip
    assert KIND.as_written({"merge": {}}).read("True", None) == "True"


def test_names_that_differ_in_form_alone_belong_to_the_commonest():
    assert variants({"pos": 9, "POS": 4, "Pos": 9, "ＰＯＳ": 1, "neg": 3, "1": 2, "1.0": 5, "a b": 1, "a  b": 3}) == {
        "1": "1.0", "POS": "pos", "Pos": "pos", "a b": "a  b", "ＰＯＳ": "pos",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rare", "frequent", "is_slip"),
    [
        ("refnud", "refund", True),
        ("refun", "refund", True),
        ("Refunnd", "refund", True),
        ("card lsot", "card lost", True),
        ("account_b", "account_a", False),
        ("grade1", "grade2", False),
        ("male", "female", False),
        ("cat", "car", False),
        ("refund", "return", False),
        ("negative", "positive", False),
    ],
)
def test_a_rare_name_one_slip_away_from_a_frequent_one_is_named(rare, frequent, is_slip):
    assert slips({frequent: 100, rare: 5}) == ({rare: frequent} if is_slip else {})
    assert slips({frequent: 100, rare: 6}) == {}


def test_slips_lead_to_a_name_that_is_kept():
    assert slips({"Refund": 500, "refund": 100, "refnud": 2, "delivery": 9}) == {"refnud": "Refund"}
