"""What learners have tried and whether they were right; and what any tracer of their knowledge does with it.

Shapes: n attempts; L learners, G sittings (attempts of a learner at one moment), M attempts of a sitting, E exercises.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Course:
    """What is known of the exercises. skill: (E,) int, the skill of each; needs: (skills, skills) True where the row
    needs the column; all False where nothing is told."""

    skill: np.ndarray
    needs: np.ndarray

    @property
    def n_exercises(self) -> int:
        return len(self.skill)

    @property
    def n_skills(self) -> int:
        return len(self.needs)


@dataclass(frozen=True)
class Attempts:
    """n attempts, by learner, then in the order of time. One attempt is one row, whatever skills it has: as several
    rows, the answer to the first would stand before the second.

    learners, exercises: (n,) int; right: (n,) bool; days: (n,) float since any start. Attempts of one learner with the
    same moment are one sitting, whose results nobody knew when it began.
    """

    learners: np.ndarray
    exercises: np.ndarray
    right: np.ndarray
    days: np.ndarray

    def __len__(self) -> int:
        return len(self.right)

    def of(self, chosen: np.ndarray) -> "Attempts":
        """Those of the learners that are True in `chosen`."""
        places = chosen[self.learners]
        numbers = np.cumsum(chosen) - 1
        return Attempts(numbers[self.learners[places]], self.exercises[places], self.right[places], self.days[places])

    @property
    def n_learners(self) -> int:
        return int(self.learners.max()) + 1 if len(self.learners) else 0


@dataclass(frozen=True)
class Sittings:
    """Attempts laid out: (L, G, M) the place of each among the n attempts, -1 where there is none."""

    places: np.ndarray

    @classmethod
    def of(cls, attempts: Attempts) -> "Sittings":
        learners, days = attempts.learners, attempts.days
        is_first = np.ones(len(learners), bool)
        is_first[1:] = learners[1:] != learners[:-1]
        is_new = is_first.copy()
        is_new[1:] |= days[1:] != days[:-1]
        number = np.cumsum(is_new) - 1
        sitting = number - number[is_first][learners_in_order(is_first)] if len(learners) else number
        starts = np.flatnonzero(is_new)
        within = np.arange(len(learners)) - starts[number] if len(learners) else number
        shape = (attempts.n_learners, *((int(each.max()) + 1 if len(each) else 0) for each in (sitting, within)))
        places = np.full(shape, -1)
        places[learners, sitting, within] = np.arange(len(learners))
        return cls(places)


def learners_in_order(is_first: np.ndarray) -> np.ndarray:
    """(n,) how many learners came before that of each attempt."""
    return np.cumsum(is_first) - 1


class Tracer(Protocol):
    """Follows what L learners know, attempt by attempt. numpy alone, so that a service needs no torch."""

    def begin(self, n_learners: int) -> Any:
        """What is known of learners of whom nothing was seen; changed in place by `tell`."""
        ...

    def chances(self, state: Any, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        """(L, M) how probably each would be right at days (L,) in exercises (L, M); those below 0 are told anyhow."""
        ...

    def tell(self, state: Any, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        """Each tried an exercise (L,), those with -1 none, and was right (L,) bool or not."""
        ...


def trace(tracer: Tracer, attempts: Attempts) -> np.ndarray:
    """(n,) how probably right each attempt was, told from what came before its sitting."""
    found = np.zeros(len(attempts))
    state = tracer.begin(attempts.n_learners)
    for places in np.moveaxis(Sittings.of(attempts).places, 1, 0):
        is_real = places >= 0
        exercises = np.where(is_real, attempts.exercises[places], -1)
        days = attempts.days[places[:, 0]]  # of a learner without such a sitting anything, since none is told
        found[places[is_real]] = tracer.chances(state, days, exercises)[is_real]
        for one, is_there, place in zip(exercises.T, is_real.T, places.T, strict=True):
            tracer.tell(state, days, one, attempts.right[place] & is_there)
    return found


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))
