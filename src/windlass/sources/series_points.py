"""A long table, a point a row, as series: one row each, on a regular grid, and why points were refused."""

import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import Kind, is_missing
from windlass.kinds.formats import number_format
from windlass.kinds.points import reading, time_step
from windlass.kinds.points.reading import Series, Values, Written
from windlass.kinds.points.time_step import TimeStep
from windlass.sources.contract import SPLITS, RawRow, Source
from windlass.sources.series_windows import Answered, Windows
from windlass.spec import Spec

AMOUNT = re.compile(r"[+-]?\d[\d.,]*(?![\w-])")
"""What begins a word that is a number with a unit, or with parted thousands, and no name such as `3b` or `2024-W1`."""
N_TIMED = 200
"""Series whose step is looked at to find that of all."""


@dataclass
class Point:
    """A point as it was found. place: number of its row; values: of the columns of the series."""

    place: int
    source: Source
    moment: np.datetime64
    values: list[float | str | None]
    raw: RawRow
    answer: Any = None


@dataclass
class Gathered:
    """The points of one series, and what does not change of it."""

    points: list[Point] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Composed:
    """A series as a row. cut: the first places of validation and test, where files say so; '' = they do not."""

    values: dict[str, Any]
    group: str
    cut: str


@dataclass(frozen=True)
class Refused:
    """A point that is left out, and why. kind_of: what such reasons have in common."""

    point: Point
    reason: str
    kind_of: str


