"""What one text over HTTP costs beside the bare engine and beside FastAPI with ONNX Runtime and batching; goodput.

Usage: python benchmarks/serving_goals.py [--parts linear text] [--seconds 4] [--work FOLDER]
Every server has one core, the load generator the other, as in serving.py, whose functions these are; the peer runs the
very graph of our release. Overload: an open loop at twice the answers a second of 32 clients. The log's share is of the
processor's time: the same service with and without what it keeps and counts of an answer. Some 4 minutes, the half of
them for two models to be made. Writes rows of results/goals.json.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from goals import Goal, record
from load_generator import Target, closed_loop
from serving_report import QUEUE

import serving

ISSUE = "speed"
WITHOUT_LOG = """import sys
from windlass.serving.runtime.service import Service
Service.keep = lambda *values: None
from windlass.__main__ import main
main()"""
NAMES = {"linear": "`linear`", "text": "MiniLM"}


def without_log(plan: serving.Plan, model: str, port: int) -> list[str]:
    serve = ["serve", "--project", str(plan.work / serving.MODELS[model]), "--port", str(port)]
    return serving.on_core(serving.SERVER_CORE, [sys.executable, "-c", WITHOUT_LOG, *serve])


def peer(plan: serving.Plan, port: int) -> list[str]:
    place = next((plan.work / "frozen" / ".windlass" / "release").glob("*/model"))
    order = [sys.executable, str(serving.PEERS), "onnx", "text", str(place), str(port)]
    return serving.on_core(serving.SERVER_CORE, order)


def measured(command: list[str], at: Target, seconds: float, is_ours: bool = True) -> dict:
    """First answer, one client, 32 clients, and for ours the overload."""
    with serving.running(command, at) as (pid, first_s):
        closed_loop(at, 1, 1)
        closed_loop(at, serving.N_CLIENTS, 1)
        found: dict = {"first_s": first_s, "idle": closed_loop(at, 1, seconds).figures()}
        found["clients_32"] = serving.many_clients(at, pid, seconds)
        if is_ours:
            found["overload"] = serving.overload(at, found, seconds)
        return found


def ours_with_and_without(plan: serving.Plan, model: str, texts: list[str]) -> tuple[dict, float]:
    """Our figures, and the part of an answer's time that the log and the watching take."""
    at = serving.target("windlass", serving.free_port(), texts)
    ours = measured(serving.command(plan, "windlass", model, at.port), at, plan.seconds)
    at = serving.target("windlass", serving.free_port(), texts)
    bare = measured(without_log(plan, model, at.port), at, plan.seconds, is_ours=False)
    costs = [each["clients_32"]["cpu_ms_per_answer"] for each in (ours, bare)]
    return ours, 1 - costs[1] / costs[0]


def rows(model: str, ours: dict, engine: dict, log_share: float, load: float) -> list[Goal]:
    name, note = NAMES[model], f"load average {load:.1f} at the start"
    rate, over = ours["clients_32"]["answers_per_second"], ours["overload"]
    best = max(engine["answers_per_second"], engine["answers_per_second_batches"])
    least = 0.5 if model == "linear" else 0.9
    goodput, above = over["answers_per_second"] / rate, ours["idle"]["p50_ms"] - engine["p50_ms"]
    bound = 1250 * (QUEUE + 2) / rate + 1.25 * ours["idle"]["p99_ms"]
    late = over["p99_ms"] if over["p99_ms"] is not None else float("inf")
    asked = f"{over['rate']:g} requests a second, capacity {rate:g}; {note}"
    return [
        Goal(ISSUE, f"{name}: answers a second of 32 clients beside the bare engine", f">= {least:g}",
             f"{rate / best:.2f}", rate >= least * best, note),
        Goal(ISSUE, f"{name}: p50 of an answer above the bare engine", "<= 1 ms", f"{above:.2f} ms", above <= 1, note),
        Goal(ISSUE, f"{name}: goodput under twice what it can answer", ">= 0.9 of capacity", f"{goodput:.2f}",
             goodput >= 0.9, asked),
        Goal(ISSUE, f"{name}: accepted p99 under twice what it can answer", f"<= {bound:.0f} ms", f"{late:.0f} ms",
             late <= bound, asked),
        Goal(ISSUE, f"{name}: first answer", "<= 1.5 s", f"{ours['first_s']:.2f} s", ours["first_s"] <= 1.5, note),
        Goal(ISSUE, f"{name}: log and watching, of an answer's processor time", "<= 5 %", f"{100 * log_share:.1f} %",
             log_share <= 0.05, note),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--work", type=Path, help="keeps models between runs (none: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.work or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        plan = serving.Plan("", folder, options.seconds, 1, ())
        for learner in {serving.MODELS[part] for part in (*options.parts, "linear")}:  # `messages` reads linear's rows
            if not (folder / learner / ".windlass" / "release" / "champion.json").is_file():
                serving.product(folder / learner, learner)
        os.sched_setaffinity(0, {serving.GENERATOR_CORE})
        texts = serving.messages(plan)
        for model in options.parts:
            load, engine = os.getloadavg()[0], serving.bare_in_process(plan, model)
            ours, log_share = ours_with_and_without(plan, model, texts)
            record(*rows(model, ours, engine, log_share, load))
            if model == "text":
                at = serving.target("fastapi", serving.free_port(), texts)
                theirs = measured(peer(plan, at.port), at, options.seconds, is_ours=False)
                rates = [each["clients_32"]["answers_per_second"] for each in (ours, theirs)]
                name = "MiniLM: answers a second beside FastAPI + ONNX Runtime with batching"
                ratio, note = rates[0] / rates[1], f"32 clients, the same graph; load average {load:.1f} at the start"
                record(Goal(ISSUE, name, ">= 1.2", f"{ratio:.2f}", ratio >= 1.2, note))


if __name__ == "__main__":
    main()
