"""What slates with logged chances allow to say, where the truth is known: other ways judged, experiments, places.

Usage: python benchmarks/exposure.py [--parts estimators experiments clicks days]
Writes rows of results/goals.json.
estimators: 200 logs of 2,000 slates of a feed, by readers who come several times; the way judged would fill them
otherwise, and its true worth is known. The model of rewards is wrong on purpose (it knows neither tastes nor places
well), so that the chances have to carry the doubly robust estimator.
experiments: 1,000 pairs of alike ways, looked at on each of 30 days.
clicks: the click model of `tools/make_news_feed.py`, fitted on 32 days, held against the law and eight days more.
days: see `shop_days.py`.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shop_days
from goals import Goal, record

from windlass.learners.recommend.click_model import Impressions, fit_click_model, rates_so_far
from windlass.metrics.experiments import SequentialTest, answers_needed
from windlass.metrics.exposure import LoggedSlates, PolicyValue, doubly_robust, ips, snips
from windlass.metrics.proportions import Proportion

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import make_news_feed as news

ISSUE, N_RUNS, N_SLATES, N_POOL, N_PLACES = "recommend", 200, 2_000, 12, 5
LOGGED_EPSILON, JUDGED_EPSILON = 0.3, 0.1
LEAST_COVERED, MOST_OFF, MOST_ECE = 0.93, 0.10, 0.02
N_EXPERIMENTS, N_DAYS, RATE, GAIN = 1_000, 30, 0.20, 0.03


@dataclass(frozen=True)
class Feed:
    """Slates of one run. interest: (n, pool) true chance of a click by who looks; logged, judged: (n, pool) the order,
    best first, of the two ways; readers: (n,)."""

    interest: np.ndarray
    logged: np.ndarray
    judged: np.ndarray
    readers: np.ndarray
    popular: np.ndarray


LOOKED = news.LOOKED[:N_PLACES]


def feed(rng: np.random.Generator, n: int) -> Feed:
    """Readers come five times on average; what was logged ranks by quality, what is judged by taste, both roughly."""
    readers = rng.integers(0, n // 5, n)
    taste = rng.normal(0, 1, (n // 5, 8))
    topic, quality = rng.integers(0, 8, (n, N_POOL)), rng.normal(0, 0.7, (n, N_POOL))
    liking = news.AT + np.take_along_axis(taste[readers], topic, axis=1) + quality
    interest = 1 / (1 + np.exp(-liking))
    logged = np.argsort(-(quality + rng.normal(0, 0.5, quality.shape)), axis=1)
    judged = np.argsort(-(liking + rng.normal(0, 0.7, quality.shape)), axis=1)
    return Feed(interest, logged, judged, readers, 1 / (1 + np.exp(-(news.AT + 0.5 * quality))))


def chances(order: np.ndarray, epsilon: float) -> np.ndarray:
    """(n, places, pool) chance of each item at each place: the ranking, and a share of slates filled by chance."""
    found = np.full((len(order), N_PLACES, N_POOL), epsilon / N_POOL)
    rows, places = np.indices((len(order), N_PLACES))
    found[rows, places, order[:, :N_PLACES]] += 1 - epsilon
    return found


def true_worth(drawn: Feed) -> float:
    """Clicks a slate of the way that is judged, as the law expects them."""
    return float(np.einsum("nkp,np,k->n", chances(drawn.judged, JUDGED_EPSILON), drawn.interest, LOOKED).mean())


def judged_by(drawn: Feed, rng: np.random.Generator) -> dict[str, PolicyValue]:
    """Each estimator on one log; `plain` is what was clicked, as if that said anything of the other way."""
    n = len(drawn.readers)
    by_chance = rng.permuted(np.tile(np.arange(N_POOL), (n, 1)), axis=1)
    shown = np.where(rng.random((n, 1)) < LOGGED_EPSILON, by_chance, drawn.logged)[:, :N_PLACES]
    clicked = rng.random(shown.shape) < LOOKED * np.take_along_axis(drawn.interest, shown, axis=1)
    rows, places = np.indices(shown.shape)
    logged, judged = chances(drawn.logged, LOGGED_EPSILON), chances(drawn.judged, JUDGED_EPSILON)
    slates = LoggedSlates.read(clicked, logged[rows, places, shown], judged[rows, places, shown], drawn.readers)
    same = LoggedSlates.read(clicked, slates.propensities, slates.propensities, drawn.readers)
    believed = 1 / np.arange(1, N_PLACES + 1)
    foretold = believed * np.take_along_axis(drawn.popular, shown, axis=1)
    expected = np.einsum("nkp,np,k->n", judged, drawn.popular, believed)
    return {
        "doubly robust": doubly_robust(slates, foretold, expected), "SNIPS": snips(slates), "IPS": ips(slates),
        "plain": ips(same),
    }  # fmt: skip


def estimators() -> list[Goal]:
    truth = float(np.mean([true_worth(feed(np.random.default_rng([9, run]), 20_000)) for run in range(10)]))
    covered: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}
    off: dict[str, list[float]] = {}
    for run in range(N_RUNS):
        rng = np.random.default_rng([13, run])
        for name, value in judged_by(feed(rng, N_SLATES), rng).items():
            found = value.estimate
            covered.setdefault(name, []).append(found.low <= truth <= found.high)
            widths.setdefault(name, []).append(found.high - found.low)
            off.setdefault(name, []).append(found.value - truth)
    told = "; ".join(
        f"{name} covers {np.mean(covered[name]):.1%}, width {np.mean(widths[name]):.3f}, bias {np.mean(off[name]):+.3f}"
        for name in covered
    )
    share = float(np.mean(covered["doubly robust"]))
    name, goal = "exposure simulation, 200 runs: doubly robust interval", f"covers the truth >= {LEAST_COVERED:.0%}"
    note = f"true worth {truth:.3f} clicks a slate; {told}"
    return [Goal(ISSUE, name, goal, f"{share:.1%} of {N_RUNS}", share >= LEAST_COVERED, note)]


def ended(rng: np.random.Generator, gain: float, a_day: int) -> tuple[bool, bool, int]:
    """Whether the sequential test ends within 30 daily looks, whether a plain test of 5 % would have at any of them,
    and on which day the first ends."""
    new, old = (np.cumsum(rng.binomial(a_day, rate, N_DAYS)) for rate in (RATE + gain, RATE))
    n, test = a_day * np.arange(1, N_DAYS + 1), SequentialTest(gain=GAIN)
    verdicts = [test.verdict(Proportion(int(a), int(m)), Proportion(int(b), int(m))) != "open"
                for a, b, m in zip(new, old, n, strict=True)]  # fmt: skip
    mean = (new + old) / (2 * n)
    plain = np.abs(new - old) / n > 1.96 * np.sqrt(2 * mean * (1 - mean) / n)
    return any(verdicts), bool(plain.any()), verdicts.index(True) + 1 if any(verdicts) else N_DAYS


def experiments() -> list[Goal]:
    needed = answers_needed(RATE, GAIN)
    a_day = -(-needed // 10)  # so that the size computed before is there after ten days
    rng = np.random.default_rng(13)
    alike = np.array([ended(rng, 0.0, a_day) for _ in range(N_EXPERIMENTS)])
    apart = np.array([ended(rng, GAIN, a_day) for _ in range(N_EXPERIMENTS)])
    alarms, found = float(alike[:, 0].mean()), float(apart[:, 0].mean())
    note = (
        f"a plain test of 5 % at each look: {alike[:, 1].mean():.1%}; {needed:,} answers a side are needed, as "
        f"computed before, for {RATE:.0%} + {GAIN:.0%} at 80 %, {a_day} a day; that gain is found in {found:.1%}, half "
        f"of them by day {np.median(apart[:, 2]):.0f}"
    )
    name = "experiment looked at on each of 30 days: false alarms"
    return [Goal(ISSUE, name, "<= 5 %", f"{alarms:.1%} of {N_EXPERIMENTS:,}", alarms <= 0.05, note)]


def impressions(there: news.World, slates: news.Slates) -> Impressions:
    """Each article at each place, with its age in days."""
    n, k = slates.articles.shape
    articles = slates.articles.ravel()
    age = (np.repeat(slates.hours, k) - there.born[articles]) / 24
    return Impressions(np.tile(np.arange(k), n), slates.clicked.ravel(), age[:, None], [articles])


def with_rates(there: news.World, slates: news.Slates, shown: Impressions, looked: np.ndarray) -> Impressions:
    """The same with what a feed knows at that moment: clicks a look so far of article, reader, and reader's topic."""
    k, n_topics = slates.articles.shape[1], len(news.TOPICS)
    hours, readers = np.repeat(slates.hours, k), np.repeat(slates.readers, k)
    topics = there.topic[shown.ids[0]]
    columns = [
        rates_so_far(ids, shown.clicked, looked[shown.place], hours, least)
        for ids, least in ((shown.ids[0], 5.0), (readers, 5.0), (readers * n_topics + topics, 3.0), (topics, 50.0))
    ]
    return Impressions(shown.place, shown.clicked, np.column_stack([shown.features, *columns]))


