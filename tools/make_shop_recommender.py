"""Draws the sample data of the shop-recommender blueprint from a known law of taste, with what its oracle reaches.

The same world goes on after the last day of the files: `benchmarks/exposure.py` lets its customers come for 30 more
days, to a shop window that a model fills. Source: invented for this project, Apache-2.0; texts in `blueprint_text/`.
"""

import csv
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/shop-recommender/data"
TEXTS = Path(__file__).parent / "blueprint_text" / "shop_recommender.txt"
FIRST_DAY, N_DAYS, N_LATER = datetime(2025, 1, 6), 240, 45  # the files end before 2025-09-03; then the world goes on
SCORED = 28  # days at the end, whose clicks are what a recommendation should have named
N_USERS, N_AT_FIRST, N_AFTER = 420, 150, 24  # items of the first day; those that come after the last
FOCUS_SHARE, FOCUS = 0.6, 1.6  # of the visits that are about one department, and what that adds
SHARPNESS = 1.15  # of what is looked at: chances are as exp(SHARPNESS * liking)
CLICK_AT, BUY_AT = 1.2, 3.0  # liking at which half of the looks become a click, half of the clicks a purchase
SEASON, NEWNESS, NEW_DAYS = 0.9, 0.6, 10.0
DRIFT, PULL = 0.1, 0.004  # of a taste, a day: random step, and way back to what it was
TURN_SHARE, TURN = 0.3, 1.6  # of the customers who change to another department on one day, and by how much
TOP = 10
POSITIONS = 1 / np.arange(1, TOP + 1) ** 0.6
"""(10,) how often a place of the shop window is looked at, the first always."""


@dataclass(frozen=True)
class Kind:
    """A department or a style: its key, its names, and of a department the day of the year on which it sells best."""

    key: str
    english: str
    chinese: str
    peak: int
    lines: tuple[tuple[str, ...], ...]


def kinds() -> tuple[list[Kind], list[Kind]]:
    """Departments with their things, and styles with what is said of them."""
    found: list[Kind] = []
    for line in TEXTS.read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in line.strip("[]").split("|"))
        if line.startswith("["):
            found.append(Kind(cells[0], cells[1], cells[2], int(cells[3]) if len(cells) > 3 else 0, ()))
        elif line and not line.startswith("#"):
            last = found.pop()
            found.append(Kind(last.key, last.english, last.chinese, last.peak, (*last.lines, cells)))
    is_style = [kind.key.startswith("style.") for kind in found]
    return (
        [kind for kind, style in zip(found, is_style, strict=True) if not style],
        [kind for kind, style in zip(found, is_style, strict=True) if style],
    )


DEPARTMENTS, STYLES = kinds()
N_ITEMS = len(DEPARTMENTS) * len(DEPARTMENTS[0].lines) * len(STYLES)


@dataclass(frozen=True)
class World:
    """Items and customers as they truly are; (n,) of items, (u,) of customers, days counted from `FIRST_DAY`.

    taste: (u, days, departments) of each day; likes_style: (u, styles); short: (n, days) True where none is in stock.
    """

    department: np.ndarray
    thing: np.ndarray
    style: np.ndarray
    price: np.ndarray
    quality: np.ndarray
    arrived: np.ndarray
    short: np.ndarray
    taste: np.ndarray
    likes_style: np.ndarray
    thrift: np.ndarray
    visits: np.ndarray

    @property
    def ids(self) -> list[str]:
        return [f"p{number:03}" for number in range(len(self.price))]

    def available(self, day: int) -> np.ndarray:
        """(n,) True for what is in the shop and in stock on the day."""
        return (self.arrived <= day) & ~self.short[:, day]

    def liking(self, users: np.ndarray, day: int) -> np.ndarray:
        """(m, n) how much each of these customers likes each item on the day; what is not there yet, too."""
        peaks = np.array([each.peak for each in DEPARTMENTS])
        angle = 2 * np.pi * ((FIRST_DAY + timedelta(days=day)).timetuple().tm_yday - peaks) / 365.25
        of_all = self.quality + SEASON * np.cos(angle)[self.department]
        of_all = of_all + NEWNESS * np.exp(-np.maximum(day - self.arrived, 0) / NEW_DAYS) * (self.arrived > 0)
        usual = np.array([[float(line[2]) for line in each.lines] for each in DEPARTMENTS])
        dear = np.log(self.price / usual[self.department, self.thing])
        own = self.taste[users, day][:, self.department] + self.likes_style[users][:, self.style]
        return own + of_all - self.thrift[users, None] * dear

    def click_chance(self, users: np.ndarray, day: int) -> np.ndarray:
        """(m, n) of a click by who looks at the item."""
        return 1 / (1 + np.exp(CLICK_AT - self.liking(users, day)))

    def buy_chance(self, users: np.ndarray, day: int) -> np.ndarray:
        """(m, n) of a purchase by who clicked."""
        return 1 / (1 + np.exp(BUY_AT - self.liking(users, day)))


