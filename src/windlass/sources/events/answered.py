"""A log whose events are answers, such as attempts at exercises, as rows: what came before, what was asked, the answer.

A row is an event: its history is what the same user did before that moment, and nothing of the moment itself, so that
no answer stands beside the question that it answers. Rows of one user stay together, as `group` says.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import Kind
from windlass.kinds.items import MOST_BEFORE, MOST_EVENTS, History
from windlass.sources.contract import RawRow, Source
from windlass.sources.events.log import EventLog, Gathered, history_column
from windlass.sources.series_points import Composed
from windlass.spec import Spec


class AnsweredEvents(EventLog):
    """Takes events in any order, and gives a row for each."""

    has_splits = True

    def __init__(self, spec: Spec, columns: Mapping[str, Kind], now: float | None = None) -> None:
        super().__init__(spec, columns, now)
        self.columns = {name: kind for name, kind in columns.items() if name != self.name}
        self.beside: dict[str, list[dict[str, Any]]] = {}

    def add(self, raw: RawRow, source: Source) -> None:
        """Takes one event in. Raises: DataError: it cannot be read."""
        given = raw.values or {}
        read = {name: (kind.clean or kind.read)(given.get(name), source.root) for name, kind in self.columns.items()}
        super().add(raw, source)
        self.beside.setdefault(self._id(self.spec.group, given), []).append(read)

    def _rows(self, user: str, gathered: Gathered, kept: list[int]) -> Iterator[Composed]:
        times = np.array([gathered.times[place] for place in kept])
        for number, place in enumerate(kept):
            n_before = number if np.isnan(times[number]) else int(np.searchsorted(times[:number], times[number]))
            before = kept[max(0, n_before - MOST_BEFORE) : n_before]
            past = History(
                tuple(gathered.items[each] for each in before),
                tuple(gathered.times[each] for each in before),
                tuple(gathered.weights[each] for each in before),
                user,
                now=gathered.times[place],
                whole=True,
            )
            values = {**self.beside[user][place], self.name: past.as_text()}
            yield Composed(values, user, gathered.sources[place].split)

    def whole(self, user: str) -> History:
        """All that a user did, in order."""
        gathered = self.found[user]
        order = self._order(gathered)[-MOST_EVENTS:]
        return History(
            tuple(gathered.items[place] for place in order),
            tuple(gathered.times[place] for place in order),
            tuple(gathered.weights[place] for place in order),
            user,
            whole=True,
        )


def is_answered(spec: Spec) -> bool:
    """Each event has an answer of its own: what is asked for is no list of items."""
    return bool(history_column(spec)) and not kinds.get(spec.output[spec.output_column]).has_events


def answered_columns(spec: Spec) -> list[str]:
    """The columns that such a log must have."""
    assert spec.items is not None
    others = [name for name in spec.inputs if name != history_column(spec)]
    return list(dict.fromkeys(filter(None, [spec.group, *spec.items.columns, *others, spec.output_column])))


def histories_of(spec: Spec, sources: Iterable[Source]) -> dict[str, History]:
    """What each user of a log has done until now, by name; events that cannot be read are left out, as `collect` says.

    Raises: DataError: a source cannot be read.
    """
    ways = kinds.ways(spec)
    columns = {name: kinds.reading(kind, ways.get(name)) for name, kind in {**spec.inputs, **spec.output}.items()}
    log = AnsweredEvents(spec, columns)
    for source in sources:
        for raw in filter(lambda row: row.values is not None, source.rows()):
            with suppress(DataError):
                log.add(raw, source)
    return {user: log.whole(user) for user in sorted(log.found)}
