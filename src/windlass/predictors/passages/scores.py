"""Scores of one leg for one question, and the best passages among those that the asker may see."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

Mask = np.ndarray
"""(n,) bool: which passages the asker may see."""


class Scores(Protocol):
    """What one leg (BM25, vectors) finds for one question; passages are told by their number."""

    def best(self, n: int, allowed: Mask | None = None) -> np.ndarray:
        """(<= n,) int64, the best first, of equals the first; none that is not allowed and none without a score."""
        ...

    def of(self, places: np.ndarray) -> np.ndarray:
        """(c,) float32 of these passages."""
        ...


@dataclass(frozen=True)
class AllScores:
    """values: (n,) float32 of every passage. least: what a score must be above to be found."""

    values: np.ndarray
    least: float = -np.inf

    def best(self, n: int, allowed: Mask | None = None) -> np.ndarray:
        """What is not allowed is taken away before anything is ranked."""
        is_there = self.values > self.least
        places = np.flatnonzero(is_there if allowed is None else is_there & allowed)
        return best_of(places, self.values[places], n)

    def of(self, places: np.ndarray) -> np.ndarray:
        return self.values[places]


def best_of(places: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """The places (ascending) with the n largest values, largest first, of equals the first place."""
    if len(places) > n:
        cut = np.partition(values, len(values) - n)[len(values) - n]
        above, equal = np.flatnonzero(values > cut), np.flatnonzero(values == cut)
        kept = np.sort(np.concatenate([above, equal[: n - len(above)]]))
        places, values = places[kept], values[kept]
    return np.asarray(places[np.argsort(-values, kind="stable")], np.int64)
