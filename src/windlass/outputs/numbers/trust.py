"""Whose numbers are believed: how far one lies from the champion's answer, against how far right ones do.

Source: a threshold from known rows: Vovk et al. 2005, Algorithmic learning in a random world (conformal prediction).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import number
from windlass.kinds import table as kinds
from windlass.outputs.labelled_row import LabelledRow, Pairs
from windlass.outputs.numbers.measures import estimator
from windlass.outputs.trust import Known, Opinion
from windlass.predictors.contract import Predictor
from windlass.predictors.estimator import Estimator
from windlass.records import Column, Json
from windlass.spec import Spec

FAR, OFF = 6.0, 2.0
"""Half widths of the interval from which on a number is doubted, and from which on it contradicts the champion."""
SELDOM, SOMETIMES = 0.995, 0.98
"""Of the right numbers of test rows as many lie nearer than what is doubted, and than what contradicts."""
LEAST_TESTED, MOST_TESTED = 20, 2_000
MOST_NATS = 9.0
BEYOND = 10.0
"""So many times the range of the training rows below or above it no number is believed, whoever gives it: one `1e30`
would outweigh all that was learned."""


def opinion(rows: Sequence[LabelledRow], predictor: Predictor, known: Known, spec: Spec) -> Opinion:
    """How much the numbers contradict the champion. Raises: DataError: a row cannot be read."""
    champion, tested = estimator(predictor), known.tested
    given = champion.values([row.values for row in rows], known.root)
    off = np.abs(np.array([row.label for row in rows], np.float64) - given)
    usual = _usual(champion, tested[:: max(1, -(-len(tested) // MOST_TESTED))], known)
    half = champion.half or champion.deviation
    state = champion.manifest.output.state
    scale = max(float(usual.mean()), 1e-9 * champion.deviation)
    return Opinion(
        answers=[number.rounded(value, state) for value in given.tolist()],
        doubts=off > max(FAR * half, float(np.quantile(usual, SELDOM))),
        contradicts=off > max(OFF * half, float(np.quantile(usual, SOMETIMES))),
        is_new=np.zeros(len(rows), bool),
        surprise=np.minimum(off / scale, MOST_NATS) - 1,
        impossible=_impossible([row.label for row in rows], state),
        known="what the champion answers",
        otherwise=f"farther from the champion's answer than {100 * SELDOM:g} % of the right ones, and than "
        f"{FAR:g} times half of its interval",
    )


def _impossible(numbers: Sequence[float], state: Json) -> dict[int, str]:
    least, most = state["least"], state["most"]
    reach = BEYOND * max(most - least, state["deviation"])
    said = f"more than {BEYOND:g} times the range of the training rows ({least:.6g} to {most:.6g}) away from it"
    return {place: said for place, each in enumerate(numbers) if not least - reach <= each <= most + reach}


def read_correction(column: Column, said: Any) -> float:
    """The number that would have been right. Raises: DataError: it is none, or beyond the reach of training."""
    found = float(kinds.of(column).read(said, None))
    beyond = _impossible([found], column.state) if math.isfinite(found) and "least" in column.state else {}
    if beyond:
        raise DataError(f"number is {found:.6g}, {beyond[0]}, expected one that can be learned from")
    return found


def _usual(champion: Estimator, tested: Pairs, known: Known) -> np.ndarray:
    """How far from its answers the right ones lie, (n,), at least one; of few rows as far as its interval reaches."""
    if len(tested) < LEAST_TESTED:
        return np.array([champion.half or champion.deviation])
    given = champion.values([row for row, _ in tested], known.root)
    return np.abs(np.array([right for _, right in tested], np.float64) - given)
