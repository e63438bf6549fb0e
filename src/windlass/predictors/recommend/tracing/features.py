"""Eleven numbers that tell what a learner knows of an exercise, and the boosted trees on them: no network.

Source: features as in best-LR and DAS3H: Gervet et al. 2020, Journal of Educational Data Mining 12(3); Choffin et al.
2019, arXiv:1905.06873. The running rating is that of Elo, as Pelanek 2016, Computers & Education 98, uses it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from windlass.predictors.recommend.tracing.attempts import sigmoid

NAMES = (
    "exercise_logit", "skill_logit", "tries", "share_right", "skill_tries", "skill_share_right", "exercise_tries",
    "last_of_skill", "days_since_skill", "recent_right", "rating",
)  # fmt: skip
PRIOR = 3.0
"""Tries that a share begins with, at what the course as a whole has."""
RECENT, RATED = 0.75, 0.3


@dataclass
class Seen:
    """What was seen of L learners: counts and right ones, of all, by skill and by exercise; days of the last try."""

    tries: np.ndarray
    right: np.ndarray
    skill_tries: np.ndarray
    skill_right: np.ndarray
    exercise_tries: np.ndarray
    last_right: np.ndarray
    last_day: np.ndarray
    recent: np.ndarray
    rating: np.ndarray


@dataclass(frozen=True)
class Features:
    """skill: (E,) int; exercise_logit: (E,), skill_logit: (skills,) of the share right in training."""

    skill: np.ndarray
    exercise_logit: np.ndarray
    skill_logit: np.ndarray

    def begin(self, n: int) -> Seen:
        by_skill, by_exercise = (n, len(self.skill_logit)), (n, len(self.skill))
        return Seen(
            np.zeros(n),
            np.zeros(n),
            np.zeros(by_skill),
            np.zeros(by_skill),
            np.zeros(by_exercise, np.int16),
            np.full(by_skill, -1.0),
            np.full(by_skill, np.nan),
            np.full(n, 0.5),
            np.zeros(n),
        )

    def read(self, seen: Seen, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        """(L, M, 11) of exercises (L, M)."""
        skill, rows = self.skill[exercises], np.arange(len(exercises))[:, None]
        share = (seen.right + PRIOR * sigmoid(self.skill_logit.mean())) / (seen.tries + PRIOR)
        tries = seen.skill_tries[rows, skill]
        of_skill = (seen.skill_right[rows, skill] + PRIOR * share[:, None]) / (tries + PRIOR)
        one = np.ones(exercises.shape)
        return np.stack(
            [
                self.exercise_logit[exercises],
                self.skill_logit[skill],
                np.log1p(seen.tries)[:, None] * one,
                share[:, None] * one,
                np.log1p(tries),
                of_skill,
                np.log1p(seen.exercise_tries[rows, exercises]),
                seen.last_right[rows, skill],
                days[:, None] - seen.last_day[rows, skill],
                seen.recent[:, None] * one,
                seen.rating[:, None] + self.exercise_logit[exercises],
            ],
            axis=2,
        )

    def tell(self, seen: Seen, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        rows = np.flatnonzero(exercises >= 0)
        exercise, was = exercises[rows], right[rows].astype(float)
        skill = self.skill[exercise]
        seen.tries[rows] += 1
        seen.right[rows] += was
        seen.skill_tries[rows, skill] += 1
        seen.skill_right[rows, skill] += was
        seen.exercise_tries[rows, exercise] += 1
        seen.last_right[rows, skill] = was
        seen.last_day[rows, skill] = days[rows]
        seen.recent[rows] = RECENT * seen.recent[rows] + (1 - RECENT) * was
        seen.rating[rows] += RATED * (was - sigmoid(seen.rating[rows] + self.exercise_logit[exercise]))


@dataclass(frozen=True)
class Trees:
    """score: (n, 11) -> (n,) how probably right."""

    features: Features
    score: Callable[[np.ndarray], np.ndarray]

    def begin(self, n_learners: int) -> Seen:
        return self.features.begin(n_learners)

    def chances(self, state: Seen, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        rows = self.features.read(state, days, exercises)
        return self.score(rows.reshape(-1, len(NAMES))).reshape(exercises.shape)

    def tell(self, state: Seen, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        self.features.tell(state, days, exercises, right)
