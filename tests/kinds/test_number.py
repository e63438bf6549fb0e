"""Numbers: what is one, what is missing, and the three encodings."""

import json
import math
from decimal import Decimal

import numpy as np
import pytest

from windlass.errors import DataError, SpecError
from windlass.kinds import number
from windlass.kinds.formats import number_format
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
        ("True", 1),
        ("false", 0),
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
        True,
        False,
        np.bool_(True),
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


@pytest.mark.parametrize("scale", [1e-140, 1e-15, 1.0, 1e36])
@pytest.mark.parametrize("form", ["scaled", "target"])
def test_numbers_are_scaled_however_small_or_large_they_are(form, scale):
    """1, 2, 3: mean 2, deviation sqrt(2/3). Below 1e-12 a deviation counted as 1 once, and all answers were 0."""
    state = fitted(form, [scale, 2 * scale, 3 * scale])
    assert state["deviation"] == pytest.approx(scale * math.sqrt(2 / 3), rel=1e-12)
    batch = KIND.encode([scale, 3 * scale], state)
    assert (batch if form == "target" else batch[:, 0]) == pytest.approx([-math.sqrt(1.5), math.sqrt(1.5)])


@pytest.mark.parametrize("scale", [1e-140, 1e-15, 1.0, 1e36])
def test_an_answer_keeps_the_digits_that_are_of_use_at_any_scale(scale):
    """Deviation 0.816: to the hundred-thousandth part of its power of ten, 0.1, so six decimals."""
    state = fitted("target", [scale, 2 * scale, 3 * scale])
    assert number.rounded(1.23456789 * scale, state) == pytest.approx(1.234568 * scale, rel=1e-12)


@pytest.mark.parametrize(
    ("values", "deviation"),
    [
        ([5.0, 5.0], 1.0),
        ([0.0, 0.0], 1.0),
        ([3.25e-15, 3.25e-15], 3.25e-15),
        ([0.1 + 0.2, 0.3], 0.1 + 0.2),
        ([1e20, 1e20 + 16384], 1.0),
        ([1e-300, 2e-300], 1.0),
        ([1e9, 1e9 + 1], 0.5),
    ],
    ids=["five", "zero", "tiny", "noise of the last digit", "noise of a large one", "beyond squares", "no constant"],
)
def test_what_differs_in_its_last_digits_alone_is_one_number(values, deviation):
    state = fitted("target", values)
    assert state["deviation"] == pytest.approx(deviation, rel=1e-12)


def test_an_answer_of_one_tiny_number_is_that_number():
    state = fitted("target", [3.25e-15, 3.25e-15])
    assert number.rounded(float(number.decode(np.zeros((1, 1)), state)[0]), state) == 3.25e-15


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


@pytest.mark.parametrize(
    ("value", "sent"), [("1,234.5", 1234.5), (math.nan, None), ("?", None), (3, 3.0), ("true", 1.0)]
)
def test_a_client_would_send_a_plain_number(value, sent):
    assert KIND.portable(value, None) == sent
    assert parse(sent) == parse(value) or sent is None


# how numbers are written ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("example", "word", "number"),
    [
        ("1,234.56", "5,000", 5000),
        ("1,234.56", "5,000.00", 5000),
        ("1,234.56", "5000", 5000),
        ("1234,56", "3959,01", 3959.01),
        ("1.234,56 €", "1.234.567,8 €", 1234567.8),
        ("1.234,56 €", "-3,10", -3.1),
        ("$1,234.56", "$3,959.01", 3959.01),
        ("$1,234.56", "-$5", -5),
        ("$1,234.56", "($1,000.50)", -1000.5),
        ("$1,234.56", "7 $", 7),
        ("1234.56 %", "78.0%", 0.78),
        ("1234.56 %", "-5 %", -0.05),
        ("1234.56 %", "0.78", 0.78),
        ("1234.56 ‰", "5‰", 0.005),
        ("1 234,56", "12\u202f345,6", 12345.6),
        ("1'234.56", "1’234", 1234),
        ("USD 1,234.56", "USD 12", 12),
        ("1234,56", "−2,5", -2.5),
        ("1234,56", 2.5, 2.5),
        ("€1,234.56", "1 253", 1253),
        ("€1,234.56", "1'253.5", 1253.5),
        ("1.234,56", "1\u00a0253,5", 1253.5),
        ("1234,56", "1 253 000", 1253000),
        ("€1,234", "€1,589", 1589),
        ("1.234", "1.432", 1432),
        ("1.234", "12,5", 12.5),
        ("1 234", "1 253", 1253),
        ("1 234", "12.50", 12.5),
    ],
)
def test_a_number_is_read_as_its_column_writes_it(example, word, number):
    kind = KIND.as_written({"format": example})
    assert kind.read(word, None) == pytest.approx(number)
    assert kind.check(word) is None
    assert kind.read(kind.portable(word, None), None) == pytest.approx(number)


