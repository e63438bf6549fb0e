"""Rankers learned from questions whose passage is known, and a board that says which way to rank is best.

What a learned one gives for a question comes from a model that has seen no question of the same passage.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.metrics.measures import Estimate, bootstrap
from windlass.metrics.retrieval import MRR_10, RECALL_1, RECALL_5, RetrievalMarks
from windlass.predictors.passages.index import Heard, PassageIndex
from windlass.predictors.passages.rankers import (
    BOOSTED,
    BOTH,
    LINEAR,
    RRF,
    WEIGHTED,
    Z_SUM,
    Asked,
    Ranker,
    booster_of,
    order,
)

N_FOLDS = 5
LEAST_LEARNED = 50
"""Questions; of fewer nothing is learned, and legs and plain fusions alone stand on the board."""
TREES: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 7, "min_data_in_leaf": 30, "bagging_fraction": 0.8,
    "bagging_freq": 1, "feature_fraction": 0.5, "lambda_l2": 5.0, "verbose": -1, "num_threads": 1, "seed": 13,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip
N_ROUNDS = 150
STRENGTH = 0.1
"""Inverse regularisation of the linear rankers on scaled features."""


@dataclass(frozen=True)
class Questions:
    """texts, and right: of each the number of the passage that answers it. Questions of one passage stay together when
    rows are divided; groups (n,): those of one group."""

    texts: Sequence[str]
    right: np.ndarray
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def folds(self, n_folds: int = N_FOLDS, seed: int = 13) -> np.ndarray:
        """(n,) int: the fold of each question, by its group, else by its passage."""
        different, place = np.unique(self.right if self.groups is None else self.groups, return_inverse=True)
        return np.asarray(np.random.default_rng(seed).permutation(len(different))[place] % n_folds)


@dataclass(frozen=True)
class Line:
    """A way to rank on the board: what it gives for validation questions, those it learned from being others."""

    way: str
    recall_1: Estimate
    recall_5: Estimate
    mrr_10: Estimate


@dataclass(frozen=True)
class Ranked:
    """The best ranker; board: best first; folds: (n,) of each question, those beside one's own last; by_fold: the
    rankers that have not seen the questions of that fold, for whatever learns from ranks."""

    ranker: Ranker
    board: tuple[Line, ...]
    folds: np.ndarray
    by_fold: tuple[Ranker, ...]


@dataclass(frozen=True)
class Beside:
    """Questions of other documents, which are learned from beside one's own. heard: what `index.hear` gives for them;
    weight: of each, against 1 of one's own."""

    index: PassageIndex
    heard: Sequence[Heard]
    questions: Questions
    weight: float


Learn = Callable[["Rows"], Ranker]


def weighted(rows: "Rows") -> Ranker:
    """A weight a leg, by logistic regression of the scaled scores."""
    weights, _ = _logistic(np.concatenate([each.found.scaled for each in rows.asked]), rows)
    return Ranker(WEIGHTED, rows.legs, tuple(map(float, weights)))


def linear(rows: "Rows") -> Ranker:
    """A weight a feature."""
    weights, bias = _logistic(rows.features, rows)
    return Ranker(LINEAR, rows.legs, (*map(float, weights), bias))


def boosted(rows: "Rows") -> Ranker:
    """Boosted trees over the features."""
    text = boost(rows.features, np.concatenate(rows.right), rows.weight_of_each, N_ROUNDS)
    booster, sound = booster_of(text, rows.features.shape[1])
    return Ranker(BOOSTED, rows.legs, (), booster, sound)


def both(rows: "Rows") -> Ranker:
    """The sum of both."""
    return _joined(boosted(rows), linear(rows))


def _joined(trees: Ranker, line: Ranker) -> Ranker:
    return replace(trees, way=BOTH, weights=line.weights)


LEARNED: dict[str, Learn] = {WEIGHTED: weighted, LINEAR: linear, BOOSTED: boosted, BOTH: both}


def boost(rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, n_rounds: int, **other: Any) -> str:
    """LightGBM's text model of yes (True) and no."""
    import lightgbm

    data = lightgbm.Dataset(rows, targets.astype(int), weight=weights, params={"verbose": -1})
    return str(lightgbm.train({**TREES, **other}, data, n_rounds).model_to_string())


def _logistic(rows: np.ndarray, given: "Rows") -> tuple[np.ndarray, float]:
    from sklearn.linear_model import LogisticRegression

    mean, deviation = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    model = LogisticRegression(C=STRENGTH, max_iter=1_000)
    model.fit((rows - mean) / deviation, np.concatenate(given.right), given.weight_of_each)
    weights = model.coef_[0] / deviation
    return weights, float(model.intercept_[0] - weights @ mean)


