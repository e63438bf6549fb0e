"""What makes one set of answers better than another: pure functions of targets and probabilities.

All take `targets` (n,) int and `probabilities` (n, k) float, rows summing to one, and give a share 0-1.
`positive` is the index of the class that a binary score is about (the rarer one).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from windlass.metrics.costs import COST, CostTable

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


def expected_calibration_error(
    targets: Array, probabilities: Array, n_bins: int = 15, answers: Array | None = None
) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by rows.

    Args:   answers: (n,) int, what was answered; None: the likeliest class.
    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    said = probabilities.argmax(1) if answers is None else answers
    confidence, right = probabilities[np.arange(len(said)), said], said == targets
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
LOWER = frozenset(
    {"bits_per_byte", "mae", "rmse", "medae", "mape", "pinball_90", "width_90", COST}
    | {"mase", "wql", "smape", "mse", "bias", "hamming", "false_alarms_a_month", "delay_hours", "risk"}
    | {"count_error", "boundary_error", "unsupported", "attack_success_rate", "gini"}
)
"""Metrics whose smaller value is the better one."""


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "not measured"
        return f"{told(self.value)} [{told(self.low)}, {told(self.high)}]"


def told(value: float) -> str:
    """A measure as people read it: a share with three decimals, of larger ones fewer: `0.912`, `31.42`, `12,346`."""
    size = abs(value)
    if 0 < size < 0.0005:
        return f"{value:.1g}"
    places = 3 if not size >= 10 else 2 if size < 100 else 1 if size < 1_000 else 0
    return f"{value:,.{places}f}"


def softmax(logits: Array) -> Array:
    """Probabilities (n, k) of unnormalised scores (n, k)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Threshold:
    """Of two classes `place` is the answer where its probability is at least `share` (0-1), else the other one."""

    place: int
    share: float

    def answers(self, probabilities: Array) -> Array:
        """Class numbers (n,) int of probabilities (n, 2)."""
        return np.where(probabilities[:, self.place] >= self.share, self.place, 1 - self.place)


def answered(probabilities: Array, threshold: Threshold | None) -> Array:
    """The answer of each row (n,) int: the likeliest class, unless a threshold decides."""
    return probabilities.argmax(1) if threshold is None else threshold.answers(probabilities)


@dataclass(frozen=True)
class LabelMarks:
    """A candidate's answers on rows whose label is known. targets: (n,) int; probabilities: (n, k) float."""

    targets: Array
    probabilities: Array
    positive: int = 1
    labels: tuple[str, ...] = ()
    threshold: Threshold | None = None
    costs: CostTable | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are defined here."""
        binary = self.probabilities.shape[1] == 2
        found = tuple(name for name in METRICS if binary or name not in BINARY_ONLY)
        return found if self.costs is None else (*found, COST)

    @property
    def calibration_error(self) -> float | None:
        return expected_calibration_error(self.targets, self.probabilities, answers=self.answers)

    def value(self, metric: str, rows: Array | None = None) -> float:
        """The metric of all rows, or of these (a row may be named several times)."""
        chosen = slice(None) if rows is None else rows
        if metric == COST:
            return float("nan") if self.costs is None else float(self.row_costs[chosen].mean())
        if metric in BINARY_ONLY:
            return measure(metric, self.targets[chosen], self.probabilities[chosen], self.positive)
        matrix = confusion(self.targets[chosen], self.answers[chosen], self.probabilities.shape[1])
        return _from_matrix(metric, matrix)

    @cached_property
    def answers(self) -> Array:
        """The class number that each row is answered with, (n,) int."""
        if self.costs is not None:
            return self.costs.answers(self.probabilities)
        return answered(self.probabilities, self.threshold)

    @cached_property
    def row_costs(self) -> Array:
        """What each row has cost, (n,); nothing where costs are not known."""
        return np.zeros(len(self)) if self.costs is None else self.costs.costs(self.targets, self.probabilities)

    @property
    def right(self) -> Array:
        """Which rows are answered right, (n,) bool."""
        return self.answers == self.targets

    def exact(self, metric: str) -> Estimate | None:
        """Accuracy is a share. Where nothing is wrong, what may yet be lies in the class with the fewest rows: of k
        classes it takes 1 / k of a macro metric with it, and all of a ranking."""
        if metric == "accuracy":
            return wilson(float(self.right.sum()), len(self))
        if metric == COST or not len(self) or not self.value(metric) >= 1:
            return None
        seen = np.bincount(self.targets)
        seen = seen[seen > 0]
        low = wilson(float(seen.min()), float(seen.min())).low
        return Estimate(1.0, low if metric in BINARY_ONLY else 1 - (1 - low) / len(seen), 1.0)


class Marks(Protocol):
    """A candidate's answers on the test rows, of any output kind, ready to be measured."""

    def __len__(self) -> int: ...

    @property
    def metrics(self) -> tuple[str, ...]: ...

    @property
    def calibration_error(self) -> float | None: ...

    def value(self, metric: str, rows: Array | None = None) -> float: ...

    def exact(self, metric: str) -> Estimate | None:
        """The value with its interval where resampling these rows would give none: shares, and perfect scores."""
        ...


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


def meets(metric: str, value: float, bound: float) -> bool:
    """True when the value is as good as the bound or better."""
    return value == bound or is_better(metric, value, bound)


def doubtful_end(metric: str, found: Estimate, bound: float) -> float | None:
    """The end of the 95 % interval that misses the bound although the value meets it; None: missed, or for certain."""
    end = found.high if metric in LOWER else found.low
    return None if not meets(metric, found.value, bound) or meets(metric, end, bound) else end


