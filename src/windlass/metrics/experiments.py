"""An experiment between two ways of answering: how many answers it needs, and when it may be ended.

Rates are shares of answers that came to something, such as a click or a purchase.
Source: Fleiss, Levin & Paik 2003, Statistical methods for rates and proportions, ch. 4 (sizes); Robbins 1970, Annals of
        Mathematical Statistics 41(5), and Johari et al. 2022, Operations Research 70(3) (looking at any time).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from windlass.errors import DataError
from windlass.metrics.measures import Estimate
from windlass.metrics.proportions import Proportion

RISK, POWER = 0.05, 0.8
LEAST_HITS = 10
"""Hits and misses of each side, below which nothing is said: the bounds are right for many."""


def answers_needed(rate: float, gain: float, risk: float = RISK, power: float = POWER) -> int:
    """How many answers each side needs, so that a gain of `gain` over `rate` is found with a chance of `power`.

    Args: rate, gain: shares, such as 0.10 and 0.02; risk: of seeing a difference where none is, looked at once.
    Raises: DataError: there is no such rate, or no gain.
    """
    other = rate + gain
    if not (0 < rate < 1 and 0 < other < 1 and gain):
        raise DataError(f"rate is {rate:g} and its gain {gain:g}, expected both rates between 0 and 1, and different")
    mean, normal = (rate + other) / 2, NormalDist()
    alike = normal.inv_cdf(1 - risk / 2) * math.sqrt(2 * mean * (1 - mean))
    apart = normal.inv_cdf(power) * math.sqrt(rate * (1 - rate) + other * (1 - other))
    return math.ceil(((alike + apart) / gain) ** 2)


@dataclass(frozen=True)
class SequentialTest:
    """A test of two rates that may be looked at every day and ended at any time: its risk holds for all looks together.

    gain: the difference that one hopes to see, by which the mixture is tuned; the risk holds whatever it is.
    """

    gain: float
    risk: float = RISK

    def difference(self, new: Proportion, old: Proportion) -> Estimate:
        """New less old, with the interval that holds at all looks together; no bounds while there is too little."""
        if min(new.n, old.n) == 0:
            return Estimate(float("nan"), float("-inf"), float("inf"))
        rates = [side.hits / side.n for side in (new, old)]
        value = rates[0] - rates[1]
        if any(min(side.hits, side.n - side.hits) < LEAST_HITS for side in (new, old)):
            return Estimate(value, float("-inf"), float("inf"))
        variance = sum(rate * (1 - rate) / side.n for rate, side in zip(rates, (new, old), strict=True))
        spread = self.gain**2
        both = variance + spread
        half = math.sqrt(variance * both / spread * (2 * math.log(1 / self.risk) + math.log(both / variance)))
        return Estimate(value, value - half, value + half)

    def verdict(self, new: Proportion, old: Proportion) -> str:
        """`better`, `worse`, or `open`: go on."""
        found = self.difference(new, old)
        return "better" if found.low > 0 else "worse" if found.high < 0 else "open"
