"""Shares of right answers, by exercise and by skill, as logits that few attempts do not carry far."""

import numpy as np

from windlass.predictors.recommend.tracing.attempts import Attempts, Course

PRIOR = 5.0
"""Attempts that a share begins with, at that of all."""


def logits(right: np.ndarray, place: np.ndarray, n_places: int) -> np.ndarray:
    """(n_places,) logit of the share right of what lies at each place (n,)."""
    share = right.mean() if len(right) else 0.5
    found = np.bincount(place, right, n_places) + PRIOR * np.clip(share, 0.01, 0.99)
    found /= np.bincount(place, minlength=n_places) + PRIOR
    return np.log(found / (1 - found))


def of_exercises(attempts: Attempts, course: Course) -> np.ndarray:
    return logits(attempts.right, attempts.exercises, course.n_exercises)


def of_skills(attempts: Attempts, course: Course) -> np.ndarray:
    return logits(attempts.right, course.skill[attempts.exercises], course.n_skills)


def halves(n_learners: int, seed: int) -> np.ndarray:
    """(L,) bool: half of the learners, by chance."""
    return np.random.default_rng(seed).permutation(n_learners) % 2 == 0
