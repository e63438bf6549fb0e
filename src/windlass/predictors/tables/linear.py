"""Answers from a weight matrix an input: numpy alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from windlass.errors import DataError
from windlass.kinds.contract import Batch, Sparse
from windlass.predictors.contract import Engine, dense, empty_batches, n_scores, width
from windlass.records import Manifest
from windlass.store.files import write_bytes

FILE = "model.safetensors"


def write_weights(folder: Path, weights: Sequence[np.ndarray], bias: np.ndarray) -> None:
    """Writes the model that `load` reads: one (features, k) float32 matrix an input, and the bias (k,)."""
    tensors = {f"weights.{number}": np.ascontiguousarray(weight) for number, weight in enumerate(weights)}
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / FILE, save({**tensors, "bias": bias}))


def load(folder: Path, manifest: Manifest) -> Engine:
    """`weights.<input number>` (features, k) and `bias` (k,), float32, or kept as float16 (`compress`).

    Raises: DataError when damaged.
    """
    try:
        tensors = {name: _whole(tensor) for name, tensor in load_file(folder / FILE).items()}
        weights = [tensors[f"weights.{number}"] for number in range(len(manifest.inputs))]
        bias = tensors["bias"]
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(f"{folder / FILE} is damaged ({error}), expected weights of a linear model") from None
    n_given = n_scores(manifest)
    shapes = [(width(batch), n_given) for batch in empty_batches(manifest)]
    if [weight.shape for weight in weights] != shapes or bias.shape != (n_given,):
        raise DataError(
            f"{folder / FILE} has weights {[weight.shape for weight in weights]} and bias {bias.shape}, "
            f"expected {shapes} and {(n_given,)}"
        )
    if not all(tensor.dtype == np.float32 and np.isfinite(tensor).all() for tensor in (*weights, bias)):
        raise DataError(f"{folder / FILE} is damaged, expected finite float32 weights")

    return Linear(tuple(weights), bias)


def _whole(tensor: np.ndarray) -> np.ndarray:
    return tensor.astype(np.float32) if tensor.dtype == np.float16 else tensor


@dataclass(frozen=True)
class Linear:
    """weights: (features, k) float32 an input; bias: (k,)."""

    weights: tuple[np.ndarray, ...]
    bias: np.ndarray
    is_from_zero = True

    def __call__(self, batches: Sequence[Batch]) -> np.ndarray:
        return self.bias + sum(_product(batch, weight) for batch, weight in zip(batches, self.weights, strict=True))

    def contributions(self, batches: Sequence[Batch], labels: np.ndarray) -> tuple[list[np.ndarray], float]:
        """Weight times feature, in float64; the rest is the bias."""
        found = [
            dense(batch) * (weight.astype(np.float64) @ labels)
            for batch, weight in zip(batches, self.weights, strict=True)
        ]
        return found, float(self.bias.astype(np.float64) @ labels)


def _product(batch: Batch, weight: np.ndarray) -> np.ndarray:
    if not isinstance(batch, Sparse):
        return batch.reshape(len(batch), -1) @ weight
    result = np.zeros((len(batch.starts) - 1, weight.shape[1]), np.float32)
    for row, (start, end) in enumerate(zip(batch.starts, batch.starts[1:], strict=False)):
        result[row] = batch.values[start:end] @ weight[batch.places[start:end]]
    return result
