"""What answers cost: the answer whose expected cost is least, and where a person's look is cheaper than any.

`probabilities` are (n, k) float and calibrated; costs are per row, in the unit of the table.
Source: Elkan 2001, The foundations of cost-sensitive learning (IJCAI); Chow 1970, IEEE Trans. Inf. Theory 16(1)
        (handing over).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

Array = np.ndarray
Json = dict[str, Any]
COST = "cost"
"""The metric: what a row costs on average, people's looks with it; less is better."""


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
