"""What came true: read in order or by its moment, and refused where it does not fit what was answered."""

from typing import Any

import pytest

from windlass.errors import DataError
from windlass.outputs.forecasts.output import OUTPUT
from windlass.records import Column

GIVEN = [{"time": f"2026-03-0{day}", "value": 10.0 * day, "low": 1.0, "high": 90.0} for day in (1, 2, 3)]
COLUMN = Column("sales", "forecast", {"horizon": 3})


def told(said: Any) -> Any:
    return OUTPUT.amended(GIVEN, OUTPUT.read_correction(COLUMN, said))


def test_numbers_are_the_steps_in_order() -> None:
    assert told([11, None, "33"]) == [11.0, None, 33.0]
    assert told([11]) == [11.0]


def test_steps_with_a_moment_stand_at_their_moment() -> None:
    assert told([{"time": "2026-03-02", "value": 7}]) == [None, 7.0]
    assert told([{"time": "2026-03-03T00:00:00", "value": 3}, {"time": "2026-03-01", "value": 1}]) == [1.0, None, 3.0]


def test_nothing_said_is_nothing() -> None:
    assert OUTPUT.read_correction(COLUMN, None) is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([1, 2, 3, 4], "forecast is told 4 steps, expected at most 3, as it was answered"),
        ([{"time": "2030-01-01", "value": 3}], "is told the moment '2030-01-01', expected one from 2026-03-01 to 2026"),
        ([{"time": "2026-03-01", "value": 3}, 4], "is told step 2 without its moment, expected one in all steps"),
        ([{"time": [], "value": 3}], r"is told the moment \[\], expected one from"),
        ([None, None], "forecast holds no number that came true, expected at least one"),
        ([], r"forecast is \[\], expected a list of 1 to 10,000 numbers"),
    ],
)
def test_what_does_not_fit_is_refused(said: Any, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        told(said)
