"""A log that goes on: what came of lists since are later events of it, and what came last of all judges.

Rows that were tested when the product was made lie in the past by then: who has learned what came after them would be
flattered by them, or blamed for a taste that has passed. So the log is cut anew, as late as enough users allow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import Kind
from windlass.kinds.items import MOST_EVENTS, History
from windlass.outputs.items.split import by_rows, cut, history_name
from windlass.outputs.labelled_row import LabelledRow, learned_frame
from windlass.outputs.splitting import Cleaning
from windlass.sources.prepared import GROUP, SPLIT
from windlass.spec import Spec

ENOUGH_USERS = 150
"""Whose next items are to be found: then the difference of two good ways is seldom chance."""
SHARES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2)
"""Of the events, the latest: the smallest that has enough users, as nothing is learned of them."""


@dataclass
class _Log:
    """The events of one user, in any order."""

    events: list[tuple[float, str, float]] = field(default_factory=list)
    known: set[tuple[str, float]] = field(default_factory=set)
    items: set[str] = field(default_factory=set)

    def add(self, history: History, when: float = math.nan) -> None:
        """when: of events of which nobody told it; such a one counts once an item, as each request tells it again."""
        for item, time, weight in zip(history.items, history.times, history.weights, strict=True):
            is_told = time == time
            pair = (item, time)
            if pair in self.known or (not is_told and when == when and item in self.items):
                continue
            self.known.add(pair)
            self.items.add(item)
            self.events.append((time if is_told else when, item, weight))

    def history(self, user: str) -> History:
        times = np.array([each[0] for each in self.events], np.float64)
        order = np.argsort(np.nan_to_num(times, nan=-1.0), kind="stable")[-MOST_EVENTS:].tolist()
        found = [self.events[place] for place in order]
        return History(tuple(each[1] for each in found), tuple(each[0] for each in found),
                       tuple(each[2] for each in found), user, whole=True)  # fmt: skip


def continued(
    rows: pl.DataFrame, taught: Sequence[LabelledRow], spec: Spec, cleaning: Cleaning
) -> dict[str, pl.DataFrame]:
    """Train, validation and test of the collected rows with what was taught since, cut anew.

    Raises: DataError: as `split`.
    """
    random = np.random.default_rng(spec.seed)
    bare = rows.drop(GROUP, strict=False)
    if len(rows) and (rows[spec.output_column] != "").all():
        return by_rows(pl.concat([bare, learned_frame(taught, bare, spec)], how="diagonal"), spec, cleaning)
    log = _joined(bare, taught, spec)
    for share in SHARES:
        tried = Cleaning()
        try:
            found = cut(log, spec, tried, np.random.default_rng(random.integers(2**32)), share)
        except DataError:  # too few of so small a part
            if share == SHARES[-1]:
                raise
            continue
        if len(found["test"]) >= ENOUGH_USERS:
            break
    cleaning.warnings += [f"what came of {len(taught):,} lists since is part of the log", *tried.warnings]
    cleaning.removed += tried.removed
    return found


def _joined(rows: pl.DataFrame, taught: Sequence[LabelledRow], spec: Spec) -> pl.DataFrame:
    """A history for each user; who has no name is a user for himself."""
    name = history_name(spec)
    past, after = (kinds.reading(kind, kinds.ways(spec).get(column)) for column, kind in
                   ((name, spec.inputs[name]), (spec.output_column, spec.output[spec.output_column])))  # fmt: skip
    logs: dict[str, _Log] = {}
    for value in rows[name].to_list():
        history = past.read(value, None)
        logs.setdefault(history.user, _Log()).add(history)
    nameless = []
    for row in sorted(taught, key=lambda each: each.at):
        own = _Log()
        user = _told(row, past, name).user
        own = logs.setdefault(user, own) if user else own
        own.add(_told(row, past, name), row.at)
        own.add(after.read(row.label, None), row.at)
        if not user:
            nameless.append(own)
    whole = [log.history(user).as_text() for user, log in logs.items()] + [
        log.history("").as_text() for log in nameless
    ]
    frame = {name: whole, spec.output_column: [""] * len(whole), SPLIT: [""] * len(whole)}
    return pl.DataFrame(frame, {column: rows.schema[column] for column in frame})


def _told(row: LabelledRow, kind: Kind, name: str) -> History:
    found: History = kind.read(row.values.get(name), None)
    return found
