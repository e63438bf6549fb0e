"""Why a text was written: what each part of the row adds to its likelihood."""

from collections.abc import Sequence

import numpy as np

from windlass.errors import NotReady
from windlass.explain.attribution import OCCLUSION, columns_once, part_of, shown_as
from windlass.explain.occlusion import Values, nothing, weigh
from windlass.outputs.contract import Why
from windlass.outputs.texts.measures import writer
from windlass.predictors.contract import Predictor
from windlass.records import Explanation, Row

NATS = "log-likelihood (nats)"
MOST_OF_A_WRITER = 48
"""Evaluations of a model that writes: each reads the row and the whole answer."""


def explain(model: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """Raises: DataError: the row cannot be read. NotReady: what writes knows no likelihood, or the time is over."""
    predictor, effort = writer(model), why.effort()
    values = predictor.read([row], why.root)[0]
    answer = predictor.answer([row], why.root)[0]
    text = why.answer or str(answer.value)
    effort.most = min(effort.most, MOST_OF_A_WRITER)

    def score(rows: Sequence[Values]) -> np.ndarray:
        nats = predictor.engine.nats(rows, [text] * len(rows))
        if nats is None:
            raise NotReady(
                f"answers of '{predictor.manifest.learner}' are found, not weighed, expected a model that knows how "
                "likely a text is",
                "its answer says what it rests on",
            )
        return -np.asarray(nats, np.float64)

    columns = columns_once(predictor.manifest.inputs)
    total = float(score([values])[0])
    found = weigh(score, columns, values, effort)
    return Explanation(
        label=text,
        confidence=answer.confidence if not why.answer else None,
        method=OCCLUSION,
        unit=NATS,
        base=nothing(score, columns, values, effort),
        total=total,
        adds_up=False,
        n_evaluations=effort.n_done,
        parts=tuple(part_of(each, values, "this answer") for each in found),
        texts=shown_as(predictor.manifest.inputs, values, is_picture=False),
    )
