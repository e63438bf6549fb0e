"""Answers with the mean of the probabilities of several artifacts that lie inside this one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Batch
from windlass.metrics.measures import softmax
from windlass.predictors.contract import Engine, Labeller
from windlass.records import Manifest


def part_folder(folder: Path, number: int) -> Path:
    return folder / f"part-{number}"


def load(folder: Path, manifest: Manifest, load_part: Callable[[Path], Labeller]) -> Engine:
    """One artifact a weight in `settings.weights`; the manifest's inputs are those of the parts, one after the other.

    Raises: DataError: a part is damaged, or not what the manifest says.
    """
    weights = manifest.settings.get("weights", [])
    if not isinstance(weights, list) or not all(isinstance(weight, float) and 0 < weight <= 1 for weight in weights):
        raise DataError(f"{folder} is a blend with the weights {str(weights)[:80]}, expected shares between 0 and 1")
    parts = [load_part(part_folder(folder, number)) for number in range(len(weights))]
    inputs = [column for part in parts for column in part.manifest.inputs]
    if not parts or inputs != list(manifest.inputs):
        raise DataError(
            f"{folder} is a blend whose parts read {[column.name for column in inputs]}, "
            f"expected {[column.name for column in manifest.inputs]} as its manifest says"
        )
    labels = manifest.output.state["labels"]
    if any(part.manifest.output.state["labels"] != labels for part in parts):
        raise DataError(f"{folder} is a blend whose parts have other labels, expected {labels}")
    ends = np.cumsum([len(part.manifest.inputs) for part in parts]).tolist()

    def logits(batches: Sequence[Batch]) -> np.ndarray:
        shares = [
            softmax(part.manifest.calibrated(part.engine(batches[end - len(part.manifest.inputs) : end])))
            for part, end in zip(parts, ends, strict=True)
        ]
        return np.log(np.maximum(np.average(shares, axis=0, weights=weights), 1e-12))

    return logits
