"""What a training step costs on this machine in each precision: measured, not assumed."""

import copy
import functools
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from windlass.learners.networks.training.checkpoint import random_state, set_random_state
from windlass.predictors.language import threads
from windlass.predictors.language.threads import NAME as THREADS

logger = logging.getLogger("windlass.learners")
GAIN = 0.9
"""bfloat16 is chosen when it needs at most this share of float32's time: it is less exact."""
SIDE = 256
N_PRODUCTS, N_TRIALS = 8, 3
Make = Callable[[nn.Module], torch.optim.Optimizer]
Step = Callable[[nn.Module, torch.optim.Optimizer, np.ndarray, str], float]


@dataclass(frozen=True)
class Tried:
    """The precisions to time, the seconds that each of them may use, and what tells the time."""

    precisions: Sequence[str]
    seconds: float
    clock: Callable[[], float] = time.perf_counter


def device() -> torch.device:
    """Where networks are trained: the one place that decides it."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precisions(wanted: str) -> list[str]:
    """The precisions worth trying. bfloat16 drops out at once where the processor only emulates it.

    Without hardware for it, a bfloat16 product was 240 times slower than a float32 one (AVX2, measured), so that
    trying a whole model would take minutes: a small product decides first.
    """
    if wanted != "auto":
        return [wanted]
    return ["float32", "bfloat16"] if _has_fast_bfloat16() else ["float32"]


@functools.cache
def _has_fast_bfloat16() -> bool:
    """Asked once a process, with the two kinds in turn, so that a busy moment cannot answer differently each time:
    features in another precision are other features."""
    left = {
        name: torch.ones(SIDE, SIDE, dtype=getattr(torch, name), device=device()) for name in ("float32", "bfloat16")
    }
    times = [{name: _product_seconds(one) for name, one in left.items()} for _ in range(N_PRODUCTS)]
    return min(time["bfloat16"] for time in times) < min(time["float32"] for time in times)


def _product_seconds(square: torch.Tensor) -> float:
    return _seconds(lambda: (square @ square)[0, 0].item())


def choose_threads(work: Callable[[], object]) -> int:
    """Sets and gives the number of threads with which the work is done soonest: all that we may use, or one.

    The slowest of a few times counts: threads that wait for busy cores are now and then fast.
    Two threads on two cores that other processes use as well were seven times slower than one (MiniLM, measured): each
    waits for the other at every layer. Where cores or OMP_NUM_THREADS leave but one, the work is done once, to warm up.
    """
    said = os.environ.get(THREADS, "")
    every = min(threads.cores(), max(1, int(said)) if said.isdigit() else sys.maxsize)
    if every == 1:
        torch.set_num_threads(1)
        work()
        return 1
    seconds = {}
    for count in dict.fromkeys((every, 1)):
        torch.set_num_threads(count)
        work()
        seconds[count] = max(_seconds(work) for _ in range(N_TRIALS))
    best = min(seconds, key=lambda count: seconds[count])
    torch.set_num_threads(best)
    return best


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    work()
    return clock() - started


def step_seconds(
    model: nn.Module, make: Make, step: Step, batches: Sequence[np.ndarray], plan: Tried
) -> dict[str, float]:
    """Mean seconds a step for each precision, on a copy of the model: the model and the random state stay untouched.

    Args: make: gives the optimizer of a model. step: one step on these rows.
          batches: row numbers, shortest first; the first one also warms up.
    """
    state = random_state()
    seconds: dict[str, float] = {}
    for precision in plan.precisions:
        twin = copy.deepcopy(model)
        optimizer = make(twin)
        try:
            seconds[precision] = _timed(lambda rows: step(twin, optimizer, rows, precision), batches, plan)  # noqa: B023
        except RuntimeError:  # a layer without a kernel for this precision
            if precision == "float32":
                raise
            logger.warning("training in %s fails: another precision is taken", precision, exc_info=True)
    set_random_state(state)
    return seconds or {"float32": 0.0}


def fastest(seconds: dict[str, float]) -> str:
    """bfloat16 where it saves enough, else float32; the only one where one was tried."""
    if len(seconds) == 1:
        return next(iter(seconds))
    return "bfloat16" if seconds["bfloat16"] < GAIN * seconds["float32"] else "float32"


def _timed(step: Callable[[np.ndarray], float], batches: Sequence[np.ndarray], plan: Tried) -> float:
    """Mean seconds of a step over the batches; stops when the seconds are used up. The loss waits for the device."""
    started = plan.clock()
    step(batches[0])
    times = []
    for rows in reversed(batches):
        times.append(_seconds(lambda: step(rows), plan.clock))  # noqa: B023
        if plan.clock() - started > plan.seconds:
            break
    return sum(times) / len(times)
