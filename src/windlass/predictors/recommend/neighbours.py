"""Scores items by how near they are to those of a history: a few neighbours of each item, with their weights.

Both item-knn and EASE end as this: a sparse matrix, items of a history by items that are scored.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.recommend.arrays import read_arrays, write_arrays
from windlass.predictors.recommend.taste import PLAIN, TASTE, Taste
from windlass.records import Json

FILE = "neighbours.safetensors"


@dataclass(frozen=True)
class Neighbours:
    """starts: (n_items + 1,) int64; item i of a history speaks for others[starts[i]:starts[i + 1]] (int32, rising)
    with values (float32), which may be below 0."""

    starts: np.ndarray
    others: np.ndarray
    values: np.ndarray
    taste: Taste = PLAIN

    @property
    def n_items(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def _keys(self) -> np.ndarray:
        """(e,) int64, rising: of each entry its row and column in one number, to look one up in microseconds."""
        rows = np.repeat(np.arange(self.n_items), np.diff(self.starts))
        return rows * np.int64(self.n_items) + self.others

    def _rows(self, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(e,) places of the entries of these items, and (e,) which of the items each belongs to."""
        sizes = self.starts[items + 1] - self.starts[items]
        owner = np.repeat(np.arange(len(items)), sizes)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return self.starts[items][owner] + within, owner

    def scores(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, now: float) -> np.ndarray:
        """(n_items,) float32."""
        counted = self.taste.counted(history, weights)
        places, owner = self._rows(counted.items)
        adds = self.values[places] * counted.values[owner]
        return np.bincount(self.others[places], weights=adds, minlength=self.n_items).astype(np.float32)

    def because(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(k, m) what each event adds to each item's score; of several events of an item each has what it adds."""
        counted = self.taste.counted(history, weights)
        if not len(self._keys):
            return counted.of_events(np.zeros((len(items), len(counted.items))))
        wanted = counted.items * np.int64(self.n_items) + items[:, None]
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return counted.of_events(np.where(self._keys[places] == wanted, self.values[places] * counted.values, 0.0))

    def save(self, folder: Path) -> None:
        arrays = {"starts": self.starts, "others": self.others, "values": self.values, TASTE: self.taste.as_array()}
        write_arrays(folder / FILE, arrays)


def load(folder: Path, settings: Json) -> Neighbours:
    """Raises: DataError: its arrays are damaged."""
    found = read_arrays(folder / FILE, "starts", "others", "values", TASTE)
    starts, others, values = found["starts"], found["others"], found["values"]
    if (
        starts.ndim != 1
        or not len(starts)
        or starts[0] != 0
        or starts[-1] != len(others)
        or (np.diff(starts) < 0).any()
        or others.shape != values.shape
        or (len(others) and not 0 <= int(others.min()) <= int(others.max()) < len(starts) - 1)
    ):
        raise DataError(f"{folder / FILE} is damaged, expected the neighbours of each item")
    return Neighbours(starts, others, values, Taste.from_array(found[TASTE]))
