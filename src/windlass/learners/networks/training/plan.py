"""How many steps a run takes, in which precision and on how many threads: measured before the first one, and kept."""

import copy
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from windlass.errors import DataError, SpecError
from windlass.learners.contract import Budget, Options
from windlass.learners.networks.batches import shuffled, spread
from windlass.learners.networks.training import checkpoint, probe
from windlass.learners.networks.training.steps import Settings, Steps
from windlass.learners.networks.training.task import Task
from windlass.store.json_files import fingerprint, read_json, write_json

PLAN = "plan.json"
ROOM = 0.9
"""Share of the time left that the steps are planned for; the rest is for the export."""
AGAIN, EARLIEST = 50, 4
"""The plan is made again after so many steps, or after a third of those planned, where that is at least `EARLIEST`."""
EVALUATION_COST = 0.4
"""Answering a row costs about this share of training on it."""


@dataclass(frozen=True)
class Plan:
    """What a run will do, decided before its first step and kept, so that a resumed run is the same run.

    A few timed steps can mislead on a busy machine, so the steps are planned again at the pace of the first ones.
    again: their number by the second plan, which holds from step `second_at` on; 0: not made yet.
    """

    key: str
    steps: int
    precision: str
    threads: int
    seconds: float
    again: int = 0

    @property
    def second_at(self) -> int:
        """The step before which the second plan is made; 0: the first one stands."""
        early = min(AGAIN, self.steps // 3)
        return early if early >= EARLIEST else 0

    @property
    def total(self) -> int:
        """Steps of the whole run, as far as is known."""
        return self.again or self.steps

    def total_at(self, step: int) -> int:
        """Steps of the whole run as they were known at this step: what its learning rate follows."""
        return self.total if step >= self.second_at else self.steps

    def began(self, other: "Plan", step: int) -> bool:
        """True when a run that had come to `step` by the other plan is on this one's way."""
        return self == other or (step <= self.second_at and replace(self, again=0) == other)


@dataclass(frozen=True)
class Planner:
    """Makes the plan of a run, and reads the one of a run that was killed."""

    model: nn.Module
    steps: Steps
    options: Options

    @property
    def task(self) -> Task:
        return self.steps.task

    @property
    def settings(self) -> Settings:
        return self.steps.settings

    @property
    def path(self) -> Path:
        return self.options.folder / PLAN

    @property
    def lengths(self) -> np.ndarray:
        return self.task.lengths

    @property
    def n_batches(self) -> int:
        """Steps of an epoch."""
        return math.ceil(len(self.lengths) / self.settings.batch)

    def write(self, plan: Plan) -> None:
        write_json(self.path, asdict(plan))

    def kept(self) -> Plan | None:
        """The plan on disk; one of another run, or a damaged one, has another key."""
        if not self.path.is_file():
            return None
        try:
            return Plan(**read_json(self.path))
        except (DataError, TypeError):
            return Plan("", 0, "", 1, 0.0)

    def key(self) -> str:
        """Changes with everything that decides what the run computes, except the plan itself."""
        shapes = {name: list(value.shape) for name, value in checkpoint.weights(self.model).items()}
        return fingerprint(
            {
                "settings": asdict(self.settings),
                "seed": self.options.seed,
                "optimizer": self.options.optimizer,
                "metric": self.task.metric,
                "precision": self.options.precision,
                "shapes": shapes,
                "data": self.task.identity(),
            }
        )

    def made(self, key: str, budget: Budget) -> Plan:
        """As many epochs as fit, at most those of the settings; less than one when not even one fits.

        A budget that counts steps has exactly those.
        """
        if self.options.precision not in ("auto", "float32", "bfloat16"):
            raise SpecError(f"precision is '{self.options.precision}', expected one of 'auto', 'float32', 'bfloat16'")
        if budget.steps is not None:
            precision = "float32" if self.options.precision == "auto" else self.options.precision
            return Plan(key, budget.steps, precision, 1, ROOM * budget.left(), budget.steps)
        size = self.settings.batch
        timed = spread(shuffled(self.lengths, size, self.options.seed, 0), self.lengths, 4)
        tried = probe.Tried(probe.precisions(self.options.precision), budget.left() * 0.02, budget.clock)
        threads = self.threads(timed[0])
        seconds = probe.step_seconds(self.model, self.steps.optimizer, self.steps.take, timed, tried)
        precision = probe.fastest(seconds)
        room = ROOM * budget.left()
        return Plan(key, max(1, self.fitting(room, seconds[precision], 0)), precision, threads, room)

    def again(self, plan: Plan, pace: float, done: int, elapsed: float) -> Plan:
        """With as many steps as fit at the pace (seconds a step) of those that were done; written down."""
        room = max(0.0, plan.seconds - elapsed)
        found = replace(plan, again=max(done + 1, self.fitting(room, pace, done)))
        self.write(found)
        return found

    def fitting(self, room: float, step_seconds: float, done: int) -> int:
        """Steps of the whole run, when that many are done and there is room for so many seconds more."""
        validation = EVALUATION_COST * self.task.n_validation / max(1, len(self.lengths))
        once = validation * self.n_batches * step_seconds  # at the end, however short the run is
        if room < once + self.n_batches * step_seconds:
            fits = int(max(0.0, room - once) / max(step_seconds, 1e-9))
        else:
            fits = int(room / max(step_seconds * (1 + validation), 1e-9))
        return min(self.settings.epochs * self.n_batches, done + fits)

    def threads(self, rows: np.ndarray) -> int:
        """How many threads do a step soonest, tried on a copy."""
        if probe.device().type != "cpu":
            return torch.get_num_threads()
        state, twin = checkpoint.random_state(), copy.deepcopy(self.model)
        optimizer = self.steps.optimizer(twin)
        threads = probe.choose_threads(lambda: self.steps.take(twin, optimizer, rows, "float32"))
        checkpoint.set_random_state(state)
        return threads