def bootstrap(marks: Marks, metric: str, seed: int = 13, n_resamples: int = 500) -> Estimate:
    """The metric with its 95 % interval: Wilson's where it is a share of rows, else percentiles over resampled rows.

    Of 59 right answers out of 59 every resample is perfect too, and a share of 1 would be called certain.
    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13.
    """
    exact = marks.exact(metric)
    if exact is not None:
        return exact
    random = np.random.default_rng(seed)
    values = [marks.value(metric, random.integers(0, len(marks), len(marks))) for _ in range(n_resamples)]
    return _estimate(marks.value(metric), values)


def paired_difference(metric: str, first: Marks, second: Marks, seed: int = 13) -> Estimate:
    """How much better `first` is than `second` on the same rows (above 0: better), with its 95 % bootstrap interval."""
    return _estimate(*_paired(metric, first, second, seed))


def paired_error(metric: str, first: Marks, second: Marks, seed: int = 13) -> tuple[float, float]:
    """The same difference with its standard error, by the same bootstrap."""
    difference, resampled = _paired(metric, first, second, seed)
    return difference, float(np.nanstd(resampled))


def _paired(metric: str, first: Marks, second: Marks, seed: int) -> tuple[float, list[float]]:
    random = np.random.default_rng(seed)
    sign = -1 if metric in LOWER else 1
    differences = []
    for _ in range(N_PAIRED):
        rows = random.integers(0, len(first), len(first))
        differences.append(sign * (first.value(metric, rows) - second.value(metric, rows)))
    return sign * (first.value(metric) - second.value(metric)), differences


def _estimate(value: float, resampled: list[float]) -> Estimate:
    if np.isnan(value):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


THRESHOLDED = frozenset({"macro_f1", "macro_recall"})
THRESHOLDS = np.round(np.arange(0.02, 0.985, 0.01), 2)
LEAST_GAIN = 0.01
LOG_TEMPERATURES = (math.log(0.02), math.log(20.0))


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

    low, high = LOG_TEMPERATURES
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def best_calibration(targets: Array, logits: Array) -> tuple[float, tuple[float, ...]]:
    """The temperature, and the shift of each class, with which softmax(logits / temperature + shift) is calibrated.

    With two classes that is Platt's sigmoid (slope and intercept). Each shift has a normal prior as the temperature
    has, and stays at none unless the rows show that one is needed (likelihood ratio at 5 %): on natural margins it is
    noise, on those of a model that is too weak it is what counts (docs/log.md, "mended: calibration").
    Args:    logits: (n, k) float, unnormalised, one row an example.
    Returns: the shift is empty where none is needed.
    Source:  Platt 1999; Alexandari et al. 2020, arXiv:1901.06852 (bias-corrected temperature scaling).
    """
    from scipy.optimize import minimize
    from scipy.special import chdtri  # scipy.stats costs half a second to import
    from threadpoolctl import threadpool_limits

    n_rows, n_classes = logits.shape
    temperature = best_temperature(targets, logits)
    if n_classes < 2:
        return temperature, ()
    truth = np.eye(n_classes)[targets]

    def loss(values: Array) -> tuple[float, Array]:
        """Mean negative log-likelihood with the priors, and its gradient; values: log temperature, then shifts."""
        slope, shift = np.exp(-values[0]), values[1:]
        shares = softmax(logits * slope + shift)
        error = (shares - truth) / n_rows
        prior = values[0] ** 2 + shift @ shift
        steps = np.concatenate([[2 * values[0] / n_rows - (error * logits).sum() * slope],
                                error.sum(axis=0) + 2 * shift / n_rows])  # fmt: skip
        return log_loss(targets, shares) + prior / n_rows, steps

    plain = np.concatenate([[np.log(temperature)], np.zeros(n_classes)])
    limits = [LOG_TEMPERATURES] + [(None, None)] * n_classes
    with threadpool_limits(1, "blas"):  # of so few numbers, threads wait longer for each other than they compute
        found = minimize(loss, plain, jac=True, method="L-BFGS-B", bounds=limits)
    if 2 * n_rows * (loss(plain)[0] - found.fun) <= chdtri(n_classes - 1, 0.05):
        return temperature, ()
    return float(np.exp(found.x[0])), tuple(float(each) for each in found.x[1:])


def best_threshold(metric: str, marks: LabelMarks) -> Threshold | None:
    """The threshold of the rarer label with which the metric is expected to be best; None: the likelier label answers.

    Expected of calibrated probabilities, which is steadier than counting a few rows; taken only where that is worth
    `LEAST_GAIN` and the rows themselves agree. Accuracy is best where the likelier label answers; metrics of ranking
    hold at any threshold, so that the answer more likely right is given; macro-precision would have one label said
    hardly ever.
    Args:   marks: of two labels, without a threshold.
    Source: Lipton et al. 2014, arXiv:1402.1892 (plug-in rules).
    """
    if metric not in THRESHOLDED:
        return None
    shares = marks.probabilities[:, marks.positive]

    def expected(threshold: float) -> float:
        said, sums = shares >= threshold, np.zeros((2, 2))
        for answer, inside in ((1, said), (0, ~said)):
            sums[:, answer] = (1 - shares)[inside].sum(), shares[inside].sum()
        return _from_matrix(metric, sums)

    values = [expected(threshold) for threshold in THRESHOLDS]
    place = int(np.argmax(values))
    found = Threshold(marks.positive, float(THRESHOLDS[place]))
    gains = values[place] - expected(0.5), replace(marks, threshold=found).value(metric) - marks.value(metric)
    return found if gains[0] >= LEAST_GAIN and gains[1] > 0 else None


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
