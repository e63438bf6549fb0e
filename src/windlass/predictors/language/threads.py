"""How many threads an engine computes with."""

import os
from contextlib import suppress
from pathlib import Path

MOST = 8
NAME = "OMP_NUM_THREADS"
QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""What a container may use (cgroup v2): microseconds of processor time, or 'max', and in how many microseconds."""


def n_threads() -> int:
    """What OMP_NUM_THREADS says, as in other libraries; without it what the process may use of the cores; at most 8."""
    said = os.environ.get(NAME, "")
    return max(1, min(MOST, int(said) if said.isdigit() else min(cores(), _allowed())))


def cores() -> int:
    """What this process may use: Linux says which ones (`taskset`, a container); macOS only how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _allowed() -> int:
    with suppress(OSError):
        return processors(QUOTA.read_text(encoding="ascii"))
    return MOST


def processors(quota: str) -> int:
    """Whole processors of a quota, at least one. More threads than that wait for each other while all are held up:
    ONNX Runtime's took 1.8 times the processor time as two on one core (docs/log.md, "engines")."""
    time, _, period = quota.strip().partition(" ")
    return max(1, -(-int(time) // int(period))) if time.isdigit() and period.isdigit() and int(period) else MOST
