"""Whether `windlass run` keeps the minutes that it is given: wall time of the command, on real data of every kind.

Usage: python benchmarks/minutes.py [--data ../shared/data] [--parts quiet loaded] [NAME ...]
Each data set is guessed by `windlass init` and run with its minutes below, every second one beside two processes that
do nothing but compute (`loaded`). The time is that of the whole command, from the call to its end, with all stages.
A row of results/goals.json: runs within 1.15 x minutes + 20 s. About 20 minutes a part.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from goals import Goal, record

from windlass.store.files import write_text

HERE = Path(__file__).resolve().parent
FACTOR, BESIDE_S, LOAD = 1.15, 20.0, 2
RESULTS = HERE / "results" / "minutes.json"
RUNS = (
    ("sentiment-en-mr", 1), ("topics-agnews", 2), ("sentiment-zh-shopping", 1), ("intent-banking77", 2),
    ("spam-sms", 1), ("support-multidogo", 2), ("finance-phrasebank", 1), ("image-mnist/mnist.npz", 1),
    ("medical-chest-xray", 1), ("faces-orl", 1), ("image-grocery", 2), ("tabular-adult", 1),
    ("tabular-bank-marketing", 2), ("tabular-heart", 1), ("timeseries-etth1/ETTh1.csv", 2),
    ("recsys-movielens-small/train.csv", 2), ("detect-bccd", 2), ("segment-nuclei", 2),
    ("translation-en-zh-tatoeba", 2), ("summary-scitldr", 2),
)  # fmt: skip


class Found(NamedTuple):
    """seconds: of the command, by the clock. stages: of each stage. code: what the command ended with; 1 is a release
    that was refused, which takes its time as well."""

    name: str
    part: str
    minutes: float
    seconds: float
    most: float
    code: int
    stages: dict[str, float]
    load: float


@contextmanager
def load(count: int) -> Iterator[None]:
    """So many processes that only compute."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


def ran(source: Path, minutes: float, part: str) -> Found:
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        order = [sys.executable, "-m", "windlass"]
        subprocess.run([*order, "init", str(source), "--project", name], check=True, capture_output=True)
        spec = project / "windlass.yaml"
        lines = [line for line in spec.read_text("utf-8").splitlines() if not line.startswith("minutes:")]
        write_text(spec, "\n".join([*lines, f"minutes: {minutes:g}"]) + "\n")
        before = os.getloadavg()[0]
        with load(LOAD if part == "loaded" else 0):
            started = time.perf_counter()
            code = subprocess.run([*order, "run", "--project", name], check=False, capture_output=True).returncode
            seconds = time.perf_counter() - started
        times = project / ".windlass" / "times.json"
        stages = json.loads(times.read_text("utf-8")) if times.is_file() else {}
    most = FACTOR * 60 * minutes + BESIDE_S
    return Found(source.parent.name if source.suffix else source.name, part, minutes, round(seconds, 1), most, code,
                 stages, round(before, 1))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--parts", nargs="+", choices=("quiet", "loaded"), default=["quiet", "loaded"])
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    known = {}
    if RESULTS.is_file():
        known = {(row["name"], row["part"]): row for row in json.loads(RESULTS.read_text("utf-8"))}
    for number, (source, minutes) in enumerate(RUNS):
        part, name = ("quiet", "loaded")[number % 2], source.partition("/")[0]
        if part not in args.parts or (args.names and name not in args.names):
            continue
        found = ran(args.data / source, minutes, part)
        known[found.name, part] = found._asdict()
        told = " ".join(f"{word} {seconds:.0f}" for word, seconds in found.stages.items())
        word = "kept" if found.seconds <= found.most else "NOT KEPT"
        print(
            f"{name} ({part}): {found.seconds:.0f} of {found.most:.0f} s, {word}; {told}; rc {found.code}", flush=True
        )
        write_text(RESULTS, json.dumps([known[key] for key in sorted(known)], indent=1) + "\n")
    kept = [row for row in known.values() if row["seconds"] <= row["most"] and row["code"] in (0, 1)]
    missed = [row for row in known.values() if row not in kept]
    late = ", ".join(f"{row['name']} {row['seconds']:.0f} of {row['most']:.0f} s" for row in missed)
    loads = [row["load"] for row in known.values()]
    note = f"load average before the runs {min(loads):.1f} to {max(loads):.1f}; not kept: {late or 'none'}"
    record(Goal("speed", "`windlass run` keeps the minutes", f"{len(RUNS)} of {len(RUNS)} runs within "
                f"{FACTOR} x minutes + {BESIDE_S:.0f} s, half of them beside a load of {LOAD}",
                f"{len(kept)} of {len(known)}", len(kept) == len(known) == len(RUNS), note))  # fmt: skip


if __name__ == "__main__":
    main()
