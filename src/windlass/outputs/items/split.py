"""Histories in three parts: what everybody did last is tested, what came before that validates, all before it trains.

A row of validation and test is a user: what was known when the cut was made, and what came after it. By time the cut
is the same moment for everybody, as in use: of what a user did after it the first half is folded in, nothing is learned
from it, and the rest is to be found. By user it is the latest fifth of each, so that what others did later is learned
from, which flatters. No event is lost: what no test asks for stands in the last row of its user.
Source: Ji et al. 2023, ACM TOIS 41(3), on data leakage in offline evaluation of recommenders.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.items import History
from windlass.outputs.splitting import LEAST_TEST, Cleaning
from windlass.sources.prepared import SPLIT
from windlass.spec import Spec

TEST_SHARE = VALIDATION_SHARE = 0.2
LEAST_USERS, LEAST_ITEMS = 2, 2
PARTS = ("train", "validation", "test")
BY_TIME, BY_USER, BY_FILES = "time", "user", "files"


@dataclass(frozen=True)
class Cut:
    """Where a history is cut: its first place of validation, and of test."""

    validation: int
    test: int


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Rows that say what came after are questions already: the latest test.

    Raises: DataError: too few users, items or events, or nothing is liked.
    """
    told = rows[spec.output_column] != ""
    if told.all() and len(rows):
        return by_rows(rows, spec, cleaning)
    return cut(rows.filter(~told), spec, cleaning, random)


def cut(
    rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator, share: float = TEST_SHARE
) -> dict[str, pl.DataFrame]:
    """Whole histories in three parts. share: of the events, that the test begins with, where it begins by time; of the
    others so many validate.

    Raises: DataError: as `split`.
    """
    cutter = _Cutter(spec, rows, share)
    made: dict[str, list[dict[str, Any]]] = {name: [] for name in PARTS}
    for row in rows.to_dicts():
        for name, question in cutter.questions(row):
            made[name].append(question)
    if len(made["test"]) < LEAST_TEST or not made["train"]:
        raise cutter.too_few(len(made["test"]), len(made["train"]))
    schema = {name: kind for name, kind in rows.schema.items() if name != SPLIT}
    found = {name: pl.DataFrame(each, schema=schema) for name, each in made.items()}
    found["train"] = found["train"][random.permutation(len(found["train"]))]
    cleaning.warnings += cutter.said(found)
    return found


