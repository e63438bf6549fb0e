"""Ten simulated weeks of a product that learns from feedback, beside one that stays as it was; and batches of poison.

Usage: nice -n 10 python benchmarks/improving.py [--parts weeks poison hostile live] [--seeds 1 2 3]
intent-banking77 (CC BY 4.0): a fifth of the labels arrives late, a tenth of the feedback is wrong, one key is hostile.
Each part is added to results/improving.json and results/improving.md, its goals to results/goals.json. The set's test
rows are seen by nobody but this script. `weeks` also trains an oracle: the same learner, taught the true labels of all
rows that callers ever labelled.
"""

import argparse
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import improving_report
import numpy as np
import polars as pl
from goals import record
from load_generator import Target, open_loop

from windlass.database.location import log_path
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.improving import attempts, selection, verdict
from windlass.learners.contract import Budget, Options
from windlass.learners.table import LEARNERS
from windlass.outputs.labelled_row import LEARNED
from windlass.predictors import table as predictors
from windlass.project import Project
from windlass.records import silent
from windlass.sources.prepared import read_splits
from windlass.stages import evaluate
from windlass.stages.evaluate import machine

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SPEC = """name: bank
data: data.csv
inputs: {text: text}
output: {label: category}
learners: [linear]
minutes: 2
keep_inputs: true
improve: {new_labels: 10}
"""
N_BASE, N_WEEK, N_HONEST, NOISE, N_HOSTILE = 24, 520, 24, 0.1, 100
"""Rows of each label at the start; answers with feedback a week; honest keys; their share of wrong labels; and how much
the hostile key sends a week."""
LATE_WEEKS = (2, 3, 4, 5, 6)
Row = tuple[str, str]
Said = tuple[str, str, str]
"""A text, the label that somebody says is right, and his key."""


