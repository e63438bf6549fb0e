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
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from windlass.durations import DAY_S
from windlass.errors import DataError
from windlass.kinds import date, number, series_features, series_standing, time_step
from windlass.kinds.contract import Kind, has_surrogate, is_missing, shown
from windlass.kinds.sketch import (
    MISSING,
    NO_SEASON,
    Profile,
    Sketch,
    Trait,
    grid_code,
    grid_scale,
    grid_width,
    learn_grid,
)
from windlass.kinds.time_step import TimeStep
from windlass.records import Json

VALUE = "value"
"""What the numbers are called where a series is nothing but numbers."""
MOST_POINTS, MOST_COLUMNS = 1_000_000, 200
N_SKETCH = 16
MOST_STEPS, COVERED = 256, 95
"""Of the form "steps": the points it holds at most, and the percentile of the lengths in training that fit in."""
STEPS, RAW = "steps", "raw"
OWN_PAST = "own_past"
"""Where the state of a sketch says that series are measured by their own past."""
LATEST = 4
"""One in so many points of a series are its latest ones."""
ZONE = re.compile(r":\d{2}(\.\d+)?\s?(Z|[+-]\d{2}:?\d{2})$")
LARGEST_RAW = 1e30
FLAT = 1e-9
"""A deviation from the mean that is none."""
Values = list[float | str | None]


@dataclass(frozen=True)
class Series:
    """columns: name -> (n,) numbers or words, None where nothing is known. start: of the first point, in UTC where
    moments have a zone (`is_utc`); None: points are only counted. every: from one to the next.
    """

    columns: Mapping[str, Values]
    start: np.datetime64 | None = None
    every: TimeStep | None = None
    is_utc: bool = False

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
        return np.array([each if isinstance(each, int | float) else math.nan for each in values], np.float64)

    def part(self, first: int, end: int) -> "Series":
        """The points from `first` to before `end`."""
        start = None if self.start is None or self.every is None else self.every.after(self.start, np.array([first]))[0]
        columns = {name: values[first:end] for name, values in self.columns.items()}
        return Series(columns, start, self.every, self.is_utc)

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
        return _kept(found)
    points = _columns(found, how)
    n_points = len(next(iter(points.values()), []))
    if n_points > MOST_POINTS:
        raise ValueError(f"has {n_points:,} points, expected at most {MOST_POINTS:,}")
    moments = points.pop(how.time, None) if how.time else None
    names = how.columns if how != PLAIN else tuple(points) or (VALUE,)
    columns = {name: [_value(each, name, place, how) for place, each in enumerate(points[name])]
               for name in names if name in points}  # fmt: skip
    if not columns and n_points:
        raise ValueError(f"has no '{names[0]}', expected it in its points")
    columns = columns or {names[0]: []}
    if moments is None:
        return Series(columns)
    is_utc = bool(moments) and has_zone(moments[0])
    return replace(on_grid(moments_of(moments), columns, how), is_utc=is_utc)


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


def _kept(found: Json) -> Series:
    columns = found["columns"]
    lengths = {len(each) if isinstance(each, list) else -1 for each in columns.values()}
    if len(lengths) != 1 or -1 in lengths or len(columns) > MOST_COLUMNS or max(lengths) > MOST_POINTS:
        raise ValueError(f"has columns of {len(lengths)} lengths, expected lists of one")
    read = {str(name): [_value(each, name, place) for place, each in enumerate(values)]
            for name, values in columns.items()}  # fmt: skip
    if "start" not in found:
        return Series(read)
    every = time_step.parse(str(found.get("every", "")))
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
    if places[-1] >= MOST_POINTS:
        raise ValueError(f"spans {int(places[-1]):,} steps of {every}, expected at most {MOST_POINTS:,}")
    found: dict[str, Values] = {}
    for name, values in columns.items():
        filled: Values = [None] * (int(places[-1]) + 1)
        for place, source in zip(places.tolist(), order.tolist(), strict=True):
            filled[place] = values[source]
        found[name] = filled
    return Series(found, moments[0], every)


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


# as an input of what learns from rows ---------------------------------------------------------------------------------


