"""What makes one set of answers better than another: pure functions of targets and probabilities.

All take `targets` (n,) int and `probabilities` (n, k) float, rows summing to one, and give a share 0-1.
`positive` is the index of the class that a binary score is about (the rarer one).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

Array = np.ndarray
N_PAIRED = 300


def confusion(targets: Array, predicted: Array, n_classes: int) -> Array:
    """Counts (k, k): row = true class, column = predicted class."""
    return np.bincount(targets * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)


def _per_class(matrix: Array) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 of each class that occurs (in truth or answer); 0 where undefined."""
    hits, predicted, true = np.diag(matrix), matrix.sum(0), matrix.sum(1)
    seen = (predicted + true) > 0
    hits, predicted, true = hits[seen], predicted[seen], true[seen]
    zeros = np.zeros(len(hits))
    precision = np.divide(hits, predicted, out=zeros.copy(), where=predicted > 0)
    recall = np.divide(hits, true, out=zeros.copy(), where=true > 0)
    f1 = np.divide(2 * hits, predicted + true, out=zeros.copy(), where=(predicted + true) > 0)
    return precision, recall, f1


def _matrix(targets: Array, probabilities: Array) -> Array:
    return confusion(targets, probabilities.argmax(1), probabilities.shape[1])


def accuracy(targets: Array, probabilities: Array, positive: int = 1) -> float:
    """Share of rows whose likeliest class is the true one."""
    return float((probabilities.argmax(1) == targets).mean())


def macro_precision(targets: Array, probabilities: Array, positive: int = 1) -> float:
    """Mean over classes of hits / answered."""
    return float(_per_class(_matrix(targets, probabilities))[0].mean())


def macro_recall(targets: Array, probabilities: Array, positive: int = 1) -> float:
    """Mean over classes of hits / true."""
    return float(_per_class(_matrix(targets, probabilities))[1].mean())


def macro_f1(targets: Array, probabilities: Array, positive: int = 1) -> float:
    """Mean over classes of the harmonic mean of precision and recall."""
    return float(_per_class(_matrix(targets, probabilities))[2].mean())


def roc_auc(targets: Array, probabilities: Array, positive: int = 1) -> float:
    """Chance that a positive row scores above a negative one, ties half; NaN when one class is absent.

    Source: Mann & Whitney 1947; equals the area under the ROC curve (Hanley & McNeil 1982).
    """
    is_positive = targets == positive
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    _, place, counts = np.unique(probabilities[:, positive], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[is_positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def pr_auc(targets: Array, probabilities: Array, positive: int = 1) -> float:
    """Average precision: mean precision at each recall step, tied scores taken together; NaN without positives."""
    is_positive = targets == positive
    if not is_positive.any():
        return float("nan")
    order = np.argsort(-probabilities[:, positive], kind="stable")
    scores, hits = probabilities[order, positive], np.cumsum(is_positive[order])
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * precision))


def log_loss(targets: Array, probabilities: Array) -> float:
    """Mean negative log-likelihood of the true class, in nats."""
    return float(-np.log(np.clip(probabilities[np.arange(len(targets)), targets], 1e-12, 1)).mean())


def expected_calibration_error(targets: Array, probabilities: Array, n_bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by rows.

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    confidence, right = probabilities.max(1), probabilities.argmax(1) == targets
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(targets))


