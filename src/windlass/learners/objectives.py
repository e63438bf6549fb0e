"""What learners from arrays aim at, by the kind of the output: how answers become targets, how a fit is finished."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from windlass.kinds import number
from windlass.metrics.measures import log_loss, softmax
from windlass.outputs.labels import measures as labels
from windlass.outputs.labels.calibration import calibrated
from windlass.outputs.numbers import measures as numbers
from windlass.outputs.tags import measures as tags
from windlass.outputs.tags.calibration import calibrated as tags_calibrated
from windlass.outputs.tags.calibration import log_loss as tags_log_loss
from windlass.predictors.blend import POOLS
from windlass.records import Column, Manifest, Splits


@dataclass(frozen=True)
class Objective:
    """What is learned of one kind of output. Scores are (n, k) as an engine gives them; truth is (n,), encoded.

    fit_output(splits) -> the column of the answers, as its training rows have them.
    score(metric, column, truth, calibrated scores) -> the metric; NaN without rows.
    finished(manifest, truth, scores) -> the manifest with what validation rows tell: calibration, intervals.
    golden(manifest, scores) -> answers as golden rows keep them.
    known_output(splits, before) -> the column where a model goes on that was trained with `before`.
    has_classes: a model has a score for each of a few answers.
    usual(targets, weights of rows or None, n_scores) -> (k,) scores of what is answered where nothing is known.
    loss(truth, probabilities (n, k)) -> mean negative log-likelihood, of which less is better; not asked of numbers.
    """

    fit_output: Callable[[Splits], Column]
    score: Callable[[str, Column, np.ndarray, np.ndarray], float]
    finished: Callable[[Manifest, np.ndarray, np.ndarray], Manifest]
    golden: Callable[[Manifest, np.ndarray], Sequence[Any] | np.ndarray]
    known_output: Callable[[Splits, Column], Column]
    has_classes: bool
    usual: Callable[[np.ndarray, np.ndarray | None, int], np.ndarray]
    loss: Callable[[np.ndarray, np.ndarray], float] = log_loss


LABELS = Objective(
    labels.fit_output,
    labels.score,
    calibrated,
    lambda manifest, scores: softmax(manifest.calibrated(scores)),
    known_output=lambda splits, before: labels.fit_output(splits),
    has_classes=True,
    usual=labels.usual_scores,
)
AIMS: dict[str, Objective] = {
    "category": LABELS,
    "anomaly": replace(LABELS, score=lambda metric, *known: labels.score("roc_auc", *known)),
    "number": Objective(
        numbers.fit_output,
        numbers.score,
        numbers.with_interval,
        lambda manifest, scores: number.decode(scores, manifest.output.state).tolist(),
        known_output=lambda splits, before: numbers.as_before(before),
        has_classes=False,
        usual=lambda targets, weights, n_scores: np.array([np.average(targets, weights=weights)]),
    ),
    "tags": Objective(
        tags.fit_output,
        tags.score,
        tags_calibrated,
        tags.golden,
        known_output=lambda splits, before: tags.fit_output(splits),
        has_classes=True,
        usual=tags.usual_scores,
        loss=lambda truth, shares: tags_log_loss(truth, POOLS["tags"].scores(shares)),
    ),
}
"""Kind of the output -> what is aimed at."""


def aim(output: Column) -> Objective:
    return AIMS[output.kind]


def objective_of(splits: Splits) -> Objective:
    return AIMS[splits.output[splits.output_column]]
