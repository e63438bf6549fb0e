"""What a process holds that answers from an artifact: measured in one of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from windlass.predictors.table import load
from windlass.records import Row

SECONDS = 120.0


def memory_mb(artifact: Path, rows: Sequence[Row]) -> float:
    """Megabytes of a fresh process that has answered these rows one at a time, rows as a client sends them; 0: not
    measured."""
    command = [sys.executable, "-m", "windlass.compress.memory", str(artifact)]
    try:
        ended = subprocess.run(
            command,
            input=json.dumps(list(rows), default=str),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return float(ended.stdout.split()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError, TypeError):
        return 0.0


def _held_mb() -> float:
    """Of this process, resident."""
    status = Path("/proc/self/status")
    if not status.is_file():  # no Linux: not measured
        return 0.0
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    predictor = load(Path(sys.argv[1]))
    for row in json.load(sys.stdin):
        predictor.answer([row])
    print(_held_mb())
