"""The law of `predictors/recommend/tracing/growth.py`, by the likelihood of each answer told from those before it."""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from windlass.learners.contract import Budget
from windlass.learners.recommend.tracing import irt
from windlass.predictors.recommend.tracing.attempts import Attempts, Course, trace
from windlass.predictors.recommend.tracing.growth import Growth, Law

SWEEPS = 2
EVALUATIONS = 45
"""Of the likelihood in a sweep: eight numbers by finite differences."""
MOST_LEARNERS = 1_000
"""That the law is fitted on; levels and difficulties use all of them."""
BOUNDS = np.array([
    [0.005, 1.5], [0.02, 1.5], [0.02, 1.0], [0.5, 2_000], [0.01, 3.0], [0.05, 2.5], [0.05, 2.5], [1e-4, 0.3],
])  # fmt: skip
"""Of the law's numbers, in their order."""
PRIOR_PRECISION, PRIOR_SPREAD = 2.0, 1.0
"""Of difficulties, in attempts' information; and of each number of the law around its start, in its logarithm."""


def fit(attempts: Attempts, course: Course, seed: int = 13, budget: Budget | None = None) -> Growth:
    """The law stays as it is usual where the budget does not reach for it."""
    found = start(attempts, course)
    chosen = np.random.default_rng(seed).permutation(attempts.n_learners) < MOST_LEARNERS
    some = attempts.of(chosen)
    for _ in range(SWEEPS):
        found = with_levels(found, attempts)
        found = with_law(found, some, budget)
    return with_levels(found, attempts)


def start(attempts: Attempts, course: Course) -> Growth:
    """Difficulties as of item response theory, around the level of their skill."""
    difficulty = irt.fit(attempts, course).difficulty
    counts = np.maximum(np.bincount(course.skill, minlength=course.n_skills), 1)
    centre = np.bincount(course.skill, difficulty, course.n_skills) / counts
    return Growth(course.skill, course.needs, difficulty - centre[course.skill], -centre, Law().as_array())


def with_law(found: Growth, attempts: Attempts, budget: Budget | None = None) -> Growth:
    usual = np.log(Law().as_array())
    low, high = np.log(BOUNDS).T

    def loss(values: np.ndarray) -> float:
        chances = trace(replace(found, law=np.exp(np.clip(values, low, high))), attempts)
        prior = 0.5 * (((values - usual) / PRIOR_SPREAD) ** 2).sum()
        return float(lost(chances, attempts.right) + prior)

    begun = np.clip(np.log(found.law), low, high)
    reached = begun

    def look(values: np.ndarray) -> None:
        if budget is not None and not budget.left():
            raise StopIteration

    options = {"maxfun": EVALUATIONS, "eps": 1e-3}
    bounds = np.stack([low, high], 1)
    if budget is None or budget.left():
        best = minimize(loss, begun, method="L-BFGS-B", bounds=bounds, options=options, callback=look)
        reached = best.x
    return replace(found, law=np.exp(np.clip(reached, low, high)))


def with_levels(found: Growth, attempts: Attempts) -> Growth:
    """Levels of skills and difficulties of exercises a step nearer to what leaves no error on average."""
    chances = trace(found, attempts)
    error, slope = attempts.right - chances, chances * (1 - chances)
    skill = found.skill[attempts.exercises]
    n_skills, n_exercises = len(found.level), len(found.skill)
    up = np.bincount(skill, error, n_skills) / (np.bincount(skill, slope, n_skills) + PRIOR_PRECISION)
    rest = error - slope * up[skill]
    down = np.bincount(attempts.exercises, rest, n_exercises) / (
        np.bincount(attempts.exercises, slope, n_exercises) + PRIOR_PRECISION
    )
    return replace(found, level=found.level + np.clip(up, -1, 1), difficulty=found.difficulty - np.clip(down, -1, 1))


def lost(chances: np.ndarray, right: np.ndarray) -> float:
    """The sum of the logarithmic loss, in nats."""
    kept = np.clip(chances, 1e-6, 1 - 1e-6)
    return float(-np.log(np.where(right, kept, 1 - kept)).sum())
