"""What most people want: ever, or lately, where how long lately is, is chosen on validation rows."""

import numpy as np

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.recommend import fitting
from windlass.learners.recommend.interactions import DAY, Interactions
from windlass.learners.recommend.lessons import Lesson
from windlass.metrics.recommendations import NDCG, of_list
from windlass.predictors.recommend.popular import Popular
from windlass.records import Progress, Splits

HALF_LIVES = (1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 120.0, 365.0)
"""Days after which an event counts half."""


def fit_popularity(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """By what the events of an item weigh together."""

    def make(lesson: Lesson, left: Budget) -> Popular:
        return Popular(counted(lesson.interactions))

    return fitting.fit("popularity", make, splits, options, budget, progress)


def fit_recent(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The same of late: an event counts half after some days, which are chosen on validation rows."""
    return fitting.fit("recent-popularity", recent(), splits, options, budget, progress)


def recent() -> fitting.Make:
    """What makes it; other learners have it as a part."""
    chosen = [HALF_LIVES[-1]]

    def make(lesson: Lesson, left: Budget) -> Popular:
        if not lesson.is_last:
            chosen[0] = max(HALF_LIVES, key=lambda days: _reached(lesson, days))
        return Popular(counted(lesson.interactions, chosen[0]))

    return make


def counted(events: Interactions, half_life_days: float = np.inf) -> np.ndarray:
    """(n_items,) float32 what the events of each item weigh, less the longer ago they were."""
    ago = (events.times.max(initial=0.0) - events.times) / DAY
    weights = events.weights * np.exp2(-ago / half_life_days)
    return np.bincount(events.items, weights=weights, minlength=events.n_items).astype(np.float32)


def _reached(lesson: Lesson, days: float) -> float:
    """NDCG of the validation rows, what each user has seen left out."""
    counts, number = counted(lesson.interactions, days), {item: place for place, item in enumerate(lesson.items)}
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    found = []
    for question in lesson.validation:
        seen = [number[item] for item in set(question.past.items)]
        liked = [number[item] for item in question.after.liked if item not in set(question.past.items)]
        if liked:
            taken = np.sort(rank[seen])
            ranks = rank[liked]
            found.append(of_list(ranks - np.searchsorted(taken, ranks))[NDCG])
    return float(np.mean(found)) if found else 0.0
