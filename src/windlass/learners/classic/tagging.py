"""Linear models of tags: a logistic regression each, one against the rest.

Source: one-vs-rest: Tsoumakas, Katakis & Vlahavas 2010, Mining multi-label data; dual coordinate descent: Yu, Huang &
        Lin 2011, Machine Learning 85(1).
"""

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from windlass.learners.networks.lesson import Lesson

SPARSE_STRENGTHS = (3.0, 10.0, 1.0, 30.0)
DENSE_STRENGTHS = (0.3, 0.03, 3.0)
"""Inverse regularisation of each model, the likeliest first."""
SURE = 30.0
"""The size of a score where all training rows say the same."""


def strengths(is_sparse: bool) -> tuple[float, ...]:
    return SPARSE_STRENGTHS if is_sparse else DENSE_STRENGTHS


def solve(rows: Any, lesson: Lesson) -> tuple[np.ndarray, np.ndarray]:
    """(features, k) float32 weights and (k,) bias of rows (n, features), dense or scipy CSR."""
    weights = np.zeros((rows.shape[1], lesson.n_scores), np.float32)
    bias = np.zeros(lesson.n_scores, np.float32)
    for place in range(lesson.n_scores):
        weights[:, place], bias[place] = solve_one(rows, lesson.targets[:, place] > 0, lesson)
    return weights, bias


def solve_one(rows: Any, target: np.ndarray, lesson: Lesson) -> tuple[np.ndarray, float]:
    """(features,) weights and the bias of one tag, of which rows have it (n,) bool or not."""
    if target.all() or not target.any():
        return np.zeros(rows.shape[1], np.float32), SURE if target.all() else -SURE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # cut off rather than run on when it converges slowly
        model = LogisticRegression(C=lesson.strength, max_iter=200, random_state=lesson.seed)
        if sparse.issparse(rows):  # by the dual, ten times as fast on 2,000 rows of 12,000 terms as by the primal
            model.set_params(solver="liblinear", dual=True)
        model.fit(rows, target, lesson.weights)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])
