"""What a history says of somebody's taste: how much each item of it counts, the latest ones more where that helps.

The same function makes the rows that models learn from and the history that they are asked with.
"""

import math
from dataclasses import dataclass

import numpy as np

from windlass.errors import DataError

TASTE = "taste"
"""The name of its array."""
MOST_EVENTS = 1_000
"""The latest events of a history that are looked at, so that a robot or a shared account is answered as quickly."""


@dataclass(frozen=True)
class Taste:
    """How a history is read. seen: what an item counts that was seen and not wanted (weight 0), where one that is
    wanted counts 1. half_life: events after which one counts half; None: all count alike."""

    seen: float = 0.0
    half_life: float | None = None

    @classmethod
    def from_array(cls, values: np.ndarray) -> "Taste":
        """Raises: DataError: these are no two numbers of 0 or more."""
        if values.shape != (2,) or (values < 0).any():
            raise DataError(f"what a history counts is damaged, expected two numbers, not {values.tolist()}")
        seen, half_life = values.tolist()
        return cls(seen, half_life or None)

    def as_array(self) -> np.ndarray:
        """As it lies beside the arrays of a scorer: (2,) float64, the second 0 where all count alike."""
        return np.array([self.seen, self.half_life or 0.0])

    def counted(self, history: np.ndarray, weights: np.ndarray) -> "Counted":
        """Each item of the latest events once. history: (m,) int, the oldest first. weights: (m,)."""
        first = max(0, len(history) - MOST_EVENTS)
        items, inverse = np.unique(history[first:], return_inverse=True)
        total = np.bincount(inverse, weights=weights[first:], minlength=len(items))
        values = np.where(total > 0, strength(total), self.seen)
        if self.half_life is not None:
            latest = np.zeros(len(items))
            latest[inverse] = np.arange(len(inverse))  # of an item's events the last one is written last
            values = values * np.exp2((latest - (len(inverse) - 1)) / self.half_life)
        return Counted(items, values.astype(np.float32), inverse, first)


PLAIN = Taste()


@dataclass(frozen=True)
class Counted:
    """items, values: (t,), each item once. inverse: of each event from `first` on its place in items."""

    items: np.ndarray
    values: np.ndarray
    inverse: np.ndarray
    first: int

    def of_events(self, adds: np.ndarray) -> np.ndarray:
        """(k, m) float of each event what its item (k, t) adds; 0 of events before the first that is looked at."""
        found = np.zeros((len(adds), self.first + len(self.inverse)))
        found[:, self.first :] = adds[:, self.inverse]
        return found


def strength(weights: np.ndarray) -> np.ndarray:
    """What events that weigh so much together count: 1 for 1, 2 for 3, so that ten clicks are not ten times a click.

    Source: the logarithm of counts, Hu, Koren & Volinsky 2008, ICDM, eq. 6.
    """
    return np.asarray(np.log1p(weights) / math.log(2))