@dataclass(frozen=True)
class World:
    """base: rows to begin with. weeks: of each what customers write. early: labels of the base."""

    base: list[Row]
    weeks: list[list[Row]]
    test: list[Row]
    early: list[str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def world(data: Path, n_weeks: int, chance: random.Random) -> World:
    """Rows of each label are dealt out over the weeks in which it exists."""
    rows = read(data / "intent-banking77" / "train.csv")
    chance.shuffle(rows)
    labels = sorted({label for _, label in rows})
    late = chance.sample(labels, len(labels) // 5)
    starts = {label: LATE_WEEKS[place % len(LATE_WEEKS)] for place, label in enumerate(late)}
    base, weeks = [], [[] for _ in range(n_weeks)]
    for label in labels:
        own = [row for row in rows if row[1] == label]
        if label not in starts:
            base, own = base + own[:N_BASE], own[N_BASE:]
        first = starts.get(label, 1)
        for place, row in enumerate(own):
            weeks[first - 1 + place % (n_weeks - first + 1)].append(row)
    for week in weeks:
        chance.shuffle(week)
    test = read(data / "intent-banking77" / "test.csv")
    return World(base, [week[:N_WEEK] for week in weeks], test, sorted(set(labels) - set(late)))


def product(folder: Path, rows: Sequence[Row]) -> Project:
    folder.mkdir(parents=True)
    with (folder / "data.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    (folder / "windlass.yaml").write_text(SPEC, encoding="utf-8")
    opened = Project(folder)
    opened.release()
    return opened


def say(project: Project, said: Sequence[Said], mark: str) -> None:
    """The champion answers, and callers say what is right. said: text, label, caller."""
    release = project.champion
    answers = release.predict([{"text": text} for text, _, _ in said])
    with RequestLog(log_path(project.store)) as log:
        for start in range(0, len(said), 200):
            part = list(enumerate(said))[start : start + 200]
            log.record(
                [
                    Logged(
                        f"{mark}-{place}",
                        time.time(),
                        release.id,
                        answers[place].value,
                        answers[place].confidence,
                        1.0,
                        {"text": text},
                        caller,
                    )
                    for place, (text, _, caller) in part
                ],
                100,
            )
            for done in [
                log.feedback(Feedback(f"{mark}-{place}", label, None, "", None, caller))
                for place, (_, label, caller) in part
            ]:
                done.result(60)


def accuracy(project: Project, rows: Sequence[Row]) -> float:
    said = project.champion.predict([{"text": text} for text, _ in rows])
    return float(np.mean([answer.value == label for answer, (_, label) in zip(said, rows, strict=True)]))


def week_of(world: World, rows: Sequence[Row], number: int, chance: random.Random) -> list[Said]:
    """Honest keys, of whose labels a tenth is wrong; and a hostile one, who calls everything something else."""
    known = sorted({label for week in world.weeks[:number] for _, label in week} | set(world.early))
    said = []
    for text, label in rows:
        wrong = chance.random() < NOISE
        said.append((text, chance.choice(known) if wrong else label, f"key-{chance.randrange(N_HONEST):02d}"))
    turned = dict(zip(known, known[1:] + known[:1], strict=True))
    said += [
        (f"{text} {chance.choice('abcdefgh')}", turned[label], "hostile")
        for text, label in chance.sample(list(rows), min(N_HOSTILE, len(rows)))
    ]
    chance.shuffle(said)
    return said


def simulate(world: World, folder: Path, chance: random.Random) -> dict:
    """Week by week: feedback comes in, `improve` runs, and both products are examined on the same test rows."""
    project = Project(folder)
    old = [row for row in world.test if row[1] in world.early]
    frozen = {"all": accuracy(project, world.test), "old": accuracy(project, old)}
    truth = {text: label for week in world.weeks for text, label in week}
    weeks, told, seen = [], {}, set()
    for number, rows in enumerate(world.weeks, 1):
        said = week_of(world, rows, number, chance)
        answered = project.champion.predict([{"text": text} for text, _, _ in said])
        say(project, said, f"w{number}")
        told |= {
            f"w{number}-{place}": (*each, answer.value)
            for place, (each, answer) in enumerate(zip(said, answered, strict=True))
        }
        began = time.perf_counter()
        made = project.improve(trigger=f"week {number}")
        seconds = round(time.perf_counter() - began, 1)
        pool = [row for row in attempts.learned(project.store) if row.answer in told]
        new = {row.answer for row in pool} - seen
        seen |= new
        weeks.append(
            {
                "week": number,
                "verdict": made.verdict,
                "why": made.why[:300],
                "learned": made.rows["learned"] if made.verdict == "promoted" else 0,
                "learned_right": sum(truth[told[id][0]] == told[id][1] for id in new if told[id][0] in truth),
                "judging": made.rows["judging"],
                **right_rows(project, told, truth),
                "hostile_learned_so_far": sum(row.caller in HOSTILE for row in pool),
                "new_labels": made.evidence.get("new_labels", []),
                "accuracy": round(accuracy(project, world.test), 4),
                "accuracy_old_labels": round(accuracy(project, old), 4),
                "seconds": seconds,
            }
        )
        print(json.dumps(weeks[-1]), flush=True)
    taught = [(text, truth[text]) for text, _, _, _ in told.values() if text in truth]
    best = oracle(project, world, list(dict.fromkeys(taught)))
    wrong = _wrong_learned(project, truth)
    return {
        "frozen": {name: round(value, 4) for name, value in frozen.items()},
        "weeks": weeks,
        "labels": wrong,
        "oracle": best,
    }


def right_rows(project: Project, told: dict, truth: dict) -> dict:
    """What became, so far, of the feedback that was right; corrections: of which the answer had been another one.

    told: id of an answer -> text, label, caller, answer. A row that is in use was learned, or judges.
    """
    used = {row.answer for row in attempts.learned(project.store)}
    used |= {row.answer for rows in attempts.judging(project.store).values() for row in rows}
    with (project.store.stage("improve") / "aside.csv").open(encoding="utf-8", newline="") as file:
        reasons = {row["id"]: row["reason"] for row in csv.DictReader(file)}
    right = {id for id, (text, label, caller, _) in told.items() if caller not in HOSTILE and truth.get(text) == label}
    corrections = {id for id in right if told[id][3] != told[id][1]}
    aside = corrections & set(reasons) - used
    return {
        "right": len(right),
        "right_in_use": len(right & used),
        "right_aside": len(right & set(reasons) - used),
        "corrections": len(corrections),
        "corrections_in_use": len(corrections & used),
        "corrections_aside": len(aside),
        "why_aside": dict(Counter(reasons[id] for id in sorted(aside)).most_common()),
    }


def oracle(project: Project, world: World, taught: Sequence[Row]) -> dict:
    """The learner of the product, with the same train and validation rows, and the true label of all that was asked."""
    splits = read_splits(project.spec, project.store, with_learned=False)
    frame = pl.DataFrame([{"text": text, "label": label} for text, label in taught])
    with tempfile.TemporaryDirectory() as place:
        given = replace(splits, train=pl.concat([splits.train, frame], how="diagonal"))
        fitted = LEARNERS["linear"].fit(given, Options(Path(place), seed=project.spec.seed), Budget(600), silent)
        model = predictors.load(fitted.artifact)
        answers = model.answer([{"text": text} for text, _ in world.test])
    right = [answer.value == label for answer, (_, label) in zip(answers, world.test, strict=True)]
    old = [each for each, (_, label) in zip(right, world.test, strict=True) if label in world.early]
    return {
        "rows": len(taught),
        "accuracy": round(float(np.mean(right)), 4),
        "accuracy_old_labels": round(float(np.mean(old)), 4),
    }


def _wrong_learned(project: Project, truth: dict) -> dict:
    """How clean what was learned is: feedback was wrong in a tenth, and in all that the hostile key said."""
    pool = [row for row in attempts.learned(project.store) if row.values["text"] in truth]
    wrong = sum(truth[row.values["text"]] != row.label for row in pool)
    return {"learned": len(pool), "wrong": wrong, "wrong_share": round(wrong / max(1, len(pool)), 4)}


POISON = ("other label", "one label", "two swapped", "near copies", "new label")
SUBTLE = ("renamed label", "second guess") * 3


def poisoned(kind: str, pool: Sequence[Row], labels: Sequence[str], chance: random.Random) -> list[Said]:
    """A batch in which nothing is true, from 24 keys that were all stolen."""
    one, other = chance.sample(list(labels), 2)
    if kind == "renamed label":
        return [
            (text, "pay the thief", f"key-{place % N_HONEST:02d}")
            for place, (text, _) in enumerate(row for row in pool if row[1] == one)
        ]
    copied = pool[chance.randrange(len(pool))][0]
    turn = {
        "other label": lambda text, label: (text, chance.choice([each for each in labels if each != label])),
        "one label": lambda text, label: (text, one),
        "two swapped": lambda text, label: (text, {one: other, other: one}.get(label, label)),
        "near copies": lambda text, label: (f"{copied} {text.split()[0]}", one),
        "new label": lambda text, label: (text, "pay the thief"),
        "second guess": lambda text, label: (
            text,
            min((each for each in labels if each != label), key=partial(_unlike, label)),
        ),
    }[kind]
    rows = chance.sample(list(pool), 400)
    if kind == "two swapped":
        rows = [row for row in rows if row[1] in (one, other)] * 3
        rows = [(f"{text} {'x' * (place % 7)}", label) for place, (text, label) in enumerate(rows)]
    return [(*turn(text, label), f"key-{place % N_HONEST:02d}") for place, (text, label) in enumerate(rows)]


def _unlike(one: str, other: str) -> float:
    """How little two labels have in common: a lie that is near the truth surprises less."""
    words, others = set(one.split("_")), set(other.split("_"))
    return -len(words & others) / len(words | others)


@contextmanager
def unescape_formula() -> Iterator[None]:
    """The control: everything is believed, and every challenger is promoted."""
    kept = selection.doubt, selection.cap, verdict.Verdict.is_better
    selection.doubt = lambda rows, *rest: list(rows)
    selection.cap = lambda rows, most: list(rows)
    verdict.Verdict.is_better = property(lambda self: True)
    try:
        yield
    finally:
        selection.doubt, selection.cap, verdict.Verdict.is_better = kept


def poisoning(world: World, start: Path, n_batches: int, chance: random.Random) -> dict:
    """Each batch meets the product as it was in the beginning; one of each kind meets it unguarded, too."""
    pool = [row for week in world.weeks for row in week if row[1] in world.early]
    found = []
    for number, kind in enumerate([*(POISON[place % len(POISON)] for place in range(n_batches)), *SUBTLE]):
        batch = poisoned(kind, pool, world.early, chance)
        sound = _meet(start, batch, world)
        found.append({"kind": kind, "guarded": sound})
        if number < len(POISON):
            with unescape_formula():
                found[-1]["unguarded"] = _meet(start, batch, world)
        print(json.dumps(found[-1]), flush=True)
    controls = [each["unguarded"] for each in found if "unguarded" in each]
    return {
        "batches": n_batches,
        "promoted": sum(each["guarded"]["verdict"] == "promoted" for each in found[:n_batches]),
        "subtle": len(SUBTLE),
        "subtle_promoted": sum(each["guarded"]["verdict"] == "promoted" for each in found[n_batches:]),
        "controls": len(controls),
        "unguarded_promoted": sum(each["verdict"] == "promoted" for each in controls),
        "unguarded_points": round(float(np.mean([each["points"] for each in controls])), 2),
        "each": found,
    }


def _meet(start: Path, batch: Sequence[Said], world: World) -> dict:
    old = [row for row in world.test if row[1] in world.early]
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(start, Path(place, "bank"))
        project = Project(Path(place, "bank"))
        before = accuracy(project, old)
        say(project, batch, "p")
        made = project.improve()
        learned = sum(row.fate == LEARNED for each in attempts.attempts(project.store) for row in each.rows())
        points = 100 * (accuracy(project, old) - before)
        return {"verdict": made.verdict, "why": made.why[:160], "learned": learned, "points": round(points, 2)}


def hostile(world: World, start: Path, n_weeks: int, chance: random.Random) -> dict:
    """Keys that lie beside honest ones, week after week: loud ones, a slow one, and some that agree on what to say."""
    found = []
    for kind, keys, share in HOSTILITY:
        with tempfile.TemporaryDirectory() as place:
            shutil.copytree(start, Path(place, "bank"))
            project = Project(Path(place, "bank"))
            before = accuracy(project, world.test)
            for number, rows in enumerate(world.weeks[:n_weeks], 1):
                honest = [each for each in week_of(world, rows, number, chance) if each[2] not in HOSTILE]
                lies = lying(kind, keys, rows, world.early, round(share * len(rows)), chance)
                said = [*honest, *lies]
                chance.shuffle(said)
                say(project, said, f"h{number}")
                made = project.improve()
                mine = [row for row in attempts.learned(project.store) if row.caller in HOSTILE]
                told = {
                    "kind": kind,
                    "keys": keys,
                    "week": number,
                    "verdict": made.verdict,
                    "lies": len(lies),
                    "lies_learned_so_far": len(mine),
                    "learned": len(attempts.learned(project.store)),
                    "points": round(100 * (accuracy(project, world.test) - before), 2),
                }
                found.append(told)
                print(json.dumps(told), flush=True)
    return {"each": found}


HOSTILITY = (("turned", 1, 0.2), ("turned", 5, 0.2), ("slow", 1, 0.04), ("agreed", 5, 0.1))
"""Kind, keys, and what they send beside each honest row of a week."""
HOSTILE = frozenset({"hostile", *(f"hostile-{number}" for number in range(5))})


def lying(
    kind: str, keys: int, rows: Sequence[Row], labels: Sequence[str], n_rows: int, chance: random.Random
) -> list[Said]:
    """turned: each label is called the next one. slow: few rows, of one label, called its neighbour. agreed: many keys
    call one label another one."""
    known = sorted(labels)
    turned = dict(zip(known, known[1:] + known[:1], strict=True))
    pool = [row for row in rows if row[1] in turned]
    if kind in ("slow", "agreed"):
        often = [label for label, _ in Counter(label for _, label in pool).most_common(3)]
        pool = [row for row in pool if row[1] in often]
    lies = [chance.choice(pool) for _ in range(n_rows)]
    return [
        (f"{text} {''.join(chance.sample('abcdefghijkl', 4))} {place}", turned[label], f"hostile-{place % keys}")
        for place, (text, label) in enumerate(lies)
    ]


def live(start: Path, world: World, chance: random.Random) -> dict:
    """p99 of a served product, alone and while another process retrains it; 40 requests a second, open loop."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "bank")
        shutil.copytree(start, folder)
        say(Project(folder), week_of(world, world.weeks[0], 1, chance), "l")
        shutil.rmtree(folder / ".windlass" / "improve", ignore_errors=True)
        command = [sys.executable, "-m", "windlass.cli"]
        server = subprocess.Popen(
            [*command, "serve", "--project", str(folder), "--port", "0"],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = int(server.stdout.readline().strip().rsplit(":", 1)[1].strip("/"))
            bodies = [json.dumps({"rows": [{"text": text}]}).encode() for text, _ in world.test[:200]]
            target = Target(port, "/v1/predict", bodies)
            open_loop(target, 40.0, 3.0, 1)
            alone = open_loop(target, 40.0, 15.0, 2).figures()
            trainer = subprocess.Popen(
                [*command, "improve", "--project", str(folder), "--json"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            beside, began = _while(trainer, target)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    return {
        "alone": alone,
        "beside": beside,
        "retraining_s": round(began, 1),
        "cores": len(os.sched_getaffinity(0)),
        "ratio_p99": round(beside["p99_ms"] / alone["p99_ms"], 2),
    }


def _while(process: subprocess.Popen, target: Target) -> tuple[dict, float]:
    """The figures of requests that came while the process ran."""
    began = time.perf_counter()
    ended = threading.Event()
    threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
    latencies, refused, seconds = [], Counter(), 0.0
    while not ended.is_set():
        part = open_loop(target, 40.0, 3.0, int(seconds) + 3)
        latencies += part.latencies_s
        refused += part.refused
        seconds += part.seconds
        total = part
    total.latencies_s, total.refused, total.seconds = latencies, refused, seconds
    return total.figures(), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--weeks", type=int, default=10)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of `weeks`; the others take the first")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    options = parser.parse_args()
    evaluate.SECONDS_TIMED = 0.2  # latency is not what is compared here
    for part in options.parts:
        seeds = options.seeds if part == "weeks" else options.seeds[:1]
        keep(part, {seed: measured(part, seed, options) for seed in seeds})


def measured(part: str, seed: int, options: argparse.Namespace) -> dict:
    """A part in a world of its own."""
    told = world(options.data, options.weeks, random.Random(seed))
    chance = random.Random(f"{seed} {part}")
    with tempfile.TemporaryDirectory() as place:
        start = Path(place, "start")
        product(start, told.base)
        if part == "weeks":
            return simulate(told, start, chance)
        if part == "poison":
            return poisoning(told, start, options.batches, chance)
        if part == "hostile":
            return hostile(told, start, min(3, options.weeks), chance)
        return live(start, told, chance)


PARTS = ("weeks", "poison", "hostile", "live")


def keep(part: str, found: dict) -> None:
    """Writes the part beside those that were measured before; seeds of `weeks` are added to others."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "improving.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    seeds = {str(seed): result for seed, result in found.items()}
    if part == "weeks":
        kept[part] = dict(sorted((kept.get(part, {}) | seeds).items()))
    else:
        kept[part] = next(iter(seeds.values()))
    kept |= {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "improving.md").write_text(improving_report.table(kept, N_HOSTILE, NOISE, N_HONEST), encoding="utf-8")
    record(*improving_report.goals(part, kept))
    print(improving_report.table(kept, N_HOSTILE, NOISE, N_HONEST))


if __name__ == "__main__":
    main()
