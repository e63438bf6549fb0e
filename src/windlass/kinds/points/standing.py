"""How the latest points of a series stand to its own past at the same time of its season: growth and seasons are none.

What stands elsewhere than it used to has moved, whatever its level: a sensor that was exchanged, another unit, one that
is stuck. Without a season in its past all of the past is the measure.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from windlass.kinds.sketch import MISSING, Profile, Trait, grid_code, grid_scale, grid_width

NEAR = 26
"""Points of the past count that lie this part of a season around the same place in it: two weeks of a year."""
LEVELS = tuple(np.linspace(-6, 6, 49).tolist())
"""Edges of what is told of a level, in deviations from what is usual."""
MOTIONS = tuple(np.linspace(-6, 6, 49).tolist())
"""Edges of what is told of a motion: how often it is twice the usual one."""
STILL = -100.0
WEEKS = 53


class Standing(NamedTuple):
    """level: of the latest points, in deviations from what is usual then. motion: from one point to the next, log 2 of
    its share of the usual one. NaN where there is nothing to compare with."""

    level: float
    motion: float


def standing(points: np.ndarray, seasons: Sequence[int], latest: int = 1) -> Standing:
    """Args: points: (n,) float64, NaN in gaps. seasons: points of its cycles, rising. latest: of the points."""
    known = np.flatnonzero(np.isfinite(points))
    past = int(known[-1]) + 1 - latest if len(known) else 0
    if past < 2:
        return Standing(np.nan, np.nan)
    places, season = _same_time(past, seasons, latest)
    steps = np.abs(np.diff(points[: past + latest]))
    apart = points[season:past] - points[: past - season] if season else points[:past] - _mean(points[places])
    deviation = float(np.sqrt(_mean(apart**2) / (2 if season else 1)))
    move = _mean(points[past : past + latest]) - _mean(points[places])
    level = move / deviation if deviation > 0 else np.sign(move) * 2 * LEVELS[-1]
    now, before = _mean(steps[past - 1 :]), _mean(steps[places[places < past - 1]])
    if not before > 0:
        return Standing(float(level), 0.0 if now == before else np.nan)
    return Standing(float(level), float(np.log2(now / before)) if now > 0 else STILL * (now == 0) + now)


def _mean(points: np.ndarray) -> float:
    there = points[np.isfinite(points)]
    return float(there.mean()) if len(there) else np.nan


def _same_time(past: int, seasons: Sequence[int], latest: int) -> tuple[np.ndarray, int]:
    """Places of the past at the same time of the longest season that it holds once, and that season's points; all of
    the past, and 0, where it holds none. Within a year days of the same weekday count."""
    for number in reversed(range(len(seasons))):
        season, step = seasons[number], seasons[number - 1] if number else 1
        near = season // NEAR
        if past < season + near + latest:
            continue
        around = np.arange(-(near // step), near // step + 1) * step if step > 1 or near else np.zeros(1, int)
        cycles = np.arange(1, past // season + 1) * season
        found = past - cycles[:, None, None] + around[None, :, None] + np.arange(latest)
        return np.unique(found[(found >= 0) & (found < past)]), season
    return np.arange(past), 0


def week(moment: np.datetime64) -> int:
    """Of the year, 1 to 53."""
    day = (moment.astype("datetime64[D]") - moment.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
    return int(day) // 7 + 1


def profile(found: Standing, week_of_year: int) -> Profile:
    return [grid_code(found.level, LEVELS), grid_code(found.motion, MOTIONS), week_of_year]


def traits() -> tuple[Trait, ...]:
    width = grid_width(LEVELS)
    return (
        Trait("missing", "rate", 0, width, (MISSING,)),
        Trait("level against its own past", "ordered", 0, width, scale=grid_scale(LEVELS)),
        Trait("motion against its own past", "ordered", 1, grid_width(MOTIONS), scale=grid_scale(MOTIONS)),
    )
