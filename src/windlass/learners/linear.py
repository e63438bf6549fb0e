"""A linear model on terms, levels, bins and pixels: the baseline that often suffices.

Text gets a linear support vector machine (one against the rest), all else a logistic regression; the temperature
turns the margins of either into probabilities. Measured choices: docs/log.md, "linear".
Source: Fan et al. 2008, LIBLINEAR; Wang & Manning 2012 (n-gram baselines).
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from windlass.kinds.contract import Batch, Sparse
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.majority import width
from windlass.learners.rows import N_GOLDEN, Encoded, encode, finish, score
from windlass.metrics import best_temperature, log_loss, softmax
from windlass.predictors.linear import write_weights
from windlass.records import Progress, Splits

FORMS = {"text": "terms", "image": "pixels", "number": "binned", "category": "onehot", "date": "calendar"}
PIXELS = {"image": {"size": 24}}
MARGIN_STRENGTHS = (0.3, 1.0, 0.1)
LOGISTIC_STRENGTHS = (0.3, 0.03, 3.0, 0.003)
"""The one that is best most often comes first: where time is short it is the only one tried."""
UNCHOSEN_STRENGTH = 0.3
"""Where there are no validation rows to choose it on."""
MAX_WEIGHTS = 40_000_000
"""Terms x labels, at most: 160 MB of float32."""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Chooses the strength of regularisation on the validation rows, then fits once more on all rows but the test's."""
    n_labels = splits.train[splits.output_column].n_unique()
    terms = {"text": {"n_terms": max(1_000, min(200_000, MAX_WEIGHTS // n_labels))}}
    progress("reading", 0, 3, "")
    encoded = encode(splits, FORMS, {**PIXELS, **terms})
    train, validation = matrix(encoded.train), matrix(encoded.validation)
    best = _best(encoded, train, validation, options, budget, progress)
    final = best[0]
    if len(encoded.validation_targets) and budget.left() > 0:
        progress("fitting on all rows", 2, 3, "")
        final = _fitted(
            best[2],
            sparse.vstack([train, validation]).tocsr()
            if sparse.issparse(train)
            else np.concatenate([train, validation]),
            np.concatenate([encoded.train_targets, encoded.validation_targets]),
            options.seed,
        )
    weights, bias = _weights(final, encoded.n_classes)
    edges = np.cumsum([width(batch) for batch in encoded.train])[:-1]
    write_weights(options.artifact, np.split(weights, edges), bias)
    golden = validation[:N_GOLDEN] @ weights + bias
    return finish(
        options,
        {"predictor": "linear", "learner": "linear", "settings": {"strength": best[2]}},
        encoded,
        splits,
        best[1],
        np.asarray(golden),
    )


def matrix(batches: Sequence[Batch]) -> Any:
    """All inputs side by side: (n, features) dense float32, or scipy CSR when one of them is sparse."""
    dense = [batch.reshape(len(batch), width(batch)) for batch in batches if not isinstance(batch, Sparse)]
    if len(dense) == len(batches):
        return np.concatenate(dense, axis=1)
    parts = [
        sparse.csr_matrix((batch.values, batch.places, batch.starts), (len(batch.starts) - 1, batch.width))
        if isinstance(batch, Sparse)
        else sparse.csr_matrix(batch.reshape(len(batch), width(batch)))
        for batch in batches
    ]
    return sparse.hstack(parts, format="csr")


def _best(
    encoded: Encoded, train: Any, validation: Any, options: Options, budget: Budget, progress: Progress
) -> tuple[Any, np.ndarray, float]:
    """The model, its validation logits and its strength, best by the metric of the goal, then by log loss."""
    strengths: tuple[float, ...] = MARGIN_STRENGTHS if sparse.issparse(train) else LOGISTIC_STRENGTHS
    if not len(encoded.validation_targets):
        strengths = (UNCHOSEN_STRENGTH,)
    found: tuple[Any, np.ndarray, float] | None = None
    best_score = (-np.inf, -np.inf)
    for number, strength in enumerate(strengths):
        if found is not None and budget.spent() > 0.4 * budget.seconds:
            break
        progress("choosing the strength", number, len(strengths) + 1, f"{strength:g}")
        model = _fitted(strength, train, encoded.train_targets, options.seed)
        weights, bias = _weights(model, encoded.n_classes)
        logits = np.asarray(validation @ weights + bias)
        quality = _quality(options.metric, encoded, logits)
        if found is None or quality > best_score:
            found, best_score = (model, logits, strength), quality
    assert found is not None
    return found


def _quality(metric: str, encoded: Encoded, logits: np.ndarray) -> tuple[float, float]:
    """The metric of validation rows, and the negative log loss once calibrated, which decides between equals."""
    truth = encoded.validation_targets
    if not len(truth):
        return 0.0, 0.0
    loss = log_loss(truth, softmax(logits / best_temperature(truth, logits)))
    return float(np.nan_to_num(score(metric, encoded.output, truth, logits))), -loss


def _fitted(strength: float, rows: Any, targets: np.ndarray, seed: int) -> Any:
    """A model whose fit is cut off rather than run on when it converges slowly."""
    model = (
        LinearSVC(C=strength, random_state=seed, max_iter=300)
        if sparse.issparse(rows)
        else LogisticRegression(C=strength, max_iter=200, random_state=seed)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, targets)


def _weights(model: Any, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(features, k) float32 weights and (k,) bias; classes without a row keep a bias that is never the largest."""
    coefficients, intercepts = model.coef_, model.intercept_
    if len(coefficients) == 1:
        coefficients = np.concatenate([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    weights = np.zeros((coefficients.shape[1], n_classes), np.float32)
    bias = np.full(n_classes, -30.0, np.float32)
    weights[:, model.classes_] = coefficients.T
    bias[model.classes_] = intercepts
    return weights, bias
