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
from windlass.metrics.costs import BY_WIDTH, SideCosts, side_costs_of
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
        return _floor(self.manifest.output.state)

    @property
    def deviation(self) -> float:
        """Of the training rows, above 0, in the unit of the answers."""
        return float(self.manifest.output.state["deviation"])

    def values(self, rows: Sequence[Row], root: Path | None = None) -> np.ndarray:
        """(n,) float64. Raises: DataError: a column is missing or a value cannot be read."""
        return decided(self.scores(rows, root)[0], self.manifest.output.state)

    @property
    def unit(self) -> str:
        """What an answer counts, such as EUR; '' = not said."""
        return str(self.manifest.output.state.get(number.UNIT, ""))

    @property
    def costs(self) -> SideCosts | None:
        """What errors cost, by which answers lean to a side; None: they do not."""
        return side_costs_of(self.manifest.output.state)

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row, in order; its evidence names what training did not know. Raises: as `values`."""
        scores, unknown = self.scores(rows, root)
        state = self.manifest.output.state
        values, ends = decided(scores, state).tolist(), ends_of(scores, state)
        sides = [None] * len(values) if ends is None else [_rounded(low, high, state) for low, high in ends.tolist()]
        return [
            Answer(number.rounded(value, state), None, evidence=unknown.get(place, ()), interval=sides[place])
            for place, value in enumerate(values)
        ]

    def ends(self, rows: Sequence[Row], root: Path | None = None) -> np.ndarray | None:
        """Low and high of each interval, (n, 2) float64; None: answers have none. Raises: as `values`."""
        return ends_of(self.scores(rows, root)[0], self.manifest.output.state)

    def golden(self, rows: Sequence[Row]) -> list[float]:
        found: list[float] = self.values(rows).tolist()
        return found

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> NumberMarks:
        """Raises: DataError: as `values`, or what is right is no number."""
        read = kinds.of(self.manifest.output).read
        targets = np.array([read(value, None) for value in truth], np.float64)
        if np.isnan(targets).any():
            raise DataError("number is missing, expected the right one to judge by")
        scores, _ = self.scores(rows, root)
        state = self.manifest.output.state
        is_own = number.ranges(state) is not None or self.costs is not None
        ends = ends_of(scores, state) if is_own else None
        return NumberMarks(targets, decided(scores, state), self.half, self.floor, ends, self.costs, self.unit)

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


def _floor(state: Json) -> float | None:
    return 0.0 if state["least"] >= 0 else None


def ends_of(scores: np.ndarray, state: Json) -> np.ndarray | None:
    """Low and high of each interval, (n, 2) float64, around the middle and not around an answer that leans to a side;
    None: answers have none."""
    half, floor = state.get(number.HALF), _floor(state)
    if half is None:
        return None
    values, ranges = number.decode(scores, state), number.ranges(state)
    if ranges is None:
        return np.stack(interval_ends(values, half, floor), axis=1)
    found = np.stack(ranges.ends(values, number.basis(scores, state)), axis=1)
    return found if floor is None else np.maximum(found, floor)


def decided(scores: np.ndarray, state: Json) -> np.ndarray:
    """The answers (n,) float64: the middle, or where errors cost more on one side what costs least."""
    middle = number.decode(scores, state)
    return middle if number.COSTS not in state else middle + lean(scores, state)


def lean(scores: np.ndarray, state: Json) -> np.ndarray:
    """How far each answer lies beside the middle by the costs of the state, (n,) float64."""
    amount = state[number.COSTS]["amount"]
    ends = ends_of(scores, state) if state[number.COSTS]["by"] == BY_WIDTH else None
    return np.full(len(scores), amount) if ends is None else np.asarray(amount * (ends[:, 1] - ends[:, 0]) / 2)


def _rounded(low: float, high: float, state: Json) -> tuple[float, float, float]:
    """An interval as it is told."""
    return number.rounded(low, state), number.rounded(high, state), SHARE