@dataclass(frozen=True)
class Events:
    """What happened, in the order of time; (n,) each. seconds: since `FIRST_DAY`. words: view, click or buy."""

    users: np.ndarray
    items: np.ndarray
    seconds: np.ndarray
    words: np.ndarray

    def part(self, chosen: np.ndarray) -> "Events":
        return Events(self.users[chosen], self.items[chosen], self.seconds[chosen], self.words[chosen])

    @property
    def liked(self) -> "Events":
        """Clicks, with the purchases that came of them left out."""
        return self.part(self.words == "click")


def tastes(rng: np.random.Generator) -> np.ndarray:
    """(u, days, departments): what each customer likes of old, how that drifts, and where somebody turns away."""
    days = N_DAYS + N_LATER
    usual = rng.normal(0, 1.25, (N_USERS, len(DEPARTMENTS)))
    found = np.empty((N_USERS, days, len(DEPARTMENTS)))
    found[:, 0] = usual
    turns = rng.random(N_USERS) < TURN_SHARE
    turn_days = rng.integers(20, days, N_USERS)
    to = rng.integers(0, len(DEPARTMENTS), N_USERS)
    for day in range(1, days):
        here = turns & (turn_days == day)
        usual[here, usual[here].argmax(axis=1)] -= TURN
        usual[here, to[here]] += TURN
        found[:, day] = found[:, day - 1] + DRIFT * rng.normal(0, 1, usual.shape) + PULL * (usual - found[:, day - 1])
        found[here, day] = usual[here]
    return found


def world(seed: int = SEED) -> World:
    """The same world for the same seed."""
    rng = np.random.default_rng([seed, 0])
    order = rng.permutation(N_ITEMS)
    per_department = len(DEPARTMENTS[0].lines) * len(STYLES)
    department, thing, style = order // per_department, order % per_department // len(STYLES), order % len(STYLES)
    usual = np.array([[float(line[2]) for line in each.lines] for each in DEPARTMENTS])[department, thing]
    days = N_DAYS + N_LATER
    arrived = np.zeros(N_ITEMS, dtype=int)
    arrived[N_AT_FIRST:-N_AFTER] = np.sort(rng.integers(5, N_DAYS - 2, N_ITEMS - N_AT_FIRST - N_AFTER))
    arrived[-N_AFTER:] = np.sort(rng.integers(N_DAYS, N_DAYS + 30, N_AFTER))
    short = np.zeros((N_ITEMS, days), dtype=bool)
    for item in np.flatnonzero(rng.random(N_ITEMS) < 0.3):
        first = rng.integers(0, days)
        short[item, first : first + rng.integers(5, 25)] = True
    return World(
        department, thing, style, np.round(usual * np.exp(rng.normal(0, 0.25, N_ITEMS)), 2),
        rng.normal(0, 0.45, N_ITEMS), arrived, short, tastes(rng), rng.normal(0, 0.7, (N_USERS, len(STYLES))),
        rng.uniform(0.2, 1.4, N_USERS), rng.gamma(1.2, 0.036, N_USERS),
    )  # fmt: skip


