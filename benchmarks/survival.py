"""kill -9 while a checkpoint is written and while a release is published: what resumes, what is torn.

Usage: python benchmarks/survival.py [--kills 10] [--releases 20]
Each part has its control, which writes files in place instead of aside; it must be torn. Writes results/survival.json.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from windlass.errors import WindlassError
from windlass.learners import checkpoint
from windlass.predictors import releases
from windlass.stages.evaluate import machine
from windlass.store import Store

RESULTS = Path(__file__).resolve().parent / "results"
SOUND = "from windlass.cli import main; main()"
IN_PLACE = """
import time, windlass.store as store
from pathlib import Path
def write_bytes(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for start in range(0, len(content), max(1, len(content) // 50)):
            file.write(content[start:start + max(1, len(content) // 50)])
            file.flush()
            time.sleep(0.002)
def publish(target, build):
    target.mkdir(parents=True, exist_ok=True)
    build(target)
store.write_bytes = write_bytes
store.publish = publish
import windlass.learners.checkpoint as checkpoint
checkpoint.write_bytes = write_bytes
from windlass.cli import main; main()
"""
SPEC = """
learners: [{learners}]
precision: float32
"""


def start(folder: Path, *arguments: str, program: str = SOUND) -> subprocess.Popen:
    """The command in a process that has one core, so that a plan does not depend on the machine's mood."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments, "--project", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        preexec_fn=lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}),
    )


def product(folder: Path, learners: str) -> Path:
    subprocess.run(
        [sys.executable, "-c", SOUND, "new", "spam-filter", str(folder)], check=True, stdout=subprocess.DEVNULL
    )
    spec = folder / "windlass.yaml"
    kept = [line for line in spec.read_text(encoding="utf-8").splitlines() if not line.startswith(("goal", "limits"))]
    spec.write_text("\n".join(kept) + SPEC.format(learners=learners), encoding="utf-8")
    assert start(folder, "prepare").wait() == 0
    return folder


def logits(folder: Path) -> np.ndarray:
    return load_file(folder / ".windlass/train/lstm/validation.safetensors")["logits"]


def look(place: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file below a folder."""
    found = {}
    for path in place.rglob("*"):
        with suppress(OSError):
            seen = path.stat()
            found[str(path)] = (seen.st_size, seen.st_mtime_ns)
    return found


def kill_while_it_writes(process: subprocess.Popen, place: Path, longest: float, chance: random.Random) -> bool:
    """Kills the process at most so many seconds after something below the place changed; False: it ended before."""
    before = look(place)
    while process.poll() is None and look(place) == before:
        time.sleep(0.001)
    time.sleep(chance.uniform(0.0, longest))
    ended = process.poll() is not None
    process.kill()
    process.wait()
    return not ended


def train_and_kill(folder: Path, kills: int, chance: random.Random, program: str = SOUND) -> dict:
    """Kills `windlass train` so many times while it writes a checkpoint, then lets it finish."""
    kept, torn = folder / ".windlass/train/lstm" / checkpoint.FILE, 0
    done = 0
    while done < kills and kill_while_it_writes(start(folder, "train", program=program), kept.parent, 0.2, chance):
        done += 1
        torn += kept.is_file() and checkpoint.read(kept) is None
    return {"kills": done, "torn_checkpoints": torn, "finishes": start(folder, "train").wait() == 0}


def training(kills: int) -> dict:
    chance = random.Random(13)
    with tempfile.TemporaryDirectory() as place:
        whole = product(Path(place, "whole"), "majority, lstm")
        assert start(whole, "train").wait() == 0
        killed = product(Path(place, "killed"), "majority, lstm")
        sound = train_and_kill(killed, kills, chance)
        sound["largest_difference"] = float(np.abs(logits(killed) - logits(whole)).max())
        control = train_and_kill(product(Path(place, "control"), "majority, lstm"), kills, chance, IN_PLACE)
    return {"atomic": sound, "control_in_place": control}


def publish_and_kill(folder: Path, rounds: int, chance: random.Random, program: str = SOUND) -> dict:
    """Kills `windlass release` at random times while two candidates take turns; a champion must always open."""
    store, bad, killed = Store(folder), 0, 0
    for number in range(rounds):
        process = start(folder, "release", ("majority", "linear")[number % 2], program=program)
        killed += kill_while_it_writes(process, folder / ".windlass/release", 0.2, chance)
        try:
            releases.open_release(store, releases.champion_id(store))
        except WindlassError:
            bad += 1
    return {"rounds": rounds, "killed": killed, "champion_does_not_open": bad}


def publishing(rounds: int) -> dict:
    chance = random.Random(13)
    found = {}
    with tempfile.TemporaryDirectory() as place:
        for name, program in (("atomic", SOUND), ("control_in_place", IN_PLACE)):
            folder = product(Path(place, name), "majority, linear")
            assert start(folder, "release", "linear").wait() == 0
            found[name] = publish_and_kill(folder, rounds, chance, program)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--releases", type=int, default=20)
    options = parser.parse_args()
    found = {"training": training(options.kills), "publishing": publishing(options.releases)}
    found |= {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    print(json.dumps(found, indent=1))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "survival.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
