"""Draws the slates of a news feed from a known click model: fresh articles, places that are looked at less and less.

A click at place k of article i by reader u is `LOOKED[k] * interest(u, i, age)`, independent of the other places (the
position-based model). Who filled the slates is known exactly: mostly a ranking by clicks so far, now and then chance.
Usage: python tools/make_news_feed.py FOLDER    writes slates.csv and articles.csv, and says what the truth allows.
Source: invented for this project, Apache-2.0; the click model is that of Craswell et al. 2008, WSDM.
"""

import csv
import json
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

SEED = 13
FIRST_DAY, N_DAYS, SCORED = datetime(2025, 3, 3), 40, 8
N_READERS, A_DAY, KEPT_HOURS = 300, 12.0, 48.0  # articles a day, hours that one stays in the feed
TOP, EXPLORED = 10, 0.2  # places of a slate; share of the slates that are filled by chance
LOOKED = 1 / np.arange(1, TOP + 1) ** 0.7
"""(10,) how often a place is looked at; the first always."""
AT, FADE_HOURS = -0.7, 16.0  # interest = sigmoid(AT + taste + quality - age / FADE_HOURS)
TOPICS = {
    "city": (("Tram line {n} opens {w} early", "有轨电车{n}号线提前{w}开通"),
             ("The old market hall gets {n} new stalls", "老市场新增{n}个摊位")),
    "sport": (("Home side wins {n} to 1 after {w} of waiting", "主队时隔{w}以{n}比1获胜"),
              ("Runner of {n} finishes her first marathon", "{n}岁跑者完成首个马拉松")),
    "science": (("Telescope finds {n} unknown moons", "望远镜发现{n}颗未知卫星"),
                ("Bees count to {n}, a study says", "研究称蜜蜂能数到{n}")),
    "money": (("Flour is {n} percent cheaper than {w} ago", "面粉价格比{w}前下降百分之{n}"),
              ("Small shops open {n} doors this month", "本月新开{n}家小店")),
    "culture": (("Choir of {n} voices sings at the station", "{n}人合唱团在车站演唱"),
                ("A lost film of {n} minutes is found", "失传的{n}分钟影片被找到")),
    "weather": (("{n} degrees and wind until the weekend", "周末前{n}度并有风"),
                ("Frost comes back for {n} nights", "霜冻再来{n}个夜晚")),
    "food": (("{n} ways with last week's bread", "上周的面包有{n}种吃法"),
             ("The best noodles cost {n} yuan", "最好吃的面只要{n}元")),
    "travel": (("Night train reaches {n} more towns", "夜行列车新停{n}座城镇"),
               ("A path of {n} kilometres along the coast", "沿海{n}公里步道开放")),
}  # fmt: skip
WEEKS = {"en": ("a week", "two weeks", "a month"), "zh": ("一周", "两周", "一个月")}


@dataclass(frozen=True)
class World:
    """Articles (a,) and readers (u,) as they truly are. born: hours since `FIRST_DAY`; taste: (u, topics)."""

    topic: np.ndarray
    quality: np.ndarray
    born: np.ndarray
    taste: np.ndarray
    visits: np.ndarray

    def interest(self, reader: int, articles: np.ndarray, hour: float) -> np.ndarray:
        """(m,) chance of a click by this reader who looks at the article at that hour."""
        liking = AT + self.taste[reader, self.topic[articles]] + self.quality[articles]
        return 1 / (1 + np.exp(-(liking - (hour - self.born[articles]) / FADE_HOURS)))

    def candidates(self, hour: float) -> np.ndarray:
        """The articles that are in the feed at that hour."""
        return np.flatnonzero((self.born <= hour) & (self.born > hour - KEPT_HOURS))


@dataclass(frozen=True)
class Slates:
    """What was shown: (n,) readers and hours; (n, 10) articles, whether each was clicked, and with which exact chance
    each stood at its place. pools: the articles that could have been shown; ranked: (n, 10) without chance."""

    readers: np.ndarray
    hours: np.ndarray
    articles: np.ndarray
    clicked: np.ndarray
    propensities: np.ndarray
    pools: list[np.ndarray]
    ranked: np.ndarray

    @property
    def is_scored(self) -> np.ndarray:
        return self.hours >= 24 * (N_DAYS - SCORED)


def world(seed: int = SEED) -> World:
    """The same world for the same seed."""
    rng = np.random.default_rng([seed, 0])
    n_articles = rng.poisson(A_DAY * (N_DAYS + 2))
    born = np.sort(rng.uniform(-48, 24 * N_DAYS, n_articles))
    return World(
        rng.integers(0, len(TOPICS), n_articles), rng.normal(0, 0.7, n_articles), born,
        rng.normal(0, 1.3, (N_READERS, len(TOPICS))), rng.gamma(2, 0.4, N_READERS),
    )  # fmt: skip


def shown_at(order: np.ndarray, ranked: np.ndarray, n_pool: int) -> np.ndarray:
    """(10,) the exact chance that each of the shown articles stands where it stands."""
    return (1 - EXPLORED) * (order == ranked) + EXPLORED / n_pool


