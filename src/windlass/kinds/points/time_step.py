"""The step from one point of a series to the next: so many seconds, months, or working days.

step = number unit        unit = s | min | h | d | w | b (a working day) | mo | q | y
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from windlass.durations import DAY_S

SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": int(DAY_S), "w": 7 * int(DAY_S)}
MONTHS = {"mo": 1, "q": 3, "y": 12}
WORKING = "b"
FORM = re.compile(r"([1-9][0-9]{0,4})(s|min|h|d|w|b|mo|q|y)")
SEASONS_S = (int(DAY_S), 7 * int(DAY_S), 365 * int(DAY_S))
"""Lengths of the cycles that life has: a day, a week, a year."""
MOST_SEASON = 366
"""Points of the longest cycle that is looked at as one."""
NEAR = 0.02
"""Share of a step by which clocks that tick regularly may be off."""
REGULAR = 0.9
"""Share of the gaps between neighbours that are whole steps, from which on times are regular."""
EPOCH_MONTH = np.datetime64("1970-01", "M")


@dataclass(frozen=True)
class TimeStep:
    """So many of a unit. Times are datetime64[s] without zone."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def seconds(self) -> int | None:
        """None: months and working days are not all equally long."""
        return self.count * SECONDS[self.unit] if self.unit in SECONDS else None

    @property
    def usual_seconds(self) -> float:
        """About how long it takes."""
        if self.seconds is not None:
            return float(self.seconds)
        return self.count * (DAY_S * 7 / 5 if self.unit == WORKING else MONTHS[self.unit] * DAY_S * 365.25 / 12)

    def same_as(self, other: "TimeStep") -> bool:
        """As long, however it is written: `24h` and `1d`."""
        return self == other or (self.seconds is not None and self.seconds == other.seconds)

    def after(self, start: np.datetime64, steps: int | np.ndarray) -> np.ndarray:
        """The times so many steps after the start, datetime64[s]; the day of the month is kept where there is one."""
        whole = np.asarray(steps, np.int64)
        if self.seconds is not None:
            return np.asarray(start.astype("datetime64[s]") + whole * self.seconds)
        day = start.astype("datetime64[D]")
        clock = start.astype("datetime64[s]") - day.astype("datetime64[s]")
        if self.unit == WORKING:
            return np.asarray(np.busday_offset(day, whole * self.count, roll="forward").astype("datetime64[s]") + clock)
        month = day.astype("datetime64[M]")
        place, last = (day - month.astype("datetime64[D]")).astype(int), _last_day(month)
        months = month + whole * self.count * MONTHS[self.unit]
        days = np.minimum(_last_day(months) if place == last else place, _last_day(months))
        return np.asarray((months.astype("datetime64[D]") + days).astype("datetime64[s]") + clock)

    def places(self, start: np.datetime64, times: np.ndarray) -> np.ndarray:
        """(n,) int: which step after the start each time is nearest to or at; -1 where it is none."""
        if self.seconds is not None:
            steps = (times - start).astype("timedelta64[s]").astype(np.float64) / self.seconds
            near = np.round(steps)
            return np.where(np.abs(steps - near) <= NEAR, near, -1).astype(np.int64)
        days, first = times.astype("datetime64[D]"), start.astype("datetime64[D]")
        if self.unit == WORKING:
            steps = np.busday_count(first, days) / self.count
        else:
            months = (days.astype("datetime64[M]") - first.astype("datetime64[M]")).astype(int)
            steps = months / (self.count * MONTHS[self.unit])
        near = np.round(steps).astype(np.int64)
        return np.where((self.after(start, near) == times) & (near == steps), near, -1)

    def floor(self, times: np.ndarray) -> np.ndarray:
        """The beginnings of the steps that the times lie in, counted from 1970 on (weeks from a Monday)."""
        if self.seconds is not None:
            epoch = np.datetime64("1970-01-05" if self.unit == "w" else "1970-01-01", "s")
            gone = (times - epoch).astype("timedelta64[s]").astype(np.int64) // self.seconds
            return np.asarray(epoch + gone * self.seconds)
        if self.unit == WORKING:
            return np.asarray(
                np.busday_offset(times.astype("datetime64[D]"), 0, roll="backward").astype("datetime64[s]")
            )
        months = (times.astype("datetime64[M]") - EPOCH_MONTH).astype(int)
        size = self.count * MONTHS[self.unit]
        return np.asarray((EPOCH_MONTH + months // size * size).astype("datetime64[s]"))

    @property
    def seasons(self) -> tuple[int, ...]:
        """Points of each cycle that life has at this step, the shortest first; none where there is none."""
        if self.unit == WORKING:
            return (5,) if self.count == 1 else ()
        if self.seconds is None:
            months = self.count * MONTHS[self.unit]
            return (12 // months,) if 12 % months == 0 and months < 12 else ()
        if self.unit == "w":
            return (52,) if self.count == 1 else ()
        found = [length // self.seconds for length in SEASONS_S if length % self.seconds == 0]
        return tuple(points for points in found if 2 <= points <= 7 * MOST_SEASON)


def _last_day(months: np.ndarray | np.datetime64) -> np.ndarray:
    """The number of the last day of each month, from 0."""
    first = (months + 1).astype("datetime64[D]")
    return np.asarray((first - months.astype("datetime64[D]")).astype(int) - 1)


def parse(text: str) -> TimeStep:
    """Raises: ValueError: no step."""
    match = FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text[:40]}', expected a step such as 15min, 1h, 1d, 1w, 1mo, or 1b for working days")
    return TimeStep(int(match[1]), match[2])


def of_seconds(seconds: int) -> TimeStep:
    """The step in the largest unit that it is a whole number of; seven days are days."""
    unit = next(unit for unit in ("d", "h", "min", "s") if seconds % SECONDS[unit] == 0)
    return TimeStep(seconds // SECONDS[unit], unit)


def found_in(times: np.ndarray) -> TimeStep | None:
    """The step of these times, rising and different, datetime64[s]; None: they are not regular, or fewer than three.

    Gaps of several steps are allowed: the shortest step that most gaps are a multiple of is looked for.
    """
    if len(times) < 3:
        return None
    gaps = np.diff(times).astype("timedelta64[s]").astype(np.int64)
    sizes, counts = np.unique(gaps, return_counts=True)
    usual = int(sizes[counts.argmax()])
    days = usual / DAY_S
    if days >= 27 and (step := _months(times, days)) is not None:
        return step
    if usual <= 0 or (np.abs(gaps / usual - np.round(gaps / usual)).max() > NEAR and not _mostly(gaps, usual)):
        return None
    if usual == DAY_S and len(times) >= 10 and _is_working(times):
        return TimeStep(1, WORKING)
    return TimeStep(1, "w") if usual == SECONDS["w"] else of_seconds(usual)


def _mostly(gaps: np.ndarray, usual: int) -> bool:
    whole = np.abs(gaps / usual - np.round(gaps / usual)) <= NEAR
    return bool(whole.mean() >= REGULAR)


def _months(times: np.ndarray, days: float) -> TimeStep | None:
    for unit, least, most in (("mo", 27, 32), ("q", 88, 93), ("y", 364, 367)):
        if least <= days <= most:
            step = TimeStep(1, unit)
            return step if (step.places(times[0], times) >= 0).mean() >= REGULAR else None
    return None


def _is_working(times: np.ndarray) -> bool:
    """No weekend among the days, though there were some."""
    days = times.astype("datetime64[D]")
    return bool(np.is_busday(days).all() and (days[-1] - days[0]).astype(int) >= 7)


def utc(value: datetime) -> datetime:
    """The moment without zone; of one that has a zone, in UTC."""
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