Metric = Callable[..., float]
METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "macro_precision": macro_precision,
    "macro_recall": macro_recall,
    "roc_auc": roc_auc,
    "pr_auc": pr_auc,
}
BINARY_ONLY = frozenset({"roc_auc", "pr_auc"})
LOWER = frozenset({"bits_per_byte"})
"""Metrics whose smaller value is the better one."""


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def softmax(logits: Array) -> Array:
    """Probabilities (n, k) of unnormalised scores (n, k)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class LabelMarks:
    """A candidate's answers on rows whose label is known. targets: (n,) int; probabilities: (n, k) float."""

    targets: Array
    probabilities: Array
    positive: int = 1
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are defined here."""
        binary = self.probabilities.shape[1] == 2
        return tuple(name for name in METRICS if binary or name not in BINARY_ONLY)

    @property
    def calibration_error(self) -> float | None:
        return expected_calibration_error(self.targets, self.probabilities)

    def value(self, metric: str, rows: Array | None = None) -> float:
        """The metric of all rows, or of these (a row may be named several times)."""
        chosen = slice(None) if rows is None else rows
        if metric in BINARY_ONLY:
            return measure(metric, self.targets[chosen], self.probabilities[chosen], self.positive)
        matrix = confusion(self.targets[chosen], self._predicted[chosen], self.probabilities.shape[1])
        return _from_matrix(metric, matrix)

    @cached_property
    def _predicted(self) -> Array:
        return self.probabilities.argmax(1)


class Marks(Protocol):
    """A candidate's answers on the test rows, of any output kind, ready to be measured."""

    def __len__(self) -> int: ...

    @property
    def metrics(self) -> tuple[str, ...]: ...

    @property
    def calibration_error(self) -> float | None: ...

    def value(self, metric: str, rows: Array | None = None) -> float: ...


def measure(metric: str, targets: Array, probabilities: Array, positive: int) -> float:
    """The value of the named metric."""
    return METRICS[metric](targets, probabilities, positive)


def _from_matrix(metric: str, matrix: Array) -> float:
    if metric == "accuracy":
        return float(np.trace(matrix) / matrix.sum())
    place = {"macro_precision": 0, "macro_recall": 1, "macro_f1": 2}[metric]
    return float(_per_class(matrix)[place].mean())


def is_better(metric: str, first: float, second: float) -> bool:
    """True when the first value of the metric is the better one."""
    return first < second if metric in LOWER else first > second


def bootstrap(marks: Marks, metric: str, seed: int = 13, n_resamples: int = 500) -> Estimate:
    """The metric with its 95 % percentile interval over resampled rows.

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13.
    """
    random = np.random.default_rng(seed)
    values = [marks.value(metric, random.integers(0, len(marks), len(marks))) for _ in range(n_resamples)]
    return _estimate(marks.value(metric), values)


def paired_difference(metric: str, first: Marks, second: Marks, seed: int = 13) -> Estimate:
    """How much better `first` is than `second` on the same rows (above 0: better), with its 95 % bootstrap interval."""
    random = np.random.default_rng(seed)
    sign = -1 if metric in LOWER else 1
    differences = []
    for _ in range(N_PAIRED):
        rows = random.integers(0, len(first), len(first))
        differences.append(sign * (first.value(metric, rows) - second.value(metric, rows)))
    return _estimate(sign * (first.value(metric) - second.value(metric)), differences)


def _estimate(value: float, resampled: list[float]) -> Estimate:
    if np.isnan(value):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def best_temperature(targets: Array, logits: Array) -> float:
    """The temperature > 0 (no unit) whose softened logits have the smallest log loss on these rows.

    A few separable rows would ask for a temperature of nearly 0, and so for certainty; a normal prior on its logarithm
    holds against that and is outweighed by a hundred rows (5-fold log loss of iris 0.58 -> 0.16; docs/log.md).
    Args:    logits: (n, k) float, unnormalised, one row an example.
    Source:  Guo et al. 2017, arXiv:1706.04599, section 4.2. Golden-section search on log temperature.
    """

    def loss(log_temperature: float) -> float:
        likelihood = log_loss(targets, softmax(logits / np.exp(log_temperature)))
        return likelihood + log_temperature**2 / len(targets)

    low, high = np.log(0.02), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def wilson(hits: float, total: float, z: float = 1.959964) -> Estimate:
    """The share of hits with its score interval, of 95 % unless told; NaN when there are no rows.

    Source: Wilson 1927, JASA 22(158), 209-212.
    """
    if total <= 0:
        return Estimate(math.nan, math.nan, math.nan)
    rate, spread = hits / total, z * z / total
    middle = (rate + spread / 2) / (1 + spread)
    half = z * math.sqrt(rate * (1 - rate) / total + spread / (4 * total)) / (1 + spread)
    return Estimate(rate, max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half)))
