"""A linear head on the features of a network that stays as it is."""

import logging
import time
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from windlass.errors import DataError
from windlass.learners.contract import Budget
from windlass.learners.networks.batches import Inputs
from windlass.learners.networks.network import Network
from windlass.learners.networks.training import probe
from windlass.learners.networks.training.task import answers
from windlass.records import Progress
from windlass.store.files import write_bytes

logger = logging.getLogger("windlass.learners")
STRENGTHS = (3.0, 10.0, 30.0)
"""Inverse regularisation of the head on features of unit length: the best on the validation rows is taken."""
N_ITERATIONS = 200
CHUNK, BATCH = 128, 16
ROOM = 0.3
"""Share of the budget that is kept for the head and the export."""
CHECKPOINT_SECONDS = 15.0
Head = tuple[np.ndarray, np.ndarray]
"""Weights (k, D) and bias (k,) of a linear head."""


@dataclass(frozen=True)
class Known:
    """Features (m, D) float32 of the rows with these numbers (m,)."""

    features: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Place:
    """Where features are kept, and what limits their making."""

    path: Path
    budget: Budget
    progress: Progress
    seed: int
    precision: str = "auto"


def features(network: Network, inputs: Inputs, place: Place) -> Known:
    """The network's features of each row, kept in a file that a killed run takes up again.

    Rows come in an order of chance: where the budget does not reach for all, the first ones stand for them.
    """
    sums = [zlib.crc32(np.ascontiguousarray(array).data) for array in inputs.arrays]
    key = f"{sums} {len(inputs)} {place.seed} {place.precision}"
    order = np.random.default_rng(place.seed).permutation(len(inputs))
    done = _kept(place.path, key)
    network.to(probe.device()).eval()
    precision = probe.precisions(place.precision)[-1]
    if len(done) < len(order):
        first = inputs.rows(order[:BATCH])
        probe.choose_threads(lambda: answers(network.features, first, BATCH, precision))
    written = time.monotonic()
    while len(done) < len(order) and not (len(done) and place.budget.left() < ROOM * place.budget.seconds):
        chunk = inputs.rows(order[len(done) : len(done) + CHUNK])
        found = answers(network.features, chunk, BATCH, precision)
        done = np.concatenate([done.reshape(-1, found.shape[1]), found])
        place.progress("train", len(done), len(order), "encoding rows")
        if time.monotonic() - written > CHECKPOINT_SECONDS:
            write_bytes(place.path, save({"features": done}, metadata={"key": key}))
            written = time.monotonic()
    write_bytes(place.path, save({"features": done}, metadata={"key": key}))
    network.cpu()
    return Known(done, order[: len(done)])


def _kept(path: Path, key: str) -> np.ndarray:
    try:
        with safe_open(path, framework="numpy") as file:
            if (file.metadata() or {}).get("key") == key:
                return file.get_tensor("features")
    except (OSError, SafetensorError):
        if path.exists():
            logger.warning("%s cannot be read: the rows are encoded again", path, exc_info=True)
    return np.zeros((0, 1), np.float32)


@dataclass(frozen=True)
class Chosen:
    """A head, the strength it was fitted with, and the validation logits (n, k) of one that has not seen those rows."""

    head: Head
    strength: float
    validation_logits: np.ndarray


class Examples(NamedTuple):
    """Features (n, D) of rows, and their targets (n,)."""

    features: np.ndarray
    targets: np.ndarray


def choose(
    train: Examples, validation: Examples, n_classes: int, score: Callable[[np.ndarray], float], budget: Budget
) -> Chosen:
    """Tries the strengths on the validation rows, which may be none, then fits the best one on all rows."""
    strengths = STRENGTHS if len(validation.features) else STRENGTHS[1:2]
    best: tuple[float, float, np.ndarray] | None = None
    slowest = 0.0
    for strength in strengths:
        if best is not None and budget.left() < 3 * slowest:
            break
        started = time.monotonic()
        weights, bias = logistic(train.features, train.targets, n_classes, strength)
        logits = validation.features.reshape(-1, weights.shape[1]) @ weights.T + bias
        value = score(logits)
        if best is None or value > best[0]:
            best = (value, strength, logits.astype(np.float32))
        slowest = max(slowest, time.monotonic() - started)
    assert best is not None
    rows = np.concatenate([train.features, validation.features.reshape(-1, train.features.shape[1])])
    head = logistic(rows, np.concatenate([train.targets, validation.targets]), n_classes, best[1])
    return Chosen(head, best[1], best[2])


def logistic(rows: np.ndarray, targets: np.ndarray, n_classes: int, strength: float) -> Head:
    """A logistic regression on scaled features, the scaling folded into its weights; of targets (n, k), which are yes
    and no, one each. Raises: DataError: one class."""
    if targets.ndim == 2:
        return _one_each(rows, targets, strength)
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    present = np.unique(targets)
    if len(present) < 2:
        raise DataError(f"output has {len(present)} class in the training rows, expected at least 2")
    mean, deviation = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a head that stops early is a regularised one
        model = LogisticRegression(C=strength / len(mean), max_iter=N_ITERATIONS)
        with threadpool_limits(torch.get_num_threads()):
            model.fit((rows - mean) / deviation, targets)
    found, offset = model.coef_, model.intercept_
    if len(present) == 2:  # one row of weights, for the second class
        found, offset = np.concatenate([-found, found]) / 2, np.concatenate([-offset, offset]) / 2
    weights, bias = np.zeros((n_classes, len(mean))), np.full(n_classes, -20.0)
    weights[present] = found / deviation
    bias[present] = offset - weights[present] @ mean
    return weights.astype(np.float32), bias.astype(np.float32)


def _one_each(rows: np.ndarray, targets: np.ndarray, strength: float) -> Head:
    """Yes against no of each column of targets."""
    weights, bias = np.zeros((targets.shape[1], rows.shape[1]), np.float32), np.zeros(targets.shape[1], np.float32)
    for place in range(targets.shape[1]):
        wanted = (targets[:, place] > 0).astype(int)
        if wanted.all() or not wanted.any():
            bias[place] = 20.0 if wanted.all() else -20.0
            continue
        both, shift = logistic(rows, wanted, 2, strength)
        weights[place], bias[place] = both[1] - both[0], shift[1] - shift[0]
    return weights, bias


def set_head(network: Network, head: Head) -> None:
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(head[0]))
        network.head.bias.copy_(torch.from_numpy(head[1]))
