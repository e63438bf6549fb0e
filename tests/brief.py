"""Stages that take less time for what a test does not look at: latency, and intervals of the leaderboard."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from windlass.metrics.measures import bootstrap
from windlass.stages import evaluate


@contextmanager
def briefly_timed(n_resamples: int = 0) -> Iterator[None]:
    """`evaluate` measures latency for 50 ms. n_resamples: of its intervals; 0: as many as always."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(evaluate, "SECONDS_TIMED", 0.05)
        if n_resamples:
            patched.setattr(evaluate, "bootstrap", partial(bootstrap, n_resamples=n_resamples))
        yield
