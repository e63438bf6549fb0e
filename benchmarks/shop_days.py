"""Thirty days of the shop of `tools/make_shop_recommender.py` after its files end: slates, and clicks by the law.

Used by `exposure.py --parts days`. Three shops with the same customers, visits and dice: one whose model is learned
anew each night, one whose model stays that of the first day, and one that shows what was clicked most in four weeks,
counted anew each night. All fold in what a customer did until that moment, know the stock of the day, and show ten
items that the customer has not clicked; the frozen model knows no item that came later. Besides, customers look around
by themselves, as before, so that new items are clicked. A click is
`POSITIONS[place] * click_chance`, as the law has it.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from windlass.kinds.items import History
from windlass.learners.contract import Budget
from windlass.learners.recommend.fitting import Make
from windlass.learners.recommend.interactions import Interactions, in_order
from windlass.learners.recommend.lessons import Lesson, Question
from windlass.learners.recommend.models import blended
from windlass.metrics.exposure import LoggedSlates, PolicyValue, ips
from windlass.predictors.recommend.scorer import Scorer
from windlass.records.catalogue import Catalogue

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import make_shop_recommender as shops

DAYS, SHOWN_A_VISIT, DAY_S = 30, 3, 86_400.0
WEIGHTS = {"view": 0.0, "click": 1.0, "buy": 3.0}
Item = tuple[int, int, float, float]
"""(customer, item, seconds, weight)."""


@dataclass
class Shop:
    """One of the three: all that was done in it, who clicked what, and the clicks on each of its slates."""

    log: list[Item]
    clicked: np.ndarray
    own: dict[int, list[Item]] = field(default_factory=dict)
    gained: list[float] = field(default_factory=list)
    customers: list[int] = field(default_factory=list)
    new_shown: int = 0

    def __post_init__(self) -> None:
        for each in self.log:
            self.own.setdefault(each[0], []).append(each)

    def add(self, each: Item) -> None:
        self.log.append(each)
        self.own.setdefault(each[0], []).append(each)

    def interactions(self) -> Interactions:
        users, items, times, weights = (np.array(each) for each in zip(*self.log, strict=True))
        return in_order(users, items, times, weights, shops.N_USERS, shops.N_ITEMS)

    def history(self, user: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Items, weights and times of one customer."""
        own = self.own.get(user, [])
        items, times, weights = ([each[place] for each in own] for place in (1, 2, 3))
        return np.array(items, np.int64), np.array(weights, np.float32), np.array(times, np.float64)


def begun(there: shops.World, seed: int) -> list[Item]:
    events = shops.history(there, seed)
    columns = events.users.tolist(), events.items.tolist(), events.seconds.tolist()
    return [(*each, WEIGHTS[str(word)]) for *each, word in zip(*columns, events.words, strict=True)]


def catalogue(there: shops.World, day: int) -> Catalogue:
    """What is told of every item; of those that are not there yet, nothing."""
    rows = [shops.item_row(there, item) if there.arrived[item] <= day else {} for item in range(shops.N_ITEMS)]
    names = ("title", "title_zh", "description", "description_zh", "category", "price")
    return Catalogue(tuple(there.ids), {name: tuple(row.get(name, "") for row in rows) for name in names})


def questions(there: shops.World, shop: Shop, cut: float) -> tuple[Question, ...]:
    """What each customer did before and after the moment, for who chooses settings by it."""
    found = []
    for user in range(shops.N_USERS):
        own = shop.own.get(user, [])
        parts = [[each for each in own if (each[2] < cut) == is_before] for is_before in (True, False)]
        past, after = (History(tuple(there.ids[each[1]] for each in part), tuple(each[2] for each in part),
                               tuple(each[3] for each in part)) for part in parts)  # fmt: skip
        if past.items and after.liked:
            found.append(Question(past, after))
    return tuple(found)


def chosen(there: shops.World, shop: Shop) -> Make:
    """The blend of the board, with its settings chosen on the last 14 days of the files."""
    make, cut = blended(), (shops.N_DAYS - 14) * DAY_S
    before = Shop([each for each in shop.log if each[2] < cut], shop.clicked)
    told = catalogue(there, shops.N_DAYS)
    make(Lesson(before.interactions(), tuple(there.ids), told, questions(there, shop, cut)), Budget(60))
    return make


