"""How long one waits for a command, from the call to its end, on the rows of the blueprint support-desk.

Usage: python benchmarks/waiting.py [--parts init run current plan improve] [--times 3]
Each command is a process of its own, as a person starts it; the median of so many times is told, the first of which is
not counted where it compiles what it imports. `run`: 1,000 rows, `linear` alone; `current`: the same again; `plan`: of
400 rows; `improve`: on 60 corrections that contradict what is known, which is refused; both of a product for which all
learners were tried, in a minute; `init`: of 1,000 rows.
Writes rows of results/goals.json.
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from goals import Goal, record

from windlass.blueprints import catalogue

ISSUE, N_ROWS, N_FEW, N_WRONG = "speed", 1_000, 400, 60
SPEC = """name: desk
data: tickets.csv
inputs: {message: text}
output: {intent: category}
goal: macro_f1 >= 0.5
minutes: 1
improve: {rows: 30, caller_share: 1}
"""


LINEAR = "learners: [linear]\n"


def tickets(folder: Path, n_rows: int, learners: str = "") -> list[dict[str, str]]:
    """The first rows of the blueprint, as `tickets.csv` of a new project. learners: '' = those that windlass tries."""
    folder.mkdir()
    with next((catalogue.HOME / "support-desk" / "data").glob("*.csv")).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:n_rows]
    written(folder / "tickets.csv", rows)
    (folder / "windlass.yaml").write_text(SPEC + learners)
    return rows


def written(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def waited(folder: Path, *words: str) -> float:
    """Seconds from the call to the end of a command."""
    return told(folder, *words)[0]


def told(folder: Path, *words: str) -> tuple[float, str]:
    """The same, and what the command printed."""
    started = time.perf_counter()
    order = [sys.executable, "-m", "windlass", *words]
    said = subprocess.run(order, cwd=folder, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - started, said


def of_init(folder: Path) -> float:
    tickets(folder, N_ROWS)
    (folder / "windlass.yaml").unlink()
    return waited(folder, "init", "tickets.csv")


def of_run(folder: Path) -> float:
    tickets(folder, N_ROWS, LINEAR)
    return waited(folder, "run")


def of_current(folder: Path) -> float:
    tickets(folder, N_ROWS, LINEAR)
    waited(folder, "run")
    return waited(folder, "run")


def of_plan(folder: Path) -> float:
    tickets(folder, N_FEW)
    waited(folder, "run")
    return waited(folder, "plan")


def of_improve(folder: Path) -> float:
    """Every tenth label moved to the next: what it learns answers test rows worse."""
    rows = tickets(folder, N_ROWS)
    waited(folder, "run")
    labels = sorted({row["intent"] for row in rows})
    wrong = [
        {"message": f"{row['message']} please, number {place}", "intent": labels[(labels.index(row["intent"]) + 1) % 3]}
        for place, row in enumerate(rows[:N_WRONG])
    ]
    written(folder / "wrong.csv", wrong)
    seconds, said = told(folder, "improve", "--rows", "wrong.csv", "--json")
    verdict = json.loads(said)
    if verdict["verdict"] != "refused":
        raise SystemExit(f"improve was '{verdict['verdict']}', expected 'refused': {verdict['why']}")
    return seconds


PARTS: dict[str, tuple[Callable[[Path], float], str, float]] = {
    "init": (of_init, "`init` on 1,000 rows", 1.0),
    "run": (of_run, "`run` on 1,000 rows with linear", 4.0),
    "current": (of_current, "`run` where all is up to date", 0.6),
    "plan": (of_plan, "`plan` on 400 rows", 30.0),
    "improve": (of_improve, "`improve` with a refusal", 30.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--times", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        of_run(Path(name) / "warm")
        for part in args.parts:
            measure, words, most = PARTS[part]
            before, found = os.getloadavg()[0], []
            for number in range(args.times):
                folder = Path(name) / f"{part}-{number}"
                found.append(measure(folder))
                shutil.rmtree(folder)
            median = statistics.median(found)
            note = f"{args.times} times, {min(found):.2f} to {max(found):.2f} s; load average {before:.1f} at the start"
            record(Goal(ISSUE, words, f"<= {most:g} s", f"{median:.2f} s", median <= most, note))


if __name__ == "__main__":
    main()
