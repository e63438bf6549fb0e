"""Every file of a finished project's store damaged in six ways, and every command on a disk that cannot be written.

Usage: python benchmarks/store_damage.py [--sample 0]
--sample: so many combinations of file, damage and command by chance; 0: all, some thousand runs of a quarter second.
Writes results/store_damage.json and two goals; a goal is met when no command ends in a traceback or a wrong answer.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import windlass
from windlass.stages import evaluate
from windlass.store.files import write_text

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "store_damage.json"
sys.path.insert(0, str(ROOT))

from goals import Goal, record  # noqa: E402
from tests import damaging, full_disk  # noqa: E402


def damaged(home: Path, n_sample: int) -> tuple[Goal, dict]:
    evaluate.SECONDS_TIMED = 0.05  # how fast it answers is not looked at here
    walk = damaging.walk(home)
    files = damaging.files(walk.project)
    cases = [(file, damage, command) for file in files for damage in damaging.DAMAGES for command in damaging.COMMANDS]
    if n_sample:
        cases = random.Random(13).sample(cases, n_sample)
    met = []
    for case in cases:
        if found := walk.check(*case):
            met.append(found)
            print(found, flush=True)
    kinds = Counter(each.what for each in met)
    told = f"{kinds['traceback']} tracebacks, {kinds['wrong answer']} wrong answers, {kinds['words']} of unclear words"
    goal = Goal(
        "mended", "damaged store files",
        "each store file damaged in 4 ways, every reading command: one line and an exit code; 0 wrong answers",
        f"{told} in {len(cases):,} runs ({len(files)} files, {len(damaging.DAMAGES)} ways, {len(damaging.COMMANDS)} "
        f"commands; rate below {3 / len(cases):.2%})",
        not met, "a sample" if n_sample else "all of them; ways: " + ", ".join(damaging.DAMAGES),
    )  # fmt: skip
    return goal, {"runs": len(cases), "files": len(files), "met": [str(each) for each in met]}


def unwritable(home: Path) -> tuple[Goal, dict]:
    """In mounts of its own, which root may make."""
    place, kept = full_disk.prepare(home)
    path = os.pathsep.join([str(ROOT), str(Path(windlass.__file__).parent.parent)])
    ended, bad = [], []
    for kind in full_disk.KINDS:
        order = ["unshare", "--mount", sys.executable, "-m", "tests.full_disk", kind, str(place), str(kept)]
        done = subprocess.run(order, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=True)
        found = json.loads(done.stdout)
        ended += found
        bad += [(kind, each["command"], why) for each in found if (why := full_disk.bad(each))]
    for each in bad:
        print(each, flush=True)
    failed = sum(each["code"] != 0 for each in ended)
    goal = Goal(
        "mended", "full or read-only disk at every command", "one line and an exit code",
        f"{len(bad)} of {len(ended)} commands end in a traceback or without words; {failed} say what cannot be "
        f"written, {len(ended) - failed} need not write and answer",
        not bad, "a file system in memory, filled to the last byte, and remounted read-only",
    )  # fmt: skip
    return goal, {"commands": len(ended), "bad": bad}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sample", type=int, default=0)
    n_sample = options.parse_args().sample
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        (goal, walked), (other, tried) = damaged(Path(first), n_sample), unwritable(Path(second))
    write_text(RESULTS, json.dumps({"damaged": walked, "unwritable": tried}, ensure_ascii=False, indent=1) + "\n")
    record(goal, other)


if __name__ == "__main__":
    main()
