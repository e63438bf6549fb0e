"""What most people want, lately or ever: the same list for everybody, but for what each has seen."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.predictors.recommend.arrays import read_arrays, write_arrays
from windlass.records import Json

FILE = "popular.safetensors"


@dataclass(frozen=True)
class Popular:
    """counts: (n_items,) float32 of events, each as much as it weighs, or less the longer ago it was."""

    counts: np.ndarray

    def scores(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, now: float) -> np.ndarray:
        return self.counts

    def save(self, folder: Path) -> None:
        write_arrays(folder / FILE, {"counts": self.counts.astype(np.float32)})


def load(folder: Path, settings: Json) -> Popular:
    return Popular(read_arrays(folder / FILE, "counts")["counts"])