@dataclass(frozen=True)
class Rows:
    """Questions ready to be learned from: candidates, which are right (c,) bool, the fold of each, the legs' names,
    what each question weighs."""

    asked: Sequence[Asked]
    right: Sequence[np.ndarray]
    folds: np.ndarray
    legs: tuple[str, ...]
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.asked)

    @cached_property
    def features(self) -> np.ndarray:
        """(candidates of all, f) float32."""
        return np.concatenate([each.features for each in self.asked])

    @cached_property
    def weight_of_each(self) -> np.ndarray:
        """(candidates of all,) of the question that each is of."""
        return np.repeat(self.weights, [len(each) for each in self.right])

    def chosen(self, which: np.ndarray) -> "Rows":
        """Those questions, (n,) bool."""
        rows = np.flatnonzero(which).tolist()
        asked, right = [self.asked[row] for row in rows], [self.right[row] for row in rows]
        return Rows(asked, right, self.folds[which], self.legs, self.weights[which])

    def beside(self, other: "Rows | None") -> "Rows":
        """These, then the others."""
        if other is None:
            return self
        folds, weights = (np.concatenate(pair) for pair in ((self.folds, other.folds), (self.weights, other.weights)))
        return Rows([*self.asked, *other.asked], [*self.right, *other.right], folds, self.legs, weights)

    def learned(self, way: str, chosen: np.ndarray) -> Ranker:
        """By these questions, (n,) bool."""
        return LEARNED[way](self.chosen(chosen))

    @cached_property
    def _tried(self) -> dict[str, list[Ranker]]:
        return {}

    def tried(self, way: str) -> list[Ranker]:
        """The rankers that have not seen the questions of each fold. Learned once: `BOTH` is made of two of them."""
        if way not in LEARNED:
            return [Ranker(way, self.legs)] * (int(self.folds.max()) + 1)
        if way == BOTH:
            pairs = zip(self.tried(BOOSTED), self.tried(LINEAR), strict=True)
            return [_joined(trees, line) for trees, line in pairs]
        if way not in self._tried:
            self._tried[way] = [self.learned(way, self.folds != fold) for fold in range(int(self.folds.max()) + 1)]
        return self._tried[way]

    def ranks(self, by_fold: Sequence[Ranker]) -> np.ndarray:
        """(n,) of the first right candidate, infinite where none is."""
        each = zip(self.asked, self.right, self.folds, strict=True)
        return np.array([rank_of(asked, right, by_fold[fold]) for asked, right, fold in each])

    def line(self, way: str, by_fold: Sequence[Ranker]) -> Line:
        """What the way gives, each question ranked by the ranker of its fold."""
        marks = RetrievalMarks(self.ranks(by_fold))
        return Line(way, *(bootstrap(marks, metric) for metric in (RECALL_1, RECALL_5, MRR_10)))


def rank_of(asked: Asked, right: np.ndarray, ranker: Ranker) -> float:
    """The rank of the first right candidate, infinite where none is."""
    hits = np.flatnonzero(right[order(asked.found, ranker.scores(asked))])
    return float(hits[0]) if len(hits) else float("inf")


def rank(index: PassageIndex, heard: Sequence[Heard], questions: Questions, beside: Beside | None = None) -> Ranked:
    """Tries all ways and gives the best by the mean reciprocal rank, of equals the simplest.

    Args:   heard: what `index.hear` gives for the questions. beside: these are learned from, and judge where one's own
            are fewer than `LEAST_LEARNED`.
    Raises: DataError: no question.
    """
    if not len(questions):
        raise DataError("there are 0 questions whose passage is known, expected at least 1")
    own = rows_of(index, heard, questions, questions.folds())
    rows = own.beside(_rows_beside(beside))
    tried = {way: rows.tried(way) for way in ways(index, len(rows))}
    judging = own if len(own) >= LEAST_LEARNED else rows
    lines = {way: judging.line(way, rankers) for way, rankers in tried.items()}
    best = max(tried, key=lambda way: lines[way].mrr_10.value)
    final = rows.learned(best, rows.folds >= 0) if best in LEARNED else tried[best][0]
    board = tuple(sorted(lines.values(), key=lambda line: -line.mrr_10.value))
    return Ranked(final, board, rows.folds, tuple(tried[best]))


def rows_of(index: PassageIndex, heard: Sequence[Heard], questions: Questions, folds: np.ndarray) -> Rows:
    """Questions with their candidates over the whole index."""
    asked = [index.ask(each) for each in heard]
    right = [each.found.places == answer for each, answer in zip(asked, questions.right, strict=True)]
    return Rows(asked, right, folds, index.legs, np.ones(len(asked)))


def _rows_beside(beside: Beside | None) -> Rows | None:
    if beside is None:
        return None
    rows = rows_of(beside.index, beside.heard, beside.questions, beside.questions.folds())
    return replace(rows, weights=np.full(len(rows), beside.weight))


def ways(index: PassageIndex, n_questions: int) -> tuple[str, ...]:
    """The ways to rank that so many questions allow to try, the simplest first."""
    fused = (RRF, Z_SUM) if len(index.legs) > 1 else ()
    return (*index.legs, *fused, *(LEARNED if n_questions >= LEAST_LEARNED else ()))
