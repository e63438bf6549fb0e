"""Whether a table holds series: a moment on a regular grid, a number, and perhaps a column that tells series apart."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import is_missing
from windlass.kinds.points import reading, time_step
from windlass.kinds.points.time_step import TimeStep
from windlass.sources.columns import Look, is_number, word_of

LEAST_POINTS, LEAST_PARTS = 30, 4
"""Of the longest series; and horizons that it must hold."""
LEAST_OF_A_WINDOW = 12
"""Points of the longest series, where windows of it tell the answer."""
REGULAR = 0.9
"""Share of the points that must lie in series with a regular step."""
MOST_SERIES_SHARE = 0.2
"""Series for so many rows at most: else each is too short."""
HORIZONS = {"s": 60, "min": 60, "h": 24, "d": 28, "b": 10, "w": 13, "mo": 12, "q": 4, "y": 3}
"""Unit of the step -> steps that people usually want to know ahead."""
KNOWN = re.compile(
    r"promo|discount|campaign|holiday|price|weekend|event|school|forecast|planned|促销|折扣|活动|节日|假日|节假|价格|计划",
    re.IGNORECASE,
)
"""Names of what is usually known beforehand."""
CENSORED = re.compile(r"stock_?out|out_?of_?stock|sold_?out|oos|缺货|断货|售罄", re.IGNORECASE)
HISTORY = "history"


@dataclass(frozen=True)
class FoundSeries:
    """Series in a long table. longest: points of the longest one. order: (n,) int, its rows by series and moment;
    names: (n,) str, the series that each row is of."""

    time: str
    step: TimeStep
    longest: int
    n_series: int
    group: str
    order: np.ndarray
    names: np.ndarray


@dataclass
class SeriesGuess:
    """How the table is read as series. attributes: columns that do not change within one -> kind."""

    time: str
    step: TimeStep
    longest: int
    n_series: int
    group: str = ""
    known: list[str] = field(default_factory=list)
    past: list[str] = field(default_factory=list)
    censored: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        usual = HORIZONS[self.step.unit] // (self.step.count if self.step.unit != "min" else 1)
        if self.step.unit == "min":
            usual = max(1, 24 * 60 // self.step.count) if self.step.count >= 5 else 60
        return max(1, min(usual, self.longest // (2 * LEAST_PARTS)))

    def as_spec(self) -> dict[str, Any]:
        """The section `series` of windlass.yaml."""
        values = {"time": self.time, "horizon": self.horizon, "known": self.known, "past": self.past,
                  "censored": self.censored}  # fmt: skip
        return {name: value for name, value in values.items() if value}

    @property
    def reasons(self) -> list[str]:
        parts = f", one for each '{self.group}'" if self.group else ""
        said = [
            f"'{self.time}' goes on in steps of {self.step}: {self.n_series:,} series{parts}, the longest with "
            f"{self.longest:,} points, so what comes next is foreseen, {self.horizon} steps ahead (`horizon`)"
        ]
        if self.known:
            said.append(f"taken as known beforehand, by name: {listed(self.known)}; move to `past` what is not")
        if self.past:
            said.append(f"taken as known only afterwards: {listed(self.past)}; move to `known` what is planned ahead")
        if self.censored:
            said.append(
                f"where '{self.censored}' is 1 the number was cut by what was there: such points count as unknown"
            )
        return said


def guess_series(
    found: FoundSeries, columns: Mapping[str, Sequence[Any]], looks: Mapping[str, Look], output: str
) -> SeriesGuess | None:
    """How the columns (all of the same rows, in their order) are series of the output; None: they are too short."""
    if found.longest < LEAST_POINTS:
        return None
    made = SeriesGuess(found.time, found.step, found.longest, found.n_series, found.group)
    _sort_columns(made, columns, looks, output)
    return made


def find_series(columns: Mapping[str, Sequence[Any]], looks: Mapping[str, Look]) -> FoundSeries | None:
    """The column of moments on a regular grid, and the one that tells series apart; None: there are no such columns."""
    times = [name for name, each in looks.items() if each.kind and kinds.get(each.kind).is_moment and not each.format]
    for time in times:
        try:
            moments = reading.moments_of(list(columns[time]))
        except (ValueError, DataError):
            continue
        for group in ["", *_groups(columns, looks, time)]:
            names = np.array([word_of(each) for each in columns[group]] if group else [""] * len(moments))
            found = _read(moments, names)
            if found is not None:
                return FoundSeries(time, *found, group, np.lexsort((moments, names)), names)
    return None


def _groups(columns: Mapping[str, Sequence[Any]], looks: Mapping[str, Look], time: str) -> list[str]:
    """Columns that may tell series apart: few different values, each on many rows."""
    found = []
    for place, (name, values) in enumerate(columns.items()):
        different = len(set(map(word_of, values)))
        if name in looks and name != time and 1 < different <= MOST_SERIES_SHARE * len(values):
            found.append((not is_named(looks[name]), different, place, name))
    return [name for *_, name in sorted(found)]


def _read(moments: np.ndarray, names: np.ndarray) -> tuple[TimeStep, int, int] | None:
    """Step, points of the longest series and how many there are; None: moments are not regular, or there twice."""
    steps: dict[str, int] = {}
    longest, n_series = 0, 0
    for name in np.unique(names):
        own = np.sort(moments[names == name])
        n_series += 1
        if len(np.unique(own)) < len(own):
            return None
        step = time_step.found_in(own)
        if step is not None:
            steps[str(step)] = steps.get(str(step), 0) + len(own)
            longest = max(longest, len(own))
    if not steps or longest < LEAST_OF_A_WINDOW:
        return None
    usual = max(steps, key=lambda each: steps[each])
    return (time_step.parse(usual), longest, n_series) if steps[usual] >= REGULAR * len(moments) else None


def _sort_columns(
    made: SeriesGuess, columns: Mapping[str, Sequence[Any]], looks: Mapping[str, Look], output: str
) -> None:
    """What does not change within a series, what is known beforehand, and what only afterwards."""
    for name, each in looks.items():
        if name in (made.time, made.group, output):
            continue
        values = columns[name]
        if CENSORED.search(name) and set(map(word_of, values)) <= {"0", "1", "0.0", "1.0", "True", "False"}:
            made.censored = name
        elif made.group and each.kind and is_fixed(values, columns[made.group]):
            made.attributes[name] = each.kind
        elif is_covariate(each, values):
            (made.known if KNOWN.search(name) else made.past).append(name)
    if made.group and is_named(looks[made.group]):
        made.attributes.setdefault(made.group, looks[made.group].kind)


def is_covariate(found: Look, values: Sequence[Any]) -> bool:
    """Numbers, or few words: also a column of noughts and ones, which is left out of tables where it hardly varies."""
    is_short = all(is_missing(value) or is_number(value) or isinstance(value, str) for value in values)
    is_told = found.is_quantity or is_named(found) or set(map(word_of, values)) <= {"0", "1"}
    return is_short and is_told


def is_named(found: Look) -> bool:
    """The values are names, of which some are frequent."""
    return bool(found.kind) and kinds.get(found.kind).is_named


def is_fixed(values: Sequence[Any], groups: Sequence[Any]) -> bool:
    seen: dict[str, str] = {}
    return all(seen.setdefault(word_of(group), word_of(value)) == word_of(value)
               for group, value in zip(groups, values, strict=True))  # fmt: skip


def listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