class SeriesPoints:
    """Takes points in any order, and gives the series that they make, or the windows of these."""

    def __init__(self, spec: Spec, columns: Mapping[str, Kind]) -> None:
        assert spec.series is not None
        self.spec, self.shape = spec, spec.series
        self.name = composed_column(spec)
        self.written = Written.of(kinds.ways(spec)[self.name])
        self.attributes = {name: kind for name, kind in columns.items() if name not in (self.name, spec.output_column)}
        self.number = _number_kind(spec, self.written.value)
        self.amounts = {name: _number_kind(spec, name) for name in self.written.columns[1:] if name in spec.formats}
        self.words: dict[str, list[str]] = {}
        self.answers = columns[spec.output_column] if self.shape.window else None
        self.windows = Windows(self.shape)
        self.has_splits = bool(self.shape.window)  # a series that is foreseen lies in several
        self.found: dict[str, Gathered] = {}
        self.warned: Counter[str] = Counter()
        self.order, self.is_utc = 0, False

    def add(self, raw: RawRow, source: Source) -> None:
        """Takes one point in. Raises: DataError: it cannot be read."""
        given = raw.values or {}
        group = _group_of(given.get(self.spec.group)) if self.spec.group else ""
        moment = self._moment(given)
        values: list[float | str | None] = [self._number(given)]
        for name in (*self.written.known, *self.written.past):
            values.append(self._covariate(name, given.get(name)))
        if self.shape.censored and _is_set(given.get(self.shape.censored)):
            self.warned["censored"] += values[0] is not None
            values[0] = None
        gathered = self.found.setdefault(group, Gathered())
        for name, kind in self.attributes.items():
            self._attribute(gathered, name, (kind.clean or kind.read)(given.get(name), source.root))
        answer = self._answer(given, source)
        gathered.points.append(Point(self.order, source, moment, values, raw, answer))
        self.order += 1

    def _covariate(self, name: str, value: Any) -> float | str | None:
        """A number or a word, None where nothing is told. Raises: DataError: it is neither, or not in its format."""
        if name in self.amounts:
            return _amount(self.amounts[name], name, value)
        try:
            found = reading.read([{name: value}], None).columns[name][0]
        except DataError:
            raise DataError(f"column '{name}' holds what is no number and no word") from None
        if isinstance(found, str) and AMOUNT.match(found):
            self.words.setdefault(name, []).append(found)
        return found

    def _answer(self, given: Mapping[str, Any], source: Source) -> Any:
        """Of a point of a window; None: none is known. An empty cell may be one: `labels` says what it means."""
        if self.answers is None or (
            is_missing(given.get(self.spec.output_column)) and "" not in self.spec.labels.merge
        ):
            return None
        return (self.answers.clean or self.answers.read)(given.get(self.spec.output_column), source.root)

    def _moment(self, given: Mapping[str, Any]) -> np.datetime64:
        if not self.written.time:
            return np.datetime64(0, "s")
        if is_missing(given.get(self.written.time)):
            raise DataError(f"column '{self.written.time}' is missing, expected the moment of the point")
        self.is_utc = self.is_utc or reading.has_zone(given.get(self.written.time))
        try:
            return reading.moments_of([given.get(self.written.time)])[0]
        except ValueError as error:
            raise DataError(f"column '{self.written.time}' {str(error).replace('has the moment', 'is')}") from None

    def _number(self, given: Mapping[str, Any]) -> float | None:
        return _amount(self.number, self.written.value, given.get(self.written.value))

    def _attribute(self, gathered: Gathered, name: str, value: Any) -> None:
        """Of a series that changes what should not change, the last is taken, and that is said."""
        if name in gathered.attributes and gathered.attributes[name] != value and not is_missing(value):
            self.warned[name] += 1
        if name not in gathered.attributes or not is_missing(value):
            gathered.attributes[name] = value

    def series(self) -> Iterator[Composed | Refused]:
        """Each series as a row, and each point that was left out."""
        step = self._step()
        for group, gathered in self.found.items():
            yield from self._one(group, gathered, step)
        for attributes, window in self.windows.in_splits():
            values = {**attributes, self.name: window.series.as_text(), self.spec.output_column: window.answer}
            yield Composed(values, "", window.split)

    def _step(self) -> TimeStep | None:
        """The step of all series: as the spec says it, else that of most of them."""
        if self.written.every:
            return time_step.parse(self.written.every)
        if not self.written.time:
            return None
        seen: Counter[str] = Counter()
        for gathered in list(self.found.values())[:N_TIMED]:
            moments = np.unique(np.array([point.moment for point in gathered.points], "datetime64[s]"))
            found = time_step.found_in(moments)
            seen[str(found) if found else ""] += len(moments) if len(moments) > 2 else 0
        named = [name for name, count in seen.most_common() if name and count]
        if named:
            return time_step.parse(named[0])
        if seen.total():
            raise DataError(
                f"column '{self.written.time}' has irregular moments, expected one step from each to the next",
                "`series: {every: 1h, gather: mean}` makes one point of all within an hour",
            )
        return None

    def _one(self, group: str, gathered: Gathered, step: TimeStep | None) -> Iterator[Composed | Refused]:
        named = f"series '{group}'" if group else "the series"
        points = yield from _together(gathered.points, named, step, bool(self.written.gather))
        if self.written.time and not self.written.gather:
            points = yield from self._in_order(points, named)
            points = yield from _in_step(points, named, step)
        if any(point.values[0] is not None for point in points):
            made, places = self._on_grid(points, step)
            if not self.shape.window:
                yield self._composed(group, gathered, points, (made, places))
            elif not self.windows.take(made, self._answered(points, places, len(made)), gathered.attributes):
                for point in points:
                    reason = f"{named} has {len(made):,} points, expected a window of at least {self.shape.window:,}"
                    yield Refused(point, reason, "a series shorter than a window")
            return
        for point in points:
            yield Refused(point, f"{named} has no value at all", "series without any value")

    def _in_order(self, points: list[Point], named: str) -> Generator[Refused, None, list[Point]]:
        """The points by their moments, of two at one moment the first."""
        kept: list[Point] = []
        for point in sorted(points, key=lambda point: (point.moment, point.place)):
            if kept and point.moment == kept[-1].moment:
                reason = f"{named} has the moment {point.moment} twice, the first one is kept"
                yield Refused(point, reason, self._twice())
                continue
            kept.append(point)
        return kept

    def _twice(self) -> str:
        return "a moment that is there twice" + (
            "" if self.spec.group else "; `group:` names the column that tells series apart"
        )

    def _on_grid(self, points: list[Point], step: TimeStep | None) -> tuple[Series, np.ndarray]:
        """The series, and the place of each point in it."""
        names = self.written.columns
        columns: dict[str, Values] = {
            name: [point.values[place] for point in points] for place, name in enumerate(names)
        }
        if not self.written.time:
            return Series(columns), np.arange(len(points))
        moments = np.array([point.moment for point in points], "datetime64[s]")
        how = self.written if step is None else replace(self.written, every=str(step))
        made = replace(reading.on_grid(moments, columns, how), is_utc=self.is_utc)
        if step is None or made.start is None:
            return made, np.arange(len(points))
        return made, step.places(made.start, step.floor(moments) if how.gather else moments)

    def _answered(self, points: list[Point], places: np.ndarray, length: int) -> list[Answered]:
        """What is known of each step of a series: the answer of its last point, and the split that files say."""
        found = [Answered()] * length
        for point, place in zip(points, places.tolist(), strict=True):
            found[place] = Answered(point.answer, point.source.split)
        return found

    def _composed(
        self, group: str, gathered: Gathered, points: list[Point], gridded: tuple[Series, np.ndarray]
    ) -> Composed:
        splits, (made, places) = [point.source.split for point in points], gridded
        first = {
            split: min((int(place) for place, each in zip(places, splits, strict=True) if each == split), default=0)
            for split in SPLITS
        }
        cut = f"{first['validation']},{first['test']}" if first["validation"] or first["test"] else ""
        values = {**gathered.attributes, self.name: made.as_text(), self.spec.output_column: ""}
        return Composed(values, group, cut)

    @property
    def warnings(self) -> list[str]:
        """What a person should know of what was read."""
        found = self.windows.warnings
        for name, words in self.words.items():
            found.append(
                f"column '{name}' is read as a name and not as an amount in {len(words):,} points, such as "
                f"'{words[0][:40]}': `formats:` with an example of 1234.56 reads numbers, such as '{_example(words)}'"
            )
        for name, count in self.warned.items():
            if name == "censored":
                found.append(
                    f"column '{self.written.value}' was cut in {count:,} points ('{self.shape.censored}'): they count "
                    "as not known, so that demand is foreseen and not what was left of it"
                )
            else:
                found.append(
                    f"column '{name}' changes within a series in {count:,} points: the last value is taken; what "
                    "changes belongs in `known` or `past` of `series`"
                )
        return found