def calibration_error(chance: np.ndarray, clicked: np.ndarray, n_bins: int = 15) -> float:
    """Mean gap between chances of a click and clicks, over bins of equally many impressions."""
    order = np.array_split(np.argsort(chance), n_bins)
    return float(sum(abs(chance[part].mean() - clicked[part].mean()) * len(part) for part in order) / len(chance))


def clicks() -> list[Goal]:
    began, worst, errors, said = time.monotonic(), 0.0, [], []
    for seed in (13, 14, 15):
        there = news.world(seed)
        slates = news.logged(there, seed)
        shown = impressions(there, slates)
        is_test = np.repeat(slates.is_scored, news.TOP)
        found = fit_click_model(shown.part(~is_test))
        off = np.abs(found.looked / news.LOOKED - 1)
        rated = with_rates(there, slates, shown, found.looked)
        held = rated.part(is_test)
        wanted = fit_click_model(rated.part(~is_test), known=found)
        errors.append(calibration_error(wanted.chance(held), held.clicked))
        inside = int(((found.low <= news.LOOKED) & (found.high >= news.LOOKED)).sum())
        rates = slates.clicked[~slates.is_scored].mean(axis=0)
        plain = float(np.abs(rates / rates[0] / news.LOOKED - 1)[1:].mean())
        said.append(f"seed {seed}: mean {off[1:].mean():.1%}, worst place {off.max():.1%}, {inside} of 10 inside the "
                    f"interval, plain click rates off by {plain:.0%} on average")  # fmt: skip
        worst = max(worst, float(off[1:].mean()))
    note = f"{'; '.join(said)}; {time.monotonic() - began:.0f} s"
    of, ece = "the worst of three worlds", max(errors)
    bins = "15 bins of equally many impressions, of the eight days after those learned"
    places = Goal(ISSUE, "news-feed: position bias", "recovered within 10 %", f"off by {worst:.1%} on average, {of}",
                  worst <= MOST_OFF, note)  # fmt: skip
    return [places, Goal(ISSUE, "news-feed: chances of a click, ECE", f"<= {MOST_ECE}", f"{ece:.4f}, {of}",
                         ece <= MOST_ECE, bins)]  # fmt: skip


