"""Thirty days of the shop of `tools/make_shop_recommender.py` after its files end: slates, and clicks by the law.

Used by `exposure.py --parts days`. Three shops with the same customers, visits and dice: one that calls `windlass
improve` each night, one that stays with its first release, and one that shows what was clicked most in four weeks,
counted anew each night. The first two are the product itself, made of the blueprint: `run`, `release`, its answers, its
log. What came of a list is feedback in the log of the first, and nothing else teaches it. Both know the table of items
as it is that day (stock, what is new), leave out what a customer has seen, and are told what the customer did since the
files end. Besides, customers look around by themselves, as before; a shop tells of that as feedback on a list that it
showed then. A click is `POSITIONS[place] * click_chance`, as the law has it.
"""

import json
import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path

import numpy as np

import windlass
from windlass import lifecycle
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.metrics.exposure import LoggedSlates, PolicyValue, ips
from windlass.predictors.recommend.recommender import Recommender
from windlass.predictors.recommend.renewal import renewed
from windlass.records import Catalogue
from windlass.store.files import write_text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import make_shop_recommender as shops

DAYS, SHOWN_A_VISIT, DAY_S = 30, 3, 86_400
BEGUN = int(shops.FIRST_DAY.replace(tzinfo=UTC).timestamp())
WEIGHTS = {"view": 0.0, "click": 1.0, "buy": 3.0}
SEED = shops.SEED
BLUEPRINT = Path(windlass.__file__).parent / "blueprints" / "shop-recommender"
Event = tuple[int, int, float]
"""(item, seconds since 1970, weight)."""