def channels(values: Sequence[Series]) -> list[str]:
    """The columns that hold numbers, as the first series have them."""
    names = dict.fromkeys(name for series in values[:100] for name in series.columns)
    return [name for name in names if any(np.isfinite(each.numbers(name)).any() for each in values[:100])]


def fit(values: Any, form: str, options: Json) -> Json:
    """features: numbers that sum each channel up, with their means and deviations. steps: those of each channel, and
    how many points are looked at; `length` is an option. raw: that many, as the longest has."""
    known = list(values)
    names = channels(known)
    if form == STEPS:
        return _fit_steps(known, names, options)
    if form == RAW:
        return {"form": RAW, "channels": names, "length": max([len(each) for each in known] or [1])}
    found = series_features.table([[each.numbers(name) for name in names] for each in known], len(names))
    with np.errstate(invalid="ignore"):
        mean, deviation = (found.mean(axis=0), found.std(axis=0)) if len(found) else (np.zeros(found.shape[1]),) * 2
    deviation = np.where(deviation > FLAT, deviation, 1.0)
    return {"form": form, "channels": names, "mean": mean.tolist(), "deviation": deviation.tolist()}


def encode(values: Sequence[Series], state: Json) -> np.ndarray:
    """features -> (n, channels x features) float32, in deviations from the mean, clipped to 8.
    raw -> (n, length, channels + 1) float32, the latest readings as they are, NaN where there is none; the last column
    is the part of the day that is gone at each, 0-1, NaN where moments are not known.
    steps -> (n, length, channels) float32, the same of the latest points, the last one at the end: before the first
    point stands 0, in a gap the value before it.
    """
    names = state["channels"]
    if state["form"] == RAW:
        return np.array([_raw(each, state) for each in values], np.float32).reshape(
            len(values), state["length"], len(names) + 1
        )
    if state["form"] == STEPS:
        steps = [series_features.steps([each.numbers(name) for name in names], state) for each in values]
        return np.array(steps, np.float32).reshape(len(values), state["length"], len(names))
    found = series_features.table([[each.numbers(name) for name in names] for each in values], len(names))
    scaled = (found - np.array(state["mean"])) / np.array(state["deviation"])
    return np.clip(scaled, -series_features.FURTHEST, series_features.FURTHEST).astype(np.float32)


def _fit_steps(values: Sequence[Series], names: Sequence[str], options: Json) -> Json:
    lengths = [len(each) for each in values if len(each)] or [1]
    length = min(options.get("length", MOST_STEPS), math.ceil(np.percentile(lengths, COVERED)))
    pooled = [np.concatenate([each.numbers(name)[-length:] for each in values]) for name in names]
    there = [each[np.isfinite(each)] for each in pooled]
    deviation = [float(each.std()) if len(each) else 0.0 for each in there]
    return {
        "form": STEPS,
        "channels": list(names),
        "length": int(length),
        "mean": [float(each.mean()) if len(each) else 0.0 for each in there],
        "deviation": [each if each > FLAT else 1.0 for each in deviation],
    }


def _raw(series: Series, state: Json) -> np.ndarray:
    """(length, channels + 1)"""
    length, times = state["length"], series.times()
    columns = [series.numbers(name)[-length:] for name in state["channels"]]
    latest = min(len(series), length)
    hours = np.full(latest, np.nan)
    if times is not None and latest:
        hours = (times[-latest:].astype("datetime64[s]").astype(np.int64) % DAY_S) / DAY_S
    found = np.full((length, len(columns) + 1), np.nan)
    for place, column in enumerate([*columns, hours]):
        found[length - latest :, place] = np.clip(column, -LARGEST_RAW, LARGEST_RAW) if latest else found[:0, 0]
    return found


# what may be remembered -----------------------------------------------------------------------------------------------


def _main(series: Series) -> np.ndarray:
    found = series.numbers(next(iter(series.columns), VALUE))
    return found[np.isfinite(found)]


