"""Which items are worth doing within budget, hours and deadline: the best set of all, by branch and bound.

First counts what closes a gap between today and the goal, then what earns most within a year, less its cost and the
team's
hours. Several gains in quality together bring less than their sum: each wins its part of the mistakes that are left.
Source: branch and bound, Land & Doig 1960; project selection with precedence, Kellerer et al. 2004, Knapsack
Problems, ch. 13.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from windlass.planning.schedule.scheduling import schedule
from windlass.records import Item

YEAR_DAYS = 365.25
MONTH_DAYS = YEAR_DAYS / 12
MOST_ITEMS = 14
"""Of which every set is considered; of more, those with the least to say for them are left out beforehand."""


@dataclass(frozen=True)
class Bounds:
    """What a plan may take. budget: money; hours_a_week: of the team; days: until the deadline; hour_cost: money.

    headroom: what the score can gain at most; missing: what it lacks to the goal. closes: id -> gaps that an item
    closes
    beside the one in quality.
    """

    budget: float
    hours_a_week: float
    days: float
    hour_cost: float
    headroom: float
    missing: float
    closes: dict[str, float]


CROWDED = {
    "over the budget": "the budget does not reach for it",
    "not done by the deadline": "it would not be done by the deadline",
    "": "it is worth less than its cost",
}
"""Why what would fit alone does not fit."""
HURDLE = 0.5
"""What earns less than its cost and half as much again within a year is not worth the trouble."""
SLACK = 1e-5
"""Of closed gaps, which are rounded."""


def net(item: Item, bounds: Bounds, finish: float) -> float:
    """What an item earns in the year from today once it is done, less its cost and hours."""
    months = max(YEAR_DAYS - finish, 0.0) / MONTH_DAYS
    earned = (item.money.value if item.money else 0.0) * months
    return earned - item.monthly * months - item.cost - item.hours * bounds.hour_cost


def together(gains: Sequence[float], headroom: float) -> float:
    """What several gains bring at once: each wins its share of the headroom that the others leave."""
    left = 1.0
    for gain in gains:
        left *= 1 - min(gain / headroom, 1.0) if headroom > 0 else 1.0
    return headroom * (1 - left)


def value(items: Sequence[Item], bounds: Bounds) -> tuple[float, float]:
    """(gaps closed, money earned in a year net of cost) of doing these items in this order."""
    slots = schedule(items, bounds.hours_a_week)
    gains = [item.gain.value for item in items if item.gain and item.gain.value > 0]
    whole = together(gains, bounds.headroom)
    part = whole / sum(gains) if gains else 1.0
    money = sum(net(_lessened(item, part), bounds, slots[item.id].finish) for item in items)
    closed = min(whole / bounds.missing, 1.0) if bounds.missing > 0 else 0.0
    return round(closed + sum(bounds.closes.get(item.id, 0.0) for item in items), 6), money


def _lessened(item: Item, part: float) -> Item:
    """The item with the part of its money that is left when others are done too."""
    if item.gain is None or item.money is None or item.gain.value <= 0 or item.money.value <= 0:
        return item
    return replace(item, money=replace(item.money, value=item.money.value * part))


def _best_alone(item: Item, bounds: Bounds) -> tuple[float, float]:
    """At most what an item adds to any set: alone, begun today."""
    money = net(item, bounds, max(item.hours / bounds.hours_a_week * 7, item.days))
    gain = item.gain.value if item.gain else 0.0
    closed = min(max(gain, 0.0) / bounds.missing, 1.0) if bounds.missing > 0 else 0.0
    return closed + bounds.closes.get(item.id, 0.0), money


def choose(items: Sequence[Item], bounds: Bounds) -> list[Item]:
    """The best set of items, in the order in which they are done: what closes a gap, then most money an hour of work
    (Smith 1956).

    Exact for up to 14 items that are worth anything. What an item comes after is only waited for when it is chosen.
    """

    def order(item: Item) -> tuple[bool, float]:
        return _best_alone(item, bounds)[0] > 0, (item.money.value if item.money else 0.0) / max(item.hours, 0.1)

    # 1. Few enough to be looked through: what is worth nothing alone is worth nothing beside others.
    useful = [item for item in items if _is_useful(item, bounds) and not _too_much([item], bounds)]
    likely = sorted(useful, key=lambda item: _best_alone(item, bounds), reverse=True)[:MOST_ITEMS]
    ranked = sorted(likely, key=order, reverse=True)
    alone = [_best_alone(item, bounds) for item in ranked]
    # 2. At most what the items from each place on can still add: the bound that cuts the search short.
    rest = [
        (sum(max(closed, 0.0) for closed, _ in alone[place:]), sum(max(money, 0.0) for _, money in alone[place:]))
        for place in range(len(ranked) + 1)
    ]
    best: tuple[tuple[float, float], list[Item]] = ((0.0, 0.0), [])

    def look(place: int, taken: list[Item], now: tuple[float, float]) -> None:
        nonlocal best
        if now > best[0]:
            best = (now, taken)
        closed, money = now[0] + rest[place][0], _money_bound(taken, bounds) + rest[place][1]
        is_hopeless = closed < best[0][0] - SLACK or (closed < best[0][0] + SLACK and money <= best[0][1])
        if place == len(ranked) or is_hopeless:
            return
        # 3. With the item before without it: a good set is found early, and most of the others are then hopeless.
        item = ranked[place]
        more = [*taken, item]
        if _fits_beside(item, taken) and not _too_much(more, bounds):
            look(place + 1, more, value(more, bounds))
        look(place + 1, taken, now)

    look(0, [], (0.0, 0.0))
    return best[1]


def _outlay(item: Item, bounds: Bounds) -> float:
    """Money and hours, in money."""
    return item.cost + item.hours * bounds.hour_cost


def _is_useful(item: Item, bounds: Bounds) -> bool:
    """It closes a gap, or earns its cost back with something over."""
    closed, money = _best_alone(item, bounds)
    return closed > 0 or money > HURDLE * _outlay(item, bounds)


def _money_bound(taken: Sequence[Item], bounds: Bounds) -> float:
    """At most what the taken items earn: a costly one may have lowered `now`, which others do not mend."""
    return sum(max(_best_alone(item, bounds)[1], net(item, bounds, 0.0)) for item in taken)


def _fits_beside(item: Item, taken: Sequence[Item]) -> bool:
    return not item.instead_of or all(other.instead_of != item.instead_of for other in taken)


def _too_much(items: Sequence[Item], bounds: Bounds) -> str:
    """What these items take more of than there is; empty when they fit."""
    slots = schedule(items, bounds.hours_a_week)
    if sum(item.cost for item in items) > bounds.budget:
        return "over the budget"
    if max((slot.finish for slot in slots.values()), default=0.0) > bounds.days:
        return "not done by the deadline"
    return ""


def why_left_out(item: Item, chosen: Sequence[Item], bounds: Bounds, words: Callable[[float], str]) -> str:
    """Why an item is not in the plan, as a clause. words: an amount of money as text."""
    twin = next((other for other in chosen if item.instead_of and other.instead_of == item.instead_of), None)
    if twin is not None:
        return f"the plan does “{twin.what[0].lower()}{twin.what[1:]}” instead, which is worth more for its cost"
    alone = _too_much([item], bounds)
    if alone == "over the budget":
        return f"it costs {words(item.cost)}, the budget is {words(bounds.budget)}"
    if alone:
        return "it would not be done by the deadline, even alone"
    closed, money = _best_alone(item, bounds)
    if item.money is None and closed <= 0:
        return "it earns nothing that can be told in money, and what was asked for does not need it"
    if not _is_useful(item, bounds):
        outlay = _outlay(item, bounds)
        return f"within a year it earns {words(max(money + outlay, 0.0))} and costs {words(outlay)}, hours included"
    return f"beside the others {CROWDED[_too_much([*chosen, item], bounds)]}"
