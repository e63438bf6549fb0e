"""What if: another traffic, budget or deadline, and what that changes."""

import re
from dataclasses import dataclass
from datetime import date

from windlass.errors import SpecError
from windlass.pages.text.roadmap_text import cheaper
from windlass.pages.text.words import amount, share
from windlass.planning.product import Product
from windlass.records import Roadmap

TIMES = re.compile(r"(\d+(?:\.\d+)?)x\Z")


@dataclass(frozen=True)
class WhatIf:
    """What would be otherwise, as it was typed; empty: as in product.yaml.

    traffic: answers a day, or '10x' as many; budget: money; deadline: an ISO date; hours: a week.
    """

    traffic: str = ""
    budget: str = ""
    deadline: str = ""
    hours: str = ""

    @property
    def words(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in vars(self).items() if value)


def changed(product: Product, wish: WhatIf) -> Product:
    """The product as it would be. Raises: SpecError: what is typed is no number, or no date."""
    updates: dict[str, object] = {}
    if wish.traffic:
        found = TIMES.match(wish.traffic)
        factor = float(found[1]) if found else _number("traffic", wish.traffic) / product.requests_a_day
        updates["requests_a_day"] = product.requests_a_day * factor
        if product.peak_a_second is not None:
            updates["peak_a_second"] = product.peak_a_second * factor
    if wish.budget:
        updates["budget"] = _number("budget", wish.budget)
    if wish.hours:
        updates["hours_a_week"] = _number("hours", wish.hours)
    if wish.deadline:
        updates["deadline"] = _date(wish.deadline)
    if any(isinstance(value, float) and value <= 0 for name, value in updates.items() if name != "budget"):
        raise SpecError(f"what if is '{wish.words}', expected numbers above 0")
    return product.model_copy(update=updates)


def _number(name: str, text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = float("nan")
    if not 0 <= value < 1e15:
        raise SpecError(f"--{name} is '{text}', expected a number" + (" or a factor such as 10x" * (name == "traffic")))
    return value


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SpecError(f"--deadline is '{text}', expected a date such as 2027-03-01") from None


def differences(before: Roadmap, after: Roadmap) -> list[str]:
    """What the wish changes, in sentences; one that says so when it changes nothing."""
    currency = after.currency
    old, new = {item.id: item for item in before.chosen}, {item.id: item for item in after.chosen}
    found = [f"Added: {new[name].what} (by {new[name].finishes})." for name in new if name not in old]
    for name in old.keys() - new.keys():
        why = next((item.left_out for item in after.items if item.id == name), "no longer proposed")
        found.append(f"Dropped: {old[name].what}: {why}.")
    found += [
        f"Moved: {new[name].what}: by {new[name].finishes} instead of {old[name].finishes}."
        for name in new
        if name in old and new[name].finishes != old[name].finishes
    ]
    for words, key, group in (
        ("machines at the peak", "machines", "service"),
        ("cost of running a month", "own", "money"),
        ("cost of an API a month", "api", "money"),
        ("cost of 1,000 own answers", "own_thousand", "money"),
        ("answers a month from which your own is cheaper than an API", "even", "money"),
        ("cost of the plan", "cost", "money"),
        ("earned a month", "earned_month", "money"),
        ("months that the rest of the budget lasts", "runway_months", "money"),
    ):
        one, two = (_value(getattr(each, group).get(key)) for each in (before, after))
        if one is not None and two is not None and abs(one - two) > 0.005 * max(abs(one), abs(two)):
            told = [_told(value, key, currency) for value in (two, one)]
            found.append(f"{words[0].upper()}{words[1:]}: {told[0]} instead of {told[1]}.")
    found += _cheaper(before, after)
    found += _quality(before, after)
    return sorted(found) or ["Nothing changes."]


def _told(value: float, key: str, currency: str) -> str:
    if key in ("machines", "runway_months", "even"):
        return f"{value:,.0f}"
    return amount(value, currency)


def _cheaper(before: Roadmap, after: Roadmap) -> list[str]:
    """That the other one of own and API is the cheaper one."""
    now, then = (cheaper(each.money) for each in (before, after))
    return [] if now == then else [f"Cheaper, all counted: {then} (at today's traffic: {now})."]


def _value(found: object) -> float | None:
    if isinstance(found, dict):
        found = found.get("value")
    return float(found) if isinstance(found, int | float) else None


def _quality(before: Roadmap, after: Roadmap) -> list[str]:
    ends = [max((each["score"] for each in plan.milestones if each["score"]), default=None) for plan in (before, after)]
    if ends[0] == ends[1] or None in ends:
        return []
    return [f"Score at the end: {share(ends[1])} instead of {share(ends[0])}."]
