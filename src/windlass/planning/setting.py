"""What every proposal is made from: the evidence, the product, the prices, and what follows from them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from windlass.metrics import LOWER, Estimate
from windlass.planning.evidence import Evidence, goal_bound
from windlass.planning.handover import Handover, handover
from windlass.planning.product import Prices, Product, label_cost
from windlass.planning.slices import Slice, Unequal, unequal, weak_slices
from windlass.planning.worth import Comparison, Worth, characters, compare, costs, worth
from windlass.records import Item

MOST_READ = 500
"""Rows whose length is measured for what an API would cost."""


@dataclass(frozen=True)
class Setting:
    """Evidence and assumptions; what is derived from them is worked out once, when it is first asked for."""

    evidence: Evidence
    product: Product
    prices: Prices

    @property
    def label_cost(self) -> float:
        return label_cost(self.product, self.prices)

    @property
    def n_labels(self) -> int:
        return len(self.evidence.marks.labels) if self.evidence.marks is not None else 0

    @cached_property
    def goal(self) -> float | None:
        return goal_bound(self.evidence)

    @property
    def missing_points(self) -> float:
        """What the score lacks to the goal; 0 or less when it is met, or nothing is asked for."""
        today = self.evidence.today
        if self.goal is None or today is None or self.evidence.metric in LOWER:
            return 0.0
        return self.goal - today.value

    @cached_property
    def worth(self) -> Worth:
        return worth(self.product, self.evidence.points, self.evidence.prepared.labels.get("test", {}))

    @cached_property
    def handover(self) -> Handover | None:
        marks = self.evidence.marks
        return None if marks is None else handover(marks, costs(self.product, marks), self.evidence.spec.seed)

    @cached_property
    def comparison(self) -> Comparison:
        rows = self.evidence.splits.test.head(MOST_READ).to_dicts()
        return compare(self.evidence.best, self.product, self.prices, characters(rows, self.evidence.spec.inputs))

    @cached_property
    def right(self) -> np.ndarray:
        """(n,) whether each test row was answered right."""
        assert self.evidence.marks is not None
        return self.evidence.marks.probabilities.argmax(1) == self.evidence.marks.targets

    @cached_property
    def weak(self) -> list[Slice]:
        if self.evidence.marks is None:
            return []
        return weak_slices(self.evidence.splits.test.to_dicts(), self.evidence.spec.inputs, self.right)

    @cached_property
    def unequal(self) -> list[Unequal]:
        marks = self.evidence.marks
        if marks is None:
            return []
        marked = {name: self.evidence.spec.inputs[name] for name in self.product.sensitive}
        rows = self.evidence.splits.test.to_dicts()
        return unequal(rows, marked, marks.targets, marks.probabilities.argmax(1), marks.labels)


def item(setting: Setting, **values: Any) -> Item:
    """An item; where only the gain is known, its money follows from what a right answer is worth."""
    gain = values.get("gain")
    values.setdefault("money", setting.worth.money(gain) if gain is not None else None)
    return Item(**values)


def points_of(gain: Estimate) -> str:
    """A gain in hundredths: `+1.2 points [+0.4, +2.0]`."""
    return f"{100 * gain.value:+.1f} points [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
