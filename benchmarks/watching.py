"""How soon `watch` tells of a known change and how often it cries for nothing, against what people use instead.

Each stream has a long stationary part (rows drawn from one pool) and then a change of known day:
    weather     the next 25 years of the same station (NOAA, Offutt AFB), after a pool of the first 25
    etth1       the last 40 % of a transformer's hours (ETDataset), after a pool of the first 60 %
    vanishes    one of three topics of AG News is no longer asked for
    appears     a fourth topic, which the release has never seen, is a quarter of the rows
Beside `watch`: ADWIN and Page-Hinkley of river, at their defaults, on each number, the confidence and the feedback; and
a plain PSI monitor: ten bins a number, each day, alarm above 0.2. All of them see the same rows.

Usage: python benchmarks/watching.py DATA [--runs 2] [--days 60]     (DATA: the folder of the real data sets)
"""

import argparse
import csv
import json
import os
import platform
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from river.drift import ADWIN, PageHinkley
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from windlass.kinds import table as kinds
from windlass.metrics.drift import population_stability_index
from windlass.outputs.reference_profile import MOST_ROWS
from windlass.records import Column
from windlass.registry.reference import Reference, sketch_of
from windlass.spec import Spec, parse
from windlass.watching.judgement import judge_window, peek
from windlass.watching.state import Memory
from windlass.watching.windows import Window

DAY_S, TOLD, AFTER_DAYS = 86_400.0, 0.05, 30
RESULTS = Path(__file__).parent / "results"
PSI_LIMIT, PSI_BINS = 0.2, 10


@dataclass
class Stream:
    """before, after: indices of rows around the change. values: what detectors of numbers see, (n, k)."""

    name: str
    spec: Spec
    rows: list[dict[str, Any]]
    values: np.ndarray
    answers: list[str]
    sure: np.ndarray
    right: np.ndarray
    learned: list[int]
    before: list[int]
    after: list[int]


def weather(data: Path) -> Stream:
    rows = _numbers(data / "drift-weather" / "data.csv")
    half = len(rows) // 2
    return _table("weather", rows, "target", (list(range(half)), list(range(half, len(rows)))))


def etth1(data: Path) -> Stream:
    rows = _numbers(data / "timeseries-etth1" / "ETTh1.csv")
    cut = int(0.6 * len(rows))
    warm = float(np.median([row["OT"] for row in rows[:cut]]))
    for row in rows:
        row["hot"] = int(row.pop("OT") > warm)
    return _table("etth1", rows, "hot", (list(range(cut)), list(range(cut, len(rows)))))


def _numbers(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items() if name != "date"} for row in csv.DictReader(file)]


