"""Answers from a weight matrix an input: numpy alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from windlass.errors import DataError
from windlass.kinds.contract import Batch, Sparse
from windlass.predictors.contract import Engine
from windlass.records import Manifest

FILE = "model.safetensors"


def load(folder: Path, manifest: Manifest) -> Engine:
    """`weights.<input number>` (features, k) and `bias` (k,), float32. Raises: DataError when damaged."""
    try:
        tensors = load_file(folder / FILE)
        weights = [tensors[f"weights.{number}"] for number in range(len(manifest.inputs))]
        bias = tensors["bias"]
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(f"{folder / FILE} is damaged ({error}), expected weights of a linear model") from None

    def logits(batches: Sequence[Batch]) -> np.ndarray:
        return bias + sum(_product(batch, weight) for batch, weight in zip(batches, weights, strict=True))

    return logits


def _product(batch: Batch, weight: np.ndarray) -> np.ndarray:
    if not isinstance(batch, Sparse):
        return batch.reshape(len(batch), -1) @ weight
    result = np.zeros((len(batch.starts) - 1, weight.shape[1]), np.float32)
    for row, (start, end) in enumerate(zip(batch.starts, batch.starts[1:], strict=False)):
        result[row] = batch.values[start:end] @ weight[batch.places[start:end]]
    return result
