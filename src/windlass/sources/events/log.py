"""A log, an event a row, as histories: one row a user, the oldest event first, and why events were left out."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from windlass.durations import DAY_S
from windlass.errors import DataError
from windlass.kinds import items, number
from windlass.kinds import table as kinds
from windlass.kinds.contract import Kind, is_missing, shown
from windlass.kinds.items import MOST_EVENTS, History, How, item_id, seconds
from windlass.sources.contract import SPLITS, RawRow, Source
from windlass.sources.series_points import Composed, Point, Refused
from windlass.spec import Spec

BEYOND = f"events of a user beyond the latest {MOST_EVENTS:,}"
TWICE = "an event that is there twice"
AT_ONCE = 1_000
"""Events of one user that are more than a person usually makes: such users are told."""


@dataclass
class Gathered:
    """The events of one user, in the order in which they came: item, time, weight, split and row each."""

    items: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)


class EventLog:
    """Takes events in any order, and gives the histories that they make."""

    has_splits = False

    def __init__(self, spec: Spec, columns: Mapping[str, Kind], now: float | None = None) -> None:
        assert spec.items is not None
        self.spec, self.shape = spec, spec.items
        self.name = history_column(spec)
        self.how = How(**kinds.ways(spec).get(self.name, {}))
        self.latest = (time.time() if now is None else now) + DAY_S
        self.found: dict[str, Gathered] = {}
        self.known: dict[str, str] = {}
        self.ratings: set[float] = set()
        self.first, self.last = math.inf, -math.inf
        self.longest, self.n_events = "", 0

    def add(self, raw: RawRow, source: Source) -> None:
        """Takes one event in. Raises: DataError: it cannot be read."""
        given = raw.values or {}
        user, item = self._id(self.spec.group, given), self._id(self.shape.item, given)
        moment, weight = self._moment(given), self._weight(given)
        gathered = self.found.setdefault(user, Gathered())
        gathered.items.append(self.known.setdefault(item, item))
        gathered.times.append(moment)
        gathered.weights.append(weight)
        gathered.sources.append(source)
        gathered.rows.append(raw.number)
        if moment == moment:
            self.first, self.last = min(self.first, moment), max(self.last, moment)
        self.n_events += 1

    def _id(self, column: str, given: Mapping[str, Any]) -> str:
        if is_missing(given.get(column)):
            raise DataError(f"column '{column}' is missing, expected an id")
        try:
            return item_id(given[column])
        except ValueError:
            raise DataError(f"column '{column}' is {shown(given[column])}, expected an id") from None

    def _moment(self, given: Mapping[str, Any]) -> float:
        column = self.shape.time
        if not column:
            return math.nan
        if is_missing(given.get(column)):
            raise DataError(f"column '{column}' is missing, expected the moment of the event")
        try:
            found = seconds(given[column])
        except ValueError as error:
            raise DataError(f"column '{column}' {str(error).replace('has the moment', 'is')}") from None
        if found > self.latest:
            raise DataError(f"column '{column}' is {shown(given[column])}, which is still to come, expected the past")
        return found

    def _weight(self, given: Mapping[str, Any]) -> float:
        event, rating = given.get(self.shape.event), given.get(self.shape.rating)
        for column, value in ((self.shape.event, event), (self.shape.rating, rating)):
            if column and is_missing(value):
                raise DataError(f"column '{column}' is missing, expected what the event was")
        try:
            found = self.how.weight(event, rating)
        except ValueError as error:
            column = self.shape.rating if self.shape.rating else self.shape.event
            raise DataError(f"column '{column}': {error}") from None
        if self.shape.rating and len(self.ratings) < AT_ONCE:
            self.ratings.add(number.parse(rating))
        return found

    def series(self) -> Iterator[Composed | Refused]:
        """Each history as a row, and each event that was left out."""
        for user, gathered in self.found.items():
            order = self._order(gathered)
            kept: list[int] = []
            before: set[tuple[str, float, float]] = set()
            for place in order:
                told = gathered.items[place], gathered.times[place], gathered.weights[place]
                if told in before:
                    yield self._refused(user, gathered, place, "is there twice, it counts once", TWICE)
                    continue
                if self.shape.time:
                    before.add(told)
                kept.append(place)
            for place in kept[:-MOST_EVENTS]:
                reason = f"is one of {len(kept):,} of user {shown(user)}, the latest {MOST_EVENTS:,} are kept"
                yield self._refused(user, gathered, place, reason, BEYOND)
            yield from self._rows(user, gathered, kept[-MOST_EVENTS:])

    def _order(self, gathered: Gathered) -> list[int]:
        """By split where files say it, then by time, then as they came."""
        ranks = [SPLITS.index(source.split) if source.split in SPLITS else 0 for source in gathered.sources]
        times = np.nan_to_num(np.array(gathered.times), nan=0.0)
        found: list[int] = np.lexsort((np.arange(len(times)), times, np.array(ranks))).tolist()
        return found

    def _refused(self, user: str, gathered: Gathered, place: int, reason: str, kind_of: str) -> Refused:
        given = {self.spec.group: user, self.shape.item: gathered.items[place]}
        if self.shape.time:
            given[self.shape.time] = str(int(gathered.times[place]))
        raw, source = RawRow(gathered.rows[place], given), gathered.sources[place]
        return Refused(Point(place, source, np.datetime64(0, "s"), [], raw), f"the event {reason}", kind_of)

    def _rows(self, user: str, gathered: Gathered, kept: list[int]) -> Iterator[Composed]:
        """What one user gives."""
        yield self._composed(user, gathered, kept)

    def _composed(self, user: str, gathered: Gathered, kept: list[int]) -> Composed:
        splits = [gathered.sources[place].split for place in kept]
        made = History(
            tuple(gathered.items[place] for place in kept),
            tuple(gathered.times[place] for place in kept),
            tuple(gathered.weights[place] for place in kept),
            user,
            whole=True,
        )
        if len(made) > len(self.found.get(self.longest, Gathered()).items):
            self.longest = user
        n_train = sum(split in ("", "train") for split in splits)
        is_said = any(split in ("validation", "test") for split in splits)
        cut = f"{n_train},{n_train + splits.count('validation')}" if is_said else ""
        return Composed({self.name: made.as_text(), self.spec.output_column: ""}, user, cut)

    @property
    def warnings(self) -> list[str]:
        """What a person should know of what was read."""
        found = []
        alike = [each for each in self.known if each.endswith(".0") and each[:-2] in self.known]
        alike += [each for each in self.known if each[:1] == "0" and each.lstrip("0") in self.known]
        if alike:
            found.append(
                f"{len(alike):,} ids of items are written in two ways, such as '{alike[0]}' and "
                f"'{alike[0].removesuffix('.0').lstrip('0')}': they count as two items"
            )
        if self.shape.rating and len(self.ratings) == 1:
            found.append(
                f"column '{self.shape.rating}' is {next(iter(self.ratings)):g} in every event: it tells nothing, each "
                "event counts alike"
            )
        most = max((len(each.items) for each in self.found.values()), default=0)
        if most > MOST_EVENTS:
            user = next(name for name, each in self.found.items() if len(each.items) == most)
            found.append(
                f"user {shown(user)} has {most:,} events, more than a person makes: the latest {MOST_EVENTS:,} are "
                "kept; leave a program out of the log"
            )
        if not self.shape.time:
            found.append("events have no time: rows count as in order, and each user's latest are tested (leaks time)")
        return found


def history_column(spec: Spec) -> str:
    """The input that is made of events; '' where rows are as they come."""
    if spec.items is None or not spec.items.item:
        return ""
    return next((name for name, kind in spec.inputs.items() if kinds.get(kind).has_events), "")


def event_columns(spec: Spec) -> list[str]:
    """The columns that a log must have."""
    assert spec.items is not None
    return list(dict.fromkeys(filter(None, [spec.group, *spec.items.columns])))


def histories(values: Mapping[str, Any] | Any) -> list[History]:
    """Histories as collected rows keep them."""
    return [items.read(value, None) for value in values]
