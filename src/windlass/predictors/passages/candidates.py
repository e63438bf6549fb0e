"""The passages that any leg found for a question, with each leg's score and rank of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.predictors.passages.features import ASKED, MATCHED, Question, asked
from windlass.predictors.passages.scores import Mask, Scores

N_FOUND, N_SCALED, WORST_RANK = 10, 50, 12
"""Passages of each leg that become candidates; how many of its best tell the scale of its scores, so that neither the
size of the pool nor what the asker may not see changes it; ranks beyond the worst are one."""
OF_LEG = ("score", "scaled", "rank", "lead", "share_of_best")
"""What a reranker reads of each leg. lead: the scaled score less the best other candidate's."""


@dataclass(frozen=True)
class Candidates:
    """places: (c,) int64 ascending. scores, scaled: (c, legs) float32; ranks: (c, legs) int64 from 0 on."""

    places: np.ndarray
    scores: np.ndarray
    scaled: np.ndarray
    ranks: np.ndarray

    def __len__(self) -> int:
        return len(self.places)


def gather(legs: Sequence[Scores], allowed: Mask | None = None) -> Candidates:
    """What the legs find among what the asker may see, in numbers that depend on nothing else."""
    best = [leg.best(N_SCALED, allowed) for leg in legs]
    places = np.unique(np.concatenate([each[:N_FOUND] for each in best] or [np.zeros(0, np.int64)]))
    scores, scaled, ranks = (np.zeros((len(places), len(legs)), np.float32) for _ in range(3))
    for column, (leg, near) in enumerate(zip(legs, best, strict=True)):
        scores[:, column] = leg.of(places)
        scale = leg.of(near) if len(near) else np.zeros(1, np.float32)
        scaled[:, column] = (scores[:, column] - scale.mean()) / max(float(scale.std()), 1e-6)
        at = {int(place): rank for rank, place in enumerate(near)}
        ranks[:, column] = [at.get(int(place), N_SCALED) for place in places]
    return Candidates(places, scores, scaled, ranks.astype(np.int64))


def pair_features(found: Candidates, matched: np.ndarray, question: Question) -> np.ndarray:
    """(c, f) float32: of each leg `OF_LEG`; of the first, BM25, the share of the question's ideal; `MATCHED`, the same
    less the best other candidate's, and `ASKED`."""
    parts = []
    for leg in range(found.scores.shape[1]):
        scores = found.scores[:, leg]
        best = scores.max(initial=0.0)
        parts.append(np.column_stack([
            scores, found.scaled[:, leg], np.minimum(found.ranks[:, leg], WORST_RANK),
            less_others(found.scaled[:, leg]), scores / best if best > 0 else np.zeros_like(scores),
        ]))  # fmt: skip
    ideal = found.scores[:, :1] / max(question.ideal, 1e-6)
    return np.column_stack(
        [*parts, ideal, matched, less_others(matched), np.tile(asked(question), (len(found), 1))]
    ).astype(np.float32)


def less_others(values: np.ndarray) -> np.ndarray:
    """(c, ...) each value less the largest of the other candidates'; of a single one nothing is taken."""
    if len(values) < 2:
        return values.copy()
    ordered = np.sort(values, axis=0)
    best, second = ordered[-1], ordered[-2]
    return np.asarray(values - np.where(values == best, second, best))


def n_features(n_legs: int) -> int:
    """How many numbers `pair_features` gives of a candidate."""
    return n_legs * len(OF_LEG) + 1 + 2 * len(MATCHED) + len(ASKED)
