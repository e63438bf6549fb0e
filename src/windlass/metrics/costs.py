"""What answers cost: the answer whose expected cost is least, and where a person's look is cheaper than any.

`probabilities` are (n, k) float and calibrated; costs are per row, in the unit of the table.
Source: Elkan 2001, The foundations of cost-sensitive learning (IJCAI); Chow 1970, IEEE Trans. Inf. Theory 16(1)
        (handing over); Arrow, Harris & Marschak 1951, Econometrica 19(3) (numbers: the newsvendor's quantile).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

Array = np.ndarray
Json = dict[str, Any]
COST = "cost"
"""The metric: what a row costs on average, people's looks with it; less is better."""
CONSTANT, BY_WIDTH = "constant", "width"
"""How far answers of numbers lean to the cheaper side: all as far, or as many halves of the row's own interval."""


@dataclass(frozen=True)
class CostTable:
    """matrix: what the answer of a column costs where the class of a row is right, (k, k), each at least 0.

    review: what a person's look costs, after which the answer is right; None: nothing is handed over. unit: as EUR.
    """

    matrix: tuple[tuple[float, ...], ...]
    review: float | None = None
    unit: str = ""

    def expected(self, probabilities: Array) -> Array:
        """What each answer is expected to cost, (n, k)."""
        return np.asarray(probabilities @ np.asarray(self.matrix))

    def answers(self, probabilities: Array) -> Array:
        """The class number of the answer whose expected cost is least, (n,) int; of equals the likelier one."""
        expected = self.expected(probabilities)
        is_least = expected <= expected.min(axis=1, keepdims=True) + 1e-12
        return np.asarray(np.where(is_least, probabilities, -1.0).argmax(axis=1))

    def handed_over(self, probabilities: Array) -> Array:
        """Which rows are cheaper with a person, (n,) bool."""
        if self.review is None:
            return np.zeros(len(probabilities), bool)
        return np.asarray(self.expected(probabilities).min(axis=1) > self.review)

    def costs(self, targets: Array, probabilities: Array) -> Array:
        """What each row has cost in the end, (n,)."""
        found = np.asarray(self.matrix)[targets, self.answers(probabilities)]
        return found if self.review is None else np.where(self.handed_over(probabilities), self.review, found)

    def as_json(self) -> Json:
        return asdict(self)


@dataclass(frozen=True)
class SideCosts:
    """What a unit costs by which a number is too low, and too high; both above 0. unit: as EUR."""

    under: float
    over: float
    unit: str = ""

    @property
    def level(self) -> float:
        """The quantile of what may come true that costs least in expectation."""
        return self.under / (self.under + self.over)

    def of(self, targets: Array, values: Array) -> Array:
        """What each row has cost, (n,)."""
        lacks = targets - values
        return np.asarray(np.maximum(self.under * lacks, -self.over * lacks))

    def leaning(self, targets: Array, values: Array) -> float:
        """What a row costs on average once all values lean by the amount that is best for these rows."""
        return float(self.of(targets, values + self.best(targets - values, np.ones(len(targets)))).mean())

    def best(self, numbers: Array, weights: Array) -> float:
        """The number that costs least where these, (n,) at least one, came true, an error of each as dear as its weight
        says: their quantile, a little farther out, as the next row would ask for it (split conformal prediction)."""
        order = np.argsort(numbers, kind="stable")
        shares = np.cumsum(weights[order]) / weights.sum()
        place = int(np.searchsorted(shares, min(self.level * (1 + 1 / len(numbers)), 1.0) - 1e-12))
        return float(numbers[order][min(place, len(numbers) - 1)])


