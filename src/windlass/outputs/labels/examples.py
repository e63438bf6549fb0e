"""Which labelled rows are worth an explanation: the surest mistakes, the surest right ones, and those in between."""

from collections.abc import Sequence

import numpy as np

from windlass.outputs.labels.measures import labeller
from windlass.predictors.contract import Predictor
from windlass.records import Row, Splits

N_EACH = 3
AS_LIKELY = 0.5
"""The share of the likeliest answer's probability that the next one has where the two are about as likely."""


def picked(predictor: Predictor, rows: Sequence[Row], splits: Splits) -> list[tuple[str, Row]]:
    """(group, row): the surest mistakes, answers between two that are about as likely, the surest right ones."""
    marks = labeller(predictor).marks(rows, [row[splits.output_column] for row in rows], splits.root)
    sure, right = marks.probabilities[np.arange(len(marks)), marks.answers], marks.right
    surest = np.argsort(-sure, kind="stable").tolist()
    wrongs = [place for place in surest if not right[place]][:N_EACH]
    rights = [place for place in surest if right[place]][:N_EACH]
    torn = _torn(marks.probabilities)
    unsure = [place for place in surest[::-1] if torn[place] and place not in {*wrongs, *rights}][:N_EACH]
    groups = {"wrong": wrongs, "unsure": unsure, "right": rights}
    return [(name, rows[place]) for name, places in groups.items() for place in places]


def _torn(probabilities: np.ndarray) -> np.ndarray:
    """(n,) bool: where the two likeliest answers are about as likely."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities), bool)
    ordered = np.sort(probabilities, axis=1)
    return ordered[:, -2] >= AS_LIKELY * ordered[:, -1]