def chances(liking: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(..., n) of being looked at, of likings (..., n) and what may be looked at (..., n)."""
    weights = np.where(there, np.exp(SHARPNESS * (liking - liking.max(axis=-1, keepdims=True))), 0.0)
    return weights / weights.sum(axis=-1, keepdims=True)


def about(shop: World, users: np.ndarray, day: int) -> np.ndarray:
    """(m, departments + 1) how likely a visit of each customer is about each department, the last about none."""
    taste = np.exp(shop.taste[users, day] - shop.taste[users, day].max(axis=1, keepdims=True))
    shares = FOCUS_SHARE * taste / taste.sum(axis=1, keepdims=True)
    return np.column_stack([shares, np.full(len(users), 1 - FOCUS_SHARE)])


def looked_at(shop: World, liking: np.ndarray) -> np.ndarray:
    """(departments + 1, n) likings of a visit about each department, of the likings (n,) of one about none."""
    extra = FOCUS * (shop.department == np.arange(len(DEPARTMENTS))[:, None])
    return liking + np.vstack([extra, np.zeros(len(liking))])


def visit(
    shop: World, liking: np.ndarray, focus: int, left: np.ndarray, rng: np.random.Generator
) -> list[tuple[int, str]]:
    """What one customer does on a visit of their own: items with view, click, buy.

    Args: liking: (n,); focus: the department that it is about; left: (n,) bool, what there is to see, is changed.
    """
    drawn, found = liking + FOCUS * (shop.department == focus), []
    for _ in range(1 + rng.poisson(1.8)):
        item = int(rng.choice(len(left), p=chances(drawn, left)))
        left[item] = False
        found.append((item, "view"))
        if rng.random() < 1 / (1 + np.exp(CLICK_AT - liking[item])):
            found.append((item, "click"))
            if rng.random() < 1 / (1 + np.exp(BUY_AT - liking[item])):
                found.append((item, "buy"))
    return found


def history(shop: World, seed: int = SEED, n_days: int = N_DAYS) -> Events:
    """All that customers did on these days without anybody recommending anything."""
    rng = np.random.default_rng([seed, 1])
    clicked = np.zeros((N_USERS, N_ITEMS), dtype=bool)
    rows: list[tuple[float, int, int, str]] = []
    for day in range(n_days):
        users = np.flatnonzero(rng.random(N_USERS) < shop.visits)
        likings, focus = shop.liking(users, day), about(shop, users, day).cumsum(axis=1)
        for user, liking, shares in zip(users, likings, focus, strict=True):
            second = 86_400 * day + 60 * int(np.clip(rng.normal(15 * 60, 240), 60, 1320))
            left = shop.available(day) & ~clicked[user]
            for item, word in visit(shop, liking, int((shares < rng.random()).sum()), left, rng):
                second += 60 * int(rng.integers(1, 3)) if word == "view" else 60
                rows.append((second, int(user), item, word))
                clicked[user, item] |= word == "click"
    rows.sort(key=lambda row: row[0])
    seconds, users, items, words = zip(*rows, strict=True)
    return Events(np.array(users), np.array(items), np.array(seconds, dtype=float), np.array(words))


@dataclass(frozen=True)
class Asked:
    """Customers of the scored days: what each clicked before and then, as (m, n) bool, with the days they are asked
    for: `first` up to but not with `last`."""

    users: np.ndarray
    before: np.ndarray
    after: np.ndarray
    first: int
    last: int


def asked(events: Events, first: int = N_DAYS - SCORED, last: int = N_DAYS) -> Asked:
    """Who clicked within the scored days, with all clicks before them."""
    liked = events.liked
    is_after = (liked.seconds >= 86_400 * first) & (liked.seconds < 86_400 * last)
    is_before = liked.seconds < 86_400 * first
    before, after = (np.zeros((N_USERS, N_ITEMS), dtype=bool) for _ in range(2))
    before[liked.users[is_before], liked.items[is_before]] = True
    after[liked.users[is_after], liked.items[is_after]] = True
    users = np.flatnonzero(after.any(axis=1))
    return Asked(users, before[users], after[users], first, last)


def ndcg(scores: np.ndarray, found: Asked) -> np.ndarray:
    """(m,) NDCG@10 of scores (m, n) over all items but those that the customer had clicked before.

    Source: Järvelin & Kekäläinen 2002, ACM TOIS 20(4), with gains of 0 and 1.
    """
    ranked = np.argsort(-np.where(found.before, -np.inf, scores), axis=1, kind="stable")[:, :TOP]
    discount = 1 / np.log2(np.arange(2, TOP + 2))
    gained = (np.take_along_axis(found.after, ranked, axis=1) * discount).sum(axis=1)
    best = np.cumsum(discount)[np.minimum(found.after.sum(axis=1), TOP) - 1]
    return gained / best


def oracle(shop: World, events: Events, found: Asked) -> np.ndarray:
    """(m, n) how many clicks the law itself expects of each customer on each item within the scored days, to a
    constant: nothing that is learned orders items better on average."""
    del events
    scores = np.zeros((len(found.users), N_ITEMS))
    for day in range(found.first, found.last, 4):
        there = shop.available(day)
        click = shop.click_chance(found.users, day)
        likings, shares = shop.liking(found.users, day), about(shop, found.users, day)
        for place, liking in enumerate(likings):
            seen = shares[place] @ chances(looked_at(shop, liking), there & ~found.before[place])
            scores[place] += seen * click[place]
    return scores


def popularity(shop: World, events: Events, found: Asked, n_days: int = N_DAYS) -> np.ndarray:
    """(m, n) how often each item was clicked in the days before, the same for everybody."""
    liked = events.liked
    seen = (liked.seconds < 86_400 * found.first) & (liked.seconds >= 86_400 * (found.first - n_days))
    counts = np.bincount(liked.items[seen], minlength=N_ITEMS).astype(float)
    return np.broadcast_to(counts, (len(found.users), N_ITEMS))


def recent_popularity(shop: World, events: Events, found: Asked) -> np.ndarray:
    """(m, n) the same of the last four weeks."""
    return popularity(shop, events, found, n_days=28)


def same_department(shop: World, events: Events, found: Asked) -> np.ndarray:
    """(m, n) the naive model: what was clicked most in four weeks in the department of the customer's last click."""
    scores = np.array(recent_popularity(shop, events, found), dtype=float)
    liked = events.liked.part(events.liked.seconds < 86_400 * found.first)
    for place, user in enumerate(found.users):
        own = np.flatnonzero(liked.users == user)
        if len(own):
            scores[place] += 1e6 * (shop.department == shop.department[liked.items[own[-1]]])
    return scores


def scores(shop: World, events: Events) -> dict[str, float]:
    """NDCG@10 on the last days, and the share of the oracle's gain over popularity that the naive model has."""
    found = asked(events)
    models = (oracle, same_department, recent_popularity, popularity)
    means = {model.__name__: float(ndcg(model(shop, events, found), found).mean()) for model in models}
    gain = (means["same_department"] - means["popularity"]) / (means["oracle"] - means["popularity"])
    return {**means, "naive_share_of_gain": gain, "n_asked": len(found.users)}


def item_row(shop: World, item: int, day: int = N_DAYS - 1) -> dict[str, str]:
    """The item as its row of the catalogue says it on that day."""
    department, style = DEPARTMENTS[shop.department[item]], STYLES[shop.style[item]]
    english, chinese, _, use, use_chinese = department.lines[shop.thing[item]]
    said, said_chinese = style.lines[item % len(style.lines)]
    is_there = bool(shop.available(day)[item])
    return {
        "item": shop.ids[item],
        "title": f"{style.english} {english}",
        "title_zh": f"{style.chinese}{chinese}",
        "description": f"{use} {said}",
        "description_zh": f"{use_chinese}{said_chinese}",
        "category": department.key,
        "price": f"{shop.price[item]:.2f}",
        "available": str(3 + item * 7 % 40 if is_there else 0),
        "arrived": (FIRST_DAY + timedelta(days=int(shop.arrived[item]))).date().isoformat(),
    }


def event_rows(shop: World, events: Events) -> list[list[str]]:
    """The events as text, without the truth."""
    ids, zipped = shop.ids, zip(events.users, events.items, events.words, events.seconds, strict=True)
    return [
        [f"u{user:03}", ids[item], str(word), (FIRST_DAY + timedelta(seconds=float(second))).isoformat()[:16]]
        for user, item, word, second in zipped
    ]


def write_files(target: Path, shop: World, events: Events) -> int:
    """The log and the table of the items as they are at the end of the log; how many items there are."""
    target.mkdir(parents=True, exist_ok=True)
    with (target / "events.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([["user", "item", "event", "time"], *event_rows(shop, events)])
    rows = [item_row(shop, int(item)) for item in np.flatnonzero(shop.arrived < N_DAYS)]
    with (target / "items.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def main(target: Path = TARGET) -> None:
    """Write the files and say what the truth behind them allows."""
    shop = world()
    events = history(shop)
    n_items = write_files(target, shop, events)
    counts = {str(word): int((events.words == word).sum()) for word in ("view", "click", "buy")}
    print(f"{target}: {len(events.users)} events {counts}, {n_items} items, {len(set(events.users))} customers")
    print(json.dumps({name: round(value, 4) for name, value in scores(shop, events).items()}))


if __name__ == "__main__":
    main()