@pytest.mark.parametrize(
    ("example", "word"),
    [
        ("1.234,56", "3959.01"),
        ("1,234.56", "12,34"),
        ("1,234.56", "0,125"),
        ("$1,234.56", "£5"),
        ("1234.56", "1,234"),
        ("1234,56", "五星"),
        ("1234,56", "1e99"),
        ("1234,56", "1,2,3"),
        ("$1,234.56", "$"),
        ("$1,234.56", "()"),
        ("1234,56", True),
        ("1,234.56", np.bool_(False)),
        ("1,234.56", "1 25"),
        ("1,234.56", "1 253,000"),
        ("1,234", "1.432"),
        ("1.234", "€1,589"),
        ("1 234", "1,589"),
        ("1 234", "1.589"),
    ],
)
def test_a_number_in_another_form_is_refused_and_not_read_otherwise(example, word):
    with pytest.raises(DataError, match=r"number is .*, expected one that is written like "):
        KIND.as_written({"format": example}).read(word, None)


def test_a_missing_number_is_missing_in_every_form():
    kind = KIND.as_written({"format": "1.234,56 €"})
    assert all(math.isnan(kind.read(value, None)) for value in (None, "", "n/a", "-", math.nan))


@pytest.mark.parametrize(
    ("example", "word", "number"),
    [
        ("15.6 kg", "1.234 kg", 1.234),
        ("1.4 mm/s", "0.25mm/s", 0.25),
        ("15,6 kg", "1 204,5 kg", 1204.5),
        ("12,345.0 m", "1,892 m", 1892),
        ("€ 7,5", "€1,25", 1.25),
    ],
)
def test_any_number_with_a_unit_is_an_example_where_it_shows_its_marks(example, word, number):
    assert KIND.as_written({"format": example}).read(word, None) == pytest.approx(number)


@pytest.mark.parametrize("example", ["15 kg", "12.345 kg"])
def test_an_example_with_a_unit_that_hides_its_marks_is_told_what_to_write(example):
    with pytest.raises(SpecError) as refused:
        number_format.parse(example)
    assert refused.value.hint == "write 1234.56 so, with all its marks: '1234.56 kg'"


@pytest.mark.parametrize("example", ["", "12.3", "1,2,3", "$1,234.56 €", "%d", "1.234.56", "x" * 200])
def test_a_form_that_is_no_example_is_refused_with_the_nearest(example):
    with pytest.raises(SpecError, match=r"expected one of '1234\.56', '1,234\.56'"):
        number_format.parse(example)
    with pytest.raises(SpecError, match=r"did you mean '1\.234,56'"):
        number_format.parse("1.234,567")


