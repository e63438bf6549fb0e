"""Answers rows with numbers, each with an interval: scores are deviations from the mean of the training rows.

Source: the interval: split conformal prediction, see `number_metrics.half_width`.
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
        """Half of the width of an answer's interval, in the unit of the answers; None: they have none."""
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
        values = number.decode(scores, self.manifest.output.state).tolist()
        return [self._answer(value, unknown.get(place, ())) for place, value in enumerate(values)]

    def _answer(self, value: float, unknown: tuple[str, ...]) -> Answer:
        state, half = self.manifest.output.state, self.half
        ends = interval_ends(np.array([value]), half or 0.0, self.floor)
        low, high = (number.rounded(float(end[0]), state) for end in ends)
        interval = None if half is None else (low, high, SHARE)
        return Answer(number.rounded(value, state), None, evidence=unknown, interval=interval)

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> NumberMarks:
        """Raises: DataError: as `values`, or what is right is no number."""
        read = kinds.of(self.manifest.output).read
        targets = np.array([read(value, None) for value in truth], np.float64)
        if np.isnan(targets).any():
            raise DataError("number is missing, expected the right one to judge by")
        return NumberMarks(targets, self.values(rows, root), self.half, self.floor)

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
