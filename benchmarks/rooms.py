"""What [rooms] asked for: the house counted, the tree of the README, stories of moved files, a newcomer's trial, CI.

The trial is recorded by whoever watched it, a line each: "question|file found|files opened|wrong guesses|seconds".
Usage: python benchmarks/rooms.py [--parts house tree stories ci] [--trial LINE LINE LINE]
"""

import argparse
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from goals import Goal, record

from outputs import HOUSE, MOST_ASKS, MOST_CI_S, ROOT, timed

MOST_TREE_LINES, MOST_TRIAL_S = 70, 60
ALLOWED = (
    r"sources/refusals\.py:.*pickle",  # the refusal names what is refused
    r"serving/http/stream\.py:\d+: except Exception:",  # says so in the stream and raises again
    r"(cli\.py|commands/service\.py):\d+ (improve|serve): \d+ parameters",  # a command's parameters are its options
    rf"[1-{MOST_ASKS}] lines outside kinds/ and outputs/",
)
"""What the tool tells of and may: these lines, and as many questions for a kind as [outputs] allows. Typer reads
options from a signature: fewer parameters would need a forged one, which [rooms] forbids, or other words for users."""


def house(tool: Path) -> Goal:
    command = [sys.executable, str(tool), "src/windlass"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [line.strip() for line in told.splitlines()[1:]]
    left = [line for line in found if not any(re.match(allowed, line) for allowed in ALLOWED)]
    return Goal("rooms", "what house.py finds beside the listed exceptions", "nothing",
                "; ".join(left) or f"nothing; {len(found)} exceptions", not left)  # fmt: skip


def tree() -> Goal:
    block = re.search(r"^src/windlass/\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    n_lines = block[1].count("\n") + 1 if block else 0
    return Goal("rooms", "README's tree is one screen", f"at most {MOST_TREE_LINES} lines, one a room",
                f"{n_lines} lines", 0 < n_lines <= MOST_TREE_LINES)  # fmt: skip


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def stories(since: str) -> Goal:
    """Files of today that were moved since a commit: `git log --follow` still reaches commits before it."""
    moved = [line.split("\t")[2] for line in _git("diff", "-M40", "--name-status", since, "--", "src").splitlines()
             if line.startswith("R")]  # fmt: skip
    older = set(_git("log", "--format=%H", since).split())
    lost = [path for path in moved if not older & set(_git("log", "--follow", "--format=%H", "--", path).split())]
    return Goal("rooms", "`git log --follow` tells the story of moved files", "of all",
                f"{len(moved) - len(lost)} of {len(moved)}; lost: {', '.join(lost) or 'none'}",
                bool(moved) and not lost)  # fmt: skip


def trial(lines: list[str]) -> Goal:
    rows = [[part.strip() for part in line.split("|")] for line in lines]
    slowest = max(float(seconds) for *_, seconds in rows)
    wrong = sum(int(row[3]) for row in rows)
    told = "; ".join(f"{question}: {file} ({opened} opened, {s} s)" for question, file, opened, _, s in rows)
    return Goal("rooms", "a newcomer finds three files from README and folder names", "each within a minute",
                f"{told}; {wrong} wrong guesses", slowest <= MOST_TRIAL_S,
                "a language model that had never seen the code; its seconds are not a person's")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("house", "tree", "stories", "ci")
    parser.add_argument("--parts", nargs="*", default=list(parts), choices=parts)
    parser.add_argument("--trial", nargs=3, metavar="LINE")
    parser.add_argument("--house", type=Path, default=HOUSE)
    parser.add_argument("--since", default="3ce13a6", help="the commit before the moves")
    options = parser.parse_args()
    made = {"house": lambda: house(options.house), "tree": tree, "stories": lambda: stories(options.since),
            "ci": lambda: timed("`.ci/run` from a fresh clone", MOST_CI_S, ".ci/run", issue="rooms")}  # fmt: skip
    for part in options.parts:
        goal = made[part]()
        record(goal, *([replace(goal, issue="outputs")] if part == "ci" else []))  # both ask for the same
    if options.trial:
        record(trial(options.trial))


if __name__ == "__main__":
    main()
