"""The rows of `results/goals.json`: what an issue asked for, and what a benchmark or a recorded trial measured of it.

Usage: from goals import Goal, record    (in a script of this folder; a row of the same issue and name is replaced)
"""

import json
import shlex
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from windlass.stages.evaluate import machine
from windlass.store.files import write_text

FILE = Path(__file__).parent / "results" / "goals.json"


@dataclass(frozen=True)
class Goal:
    """issue: its word in brackets; goal, value: as a reader would say them, with units; note: what else to know."""

    issue: str
    name: str
    goal: str
    value: str
    met: bool
    note: str = ""


def said(argument: str, root: Path) -> str:
    """The argument without a place of this machine: told from the project where it lies beside it, else by its name."""
    path = Path(argument)
    if not path.is_absolute():
        return argument
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return f"../{path.relative_to(root.parent).as_posix()}" if path.is_relative_to(root.parent) else path.name


def record(*goals: Goal) -> None:
    """Writes the rows with the command that runs, this machine and today's date, and prints them."""
    rows = {(row["issue"], row["name"]): row for row in (json.loads(FILE.read_text("utf-8")) if FILE.exists() else [])}
    place = Path(sys.argv[0]).resolve()
    root = FILE.parent.parent.parent
    script = place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name
    run = {
        "command": shlex.join(["python", script, *(said(each, root) for each in sys.argv[1:])]),
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
    }
    for goal in goals:
        row = asdict(goal)
        note = row.pop("note")
        rows[goal.issue, goal.name] = row | run | {"note": note}
        word = "met" if goal.met else "not met"
        print(f"{word} [{goal.issue}] {goal.name}: {goal.value} (goal: {goal.goal})", flush=True)
    write_text(FILE, json.dumps([rows[key] for key in sorted(rows)], ensure_ascii=False, indent=1) + "\n")
