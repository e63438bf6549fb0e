"""Does a watcher of opinions see bad news, and only those? Sentiment, topics, and alarms on a feed with planted events.

Usage: python benchmarks/opinion.py [--data FOLDER] [--feeds 12]
Two products are trained on finance-phrasebank and topics-agnews (`linear`, alone). A dated feed is simulated
from phrasebank's test rows: twenty made-up names of different size, quiet week-ends, days that scatter more than
Poisson, wrong answers as the model gives them; events are extra negative rows on three days. One feed goes through
`windlass trends` whole; many more are judged by the labels that the model gave, beside two simpler detectors.
Writes benchmarks/results/opinion.json and opinion.md. Under five CPU minutes.
"""

import argparse
import csv
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

import windlass
from windlass.metrics.measures import Array
from windlass.trends.alarms import DAYS_A_MONTH, Rule, surprises
from windlass.trends.command import TrendsRequest, trends

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
FIRST, N_DAYS, WARM_UP, N_ENTITIES, N_EVENTS, EVENT_DAYS = date(2024, 1, 1), 120, 35, 20, 8, 3
WEEK = np.array([1.1, 1.15, 1.1, 1.1, 1.0, 0.35, 0.3])
SCATTER = 0.15
SIZES = {"small": 6, "middle": 10, "large": 20}
"""Extra negative rows on the first day of an event; then two thirds and a third of it."""
BAD = "negative"


@dataclass(frozen=True)
class Event:
    entity: int
    day: int
    size: str


@dataclass(frozen=True)
class Feed:
    """rows[entity][day]: places in the test set; events: what was planted."""

    rows: list[list[Array]]
    events: list[Event]


def product(folder: Path, name: str, data: Path) -> windlass.Project:
    folder.mkdir(parents=True)
    (folder / "windlass.yaml").write_text(
        f"name: {name}\ndata: {{train: {data / 'train.csv'}, test: {data / 'test.csv'}}}\ninputs: {{text: text}}\n"
        "output: {label: category}\nlearners: [linear]\nminutes: 5\n",
        encoding="utf-8",
    )
    project = windlass.Project(folder)
    project.release("linear")
    return project


def scores(project: windlass.Project) -> dict[str, list[float]]:
    found = project.board.candidate("linear").metrics
    return {name: [round(value, 4) for value in (found[name].value, found[name].low, found[name].high)]
            for name in ("accuracy", "macro_f1")}  # fmt: skip


