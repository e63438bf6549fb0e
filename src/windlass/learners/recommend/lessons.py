"""Splits as events: what there is to learn from before validation, and before the test; and every user's history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from windlass.kinds import table as kinds
from windlass.kinds.contract import Kind
from windlass.kinds.items import History
from windlass.learners.recommend.interactions import Interactions, in_order
from windlass.predictors.recommend.known_users import Known, KnownUsers
from windlass.records import Catalogue, Column, Splits

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Question:
    """A row: what was known, and what came after it."""

    past: History
    after: History


@dataclass(frozen=True)
class Lesson:
    """What a scorer is made of. items: ids by number, also of those that nobody has touched. catalogue: what is told
    of them, in the same order. validation: what is asked there, for who chooses something by it; none at the last fit.
    is_last: what is made is served.
    """

    interactions: Interactions
    items: tuple[str, ...]
    catalogue: Catalogue
    validation: tuple[Question, ...] = ()
    is_last: bool = False


@dataclass(frozen=True)
class Histories:
    """train, validation, test: of each row its history and what came after it; every item has its number in catalogue,
    first those that were touched before the test."""

    inputs: tuple[Column, ...]
    output: Column
    train: list[Question]
    validation: list[Question]
    test: list[Question]
    catalogue: Catalogue

    def before_validation(self) -> Interactions:
        return interactions([_whole(each) for each in self.train], self.catalogue)

    def before_test(self) -> Interactions:
        return interactions([_whole(each) for each in [*self.train, *self.validation]], self.catalogue)

    def known_users(self) -> KnownUsers:
        """All that is known of each user who has a name, also what test rows say: to look up, not to learn from."""
        by_user: dict[str, list[History]] = {}
        for each in [*self.train, *self.validation, *self.test]:
            if each.past.user:
                by_user.setdefault(each.past.user, []).append(_whole(each))
        parts = [_events(rows, self.catalogue) for rows in by_user.values()]
        if not parts:
            return KnownUsers()
        starts = np.concatenate([[0], np.cumsum([len(each) for each in parts])]).astype(np.int64)
        every = Known(
            *(np.concatenate([getattr(each, name) for each in parts]) for name in ("items", "times", "weights"))
        )
        return KnownUsers({user: place for place, user in enumerate(by_user)}, starts, every)


def read(splits: Splits) -> Histories:
    """Raises: DataError: a history cannot be read."""
    name = next(name for name, kind in splits.inputs.items() if kinds.get(kind).has_events)
    inputs = tuple(
        kinds.with_format(Column(each, kind), splits.written.get(each)) for each, kind in splits.inputs.items()
    )
    target = splits.output_column
    output = kinds.with_format(Column(target, splits.output[target]), splits.written.get(target))
    past = kinds.of(next(column for column in inputs if column.name == name))
    parts = [
        _pairs(frame, past, kinds.of(output), name, target) for frame in (splits.train, splits.validation, splits.test)
    ]
    train, validation, test = parts
    return Histories(inputs, output, train, validation, test, catalogue_of(parts, splits.catalogue))


def _pairs(frame: "pl.DataFrame", past: Kind, after: Kind, name: str, target: str) -> list[Question]:
    values = zip(frame[name].to_list(), frame[target].to_list(), strict=True)
    return [Question(past.read(history, None), after.read(truth, None)) for history, truth in values]


def catalogue_of(parts: Sequence[Iterable[Question]], told: Catalogue | None) -> Catalogue:
    """Every item once: those that were touched, in order, then those of the table that nobody has touched."""
    touched = [item for part in parts for each in part for item in each.past.items + each.after.items]
    ids = tuple(dict.fromkeys([*touched, *(told.ids if told is not None else ())]))
    if told is None:
        return Catalogue(ids)
    places = [told.places.get(item, -1) for item in ids]
    columns = {
        name: tuple(values[place] if place >= 0 else "" for place in places) for name, values in told.columns.items()
    }
    return Catalogue(ids, columns)


def _whole(question: Question) -> History:
    """A history with what came after it."""
    past, after = question.past, question.after
    return History(past.items + after.items, past.times + after.times, past.weights + after.weights, past.user,
                   past.now)  # fmt: skip


def interactions(histories: Sequence[History], catalogue: Catalogue) -> Interactions:
    """Of several rows of a user what they have in common counts once; who has no name is a user for himself."""
    by_user: dict[str, list[History]] = {}
    for number, each in enumerate(histories):
        by_user.setdefault(each.user or f"\x00{number}", []).append(each)
    parts = [_events(each, catalogue) for each in by_user.values()]
    users = np.repeat(np.arange(len(parts)), [len(each) for each in parts])
    columns = (np.concatenate([getattr(each, name) for each in parts]) if parts else np.zeros(0)
               for name in ("items", "times", "weights"))  # fmt: skip
    items, times, weights = columns
    return in_order(users, items, times, weights, len(parts), len(catalogue))


def _events(histories: Sequence[History], catalogue: Catalogue) -> Known:
    """The events of these together, in order; what is there twice counts once. An event without a time lies after those
    before it in its row, or when the row was asked."""
    seen: dict[tuple[str, float, float], None] = {}
    for history in histories:
        latest = history.now if history.now == history.now else 0.0
        for item, time, weight in zip(history.items, history.times, history.weights, strict=True):
            when = time if time == time else latest
            seen.setdefault((item, when, weight))
    if not seen:
        return Known(np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.float32))
    items, times, weights = zip(*seen, strict=True)
    order = np.argsort(times, kind="stable")
    numbers = np.array([catalogue.places[item] for item in items], np.int32)
    return Known(numbers[order], np.array(times, np.float64)[order], np.array(weights, np.float32)[order])
