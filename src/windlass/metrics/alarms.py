"""Alarms beside faults: how many faults were found within a day, how late, and how often nothing was wrong.

A fault is a run of rows that are faulty, of one machine. An alarm stands for a day: what comes within it is no other,
and one that goes on is one each day, or an alarm that never ends would be a single false one.
Shapes: (n,) of rows in any order.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from windlass.metrics.measures import METRICS, Estimate, LabelMarks, wilson

Array = np.ndarray
FOUND, FALSE_ALARMS, DELAY = "found_within_a_day", "false_alarms_a_month", "delay_hours"
ALARM_METRICS = (FOUND, FALSE_ALARMS, DELAY, "roc_auc", "pr_auc")
DAY_H, MONTH_H = 24.0, 24 * 30.4
SURE = 0.9
"""That the bound of false alarms holds, by the rows that chose: Poisson's upper limit."""


@dataclass(frozen=True)
class AlarmMarks(LabelMarks):
    """streams: (n,) int, the machine that a row is of; hours: (n,) float, when it ends; yes: the place of the label
    that is an alarm."""

    streams: Array = field(default_factory=lambda: np.zeros(0, int))
    hours: Array = field(default_factory=lambda: np.zeros(0))
    yes: int = 1

    @property
    def metrics(self) -> tuple[str, ...]:
        return ALARM_METRICS

    @cached_property
    def counted(self) -> "Counted":
        return counted(self.streams, self.hours, self.targets == self.yes, self.answers == self.yes)

    def value(self, metric: str, rows: Array | None = None) -> float:
        """Of all rows, or of these: each fault stands in its first row."""
        if metric in METRICS:
            return super().value(metric, rows)
        found, chosen = self.counted, slice(None) if rows is None else rows
        first = found.is_first[chosen]
        if metric == FOUND:
            return _share(found.is_found[chosen][first].sum(), first.sum())
        if metric == FALSE_ALARMS:
            return _share(found.is_false[chosen].sum(), found.months[chosen].sum())
        late = found.delay[chosen][first]
        return float(late[np.isfinite(late)].mean()) if np.isfinite(late).any() else float("nan")

    def exact(self, metric: str) -> Estimate | None:
        """Faults found are a share of the faults; false alarms a count in some months. Source: Garwood 1936."""
        found = self.counted
        if metric == FOUND and found.is_first.any():
            return wilson(float(found.is_found.sum()), float(found.is_first.sum()))
        months, count = float(found.months.sum()), int(found.is_false.sum())
        if metric != FALSE_ALARMS or not months:
            return super().exact(metric) if metric in METRICS else None
        from scipy.stats import chi2

        low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
        return Estimate(count / months, float(low) / months, float(chi2.ppf(0.975, 2 * count + 2)) / 2 / months)


@dataclass(frozen=True)
class Counted:
    """is_first: a fault begins in this row; is_found: it does, and an alarm came within a day; delay: hours to the
    first alarm of the fault that begins here, NaN: none came; is_false: an alarm begins here though nothing is wrong;
    months: for how long the row stands, 0 where something is wrong."""

    is_first: Array
    is_found: Array
    delay: Array
    is_false: Array
    months: Array


def counted(streams: Array, hours: Array, is_fault: Array, is_alarm: Array) -> Counted:
    order = np.lexsort((hours, streams))
    n_rows = len(order)
    stream, hour, fault, alarm = streams[order], hours[order], is_fault[order], is_alarm[order]
    starts = np.append(True, (stream[1:] != stream[:-1]))[:n_rows]
    gaps = np.append(np.inf, np.diff(hour))[:n_rows]
    before = np.append(False, fault[:-1])[:n_rows]
    is_first = fault & (starts | ~before | (gaps > DAY_H))
    run = np.cumsum(is_first)
    is_found, delay = np.zeros(n_rows, bool), np.full(n_rows, np.nan)
    for first in np.flatnonzero(is_first):
        told = np.flatnonzero(fault & alarm & (run == run[first]) & (stream == stream[first]))
        if len(told):
            delay[first] = hour[told[0]] - hour[first]
            is_found[first] = delay[first] < DAY_H
    is_false = np.zeros(n_rows, bool)
    since: tuple[int, float] = (-1, -np.inf)
    for place in np.flatnonzero(alarm & ~fault).tolist():
        if stream[place] != since[0] or hour[place] - since[1] >= DAY_H:
            is_false[place], since = True, (int(stream[place]), float(hour[place]))
    inside = gaps[~starts]
    usual = float(np.median(inside)) if len(inside) else 0.0
    months = np.where(fault, 0.0, usual / MONTH_H)
    back = np.empty(n_rows, int)
    back[order] = np.arange(n_rows)
    return Counted(*(each[back] for each in (is_first, is_found, delay, is_false, months)))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def alarm_share(marks: AlarmMarks, most_a_month: float) -> float:
    """The probability from which on an alarm is raised, in (0, 1): the lowest with which these rows say, with nine
    chances in ten, that false alarms keep to the bound; where they are too few to say so, none of them is one.

    A count that is within the bound here is above it later as often as not: measured, docs/log.md, "machine-health".
    """
    from scipy.stats import chi2

    shares, sound = marks.probabilities[:, marks.yes], marks.targets != marks.yes
    odd = np.unique(shares[sound])[::-1]
    if not len(odd):
        return 0.5
    chosen = (odd[0] + 1) / 2
    for share, above in zip(odd, np.append(1.0, odd[:-1]), strict=True):
        found = counted(marks.streams, marks.hours, ~sound, shares > share)
        if share < odd[0] and chi2.ppf(SURE, 2 * found.is_false.sum() + 2) / 2 > most_a_month * found.months.sum():
            break
        chosen = (share + above) / 2
    return float(np.clip(chosen, 1e-6, 1 - 1e-6))