def simulate(gold: Array, random: np.random.Generator, n_events: int) -> Feed:
    """A feed of rows drawn with replacement; events never overlap on one entity."""
    means = np.exp(random.normal(np.log(5), 0.7, N_ENTITIES))
    weekdays = np.arange(N_DAYS) % 7
    volumes = random.poisson(means[:, None] * WEEK[weekdays] * random.gamma(1 / SCATTER, SCATTER, (N_ENTITIES, N_DAYS)))
    rows = [[random.integers(0, len(gold), n) for n in line] for line in volumes]
    places = random.permutation(N_ENTITIES)[:n_events]
    events = [
        Event(int(entity), int(random.integers(WARM_UP, N_DAYS - EVENT_DAYS)), list(SIZES)[number % len(SIZES)])
        for number, entity in enumerate(places)
    ]
    negative = np.flatnonzero(gold)
    for event in events:
        for late in range(EVENT_DAYS):
            extra = random.choice(negative, SIZES[event.size] * (EVENT_DAYS - late) // EVENT_DAYS)
            rows[event.entity][event.day + late] = np.concatenate([rows[event.entity][event.day + late], extra])
    return Feed(rows, events)


def counted(feed: Feed, answered: Array) -> tuple[Array, Array]:
    """Rows answered 'negative', and all rows, (entities, days) each."""
    bad = np.array([[int(answered[rows].sum()) for rows in line] for line in feed.rows])
    return bad, np.array([[len(rows) for rows in line] for line in feed.rows])


Detector = Callable[[Array, Array], Array]


def ours(bad: Array, texts: Array) -> Array:
    together = np.vstack([bad.sum(0), bad])
    return surprises(together, texts.sum(0), np.arange(bad.shape[1]) % 7, Rule()).is_alarm[1:]


def by_share(least: float) -> Detector:
    """An alarm when at least five texts, and this share of the day's, are negative."""
    return lambda bad, texts: (bad >= 5) & (bad >= least * np.maximum(texts, 1))


def ears_c2(bad: Array, texts: Array) -> Array:
    """Three standard deviations above the mean of seven days, two days ago and before (Hutwagner et al. 2003)."""
    found = np.zeros(bad.shape, bool)
    for day in range(9, bad.shape[1]):
        past = bad[:, day - 9 : day - 2]
        found[:, day] = bad[:, day] > past.mean(1) + 3 * np.maximum(past.std(1, ddof=1), 0.2)
    return found & (bad >= 5)


def judge(detector: Detector, feeds: list[Feed], answered: Array) -> dict:
    """Of the planted events: how many are seen, how late; and how many days with an alarm have no event."""
    seen: dict[str, list[bool]] = {size: [] for size in SIZES}
    delays, n_true, n_false = [], 0, 0
    for feed in feeds:
        bad, texts = counted(feed, answered)
        alarms = detector(bad, texts)
        alarms[:, :WARM_UP] = False
        planted = np.zeros(alarms.shape, bool)
        for event in feed.events:
            days = alarms[event.entity, event.day : event.day + EVENT_DAYS]
            planted[event.entity, event.day : event.day + EVENT_DAYS] = True
            seen[event.size].append(bool(days.any()))
            delays += [int(days.argmax())] if days.any() else []
        n_true += int((alarms & planted).sum())
        n_false += int((alarms & ~planted).sum())
    months = len(feeds) * (N_DAYS - WARM_UP) / DAYS_A_MONTH
    return {
        "seen": {size: round(float(np.mean(found)), 3) for size, found in seen.items() if found},
        "mean_delay_days": round(float(np.mean(delays)), 3) if delays else None,
        "precision": round(n_true / (n_true + n_false), 3) if n_true + n_false else None,
        "false_alarms_a_month": round(n_false / months, 3),
        "months": round(months, 1),
    }


def same_false_alarms(feeds: list[Feed], answered: Array, wanted: float) -> float:
    """The lowest threshold on the share that gives no more false alarms than wanted on feeds without events."""
    for least in np.arange(0.2, 1.01, 0.05):
        if judge(by_share(least), feeds, answered)["false_alarms_a_month"] <= wanted:
            return round(float(least), 2)
    return 1.01


def whole(folder: Path, feed: Feed, texts: list[str]) -> dict:
    """The feed through the command: what its record says of the planted events."""
    names = [f"Company {chr(65 + number)}{number:02}" for number in range(N_ENTITIES)]
    (folder / "trends.yaml").write_text(
        f"time: at\ntext: text\nbad: [{BAD}]\ntopics: {folder.parent / 'topics'}\nentities:\n"
        + "".join(f"  {name}: []\n" for name in names),
        encoding="utf-8",
    )
    path = folder / "feed.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for day in range(N_DAYS):
            for name, line in zip(names, feed.rows, strict=True):
                at = (FIRST + timedelta(days=day)).isoformat()
                file.writelines(json.dumps({"at": at, "text": f"{name}: {texts[row]}"}) + "\n" for row in line[day])
    found = trends(folder, TrendsRequest(path)).trends
    told = {(event.entity, event.first) for event in found.events if event.entity}
    planted = {
        (names[event.entity], (FIRST + timedelta(days=event.day + late)).isoformat())
        for event in feed.events
        for late in range(EVENT_DAYS)
    }
    topics = found.everything.topics
    return {
        "rows": found.reading.rows,
        "repeated": found.reading.repeated,
        "events_planted": len(feed.events),
        "events_seen": len({entity for entity, day in told & planted}),
        "alarms": len(told),
        "alarms_without_event": len(told - planted),
        "negative_texts_of_the_last_week_by_topic": {topic.name: topic.texts for topic in topics},
    }


def report(results: dict) -> str:
    lines = [
        "# Opinion watch: sentiment, topics, alarms",
        "",
        f"Measured {results['measured']}, Windlass {results['windlass']}, by `python benchmarks/opinion.py`. "
        "Intervals are 95 % bootstrap over test rows.",
        "",
        "| product, `linear` | accuracy | macro-F1 |",
        "| --- | --- | --- |",
    ]
    for name in ("finance-phrasebank", "topics-agnews"):
        cells = [f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in results[name].values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Alarms on simulated feeds of {N_ENTITIES} entities, days scattering by {SCATTER} more than Poisson, labels "
        f"as the model gave them; events of {', '.join(str(size) for size in SIZES.values())} extra negative texts "
        f"on the first of {EVENT_DAYS} days. False alarms: of feeds where nothing was planted.",
        "",
        "| detector | small seen | middle seen | large seen | mean delay, days | precision | false alarms a month |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, found in results["alarms"].items():
        seen = " | ".join(f"{found['events']['seen'][size]:.2f}" for size in SIZES)
        lines.append(
            f"| {name} | {seen} | {found['events']['mean_delay_days']} | {found['events']['precision']} | "
            f"{found['nothing_planted']['false_alarms_a_month']} |"
        )
    months = next(iter(results["alarms"].values()))["nothing_planted"]["months"]
    lines += ["", f"{months} months without events. One feed through `windlass trends`: {json.dumps(results['whole'])}"]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    parser.add_argument("--feeds", type=int, default=12)
    chosen = parser.parse_args()
    random = np.random.default_rng(13)
    with tempfile.TemporaryDirectory(prefix="opinion-") as work:
        folder = Path(work)
        sentiment = product(folder / "sentiment", "sentiment", chosen.data / "finance-phrasebank")
        topics = product(folder / "topics", "topics", chosen.data / "topics-agnews")
        with (chosen.data / "finance-phrasebank" / "test.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        texts, gold = [row["text"] for row in rows], np.array([row["label"] == BAD for row in rows])
        answers = sentiment.champion.predict([{"text": text} for text in texts])
        answered = np.array([answer.value == BAD for answer in answers])
        with_events = [simulate(gold, random, N_EVENTS) for _ in range(chosen.feeds)]
        calm = [simulate(gold, random, 0) for _ in range(chosen.feeds)]
        rate = judge(ours, calm, answered)["false_alarms_a_month"]
        least = same_false_alarms(calm, answered, rate)
        detectors = {
            "windlass trends": ours,
            "half of the day's texts negative": by_share(0.5),
            f"share of {least:.2f}: as few false alarms": by_share(least),
            "EARS C2": ears_c2,
        }
        results = {
            "measured": datetime.now(UTC).date().isoformat(),
            "windlass": windlass.__version__,
            "finance-phrasebank": scores(sentiment),
            "topics-agnews": scores(topics),
            "alarms": {
                name: {"events": judge(each, with_events, answered), "nothing_planted": judge(each, calm, answered)}
                for name, each in detectors.items()
            },
            "whole": whole(folder / "sentiment", with_events[0], texts),
        }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "opinion.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "opinion.md").write_text(report(results), encoding="utf-8")
    print(report(results))


if __name__ == "__main__":
    main()
