"""How a long computation keeps out of the way of a service on the same machine."""

import os

from windlass.predictors.language import threads

NICENESS = 10
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def lower_priority() -> None:
    """Lets others go first on this machine: called by a process of its own, before it computes anything.

    Little urgency, threads for half of the cores. Not bound to cores, where others may be bound as well.
    """
    os.nice(NICENESS)
    for name in THREADS:
        os.environ.setdefault(name, str(max(1, threads.cores() // 2)))
