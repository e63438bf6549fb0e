"""Dates: the forms that are read, and the trend and cycles that they become."""

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest

from windlass.errors import DataError, SpecError
from windlass.kinds.date import KIND
from windlass.kinds.formats import date_format

DAY = datetime(2026, 3, 1)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01",
        "2026-3-1",
        "2026/03/01",
        "2026/3/1",
        "2026.3.1",
        "2026年3月1日",
        " 2026-03-01 ",
        "20260301",
        "2026-03-01T00:00:00",
        "2026/03/01 00:00",
        "2026/3/1 00:00:00",
        "2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00+08:00",
        date(2026, 3, 1),
        DAY,
        DAY.replace(tzinfo=timezone(timedelta(hours=8))),
        "1 Mar 2026",
        "March 1, 2026",
        "1-Mar-2026",
        "Sun, 01 Mar 2026 00:00:00 +0000",
        "2026-3-1 12:00 AM",
    ],
)
def test_a_day_is_read_in_each_form(value):
    assert KIND.read(value, None) == DAY


@pytest.mark.parametrize("value", [None, "", " ", "?", "N/A", float("nan")])
def test_a_missing_date_is_none(value):
    assert KIND.read(value, None) is None


@pytest.mark.parametrize(
    "value",
    [
        "2026-13-01",
        "2026-02-29",
        "2026年2月30日",
        "31/12/2026",
        "12/31/2026",
        "yesterday",
        "2026",
        "0000-00-00",
        "2026-03-01 25:00",
        20260301,
        1.5,
        True,
        b"2026-03-01",
        [],
        "9" * 5_000,
        "\ud800",
        pytest.param(10**5000, id="huge"),
    ],
)
def test_what_is_no_date_is_refused(value):
    """31/12 and 12/31 are not guessed apart."""
    words = r"^date is .*, expected a day that exists, such as 2026-03-31 or 2026/03/31(\n|$)"
    with pytest.raises(DataError, match=words):
        KIND.read(value, None)


def fitted(values):
    return KIND.fit(iter(values), "calendar", {})


def test_time_is_scaled_over_the_training_rows():
    """Two days: one deviation below the mean and one above."""
    days = [datetime(2026, 1, 1), datetime(2026, 1, 3)]
    assert KIND.encode(days, fitted(days))[:, 0] == pytest.approx([-1, 1], abs=1e-5)


def test_a_missing_date_is_a_mark_and_nothing_else():
    assert KIND.encode([None], fitted([DAY])).tolist() == [[0, 1, 0, 0, 0, 0, 0, 0]]


def test_cycles_close():
    """Sunday is as near to Monday as Monday to Tuesday, December to January, 23:00 to midnight."""
    state = fitted([DAY])
    sunday, monday, tuesday = KIND.encode([datetime(2026, 3, day) for day in (1, 2, 3)], state)[:, 4:6]
    assert np.linalg.norm(sunday - monday) == pytest.approx(np.linalg.norm(monday - tuesday), abs=1e-6)
    last, first = KIND.encode([datetime(2025, 12, 31), datetime(2026, 1, 1)], state)[:, 2:4]
    assert np.linalg.norm(last - first) < 2 * np.pi / 365 * 1.5
    late, midnight = KIND.encode([datetime(2026, 3, 1, 23), datetime(2026, 3, 2, 0)], state)[:, 6:8]
    assert np.linalg.norm(late - midnight) == pytest.approx(2 * np.sin(np.pi / 24), abs=1e-6)


@pytest.mark.parametrize("values", [[], [None], [DAY], [DAY, DAY]])
def test_hard_columns_give_finite_numbers(values):
    batch = KIND.encode([datetime.min, datetime.max, DAY, None], fitted(values))
    assert np.isfinite(batch).all()
    assert np.abs(batch).max() <= 8


@pytest.mark.parametrize(
    ("value", "sent"), [("2026年3月1日", "2026-03-01T00:00:00"), (DAY, "2026-03-01T00:00:00"), ("?", None)]
)
def test_a_client_would_send_the_day_in_iso_form(value, sent):
    assert KIND.portable(value, None) == sent


@pytest.mark.parametrize(
    ("example", "word"),
    [
        ("31.12.2026", "01.03.2026"),
        ("31.12.2026", "1/3/2026 00:00"),
        ("12/31/2026", "03/01/2026"),
        ("12/31/2026", "3/1/2026 12:00:00 AM"),
        ("31/12/26", "01/03/26"),
        ("31.12.26", "01.03.26"),
        ("20261231", 20260301),
        ("20261231", 20260301.0),
        ("20261231", "20260301"),
        ("12/31/2026", "2026-03-01"),
        ("31/12/2026", DAY),
    ],
)
def test_a_day_is_read_as_its_column_writes_it(example, word):
    kind = KIND.as_written({"format": example})
    assert kind.read(word, None) == DAY
    assert kind.read(kind.clean(word, None), None) == DAY


@pytest.mark.parametrize(
    ("example", "word"),
    [("31/12/2026", "12/31/2026"), ("12/31/2026", "31/12/2026"), ("31/12/2026", "01/03/26"), ("20261231", 20261331),
     ("20261231", 1.5), ("31/12/2026", 20261231), ("31.12.2026", "1.2.30"), ("31/12/2026", "x" * 1_000)],
)  # fmt: skip
def test_a_day_in_another_form_is_refused(example, word):
    with pytest.raises(DataError, match=r"date is .*, expected a day that exists, written like "):
        KIND.as_written({"format": example}).read(word, None)


def test_a_form_of_days_that_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match=r"format is '31.12.2025', expected one of.*\n.*did you mean '31.12.2026'"):
        KIND.as_written({"format": "31.12.2025"})


def test_days_of_two_digits_belong_to_the_century_that_posix_says():
    assert date_format.written("31/12/69", "31/12/26").year == 1969
    assert date_format.written("31/12/68", "31/12/26").year == 2068


@pytest.mark.parametrize(
    ("words", "examples"),
    [
        (["24.03.2021", "01.02.2021"], ["31.12.2026"]),
        (["03/14/2021", "01/02/2021"], ["12/31/2026"]),
        (["03/04/2021", "01/02/2021"], ["31/12/2026", "12/31/2026"]),
        (["01/05/2021", "01/09/2021", "02/03/2021"], ["12/31/2026", "31/12/2026"]),
        (["20210930"], ["20261231"]),
        (["1.2.30", "1.4.11"], []),
        (["2021-03-01"], []),
    ],
)
def test_the_order_of_day_and_month_is_found_or_both_are_given(words, examples):
    """Of two readings the one in which the days stand in order comes first."""
    assert date_format.guesses(words, 0.9) == examples


def test_a_day_that_could_be_two_names_both_forms():
    with pytest.raises(DataError, match="'31/12/2026' or '12/31/2026'"):
        KIND.read("03/04/2026", None)
    with pytest.raises(DataError, match=r"written: '31\.12\.2026'$"):
        KIND.read("24.03.2021", None)
