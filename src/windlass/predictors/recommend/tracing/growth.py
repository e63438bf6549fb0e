"""Ability, practice and forgetting: logit of being right = ability in the skill + what was learned - difficulty.

The abilities of a learner are a Gaussian over the skills, which hold together; each answer moves them all (an extended
Kalman step). What was learned grows with each try, most where one is right half of the time and has what the skill
needs, and halves with time, slower after each repetition that came late. So mastery has an interval, and what a try
would teach can be told beforehand.

Source: additive factors and practice: Cen et al. 2006, ITS; half-lives that grow: Settles & Meeder 2016, ACL; filtering
of logistic models: Glickman 1999, Applied Statistics 48(3).
"""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from windlass.predictors.recommend.tracing.attempts import sigmoid

READY_SLOPE = 2.0
"""How sharply a skill counts as known where another one needs it, in 1 / logits."""
Z_90 = 1.6449


@dataclass(frozen=True)
class Law:
    """What was fitted, each above 0. gain: logits that a right try adds at best; wrong: share of it where one was
    wrong; ready: share of it where nothing that is needed is known; half_life: days; spaced: share by which a half-life
    grows where all was forgotten; together, apart: standard deviations of what a learner's skills share and have each;
    widening: variance that a try adds, for what the law does not know."""

    gain: float = 0.3
    wrong: float = 0.6
    ready: float = 0.5
    half_life: float = 20.0
    spaced: float = 0.5
    together: float = 0.8
    apart: float = 0.6
    widening: float = 0.01

    def as_array(self) -> np.ndarray:
        return np.array([getattr(self, each.name) for each in fields(self)])

    @classmethod
    def of(cls, values: np.ndarray) -> "Law":
        return cls(*values.tolist())


@dataclass
class Mind:
    """Of L learners: mean (L, S) and covariance (L, S, S) of abilities; learned (L, S) logits at the last try of each
    skill, its day, and half-lives in days."""

    mean: np.ndarray
    covariance: np.ndarray
    learned: np.ndarray
    day: np.ndarray
    half_life: np.ndarray


@dataclass(frozen=True)
class Growth:
    """skill: (E,) int; needs: (S, S) bool; difficulty: (E,) and level: (S,) in logits; law: of `Law`, in its order."""

    skill: np.ndarray
    needs: np.ndarray
    difficulty: np.ndarray
    level: np.ndarray
    law: np.ndarray

    @cached_property
    def laws(self) -> Law:
        return Law.of(self.law)

    def begin(self, n_learners: int) -> Mind:
        law, n_skills = self.laws, len(self.level)
        prior = law.together**2 * np.ones((n_skills, n_skills)) + law.apart**2 * np.eye(n_skills)
        zeros = np.zeros((n_learners, n_skills))
        return Mind(
            np.tile(self.level, (n_learners, 1)),
            np.tile(prior, (n_learners, 1, 1)),
            zeros.copy(),
            zeros.copy(),
            zeros + law.half_life,
        )

    def chances(self, state: Mind, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        skill = self.skill[exercises]
        known = np.take_along_axis(self.knowledge(state, days), skill, axis=1)
        width = np.take_along_axis(self.variance(state), skill, axis=1)
        return averaged(known - self.difficulty[exercises], width)

    def tell(self, state: Mind, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        rows = np.flatnonzero(exercises >= 0)
        if not len(rows):
            return
        law, skill, each = self.laws, self.skill[exercises[rows]], np.arange(len(rows))
        kept_all = 0.5 ** (np.maximum(days[rows, None] - state.day[rows], 0) / state.half_life[rows])
        known_all = state.mean[rows] + state.learned[rows] * kept_all
        kept, known = kept_all[each, skill], known_all[each, skill]
        odds = sigmoid(known - self.difficulty[exercises[rows]])
        slope, error = odds * (1 - odds), right[rows] - odds
        # 1. What the answer says of all abilities.
        column = state.covariance[rows, :, skill]
        gained = column / (1 + slope * column[each, skill])[:, None]
        state.mean[rows] += gained * error[:, None]
        state.covariance[rows] -= slope[:, None, None] * gained[:, :, None] * column[:, None, :]
        state.covariance[rows, skill, skill] += law.widening
        # 2. What the try teaches.
        needed = np.where(self.needs[skill], known_all, np.inf).min(axis=1)
        ready = law.ready + (1 - law.ready) * sigmoid(READY_SLOPE * needed)
        taught = law.gain * 4 * slope * ready
        state.learned[rows, skill] = state.learned[rows, skill] * kept + taught * np.where(right[rows], 1, law.wrong)
        state.half_life[rows, skill] *= 1 + law.spaced * (1 - kept)
        state.day[rows, skill] = days[rows]

    def kept(self, state: Mind, days: np.ndarray) -> np.ndarray:
        """(L, S) the share of what was learned that is left."""
        return 0.5 ** (np.maximum(days[:, None] - state.day, 0) / state.half_life)

    def knowledge(self, state: Mind, days: np.ndarray) -> np.ndarray:
        """(L, S) logits, the mean of what they may be."""
        return state.mean + state.learned * self.kept(state, days)

    @staticmethod
    def variance(state: Mind) -> np.ndarray:
        """(L, S)."""
        return np.diagonal(state.covariance, axis1=1, axis2=2)

    def readiness(self, known: np.ndarray) -> np.ndarray:
        """(L, S) 0 to 1: by the weakest skill that each needs."""
        return sigmoid(READY_SLOPE * np.where(self.needs, known[:, None, :], np.inf).min(axis=2))


def averaged(logits: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The mean of the logistic curve over a Gaussian. Source: MacKay 1992, Neural Computation 4(5), eq. 16."""
    return sigmoid(logits / np.sqrt(1 + np.pi * variance / 8))
