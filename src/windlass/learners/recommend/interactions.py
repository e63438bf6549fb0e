"""Who did what with which item and when, as arrays: what every learner of recommendations reads.

Ids outside are text; inside, users and items are numbers in the order in which they first came. What an event weighs
is decided here once: 0 is a signal that the item is not wanted, and counts as seen all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windlass.errors import DataError, did_you_mean, expected

DAY = 86_400.0
"""Seconds."""


@dataclass(frozen=True)
class Interactions:
    """n events, ordered by user and then by time.

    users, items: (n,) int32, below n_users and n_items. times: (n,) float64, seconds; where nobody told any, the
    number of the row. weights: (n,) float32, 0 = not wanted, larger = wanted more.
    """

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    weights: np.ndarray
    n_users: int
    n_items: int

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def starts(self) -> np.ndarray:
        """(n_users + 1,) int64: the events of user u are those from starts[u] to starts[u + 1]."""
        return np.searchsorted(self.users, np.arange(self.n_users + 1)).astype(np.int64)

    def history(self, user: int) -> slice:
        """Where the events of a user lie, the oldest first."""
        return slice(int(self.starts[user]), int(self.starts[user + 1]))

    def where(self, kept: np.ndarray) -> "Interactions":
        """The same users and items with a part of the events. kept: (n,) bool."""
        return Interactions(self.users[kept], self.items[kept], self.times[kept], self.weights[kept], self.n_users,
                            self.n_items)  # fmt: skip

    @cached_property
    def pairs(self) -> "Interactions":
        """One event for each user and item: what the events weigh together, at the time of the latest one."""
        keys = self.users.astype(np.int64) * max(1, self.n_items) + self.items
        order = np.lexsort((self.times, keys))
        keys = keys[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1)) if len(keys) else np.zeros(0, int)
        last = np.append(first[1:], len(keys)) - 1 if len(keys) else first
        weights = np.add.reduceat(self.weights[order], first) if len(keys) else self.weights
        found = order[last]
        return in_order(self.users[found], self.items[found], self.times[found], weights.astype(np.float32),
                        self.n_users, self.n_items)  # fmt: skip


def in_order(
    users: np.ndarray, items: np.ndarray, times: np.ndarray, weights: np.ndarray, n_users: int, n_items: int
) -> Interactions:
    """Events of one user and time stay in the order in which they came."""
    order = np.lexsort((times, users))
    return Interactions(
        np.asarray(users, np.int32)[order],
        np.asarray(items, np.int32)[order],
        np.asarray(times, np.float64)[order],
        np.asarray(weights, np.float32)[order],
        n_users,
        n_items,
    )


@dataclass(frozen=True)
class Log:
    """Interactions and the ids outside of their users and items, by number."""

    interactions: Interactions
    users: list[str]
    items: list[str]


def from_columns(
    users: Sequence[str],
    items: Sequence[str],
    times: Sequence[float] | np.ndarray | None = None,
    weights: Sequence[float] | np.ndarray | None = None,
    known_items: Sequence[str] = (),
) -> Log:
    """One row an event. times: seconds, None: the rows are in order. weights: None: each event weighs 1.
    known_items: of a catalogue, which come first, whether anybody did anything with them or not.

    Raises: DataError: columns of different lengths, or times or weights that are no numbers.
    """
    n_rows = len(users)
    when = np.arange(n_rows, dtype=np.float64) if times is None else np.asarray(times, np.float64)
    weigh = np.ones(n_rows, np.float32) if weights is None else np.asarray(weights, np.float32)
    if not n_rows == len(items) == len(when) == len(weigh):
        raise DataError(
            f"columns have {n_rows}, {len(items)}, {len(when)} and {len(weigh)} rows, expected as many of each"
        )
    if not (np.isfinite(when).all() and np.isfinite(weigh).all() and (weigh >= 0).all()):
        raise DataError("times or weights hold what is no number, expected finite ones, weights of 0 or more")
    user_codes, user_ids = coded(users)
    item_codes, item_ids = coded(items, known_items)
    return Log(in_order(user_codes, item_codes, when, weigh, len(user_ids), len(item_ids)), user_ids, item_ids)


def coded(ids: Sequence[str], known: Sequence[str] = ()) -> tuple[np.ndarray, list[str]]:
    """(n,) int32 numbers, known ids first and others as they come; and the ids by number."""
    numbers: dict[str, int] = {}
    for each in known:
        numbers.setdefault(each, len(numbers))
    codes = np.fromiter((numbers.setdefault(each, len(numbers)) for each in ids), np.int32, len(ids))
    return codes, list(numbers)


def event_weights(events: Sequence[str], counts: Mapping[str, float]) -> np.ndarray:
    """(n,) float32 what each event weighs. counts: {} = every event weighs 1.

    Raises: DataError: an event that has no weight.
    """
    if not counts:
        return np.ones(len(events), np.float32)
    strange = next((each for each in events if each not in counts), None)
    if strange is not None:
        raise DataError(f"event is '{strange}', expected {expected(counts)}", did_you_mean(strange, counts))
    return np.fromiter((counts[each] for each in events), np.float32, len(events))


def rating_weights(ratings: Sequence[float] | np.ndarray, liked: float) -> np.ndarray:
    """(n,) float32: 1 from `liked` on; below it 0: it was seen, and is no sign of taste.

    A third of MovieLens's ratings are below 4. Source of one threshold: Hu, Koren & Volinsky 2008, ICDM; Liang et al.
    2018, arXiv:1802.05814 (4 of 5 stars).
    """
    return (np.asarray(ratings, np.float64) >= liked).astype(np.float32)
