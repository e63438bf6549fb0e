"""What a better answer is worth in money, what running costs, and from which traffic an own model is cheaper than an
API.

Assumptions are the product's; figures of the model are measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Estimate, LabelMarks
from windlass.planning.product import DAYS_A_MONTH, Prices, Product
from windlass.planning.schedule import capacity
from windlass.planning.schedule.handover import Costs, decided, row_costs
from windlass.records import Json, Row

CHARACTERS_A_TOKEN = (3.0, 4.0, 5.0)
"""Of Latin script: fewest, usual (the usual rule of thumb) and most; a Chinese character is about a token."""
PROMPT_TOKENS, ANSWER_TOKENS = 150, 5
"""Of an API: the instruction that names the labels, and the label that it gives."""
FEW, MOST_EXCHANGE = 3, 1.5
HOURS_A_MONTH = 24 * DAYS_A_MONTH
MOST_ANSWERS = 1e10
"""A month: where the break-even is not below, there is none, as a machine is dearer than the answers that it gives."""


@dataclass(frozen=True)
class AnswerValue:
    """each: what one answer is worth more when the goal's metric gains one whole; month: answers a month; how: where
    `each` is from, in words."""

    each: float
    month: float
    how: str

    def money(self, gain: Estimate) -> Estimate:
        """What a gain in the goal's metric is worth a month."""
        whole = self.each * self.month
        return Estimate(gain.value * whole, gain.low * whole, gain.high * whole)


def worth(product: Product, points: Sequence[Json], validation: Json) -> AnswerValue:
    """Of two labels: how the cost of mistakes, decided by cost, fell along the learning curve. Of more: how accuracy
    rose along it, times what a right answer is worth and a mistake costs."""
    labels = validation.get("labels", [])
    missed = np.array([product.wrong_costs.get(label, product.wrong_cost) for label in labels])
    if len(labels) == 2 and len(points) >= FEW and points[0]["positive"]:
        who = Costs(missed, person_cost(product), product.person_wrong)
        slope = _cost_slope(points, np.array(validation["targets"]), who)
        return AnswerValue(slope, product.month, "the cost of mistakes, each decided by cost, along the learning curve")
    counts = np.array([validation["counts"][label] for label in labels], float)
    usual = float((missed * counts).sum() / counts.sum()) if counts.sum() else product.wrong_cost
    answer = product.right_value + usual
    if not labels:
        return AnswerValue(answer, product.month, "the share of the error that is spared, times a right answer's worth")
    return AnswerValue(
        exchange(points) * answer, product.month, "accuracy along the learning curve, times a right answer's worth"
    )


def _cost_slope(points: Sequence[Json], targets: np.ndarray, who: Costs) -> float:
    """How much less an answer costs when the metric gains one (least squares over all trainings); 0 or more."""
    scores, paid_each = [], []
    for point in points:
        for score, positive in zip(point["scores"], point["positive"], strict=True):
            probabilities = np.stack([1 - np.array(positive), np.array(positive)], axis=1)
            scores.append(score)
            paid_each.append(row_costs(targets, decided(probabilities, who), who).mean())
    if np.ptp(scores) < 0.005:
        return 0.0
    return max(0.0, -float(np.polyfit(scores, paid_each, 1)[0]))


def exchange(points: Sequence[Json]) -> float:
    """Gain in accuracy for a gain of one in the goal's metric, as it was along the learning curve (least squares); 1
    where that is not known."""
    if not points or not points[0]["accuracies"]:
        return 1.0
    scores = np.array([np.mean(point["scores"]) for point in points])
    accuracies = np.array([np.mean(point["accuracies"]) for point in points])
    if len(scores) < FEW or np.ptp(scores) < 0.005:
        return 1.0
    slope = float(np.polyfit(scores, accuracies, 1)[0])
    return min(max(slope, 0.0), MOST_EXCHANGE)


