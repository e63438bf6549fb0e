"""What is chosen is the best of all sets, and the days follow from hours, waiting and what comes first."""

import random
from datetime import date
from itertools import combinations

import pytest

from windlass.metrics.measures import Estimate
from windlass.planning.schedule.choosing import Bounds, choose, together, value, why_left_out
from windlass.planning.schedule.scheduling import critical, dated, schedule
from windlass.records import Item

BOUNDS = Bounds(4_000, 10, 150, 40, 0.2, 0.03, {})


def item(id, money=None, gain=None, **values):
    given = {"cost": 0.0, "hours": 10.0, "days": 0.0} | values
    return Item(
        id=id,
        what=id,
        why="",
        evidence="",
        method="",
        gain=None if gain is None else Estimate(gain, 0.0, 1.0),
        money=None if money is None else Estimate(money, 0.0, 1.0),
        chance=None,
        sure="measured",
        acceptance="",
        measure="",
        bound=0.0,
        **given,
    )


def some_items(seed):
    dice = random.Random(seed)
    return [
        item(
            f"item{number}",
            dice.random() * 800 if dice.random() < 0.8 else None,
            dice.random() * 0.05 if dice.random() < 0.6 else None,
            cost=dice.random() * 3_000,
            hours=1 + dice.random() * 40,
            days=dice.random() * 60,
            instead_of="twins" if dice.random() < 0.3 else "",
        )
        for number in range(8)
    ]


def fits(chosen):
    twins = [each for each in chosen if each.instead_of]
    slots = schedule(chosen, BOUNDS.hours_a_week)
    return (
        len(twins) < 2
        and sum(each.cost for each in chosen) <= BOUNDS.budget
        and max(slot.finish for slot in slots.values()) <= BOUNDS.days
    )


@pytest.mark.parametrize("seed", range(12))
def test_no_other_set_is_worth_more(seed):
    """Against every set there is, in the order that the choice itself would use."""
    items = some_items(seed)
    chosen = choose(items, BOUNDS)
    assert not chosen or fits(chosen)
    mine = value(chosen, BOUNDS) if chosen else (0.0, 0.0)
    best = max(
        (
            value(ordered, BOUNDS)
            for size in range(1, len(items) + 1)
            for each in combinations(items, size)
            if (ordered := choose_order(each)) and fits(ordered)
        ),
        default=(0.0, 0.0),
    )
    assert mine >= (best[0] - 1e-5, best[1] - 1e-6) or mine[0] > best[0]


def choose_order(items):
    """Gaps first, then money an hour: the order in which the choice does things."""
    return sorted(
        items,
        key=lambda each: (
            bool(each.gain and each.gain.value > 0),
            (each.money.value if each.money else 0.0) / max(each.hours, 0.1),
        ),
        reverse=True,
    )


def test_what_closes_a_gap_comes_before_what_earns_more():
    closing, earning = item("closing", 1.0, 0.03, cost=3_000.0), item("earning", 900.0, cost=3_000.0)
    assert [each.id for each in choose([closing, earning], BOUNDS)] == ["closing"]


def test_of_two_that_stand_for_each_other_one_is_chosen():
    small, large = item("small", 300.0, instead_of="rows"), item("large", 500.0, cost=200.0, instead_of="rows")
    chosen = choose([small, large], Bounds(4_000, 10, 150, 40, 0.2, 0.0, {}))
    assert [each.id for each in chosen] == ["large"]
    assert "instead" in why_left_out(small, chosen, BOUNDS, str)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (item("dear", 900.0, cost=5_000.0), "the budget is"),
        (item("late", 900.0, days=400.0), "not be done by the deadline"),
        (item("poor", 1.0), "within a year it earns"),
        (item("vague"), "what was asked for does not need it"),
    ],
    ids=["dear", "late", "poor", "vague"],
)
def test_what_is_left_out_says_why(left, words):
    assert choose([left], BOUNDS) == []
    assert words in why_left_out(left, [], BOUNDS, lambda amount: f"EUR {amount:,.0f}")


def test_gains_together_win_their_share_of_what_is_left():
    """By hand: half of 0.2 is won, then half of the 0.1 that is left: 0.15."""
    assert together([0.1, 0.1], 0.2) == pytest.approx(0.15)


def test_the_team_works_on_one_item_while_others_wait():
    """By hand: 10 hours a week; labels wait 28 days beside the second item, which takes days 7 to 14."""
    slots = schedule([item("labels", days=28.0), item("second"), item("after", after=("labels",))], 10)
    assert [(slots[name].start, slots[name].finish) for name in ("labels", "second", "after")] == [
        (0.0, 28.0),
        (7.0, 14.0),
        (28.0, 35.0),
    ]
    assert critical(slots) == {"labels", "after"}


def test_days_count_from_the_day_of_the_plan():
    first, second = dated([item("one"), item("two")], 10, date(2026, 11, 22))
    assert (first.starts, first.finishes, second.starts, second.finishes) == (
        "2026-11-22",
        "2026-11-29",
        "2026-11-29",
        "2026-12-06",
    )
