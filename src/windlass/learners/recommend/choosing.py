"""What is chosen on validation rows: settings of a model, by the NDCG of its lists, in seconds instead of minutes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from scipy import sparse

from windlass.learners.contract import Budget
from windlass.learners.recommend.lessons import Lesson
from windlass.metrics.recommendations import N_RANKED, NDCG, of_list
from windlass.predictors.recommend.scorer import Scorer
from windlass.predictors.recommend.taste import Taste

MOST_ASKED = 400
"""Users who are asked, evenly spread: a choice among a few settings is as sure by these."""
BEYOND = 10**9
Setting = TypeVar("Setting")


@dataclass(frozen=True)
class Asked:
    """A validation row by numbers of items. liked: (l,) what was wanted afterwards and had not been seen."""

    items: np.ndarray
    weights: np.ndarray
    times: np.ndarray
    now: float
    liked: np.ndarray


@dataclass(frozen=True)
class Exam:
    """Validation rows in which something was liked, ready to be scored."""

    rows: Sequence[Asked]
    n_items: int
    _histories: dict[Taste, sparse.csr_matrix] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def histories(self, taste: Taste) -> sparse.csr_matrix:
        """(r, n_items) float32."""
        if taste not in self._histories:
            counted = [taste.counted(row.items, row.weights) for row in self.rows]
            starts = np.concatenate([[0], np.cumsum([len(each.items) for each in counted])])
            columns, values = (
                np.concatenate([*(getattr(each, name) for each in counted), np.zeros(0)])
                for name in ("items", "values")
            )
            self._histories[taste] = sparse.csr_matrix(
                (values.astype(np.float32), columns.astype(np.int64), starts), shape=(len(self), self.n_items)
            )
        return self._histories[taste]

    def scores(self, scorer: Scorer) -> np.ndarray:
        """(r, n_items) float32."""
        found = [scorer.scores(row.items, row.weights, row.times, row.now) for row in self.rows]
        return np.array(found, np.float32).reshape(len(self), self.n_items)

    def reached(self, scores: np.ndarray) -> np.ndarray:
        """(r,) NDCG of each row. scores: (r, n_items)."""
        return np.array([ndcg(one, row) for one, row in zip(scores, self.rows, strict=True)])


def ndcg(scores: np.ndarray, row: Asked) -> float:
    """Of one row; of equals the first, as they are shown."""
    left = scores.astype(np.float64)
    left[row.items] = -np.inf
    k = min(N_RANKED, len(left))
    best = np.argpartition(-left, k - 1)[:k]
    best = best[np.lexsort((best, -left[best]))]
    places = {item: place + 1 for place, item in enumerate(best.tolist())}
    return of_list(np.array([places.get(item, BEYOND) for item in row.liked.tolist()]))[NDCG]


def mean_of(scorer: Scorer, exam: Exam) -> float:
    """Its NDCG of all rows."""
    return float(exam.reached(exam.scores(scorer)).mean())


def exam_of(lesson: Lesson, most: int = MOST_ASKED) -> Exam:
    """The validation rows of a lesson; none at the last fit."""
    places = lesson.catalogue.places
    rows = []
    for question in lesson.validation:
        past, seen = question.past, set(question.past.items)
        liked = [places[item] for item in dict.fromkeys(question.after.liked) if item not in seen]
        if not liked:
            continue
        known = np.array([places[item] for item in past.items], np.int64)
        times = np.array(past.times, np.float64)
        rows.append(Asked(known, np.array(past.weights, np.float32), times, past.now, np.array(liked)))
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)) if rows else []
    return Exam([rows[place] for place in chosen], len(lesson.items))


def best_of(settings: Sequence[Setting], score: Callable[[Setting], float], budget: Budget) -> Setting:
    """The setting that scores most, of those that half of the time allows; the first where nothing is asked."""
    best, best_score = settings[0], -np.inf
    for number, each in enumerate(settings):
        if number and budget.spent() > 0.5 * budget.seconds:
            break
        reached = score(each)
        if reached > best_score:
            best, best_score = each, reached
    return best
