"""What trees are boosted towards where a row has several yes and no: the log loss of each, in one booster.

A round grows a tree a tag. LightGBM has no such objective of its own, so it is given gradients.
Source: Friedman 2001, Greedy function approximation, section 4.4 (two-class logistic loss), for each tag.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from windlass.records import Json

NAME = "several"
"""As an objective among others."""
LEAST_CURVATURE = 1e-6
Judge = Callable[[np.ndarray, Any], tuple[str, float, bool]]
"""(scores, data set) -> the name of what is measured, its value, and whether more is better."""


def aimed(parameters: Json, targets: np.ndarray, weights: np.ndarray | None) -> Json:
    """The parameters with the gradients of these targets (n, k) bool in place of the name; others as they are."""
    if parameters["objective"] != NAME:
        return parameters
    counts = np.ones((len(targets), 1)) if weights is None else np.asarray(weights)[:, None]

    def gradients(scores: np.ndarray, data: Any) -> tuple[np.ndarray, np.ndarray]:
        shares = _shares(scores, targets)
        first, second = (shares - targets) * counts, np.maximum(shares * (1 - shares), LEAST_CURVATURE) * counts
        return (first, second) if scores.ndim == 2 else (first.ravel(), second.ravel())

    return {**parameters, "objective": gradients}


def judge(targets: np.ndarray, weights: np.ndarray | None) -> Judge | None:
    """The log loss of these targets (n, k), for early stopping; None where each row has one target."""
    if targets.ndim == 1:
        return None

    def loss(scores: np.ndarray, data: Any) -> tuple[str, float, bool]:
        odds = scores.reshape(targets.shape)
        losses = (np.logaddexp(0.0, odds) - targets * odds).mean(axis=1)
        return "log_loss", float(np.average(losses, weights=weights)), False

    return loss


def _shares(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(scores.reshape(targets.shape), -30, 30))))