def _latest(series: Series) -> tuple[float, float]:
    """Mean and deviation of the latest points, NaN where there is none."""
    found = _main(series)
    if not len(found):
        return math.nan, math.nan
    latest = found[-max(1, len(found) // LATEST) :]
    return float(latest.mean()), float(latest.std())


def learn(values: Any) -> Json:
    """Series with moments are measured by their own past; of others, such as recordings, level and spread are known."""
    known = list(values)
    if known and 2 * sum(series.start is not None for series in known) > len(known):
        return {OWN_PAST: True}
    found = [_latest(series) for series in known]
    return {
        "level": learn_grid([level for level, _ in found if level == level], N_SKETCH),
        "spread": learn_grid([spread for _, spread in found if spread == spread], N_SKETCH),
    }


def profile(value: Series, state: Json) -> Profile:
    """Bins of the level and the spread of its latest points, 0 where there are none; or of how they stand to its past,
    and the week of the year."""
    if state.get(OWN_PAST):
        return _standing(value)
    level, spread = _latest(value)
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
    found = series_standing.standing(points, value.every.seasons, latest)
    return series_standing.profile(found, series_standing.week(last))


def season(state: Json) -> int:
    """Where a profile has the week of the year."""
    return 2 if state.get(OWN_PAST) else NO_SEASON


def traits(state: Json) -> tuple[Trait, ...]:
    if state.get(OWN_PAST):
        return series_standing.traits()
    level, spread = grid_width(state["level"]), grid_width(state["spread"])
    return (
        Trait("missing", "rate", 0, level, (MISSING,)),
        Trait("level", "ordered", 0, level, scale=grid_scale(state["level"])),
        Trait("spread", "ordered", 1, spread, scale=grid_scale(state["spread"])),
        Trait("outside", "rate", 0, level, (1, level - 1)),
    )


def describe(value: Series, state: Json) -> str:
    """`has 730 points, the latest about 41.2`."""
    level, _ = _latest(value)
    return f"has {len(value):,} points" + (f", the latest about {level:.4g}" if level == level else "")


def brief(value: Any) -> str:
    """`730 points, 2024-01-01 to 2025-12-30, the latest about 41.2`."""
    series = read(value, None)
    known = _main(series)
    times = series.times(len(series)) if len(series) else None
    when = "" if times is None else f", {str(times[0])[:16]} to {str(times[-1])[:16]}".replace("T00:00", "")
    return f"{len(series):,} points{when}" + (f", the latest about {known[-1]:.4g}" if len(known) else "")


def effort(value: Any) -> int:
    """A number is about eight characters; points are counted with their names."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(8 * len(each) for each in value.values() if isinstance(each, list)) + sum(
            8 * len(each) for each in _inner(value) if isinstance(each, list)
        )
    if not isinstance(value, list):
        return 0
    return sum(30 * len(each) if isinstance(each, dict) else 8 for each in value)


def _inner(value: Json) -> list[Any]:
    inside = value.get("columns")
    return list(inside.values()) if isinstance(inside, dict) else []


def claims(values: Sequence[Any]) -> bool:
    """Lists of at least three numbers, or texts of them."""
    if not values:
        return False
    sample = values[:50]
    return all(isinstance(each, list | tuple | str) and check(each) is None for each in sample) and all(
        len(read(each, None)) >= 3 for each in sample
    )


def _portable(value: Any, root: Path | None, how: Written = PLAIN) -> Json | None:
    return None if is_missing(value) else read(value, root, how).as_json()


def _clean(value: Any, root: Path | None, how: Written = PLAIN) -> str:
    return "" if is_missing(value) else read(value, root, how).as_text()


def _kind(how: Written) -> Kind:
    return Kind(
        name="series",
        forms=("features", STEPS, RAW),
        check=partial(check, how=how),
        read=partial(read, how=how),
        fit=fit,
        encode=encode,
        clean=partial(_clean, how=how),
        portable=partial(_portable, how=how),
        has_points=True,
        background=lambda state: [(EMPTY, 1.0)],
        brief=brief,
        describe=describe,
        sketch=Sketch(learn, profile, traits, season),
        claims=claims,
        as_written=lambda said: _kind(Written.of(said)),
        effort=effort,
    )


KIND = _kind(PLAIN)
