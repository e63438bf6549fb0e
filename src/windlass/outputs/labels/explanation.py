"""Why a row was given its label: exact for linear models and trees, by taking parts away for everything else."""

from collections.abc import Sequence

import numpy as np

from windlass.errors import DataError, did_you_mean, expected
from windlass.explain.attribution import (
    METHODS,
    OCCLUSION,
    columns_once,
    encoded,
    exactly,
    part_of,
    read_inputs,
    shown_as,
)
from windlass.explain.occlusion import Values, WeightedPart, nothing, weigh
from windlass.metrics.measures import softmax
from windlass.outputs.contract import Why
from windlass.outputs.labels.measures import labeller
from windlass.predictors.contract import Additive, Labeller, Predictor
from windlass.records import Explanation, Row

LOG_ODDS = "log-odds"


def explain(model: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """Raises: DataError: the row cannot be read, or the label is unknown. NotReady: the time is over."""
    predictor, effort = labeller(model), why.effort()
    effort.check()
    values = read_inputs(predictor.manifest.inputs, row, number, why.root)
    logits = _logits(predictor, [values])[0]
    shares = softmax(logits[None])[0]
    chosen = _class_of(why.answer, predictor.labels) if why.answer else int(predictor.answers(shares[None])[0])
    if len(shares) < 2:
        raise DataError(f"release knows the label '{predictor.labels[0]}' alone, expected two to tell apart")
    label, confidence = predictor.labels[chosen], float(shares[chosen])
    if isinstance(predictor.engine, Additive):
        method, found, base = _exact(predictor, values, logits, chosen)
        effort.n_done = 1
    else:
        method, columns = OCCLUSION, columns_once(predictor.manifest.inputs)

        def score(rows: Sequence[Values]) -> np.ndarray:
            return log_odds(_logits(predictor, rows), chosen)

        found = weigh(score, columns, values, effort)
        base = nothing(score, columns, values, effort)
    return Explanation(
        label=label,
        confidence=confidence,
        method=method,
        unit=LOG_ODDS,
        base=base,
        total=float(log_odds(logits[None], chosen)[0]),
        adds_up=method != OCCLUSION,
        n_evaluations=effort.n_done,
        parts=tuple(part_of(each, values, f"'{label}'") for each in found),
        texts=shown_as(predictor.manifest.inputs, values, is_picture=False),
        pictures=shown_as(predictor.manifest.inputs, values, is_picture=True),
    )


def log_odds(logits: np.ndarray, chosen: int) -> np.ndarray:
    """(n,) log of p / (1 - p) of a class, from its calibrated logits (n, k)."""
    others = np.delete(logits, chosen, axis=1)
    largest = others.max(axis=1)
    return logits[:, chosen] - largest - np.log(np.exp(others - largest[:, None]).sum(axis=1))


def _exact(
    predictor: Labeller, values: Values, logits: np.ndarray, chosen: int
) -> tuple[str, list[WeightedPart], float]:
    """What each part adds to the label's logit against the others, each of these by its own probability.

    The log-odds are that difference less the entropy of the others, which the base takes: so all adds up.
    """
    others = np.delete(logits, chosen)
    shares = softmax(others[None])[0]
    entropy = -float((shares * np.log(np.maximum(shares, 1e-300))).sum())
    against = np.insert(-shares, chosen, 1.0)
    manifest, engine = predictor.manifest, predictor.engine
    labels, inputs = against / manifest.temperature, manifest.inputs
    assert isinstance(engine, Additive)
    found, base = exactly(engine, inputs, values, labels)
    base += float(np.dot(manifest.shift, against)) if manifest.shift else 0.0
    return METHODS[manifest.predictor], found, base - entropy


def _logits(predictor: Labeller, rows: Sequence[Values]) -> np.ndarray:
    """(n, k) float64, calibrated."""
    return predictor.manifest.calibrated(predictor.engine(encoded(predictor.manifest.inputs, rows)))


def _class_of(label: str, labels: Sequence[str]) -> int:
    if label not in labels:
        raise DataError(f"label is '{label[:80]}', expected {expected(labels)}", did_you_mean(label[:80], labels))
    return labels.index(label)
