"""Ten simulated weeks of a product that learns from feedback, beside one that stays as it was; and batches of poison.

Usage: nice -n 10 python benchmarks/improving.py [--parts weeks poison live] [--data /work/shared/data]
intent-banking77 (CC BY 4.0): a fifth of the labels arrives late, a tenth of the feedback is wrong, one key is hostile.
Each part is added to results/improving.json and results/improving.md. The set's test rows are
seen by nobody but this script.
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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from load_generator import Target, open_loop

from windlass.improving import attempts, selection, verdict
from windlass.improving.taught import LEARNED
from windlass.project import Project
from windlass.serving.home import log_path
from windlass.serving.log import Feedback, Logged, RequestLog
from windlass.stages import evaluate
from windlass.stages.evaluate import machine

RESULTS = Path(__file__).resolve().parent / "results"
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
                    Logged(f"{mark}-{place}", time.time(), release.id, answers[place].value, answers[place].confidence,
                           1.0, {"text": text}, caller)
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
    said += [(f"{text} {chance.choice('abcdefgh')}", turned[label], "hostile")
             for text, label in chance.sample(list(rows), min(N_HOSTILE, len(rows)))]
    chance.shuffle(said)
    return said


def simulate(world: World, folder: Path, chance: random.Random) -> dict:
    """Week by week: feedback comes in, `improve` runs, and both products are examined on the same test rows."""
    project = Project(folder)
    old = [row for row in world.test if row[1] in world.early]
    frozen = {"all": accuracy(project, world.test), "old": accuracy(project, old)}
    weeks = []
    for number, rows in enumerate(world.weeks, 1):
        say(project, week_of(world, rows, number, chance), f"w{number}")
        began = time.perf_counter()
        made = project.improve(trigger=f"week {number}")
        hostile = [row for row in attempts.learned(project.store) if row.caller == "hostile"]
        weeks.append(
            {
                "week": number,
                "verdict": made.verdict,
                "why": made.why[:200],
                "learned": made.rows["learned"],
                "judging": made.rows["judging"],
                "set_aside": sum(made.rows["set aside"].values()),
                "waiting": sum(made.rows["waiting"].values()),
                "hostile_learned_so_far": len(hostile),
                "new_labels": made.evidence.get("new_labels", []),
                "accuracy": round(accuracy(project, world.test), 4),
                "accuracy_old_labels": round(accuracy(project, old), 4),
                "seconds": round(time.perf_counter() - began, 1),
            }
        )
        print(json.dumps(weeks[-1]), flush=True)
    wrong = _wrong_learned(project, world)
    return {"frozen": {name: round(value, 4) for name, value in frozen.items()}, "weeks": weeks, "labels": wrong}


def _wrong_learned(project: Project, world: World) -> dict:
    """How clean what was learned is: feedback was wrong in a tenth, and in all that the hostile key said."""
    truth = {text: label for week in world.weeks for text, label in week}
    pool = [row for row in attempts.learned(project.store) if row.values["text"] in truth]
    wrong = sum(truth[row.values["text"]] != row.label for row in pool)
    return {"learned": len(pool), "wrong": wrong, "wrong_share": round(wrong / max(1, len(pool)), 4)}


POISON = ("other label", "one label", "two swapped", "near copies", "new label")


def poisoned(kind: str, rows: Sequence[Row], labels: Sequence[str], chance: random.Random) -> list[Said]:
    """A batch in which nothing is true, from 24 keys that were all stolen."""
    one, other = chance.sample(list(labels), 2)
    turn = {
        "other label": lambda text, label: (text, chance.choice([each for each in labels if each != label])),
        "one label": lambda text, label: (text, one),
        "two swapped": lambda text, label: (text, {one: other, other: one}.get(label, label)),
        "near copies": lambda text, label: (f"{rows[0][0]} {text.split()[0]}", one),
        "new label": lambda text, label: (text, "pay the thief"),
    }[kind]
    if kind == "two swapped":
        rows = [row for row in rows if row[1] in (one, other)] * 3
        rows = [(f"{text} {'x' * (place % 7)}", label) for place, (text, label) in enumerate(rows)]
    return [(*turn(text, label), f"key-{place % N_HONEST:02d}") for place, (text, label) in enumerate(rows)]


@contextmanager
def unguarded() -> Iterator[None]:
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
    for number in range(n_batches):
        kind = POISON[number % len(POISON)]
        batch = poisoned(kind, chance.sample(pool, 400), world.early, chance)
        sound = _meet(start, batch, world)
        found.append({"kind": kind, "guarded": sound})
        if number < len(POISON):
            with unguarded():
                found[-1]["unguarded"] = _meet(start, batch, world)
        print(json.dumps(found[-1]), flush=True)
    controls = [each["unguarded"] for each in found if "unguarded" in each]
    return {
        "batches": len(found),
        "promoted": sum(each["guarded"]["verdict"] == "promoted" for each in found),
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


def live(start: Path, world: World, chance: random.Random) -> dict:
    """p99 of a served product, alone and while another process retrains it; 40 requests a second, open loop."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "bank")
        shutil.copytree(start, folder)
        say(Project(folder), week_of(world, world.weeks[0], 1, chance), "l")
        shutil.rmtree(folder / ".windlass" / "improve", ignore_errors=True)
        command = [sys.executable, "-m", "windlass.cli"]
        server = subprocess.Popen([*command, "serve", "--project", str(folder), "--port", "0"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            port = int(server.stdout.readline().strip().rsplit(":", 1)[1].strip("/"))
            bodies = [json.dumps({"rows": [{"text": text}]}).encode() for text, _ in world.test[:200]]
            target = Target(port, "/v1/predict", bodies)
            open_loop(target, 40.0, 3.0, 1)
            alone = open_loop(target, 40.0, 15.0, 2).figures()
            trainer = subprocess.Popen([*command, "improve", "--project", str(folder), "--json"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            beside, began = _while(trainer, target)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    return {"alone": alone, "beside": beside, "retraining_s": round(began, 1), "cores": len(os.sched_getaffinity(0)),
            "ratio_p99": round(beside["p99_ms"] / alone["p99_ms"], 2)}


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


def table(found: dict) -> str:
    """The result as Markdown."""
    lines = [
        "# improve: ten weeks on intent-banking77",
        "",
        f"{found['machine']}; {found['date']}; `python benchmarks/improving.py`. Learner: linear. A fifth of the 77 "
        f"labels arrives in weeks 2 to 6, {NOISE:.0%} of the feedback is wrong, one key of {N_HONEST + 1} is hostile: "
        f"{N_HOSTILE} rows a week. Accuracy on the set's own 3,080 test rows, which the product never sees.",
        "",
    ]
    lines += _weeks_table(found["weeks"]) if "weeks" in found else []
    if "poison" in found:
        poison = found["poison"]
        lines += [
            f"- Poisoned batches promoted: {poison['promoted']} of {poison['batches']} (24 stolen keys, nothing true). "
            f"Control, all believed and all promoted: {poison['unguarded_promoted']} of {poison['controls']}, "
            f"{poison['unguarded_points']:+.1f} points on the labels of the start, on average."
        ]
    if "live" in found:
        each = found["live"]
        lines += [
            f"- p99 of the service {each['alone']['p99_ms']} ms alone, {each['beside']['p99_ms']} ms while retraining "
            f"({each['retraining_s']} s), {each['ratio_p99']} times, on {each['cores']} core(s)."
        ]
    return "\n".join(lines) + "\n"


def _weeks_table(found: dict) -> list[str]:
    frozen, weeks, last = found["frozen"], found["weeks"], found["weeks"][-1]
    gain, old = (100 * (last[name] - frozen[at]) for name, at in (("accuracy", "all"), ("accuracy_old_labels", "old")))
    return [
        "| week | verdict | learned | judging | set aside | waiting | all labels | labels of the start |",
        "|---|---|---|---|---|---|---|---|",
        f"| 0 (frozen) | | | | | | {frozen['all']:.3f} | {frozen['old']:.3f} |",
        *(
            f"| {week['week']} | {week['verdict']} | {week['learned']} | {week['judging']} | {week['set_aside']} | "
            f"{week['waiting']} | {week['accuracy']:.3f} | {week['accuracy_old_labels']:.3f} |"
            for week in weeks
        ),
        "",
        f"- At the end {gain:+.1f} points over the frozen model (asked: at least +5); labels of the start {old:+.1f} "
        "(asked: at least -1). Set aside and waiting are of all feedback so far.",
        f"- Of {found['labels']['learned']:,} rows that were learned {found['labels']['wrong_share']:.1%} have a wrong "
        f"label (of the feedback: {NOISE:.0%} of the honest, all of the hostile); rows of the hostile key among them: "
        f"{last['hostile_learned_so_far']}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("/work/shared/data"))
    parser.add_argument("--weeks", type=int, default=10)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    options = parser.parse_args()
    evaluate.SECONDS_TIMED = 0.2  # latency is not what is compared here
    told = world(options.data, options.weeks, random.Random(13))
    for part in options.parts:
        chance = random.Random(f"13 {part}")
        with tempfile.TemporaryDirectory() as place:
            start = Path(place, "start")
            product(start, told.base)
            if part == "weeks":
                keep(part, simulate(told, start, chance))
            elif part == "poison":
                keep(part, poisoning(told, start, options.batches, chance))
            else:
                keep(part, live(start, told, chance))


PARTS = ("weeks", "poison", "live")


def keep(part: str, result: dict) -> None:
    """Writes the part beside those that were measured before."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "improving.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found |= {part: result, "machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "improving.md").write_text(table(found), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