def by_rows(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> dict[str, pl.DataFrame]:
    """Questions with what came after, in the order of their latest event; of equal histories the latest row stays."""
    bare, name = rows.drop(SPLIT, strict=False), history_name(spec)
    kind = kinds.reading(spec.inputs[name], kinds.ways(spec).get(name))
    ends = [_end(kind.read(value, None)) for value in bare[name].to_list()]
    ordered = bare[np.argsort(np.array(ends), kind="stable").tolist()]
    n_rows = len(ordered)
    n_test = round(TEST_SHARE * n_rows)
    n_validation = round(VALIDATION_SHARE * (n_rows - n_test))
    if n_test < LEAST_TEST:
        raise DataError(f"data has {n_rows:,} histories, too few to test with, expected at least {LEAST_TEST * 5}")
    parts, seen = {"test": ordered[n_rows - n_test :]}, set(ordered[n_rows - n_test :][name])
    for part, frame in (
        ("validation", ordered[n_rows - n_test - n_validation : n_rows - n_test]),
        ("train", ordered[: n_rows - n_test - n_validation]),
    ):
        mask = pl.Series([value not in seen for value in frame[name]], dtype=pl.Boolean)
        parts[part] = cleaning.keep(frame, mask, f"{part} row with the history of a later row")
        seen |= set(frame[name])
    return {part: parts[part] for part in PARTS}


def _end(history: History) -> float:
    known = [each for each in (*history.times[-1:], history.now) if each == each]
    return max(known, default=0.0)


def history_name(spec: Spec) -> str:
    """The input that holds the history."""
    return next(name for name, kind in spec.inputs.items() if kinds.get(kind).has_events)


class _Cutter:
    """Cuts whole histories into questions."""

    def __init__(self, spec: Spec, rows: pl.DataFrame, share: float = TEST_SHARE) -> None:
        assert spec.items is not None
        self.spec, self.name = spec, history_name(spec)
        self.kind = kinds.reading(spec.inputs[self.name], kinds.ways(spec).get(self.name))
        self.n_users, self.items = len(rows), set[str]()
        self.n_events = self.n_liked = 0
        given = rows[SPLIT].to_list() if SPLIT in rows.columns else []
        times = []
        for value in rows[self.name].to_list():
            history = self.kind.read(value, None)
            times.append(np.array(history.times, np.float64))
            self.items.update(history.items)
            self.n_events += len(history)
            self.n_liked += sum(weight > 0 for weight in history.weights)
        every = np.concatenate([*times, np.zeros(0)])
        known = np.sort(every[np.isfinite(every)])
        self.method = BY_FILES if any(given) else BY_TIME if len(known) and spec.items.split == BY_TIME else BY_USER
        self.test_from = self.validation_from = math.nan
        if self.method == BY_TIME:
            self.test_from = float(known[int((1 - share) * (len(known) - 1))])
            self.validation_from = float(known[int((1 - share) ** 2 * (len(known) - 1))])
        self.n_asked, self.unseen, self.n_late = 0, 0, 0
        self._check()

    def _check(self) -> None:
        if self.n_users < LEAST_USERS:
            raise DataError(
                f"the log has {self.n_users} user, expected at least {LEAST_USERS}: others tell what one wants",
                "`group:` names the column of users",
            )
        if len(self.items) < LEAST_ITEMS:
            raise DataError(f"the log has {len(self.items)} item, expected at least {LEAST_ITEMS} to put in order")
        if not self.n_liked:
            raise DataError(
                f"none of {self.n_events:,} events says that an item is wanted, expected some",
                "`items: {liked: 4}` says from which rating on, `counts: {buy: 5}` what an event weighs",
            )

    def too_few(self, n_test: int, n_train: int) -> DataError:
        return DataError(
            f"{self.n_events:,} events of {self.n_users:,} users leave {n_test:,} to test and {n_train:,} to learn "
            f"expected at least {LEAST_TEST} and 1",
            "a longer log, or `items: {split: user}`, which tests the latest fifth of each user (and leaks time)",
        )

    def questions(self, row: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(part, row) of one user: of train where there is something before validation, of the others where something
        is liked that was not seen before. What none of them asks for is added to the last one."""
        history = self.kind.read(row[self.name], None)
        cut, end = self._cut(history, str(row.get(SPLIT) or "")), len(history)
        asked = []
        for part, first, last in (("validation", cut.validation, cut.test), ("test", cut.test, end)):
            known = first + (last - first) // 2 if self.method == BY_TIME else first
            if _wants(history, known, last):
                asked.append((part, known, last))
        # by time nobody's later events are learned from, also of those who are not tested
        is_tested = bool(asked) and asked[-1][0] == "test"
        until = cut.test if self.method == BY_TIME and not is_tested else end
        self.n_late += end - until
        whole = cut.validation if asked else until
        if whole:
            n_after = max(1, round(TEST_SHARE * whole))
            yield "train", self._row(row, history, whole - n_after, whole)
        for number, (part, first, last) in enumerate(asked):
            yield part, self._row(row, history, first, until if number == len(asked) - 1 else last)

    def _cut(self, history: History, given: str) -> Cut:
        if self.method == BY_FILES:
            first, test = (int(each) for each in given.split(",")) if given else (len(history), len(history))
            validation = first if first < test else first - round(VALIDATION_SHARE * first)
            return Cut(validation, test)
        if self.method == BY_TIME:
            times = np.array(history.times, np.float64)
            return Cut(*(int(np.searchsorted(times, moment, "right")) for moment in
                         (self.validation_from, self.test_from)))  # fmt: skip
        test = len(history) - round(TEST_SHARE * len(history))
        return Cut(test - round(VALIDATION_SHARE * test), test)

    def _row(self, row: dict[str, Any], history: History, first: int, last: int) -> dict[str, Any]:
        """The question at one place: what was known then, and what came after it."""
        past, after = history.part(0, first), history.part(first, last)
        known = [each for each in history.times[max(0, first - 1) : first + 1] if each == each]
        now = known[-1] if known else math.nan
        question = History(past.items, past.times, past.weights, history.user, now, whole=True)
        kept = {name: value for name, value in row.items() if name != SPLIT}
        truth = History(after.items, after.times, after.weights)
        return {**kept, self.name: question.as_text(), self.spec.output_column: truth.as_text()}

    def said(self, parts: dict[str, pl.DataFrame]) -> list[str]:
        """How it was split, as a person should know it."""
        n_users = len(parts["test"])
        if self.method == BY_TIME:
            when = datetime.fromtimestamp(self.test_from, UTC).strftime("%Y-%m-%d %H:%M")
            return [
                f"split by time: {n_users:,} users who liked something after {when} UTC are tested: what came before "
                "and half of what each did since is known, the rest is to be found",
                *([f"{self.n_late:,} later events of users who are not tested are left out: to learn from them would "
                   "leak time"] if self.n_late else []),
            ]  # fmt: skip
        how = "as the files have it" if self.method == BY_FILES else "the latest fifth of each user is tested"
        return [f"split by user ({how}): {n_users:,} users; it leaks time, as what others did later is learned from: a "
                "split by time is nearer to use"]  # fmt: skip


def _wants(history: History, first: int, last: int) -> bool:
    """Something is liked there that was not seen before."""
    seen = set(history.items[:first])
    return any(weight > 0 and item not in seen for item, weight in
               zip(history.items[first:last], history.weights[first:last], strict=True))  # fmt: skip


def counts(splits: dict[str, pl.DataFrame], output: str) -> dict[str, dict[str, int]]:
    """Answers are not counted: each is its own."""
    return {}
