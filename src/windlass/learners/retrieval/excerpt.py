"""A part of the input as it is: what every learner that writes must beat.

Source: the lead as a baseline of summaries: Nallapati et al. 2016, arXiv:1611.04230; the nearest sentence as one of
        answers: Rajpurkar et al. 2016, arXiv:1606.05250 ("sliding window").
"""

import numpy as np

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language.written import check_asks, finish_text, score_engine, text_inputs
from windlass.predictors.retrieval.excerpt import WAYS, Excerpt, make
from windlass.records import Json, Progress, Splits


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Tries each way on each text column; the best on the validation rows answers, the first where there are none.

    Raises: NotReady: the rows ask nothing, or the goal measures a likelihood.
    """
    check_asks(splits, options, "what is copied")
    tried: list[Json] = []
    candidates = _candidates(splits)
    for number, engine in enumerate(candidates):
        progress("trying", number, len(candidates), f"{engine.way} of {engine.column}")
        score = score_engine(engine, splits, options.metric)
        tried.append({"way": engine.way, "column": engine.column, "score": None if np.isnan(score) else score})
        if budget.seconds and not budget.left():
            break
    best = max(range(len(tried)), key=lambda place: tried[place]["score"] or 0.0)
    settings = {"way": tried[best]["way"], "column": tried[best]["column"], "tried": tried}
    manifest = {"predictor": "excerpt", "learner": "copy", "settings": settings}
    return finish_text(options, manifest, splits, candidates[best])


def _candidates(splits: Splits) -> list[Excerpt]:
    """Every way for every text column, the longest column first; the nearest sentence is one of the longest."""
    columns = text_inputs(splits)
    nearest = [make("nearest sentence", columns[0], splits.inputs)] if len(columns) > 1 else []
    plain = [way for way in WAYS if way != "nearest sentence"]
    return [*nearest, *(make(way, column, splits.inputs) for column in columns for way in plain)]
