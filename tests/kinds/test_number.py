"""Numbers: what is one, what is missing, and the three encodings."""

import json
import math
from decimal import Decimal

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.kinds.number import KIND, parse


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567),
        ("-1,234,567.25", -1234567.25),
        ("１２", 12),
        (" 3 ", 3),
        ("1e3", 1000),
        ("+.5", 0.5),
        ("-0", 0),
        (3, 3),
        (2.5, 2.5),
        (True, 1),
        (False, 0),
        (np.bool_(True), 1),
        (np.int64(4), 4),
        (np.float32(0.5), 0.5),
        (Decimal("1.5"), 1.5),
        (10**30, 1e30),
    ],
)
def test_a_number_is_read(value, number):
    assert KIND.read(value, None) == number


@pytest.mark.parametrize(
    "value",
    [None, "", "  ", "?", "NA", "n/a", "NaN", "null", "None", "-", ".", math.nan, np.float32("nan"), np.float64("nan")],
)
def test_a_missing_number_is_nan(value):
    assert math.isnan(KIND.read(value, None))


@pytest.mark.parametrize(
    "value",
    [
        "inf",
        "-Infinity",
        "1e400",
        math.inf,
        1e300,
        10**400,
        pytest.param(10**5000, id="huge"),
        "twelve",
        "1.234,5",
        "1,23.4",
        "1,234",
        "12,34,567",
        "1_000",
        "0x10",
        "1 234",
        "$5",
        "5%",
        "１２a",
        "\ud800",
        b"1",
        [1],
        {},
        1 + 2j,
        np.complex128(1),
        np.timedelta64(5, "s"),
        np.array([1]),
        Decimal("Infinity"),
        Decimal("1e999"),
    ],
)
def test_what_is_no_finite_number_is_refused(value):
    """'1,234' and '1.234,5' mean different things in different countries, so they are not guessed."""
    with pytest.raises(DataError, match=r"^number is .*, expected a finite number"):
        KIND.read(value, None)


def test_the_refusal_quotes_the_value():
    assert KIND.check("twelve") == "is 'twelve', expected a finite number (up to 1e+38)"


def fitted(form, values):
    return KIND.fit(iter(values), form, {})


def test_raw_keeps_the_number_and_the_gap():
    assert np.array_equal(KIND.encode([1.5, math.nan], {"form": "raw"}), np.array([[1.5], [math.nan]]), equal_nan=True)


def test_scaled_is_deviations_from_the_mean_and_a_mark_for_missing():
    """Mean 2, deviation sqrt(2/3), median 2."""
    batch = KIND.encode([1.0, 3.0, math.nan], fitted("scaled", [1.0, 2.0, 3.0, math.nan]))
    assert batch == pytest.approx(np.array([[-math.sqrt(1.5), 0], [math.sqrt(1.5), 0], [0, 1]]))


def test_a_missing_number_takes_the_median_and_not_the_mean():
    batch = KIND.encode([math.nan, 1.0], fitted("scaled", [1.0, 1.0, 1.0, 97.0]))
    assert batch[0, 0] == batch[1, 0]


def test_an_outlier_is_clipped():
    assert KIND.encode([1e30, -1e30], fitted("scaled", [1.0, 2.0, 3.0]))[:, 0].tolist() == [8, -8]


def test_a_constant_column_is_zero():
    assert KIND.encode([5.0, 5.0], fitted("scaled", [5.0, 5.0])).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("form", ["scaled", "binned"])
@pytest.mark.parametrize("values", [[], [math.nan], [1e38, -1e38, 1.0], [1e-300, 2e-300]])
def test_hard_columns_give_a_state_and_finite_numbers(form, values):
    state = fitted(form, values)
    json.dumps(state, allow_nan=False)
    assert np.isfinite(KIND.encode([math.nan, 0.0, 1e38], state)).all()


def test_bins_mark_each_edge_that_a_number_exceeds():
    """100 numbers, 15 inner edges: the smallest exceeds none, the largest all, a missing one none."""
    state = fitted("binned", [float(number) for number in range(100)])
    assert len(state["edges"]) == 15
    assert KIND.encode([0.0, 99.0, math.nan], state)[:, 2:].sum(1).tolist() == [0, 15, 0]


def test_a_huge_number_fits_float32_for_trees():
    assert np.isfinite(KIND.encode([1e38, -1e38], {"form": "raw"})).all()


@pytest.mark.parametrize(("value", "sent"), [("1,234.5", 1234.5), (math.nan, None), ("?", None), (3, 3.0), (True, 1.0)])
def test_a_client_would_send_a_plain_number(value, sent):
    assert KIND.portable(value, None) == sent
    assert parse(sent) == parse(value) or sent is None
