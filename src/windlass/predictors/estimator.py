"""Answers rows with numbers, each with an interval: scores are deviations from the mean of the training rows.

Source: the interval: split conformal prediction, see `metrics.numbers.half_width` and `metrics.intervals`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import number
from windlass.kinds import table as kinds
from windlass.kinds.contract import is_finite
from windlass.metrics.numbers import SHARE, NumberMarks, interval_ends
from windlass.predictors.contract import Scorer
from windlass.records import Answer, Json, Row


@dataclass(frozen=True)
class Estimator(Scorer):
    """Answers rows with numbers by what the manifest says and the engine computes."""

    @property
    def half(self) -> float | None:
        """Half of the width of an answer's interval, in the unit of the answers, the median where the width follows
        the row; None: they have none."""
        return self.manifest.output.state.get(number.HALF)

    @property
    def floor(self) -> float | None:
        """Where intervals are cut: at 0 where no training row is below; None: nowhere."""
        return 0.0 if self.manifest.output.state["least"] >= 0 else None

    @property
    def deviation(self) -> float:
        """Of the training rows, above 0, in the unit of the answers."""
        return float(self.manifest.output.state["deviation"])

    def values(self, rows: Sequence[Row], root: Path | None = None) -> np.ndarray:
        """(n,) float64. Raises: DataError: a column is missing or a value cannot be read."""
        return number.decode(self.scores(rows, root)[0], self.manifest.output.state)

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row, in order; its evidence names what training did not know. Raises: as `values`."""
        scores, unknown = self.scores(rows, root)
        state = self.manifest.output.state
        values, ends = number.decode(scores, state).tolist(), self._ends(scores)
        sides = [None] * len(values) if ends is None else [_rounded(low, high, state) for low, high in ends.tolist()]
        return [
            Answer(number.rounded(value, state), None, evidence=unknown.get(place, ()), interval=sides[place])
            for place, value in enumerate(values)
        ]

    def ends(self, rows: Sequence[Row], root: Path | None = None) -> np.ndarray | None:
        """Low and high of each interval, (n, 2) float64; None: answers have none. Raises: as `values`."""
        return self._ends(self.scores(rows, root)[0])

    def _ends(self, scores: np.ndarray) -> np.ndarray | None:
        if self.half is None:
            return None
        state = self.manifest.output.state
        values, ranges = number.decode(scores, state), number.ranges(state)
        if ranges is None:
            return np.stack(interval_ends(values, self.half, self.floor), axis=1)
        found = np.stack(ranges.ends(values, number.basis(scores, state)), axis=1)
        return found if self.floor is None else np.maximum(found, self.floor)

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> NumberMarks:
        """Raises: DataError: as `values`, or what is right is no number."""
        read = kinds.of(self.manifest.output).read
        targets = np.array([read(value, None) for value in truth], np.float64)
        if np.isnan(targets).any():
            raise DataError("number is missing, expected the right one to judge by")
        scores, _ = self.scores(rows, root)
        state = self.manifest.output.state
        ends = None if number.ranges(state) is None else self._ends(scores)
        return NumberMarks(targets, number.decode(scores, state), self.half, self.floor, ends)

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """The largest difference, as a share of the deviation. Raises: DataError: these are no numbers."""
        if not all(map(is_finite, wanted)):
            raise DataError("golden answers are no numbers, expected one a row")
        right = np.array(wanted, np.float64)
        return float(np.abs(self.values(rows) - right).max()) / self.deviation if rows else 0.0

    def gap(self, answer: Json, wanted: Any) -> float:
        """The same of one answer as the server gives it."""
        value = answer.get("value")
        known = is_finite(value) and is_finite(wanted)
        return abs(value - wanted) / self.deviation if known else math.inf


def _rounded(low: float, high: float, state: Json) -> tuple[float, float, float]:
    """An interval as it is told."""
    return number.rounded(low, state), number.rounded(high, state), SHARE
