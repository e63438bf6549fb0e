"""Answers rows with sets of tags: scores are log-odds, one a tag, calibrated as the manifest says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.metrics.tags import TagMarks
from windlass.predictors.contract import Scorer
from windlass.records import Answer, Json, Manifest, Row

NEVER = 2.0
"""The threshold of a tag that is never said."""


def shares_of(log_odds: np.ndarray) -> np.ndarray:
    """(n, k) probabilities of log-odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))


def shares(manifest: Manifest, scores: np.ndarray) -> np.ndarray:
    """(n, k) calibrated probabilities of scores as an engine gives them."""
    return shares_of(manifest.calibrated(scores))


@dataclass(frozen=True)
class Tagger(Scorer):
    """Answers rows with tags by what the manifest says and the engine computes."""

    @property
    def labels(self) -> list[str]:
        return list(self.manifest.output.state["labels"])

    def probabilities(self, rows: Sequence[Row], root: Path | None = None) -> np.ndarray:
        """(n, k) calibrated, each tag for itself. Raises: DataError: a column is missing or a value cannot be read."""
        return shares(self.manifest, self.scores(rows, root)[0])

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row, in order; its evidence names what training did not know. Raises: as `probabilities`."""
        scores, unknown = self.scores(rows, root)
        answers = tags.decode(shares(self.manifest, scores), self.manifest.output.state)
        for number, said in unknown.items():
            answers[number] = replace(answers[number], evidence=(*answers[number].evidence, *said))
        return answers

    def golden(self, rows: Sequence[Row]) -> np.ndarray:
        return self.probabilities(rows)

    def said(self, scores: np.ndarray) -> list[Any]:
        return [tuple(label for label, odds in zip(self.labels, row, strict=True) if odds > 0) for row in scores]

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> TagMarks:
        """Tags that training did not know are never said, and missed where they are right. Raises: DataError: as
        `probabilities`, or what is right cannot be read."""
        return tag_marks(self.manifest, truth, self.probabilities(rows, root))

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """The largest difference of a probability from `wanted` (n, k). Raises: DataError: another shape."""
        right = np.array(wanted, np.float64)
        if rows and right.shape != (len(rows), len(self.labels)):
            raise DataError(f"golden answers have the shape {right.shape}, expected one probability a tag")
        return float(np.abs(self.probabilities(rows) - right).max()) if rows else 0.0

    def gap(self, answer: Json, wanted: Any) -> float:
        """The largest difference over the tags that the answer names."""
        try:
            said = [(other["value"], other["confidence"]) for other in answer["alternatives"]]
            is_whole = set(answer["value"]) <= {label for label, _ in said}
            gaps = [abs(share - wanted[self.labels.index(label)]) for label, share in said]
            return max(gaps, default=math.inf) if is_whole else math.inf
        except (KeyError, IndexError, TypeError, ValueError):
            return math.inf


def tag_marks(manifest: Manifest, truth: Sequence[Any], probabilities: np.ndarray) -> TagMarks:
    """Probabilities (n, k) beside the right tags of these rows; those that no training row has get own columns.

    Raises: DataError: what is right cannot be read, or is missing.
    """
    column = manifest.output
    read = kinds.of(column).read
    right = [read(value, None) for value in truth]
    known = list(column.state["labels"])
    new = sorted({tag for row in right for tag in row or ()} - set(known))
    labels = (*known, *new)
    n_rows = len(probabilities)
    return TagMarks(
        tags.encode(right, {"labels": labels}) > 0,
        np.concatenate([probabilities, np.zeros((n_rows, len(new)))], axis=1),
        np.concatenate([tags.thresholds(column.state), np.full(len(new), NEVER)]),
        labels,
        tags.confidence(probabilities, column.state),
    )
