"""What a better answer is worth in money, what running costs, and from which traffic on an own model is cheaper than
an API.

Assumptions are the product's; figures of the model are measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.metrics import Estimate, LabelMarks
from windlass.planning import capacity
from windlass.planning.handover import Costs
from windlass.planning.product import DAYS_A_MONTH, Prices, Product
from windlass.records import Candidate, Json, Row

CHARACTERS_A_TOKEN = (3.0, 4.0, 5.0)
"""Of Latin script, fewest, usual and most; a Chinese character is about a token. Source: OpenAI's rule of thumb of
4."""
PROMPT_TOKENS, ANSWER_TOKENS = 150, 5
"""Of an API: the instruction that names the labels, and the label that it gives."""
FEW, MOST_EXCHANGE = 3, 1.5
HOURS_A_MONTH = 24 * DAYS_A_MONTH


@dataclass(frozen=True)
class Worth:
    """exchange: what accuracy gains when the goal's metric gains one; month: answers a month; answer: what one more
    right answer is worth, its value and the mistake that it spares."""

    exchange: float
    month: float
    answer: float

    def money(self, gain: Estimate) -> Estimate:
        """What a gain in the goal's metric is worth a month."""
        each = self.exchange * self.month * self.answer
        return Estimate(gain.value * each, gain.low * each, gain.high * each)


def worth(product: Product, points: Sequence[Json], labels: dict[str, int]) -> Worth:
    """labels: class -> rows, which weigh what a mistake costs."""
    total = sum(labels.values())
    missed = (
        sum(count * product.wrong_costs.get(label, product.wrong_cost) for label, count in labels.items()) / total
        if total
        else product.wrong_cost
    )
    return Worth(exchange(points), product.month, product.right_value + missed)


def exchange(points: Sequence[Json]) -> float:
    """Gain in accuracy for a gain of one in the goal's metric, as it was along the learning curve (least squares); 1
    where that is not known."""
    scores = np.array([np.mean(point["scores"]) for point in points])
    accuracies = np.array([np.mean(point["accuracies"]) for point in points])
    if len(scores) < FEW or np.ptp(scores) < 0.005:
        return 1.0
    slope = float(np.polyfit(scores, accuracies, 1)[0])
    return min(max(slope, 0.0), MOST_EXCHANGE)


def costs(product: Product, marks: LabelMarks) -> Costs:
    """What mistakes and cases that a person takes cost, for the classes of these marks. A right answer earns nothing
    here that a person would not: both are right."""
    missed = np.array([product.wrong_costs.get(label, product.wrong_cost) for label in marks.labels])
    return Costs(missed, product.case_minutes / 60 * product.hour_cost)


def running(candidate: Candidate, product: Product, prices: Prices) -> tuple[capacity.Capacity, float]:
    """The machines that a candidate needs, and what they cost a month."""
    found = capacity.plan(candidate.latency_p50_ms, product.peak, prices.machine_cores)
    return found, found.machines * prices.machine_hour * HOURS_A_MONTH


@dataclass(frozen=True)
class Comparison:
    """own: a month, machines and upkeep; api: a month at the product's traffic, with the uncertainty of tokens;
    even: answers a month from which own is cheaper (low and high as the API price)."""

    own: float
    machines: float
    upkeep: float
    api: Estimate
    even: Estimate


def compare(candidate: Candidate, product: Product, prices: Prices, characters: tuple[float, float]) -> Comparison:
    """An own model against an API at this traffic.

    Args: characters: mean of one row, Latin and Chinese apart.
    """
    _, machines = running(candidate, product, prices)
    upkeep = product.upkeep_hours * product.hour_cost
    each = [api_answer(characters, share, prices) for share in CHARACTERS_A_TOKEN]  # dear to cheap
    own = machines + upkeep
    even = [own / price if price else math.inf for price in each]
    return Comparison(
        own,
        machines,
        upkeep,
        Estimate(*(price * product.month for price in (each[1], each[2], each[0]))),
        Estimate(even[1], even[0], even[2]),
    )


def api_answer(characters: tuple[float, float], characters_a_token: float, prices: Prices) -> float:
    """The price of one answer by an API."""
    read = PROMPT_TOKENS + characters[0] / characters_a_token + characters[1]
    return (read * prices.api_input_million + ANSWER_TOKENS * prices.api_output_million) / 1e6


def characters(rows: Sequence[Row], inputs: dict[str, str]) -> tuple[float, float]:
    """Mean characters of a row as an API would read it, names of the columns included: Latin, and Chinese."""
    latin = chinese = 0
    for row in rows:
        for name in inputs:
            text = f"{name}: {row.get(name)}\n"
            found = sum("\u4e00" <= sign <= "\u9fff" for sign in text)
            latin, chinese = latin + len(text) - found, chinese + found
    return latin / max(len(rows), 1), chinese / max(len(rows), 1)


def training_seconds(points: Sequence[Json], rows: float) -> float:
    """Seconds of one training with so many rows: a power law through the measured ones, exponent between 0 and 2."""
    found = [(point["rows"], point["seconds"]) for point in points if point["seconds"] > 0]
    if not found:
        return 0.0
    x, y = np.log([pair[0] for pair in found]), np.log([pair[1] for pair in found])
    slope = float(np.polyfit(x, y, 1)[0]) if len(found) >= FEW else 1.0
    return float(found[-1][1] * (rows / found[-1][0]) ** min(max(slope, 0.0), 2.0))
