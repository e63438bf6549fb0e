"""Scores items by what is told of them: alike in words, or in words that the same people like; so new ones are found.

Source: a linear map of content into the space of what people do, Gantner et al. 2010, ICDM (attribute-to-feature).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.recommend.arrays import read_arrays, write_arrays
from windlass.predictors.recommend.taste import PLAIN, TASTE, Taste
from windlass.records import Json

FILE = "content.safetensors"


@dataclass(frozen=True)
class Content:
    """vectors: (n_items, d) float32, of length 1 or 0 where nothing is told. liking: (n_items,) float32, how much what
    is told speaks for an item to anybody, added once."""

    vectors: np.ndarray
    liking: np.ndarray
    taste: Taste = PLAIN

    def scores(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, now: float) -> np.ndarray:
        """(n_items,) float32: the mean nearness to what the history holds."""
        counted = self.taste.counted(history, weights)
        whole = float(np.abs(counted.values).sum())
        if not whole:
            return self.liking
        return np.asarray(
            self.vectors @ (counted.values @ self.vectors[counted.items] / np.float32(whole)) + self.liking
        )

    def because(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(k, m) what each event adds to each item's score."""
        counted = self.taste.counted(history, weights)
        whole = float(np.abs(counted.values).sum()) or 1.0
        return counted.of_events(counted.values * (self.vectors[items] @ self.vectors[counted.items].T) / whole)

    def save(self, folder: Path) -> None:
        arrays = {"vectors": self.vectors, "liking": self.liking, TASTE: self.taste.as_array()}
        write_arrays(folder / FILE, arrays)


def load(folder: Path, settings: Json) -> Content:
    """Raises: DataError: its arrays are damaged."""
    found = read_arrays(folder / FILE, "vectors", "liking", TASTE)
    vectors, liking = found["vectors"], found["liking"]
    if vectors.ndim != 2 or liking.shape != (len(vectors),):
        raise DataError(f"{folder / FILE} is damaged, expected a vector for each item")
    return Content(vectors, liking, Taste.from_array(found[TASTE]))
