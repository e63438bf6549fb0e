"""Rows whose label is probably wrong: models that had not seen a row are sure that it is something else.

Source: confident learning, Northcutt et al. 2021, arXiv:1911.00068, section 3: the confident joint and its calibration.
Their own library (cleanlab) is AGPL, so the thirty lines stand here; the numbers agree (tests/planning).
"""

from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Estimate, wilson


@dataclass(frozen=True)
class SuspectLabels:
    """rows: places of the suspected rows, the surest first; said: the label that the models see instead, as a class
    number; share: of all rows, with its interval; by_label: of each class how many."""

    rows: np.ndarray
    said: np.ndarray
    share: Estimate
    by_label: dict[str, int]


def thresholds(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(k,) mean probability of each class on the rows that carry it; 1 where none does (eq. 2)."""
    found = np.ones(probabilities.shape[1])
    for place in np.unique(labels):
        found[place] = probabilities[labels == place, place].mean()
    return found


def suspects(labels: np.ndarray, probabilities: np.ndarray, names: tuple[str, ...]) -> SuspectLabels:
    """Rows that the models, with confidence, count to another class than their label.

    Args: labels: (n,) int; probabilities: (n, k) of models that had not seen the row.
    """
    sure = probabilities >= thresholds(labels, probabilities) - 1e-9
    believed = np.where(sure, probabilities, -1.0)
    said = believed.argmax(1)
    doubted = sure.any(1) & (said != labels)
    rows = np.flatnonzero(doubted)
    margin = probabilities[rows, said[rows]] - probabilities[rows, labels[rows]]
    order = np.argsort(-margin, kind="stable")
    rows = rows[order]
    counts = np.bincount(labels[rows], minlength=len(names))
    return SuspectLabels(
        rows,
        said[rows],
        wilson(len(rows), len(labels)),
        {names[place]: int(counts[place]) for place in np.argsort(-counts, kind="stable") if counts[place]},
    )
