"""What makes one set of numbers better than another: pure functions of right and given numbers.

All take `targets` (n,) and `values` (n,) float, in the unit of the output; errors are in that unit, and less is better.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from windlass.metrics.costs import COST, SideCosts
from windlass.metrics.measures import Array, Estimate, Marks, wilson

SHARE = 0.9
"""Of right numbers that lie inside the interval of an answer."""
COVERAGE, SKILL = "coverage_90", "skill"
WIDTH, PINBALL = "width_90", "pinball_90"


def mae(targets: Array, values: Array) -> float:
    """Mean absolute error."""
    return float(np.abs(targets - values).mean())


def rmse(targets: Array, values: Array) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(((targets - values) ** 2).mean()))


def medae(targets: Array, values: Array) -> float:
    """Median absolute error: one answer in two is nearer."""
    return float(np.median(np.abs(targets - values)))


def r2(targets: Array, values: Array) -> float:
    """The share of the variance that the answers tell, at most 1; NaN where all right numbers are the same.

    Source: coefficient of determination, Draper & Smith 1998, Applied Regression Analysis, ch. 1.
    """
    spread = float(((targets - targets.mean()) ** 2).sum())
    return 1 - float(((targets - values) ** 2).sum()) / spread if spread > 0 else float("nan")


def mape(targets: Array, values: Array) -> float:
    """Mean absolute error as a share of the right number. Rows whose right number is 0 have no such share and are left
    out, where scikit-learn divides by the least float instead; NaN where all are."""
    there = targets != 0
    return float((np.abs(targets - values)[there] / np.abs(targets[there])).mean()) if there.any() else float("nan")


def pinball(targets: Array, low: Array, high: Array) -> float:
    """Mean pinball loss of the two ends of an interval, as the quantiles that they are.

    Source: Koenker & Bassett 1978, Econometrica 46(1).
    """
    sides = ((low, (1 - SHARE) / 2), (high, (1 + SHARE) / 2))
    losses = [np.maximum(share * (targets - end), (share - 1) * (targets - end)) for end, share in sides]
    return float(np.mean(losses))


NUMBER_METRICS: dict[str, Callable[[Array, Array], float]] = {
    "mae": mae,
    "rmse": rmse,
    "r2": r2,
    "medae": medae,
    "mape": mape,
}
IN_UNIT = ("mae", "rmse", "medae", WIDTH, PINBALL)
"""Metrics in the unit of the answer."""
ABSOLUTE = frozenset({"mae", "medae", "mape", COST})
"""Metrics that an error of twice the size makes twice as bad."""
LOSSES: dict[str, Callable[[Array, Array], Array]] = {
    "mae": lambda targets, values: np.abs(targets - values),
    "rmse": lambda targets, values: np.square(targets - values),
    "r2": lambda targets, values: np.square(targets - values),
    "medae": lambda targets, values: np.abs(targets - values),
    "mape": lambda targets, values: np.abs(targets - values) / np.where(targets == 0, np.inf, np.abs(targets)),
}
"""Metric -> what one row loses by right and given numbers; less is better."""


@dataclass(frozen=True)
class NumberMarks:
    """A candidate's answers on rows whose number is known. half: of the width of their intervals; None: no such.
    floor: where they are cut, as no training row lies below; None: nowhere. ends: (n, 2) of intervals whose width
    follows the row, cut already, of which half is the median then; None: all are as wide, around the answer.
    costs: of a unit too little and too much, by which the answers lean to a side. unit: what they count; '' = not said.
    """

    targets: Array
    values: Array
    half: float | None = None
    floor: float | None = None
    ends: Array | None = None
    costs: SideCosts | None = None
    unit: str = ""

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def metrics(self) -> tuple[str, ...]:
        has_shares = bool((self.targets != 0).any())
        found = [name for name in NUMBER_METRICS if has_shares or name != "mape"]
        found += [COST] * (self.costs is not None)
        return (*found, *([COVERAGE, WIDTH, PINBALL] if self.half is not None else []))

    @property
    def calibration_error(self) -> float | None:
        """None: a number is given with an interval, whose coverage is a metric."""
        return None

    @property
    def residuals(self) -> Array:
        """Right less given numbers, (n,)."""
        return self.targets - self.values

    @property
    def sides(self) -> tuple[Array, Array]:
        """Low and high of each interval, (n,)."""
        if self.ends is not None:
            return self.ends[:, 0], self.ends[:, 1]
        return interval_ends(self.values, np.inf if self.half is None else self.half, self.floor)

    @property
    def inside(self) -> Array:
        """Which right numbers lie inside the interval, (n,) bool."""
        if self.ends is not None:
            return np.asarray((self.ends[:, 0] <= self.targets) & (self.targets <= self.ends[:, 1]))
        return is_inside(self.targets, self.values, np.inf if self.half is None else self.half, self.floor)

    def value(self, metric: str, rows: Array | None = None) -> float:
        """The metric of all rows, or of these (a row may be named several times)."""
        chosen = slice(None) if rows is None else rows
        if metric == COVERAGE:
            return float(self.inside[chosen].mean())
        if metric in (WIDTH, PINBALL):
            low, high = self.sides
            if metric == WIDTH:
                return float((high - low)[chosen].mean())
            return pinball(self.targets[chosen], low[chosen], high[chosen])
        if metric == COST:
            costs = self.costs
            return float("nan") if costs is None else float(costs.of(self.targets[chosen], self.values[chosen]).mean())
        return NUMBER_METRICS[metric](self.targets[chosen], self.values[chosen])

    def exact(self, metric: str) -> Estimate | None:
        """What lies inside is a share."""
        return wilson(float(self.inside.sum()), len(self)) if metric == COVERAGE else None


@dataclass(frozen=True)
class SkillMarks:
    """The same answers in the share of an error that they spare. least: what it is of what costs no model, above 0:
    of numbers the best answer that is always the same, of forecasts the last season again.

    Source: skill score, Murphy 1988, Monthly Weather Review 116(12).
    """

    marks: Marks
    metric: str
    least: float

    def __len__(self) -> int:
        return len(self.marks)

    @property
    def metrics(self) -> tuple[str, ...]:
        return (SKILL,)

    @property
    def calibration_error(self) -> float | None:
        return None

    def value(self, metric: str, rows: Array | None = None) -> float:
        return 1 - self.marks.value(self.metric, rows) / self.least

    def exact(self, metric: str) -> Estimate | None:
        return None


def interval_ends(values: Array, half: float, floor: float | None = None) -> tuple[Array, Array]:
    """(n,) low and (n,) high: half to each side of the numbers, cut at the floor, where there is one. No right number
    that is at least the floor falls out by that."""
    low, high = values - half, values + half
    return (low, high) if floor is None else (np.maximum(low, floor), np.maximum(high, floor))


def is_inside(targets: Array, values: Array, half: float, floor: float | None = None) -> Array:
    """(n,) bool: the right numbers lie inside the interval, its ends included."""
    near = np.abs(targets - values) <= half
    if floor is None:
        return np.asarray(near)
    return np.asarray((near & (targets >= floor)) | ((targets == floor) & (values + half < floor)))


def half_width(residuals: Array, share: float = SHARE) -> float | None:
    """So far from an answer lies, of this share of all rows, the right number at most; None: too few rows to say.

    Args:   residuals: (n,) of rows that the model had not seen.
    Source: split conformal prediction, Vovk et al. 2005, Algorithmic learning in a random world; Lei et al. 2018,
            Distribution-free predictive inference for regression, JASA 113(523), algorithm 2.
    """
    n_rows = len(residuals)
    place = int(np.ceil((n_rows + 1) * share))
    return float(np.sort(np.abs(residuals))[place - 1]) if 0 < place <= n_rows else None