def _table(name: str, rows: list[dict[str, Any]], target: str, parts: tuple[list[int], list[int]]) -> Stream:
    inputs = [column for column in rows[0] if column != target]
    spec = parse(
        f"{{name: {name}, data: rows.csv, inputs: {{{', '.join(f'{column}: number' for column in inputs)}}}, "
        f"output: {{{target}: category}}}}"
    )
    values = np.array([[row[column] for column in inputs] for row in rows])
    labels = np.array([str(int(row[target])) for row in rows])
    before = random.Random(13).sample(parts[0], len(parts[0]))
    learned, pool = before[: len(before) // 2], before[len(before) // 2 :]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(values[learned], labels[learned])
    return Stream(name, spec, rows, values, *_answered(model, values, labels), learned, pool, parts[1])


def news(data: Path, appears: bool) -> Stream:
    """The texts of AG News; three topics are learned, the last one is only asked when it `appears`."""
    rows = []
    for part in ("train", "test"):
        with (data / "topics-agnews" / f"{part}.csv").open(newline="", encoding="utf-8") as file:
            rows += list(csv.DictReader(file))
    texts, labels = [row["text"] for row in rows], np.array([row["label"] for row in rows])
    names = sorted(set(labels))
    order = random.Random(13).sample(range(len(rows)), len(rows))
    known = [place for place in order if labels[place] in names[:3]]
    learned, pool = known[: len(known) // 2], known[len(known) // 2 :]
    after = [place for place in pool if labels[place] in names[:2]]
    if appears:
        new = [place for place in order if labels[place] == names[3]]
        after = pool + new[: len(pool) // 3]
    spec = parse("{name: news, data: rows.csv, inputs: {text: text}, output: {label: category}}")
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True, min_df=2), LogisticRegression(C=10, max_iter=300))
    model.fit([texts[place] for place in learned], labels[learned])
    lengths = np.array([[float(len(text))] for text in texts])
    name = "appears" if appears else "vanishes"
    return Stream(name, spec, rows, lengths, *_answered(model, texts, labels), learned, pool, after)


def _answered(model: Any, values: Any, labels: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    probabilities = model.predict_proba(values)
    answers = model.classes_[probabilities.argmax(axis=1)]
    return [str(answer) for answer in answers], probabilities.max(axis=1), answers == labels


# what watches ---------------------------------------------------------------------------------------------------------


class Ours:
    """`watch`, from profiles to alarms, without the database between."""

    def __init__(self, stream: Stream, kept: Sequence[int], profiles: dict[int, str]) -> None:
        self.stream, self.profiles = stream, profiles
        self.memory = Memory()
        columns = _columns(stream)
        tables = [[json.loads(profiles[place])[number] for place in kept] for number in range(len(columns))]
        mix: dict[str, int] = {}
        for place in kept:
            mix[stream.answers[place]] = mix.get(stream.answers[place], 0) + 1
        self.reference = Reference(
            columns, tuple(np.array(table, np.int32) for table in tables), mix, stream.sure[kept], stream.right[kept]
        )
        self.window = Window(0.0, DAY_S)
        self.number = 0

    def day(self, number: int, places: Sequence[int], told: Sequence[bool]) -> list[float]:
        """Times in days at which something was raised."""
        before = {(alarm.name, alarm.subject) for alarm in self.memory.alarms.raised()}
        self.window.until = (number + 1) * DAY_S
        for turn, (place, is_told) in enumerate(zip(places, told, strict=True)):
            at = (number + (turn + 0.5) / len(places)) * DAY_S
            row = self._row(place, at)
            self.window.add(row, row["value"], 0.0)
            if is_told:
                self.memory.told.append((at, "r", bool(self.stream.right[place]), ""))
        if self.window.n >= self.stream.spec.watch.rows:
            judge_window(self.memory, self.window, self.reference, self.stream.spec)
            self.window = Window((number + 1) * DAY_S, (number + 2) * DAY_S)
        else:
            peek(self.memory, self.window, self.reference, self.stream.spec)
        after = {(alarm.name, alarm.subject) for alarm in self.memory.alarms.raised()}
        return [number + 1.0] if after - before else []

    def _row(self, place: int, at: float) -> dict[str, Any]:
        self.number += 1
        return {
            "id": str(self.number), "at": at, "release": "r", "value": self.stream.answers[place], "latency_ms": 1.0,
            "confidence": float(self.stream.sure[place]), "profile": self.profiles[place],
        }  # fmt: skip


class River:
    """A detector of river on each number, on the confidence and on right or wrong; each detection is an alarm."""

    def __init__(self, stream: Stream, kept: Sequence[int], make: Callable[[], Any], only_feedback: bool) -> None:
        self.stream, self.make, self.only_feedback = stream, make, only_feedback
        n_numbers = 0 if only_feedback else stream.values.shape[1] + 1
        self.scale = 1.0 / np.maximum(stream.values[kept].std(axis=0), 1e-9)
        self.middle = stream.values[kept].mean(axis=0)
        self.detectors = [make() for _ in range(n_numbers)]
        self.feedback = make()

    def day(self, number: int, places: Sequence[int], told: Sequence[bool]) -> list[float]:
        found = []
        for turn, (place, is_told) in enumerate(zip(places, told, strict=True)):
            seen = (
                []
                if self.only_feedback
                else [*((self.stream.values[place] - self.middle) * self.scale), self.stream.sure[place]]
            )
            spoke = False
            for spot, value in enumerate(seen):
                self.detectors[spot].update(float(value))
                spoke |= self.detectors[spot].drift_detected
            if is_told:
                self.feedback.update(int(not self.stream.right[place]))
                spoke |= self.feedback.drift_detected
            if spoke:
                found.append(number + (turn + 1) / len(places))
        return found


class Psi:
    """Each day: ten bins of the reference a number, and the mix of the answers; above 0.2 is an alarm as it begins.

    was_over: on the day before; an alarm that goes on is none of the next day.
    """

    def __init__(self, stream: Stream, kept: Sequence[int]) -> None:
        self.stream = stream
        self.labels = sorted(set(stream.answers))
        self.table = np.column_stack([stream.values, stream.sure])
        shares = np.linspace(0, 1, PSI_BINS + 1)[1:-1]
        self.edges = [np.unique(np.quantile(column[kept], shares)) for column in self.table.T]
        self.before = self._counts(kept)
        self.was_over = False

    def _counts(self, places: Sequence[int]) -> list[np.ndarray]:
        counts = [
            np.bincount(np.searchsorted(edges, column[places]), minlength=len(edges) + 1)
            for edges, column in zip(self.edges, self.table.T, strict=True)
        ]
        given = [self.labels.index(self.stream.answers[place]) for place in places]
        return [*counts, np.bincount(given, minlength=len(self.labels))]

    def day(self, number: int, places: Sequence[int], told: Sequence[bool]) -> list[float]:
        now = self._counts(places)
        over = any(
            population_stability_index(one, other) > PSI_LIMIT for one, other in zip(self.before, now, strict=True)
        )
        begins, self.was_over = over and not self.was_over, over
        return [number + 1.0] if begins else []


def _columns(stream: Stream) -> tuple[Column, ...]:
    columns = []
    for name, kind in stream.spec.inputs.items():
        read = kinds.get(kind).read
        learned = (read(stream.rows[place][name], None) for place in stream.learned)
        columns.append(Column(name, kind, sketch_of(Column(name, kind)).learn(learned)))
    return tuple(columns)


def _profiles(stream: Stream) -> dict[int, str]:
    bare = Reference(_columns(stream), (), {}, np.array([]), np.array([]))
    return {place: bare.profile(stream.rows[place]) for place in {*stream.before, *stream.after}}


# the replay -----------------------------------------------------------------------------------------------------------


def replay(stream: Stream, n_runs: int, n_days: int, a_day: int) -> Iterator[dict[str, Any]]:
    """Of each watcher: false alarms a month and the delay of each run, in days."""
    profiles = _profiles(stream)
    found: dict[str, dict[str, list[Any]]] = {}
    for run in range(n_runs):
        chance = random.Random(100 + run)
        pool = chance.sample(stream.before, len(stream.before))
        kept, asked = pool[: min(MOST_ROWS, len(pool) // 2)], pool[min(MOST_ROWS, len(pool) // 2) :]
        watchers: dict[str, Any] = {
            "windlass watch": Ours(stream, kept, profiles),
            "PSI > 0.2, daily": Psi(stream, kept),
            "river ADWIN": River(stream, kept, ADWIN, False),
            "river Page-Hinkley": River(stream, kept, PageHinkley, False),
            "river ADWIN, feedback alone": River(stream, kept, ADWIN, True),
        }
        sources = [*[asked] * n_days, *[stream.after] * AFTER_DAYS]
        days = [chance.choices(source, k=a_day) for source in sources]
        told = [[chance.random() < TOLD for _ in range(a_day)] for _ in days]
        for name, watcher in watchers.items():
            started = time.process_time()
            alarms = []
            for number, day in enumerate(days):
                if number == n_days and isinstance(watcher, Psi):
                    watcher.was_over = False  # an alarm of chance that goes on is counted as one of the change, too
                alarms += watcher.day(number, day, told[number])
            entry = found.setdefault(name, {"false": [], "delay": [], "cpu_s": []})
            entry["false"].append(sum(at <= n_days for at in alarms))
            later = [at - n_days for at in alarms if at > n_days]
            entry["delay"].append(min(later) if later else None)
            entry["cpu_s"].append(round(time.process_time() - started, 2))
    for name, entry in found.items():
        yield {
            "stream": stream.name, "a_day": a_day, "watcher": name, "months": n_runs * n_days / 30,
            "false_alarms_a_month": round(sum(entry["false"]) / (n_runs * n_days / 30), 3), **entry,
        }  # fmt: skip


def report(results: dict[str, Any]) -> str:
    lines = [
        "# Watching: delay until alarm and false alarms",
        "",
        f"{results['at'][:10]}, commit {results['commit']}, {results['machine']}. {results['runs']} runs a stream, "
        f"each {results['days']} stationary days, then {AFTER_DAYS} days of change; {TOLD:.0%} of the rows have "
        "feedback.",
        "A delay is counted to the end of the window for `watch`, of the day for PSI, to the row for river. Where "
        "there are many false alarms a short delay says little: any alarm after the change counts.",
        "",
        "| stream | rows a day | watcher | false alarms a month | delay, days (each run) | missed | CPU s a run |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in results["rows"]:
        delays = ", ".join("-" if delay is None else f"{delay:.1f}" for delay in row["delay"])
        missed = sum(delay is None for delay in row["delay"])
        lines.append(
            f"| {row['stream']} | {row['a_day']} | {row['watcher']} | {row['false_alarms_a_month']:g} | {delays} | "
            f"{missed} of {len(row['delay'])} | {np.mean(row['cpu_s']):.1f} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--a-day", type=int, nargs="+", default=[300, 50])
    parser.add_argument("--streams", nargs="+", default=["etth1", "weather", "appears", "vanishes"])
    given = parser.parse_args()
    makers: dict[str, Callable[[], Stream]] = {
        "weather": lambda: weather(given.data),
        "etth1": lambda: etth1(given.data),
        "vanishes": lambda: news(given.data, appears=False),
        "appears": lambda: news(given.data, appears=True),
    }
    rows: list[dict[str, Any]] = []
    for name in given.streams:
        stream = makers[name]()
        for a_day in given.a_day:
            for row in replay(stream, given.runs, given.days, a_day):
                rows.append(row)
                print(json.dumps(row), flush=True)
        write(rows, given.runs, given.days)


def write(rows: list[dict[str, Any]], n_runs: int, n_days: int) -> None:
    """The results so far."""
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    results = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": asked.stdout.strip(), "runs": n_runs,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores", "days": n_days, "rows": rows,
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "watching.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "watching.md").write_text(report(results), encoding="utf-8")


if __name__ == "__main__":
    main()
