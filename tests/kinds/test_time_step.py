"""Steps from one point of a series to the next: seconds, months, working days."""

import numpy as np
import pytest

from windlass.kinds.points import time_step
from windlass.kinds.points.time_step import parse


def moments(*texts):
    return np.array(texts, "datetime64[s]")


@pytest.mark.parametrize(
    ("start", "step", "wanted"),
    [
        ("2026-01-31", "1mo", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2026-01-15", "1mo", ["2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15"]),
        ("2024-02-29", "1y", ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28"]),
        ("2026-01-01", "1q", ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"]),
        ("2026-01-02", "1b", ["2026-01-02", "2026-01-05", "2026-01-06", "2026-01-07"]),
        ("2026-01-01", "1w", ["2026-01-01", "2026-01-08", "2026-01-15", "2026-01-22"]),
    ],
)
def test_steps_keep_the_day_as_calendars_do(start, step, wanted):
    made = parse(step).after(np.datetime64(start, "s"), np.arange(4))
    assert [str(each)[:10] for each in made] == wanted
    assert parse(step).places(made[0], made).tolist() == [0, 1, 2, 3]
    if step not in ("1mo", "1y") or start.endswith("15"):
        assert str(time_step.found_in(made)) == step or step == "1b"  # four working days could be days


def test_gaps_and_clocks_that_are_a_little_off_are_one_step():
    times = moments("2026-01-01T00:00", "2026-01-01T01:00", "2026-01-01T04:00", "2026-01-01T05:00:30")
    assert str(time_step.found_in(times)) == "1h"
    assert parse("1h").places(times[0], times).tolist() == [0, 1, 4, 5]
    assert time_step.found_in(moments("2026-01-01", "2026-01-02", "2026-01-09T11:00", "2026-01-15T03:07")) is None
    assert time_step.found_in(times[:2]) is None


def test_days_without_weekends_are_working_days_and_weeks_are_weeks():
    days = np.array([day for day in np.arange("2026-01-05", "2026-02-05", dtype="datetime64[D]") if np.is_busday(day)])
    assert str(time_step.found_in(days.astype("datetime64[s]"))) == "1b"
    assert str(time_step.found_in(days[::5].astype("datetime64[s]"))) == "1w"


def test_life_has_its_cycles_at_every_step():
    assert parse("1h").seasons == (24, 168)
    assert parse("1d").seasons == (7, 365)
    assert parse("15min").seasons == (96, 672)
    assert (parse("1b").seasons, parse("1w").seasons, parse("1mo").seasons, parse("1y").seasons) == (
        (5,),
        (52,),
        (12,),
        (),
    )


@pytest.mark.parametrize("text", ["", "1", "h", "0d", "1 day", "-1h", "1.5h", "1e3s"])
def test_what_is_no_step_is_refused(text):
    with pytest.raises(ValueError, match="expected a step such as"):
        parse(text)


def test_points_are_gathered_from_the_beginnings_of_their_steps():
    times = moments("2026-01-07T13:59", "2026-02-28T00:00")
    assert [str(each) for each in parse("1h").floor(times)] == ["2026-01-07T13:00:00", "2026-02-28T00:00:00"]
    assert [str(each)[:10] for each in parse("1w").floor(times)] == ["2026-01-05", "2026-02-23"]
    assert [str(each)[:10] for each in parse("1q").floor(times)] == ["2026-01-01", "2026-01-01"]
