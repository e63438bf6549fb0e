"""Every kind keeps the contract, and the shipped check finds what breaks it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from windlass.errors import DataError, SpecError
from windlass.kinds import table as kinds
from windlass.kinds.contract import is_missing, shown
from windlass.kinds.table import KINDS, encode_column, fit_column, join
from windlass.testing.checks import check_kind, sample_values

TEXT, NUMBER, CATEGORY, DATE, IMAGE = (KINDS[name] for name in ("text", "number", "category", "date", "image"))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_keeps_the_contract(kind):
    check_kind(kind)


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"image"}))
def test_what_check_accepts_can_be_read(name):
    """A picture alone is checked wholly only when it is read."""
    kind = KINDS[name]
    accepted = [value for value in sample_values() if kind.check(value) is None]
    assert len([kind.read(value, None) for value in accepted]) == len(accepted) > 3


def _raises(*_):
    raise ValueError("oops")


def _nothing_with_time(values, state):
    return np.random.default_rng().normal(size=(len(values), 2)).astype(np.float32)


BROKEN = {
    "background is half of the rows": replace(NUMBER, background=lambda state: [(1.0, 0.5)]),
    "background is empty": replace(NUMBER, background=lambda state: []),
    "describes with no words": replace(NUMBER, describe=lambda value, state: ""),
    "check raises": replace(TEXT, check=_raises),
    "check says nothing": replace(TEXT, check=lambda value: "" if isinstance(value, int) else TEXT.check(value)),
    "check quotes the whole value": replace(
        TEXT, check=lambda value: f"is {ascii(value)[:400]}" if TEXT.check(value) else None
    ),
    "check quotes half a pair": replace(TEXT, check=lambda value: TEXT.check(value) and f"is {value}"[:100]),
    "check refuses what read takes": replace(
        TEXT, check=lambda value: "is wrong" if value == "no" else TEXT.check(value)
    ),
    "read raises another error": replace(NUMBER, read=lambda value, root: float(value)),
    "read takes everything": replace(TEXT, check=lambda value: None, read=lambda value, root: "x"),
    "state is no JSON": replace(
        TEXT, fit=lambda values, form, options: {**TEXT.fit(values, form, options), "x": {1, 2}}
    ),
    "state holds infinity": replace(NUMBER, fit=lambda *given: {**NUMBER.fit(*given), "x": math.inf}),
    "state names another form": replace(NUMBER, fit=lambda *given: {**NUMBER.fit(*given), "form": "other"}),
    "encodes by identity, not by value": replace(
        NUMBER, encode=lambda values, state: NUMBER.encode(values, state) * (1 + id(state) % 1009)
    ),
    "encodes with chance": replace(NUMBER, encode=_nothing_with_time),
    "encodes by what stands beside it": replace(
        NUMBER, encode=lambda values, state: NUMBER.encode(values, state) * np.float32(len(values))
    ),
    "drops a row": replace(NUMBER, encode=lambda values, state: NUMBER.encode(values, state)[1:]),
    "gives NaN": replace(
        NUMBER, forms=("scaled",), encode=lambda values, state: np.array(values, np.float32)[:, None].repeat(2, axis=1)
    ),
    "gives infinity": replace(DATE, encode=lambda values, state: DATE.encode(values, state) + np.float32(math.inf)),
    "gives float64": replace(NUMBER, encode=lambda values, state: NUMBER.encode(values, state).astype(np.float64)),
    "stumbles over no rows": replace(
        NUMBER,
        encode=lambda values, state: (
            NUMBER.encode([*values][:1] and values, state) if len(values) else np.zeros((0, 99), np.float32)
        ),
    ),
    "crashes when all is missing": replace(
        DATE,
        fit=lambda values, form, options: (
            {"form": form, "mean": 0.0, "deviation": 1 / len([value for value in values if value])}
        ),
    ),
    "sends NaN": replace(NUMBER, portable=lambda value, root: NUMBER.read(value, None)),
    "sends another value": replace(TEXT, portable=lambda value, root: "sent"),
    "encodes unknown labels": replace(
        CATEGORY,
        encode=lambda values, state: CATEGORY.encode(
            [value if value in state.get("labels", [value]) else state["labels"][0] for value in values], state
        ),
    ),
}


@pytest.mark.parametrize("kind", BROKEN.values(), ids=BROKEN)
def test_the_check_finds_a_broken_kind(kind):
    """Control: each way to break the contract is noticed."""
    with pytest.raises((AssertionError, ValueError, TypeError, ZeroDivisionError, UnicodeEncodeError)):
        check_kind(kind)


def test_a_kind_from_elsewhere_can_bring_its_own_samples():
    even = replace(
        NUMBER,
        name="even",
        check=lambda value: None if value in (0, 2, 4) else "is odd, expected even",
        read=lambda value, root: float(value) if value in (0, 2, 4) else _refuse(value),
    )
    check_kind(even, [0, 2, 4, 3])
    with pytest.raises(AssertionError, match="reads 1 of the samples, expected at least 3"):
        check_kind(even, [0, 3])


def _refuse(value):
    raise DataError(f"even is {value}, expected an even number")


@pytest.mark.parametrize("value", [None, "", math.nan, np.float32("nan"), np.float64("nan")])
def test_missing_means_none_nan_or_empty(value):
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, 0.0, False, " ", "nan", [], {}, np.array([]), np.array(["", ""]), "None"])
def test_nothing_else_is_missing(value):
    assert not is_missing(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a", "'a'"),
        ("x" * 100, "'" + "x" * 40 + "'"),
        (3, "3"),
        (None, "None"),
        ("\ud83d", "'\\ud83d'"),
        ("退款", "'退款'"),
        pytest.param(10**5000, "a whole number of more than 40 digits", id="huge"),
        ([10**5000], "a list"),
    ],
)
def test_a_value_is_quoted_short_and_printable(value, words):
    assert shown(value) == words
    shown(value).encode("utf-8")


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(SpecError, match=r"kind is 'txt', expected one of .*\nhint: did you mean 'text'"):
        kinds.get("txt")


@pytest.mark.parametrize(
    ("kind", "form"), [("text", "terms"), ("text", "ids"), ("number", "binned"), ("category", "onehot")]
)
def test_a_column_encodes_alike_in_one_piece_and_in_chunks(kind, form):
    """1,300 values make three chunks, the last one short; the longest text stands in the second."""
    values = [f"word{number % 50} " * (1 + number % 7 + 40 * (number == 700)) for number in range(1_300)]
    values = [float(len(value)) for value in values] if kind == "number" else values
    column = fit_column("c", kind, values, None, form)
    pieces, whole = (
        encode_column(column, values, None),
        KINDS[kind].encode([KINDS[kind].read(value, None) for value in values], column.state),
    )
    for first, second in (
        ((pieces, whole),)
        if isinstance(whole, np.ndarray)
        else ((pieces.starts, whole.starts), (pieces.places, whole.places), (pieces.values, whole.values))
    ):
        assert np.array_equal(first, second)


def test_no_values_make_a_batch_without_rows():
    column = fit_column("c", "number", [1.0, 2.0], None, "scaled")
    assert encode_column(column, [], None).shape == (0, 2)


def test_ids_of_different_length_are_joined_with_the_filler():
    joined = join([np.array([[1, 2, 3]]), np.array([[4]])], 9)
    assert joined.tolist() == [[1, 2, 3], [4, 9, 9]]
