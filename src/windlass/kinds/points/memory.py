"""What may be remembered of a series without keeping it: its level and spread, or how it stands to its own past."""

import math
from typing import Any

import numpy as np

from windlass.durations import DAY_S
from windlass.kinds.points import standing
from windlass.kinds.points.reading import VALUE, Series
from windlass.kinds.sketch import MISSING, NO_SEASON, Profile, Trait, grid_code, grid_scale, grid_width, learn_grid
from windlass.records import Json

N_SKETCH = 16
OWN_PAST = "own_past"
"""Where the state of a sketch says that series are measured by their own past."""
LATEST = 4
"""One in so many points of a series are its latest ones."""


def known_points(series: Series) -> np.ndarray:
    """(n,) the numbers of its first column."""
    found = series.numbers(next(iter(series.columns), VALUE))
    return found[np.isfinite(found)]


def latest_points(series: Series) -> tuple[float, float]:
    """Mean and deviation of the latest points, NaN where there is none."""
    found = known_points(series)
    if not len(found):
        return math.nan, math.nan
    latest = found[-max(1, len(found) // LATEST) :]
    return float(latest.mean()), float(latest.std())


def learn(values: Any) -> Json:
    """Series with moments are measured by their own past; of others, such as recordings, level and spread are known."""
    known = list(values)
    if known and 2 * sum(series.start is not None for series in known) > len(known):
        return {OWN_PAST: True}
    found = [latest_points(series) for series in known]
    return {
        "level": learn_grid([level for level, _ in found if level == level], N_SKETCH),
        "spread": learn_grid([spread for _, spread in found if spread == spread], N_SKETCH),
    }


def profile(value: Series, state: Json) -> Profile:
    """Bins of the level and the spread of its latest points, 0 where there are none; or of how they stand to its past,
    and the week of the year."""
    if state.get(OWN_PAST):
        return _standing(value)
    level, spread = latest_points(value)
    if level != level:
        return [MISSING, MISSING]
    return [grid_code(level, state["level"]), grid_code(spread, state["spread"])]


def _standing(value: Series) -> Profile:
    """Of the points of the last day, or of the last one."""
    if not len(value) or value.start is None or value.every is None:
        return [MISSING, MISSING, MISSING]
    points = value.numbers(next(iter(value.columns)))
    day = max(1, int(DAY_S / value.every.usual_seconds))
    latest = min(day, max(1, len(value) // LATEST))
    last = value.every.after(value.start, np.array([len(value) - 1]))[0]
    found = standing.standing(points, value.every.seasons, latest)
    return standing.profile(found, standing.week(last))


def season(state: Json) -> int:
    """Where a profile has the week of the year."""
    return 2 if state.get(OWN_PAST) else NO_SEASON


def traits(state: Json) -> tuple[Trait, ...]:
    if state.get(OWN_PAST):
        return standing.traits()
    level, spread = grid_width(state["level"]), grid_width(state["spread"])
    return (
        Trait("missing", "rate", 0, level, (MISSING,)),
        Trait("level", "ordered", 0, level, scale=grid_scale(state["level"])),
        Trait("spread", "ordered", 1, spread, scale=grid_scale(state["spread"])),
        Trait("outside", "rate", 0, level, (1, level - 1)),
    )