def days() -> list[Goal]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        made, nights = shop_days.simulated(Path(folder) / "shop")
    values = {name: shop_days.worth(shop) for name, shop in made.items()}
    gains = {name: values["improved"].less(values[name]) for name in ("frozen", "recent popularity")}
    told = ", ".join(f"{name} {value.estimate}" for name, value in values.items())
    ended = ", ".join(f"{count} {word}" for word, count in nights.verdicts.most_common())
    note = (
        f"clicks a slate: {told}; {len(made['frozen'].gained):,} slates; nights: {ended}, "
        f"{np.median(nights.seconds):.1f} s each (median); {made['improved'].new_shown:,} times the improved product "
        f"showed an item that came within these days, {made['frozen'].new_shown:,} times the frozen one, which knows "
        f"the same table of items; {time.monotonic() - began:.0f} s"
    )
    name = "30 simulated days of shop-recommender through `windlass improve`"
    value = "; ".join(f"{gain} more clicks a slate than {name}" for name, gain in gains.items())
    goal = "beats the frozen release and recent popularity outside the interval"
    return [Goal(ISSUE, name, goal, value, all(gain.low > 0 for gain in gains.values()), note)]


PARTS = {"estimators": estimators, "experiments": experiments, "clicks": clicks, "days": days}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    for part in parser.parse_args().parts:
        record(*PARTS[part]())


if __name__ == "__main__":
    main()
