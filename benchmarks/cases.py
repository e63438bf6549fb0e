"""The small inputs of `shared/cases` that once failed: each run.sh in a copy, and what its first lines ask for.

Usage: python benchmarks/cases.py CASES [--only NAME ...] [--show]     (40 belongs to a later issue)
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from goals import Goal, record


@dataclass(frozen=True)
class Expected:
    """Patterns that the output of run.sh must have, and must not; any traceback is wrong."""

    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


GOOD = r"linear +(0\.9|1\.0)"
CASES = {
    "03-label-variants": Expected((r"merge", GOOD)),
    "06-decimal-comma": Expected((r"income: number", GOOD)),
    "07-currency-percent": Expected((r"number", GOOD)),
    "11-trailing-delimiter": Expected((r"rc=0|row 2 has 5 fields",)),
    "13-big-int": Expected((), (r"constant", r"9007199254740992\.0")),
    "14-one-column-hides-the-table-sku": Expected((r"age", r"income"), (r"extra: text",)),
    "14-one-column-hides-the-table-time": Expected((r"age", r"income"), (r"extra: text",)),
    "16-regression-target": Expected((r"price: number", r"goal: mae"), (r"price: text",)),
    "18-stray-word-crash": Expected((r"rc=0", r"unknown")),
    "19-date-ddmmyyyy": Expected((r"formats",)),
    "28-stdout-not-utf8": Expected((r"rc=0",)),
    "30-read-only-project": Expected((r"cannot be written", r"rc=[234]")),
    "32-hidden-folder-is-a-label": Expected((), (r"third label|3 labels",)),
    "33-exif-orientation": Expected((r"sky_up.*\n.*sky_up",), (r"sky_left",)),
    "34-answer-column-overwritten": Expected((r"answer_1", r"42"), (r"confidence,answer,confidence",)),
    "35-test-labels-in-other-case": Expected((r"YES|merge",), (r"too few for a test split",)),
    "36-bool-from-jsonl": Expected((), (r"number is 'True'",)),
    "39-roc-auc-goal-biased-answers": Expected((r"linear[^\n]*0\.9",)),
    "41-footer-line-crash": Expected((r"rc=0",)),
    "42-parquet-dates": Expected((r"date",), (r"day: text", r"ts: text")),
    "47-int-category-as-float": Expected((r"\"yes\"|yes",), (r"2\.0,no",)),
}


def ran(folder: Path) -> str:
    """Everything that run.sh prints, in a copy of the case."""
    command = Path(sys.executable).with_name("windlass")
    environment = {
        **os.environ,
        "WINDLASS": str(command),
        "COLUMNS": "160",
        "PATH": f"{command.parent}:{os.environ['PATH']}",
    }
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / folder.name))
        done = subprocess.run(
            ["sh", "run.sh"],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            errors="replace",
            timeout=600,
        )
        spec = copy / "p" / "windlass.yaml"
        return done.stdout + done.stderr + (spec.read_text("utf-8") if spec.is_file() else "")


def faults(output: str, expected: Expected) -> list[str]:
    found = ["a traceback"] if "Traceback (most recent call last)" in output else []
    found += [f"no {pattern}" for pattern in expected.has if not re.search(pattern, output)]
    return found + [f"has {pattern}" for pattern in expected.lacks if re.search(pattern, output)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--only", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--show", action="store_true")
    plan = parser.parse_args()
    wrong = {}
    for name in plan.only:
        output = ran(plan.cases / name)
        if plan.show:
            print(output)
        if found := faults(output, CASES[name]):
            wrong[name] = found
        print(name, found or "as its first lines say", flush=True)
    if plan.only == list(CASES):
        value = f"{len(CASES) - len(wrong)} of {len(CASES)}"
        note = "; ".join(f"{name}: {', '.join(found)}" for name, found in wrong.items())
        note = note or "patterns of the output, no traceback; 16 and 40 belong to later issues"
        goal = f"{len(CASES)} of {len(CASES)}"
        record(Goal("mended", "cases behave as their first lines say", goal, value, not wrong, note))


if __name__ == "__main__":
    main()