@pytest.mark.parametrize(
    ("words", "example"),
    [
        (["3.5", "2", "1e3"], ""),
        (["5,000", "5,000.00", "3"], "1,234.56"),
        (["0,125", "12,5"], "1234,56"),
        (["1.234.567", "5"], "1.234,56"),
        (["€ 5", "€ 1.000,50"], "€1.234,56"),
        (["5 kr", "7,5 kr"], "1234,56 kr"),
        (["16:32:31"], ""),
        (["1.2.3.4"], ""),
        (["AB-58-Y"], ""),
        (["12 kg"], "1234.56 kg"),
        (["15.6kg", "3 kg", "1,892.5 kg"], "1,234.56 kg"),
        (["0,8 mm/s", "1,4 mm/s"], "1234,56 mm/s"),
        (["1.204 kg", "0.985 kg", "2.110 kg"], "1234.56 kg"),
        (["4G", "5G"], ""),
        (["3 rooms"], ""),
        (["1,589", "12,400"], "1,234.56"),
        (["€1,589"], "€1,234.56"),
        (["€1.432", "€2.500"], "€1.234,56"),
        (["1.432", "738", "52"], "1.234,56"),
        (["1.432", "2.118", "51.123"], ""),
        (["1.432", "0", "2.118"], ""),
        (["1.432", "738", "0.5"], ""),
        (["0.553", "1.432"], ""),
        (["1,589", "0,250"], "1234,56"),
        (["1,589", "12,5"], "1234,56"),
        (["1 253", "738"], "1 234"),
        (["1 253", "12,50"], "1 234,56"),
        (["€1,589", "1 253", "738"], "€1,234.56"),
        (["€1,207"] * 199 + ["1 250"], "€1,234.56"),
        (["€1,207"] * 199 + ["12,5"], "€1,234.56"),
        (["1,207"] * 199 + ["1.250"], "1,234"),
        (["1,183"] * 4 + ["1.432"] * 5 + ["738"], "1.234"),
        (["50"] * 199 + ["5%"], ""),
        (["78%"] * 3 + ["0.5"], "1234.56 %"),
        ([], ""),
    ],
)
def test_the_form_of_most_words_is_found(words, example):
    assert number_format.guess(words) == example


def test_a_number_that_came_as_json_is_written_so_that_its_form_reads_the_same():
    for example in ("1,234", "1.234", "1 234", "1.234,56", "€1,234.56"):
        kind = KIND.as_written({"format": example})
        assert [kind.read(kind.spelt(each), None) for each in (1.432, -1.432, 1432.0)] == [1.432, -1.432, 1432]


def test_a_truth_value_is_refused_with_what_to_send():
    with pytest.raises(DataError) as caught:
        KIND.read(True, None)
    assert caught.value.message == "number is True, expected a finite number (up to 1e+38)"
    assert caught.value.hint.startswith("a truth value is no number: send 1 or 0")


def test_what_most_values_of_a_column_are_written_like_is_advised():
    words = ["€1,207"] * 199 + ["12,5"]
    assert "says it: '€1,234.56'" in KIND.as_written({"format": "€1 234,56"}).advice(words)
    assert "most of them like '€1,234.56'" in KIND.as_written({"format": "€1,234.56"}).advice(words)
    assert "most of them like a plain number" in KIND.advice(["12.5"] * 9 + ["12,5"])
    assert KIND.as_written({"format": "1,234.56"}).advice([True, 3]) == ""


@pytest.mark.parametrize("form", ["scaled", "binned", "raw", "target"])
def test_a_number_far_beyond_the_ends_of_training_is_told_and_one_near_them_is_not(form):
    """0 to 100, so that up to 110 and down to -10 are near."""
    state = fitted(form, [float(number) for number in range(101)])
    assert KIND.unknown([-10.0, 0.0, 50.0, 110.0, math.nan], state) == {}
    assert KIND.unknown([3.0, 1e12, -5000.0], state) == {
        1: "is 1,000,000,000,000, above all that training knew (0 to 100)",
        2: "is -5,000, below all that training knew (0 to 100)",
    }
    assert KIND.unknown([1e12], {"form": "raw"}) == KIND.unknown([1e12], fitted("raw", [math.nan])) == {}


def test_a_constant_of_training_knows_itself():
    state = fitted("scaled", [1234567.89] * 5)
    assert KIND.unknown([1234567.89, 1234999.0], state).keys() == {1}


def test_whole_numbers_beyond_two_to_the_53_are_doubted_where_they_change():
    assert KIND.doubt(2**53) == KIND.doubt("12") == KIND.doubt(3.5) == KIND.doubt("9" * 15) == ""
    assert "beyond 2^53" in KIND.doubt(2**53 + 1)
    assert "beyond 2^53" in KIND.doubt(str(2**53 + 1))
