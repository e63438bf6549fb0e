"""A chain of linear models: each tag is told, besides the row, what the commoner tags before it say.

Learned from the right tags, asked with probabilities.
Source: Read, Pfahringer, Holmes & Frank 2011, Classifier chains for multi-label classification, Machine Learning 85(3).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from windlass.kinds.contract import Batch, Sparse
from windlass.learners.classic import tagging
from windlass.learners.classic.linear import FORMS, MAX_WEIGHTS, PIXELS, inputs_together, matrix, norm, scaled
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.lesson import Lesson
from windlass.learners.objectives import objective_of
from windlass.learners.rows import Encoded, encode, finish
from windlass.metrics.measures import LOWER
from windlass.predictors.artifact import N_GOLDEN
from windlass.predictors.contract import width
from windlass.predictors.tables.chain import linked, write_links
from windlass.predictors.tables.linear import write_weights
from windlass.records import Progress, Splits

MOST_TAGS = 300
"""Links are as many as the square of the tags."""
TRIED_SHARE = 0.4


@dataclass(frozen=True)
class Learned:
    """weights: (features, k) of features side by side; bias: (k,); links: (k, k) of what tags say; order: (k,)."""

    weights: np.ndarray
    bias: np.ndarray
    links: np.ndarray
    order: np.ndarray

    def scores(self, rows: Any) -> np.ndarray:
        """(n, k)."""
        return linked(np.asarray(rows @ self.weights + self.bias), self.links, self.order)


def too_many(splits: Splits, variant: str) -> str:
    """Why a chain cannot be learned; empty when it can."""
    found = len(objective_of(splits).fit_output(splits).state["labels"])
    if found < 2:
        return "a chain needs two tags"
    return f"{found:,} tags, of which a chain links at most {MOST_TAGS}" if found > MOST_TAGS else ""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Chooses the strength on the validation rows, then fits on all rows but the test's."""
    n_tags = len(objective_of(splits).fit_output(splits).state["labels"])
    terms = {"text": {"n_terms": max(1_000, min(200_000, MAX_WEIGHTS // n_tags))}}
    encoded = encode(splits, FORMS, {**PIXELS, **terms})
    best = _chosen(encoded, options, budget, progress)
    train, validation = (_side_by_side(batches, best.scales) for batches in (encoded.train, encoded.validation))
    learned = best.learned
    if len(encoded.validation_targets) and budget.left() > 0:
        every = _joined(sparse.vstack, np.vstack, train, validation)
        lesson = Lesson(encoded.every_target, encoded.every_weight, n_tags, best.strength, options.seed)
        learned = _fitted(every, lesson)
    edges = np.cumsum([width(batch) for batch in encoded.train])[:-1]
    weights = [
        part * np.float32(scale) for part, scale in zip(np.split(learned.weights, edges), best.scales, strict=True)
    ]
    write_weights(options.artifact, weights, learned.bias)
    write_links(options.artifact, learned.links, learned.order)
    said = {"predictor": "chain", "learner": "chain", "settings": {"strength": best.strength}}
    return finish(options, said, encoded, splits, best.scores, learned.scores(validation[:N_GOLDEN]))


@dataclass(frozen=True)
class Tried:
    """scales: one an input; scores: (n, k) of the validation rows; value: higher is better."""

    scales: tuple[float, ...]
    strength: float
    learned: Learned
    scores: np.ndarray
    value: float


def _chosen(encoded: Encoded, options: Options, budget: Budget, progress: Progress) -> Tried:
    """The best by the validation rows of what the time allows to try: the weights of the inputs, then the strength."""
    sign, truth = -1 if options.metric in LOWER else 1, encoded.validation_targets

    def tried(scales: tuple[float, ...], strength: float) -> Tried:
        progress("choosing strength", 0, 0, f"{strength:g}")
        lesson = Lesson(encoded.train_targets, encoded.train_weights, encoded.n_scores, strength, options.seed)
        learned = _fitted(_side_by_side(encoded.train, scales), lesson)
        scores = learned.scores(_side_by_side(encoded.validation, scales))
        value = encoded.aim.score(options.metric, encoded.output, truth, scores)
        return Tried(scales, strength, learned, scores, sign * value)

    strengths = tagging.strengths(any(isinstance(batch, Sparse) for batch in encoded.train))
    best = tried((1.0,) * len(encoded.inputs), strengths[0])
    others = [(_equal_scales(encoded), strengths[0])] if len(inputs_together(encoded.inputs)) > 1 else []
    others += [((), strength) for strength in strengths[1:]]
    for scales, strength in others if len(truth) else ():
        if budget.spent() > TRIED_SHARE * budget.seconds:
            break
        best = max(best, tried(scales or best.scales, strength), key=lambda each: each.value)
    return best


def _equal_scales(encoded: Encoded) -> tuple[float, ...]:
    """What the features of each input are multiplied by, so that all groups of inputs weigh the same."""
    groups = inputs_together(encoded.inputs)
    sizes = [norm([encoded.train[place] for place in group]) for group in groups]
    of = {place: sizes[0] / size for group, size in zip(groups, sizes, strict=True) for place in group}
    return tuple(of[place] for place in range(len(encoded.inputs)))


def _side_by_side(batches: Sequence[Batch], scales: Sequence[float]) -> Any:
    return matrix([scaled(batch, scale) for batch, scale in zip(batches, scales, strict=True)])


def _joined(of_sparse: Callable[..., Any], of_dense: Callable[..., Any], first: Any, second: Any) -> Any:
    """Both as one matrix, in the form of the first."""
    if not sparse.issparse(first):
        return of_dense([first, second])
    return of_sparse([first, sparse.csr_matrix(second)], format="csr")


def _fitted(rows: Any, lesson: Lesson) -> Learned:
    """The commonest tag comes first: it is known best, and most depends on it."""
    n_features, targets = rows.shape[1], lesson.targets
    order = np.argsort(-targets.sum(axis=0), kind="stable")
    weights, bias = np.zeros((n_features, len(order)), np.float32), np.zeros(len(order), np.float32)
    links = np.zeros((len(order), len(order)), np.float32)
    for number, place in enumerate(order):
        before = order[:number]
        beside = _joined(sparse.hstack, np.hstack, rows, targets[:, before])
        found, bias[place] = tagging.solve_one(beside, targets[:, place] > 0, lesson)
        weights[:, place], links[before, place] = found[:n_features], found[n_features:]
    return Learned(weights, bias, links, order)
