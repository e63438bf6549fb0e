"""Bayesian knowledge tracing: a skill is known or not, is learned at a try with some chance, and is not forgotten.

Source: Corbett & Anderson 1994, User Modeling and User-Adapted Interaction 4.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bkt:
    """skill: (E,) int; (skills,) each: known at the start, learned at a try, guessed unknown, slipped known."""

    skill: np.ndarray
    known: np.ndarray
    learned: np.ndarray
    guessed: np.ndarray
    slipped: np.ndarray

    def begin(self, n_learners: int) -> np.ndarray:
        """(L, skills) how probably each is known."""
        return np.tile(self.known, (n_learners, 1))

    def chances(self, state: np.ndarray, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        skill = self.skill[exercises]
        known = np.take_along_axis(state, skill, axis=1)
        return known * (1 - self.slipped[skill]) + (1 - known) * self.guessed[skill]

    def tell(self, state: np.ndarray, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        rows = np.flatnonzero(exercises >= 0)
        skill = self.skill[exercises[rows]]
        known = state[rows, skill]
        if_known = np.where(right[rows], 1 - self.slipped[skill], self.slipped[skill])
        if_not = np.where(right[rows], self.guessed[skill], 1 - self.guessed[skill])
        after = known * if_known / (known * if_known + (1 - known) * if_not)
        state[rows, skill] = after + (1 - after) * self.learned[skill]