def _together(
    points: list[Point], named: str, step: TimeStep | None, is_gathered: bool
) -> Generator[Refused, None, list[Point]]:
    """Without those that a mistyped year or so has put far from all others."""
    if step is None or not points:
        return points
    moments = np.array([point.moment for point in points], "datetime64[s]")
    near = reading.together(step.floor(moments) if is_gathered else moments, step).tolist()
    for point, is_near in zip(points, near, strict=True):
        if not is_near:
            yield Refused(point, f"{named} has the moment {point.moment} {reading.FAR}", "a moment far from others")
    return [point for point, is_near in zip(points, near, strict=True) if is_near]


def _in_step(points: list[Point], named: str, step: TimeStep | None) -> Generator[Refused, None, list[Point]]:
    """Those at whole steps from the first one on."""
    if step is None or not points:
        return points
    first = points[0].moment
    places = step.places(first, np.array([point.moment for point in points], "datetime64[s]")).tolist()
    for point, place in zip(points, places, strict=True):
        if place < 0:
            reason = f"{named} has the moment {point.moment}, expected whole steps of {step} from {first} on"
            yield Refused(point, reason, "a moment between two steps")
    return [point for point, place in zip(points, places, strict=True) if place >= 0]


def composed_column(spec: Spec) -> str:
    """The input that is made of the points of a long table; '' where rows are as they come."""
    if spec.series is None:
        return ""
    return next((name for name, kind in spec.inputs.items() if kinds.get(kind).has_points), "")


def point_columns(spec: Spec) -> list[str]:
    """The columns that a long table must have."""
    shape, made = spec.series, composed_column(spec)
    assert shape is not None
    others = [name for name in spec.inputs if name != made]
    wanted = [shape.time, spec.group, spec.output_column, *shape.known, *shape.past, shape.censored, *others]
    return list(dict.fromkeys(filter(None, wanted)))


def _group_of(value: Any) -> str:
    """Raises: DataError: no name and no number."""
    if isinstance(value, list | dict):
        raise DataError(f"group is {type(value).__name__}, expected a name or a number")
    return "" if is_missing(value) else str(value).strip()


def _number_kind(spec: Spec, name: str) -> Kind:
    return kinds.reading("number", {"format": spec.formats[name]} if name in spec.formats else None)


def _amount(kind: Kind, name: str, value: Any) -> float | None:
    """Raises: DataError: no number."""
    try:
        found = float(kind.read(value, None))
    except DataError as error:
        raise DataError(f"column '{name}': {error.message}", error.hint) from None
    return None if found != found else found


def _example(words: Sequence[str]) -> str:
    """How these would be written as 1234.56: as is known of them, else with what stands behind the first one."""
    return number_format.guess(words) or f"1234.56{AMOUNT.sub('', words[0])}"[:40]


def _is_set(value: Any) -> bool:
    return str(value).strip().lower() in ("1", "1.0", "true", "yes", "y", "是")
