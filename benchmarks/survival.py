"""kill -9 while a checkpoint is written and while a release is published: what resumes, what is torn.

Usage: python benchmarks/survival.py [--kills 10] [--releases 20]
Each part has its control, which writes files in place instead of aside; it must be torn. Writes results/survival.json.
"""

import argparse
import json
import os
import random
import shutil
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
from windlass.learners.networks.training import checkpoint
from windlass.registry import releases
from windlass.stages.evaluate import machine
from windlass.store.store import Store

RESULTS = Path(__file__).resolve().parent / "results"
SOUND = "from windlass.cli import main; main()"
IN_PLACE = """
import time, windlass.store.files as store
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
import windlass.learners.networks.training.checkpoint as checkpoint
checkpoint.write_bytes = write_bytes
from windlass.cli import main; main()
"""
PARTS = ("folder", "pointer")
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
    for home, folders, files in os.walk(place):  # a folder that is renamed meanwhile is passed over
        for path in (Path(home, name) for name in (*folders, *files)):
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


def parts(home: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """What is written of a release: size and time of the files of its folder, and of the pointer, each also aside."""
    found: dict[str, dict[str, tuple[int, int]]] = {"folder": {}, "pointer": {}}
    for path in home.iterdir():
        if path.name.lstrip(".").startswith(releases.CHAMPION):
            with suppress(OSError):
                found["pointer"][path.name] = (path.stat().st_size, path.stat().st_mtime_ns)
        elif path.is_dir():
            found["folder"] |= {path.name: (0, 0), **look(path)}
    return found


def writing_s(folder: Path, program: str) -> dict[str, float]:
    """Seconds from the first to the last change of the new folder, and of the pointer, when nobody kills."""
    process, home = start(folder, "release", "majority", "--anyway", program=program), folder / ".windlass/release"
    before, times = parts(home), {"folder": [], "pointer": []}
    while process.poll() is None:
        now = parts(home)
        for part in PARTS:
            if now[part] != before[part]:
                times[part].append(time.perf_counter())
        before = now
        time.sleep(0.0005)
    assert process.returncode == 0
    return {part: max(0.002, seen[-1] - seen[0]) for part, seen in times.items()}


def kill_while(process: subprocess.Popen, home: Path, part: str, delay_s: float) -> bool:
    """Kills the process so many seconds after it began to write this part of a release; False: it ended before."""
    before = parts(home)[part]
    while process.poll() is None and parts(home)[part] == before:
        time.sleep(0.0005)
    time.sleep(delay_s)
    ended = process.poll() is not None
    process.kill()
    process.wait()
    return not ended


def opens(store: Store, id: str) -> bool:
    try:
        releases.open_release(store, id)
    except WindlassError:
        return False
    return True


def champion_opens(store: Store) -> bool:
    try:
        return opens(store, releases.champion_id(store))
    except WindlassError:
        return False


def publish_and_kill(folder: Path, rounds: int, chance: random.Random, program: str = SOUND) -> dict:
    """Kills `windlass release` while it writes a new folder, or the pointer, in turns; each round begins alike.

    A torn folder is one under a release's name that is not what was released; the champion must always open.
    """
    store, home, kept = Store(folder), folder / ".windlass/release", folder / "kept"
    shutil.copytree(home, kept)
    longest = writing_s(folder, program)
    found = {"rounds": rounds, "killed": 0, "torn_folders": 0, "champion_does_not_open": 0}
    for number in range(rounds):
        shutil.rmtree(home)
        shutil.copytree(kept, home)
        part = PARTS[number % len(PARTS)]
        process = start(folder, "release", "majority", "--anyway", program=program)
        found["killed"] += kill_while(process, home, part, chance.uniform(0.0, longest[part]))
        ids = [path.name for path in home.iterdir() if path.is_dir() and not path.name.startswith(".")]
        found["torn_folders"] += not all(opens(store, id) for id in ids)
        found["champion_does_not_open"] += not champion_opens(store)
    return {**found, "writing_ms": {part: round(1_000 * seconds, 1) for part, seconds in longest.items()}}


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
    found = {"training": training(options.kills)} if options.kills else {}
    found |= {"publishing": publishing(options.releases)}
    found |= {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    print(json.dumps(found, indent=1))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "survival.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
