"""Scores of boxes as probabilities that they are right: a curve for each class, which rises, so that no order changes.

Source: Kull, Silva Filho & Flach 2017, Beta calibration (AISTATS), whose curves hold Platt's sigmoid of a logit.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from windlass.metrics.detection import ClassMatches
from windlass.metrics.measures import Array

CALIBRATION = "calibration"
"""Of an output's state: (a, b, c) of each class: logit of the probability = a ln(score) - b ln(1 - score) + c."""
AS_IT_IS = (1.0, 1.0, 0.0)
LEAST = 1e-6
"""From 0 and 1 no score lies nearer."""
LEAST_BOXES = 10
"""Boxes that are right, and as many that are wrong, from which on a curve is fitted."""
PRIOR = 0.5
"""Of the logarithm of each slope, as if so many boxes spoke for scores as they are."""


def calibrated(scores: Array, classes: Array, curves: Sequence[Sequence[float]]) -> Array:
    """(n,) probabilities of scores (n,) of classes (n,) int."""
    if not len(curves):
        return scores
    rise, fall, shift = np.asarray(curves, float)[classes].reshape(-1, 3).T
    inside = np.clip(scores, LEAST, 1 - LEAST)
    return np.asarray(1 / (1 + np.exp(-(rise * np.log(inside) - fall * np.log1p(-inside) + shift))))


def fault(curves: Any, n_classes: int) -> str:
    """What is wrong with the curves of an artifact; '' where nothing is."""
    is_list = isinstance(curves, list) and len(curves) in (0, n_classes)
    if not is_list or not all(isinstance(each, list | tuple) and len(each) == 3 for each in curves):
        return "its calibration is no curve of each class"
    numbers = [value for each in curves for value in each]
    if not all(isinstance(value, int | float) and math.isfinite(value) and abs(value) <= 1e3 for value in numbers):
        return "its calibration is no numbers"
    return "" if all(each[0] >= 0 and each[1] >= 0 for each in curves) else "its calibration has a curve that falls"


def curve(matches: ClassMatches) -> list[float]:
    """(a, b, c) of one class, by boxes of all scores as the network gives them; as they are where too few speak."""
    kept = ~matches.ignored[0]
    hits = matches.hits[0][kept].astype(float)
    if min(hits.sum(), len(hits) - hits.sum()) < LEAST_BOXES:
        return list(AS_IT_IS)
    from scipy.optimize import minimize

    scores = np.clip(matches.scores[kept], LEAST, 1 - LEAST)
    rising, falling = np.log(scores), -np.log1p(-scores)

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        """Negative log-likelihood with the prior, and its gradient; values: log a, log b, c."""
        slopes = np.exp(values[:2])
        logits = slopes[0] * rising + slopes[1] * falling + values[2]
        error = 1 / (1 + np.exp(-logits)) - hits
        found = float(np.logaddexp(0, logits).sum() - hits @ logits) + PRIOR * float(values[:2] @ values[:2])
        steps = [slopes[0] * (error @ rising), slopes[1] * (error @ falling), error.sum()]
        return found, np.array(steps) + 2 * PRIOR * np.append(values[:2], 0.0)

    limits = [(-4.0, 3.0), (-4.0, 3.0), (-12.0, 12.0)]
    best = minimize(loss, np.zeros(3), jac=True, method="L-BFGS-B", bounds=limits).x
    return [round(float(each), 6) for each in (*np.exp(best[:2]), best[2])]
