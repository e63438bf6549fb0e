"""When each item is done: the team works on one item at a time, what waits for others runs beside it, and rows are
labelled one item after another.

Source: serial schedule generation and the critical path, Kelley & Walker 1959; Kolisch 1996, section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil

from windlass.records import Item


@dataclass(frozen=True)
class Slot:
    """From which to which day (since the start of the plan, fractions of days) an item runs; held_by: the item that
    it had to wait for last, empty for none."""

    start: float
    finish: float
    held_by: str


def schedule(items: Sequence[Item], hours_a_week: float) -> dict[str, Slot]:
    """The slot of each item, taken in the given order as far as `after` allows. What `after` names and is not among
    the items does not hold anybody."""
    slots: dict[str, Slot] = {}
    waiting, free, last = list(items), 0.0, ""
    labelled, labeller = 0.0, ""
    names = {item.id for item in items}
    while waiting:
        item = next(
            (each for each in waiting if all(name in slots or name not in names for name in each.after)), waiting[0]
        )
        waiting.remove(item)
        held = [(slots[name].finish, name) for name in item.after if name in slots]
        ready, holder = max([*held, (free, last)])
        work, passes = item.hours / hours_a_week * 7, item.days
        if item.rows and labelled > ready:  # its rows wait until those of the item before are labelled
            passes, holder = passes + labelled - ready, labeller
        slots[item.id] = Slot(ready, ready + max(work, passes), holder)
        if item.rows:
            labelled, labeller = ready + passes, item.id
        free, last = ready + work, item.id
    return slots


def critical(slots: dict[str, Slot]) -> set[str]:
    """The items that the end of the plan depends on: back from the last to finish, each to what held it."""
    if not slots:
        return set()
    name = max(slots, key=lambda each: slots[each].finish)
    found: set[str] = set()
    while name and name not in found:
        found.add(name)
        name = slots[name].held_by
    return found


def dated(items: Sequence[Item], hours_a_week: float, made: date) -> list[Item]:
    """The items with their dates, in the order of their start."""
    slots = schedule(items, hours_a_week)
    decisive = critical(slots)
    found = [
        replace(
            item,
            starts=(made + timedelta(days=int(slots[item.id].start))).isoformat(),
            finishes=(made + timedelta(days=max(1, ceil(slots[item.id].finish)))).isoformat(),
            critical=item.id in decisive,
        )
        for item in items
    ]
    return sorted(found, key=lambda item: (item.starts, item.finishes, item.id))
