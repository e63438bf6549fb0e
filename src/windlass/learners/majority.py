"""Always the commonest answer: what every other candidate must beat."""

import numpy as np

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import N_GOLDEN, encode, finish
from windlass.predictors.contract import width
from windlass.predictors.linear import write_weights
from windlass.records import Progress, Splits

FORMS = {"text": "terms", "image": "pixels", "number": "scaled", "category": "onehot", "date": "calendar"}
SMALLEST = {"text": {"n_terms": 1}, "image": {"size": 1}}


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A linear model of zero weights whose bias is the log share of each label."""
    encoded = encode(splits, FORMS, SMALLEST)
    counts = np.bincount(encoded.train_targets, minlength=encoded.n_classes)
    bias = np.log(np.maximum(counts, 0.5) / counts.sum()).astype(np.float32)
    write_weights(
        options.artifact, [np.zeros((width(batch), encoded.n_classes), np.float32) for batch in encoded.train], bias
    )
    logits = np.tile(bias, (len(encoded.validation_targets), 1))
    return finish(options, {"predictor": "linear", "learner": "majority"}, encoded, splits, logits, logits[:N_GOLDEN])
