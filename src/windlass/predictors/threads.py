"""How many threads an engine computes with."""

import os

MOST = 8
NAME = "OMP_NUM_THREADS"


def n_threads() -> int:
    """What OMP_NUM_THREADS says, as in other libraries; without it all cores of the process; at most 8."""
    said = os.environ.get(NAME, "")
    return max(1, min(MOST, int(said) if said.isdigit() else len(os.sched_getaffinity(0))))
