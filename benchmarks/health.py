"""Machines that are watched: faults found within a day, false alarms, causes and failures to come, on fresh worlds.

Usage: python benchmarks/health.py [--seeds 101 102 103 104 105] [--causes 2] [--minutes 1.5]
Writes benchmarks/results/health.json and the rows of results/goals.json.

Each world is drawn by `tools/make_machine_health.py` with a seed that nothing was tuned on, eight machines in 26 weeks.
The product learns from the first 13 (of these it tests and chooses on what came last), then says of every reading of
the other 13 whether something is wrong, from the 14 days before it. Alarms are counted as the tool does, whose oracle
and naive model stand beside; and once more where an alarm that goes on is one each day. `--causes`: worlds of which the
cause and a failure within 7 days are learned as well, `--minutes` each.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from goals import Goal, record

from windlass.metrics.alarms import MONTH_H, counted
from windlass.metrics.measures import wilson
from windlass.project import Project
from windlass.stages.evaluate import machine

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))
import make_machine_health as tool  # noqa: E402

RESULTS = HERE / "results"
N_WEEKS, LEARNED_WEEKS = 26, 13
BEGIN = LEARNED_WEEKS * 7 * tool.A_DAY
WINDOW, DAY = 14 * tool.A_DAY, tool.A_DAY
SERIES = "past: [vibration, temperature], known: [load]"
SPECS = {
    "anomaly": ("{cause: anomaly}", f"{{time: time, window: {WINDOW}, stride: 3, rest: {DAY}, {SERIES}}}",
                "found_within_a_day >= 0.9\nlimits: {false_alarms_a_month: 1}"),
    "cause": ("{cause: category}", f"{{time: time, window: {DAY}, stride: 3, {SERIES}}}", "macro_recall"),
    "fails_soon": ("{fails_soon: category}", f"{{time: time, window: {DAY}, stride: 3, rest: 1, {SERIES}}}",
                   "macro_recall"),
}  # fmt: skip


def write_points(plant: tool.World, path: Path, end: int) -> None:
    """The readings before `end`, with what a person would have written down of each."""
    cause, soon = plant.cause, plant.fails_soon
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "machine", "vibration", "temperature", "load", "cause", "fails_soon"])
        for row in range(len(plant.load)):
            for place in range(end):
                values = (plant.vibration, plant.temperature, plant.load)
                told = "yes" if soon[row, place] else "no"
                writer.writerow(
                    [moment(place), f"m{row + 1}", *(each[row, place] for each in values), cause[row, place], told]
                )


def moment(place: int) -> str:
    return (tool.START + timedelta(hours=tool.EVERY_HOURS * place)).isoformat(timespec="minutes")


def project(task: str, plant: tool.World, folder: Path, minutes: float) -> Project:
    folder.mkdir()
    write_points(plant, folder / "points.csv", BEGIN)
    output, series, goal = SPECS[task]
    text = (
        f"name: {task.replace('_', '-')}\ndata: points.csv\ninputs: {{readings: series, machine: category}}\n"
        f"output: {output}\ngoal: {goal}\ngroup: machine\nseries: {series}\nminutes: {minutes}\n"
    )
    (folder / "windlass.yaml").write_text(text, encoding="utf-8")
    return Project(folder)


def asked(plant: tool.World, row: int, place: int, length: int) -> dict:
    """What a client sends after the reading at this place."""
    first = max(0, place - length + 1)
    columns = {
        name: getattr(plant, name)[row, first : place + 1].tolist() for name in ("vibration", "temperature", "load")
    }
    return {"readings": {"start": moment(first), "every": "2h", "columns": columns}, "machine": f"m{row + 1}"}


def later(plant: tool.World) -> tuple[tool.World, np.ndarray]:
    """The second half as a world whose first weeks, which are not judged, are the last of the first half; and where
    alarms count for nothing, as a fault began before."""
    begin = BEGIN - tool.QUIET_DAYS * DAY
    cut = {name: getattr(plant, name)[:, begin:] for name in plant.__dataclass_fields__ if name != "faults"}
    moved = [replace(each, onset=each.onset - begin, failure=each.failure - begin) for each in plant.faults]
    quiet = BEGIN - begin
    unjudged = np.zeros(cut["load"].shape, bool)
    for fault in moved:
        if fault.onset < quiet:
            unjudged[fault.machine, max(0, fault.onset) : max(0, fault.failure + DAY)] = True
    return tool.World(faults=tuple(each for each in moved if each.onset >= quiet), **cut), unjudged


def alarms_of(plant: tool.World, release: object) -> np.ndarray:
    """(machines, times) of the second half, as `later` cuts it."""
    n_machines, n_times = plant.load.shape
    said = np.zeros((n_machines, n_times), bool)
    for row in range(n_machines):
        places = range(BEGIN, n_times)
        answers = release.predict([asked(plant, row, place, WINDOW) for place in places])
        said[row, BEGIN:] = [answer.value == "yes" for answer in answers]
    return said[:, BEGIN - tool.QUIET_DAYS * DAY :]


def judged(half: tool.World, alarms: np.ndarray, unjudged: np.ndarray) -> dict:
    """As the tool counts, with the counts behind; delays of the faults found; an alarm that goes on is one each day."""
    alarms = alarms & ~unjudged
    score = tool.alarm_score(half, alarms)
    delays = []
    for fault in half.faults:
        places = np.flatnonzero(alarms[fault.machine, fault.onset : fault.failure])
        delays.append(float(places[0] * tool.EVERY_HOURS) if len(places) else None)
    is_judged = ~unjudged
    is_judged[:, : tool.QUIET_DAYS * DAY] = False
    for fault in half.faults:
        is_judged[fault.machine, fault.onset : fault.failure + DAY] = False
    machines, places = np.nonzero(is_judged)
    strict = counted(machines, places * float(tool.EVERY_HOURS), np.zeros(len(places), bool), alarms[machines, places])
    months = len(places) * tool.EVERY_HOURS / MONTH_H
    return {**score, "faults": len(half.faults), "months": months, "delays_h": delays,
            "false_alarm_days_a_month": float(strict.is_false.sum() / months)}  # fmt: skip


def watched(seed: int, folder: Path) -> dict:
    """One world: the product, what knows the healthy machine, the naive model and never."""
    plant = tool.world(seed, n_weeks=N_WEEKS)
    half, unjudged = later(plant)
    made = project("anomaly", plant, folder / f"anomaly-{seed}", 1)
    began = time.monotonic()
    board = made.run()
    found = {"seconds": time.monotonic() - began, "chosen": board.chosen}
    found["product"] = judged(half, alarms_of(plant, made.release()), unjudged)
    begin = BEGIN - tool.QUIET_DAYS * DAY
    for model in (tool.oracle, tool.informed, tool.three_sigma, tool.never):
        found[model.__name__] = judged(half, model(plant)[:, begin:], unjudged)
    for candidate in board.candidates:
        found[f"board {candidate.name}"] = {
            name: [each.value, each.low, each.high] for name, each in candidate.metrics.items()
        }
    print(seed, {name: each["found_within_a_day"] for name, each in found.items() if "found_within_a_day" in str(each)
                 and "faults" in each}, flush=True)  # fmt: skip
    return found


def told(seed: int, task: str, folder: Path, minutes: float) -> dict:
    """Balanced accuracy of every sixth reading of the second half, none that still sees the fault before a repair."""
    plant = tool.world(seed, n_weeks=N_WEEKS)
    made = project(task, plant, folder / f"{task}-{seed}", minutes)
    board = made.run()
    release = made.release()
    seen = tool.windows(plant)
    places = np.flatnonzero(seen.last >= BEGIN + DAY)
    rows = [asked(plant, int(seen.machine[each]), int(seen.last[each]), DAY) for each in places]
    answers = np.array([answer.value for answer in release.predict(rows)], object)
    truth = seen.cause[places] if task == "cause" else np.where(seen.fails_soon[places], "yes", "no")
    wrong_now = seen.cause[places] != "none"
    high = tool.three_sigma(plant)[seen.machine[places], seen.last[places]]
    beside = {
        "oracle": seen.cause[places] if task == "cause" else np.where(wrong_now, "yes", "no"),
        "three_sigma": np.where(high, "imbalance", "none") if task == "cause" else np.where(high, "yes", "no"),
        "never": np.full(len(places), "none" if task == "cause" else "no"),
    }
    found = {name: tool.balanced_accuracy(truth, said) for name, said in {"product": answers, **beside}.items()}
    print(seed, task, board.chosen, found, flush=True)
    return {**found, "chosen": board.chosen, "rows": len(places)}


def pooled(worlds: dict, name: str) -> dict:
    """All worlds together, with 95 % intervals."""
    from scipy.stats import chi2

    each = [world[name] for world in worlds.values()]
    n_faults, months = sum(one["faults"] for one in each), sum(one["months"] for one in each)
    hits = round(sum(one["found_within_a_day"] * one["faults"] for one in each))
    false = round(sum(one["false_alarms_a_month"] * one["months"] for one in each))
    share = wilson(hits, n_faults)
    late = [delay for one in each for delay in one["delays_h"] if delay is not None]
    low = float(chi2.ppf(0.025, 2 * false)) / 2 if false else 0.0
    return {
        "found_within_a_day": [share.value, share.low, share.high], "faults": n_faults, "months": months,
        "false_alarms_a_month": [false / months, low / months, float(chi2.ppf(0.975, 2 * false + 2)) / 2 / months],
        "false_alarm_days_a_month": sum(one["false_alarm_days_a_month"] * one["months"] for one in each) / months,
        "delay_h_median": float(np.median(late)) if late else None,
        "delay_h_90": float(np.percentile(late, 90)) if late else None,
    }  # fmt: skip


def goals(found: dict) -> list[Goal]:
    own, naive, informed = (found["together"][name] for name in ("product", "three_sigma", "informed"))
    share, low, high = own["found_within_a_day"]
    alarms, least, most = own["false_alarms_a_month"]
    value = (
        f"{share:.1%} [{low:.1%}, {high:.1%}] of {own['faults']} faults within a day, {alarms:.2f} "
        f"[{least:.2f}, {most:.2f}] false alarms a month and machine"
    )
    note = (
        f"{len(found['worlds'])} fresh worlds, 13 weeks each after 13 learned; knows the healthy machine: "
        f"{informed['found_within_a_day'][0]:.1%} at {informed['false_alarms_a_month'][0]:.2f}; three sigma: "
        f"{naive['found_within_a_day'][0]:.1%} at {naive['false_alarms_a_month'][0]:.2f}"
    )
    told = (
        f"delay: median {own['delay_h_median']:.0f} h, 90 % within {own['delay_h_90']:.0f} h; false alarms "
        f"{alarms:.2f} a month and machine, {own['false_alarm_days_a_month']:.2f} where one that goes on is one a day"
    )
    return [
        Goal("numbers", "machine-health", "90 % of faults within a day at 1 false alarm a month at most", value,
             share >= 0.9 and alarms <= 1, note),
        Goal("numbers", "machine-health delay", "anomaly delay and false alarms told", told, True, note),
        *(Goal("numbers", f"machine-health {task}", "balanced accuracy above the naive model's", _of(each),
               all(one["product"] > one["three_sigma"] for one in each.values()), "no goal of the issue")
          for task, each in found["told"].items() if each),
    ]  # fmt: skip


def _of(worlds: dict) -> str:
    names = ("product", "oracle", "three_sigma", "never")
    return ", ".join(f"{name} {np.mean([one[name] for one in worlds.values()]):.3f}" for name in names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=[101, 102, 103, 104, 105])
    parser.add_argument("--causes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1.5)
    asked_for = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="windlass-health-") as name:
        folder = Path(name)
        worlds = {str(seed): watched(seed, folder) for seed in asked_for.seeds}
        seeds = asked_for.seeds[: asked_for.causes]
        causes = {task: {str(seed): told(seed, task, folder, asked_for.minutes) for seed in seeds}
                  for task in ("cause", "fails_soon")}  # fmt: skip
    names = ("product", "oracle", "informed", "three_sigma", "never")
    found = {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "worlds": worlds,
        "together": {name: pooled(worlds, name) for name in names}, "told": causes,
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "health.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    record(*goals(found))


if __name__ == "__main__":
    main()
