"""What learners tried while the service ran, by its request log: answers to rows of a learner, with what was right."""

import json
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from windlass.database.backend import Database
from windlass.database.request_log import feedback_after, feedback_total
from windlass.kinds.items import History, seconds
from windlass.records import Json


class Attempt(NamedTuple):
    """at: seconds since 1970."""

    learner: str
    exercise: str
    at: float
    right: bool


@dataclass
class LearnerLog:
    """Reads the log once, then what is new: the log is its one memory, so that it is the same for all workers and after
    a restart, and what is deleted there is gone here.

    history, exercise: names of the columns that were asked. right: how feedback says so.
    """

    database: Database
    history: str
    exercise: str
    right: str
    tries: dict[str, Attempt] = field(default_factory=dict)
    """By the id of the answer."""
    _number: int = 0
    _n_read: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> list[Attempt]:
        """All tries until now, in order. Raises: DataError: the log cannot be read."""
        with self._lock:
            self._read_new()
            if feedback_total(self.database) < self._n_read:  # somebody had answers deleted
                self._number, self._n_read = 0, 0
                self.tries.clear()
                self._read_new()
            return list(self.tries.values())

    def _read_new(self) -> None:
        for row in feedback_after(self.database, self._number):
            self._number, self._n_read = int(row["number"]), self._n_read + 1
            found = self._attempt(row)
            if found is not None:
                self.tries[row["id"]] = found

    def _attempt(self, row: Json) -> Attempt | None:
        """None: who tried it, and when, is not told there."""
        asked = (row["inputs"] or {}).get(self.history)
        exercise = (row["inputs"] or {}).get(self.exercise)
        with suppress(ValueError, TypeError):
            told: Any = json.loads(asked) if isinstance(asked, str) else asked
            if isinstance(told, Mapping) and told.get("user") and told.get("now") and exercise and row["correct"]:
                return Attempt(str(told["user"]), str(exercise), seconds(told["now"]), row["correct"] == self.right)
        return None


def joined(known: Mapping[str, History], tries: Iterable[Attempt]) -> dict[str, History]:
    """By learner what a release knows, and what was tried since; a try that both know counts once."""
    new: dict[str, list[Attempt]] = {}
    for each in tries:
        new.setdefault(each.learner, []).append(each)
    found = dict(known)
    for learner, made in new.items():
        past = found.get(learner, History(user=learner, whole=True))
        rows = [*zip(past.items, past.times, past.weights, strict=True)]
        there = {(item, time) for item, time, _ in rows}
        rows += [(each.exercise, each.at, float(each.right)) for each in made
                 if (each.exercise, each.at) not in there]  # fmt: skip
        rows.sort(key=lambda row: row[1] if row[1] == row[1] else 0.0)
        items, times, weights = (tuple(each) for each in zip(*rows, strict=True))
        found[learner] = replace(past, items=items, times=times, weights=weights)
    return found
