"""Item response theory with one ability a learner: right as often as ability is above the exercise's difficulty.

Source: Rasch 1960, Probabilistic models for some intelligence and attainment tests; the posterior of the ability on a
grid: Bock & Mislevy 1982, Applied Psychological Measurement 6(4), expected a posteriori.
"""

from dataclasses import dataclass

import numpy as np

from windlass.predictors.recommend.tracing.attempts import sigmoid

GRID = np.linspace(-4, 4, 33)
"""Abilities, in logits."""


@dataclass(frozen=True)
class Irt:
    """difficulty: (E,) logits; spread: (1,) standard deviation of abilities."""

    difficulty: np.ndarray
    spread: np.ndarray

    def begin(self, n_learners: int) -> np.ndarray:
        """(L, grid) log of the posterior of each learner's ability."""
        return np.tile(-0.5 * (GRID / self.spread[0]) ** 2, (n_learners, 1))

    def chances(self, state: np.ndarray, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        weight = posterior(state)
        odds = sigmoid(GRID - self.difficulty[exercises][..., None])
        return (weight[:, None] * odds).sum(axis=2)

    def tell(self, state: np.ndarray, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        odds = sigmoid(GRID - self.difficulty[exercises][:, None])
        state += np.where((exercises >= 0)[:, None], np.log(np.where(right[:, None], odds, 1 - odds)), 0)


def posterior(state: np.ndarray) -> np.ndarray:
    """(L, grid) weights that sum to 1."""
    weight = np.exp(state - state.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)
