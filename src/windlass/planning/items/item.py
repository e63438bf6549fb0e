"""How an item is declared: what is particular of it is said, what follows from that or is usual is filled in."""

from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from windlass.metrics.measures import Estimate
from windlass.planning.context import Setting
from windlass.planning.evidence import curves
from windlass.records import Item, Json

REAL = 0.005
"""A gain that counts: half a point."""


class Until(NamedTuple):
    """Done as soon as this measure (planning/schedule/promises.py names them) has come to the bound."""

    measure: str
    bound: float
    at_most: bool


def at_least(measure: str, bound: float) -> Until:
    return Until(measure, float(bound), False)


def at_most(measure: str, bound: float) -> Until:
    return Until(measure, float(bound), True)


def item(setting: Setting, until: Until, **said: Any) -> Item:
    """An item that costs nothing and of which no gain can be told, where nothing else is said.

    Of a gain follow its money, by what a right answer is worth, and where it was measured the chance that there is one.
    """
    gain, is_measured = said.get("gain"), said["sure"] == "measured"
    usual = {
        "gain": None,
        "money": setting.worth.money(gain) if gain is not None else None,
        "chance": chance_of(gain) if gain is not None and is_measured else None,
        "cost": 0.0,
    }
    return Item(**until._asdict(), **usual | said)


def forecast(draws: np.ndarray) -> Json:
    """The gain of a learning curve, and the chance that it counts. draws: (n,) of the gain."""
    return {"gain": curves.summary(draws), "chance": float((draws >= REAL).mean()), "sure": "forecast"}


def chance_of(gain: Estimate) -> float:
    """That a gain with this interval is above 0, if it is spread normally."""
    spread = max((gain.high - gain.low) / 3.92, 1e-9)
    return 1 - NormalDist(gain.value, spread).cdf(0.0)


def points_of(gain: Estimate) -> str:
    """A gain in hundredths: `+1.2 points [+0.4, +2.0]`."""
    return f"{100 * gain.value:+.1f} points [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
