"""What is thought of answers that somebody says are right: what is known, and how much they contradict it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from windlass.outputs.labelled_row import LabelledRow, Pairs
from windlass.records import Row

Cheap = Callable[[Pairs, Sequence[Row], str], np.ndarray]
"""(pairs, rows, label) -> (n,) probability of the label for each row, by a cheap model that has learned the pairs."""

Apart = Callable[[Sequence[LabelledRow], Sequence[str]], bool | None]


def _cannot(pairs: Pairs, rows: Sequence[Row], label: str) -> np.ndarray:
    """Tells nothing apart."""
    return np.full(len(rows), 0.5)


@dataclass(frozen=True)
class Known:
    """What the product has. train: rows with their labels; held: rows that judge and are never learned.

    learned: id of an answer that was learned from, or is kept to judge by -> the row that counted. root: of files
    that rows name. tested: those of `held` whose labels are known for sure, with them. cheap: a model
    for a second opinion.
    """

    train: Pairs
    held: Sequence[Row]
    learned: Mapping[str, LabelledRow]
    root: Path | None = None
    tested: Pairs = ()
    cheap: Cheap = _cannot

    def has(self, row: LabelledRow) -> bool:
        """It was believed before, with this label."""
        before = self.learned.get(row.answer)
        return before is not None and before.label == row.label


def _unknown(rows: Sequence[LabelledRow], answers: Sequence[Any]) -> bool | None:
    """Nobody can say."""
    return None


@dataclass(frozen=True)
class Opinion:
    """What the champion, or training, thinks of labels that were given. All (n,).

    answers: its own. doubts: too unlikely to be believed without a person. contradicts: against what the champion is
    sure of. is_new: labels that it does not know. surprise: in nats, more than an honest
    caller's label has on average; NaN where nothing is known. known, otherwise: words for what is contradicted.
    is_apart(rows, answers) -> rows of a label that training does not know are told from what the champion answers to
    them; None: nobody can say.
    """

    answers: Sequence[Any]
    doubts: np.ndarray
    contradicts: np.ndarray
    is_new: np.ndarray
    surprise: np.ndarray
    impossible: Mapping[int, str] = field(default_factory=dict)
    known: str = "what the champion is sure of"
    otherwise: str = "less likely, to the champion, than the right labels of nearly all its known mistakes"
    is_separable: Apart = _unknown
