"""Scores items by the vector of a history: each item has a vector, and who asks gets the one that explains his items.

The vector of a history is solved when it is asked for (fold-in), so that somebody new is no different from who was
learned from. Both ALS and BPR end as this.
Source: Hu, Koren & Volinsky 2008, Collaborative filtering for implicit feedback datasets, ICDM, eq. 4.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.recommend.arrays import read_arrays, write_arrays
from windlass.predictors.recommend.taste import PLAIN, TASTE, Counted, Taste
from windlass.records import Json

FILE = "factors.safetensors"


@dataclass(frozen=True)
class Factors:
    """items: (n_items, d) float32. bias: (n_items,) float32, added for everybody. regularisation: > 0. confidence: by
    how much what is in a history counts more than what is not."""

    items: np.ndarray
    bias: np.ndarray
    regularisation: float
    confidence: float = 1.0
    taste: Taste = PLAIN

    @cached_property
    def gram(self) -> np.ndarray:
        """(d, d) float64."""
        wide = self.items.astype(np.float64)
        return np.asarray(wide.T @ wide + self.regularisation * np.eye(wide.shape[1]))

    def _solved(self, counted: Counted) -> tuple[np.ndarray, np.ndarray]:
        """(t, d): of each item of the history its part of the vector, which is their sum, by eq. 7."""
        rows = self.items[counted.items].astype(np.float64)
        extra = self.confidence * counted.values.astype(np.float64)
        inverse = np.linalg.inv(self.gram + (rows * extra[:, None]).T @ rows)
        return rows @ inverse * (1 + extra)[:, None], rows

    def _liked(self, history: np.ndarray, weights: np.ndarray) -> Counted:
        counted = self.taste.counted(history, weights)
        there = counted.values > 0
        if there.all():
            return counted
        places = np.where(there, np.cumsum(there) - 1, there.sum())
        return Counted(counted.items[there], counted.values[there], places[counted.inverse], counted.first)

    def scores(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, now: float) -> np.ndarray:
        """(n_items,) float32."""
        liked = self._liked(history, weights)
        if not len(liked.items):
            return self.bias
        vector = self._solved(liked)[0].sum(axis=0).astype(np.float32)
        return np.asarray(self.items @ vector + self.bias)

    def because(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(k, m) what each event adds to each item's score."""
        liked = self._liked(history, weights)
        if not len(liked.items):
            return np.zeros((len(items), len(history)))
        adds = self.items[items].astype(np.float64) @ self._solved(liked)[0].T
        return liked.of_events(np.column_stack([adds, np.zeros(len(items))]))

    def save(self, folder: Path) -> None:
        solving = np.array([self.regularisation, self.confidence])
        arrays = {"items": self.items, "bias": self.bias, "solving": solving, TASTE: self.taste.as_array()}
        write_arrays(folder / FILE, arrays)


def load(folder: Path, settings: Json) -> Factors:
    """Raises: DataError: its arrays or settings are damaged."""
    found = read_arrays(folder / FILE, "items", "bias", "solving", TASTE)
    items, bias, solving = found["items"], found["bias"], found["solving"]
    if items.ndim != 2 or bias.shape != (len(items),) or solving.shape != (2,) or not (solving > 0).all():
        raise DataError(f"{folder / FILE} is damaged, expected a vector for each item")
    regularisation, confidence = solving.tolist()
    return Factors(items, bias, regularisation, confidence, Taste.from_array(found[TASTE]))
