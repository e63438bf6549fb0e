"""One grammar for lengths of time and rates, and every place where a person writes one."""

import re
from math import inf

import pytest

from windlass.database.keys import Quota, Rate, read_expiry, read_quota, read_rate
from windlass.durations import PATTERN, UNITS_S, duration_s, read_duration
from windlass.errors import SpecError
from windlass.improving.retrain_schedule import read_period
from windlass.watching.windows import seconds

WRONG = [
    "", " ", "7", "d", "7 d", " 7d", "7d ", "7d\n", "-7d", "+7d", "0.5d", "1e3s", "7D", "7days", "7dd", "7d7h",
    "1_000s", "٧d", "７d", "1234567890s", "0x7d", "7mo", "inf", "nan", "d7", "7/d",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("60s", 60.0), ("15m", 900.0), ("15min", 900.0), ("2h", 7_200.0), ("7d", 604_800.0), ("12w", 7_257_600.0),
        ("1y", 31_536_000.0), ("0d", 0.0), ("007d", 604_800.0),
    ],
)  # fmt: skip
def test_a_duration_is_a_number_and_a_unit(text, wanted):
    """By hand: a day has 86,400 s, a year 365 days."""
    assert duration_s(text) == read_duration(text, "pause", "'1d'") == wanted
    assert re.fullmatch(PATTERN, text)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_duration_is_refused_everywhere(text):
    """The same grammar stands behind each option, so that what one refuses no other takes."""
    assert duration_s(text) is None
    assert re.fullmatch(PATTERN, text) is None
    for read in (lambda each: read_duration(each, "pause", "'1d'"), read_expiry, read_period, seconds):
        with pytest.raises(SpecError, match="expected such as '"):
            read(text)


def test_a_duration_out_of_its_bounds_is_refused():
    assert read_duration("100y", "pause", "'1d'") == 100 * UNITS_S["y"]
    for text, bounds in (("101y", {}), ("9999y", {}), ("59s", {"least_s": 60.0}), ("0s", {"least_s": 1.0})):
        with pytest.raises(SpecError, match=f"pause is '{text}', expected such as '1d'"):
            read_duration(text, "pause", "'1d'", **bounds)
    assert read_duration("99999w", "pause", "'1d'", most_s=inf) == 99_999 * UNITS_S["w"]


def test_a_long_text_is_not_told_back_in_full():
    with pytest.raises(SpecError) as refused:
        read_duration("9" * 10_000, "pause", "'1d'")
    assert len(refused.value.message) < 150


def test_what_was_taken_before_there_was_one_grammar_is_taken():
    """The ends of what each of the five readers took."""
    assert read_period("1m") == 60.0
    assert read_period("99999w") == 99_999 * UNITS_S["w"]
    assert (read_expiry("1d"), read_expiry("36500d"), read_expiry("100y")) == (86_400.0, *[36_500 * 86_400.0] * 2)
    assert (seconds("1s"), seconds("9999d"), seconds("auto")) == (1.0, 9_999 * 86_400.0, 86_400.0)
    assert read_rate("999999999/h") == Rate(999_999_999, 3_600.0)
    assert (read_rate("10/s"), read_rate("600/min")) == (Rate(10, 1.0), Rate(600, 60.0))
    assert read_quota("1000000000000/month") == Quota(10**12, "month")


@pytest.mark.parametrize(
    "text",
    ["", "10", "/s", "10/", "10 / s", "10/s ", "10/s\n", "10/sec", "0/s", "-1/s", "1.5/s", "10/S", "10/m", "10/day",
     "٣/s", "1000000000/s", "10s", "10//s"],
)  # fmt: skip
def test_what_is_no_rate_is_refused(text):
    """A lone m would be a minute here and a month there."""
    with pytest.raises(SpecError, match="expected such as '10/s', '600/min' or '50/h'"):
        read_rate(text)


@pytest.mark.parametrize(
    "text", ["5000", "5000/d", "5000/week", "0/day", "1000000000001/day", "5000/day/day", "5,000/day"]
)
def test_what_is_no_quota_is_refused(text):
    with pytest.raises(SpecError, match="expected such as '5000/day' or '100000/month'"):
        read_quota(text)
