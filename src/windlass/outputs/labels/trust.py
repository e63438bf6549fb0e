"""Whose labels are believed: what the champion's probabilities say of a label that somebody gave.

A label is surprising when the champion gives it little probability. Honest corrections surprise, too, but mildly: how
much, the champion's own mistakes on its test rows tell.
Source: the own confidence of a label as its sign of error: Northcutt et al. 2021, Confident learning, arXiv:1911.00068;
        a threshold from known rows: Vovk et al. 2005, Algorithmic learning in a random world (conformal prediction).
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from windlass.outputs.labelled_row import LabelledRow, Pairs
from windlass.outputs.labels.measures import labeller
from windlass.outputs.labels.new_labels import is_separable
from windlass.outputs.trust import Known, Opinion
from windlass.predictors.contract import Labeller, Predictor
from windlass.spec import Spec

FLOOR = 1e-4
MISTAKES, LEAST_MISTAKES, MOST_TESTED = 0.05, 20, 2_000
"""Of the champion's own mistakes on test rows so many have a right label that is less likely than the limit below which
a label is doubted: of honest corrections about as many are doubted. Fewer mistakes, with labels that the champion is
sure of (`SURE`), leave the limit of `unlikely`. Test rows that are asked."""
SURE, UNLIKELY = 0.9, 0.02
"""The champion is sure of a label, and thereby against one that it gives no more."""


def opinion(rows: Sequence[LabelledRow], predictor: Predictor, known: Known, spec: Spec) -> Opinion:
    """How much the labels contradict the champion. Raises: DataError: a row cannot be read."""
    champion, tested = labeller(predictor), known.tested
    answers, given, sure, entropy = _given(champion, [(row.values, row.label) for row in rows], known.root)
    _, right, likeliest, _ = _given(champion, tested[:: max(1, -(-len(tested) // MOST_TESTED))], known.root)
    limit = _limit(right, likeliest)
    against = (sure >= SURE) & (given <= unlikely(len(champion.labels)))
    return Opinion(
        answers=answers,
        doubts=against if limit is None else (given <= limit) & (given < sure),
        contradicts=(sure >= SURE) & (given <= UNLIKELY),
        is_new=np.isnan(given),
        surprise=-np.log(np.maximum(given, FLOOR)) - entropy,
        is_separable=partial(is_separable, known=known, inputs=spec.inputs),
    )


def unlikely(n_labels: int) -> float:
    """The probability below which a label is against the champion: a tenth of what a label has by chance, at most."""
    return min(UNLIKELY, 0.1 / n_labels)


def _limit(given: np.ndarray, sure: np.ndarray) -> float | None:
    """The probability that the right label exceeds in all but `MISTAKES` of the champion's mistakes; None: too few."""
    mistakes = np.sort(given[given < sure])
    if len(mistakes) < LEAST_MISTAKES:
        return None
    return float(mistakes[int(MISTAKES * (len(mistakes) + 1)) - 1])


def _given(champion: Labeller, pairs: Pairs, root: Path | None) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """The likeliest label; probability of the label that was given, NaN where the champion does not know it; of the
    likeliest one; and the surprise, in nats, of labels drawn by the champion's probabilities. All (n,)."""
    if not pairs:
        return [], np.zeros(0), np.zeros(0), np.zeros(0)
    probabilities = champion.probabilities([row for row, _ in pairs], root)
    place = {label: number for number, label in enumerate(champion.labels)}
    given = [
        probabilities[number, place[label]] if label in place else np.nan for number, (_, label) in enumerate(pairs)
    ]
    entropy = -(probabilities * np.log(np.maximum(probabilities, FLOOR))).sum(axis=1)
    answers = [champion.labels[number] for number in probabilities.argmax(axis=1)]
    return answers, np.array(given, float), probabilities.max(axis=1), entropy
