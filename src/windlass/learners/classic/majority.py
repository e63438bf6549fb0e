"""Always the same answer: what every other candidate must beat."""

from collections.abc import Callable

import numpy as np

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import Encoded, encode, finish
from windlass.predictors.artifact import N_GOLDEN
from windlass.predictors.contract import width
from windlass.predictors.tables.linear import write_weights
from windlass.records import Progress, Splits

FORMS = {
    "text": "terms",
    "image": "pixels",
    "number": "scaled",
    "category": "onehot",
    "date": "calendar",
    "series": "features",
}
SMALLEST = {"text": {"n_terms": 1}, "image": {"size": 1}}


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A linear model of zero weights whose bias is how common each label is."""

    def usual(encoded: Encoded) -> np.ndarray:
        return encoded.aim.usual(encoded.train_targets, encoded.train_weights, encoded.n_scores)

    return _always(usual, "majority", splits, options)


def fit_mean(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Always the mean number: of what costs nothing, the best for squared errors."""
    return _always(lambda encoded: _scored(np.average(encoded.train_targets, weights=encoded.train_weights)), "mean",
                   splits, options)  # fmt: skip


def fit_median(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Always the median: of what costs nothing, the best for absolute errors."""
    return _always(lambda encoded: _scored(_median(encoded.train_targets, encoded.train_weights)), "median",
                   splits, options)  # fmt: skip


def _scored(value: float) -> np.ndarray:
    return np.array([value], np.float64)


def _median(values: np.ndarray, weights: np.ndarray | None) -> float:
    """The number that half of the weight lies below and half above."""
    if weights is None:
        return float(np.median(values))
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _always(answer: Callable[[Encoded], np.ndarray], learner: str, splits: Splits, options: Options) -> Fitted:
    """A linear model of zero weights, whose bias (k,) is the answer."""
    encoded = encode(splits, FORMS, SMALLEST)
    bias = answer(encoded).astype(np.float32)
    weights = [np.zeros((width(batch), encoded.n_scores), np.float32) for batch in encoded.train]
    write_weights(options.artifact, weights, bias)
    scores = np.tile(bias, (len(encoded.validation_targets), 1))
    return finish(options, {"predictor": "linear", "learner": learner}, encoded, splits, scores, scores[:N_GOLDEN])