@dataclass
class Shop:
    """One of the three. seen, clicked: (customers, items). since: what each customer did since the files end.
    release: what fills its lists; None: counts. log: of the product, in which feedback is."""

    seen: np.ndarray
    counts: np.ndarray
    release: Recommender | None = None
    log: RequestLog | None = None
    since: dict[int, list[Event]] = field(default_factory=dict)
    gained: list[float] = field(default_factory=list)
    customers: list[int] = field(default_factory=list)
    new_shown: int = 0
    n_told: int = 0

    def add(self, user: int, told: list[Event]) -> None:
        self.since.setdefault(user, []).extend(told)
        for item, seconds, weight in told:
            self.seen[user, item] = True
            self.counts[int((seconds - BEGUN) // DAY_S), item] += weight > 0


def files(folder: Path, there: shops.World) -> None:
    """The blueprint with the files of this world."""
    shutil.copytree(BLUEPRINT, folder, dirs_exist_ok=True)
    shops.write_files(folder / "data", there, shops.history(there, SEED))


def project(folder: Path, there: shops.World) -> "windlass.Project":
    """The same, run and released."""
    files(folder, there)
    spec = (folder / "windlass.yaml").read_text("utf-8")  # its days lie long ago: nothing of them would be kept
    write_text(folder / "windlass.yaml", "".join(line for line in spec.splitlines(True) if "keep_days" not in line))
    made = windlass.Project(folder)
    made.release()
    return made


def begun(there: shops.World) -> tuple[np.ndarray, np.ndarray]:
    """What each customer has seen by the end of the files, and how often each item was clicked on each day."""
    events = shops.history(there, SEED)
    seen = np.zeros((shops.N_USERS, shops.N_ITEMS), bool)
    counts = np.zeros((shops.N_DAYS + shops.N_LATER, shops.N_ITEMS))
    seen[events.users, events.items] = True
    is_liked = events.words != "view"
    np.add.at(counts, ((events.seconds[is_liked] // DAY_S).astype(int), events.items[is_liked]), 1)
    return seen, counts


def catalogue(there: shops.World, day: int) -> Catalogue:
    """The table of the items on that day."""
    rows = [shops.item_row(there, int(item), day) for item in np.flatnonzero(there.arrived <= day)]
    ids = tuple(row["item"] for row in rows)
    return Catalogue(ids, {name: tuple(row[name] for row in rows) for name in rows[0] if name != "item"})


def as_row(there: shops.World, user: int, told: list[Event]) -> dict[str, str]:
    """What a shop asks with: whose list, and what is new of him since the release was made."""
    return {"history": json.dumps({"user": f"u{user:03}", **as_history(there, told)})}


def as_history(there: shops.World, told: list[Event]) -> dict[str, list]:
    items, times, weights = ([each[place] for each in told] for place in range(3))
    return {"items": [there.ids[item] for item in items], "times": times, "weights": weights}


def slate(there: shops.World, shop: Shop, user: int, at: float) -> tuple[np.ndarray, list]:
    """The items that are shown, and the answer with them."""
    day = int((at - BEGUN) // DAY_S)
    if shop.release is None:
        may = there.available(day) & ~shop.seen[user]
        popular = np.where(may, shop.counts[max(0, day - 28) : day].sum(axis=0), -np.inf)
        return np.argsort(-popular, kind="stable")[: shops.TOP], []
    answer = replace(shop.release, clock=lambda: at).answer([as_row(there, user, shop.since.get(user, []))])[0]
    return np.array([int(each["item"][1:]) for each in answer.value], int), list(answer.value)


def tell(there: shops.World, shop: Shop, user: int, at: float, entries: list, told: list[Event]) -> None:
    """Keeps the answer, and what came of it, where the product reads it."""
    if shop.log is not None:
        id = f"a{shop.n_told:06}"
        shop.n_told += 1
        row = as_row(there, user, shop.since.get(user, []))
        shop.log.record([Logged(id, at, "", json.dumps(entries), None, 1.0, row)], 100)
        shop.log.feedback(Feedback(id, json.dumps(as_history(there, told)), None, "")).result(60)
    shop.add(user, told)


def visited(there: shops.World, shop: Shop, user: int, day: int, dice: np.random.Generator) -> None:
    """What the customer does with a slate, and what becomes of it."""
    looks, wishes, at = dice.random(shops.TOP), dice.random(shops.N_ITEMS), BEGUN + day * DAY_S + 60_000
    items, entries = slate(there, shop, user, at)
    chance = there.click_chance(np.array([user]), day)[0][items]
    hits = items[(looks[: len(items)] < shops.POSITIONS[: len(items)]) & (wishes[items] < chance)]
    shop.gained.append(float(len(hits)))
    shop.customers.append(user)
    shop.new_shown += int((there.arrived[items] >= shops.N_DAYS).sum())
    if len(hits):
        tell(there, shop, user, at, entries, [(item, at, WEIGHTS["click"]) for item in hits.tolist()])


def look_around(there: shops.World, shop: Shop, user: int, day: int, dice: np.random.Generator) -> None:
    """A visit of the customer's own, as before."""
    one, at = np.array([user]), BEGUN + day * DAY_S + 70_000
    focus = int((shops.about(there, one, day)[0].cumsum() < dice.random()).sum())
    left = there.available(day) & ~shop.seen[user]
    done = shops.visit(there, there.liking(one, day)[0], focus, left, dice)
    _, entries = slate(there, shop, user, at) if shop.log is not None else (None, [])
    tell(there, shop, user, at, entries, [(item, at + place, WEIGHTS[word]) for place, (item, word) in enumerate(done)])


@dataclass
class Nights:
    """What `windlass improve` made of thirty nights. verdicts: how often each; seconds: of each night."""

    verdicts: Counter = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    why: list[str] = field(default_factory=list)


def simulated(folder: Path) -> tuple[dict[str, Shop], Nights]:
    there = shops.world(SEED)
    made, nights = project(folder, there), Nights()
    seen, counts = begun(there)
    first = made.champion.predictor
    with RequestLog(lifecycle.memory(made.store)) as log:
        shop_of = {
            "improved": Shop(seen.copy(), counts.copy(), first, log),
            "frozen": Shop(seen.copy(), counts.copy(), first),
            "recent popularity": Shop(seen.copy(), counts.copy()),
        }
        for day in range(shops.N_DAYS, shops.N_DAYS + DAYS):
            if day > shops.N_DAYS:
                improve(made, there, day, nights)
            table, now = catalogue(there, day), made.champion.predictor
            for name, model in (("improved", now), ("frozen", first)):
                shop_of[name].release = replace(renewed(model, table), random=np.random.default_rng([SEED, 5, day]))
            a_day(there, shop_of, day)
    return shop_of, nights


def improve(made: "windlass.Project", there: shops.World, day: int, nights: Nights) -> None:
    """One night."""
    began = time.monotonic()
    found = made.improve(trigger=f"night {day}")
    nights.seconds.append(time.monotonic() - began)
    nights.verdicts[found.verdict] += 1
    nights.why.append(f"{day}: {found.verdict}: {found.why}")
    print(nights.why[-1], f"{nights.seconds[-1]:.1f} s", flush=True)


def a_day(there: shops.World, shop_of: dict[str, Shop], day: int) -> None:
    """All visits of a day, with the same dice in each shop."""
    dice = np.random.default_rng([SEED, 2, day])
    visits = np.repeat(np.arange(shops.N_USERS), dice.poisson(SHOWN_A_VISIT * there.visits))
    alone = np.flatnonzero(dice.random(shops.N_USERS) < there.visits)
    for shop in shop_of.values():
        for number, user in enumerate(visits.tolist()):
            visited(there, shop, user, day, np.random.default_rng([SEED, 3, day, number]))
        for user in alone.tolist():
            look_around(there, shop, user, day, np.random.default_rng([SEED, 4, day, user]))


def worth(shop: Shop) -> PolicyValue:
    """Clicks a slate, with customers as groups."""
    gained = np.array(shop.gained)[:, None]
    half = np.full(gained.shape, 0.5)
    return ips(LoggedSlates.read(gained, half, half, np.array(shop.customers)))
