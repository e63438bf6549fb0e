"""What a person says came true: the numbers of an answer's steps, in order or each at its moment."""

from collections.abc import Sequence
from typing import Any

from windlass.errors import DataError
from windlass.kinds import forecast
from windlass.kinds.contract import is_missing, shown
from windlass.kinds.points import reading
from windlass.records import Column, Json

Told = list[float | Json | None]
"""A number a step; `{"time": ..., "value": ...}` of one that says its moment; None where nothing is known."""


def read_correction(column: Column, said: Any) -> Told | None:
    """None: nothing was said. Raises: DataError: no numbers, or not one that is known."""
    if is_missing(said):
        return None
    numbers = forecast.read(said, None)
    if all(each is None for each in numbers):
        raise DataError(
            "forecast holds no number that came true, expected at least one",
            'send the steps that are known: `"correct": [151, 148, null]`',
        )
    steps = said if isinstance(said, list) else numbers
    return [{"time": step["time"], "value": number} if isinstance(step, dict) and "time" in step else number
            for step, number in zip(steps, numbers, strict=True)]  # fmt: skip


def amended(given: Sequence[Json], said: Told) -> list[float | None]:
    """A number a step of the answer, up to the last one that was told.

    Raises: DataError: more steps than the answer has, or a moment that is none of its own.
    """
    if not any(isinstance(each, dict) for each in said):
        if len(said) > len(given):
            raise DataError(
                f"forecast is told {len(said):,} steps, expected at most {len(given):,}, as it was answered"
            )
        return [each for each in said if not isinstance(each, dict)]
    places = {_moment(step["time"]): place for place, step in enumerate(given)}
    found: list[float | None] = [None] * len(given)
    for place, each in enumerate(said):
        if not isinstance(each, dict):
            raise DataError(
                f"forecast is told step {place + 1} without its moment, expected one in all steps or in none"
            )
        if (at := places.get(_moment(each["time"]))) is None:
            first, last = given[0]["time"], given[-1]["time"]
            raise DataError(f"forecast is told the moment {shown(each['time'])}, expected one from {first} to {last}")
        found[at] = each["value"]
    while found and found[-1] is None:
        found.pop()
    return found


def _moment(time: Any) -> Any:
    """A moment however it is written, or the number of a step."""
    if isinstance(time, int):
        return time
    try:
        return reading.moments_of([time])[0]
    except (ValueError, DataError):
        return None
