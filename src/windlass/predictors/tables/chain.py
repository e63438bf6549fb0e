"""Answers from a chain of linear models, each told what those before it say: numpy alone.

Source: Read, Pfahringer, Holmes & Frank 2011, Classifier chains for multi-label classification, Machine Learning 85(3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from windlass.errors import DataError
from windlass.kinds.contract import Batch
from windlass.predictors.contract import Engine, n_scores
from windlass.predictors.tables import linear
from windlass.records import Manifest
from windlass.store.files import write_bytes

FILE = "chain.safetensors"


def write_links(folder: Path, links: np.ndarray, order: np.ndarray) -> None:
    """Writes beside the linear model what `load` reads: links (k, k), order (k,)."""
    write_bytes(folder / FILE, save({"links": links.astype(np.float32), "order": order.astype(np.int64)}))


def load(folder: Path, manifest: Manifest) -> Engine:
    """The linear model with its `links` and `order`. Raises: DataError when damaged."""
    model, k = linear.load(folder, manifest), n_scores(manifest)
    try:
        tensors = load_file(folder / FILE)
        links, order = tensors["links"], tensors["order"]
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(f"{folder / FILE} is damaged ({error}), expected the links of a chain") from None
    is_order = order.dtype == np.int64 and sorted(order.tolist()) == list(range(k))
    is_links = links.dtype == np.float32 and links.shape == (k, k) and bool(np.isfinite(links).all())
    if not is_order or not is_links:
        raise DataError(f"{folder / FILE} is damaged, expected {k} x {k} finite links and an order of {k} tags")
    return Chain(model, links, order)


@dataclass(frozen=True)
class Chain:
    """links: (k, k) float32, what the probability of tag i adds to the score of a later tag j. order: (k,) int64."""

    model: Engine
    links: np.ndarray
    order: np.ndarray

    def __call__(self, batches: Sequence[Batch]) -> np.ndarray:
        return linked(np.asarray(self.model(batches)), self.links, self.order)


def linked(scores: np.ndarray, links: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Scores (n, k) of the tags for themselves -> with what the tags before them say."""
    found = scores.astype(np.float64)
    said = np.zeros_like(found)
    for place in order.tolist():
        found[:, place] += said @ links[:, place]
        said[:, place] = 1 / (1 + np.exp(-np.clip(found[:, place], -30, 30)))
    return found