def logged(feed: World, seed: int = SEED) -> Slates:
    """Slates as a feed by clicks of the last day fills them, a share of them by chance."""
    rng = np.random.default_rng([seed, 1])
    clicks, pools, rows = np.zeros(len(feed.born)), [], []
    for day in range(N_DAYS):
        visits = np.repeat(np.arange(N_READERS), rng.poisson(feed.visits))
        hours = 24 * day + rng.uniform(6, 23, len(visits))
        for place in np.argsort(hours):
            reader, hour = int(visits[place]), float(hours[place])
            pool = feed.candidates(hour)
            ranked = pool[np.argsort(-clicks[pool], kind="stable")][:TOP]
            order = rng.permutation(pool)[:TOP] if rng.random() < EXPLORED else ranked
            clicked = rng.random(TOP) < LOOKED * feed.interest(reader, order, hour)
            clicks[order] += clicked
            pools.append(pool)
            rows.append((reader, hour, order, clicked, shown_at(order, ranked, len(pool)), ranked))
        clicks *= 0.5
    readers, hours, articles, clicked, propensities, ranked = (np.array(each) for each in zip(*rows, strict=True))
    return Slates(readers, hours, articles, clicked, propensities, pools, ranked)


def worth(feed: World, slates: Slates, orders: list[np.ndarray]) -> np.ndarray:
    """(m,) the clicks that the truth expects of each scored slate, had it been filled in this order."""
    chosen = np.flatnonzero(slates.is_scored)
    return np.array([
        (LOOKED * feed.interest(int(slates.readers[row]), order, float(slates.hours[row]))).sum()
        for row, order in zip(chosen, orders, strict=True)
    ])  # fmt: skip


def oracle(feed: World, slates: Slates) -> list[np.ndarray]:
    """The scored slates by true interest: no order gets more clicks on average."""
    found = []
    for row in np.flatnonzero(slates.is_scored):
        pool = slates.pools[row]
        interest = feed.interest(int(slates.readers[row]), pool, float(slates.hours[row]))
        found.append(pool[np.argsort(-interest)][:TOP])
    return found


def popularity(feed: World, slates: Slates) -> list[np.ndarray]:
    """The scored slates by clicks so far: what the feed did, but for chance."""
    del feed
    return list(slates.ranked[slates.is_scored])


def newest(feed: World, slates: Slates) -> list[np.ndarray]:
    """The naive model: the newest first."""
    return [
        slates.pools[row][np.argsort(-feed.born[slates.pools[row]])][:TOP] for row in np.flatnonzero(slates.is_scored)
    ]


def scores(feed: World, slates: Slates) -> dict[str, float]:
    """Expected clicks a slate on the last days, and the share of the oracle's gain over popularity of the naive one."""
    found = {
        model.__name__: float(worth(feed, slates, model(feed, slates)).mean()) for model in (oracle, newest, popularity)
    }
    gain = (found["newest"] - found["popularity"]) / (found["oracle"] - found["popularity"])
    return {**found, "naive_share_of_gain": gain}


def article_rows(feed: World, seed: int = SEED) -> list[dict[str, str]]:
    """Each article with its texts."""
    rng, found = np.random.default_rng([seed, 2]), []
    for number, topic in enumerate(feed.topic):
        name = list(TOPICS)[topic]
        english, chinese = TOPICS[name][rng.integers(2)]
        n, week = int(rng.integers(2, 40)), int(rng.integers(3))
        found.append({
            "article": f"a{number:04}", "title": english.format(n=n, w=WEEKS["en"][week]),
            "title_zh": chinese.format(n=n, w=WEEKS["zh"][week]), "topic": name, "published": moment(feed.born[number]),
        })  # fmt: skip
    return found


def moment(hour: float) -> str:
    return (FIRST_DAY + timedelta(hours=float(hour))).isoformat()[:16]


def main(target: Path) -> None:
    """Write the files and say what the truth behind them allows."""
    feed = world()
    slates = logged(feed)
    target.mkdir(parents=True, exist_ok=True)
    articles = article_rows(feed)
    with (target / "articles.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(articles[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(articles)
    with (target / "slates.csv").open("w", encoding="utf-8", newline="") as file:
        writing = csv.writer(file, lineterminator="\n")
        writing.writerow(["slate", "reader", "time", "place", "article", "propensity", "clicked"])
        for row, reader in enumerate(slates.readers):
            for place in range(TOP):
                writing.writerow([
                    row, f"r{reader:03}", moment(slates.hours[row]), place + 1, f"a{slates.articles[row, place]:04}",
                    f"{slates.propensities[row, place]:.6f}", int(slates.clicked[row, place]),
                ])  # fmt: skip
    print(f"{target}: {len(slates.readers)} slates, {len(articles)} articles, {slates.clicked.sum()} clicks")
    print(json.dumps({name: round(value, 4) for name, value in scores(feed, slates).items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