def learned(make: Make, there: shops.World, shop: Shop, day: int) -> Scorer:
    """The blend, fitted on all that was done until that night."""
    return make(Lesson(shop.interactions(), tuple(there.ids), catalogue(there, day), is_last=True), Budget(60))


def counted(shop: Shop, day: int) -> np.ndarray:
    """Clicks and purchases of the last four weeks."""
    found = np.zeros(shops.N_ITEMS)
    for _, item, seconds, weight in shop.log:
        if weight and seconds >= (day - 28) * DAY_S:
            found[item] += 1
    return found


def shown(scores: np.ndarray, may: np.ndarray) -> np.ndarray:
    return np.argsort(-np.where(may, scores, -np.inf), kind="stable")[: shops.TOP]


def visited(there: shops.World, shop: Shop, user: int, day: int, slate: np.ndarray, dice: np.random.Generator) -> None:
    """What the customer does with a slate, and what becomes of it."""
    looks, wishes = dice.random(shops.TOP), dice.random(shops.N_ITEMS)
    chance = there.click_chance(np.array([user]), day)[0][slate]
    hits = slate[(looks[: len(slate)] < shops.POSITIONS[: len(slate)]) & (wishes[slate] < chance)]
    shop.gained.append(float(len(hits)))
    shop.customers.append(user)
    shop.new_shown += int((there.arrived[slate] >= shops.N_DAYS).sum())
    for item in hits.tolist():
        shop.clicked[user, item] = True
        shop.add((user, item, day * DAY_S + 60_000, WEIGHTS["click"]))


def look_around(there: shops.World, shop: Shop, user: int, day: int, dice: np.random.Generator) -> None:
    """A visit of the customer's own, as before."""
    one = np.array([user])
    focus = int((shops.about(there, one, day)[0].cumsum() < dice.random()).sum())
    left = there.available(day) & ~shop.clicked[user]
    for item, word in shops.visit(there, there.liking(one, day)[0], focus, left, dice):
        shop.clicked[user, item] |= word == "click"
        shop.add((user, item, day * DAY_S + 70_000, WEIGHTS[word]))


def simulated(seed: int) -> dict[str, Shop]:
    there = shops.world(seed)
    log = begun(there, seed)
    clicked = np.zeros((shops.N_USERS, shops.N_ITEMS), dtype=bool)
    for user, item, _, weight in log:
        clicked[user, item] |= weight > 0
    made = {name: Shop(list(log), clicked.copy()) for name in ("improved", "frozen", "recent popularity")}
    make = chosen(there, made["frozen"])
    frozen = learned(make, there, made["frozen"], shops.N_DAYS)
    for day in range(shops.N_DAYS, shops.N_DAYS + DAYS):
        nightly = learned(make, there, made["improved"], day) if day > shops.N_DAYS else frozen
        popular = counted(made["recent popularity"], day)
        dice = np.random.default_rng([seed, 2, day])
        visits = np.repeat(np.arange(shops.N_USERS), dice.poisson(SHOWN_A_VISIT * there.visits))
        alone = np.flatnonzero(dice.random(shops.N_USERS) < there.visits)
        for name, shop in made.items():
            for number, user in enumerate(visits.tolist()):
                may = there.available(day) & ~shop.clicked[user]
                if name == "frozen":
                    may &= there.arrived < shops.N_DAYS
                scorer = {"improved": nightly, "frozen": frozen}.get(name)
                scores = popular if scorer is None else scorer.scores(*shop.history(user), now=day * DAY_S + 60_000)
                dice_of_visit = np.random.default_rng([seed, 3, day, number])
                visited(there, shop, user, day, shown(scores, may), dice_of_visit)
            for user in alone.tolist():
                look_around(there, shop, user, day, np.random.default_rng([seed, 4, day, user]))
    return made


def worth(shop: Shop) -> PolicyValue:
    """Clicks a slate, with customers as groups."""
    gained = np.array(shop.gained)[:, None]
    half = np.full(gained.shape, 0.5)
    return ips(LoggedSlates.read(gained, half, half, np.array(shop.customers)))
