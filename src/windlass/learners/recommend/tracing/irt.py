"""Difficulties by marginal maximum likelihood: abilities on a grid, weighed by what answers say of them.

Source: Bock & Aitkin 1981, Psychometrika 46(4). Difficulties have a Gaussian prior around that of all exercises.
"""

import numpy as np

from windlass.learners.recommend.tracing import counting
from windlass.predictors.recommend.tracing.attempts import Attempts, Course, sigmoid
from windlass.predictors.recommend.tracing.irt import GRID, Irt, posterior

ROUNDS, SPREAD = 15, 1.0
PRECISION = 0.5
"""Of the prior, in attempts of one logit's information."""


def fit(attempts: Attempts, course: Course) -> Irt:
    difficulty = -counting.of_exercises(attempts, course)
    spread, centre = SPREAD, difficulty.mean()
    n_learners, n_exercises = attempts.n_learners, course.n_exercises
    for _ in range(ROUNDS):
        odds = sigmoid(GRID[:, None] - difficulty)  # (grid, E)
        weight = posterior(_log_posterior(attempts, odds, spread, n_learners))
        spread = float(np.sqrt((weight @ GRID**2).mean()))
        tried = _sums(attempts.exercises, weight[attempts.learners], n_exercises)
        right = np.bincount(attempts.exercises, attempts.right, n_exercises)
        error = (tried * odds.T).sum(axis=1) - right - PRECISION * (difficulty - centre)
        slope = (tried * (odds * (1 - odds)).T).sum(axis=1) + PRECISION
        difficulty = difficulty + np.clip(error / slope, -1, 1)
    return Irt(difficulty, np.array([spread]))


def _log_posterior(attempts: Attempts, odds: np.ndarray, spread: float, n_learners: int) -> np.ndarray:
    """(L, grid)."""
    of_each = np.where(
        attempts.right[:, None], np.log(odds).T[attempts.exercises], np.log1p(-odds).T[attempts.exercises]
    )
    return _sums(attempts.learners, of_each, n_learners) - 0.5 * (GRID / spread) ** 2


def _sums(place: np.ndarray, values: np.ndarray, n_places: int) -> np.ndarray:
    """(n_places, k) sums of the rows (n, k) that lie at each place."""
    return np.stack([np.bincount(place, column, n_places) for column in values.T], axis=1)
