"""The goal of a product: a metric, and the value that is good enough; what each kind of output can be asked for."""

import re
from dataclasses import dataclass

from windlass.errors import did_you_mean, expected
from windlass.metrics.alarms import ALARM_METRICS
from windlass.metrics.citations import CITED_METRICS
from windlass.metrics.costs import COST
from windlass.metrics.detection import BOX_METRICS
from windlass.metrics.forecasts import FORECAST_METRICS
from windlass.metrics.measures import LOWER, METRICS
from windlass.metrics.numbers import NUMBER_METRICS
from windlass.metrics.recommendations import ITEM_METRICS
from windlass.metrics.segmentation import MASK_METRICS
from windlass.metrics.tags import TAG_METRICS
from windlass.metrics.texts import BITS, PASSES, TEXT_METRICS
from windlass.strict_yaml import Strict


class Goal(Strict):
    """The metric that decides, and the value that is good enough (none: as good as possible)."""

    metric: str
    bound: float | None = None
    unit: str = ""

    @property
    def words(self) -> str:
        """With the unit of the bound, where it has one."""
        return f"{self} {self.unit}".rstrip() if self.bound is not None else str(self)

    def __str__(self) -> str:
        sign = "<=" if self.metric in LOWER else ">="
        return self.metric if self.bound is None else f"{self.metric} {sign} {self.bound:g}"


@dataclass(frozen=True)
class Asked:
    """What an output can be asked for: its metrics, and a goal as an example."""

    metrics: tuple[str, ...]
    example: str


GOALS = {
    "category": Asked((*METRICS, COST), "macro_f1 >= 0.90"),
    "text": Asked((*TEXT_METRICS, BITS, *PASSES), "chrf >= 0.50"),
    "number": Asked((*NUMBER_METRICS, COST), "mae <= 100"),
    "forecast": Asked(tuple(FORECAST_METRICS), "mase <= 0.9"),
    "tags": Asked(TAG_METRICS, "micro_f1 >= 0.80"),
    "anomaly": Asked(ALARM_METRICS, "found_within_a_day >= 0.90"),
    "cited": Asked(CITED_METRICS, "answer_accuracy >= 0.80"),
    "boxes": Asked(BOX_METRICS, "map50 >= 0.80"),
    "items": Asked(ITEM_METRICS, "ndcg_at_10 >= 0.10"),
    "masks": Asked(MASK_METRICS, "mask_dice >= 0.80"),
}
"""Kind of the output -> what it can be asked for."""
ALL_METRICS = tuple(dict.fromkeys(name for asked in GOALS.values() for name in asked.metrics))
ANY_GOAL = Asked(ALL_METRICS, "macro_f1 >= 0.90")


def parse_goal(text: str, asked: Asked = ANY_GOAL) -> Goal:
    """The goal from `macro_f1`, `macro_f1 >= 0.9`, or `bits_per_byte <= 2` where less is better.

    Args:   asked: what the output can be asked for; messages name that.
    Raises: ValueError: another form, an unknown metric, or a share outside 0-1.
    """
    if not text:
        return Goal(metric="")
    match = re.fullmatch(r"\s*([a-z0-9_]+)\s*(?:([<>]=)\s*([0-9.]+)\s*)?", text)
    if not match:
        raise ValueError(_other_form(text, asked))
    metric, sign, number = match.groups()
    if metric not in ALL_METRICS:
        raise ValueError(
            f"metric '{metric}', expected {expected(asked.metrics)}. {did_you_mean(metric, asked.metrics)}".rstrip()
        )
    if number is None:
        return Goal(metric=metric)
    wanted = "<=" if metric in LOWER else ">="
    if sign != wanted:
        raise ValueError(f"expected '{metric} {wanted} <number>'")
    try:
        bound = float(number)
    except ValueError:
        raise ValueError(f"expected a number after '{wanted}'") from None
    if metric not in LOWER and not 0 <= bound <= 1:
        raise ValueError("expected a share between 0 and 1 (0.9, not 90)")
    return Goal(metric=metric, bound=bound)


def _other_form(text: str, asked: Asked) -> str:
    """How the goal is written: with its own metric and number where it names them, else with an example."""
    found = re.match(r"\s*([a-z0-9_]+)\s*[<>=]*\s*([0-9]+(?:\.[0-9]+)?)?\s*\Z", text)
    metric, number = found.groups() if found else ("", None)
    if metric not in asked.metrics:
        metric, example = asked.example.split(maxsplit=1)[0], asked.example
    else:
        given = number if number is not None and (metric in LOWER or float(number) <= 1) else None
        sign, usual = ("<=", "100") if metric in LOWER else (">=", "0.90")
        example = f"{metric} {sign} {given or usual}"
    return f"expected '<metric> {'<=' if metric in LOWER else '>='} <number>', such as '{example}'"