@dataclass(frozen=True)
class BoxCosts:
    """What a thing that is missed costs, and a box where none is, of each class, (k,), both above 0.

    review: what a person's look at a box costs, after which it is given rightly or left out; None: none is handed over.
    """

    miss: tuple[float, ...]
    false_alarm: tuple[float, ...]
    review: float | None = None
    unit: str = ""

    @property
    def bands(self) -> Array:
        """Of each class the probabilities between which a box goes to a person, (k, 2); below it is left out, from the
        upper one on it is given by itself. Both are the same where a look is never the cheapest."""
        miss, alarm = np.array(self.miss), np.array(self.false_alarm)
        even = alarm / (alarm + miss)
        if self.review is None:
            return np.stack([even, even], axis=1)
        ends = np.stack([self.review / miss, 1 - self.review / alarm], axis=1)
        return np.where((ends[:, 0] < ends[:, 1])[:, None], ends, even[:, None])

    def of(self, number: int, wrong: Array, looked_at: Array, missed: Array) -> Array:
        """What a class has cost, where so many boxes are wrong, were looked at, and things are missed."""
        looks = 0.0 if self.review is None else self.review
        return np.asarray(self.false_alarm[number] * wrong + looks * looked_at + self.miss[number] * missed)

    def as_json(self) -> Json:
        return asdict(self)


def box_costs_of(state: Json) -> BoxCosts | None:
    """The costs that the state of an output of boxes keeps; None: it keeps none."""
    found = state.get("costs")
    if not found:
        return None
    return BoxCosts(tuple(found["miss"]), tuple(found["false_alarm"]), found.get("review"), found.get("unit", ""))


def box_fault(found: Any, n_classes: int) -> str:
    """What is wrong with the costs of an artifact that finds boxes; '' when nothing is."""
    sides: list[Any] = [found.get(name) for name in ("miss", "false_alarm")] if isinstance(found, dict) else []
    if [len(each) for each in sides if isinstance(each, list | tuple)] != [n_classes] * 2:
        return f"costs are {str(found)[:60]}, expected a miss and a false alarm of each class"
    review = found.get("review")
    numbers = [*(each for side in sides for each in side), *([] if review is None else [review])]
    if not all(isinstance(each, int | float) and math.isfinite(each) and each > 0 for each in numbers):
        return "costs are no numbers above 0"
    return "" if isinstance(found.get("unit", ""), str) else "the unit of costs is no text"


def of_level(level: float) -> SideCosts:
    """Costs, of a sum of 1, that this quantile is best for: those of its pinball loss."""
    return SideCosts(level, 1 - level)


def side_costs_of(state: Json) -> SideCosts | None:
    """The costs that the state of an answered number keeps; None: it keeps none."""
    found = state.get("costs")
    return SideCosts(found["under"], found["over"], found.get("unit", "")) if found else None


def side_fault(found: Any) -> str:
    """What is wrong with the costs of an artifact that answers numbers; '' when nothing is."""
    if not isinstance(found, dict) or found.get("by") not in (CONSTANT, BY_WIDTH):
        return f"costs are {str(found)[:60]}, expected those of a unit too low and too high"
    under, over, amount = (found.get(name) for name in ("under", "over", "amount"))
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in (under, over, amount)):
        return "costs are no finite numbers"
    if not (isinstance(under, int | float) and isinstance(over, int | float) and under > 0 and over > 0):
        return "costs are no numbers above 0"
    return "" if isinstance(found.get("unit", ""), str) else "the unit of costs is no text"


def fault(found: Any, n_classes: int) -> str:
    """What is wrong with the costs of an artifact; '' when nothing is."""
    matrix = found.get("matrix") if isinstance(found, dict) else None
    if (
        not isinstance(matrix, list | tuple)
        or [len(row) for row in matrix if isinstance(row, list | tuple)] != [n_classes] * n_classes
    ):
        return f"costs are {str(found)[:60]}, expected a row and a column a label"
    review = found.get("review")
    numbers = [*(each for row in matrix for each in row), *([] if review is None else [review])]
    if not all(isinstance(each, int | float) and math.isfinite(each) and each >= 0 for each in numbers):
        return "costs are no numbers from 0 on"
    return "" if isinstance(found.get("unit", ""), str) else "the unit of costs is no text"


def table_of(state: Json) -> CostTable | None:
    """The costs that the state of an output keeps; None: it keeps none."""
    found = state.get("costs")
    if not found:
        return None
    return CostTable(
        tuple(tuple(map(float, row)) for row in found["matrix"]), found.get("review"), found.get("unit", "")
    )
