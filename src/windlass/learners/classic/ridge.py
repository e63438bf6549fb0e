"""Linear models of numbers: ridge regression, the elastic net, and where absolute errors count, ridge reweighted
towards the median.

Source: Hoerl & Kennard 1970, Technometrics 12(1); Zou & Hastie 2005, JRSS B 67(2); iteratively reweighted least
        squares for absolute errors: Schlossmacher 1973, JASA 68(344).
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Ridge

from windlass.learners.networks.lesson import Lesson
from windlass.metrics.measures import is_better
from windlass.metrics.numbers import ABSOLUTE as ABSOLUTE_METRICS

SQUARED, ABSOLUTE, ELASTIC = "squared", "absolute", "elastic"
SPARSE_STRENGTHS = (1.0, 3.0, 0.3, 10.0)
DENSE_STRENGTHS = (10.0, 1.0, 100.0, 1_000.0)
"""What the squared weights are multiplied by, the likeliest first."""
HALF_OF_EACH, LEAST_ELASTIC, ELASTIC_STEPS = 0.5, 1e-4, 200
"""Of the elastic net: the share of absolute weights, the least strength a row, and steps after which it is cut off."""
LEAST_GAIN = 0.05
"""By which share of the error the elastic net must be better to be taken."""
N_REWEIGHTED, SMALLEST = 8, 0.02
"""Times that rows are weighed anew, each by one over its error, which counts as at least so many deviations."""


def losses(metric: str) -> tuple[str, ...]:
    """What is tried: errors of which each counts, or of which large ones count most, or these with few features."""
    return (SQUARED, ABSOLUTE, ELASTIC) if metric in ABSOLUTE_METRICS else (SQUARED, ELASTIC)


def strengths(is_sparse: bool) -> tuple[float, ...]:
    return SPARSE_STRENGTHS if is_sparse else DENSE_STRENGTHS


def solve(rows: Any, lesson: Lesson) -> tuple[np.ndarray, np.ndarray]:
    """(features, 1) float32 weights and (1,) bias of rows (n, features), dense or scipy CSR."""
    rows = rows if sparse.issparse(rows) else rows.astype(np.float64)
    counts = np.ones(rows.shape[0]) if lesson.weights is None else lesson.weights
    if lesson.loss == ELASTIC:
        strength = max(lesson.strength / rows.shape[0], LEAST_ELASTIC)
        net = ElasticNet(strength, l1_ratio=HALF_OF_EACH, max_iter=ELASTIC_STEPS, tol=1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            net.fit(rows, lesson.targets, counts)
        return net.coef_.reshape(-1, 1).astype(np.float32), np.array([net.intercept_], np.float32)
    model = Ridge(lesson.strength, random_state=lesson.seed).fit(rows, lesson.targets, counts)
    for _ in range(N_REWEIGHTED if lesson.loss == ABSOLUTE else 0):
        errors = np.abs(lesson.targets - model.predict(rows))
        model.fit(rows, lesson.targets, counts / np.maximum(errors, SMALLEST))
    return model.coef_.reshape(-1, 1).astype(np.float32), np.array([model.intercept_], np.float32)


def best_place(metric: str, values: Sequence[float]) -> int:
    """The place of the best value of the metric; of equals the first."""
    best = 0
    for place, value in enumerate(values):
        if np.isnan(values[best]) or is_better(metric, value, values[best]):
            best = place
    return best
