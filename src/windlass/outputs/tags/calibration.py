"""Log-odds of tags, calibrated: one slope for all tags, a shift for each, and how sure a whole answer is.

Source: Platt 1999 (a sigmoid on scores); the priors hold against few rows, as in `measures.best_calibration`.
"""

from dataclasses import replace

import numpy as np

from windlass.kinds import tags
from windlass.metrics.measures import LOG_TEMPERATURES
from windlass.outputs.labels.calibration import LEAST_CALIBRATED
from windlass.records import Json, Manifest

NARROW = 4.0
"""The prior of a shift, in rows: what a few rows of a rare tag say is worth little."""


def log_loss(targets: np.ndarray, log_odds: np.ndarray) -> float:
    """Mean negative log-likelihood of all yes and no (n, k), in nats."""
    return float((np.logaddexp(0.0, log_odds) - targets * log_odds).mean())


def calibrated(manifest: Manifest, truth: np.ndarray, scores: np.ndarray) -> Manifest:
    """The manifest with the calibration that these validation rows, (n, k) each, show; of fewer than ten with none."""
    if len(truth) < LEAST_CALIBRATED:
        return manifest
    temperature, shift = _fitted(truth.astype(np.float64), scores.astype(np.float64))
    return replace(manifest, temperature=temperature, shift=shift)


def _fitted(targets: np.ndarray, scores: np.ndarray) -> tuple[float, tuple[float, ...]]:
    from scipy.optimize import minimize  # here, as a service calibrates nothing

    n_rows, n_tags = scores.shape

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        """Negative log-likelihood a row with the priors, and its gradient; values: log temperature, then shifts."""
        slope, shift = np.exp(-values[0]), values[1:]
        odds = scores * slope + shift
        error = 1 / (1 + np.exp(-np.clip(odds, -30, 30))) - targets
        prior = values[0] ** 2 + NARROW * shift @ shift
        likelihood = (np.logaddexp(0.0, odds) - targets * odds).sum()
        turned = 2 * values[0] - (error * scores).sum() * slope
        steps = np.concatenate([[turned], error.sum(axis=0) + 2 * NARROW * shift])
        return (likelihood + prior) / n_rows, steps / n_rows

    limits = [LOG_TEMPERATURES] + [(-10.0, 10.0)] * n_tags
    found = minimize(loss, np.zeros(1 + n_tags), jac=True, method="L-BFGS-B", bounds=limits).x
    return float(np.exp(found[0])), tuple(float(each) for each in found[1:])


def whole(state: Json, truth: np.ndarray, probabilities: np.ndarray) -> list[float]:
    """Slope and shift of the log-odds that all of an answer is right, by rows whose calibration had not seen them."""
    from scipy.optimize import minimize

    said = probabilities >= tags.thresholds(state)
    right = (said == (truth > 0)).all(axis=1).astype(np.float64)
    odds = tags.whole_log_odds(probabilities, said)

    def loss(values: np.ndarray) -> float:
        found = values[0] * odds + values[1]
        return float((np.logaddexp(0.0, found) - right * found).sum() + (values[0] - 1) ** 2 + values[1] ** 2)

    found = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.05, 5.0), (-10.0, 10.0)]).x
    return [float(each) for each in found]
