"""Why a row was given a tag: exact for linear models and trees, by taking parts away for everything else."""

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
from windlass.outputs.contract import Why
from windlass.outputs.tags.measures import tagger
from windlass.predictors.contract import Additive, Predictor
from windlass.predictors.tagger import Tagger, shares_of
from windlass.records import Explanation, Row

LOG_ODDS = "log-odds"


def explain(model: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """Of the tag that is asked for, else of the likeliest. Raises: DataError: the row cannot be read, or the tag is
    unknown. NotReady: the time is over."""
    predictor, effort = tagger(model), why.effort()
    effort.check()
    inputs = predictor.manifest.inputs
    values = read_inputs(inputs, row, number, why.root)
    odds = _log_odds(predictor, [values])[0]
    chosen = _place_of(why.answer, predictor.labels) if why.answer else int(odds.argmax())
    label = predictor.labels[chosen]
    if isinstance(predictor.engine, Additive):
        method, found, base = _exact(predictor, values, chosen)
        effort.n_done = 1
    else:
        method, columns = OCCLUSION, columns_once(inputs)

        def score(rows: Sequence[Values]) -> np.ndarray:
            return np.asarray(_log_odds(predictor, rows)[:, chosen])

        found = weigh(score, columns, values, effort)
        base = nothing(score, columns, values, effort)
    return Explanation(
        label=label,
        confidence=float(shares_of(odds[chosen])),
        method=method,
        unit=LOG_ODDS,
        base=base,
        total=float(odds[chosen]),
        adds_up=method != OCCLUSION,
        n_evaluations=effort.n_done,
        parts=tuple(part_of(each, values, f"'{label}'") for each in found),
        texts=shown_as(inputs, values, is_picture=False),
        pictures=shown_as(inputs, values, is_picture=True),
    )


def _exact(predictor: Tagger, values: Values, chosen: int) -> tuple[str, list[WeightedPart], float]:
    """What each part adds to the log-odds of the tag, in which each tag stands for itself."""
    manifest, engine = predictor.manifest, predictor.engine
    assert isinstance(engine, Additive)
    direction = np.zeros(len(predictor.labels))
    direction[chosen] = 1 / manifest.temperature
    found, base = exactly(engine, manifest.inputs, values, direction)
    return METHODS[manifest.predictor], found, base + (manifest.shift[chosen] if manifest.shift else 0.0)


def _log_odds(predictor: Tagger, rows: Sequence[Values]) -> np.ndarray:
    """(n, k) float64, calibrated."""
    return predictor.manifest.calibrated(predictor.engine(encoded(predictor.manifest.inputs, rows)))


def _place_of(tag: str, labels: Sequence[str]) -> int:
    if tag not in labels:
        raise DataError(f"tag is '{tag[:80]}', expected {expected(labels)}", did_you_mean(tag[:80], labels))
    return labels.index(tag)