def person_cost(product: Product) -> float:
    """What the time of a person for one case costs."""
    return product.case_minutes / 60 * product.hour_cost


def costs(product: Product, marks: LabelMarks) -> Costs:
    """What mistakes, and cases that a person takes, cost for the labels of these marks."""
    missed = np.array([product.wrong_costs.get(label, product.wrong_cost) for label in marks.labels])
    return Costs(missed, person_cost(product), product.person_wrong)


def running(seconds: float, product: Product, prices: Prices) -> tuple[capacity.Capacity, float]:
    """The cheapest machines of the price list that carry the peak, the smaller of equal ones; what they cost a month.

    Args: seconds: of a processor, for one answer.
    """
    month, cores = _cheapest(seconds, product.peak, prices)
    return capacity.plan(seconds, product.peak, cores), month


def rent(product: Product, prices: Prices) -> float:
    """What the machines that are there cost a month."""
    return product.machines * prices.machine_hour * HOURS_A_MONTH


def _cheapest(seconds: float, peak: float, prices: Prices) -> tuple[float, int]:
    """What the cheapest machines for the peak cost a month, and the cores of each."""
    offers = [(prices.machine_cores, prices.machine_hour)]
    if prices.large_machine_cores and prices.large_machine_hour:
        offers.append((prices.large_machine_cores, prices.large_machine_hour))
    found = [(capacity.machines(seconds, peak, cores) * hour * HOURS_A_MONTH, cores) for cores, hour in offers]
    return min(found, key=lambda pair: pair[0])


@dataclass(frozen=True)
class Comparison:
    """An own model against an API, in money. own: a month, machines and upkeep; api: a month at the product's traffic,
    with the uncertainty of tokens; api_thousand: of 1,000 answers; busy_thousand: of machine time for 1,000 answers at
    60 % of capacity; even: answers a month from which own is cheaper, all counted (low and high as the API price;
    infinite: never); even_machines: the same of machines alone, as an API wants looking after too."""

    own: float
    machines: float
    upkeep: float
    api: Estimate
    api_thousand: Estimate
    busy_thousand: float
    even: Estimate
    even_machines: Estimate


def compare(seconds: float, product: Product, prices: Prices, characters: tuple[float, float]) -> Comparison:
    """An own model against an API at this traffic.

    Args: seconds: of a processor, for one own answer. characters: mean of one row, Latin and Chinese apart.
    """
    upkeep = product.upkeep_hours * product.hour_cost
    needed, machines = running(seconds, product, prices)
    each = [api_answer(characters, share, prices) for share in CHARACTERS_A_TOKEN]  # dear to cheap
    if product.api_thousand is not None:
        each = [product.api_thousand / 1_000] * 3
    even, bare = ([break_even(price, seconds, fixed, (product, prices)) for price in each] for fixed in (upkeep, 0.0))
    hour = machines / needed.machines / HOURS_A_MONTH
    return Comparison(
        machines + upkeep,
        machines,
        upkeep,
        Estimate(*(price * product.month for price in (each[1], each[2], each[0]))),
        Estimate(*(1_000 * price for price in (each[1], each[2], each[0]))),
        1_000 * hour / 3_600 / needed.answers_a_second / capacity.BUSIEST,
        Estimate(even[1], even[0], even[2]),
        Estimate(bare[1], bare[0], bare[2]),
    )


def break_even(price: float, seconds: float, fixed: float, known: tuple[Product, Prices]) -> float:
    """The fewest answers a month for which an API asks as much as the own machines, and what is fixed, cost; infinite
    when it never does. The peak grows with the traffic, and so do the machines.

    Args: price: of one answer by the API. fixed: money a month. known: product and prices.
    """
    product, prices = known
    answers = 0.0
    while answers < MOST_ANSWERS:
        cost = _cheapest(seconds, product.peak * answers / product.month, prices)[0] + fixed
        if cost <= price * answers * (1 + 1e-9):
            return answers
        answers = cost / price if price else math.inf
    return math.inf


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
