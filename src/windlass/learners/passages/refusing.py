"""Learns when no passage answers: questions as they are, and the same where the passage that answers is kept away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from windlass.learners.passages.ranking import Beside, Questions, Ranked, boost
from windlass.metrics.retrieval import RiskCoverage, risk_coverage, threshold_at
from windlass.predictors.passages.index import Heard, PassageIndex
from windlass.predictors.passages.rankers import Ranker, booster_of
from windlass.predictors.passages.refusal import OF_LIST, Refusal, likelihood, refusal_features

N_ROUNDS = 600
"""300 were too few: what is answered at 5 % risk rose from .825 to .857 (cmrc2018) and .912 to .929 (xquad), on train
questions, each by a model that had not seen its passage."""
SETTINGS = {"learning_rate": 0.03, "feature_fraction": 0.4}
LEAST_QUESTIONS = 50
RISK = 0.05


@dataclass(frozen=True)
class Refusing:
    """refusal: of the release. likely, is_right: (m,) of the questions with their passage and without, each by a model
    that had not seen it, those beside one's own last; curve: what each threshold would let through of one's own."""

    refusal: Refusal
    likely: np.ndarray
    is_right: np.ndarray
    curve: RiskCoverage


def examples(
    index: PassageIndex, heard: Sequence[Heard], right: np.ndarray, rankers: Sequence[Ranker]
) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 2, f) of each question with its passage and without, by its own ranker; NaN where nothing is found.

    The second is what a user sees who asks what no document says, among documents that are about it.
    """
    rows = []
    for each, answer, ranker in zip(heard, right, rankers, strict=True):
        others = np.ones(len(index), bool)
        others[answer] = False
        rows += [_features(index, each, None, ranker), _features(index, each, others, ranker)]
    width = max((len(row) for row in rows if row is not None), default=len(OF_LIST))
    filled = [np.full(width, np.nan, np.float32) if row is None else row for row in rows]
    return np.array(filled).reshape(len(heard), 2, width), np.tile([True, False], (len(heard), 1))


def _features(index: PassageIndex, heard: Heard, allowed: np.ndarray | None, ranker: Ranker) -> np.ndarray | None:
    asked = index.ask(heard, allowed)
    return refusal_features(asked, ranker.scores(asked)) if len(asked.found) else None


def refuse(
    index: PassageIndex,
    heard: Sequence[Heard],
    questions: Questions,
    ranked: Ranked,
    risk: float = RISK,
    beside: Beside | None = None,
) -> Refusing | None:
    """The refusal model of a ranker; None where there are too few questions to learn from.

    risk: the largest share of wrong answers that the owner takes, 0-1; the threshold holds it with 95 % confidence on
    validation questions of which half cannot be answered. beside: as the ranker learned from them.
    """
    rankers = [ranked.by_fold[fold] for fold in ranked.folds]
    features, targets = examples(index, heard, questions.right, rankers[: len(heard)])
    weights = np.ones(len(heard))
    if beside is not None:
        others = examples(beside.index, beside.heard, beside.questions.right, rankers[len(heard) :])
        features, targets = np.concatenate([features, others[0]]), np.concatenate([targets, others[1]])
        weights = np.append(weights, np.full(len(beside.heard), beside.weight))
    if len(features) < LEAST_QUESTIONS:
        return None
    raw, folds = np.zeros(targets.shape), ranked.folds[: len(features)]
    for fold in range(len(ranked.by_fold)):
        rest, here = folds != fold, folds == fold
        booster, _ = _boosted(features[rest], targets[rest], weights[rest])
        raw[here] = booster.predict(_flat(features[here]), raw_score=True, num_threads=1).reshape(-1, 2)
    n_judging = len(heard) if len(heard) >= LEAST_QUESTIONS else len(raw)
    of_each = weights[:n_judging].repeat(2)
    scale, shift = _calibrated(raw[:n_judging].ravel(), targets[:n_judging].ravel(), of_each)
    likely, is_right = likelihood(raw.ravel(), scale, shift), targets.ravel()
    found, text = _boosted(features, targets, weights)
    judging = likely[: 2 * n_judging], is_right[: 2 * n_judging]
    refusal = Refusal(found, text, scale, shift, min(threshold_at(*judging, risk), 2.0))
    return Refusing(refusal, likely, is_right, risk_coverage(*judging))


def _flat(features: np.ndarray) -> np.ndarray:
    return features.reshape(-1, features.shape[-1])


def _boosted(features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[Any, str]:
    rows = _flat(features)
    return booster_of(boost(rows, targets.ravel(), weights.repeat(2), N_ROUNDS, **SETTINGS), rows.shape[1])


def _calibrated(raw: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Platt's scale and shift of raw scores; a scale that would turn them round is 1."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(raw[:, None], targets, weights)
    scale = float(model.coef_[0, 0])
    return (scale, float(model.intercept_[0])) if scale > 0 else (1.0, 0.0)
