"""When bad news about an entity is suddenly much: days that its own past does not explain."""

from dataclasses import dataclass

import numpy as np

from windlass.metrics.drift import holm
from windlass.metrics.measures import Array
from windlass.trends.surprise import ExpectedCount, usual, weekday_factors

DAYS_A_MONTH = 30.4375
LEAST_PAST = 14
"""Days that the feed must have had before the first alarm."""


@dataclass(frozen=True)
class Rule:
    """When a count is an alarm. window: days of its own past that a count is held against; least: fewer are never an
    alarm; false_alarms_a_month: over all series together, at most."""

    window: int = 28
    least: int = 5
    false_alarms_a_month: float = 1.0

    @property
    def level(self) -> float:
        """The chance of a false alarm on a day."""
        return min(self.false_alarms_a_month / DAYS_A_MONTH, 1.0)


@dataclass(frozen=True)
class Surprises:
    """What was tested, (n, d) each: n series on d days; NaN where the past is too short.

    chance: of so many on a usual day; mean and high: of a usual day, the latter its 97.5 % quantile; needed: counts
    below are no alarm.
    """

    chance: Array
    mean: Array
    high: Array
    needed: Array
    is_alarm: Array


def surprises(counts: Array, volumes: Array, weekdays: Array, rule: Rule) -> Surprises:
    """Holds each day of each series against its own past alone.

    Args:    counts: (n, d) of the series; volumes: (d,) texts of the feed, from which the weight of each weekday is
             learned; weekdays: (d,) 0-6.
    """
    first = min(LEAST_PAST, rule.window, counts.shape[1])
    means, sizes = np.ones((2, *counts.shape))
    for day in range(first, counts.shape[1]):
        past = slice(max(0, day - rule.window), day)
        factors = weekday_factors(volumes[past], weekdays[past])
        known = usual(counts[:, past], factors[weekdays[past]], float(factors[weekdays[day]]))
        means[:, day], sizes[:, day] = known.mean, known.size
    known = ExpectedCount(means, sizes)
    chance = known.tail(counts)
    adjusted = np.array([holm(day) for day in chance.T]).reshape(counts.T.shape).T
    found = Surprises(
        chance,
        means,
        known.reached(0.025) - 1.0,
        np.maximum(known.reached(rule.level / max(len(counts), 1)), rule.least) * 1.0,
        (adjusted <= rule.level) & (counts >= rule.least),
    )
    for values in (found.chance, found.mean, found.high, found.needed):
        values[:, :first] = np.nan
    found.is_alarm[:, :first] = False
    return found


def episodes(days: Array) -> list[tuple[int, int]]:
    """Runs of days (d,) bool as (first, last): what goes on for days is one event."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], days.astype(int), [0]])))
    return [(int(first), int(after) - 1) for first, after in edges.reshape(-1, 2)]
