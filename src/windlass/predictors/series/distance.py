"""Scores how far a window is from the good ones, by what sums it up.

Source: Mahalanobis 1936, Proc. National Institute of Sciences of India 2(1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from windlass.errors import DataError
from windlass.kinds.contract import Batch
from windlass.predictors.contract import Engine, empty_batches, width
from windlass.predictors.series.deviation import FILE, machine_places, read_tensors
from windlass.records import Manifest
from windlass.store.files import write_bytes

NAMES = frozenset({"means", "whitening", "offset"})


@dataclass(frozen=True)
class Distance:
    """means: (machines + 1, features), the last of all machines together; whitening: (features, features), with which
    good windows have deviation 1 in all directions; offset: the distance from which on a window is as likely a fault
    as not. yes: the place of the label that says so."""

    means: np.ndarray
    whitening: np.ndarray
    offset: float
    yes: int = 1

    def __call__(self, batches: Sequence[Batch]) -> np.ndarray:
        """(n, 2) logits of features (n, features) and, where there is one, of the machine (n, levels + 2)."""
        features = np.asarray(batches[0], np.float64)
        machine = np.asarray(batches[1]) if len(batches) > 1 else None
        logits = np.zeros((len(features), 2))
        logits[:, self.yes] = self.distances(features, machine) - self.offset
        return logits

    def distances(self, features: np.ndarray, machine: np.ndarray | None) -> np.ndarray:
        """(n,) in deviations of good windows."""
        places = machine_places(machine, len(features), len(self.means) - 1)
        away = (features - self.means[places]) @ self.whitening
        return np.asarray(np.sqrt((away**2).mean(axis=1)))


def write(folder: Path, model: Distance) -> None:
    """Writes the model that `load` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {"means": model.means, "whitening": model.whitening, "offset": np.array([model.offset])}
    write_bytes(folder / FILE, save({name: np.ascontiguousarray(each, np.float64) for name, each in tensors.items()}))


def load(folder: Path, manifest: Manifest) -> Engine:
    """Raises: DataError when damaged."""
    tensors = read_tensors(folder, NAMES)
    n_features = width(empty_batches(manifest)[0])
    n_machines = len(manifest.inputs[1].state["levels"]) if len(manifest.inputs) > 1 else 0
    shapes = [tensors[name].shape for name in ("means", "whitening")]
    wanted = [(n_machines + 1, n_features), (n_features, n_features)]
    if shapes != wanted:
        raise DataError(f"{folder / FILE} has the shapes {shapes}, expected {wanted}")
    return Distance(tensors["means"], tensors["whitening"], float(tensors["offset"][0]))
