"""A series: points in the order of time, each with one or several values, and perhaps with its moment.

It is read from plain numbers, from a list of points (`{"date": ..., "sales": ..., "promo": ...}`), from columns, and
from what `collect` keeps: the first moment, the step, and the columns on a regular grid, where gaps are null.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from windlass.durations import DAY_S
from windlass.errors import DataError
from windlass.kinds import date, number
from windlass.kinds.contract import has_surrogate, is_missing, shown
from windlass.kinds.points import time_step
from windlass.kinds.points.time_step import TimeStep
from windlass.records import Json

VALUE = "value"
"""What the numbers are called where a series is nothing but numbers."""
MOST_POINTS, MOST_COLUMNS = 1_000_000, 200
SPARSE, LEAST_SPAN = 100, 1_000
"""Steps for each point, and steps anyway, that a series may span: a mistyped year would make it all gaps."""
ZONE = re.compile(r":\d{2}(\.\d+)?\s?(Z|[+-]\d{2}:?\d{2})$")
Values = list[float | str | None]
NUMBERS = frozenset((float, int, type(None)))
"""Types of values of which a column is read as one array: to look at each by itself took nine tenths of an answer."""


@dataclass(frozen=True)
class Series:
    """columns: name -> (n,) numbers or words, None where nothing is known. start: of the first point, in UTC where
    moments have a zone (`is_utc`); None: points are only counted. every: from one to the next. unread: names in what
    was said that are none of the product's.
    """

    columns: Mapping[str, Values]
    start: np.datetime64 | None = None
    every: TimeStep | None = None
    is_utc: bool = False
    unread: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def times(self, count: int | None = None) -> np.ndarray | None:
        """(n,) datetime64[s], or so many from the start on; None: points are only counted."""
        if self.start is None or self.every is None:
            return None
        return self.every.after(self.start, np.arange(len(self) if count is None else count))

    def numbers(self, name: str) -> np.ndarray:
        """(n,) float64 of a column, NaN where there is no number."""
        values = self.columns.get(name)
        if values is None:
            return np.full(len(self), np.nan)
        if set(map(type, values)) <= NUMBERS:
            return np.array(values, np.float64)  # None becomes NaN
        return np.array([each if isinstance(each, int | float) else math.nan for each in values], np.float64)

    def part(self, first: int, end: int) -> "Series":
        """The points from `first` to before `end`."""
        start = None if self.start is None or self.every is None else self.every.after(self.start, np.array([first]))[0]
        columns = {name: values[first:end] for name, values in self.columns.items()}
        return Series(columns, start, self.every, self.is_utc, self.unread)

    def as_json(self) -> Json:
        """As it is kept and sent."""
        zone = "Z" if self.is_utc else ""
        moment = {} if self.start is None else {"start": f"{self.start}{zone}", "every": str(self.every)}
        return {**moment, "columns": dict(self.columns)}

    def as_text(self) -> str:
        return json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":"))


EMPTY = Series({VALUE: []})


@dataclass(frozen=True)
class Written:
    """How the points of a product's series are called. time: '' = they are only counted. value: what is foreseen.
    known: columns whose future is known; past: those known afterwards. every: '' = not said. gather: how the points
    of one step become one, 'mean' or 'sum'; '' = a step has one point. window: the latest points that count; 0: all.
    """

    time: str = ""
    value: str = VALUE
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    every: str = ""
    gather: str = ""
    window: int = 0

    @classmethod
    def of(cls, how: Json) -> "Written":
        known = {name: said for name, said in how.items() if name in cls.__annotations__}
        values: dict[str, Any] = {name: tuple(said) if isinstance(said, list) else said for name, said in known.items()}
        return cls(**values)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.value, *self.known, *self.past)


PLAIN = Written()


def read(value: Any, root: Path | None, how: Written = PLAIN) -> Series:
    """Raises: DataError."""
    try:
        return _read(value, how)
    except ValueError as error:
        raise DataError(f"series {error}") from None


def check(value: Any, how: Written = PLAIN) -> str | None:
    try:
        _read(value, how)
    except ValueError as error:
        return str(error)
    return None


def _read(value: Any, how: Written) -> Series:
    """Raises: ValueError: in words that follow 'series'."""
    found = _whole(value, how)
    return found.part(len(found) - how.window, len(found)) if 0 < how.window < len(found) else found


def _whole(value: Any, how: Written) -> Series:
    if isinstance(value, Series):
        return value
    found = _opened(value)
    if isinstance(found, dict) and isinstance(found.get("columns"), dict):
        return _kept(found, how)
    points = _columns(found, how)
    n_points = len(next(iter(points.values()), []))
    if n_points > MOST_POINTS:
        raise ValueError(f"has {n_points:,} points, expected at most {MOST_POINTS:,}")
    moments = points.pop(how.time, None) if how.time else None
    names = how.columns if how != PLAIN else tuple(points) or (VALUE,)
    columns = {name: _values(points[name], name, how) for name in names if name in points}
    if not columns and n_points:
        raise ValueError(f"has no '{names[0]}', expected it in its points")
    columns = columns or {names[0]: []}
    unread = tuple(name for name in points if name not in names)
    if moments is None:
        return Series(columns, unread=unread)
    is_utc = bool(moments) and has_zone(moments[0])
    return replace(on_grid(moments_of(moments), columns, how), is_utc=is_utc, unread=unread)


def _opened(value: Any) -> Any:
    """What a text says; anything else as it is."""
    if is_missing(value):
        return []
    if not isinstance(value, str):
        return value.tolist() if isinstance(value, np.ndarray) else value
    text = value.strip()
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(f"is {shown(value)}, expected a list of numbers or of points") from None
    words = text.replace(";", " ").split()
    if len(words) < 2:
        raise ValueError(f"is {shown(value)}, expected a list of numbers or of points")
    return words


def _kept(found: Json, how: Written) -> Series:
    columns = found["columns"]
    lengths = {len(each) if isinstance(each, list) else -1 for each in columns.values()}
    if len(lengths) != 1 or -1 in lengths or len(columns) > MOST_COLUMNS or max(lengths) > MOST_POINTS:
        raise ValueError(f"has columns of {len(lengths)} lengths, expected lists of one")
    read = {str(name): _values(values, name, how) for name, values in columns.items()}
    if "start" not in found:
        return Series(read)
    try:
        every = time_step.parse(str(found.get("every", "")))
    except ValueError as error:
        raise ValueError(f"has 'every' {error}") from None
    if how.every and not every.same_as(time_step.parse(how.every)):
        raise ValueError(f"has points {every} apart, expected {how.every}, as in training")
    return Series(read, _moment(found["start"]), every, has_zone(found["start"]))


def _columns(found: Any, how: Written) -> dict[str, list[Any]]:
    """Name -> values of its points."""
    if isinstance(found, dict):
        lists = {str(name): values for name, values in found.items() if isinstance(values, list | tuple)}
        if len(lists) < len(found) or len({len(values) for values in lists.values()}) != 1:
            raise ValueError(f"is {shown(found)}, expected columns of equally many values")
        return {name: list(values) for name, values in lists.items()}
    if not isinstance(found, list | tuple):
        raise ValueError(f"is {shown(found)}, expected a list of numbers or of points")
    if not any(isinstance(each, dict) for each in found):
        return {how.value: list(found)} if found else {}
    for place, each in enumerate(found):
        if not isinstance(each, dict):
            raise ValueError(f"has point {place} {shown(each)}, expected an object like the others")
    names = dict.fromkeys(str(name) for each in found for name in each)
    if len(names) > MOST_COLUMNS:
        raise ValueError(f"has {len(names):,} columns, expected at most {MOST_COLUMNS}")
    return {name: [each.get(name) for each in found] for name in names}


def _values(values: Sequence[Any], name: str, how: Written) -> Values:
    """Each as `_value` reads it. Raises: ValueError."""
    if set(map(type, values)) <= NUMBERS:
        try:
            array = np.array(values, np.float64)
        except OverflowError:
            array = np.array([math.inf])
        if not np.any(np.abs(array) > number.LARGEST):
            found = array.astype(object)
            found[np.isnan(array)] = None
            return list(found.tolist())
    return [_value(each, name, place, how) for place, each in enumerate(values)]


def _value(value: Any, name: str, place: int, how: Written = PLAIN) -> float | str | None:
    """A number, a word, or None. Raises: ValueError: what is foreseen is no number, or the value is none of these."""
    if type(value) in (float, int):  # nearly all
        if value != value:
            return None
        if abs(value) > number.LARGEST:
            raise _no_number(value, name, place)
        return float(value)
    if is_missing(value):
        return None
    try:
        found = number.parse(value)
        return None if math.isnan(found) else found
    except (ValueError, OverflowError):
        is_word = isinstance(value, str) and len(value) <= date.MOST_CHARACTERS
        if isinstance(value, bool | np.bool_):
            return float(value)
        if not is_word or (how != PLAIN and name == how.value) or (how == PLAIN and name == VALUE):
            raise _no_number(value, name, place) from None
        if has_surrogate(value):
            raise _no_number(value, name, place) from None
        return str(value).strip()


def _no_number(value: Any, name: str, place: int) -> ValueError:
    return ValueError(f"has '{name}' {shown(value)} at point {place}, expected a number")


def brief_series(state: Json) -> list[Json] | list[float]:
    """Three points as a column of such a state reads them, for who wants to see how they are sent."""
    how = Written.of(state.get("written", {}))
    if how == PLAIN:
        return [1.0, 2.0, 3.0]
    moments = time_step.parse(how.every or "1d").after(np.datetime64("2026-03-30"), np.arange(3))
    return [
        {**({how.time: str(moment)} if how.time else {}), **dict.fromkeys(how.columns, float(place))}
        for place, moment in enumerate(moments, 1)
    ]


# moments --------------------------------------------------------------------------------------------------------------


def moments_of(values: Sequence[Any]) -> np.ndarray:
    """(n,) datetime64[s], those with a zone in UTC. Raises: ValueError: one is no moment, or missing."""
    return np.array([_moment(value) for value in values], "datetime64[s]")


def has_zone(value: Any) -> bool:
    """A moment that says where: `2026-03-31T14:00+02:00`, or `Z`."""
    if isinstance(value, datetime):
        return value.tzinfo is not None
    return isinstance(value, str) and ZONE.search(value) is not None


def _moment(value: Any) -> np.datetime64:
    """Raises: ValueError."""
    if is_missing(value):
        raise ValueError("has a point without its moment, expected one in each")
    try:
        found = time_step.utc(datetime.fromisoformat(value)) if isinstance(value, str) else date.parse(value)
    except (ValueError, OverflowError):
        found = date.parse(value) if date.check(value) is None else None
    if isinstance(value, datetime):
        found = time_step.utc(value)
    if found is None:
        raise ValueError(f"has the moment {shown(value)}, expected such as 2026-03-31 or 2026-03-31T14:00")
    return np.datetime64(found.isoformat(timespec="seconds"), "s")


def on_grid(moments: np.ndarray, columns: Mapping[str, Values], how: Written) -> Series:
    """The points in order, one a step, None in gaps.

    Args:   moments: (n,) datetime64[s] in any order.
    Raises: ValueError: a moment is there twice or between two steps, or the step is not known.
    """
    if not len(moments):
        return Series(columns)
    if how.gather and how.every:
        moments, columns = gathered(moments, columns, how)
    order = np.argsort(moments, kind="stable")
    moments = moments[order]
    twice = np.flatnonzero(np.diff(moments) == np.timedelta64(0))
    if len(twice):
        raise ValueError(f"has the moment {moments[twice[0]]} twice, expected one point each")
    every = time_step.parse(how.every) if how.every else time_step.found_in(moments)
    if every is None:
        if len(moments) > 2:
            raise ValueError("has irregular moments, expected one step from each to the next, or 'every' in `series`")
        every = time_step.of_seconds(max(1, int(np.diff(moments).astype(np.int64).sum()) or int(DAY_S)))
    places = every.places(moments[0], moments)
    if (places < 0).any() or len(np.unique(places)) < len(places):
        wrong = moments[np.flatnonzero(places < 0)[0]] if (places < 0).any() else moments[1]
        raise ValueError(f"has the moment {wrong}, expected whole steps of {every} from {moments[0]} on")
    if len(far := moments[~together(moments, every)]):
        raise ValueError(f"has the moment {far[0]} {FAR}")
    if places[-1] >= MOST_POINTS:
        raise ValueError(f"spans {int(places[-1]):,} steps of {every}, expected at most {MOST_POINTS:,}")
    found: dict[str, Values] = {}
    for name, values in columns.items():
        filled: Values = [None] * (int(places[-1]) + 1)
        for place, source in zip(places.tolist(), order.tolist(), strict=True):
            filled[place] = values[source]
        found[name] = filled
    return Series(found, moments[0], every)


FAR = f"far from its other points, expected gaps of fewer than {SPARSE} steps a point: is its year right?"


def together(moments: np.ndarray, every: TimeStep) -> np.ndarray:
    """(n,) bool of moments (n,) in any order: False of those beyond a gap that leaves a series nearly without points.

    As long as it spans too many steps for its points, what lies on the smaller side of its largest gap is left out.
    """
    order = np.argsort(moments, kind="stable")
    ordered = moments[order]
    first, end = 0, len(ordered)
    while end - first > 1:
        span = (ordered[end - 1] - ordered[first]).astype(np.int64) / every.usual_seconds
        if span <= LEAST_SPAN + SPARSE * len(np.unique(ordered[first:end])):
            break
        cut = first + 1 + int(np.diff(ordered[first:end]).argmax())
        first, end = (cut, end) if end - cut > cut - first else (first, cut)
    found = np.zeros(len(moments), bool)
    found[order[first:end]] = True
    return found


def gathered(moments: np.ndarray, columns: Mapping[str, Values], how: Written) -> tuple[np.ndarray, dict[str, Values]]:
    """One point a step: numbers as mean or sum, of words the last one."""
    steps, groups = np.unique(time_step.parse(how.every).floor(moments), return_inverse=True)
    found: dict[str, Values] = {}
    for name, values in columns.items():
        kept: list[Values] = [[] for _ in steps]
        for group, value in zip(groups.tolist(), values, strict=True):
            if value is not None:
                kept[group].append(value)
        found[name] = [_one(each, how.gather if name == how.value else "mean") for each in kept]
    return steps, found


def _one(values: Values, gather: str) -> float | str | None:
    numbers = [each for each in values if isinstance(each, float)]
    if not values:
        return None
    if len(numbers) < len(values):
        return values[-1]
    return float(np.sum(numbers) if gather == "sum" else np.mean(numbers))
