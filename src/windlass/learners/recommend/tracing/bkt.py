"""The four chances of each skill by expectation and maximisation over the chains of its learners.

Source: Baum et al. 1970; bounds against turned meanings (a guess more often right than knowledge): Corbett & Anderson
1994; Baker et al. 2008, ITS.
"""

import numpy as np

from windlass.predictors.recommend.tracing.attempts import Attempts, Course
from windlass.predictors.recommend.tracing.bkt import Bkt

ROUNDS = 20
START = (0.4, 0.1, 0.25, 0.15)
BOUNDS = ((0.01, 0.99), (0.001, 0.6), (0.01, 0.5), (0.01, 0.4))
PRIOR = 2.0
"""Counts that each chance begins with, at its start: skills of few attempts stay near it."""


def fit(attempts: Attempts, course: Course) -> Bkt:
    found = []
    skill = course.skill[attempts.exercises]
    for number in range(course.n_skills):
        found.append(_chances(*_chains(attempts.learners[skill == number], attempts.right[skill == number])))
    known, learned, guessed, slipped = np.array(found).T
    return Bkt(course.skill, known, learned, guessed, slipped)


def _chains(learners: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(chains, T) whether right, and whether there is an attempt; learners are in order."""
    if not len(learners):
        return np.zeros((0, 0), bool), np.zeros((0, 0), bool)
    _, chain, counts = np.unique(learners, return_inverse=True, return_counts=True)
    within = np.arange(len(learners)) - (np.cumsum(counts) - counts)[chain]
    answers, is_real = np.zeros((2, len(counts), counts.max()), bool)
    answers[chain, within], is_real[chain, within] = right, True
    return answers, is_real


def _chances(right: np.ndarray, is_real: np.ndarray) -> tuple[float, float, float, float]:
    values = START
    for _ in range(ROUNDS if right.size else 0):
        values = _better(right, is_real, values)
    return values


def _better(right: np.ndarray, is_real: np.ndarray, values: tuple[float, ...]) -> tuple[float, float, float, float]:
    """One round. forward: (T, chains, 2) of unknown and known, before each attempt; backward: after it."""
    known, learned, guessed, slipped = values
    says = np.where(right[..., None], [guessed, 1 - slipped], [1 - guessed, slipped])
    says = np.where(is_real[..., None], says, 1.0)
    moves = np.array([[1 - learned, learned], [0.0, 1.0]])
    n_chains, length = right.shape
    forward, backward = np.zeros((2, length, n_chains, 2))
    here = np.tile([1 - known, known], (n_chains, 1))
    for place in range(length):
        forward[place] = here / here.sum(axis=1, keepdims=True)
        here = (forward[place] * says[:, place]) @ moves
    later = np.ones((n_chains, 2))
    for place in reversed(range(length)):
        backward[place] = later / later.sum(axis=1, keepdims=True)
        later = (says[:, place] * backward[place]) @ moves.T
    weight = forward * np.moveaxis(says, 1, 0) * backward
    weight /= weight.sum(axis=2, keepdims=True)
    real, was_right = is_real.T, right.T & is_real.T
    step = np.zeros((0, n_chains))
    if length > 1:
        joint = forward[:-1, :, 0] * says[:, :-1, 0].T
        to = (says[:, 1:, :] * np.moveaxis(backward[1:], 0, 1)).transpose(1, 0, 2)
        moved, stayed = joint * learned * to[:, :, 1], joint * (1 - learned) * to[:, :, 0]
        both = forward[:-1, :, 1] * says[:, :-1, 1].T * to[:, :, 1]
        step = moved / np.maximum(moved + stayed + both, 1e-12) * real[1:]
    not_known, is_known = weight[..., 0] * real, weight[..., 1] * real
    before = not_known[:-1] * real[1:] if length > 1 else step
    sums = (
        (weight[0, :, 1].sum(), float(n_chains)),
        (step.sum(), before.sum()),
        ((not_known * was_right).sum(), not_known.sum()),
        ((is_known * ~was_right).sum(), is_known.sum()),
    )
    found = [(part + PRIOR * start) / (whole + PRIOR) for (part, whole), start in zip(sums, START, strict=True)]
    a, b, c, d = (float(np.clip(value, *bound)) for value, bound in zip(found, BOUNDS, strict=True))
    return a, b, c, d
