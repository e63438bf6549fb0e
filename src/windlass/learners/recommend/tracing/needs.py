"""What a skill needs, learned from attempts where nobody tells it: a skill needs another one where the answers are
likelier if it is learned more slowly by who does not know that one.

A guess for people to look at: what is always taught first looks like a need, and what everybody knows like none.
"""

from dataclasses import replace

import numpy as np

from windlass.learners.contract import Budget
from windlass.learners.recommend.tracing.growth import lost
from windlass.predictors.recommend.tracing.attempts import Attempts, trace
from windlass.predictors.recommend.tracing.growth import Growth

LEAST_GAIN = 1.92
"""Nats of likelihood: half of the 95 % bound of a chi-square with one degree of freedom."""
MOST_NEEDS, MOST_SKILLS = 3, 40
"""Needs of a skill; and skills of a course that are paired: each pair is a walk through all attempts."""


def learned(found: Growth, attempts: Attempts, budget: Budget | None = None) -> np.ndarray:
    """(S, S) bool, True where the row needs the column; no circle. All False where there is no time."""
    gains = gained(found, attempts, budget)
    needs = np.zeros(gains.shape, bool)
    order = np.argsort(-gains, axis=None)
    for row, column in zip(*np.unravel_index(order, gains.shape), strict=True):
        if gains[row, column] < LEAST_GAIN:
            break
        if needs[row].sum() < MOST_NEEDS and not _reaches(needs, int(column), int(row)):
            needs[row, column] = True
    return needs


def gained(found: Growth, attempts: Attempts, budget: Budget | None = None) -> np.ndarray:
    """(S, S) nats by which one need alone makes the answers likelier; 0 where time was short."""
    n_skills = len(found.level)
    gains = np.zeros((n_skills, n_skills))
    none = np.zeros((n_skills, n_skills), bool)
    if n_skills > MOST_SKILLS:
        return gains
    without = lost(trace(replace(found, needs=none), attempts), attempts.right)
    for row, column in zip(*np.nonzero(~np.eye(n_skills, dtype=bool)), strict=True):
        if budget is not None and not budget.left():
            break
        one = none.copy()
        one[row, column] = True
        gains[row, column] = without - lost(trace(replace(found, needs=one), attempts), attempts.right)
    return gains


def _reaches(needs: np.ndarray, start: int, end: int) -> bool:
    """Whether `start` needs `end`, directly or by others."""
    seen, waiting = {start}, [start]
    while waiting:
        new = set(np.flatnonzero(needs[waiting.pop()]).tolist()) - seen
        seen |= new
        waiting += new
    return end in seen
