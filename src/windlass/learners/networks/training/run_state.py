"""What a run is between two steps: where it stands, its tensors, and the checkpoint by which a killed one goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn

from windlass.learners.networks.training import checkpoint, probe
from windlass.learners.networks.training.checkpoint import Tensors
from windlass.learners.networks.training.plan import Plan
from windlass.records import Json, Progress

CHECKPOINT_COST = 0.05
"""Share of the time that may be spent on writing checkpoints."""


@dataclass
class State:
    """Where a run is; the part of a checkpoint that is not tensors. stepping: seconds without the validations;
    warming: those of them that the first steps took."""

    step: int = 0
    elapsed: float = 0.0
    stepping: float = 0.0
    warming: float = 0.0
    loss: float = 0.0
    n_losses: int = 0
    best: float | None = None
    waited: int = 0
    stopped: str = ""
    notes: list[str] = field(default_factory=list)
    curve: list[Json] = field(default_factory=list)


class Weights:
    """The weights of a run as they learn, averaged over its steps, and the best so far; and what moves them.

    average: decay of the moving average; 0: there is none, and the weights themselves are judged and kept.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, average: float) -> None:
        self.model, self.optimizer, self.decay = model, optimizer, average
        self.mean: Tensors = checkpoint.copied(checkpoint.weights(model)) if average else {}
        self.best: Tensors = {}

    def move_average(self, step: int) -> None:
        """Moves the average a little; in the first steps more, so that it leaves the start behind."""
        decay = min(self.decay, average_share(step))
        for name, value in checkpoint.weights(self.model).items() if self.mean else ():
            if value.is_floating_point():
                self.mean[name].lerp_(value, 1 - decay)
            else:
                self.mean[name].copy_(value)

    @contextmanager
    def averaged(self) -> Iterator[nn.Module]:
        """The model with the averaged weights in it, where there are any, for as long as it is judged."""
        held = checkpoint.copied(checkpoint.weights(self.model)) if self.mean else {}
        if self.mean:
            checkpoint.set_weights(self.model, self.mean)
        try:
            yield self.model
        finally:
            if held:
                checkpoint.set_weights(self.model, held)

    def keep_best(self) -> None:
        """What is judged now is the best so far."""
        self.best = checkpoint.copied(self.mean or checkpoint.weights(self.model))

    def take_best(self) -> None:
        """Puts the best into the model, where there is one."""
        if self.best:
            checkpoint.set_weights(self.model, self.best)

    def groups(self) -> dict[str, Tensors]:
        """As a checkpoint holds them; no copies."""
        return {
            "model": checkpoint.weights(self.model),
            "best": self.best,
            "mean": self.mean,
            "optimizer": checkpoint.optimizer_tensors(self.optimizer),
        }

    def restore(self, groups: dict[str, Tensors]) -> None:
        """What `groups` gave. Raises: KeyError, ValueError, RuntimeError: it is of another model or optimizer."""
        checkpoint.set_weights(self.model, groups["model"])
        checkpoint.set_optimizer(self.optimizer, groups.get("optimizer", {}))
        self.best, self.mean = (
            {name: value.to(probe.device()) for name, value in groups.get(group, {}).items()}
            for group in ("best", "mean")
        )


class Checkpoints:
    """The file by which a killed run goes on. seconds: between two checkpoints within an epoch."""

    def __init__(self, folder: Path, seconds: float, clock: Callable[[], float]) -> None:
        self.path, self.seconds, self.clock = folder / checkpoint.FILE, seconds, clock
        self.written, self.write_seconds = clock(), 0.0

    def resume(self, fresh: State, plan: Plan, weights: Weights, progress: Progress) -> State:
        """The state of a killed run, whose tensors are put in place; `fresh` where there is none to go on with.

        A file that is damaged or of another run is removed, and `fresh` gets a note.
        """
        found = checkpoint.read(self.path)
        if found is None and not self.path.is_file():
            return fresh
        groups, header = found or ({}, {})
        if not _is_of_plan(header, plan):
            fresh.notes.append("checkpoint discarded: it is damaged or of another run")
            progress("train", 0, plan.total, fresh.notes[-1])
            self.path.unlink()
            return fresh
        weights.restore(groups)
        checkpoint.set_random_state(groups["random"])
        return State(**header["state"])

    def write_when_due(self, state: State, plan: Plan, weights: Weights, is_at_end: bool) -> None:
        """Writes at the end of an epoch or of the run, or after some seconds, at under 5 % of the time."""
        waited = self.clock() - self.written
        if not (is_at_end or waited >= self.seconds) or waited * CHECKPOINT_COST < self.write_seconds:
            return
        started = self.clock()
        groups = {**weights.groups(), "random": checkpoint.random_state()}
        checkpoint.write(self.path, groups, {"plan": asdict(plan), "state": asdict(state)})
        self.written = self.clock()
        self.write_seconds = self.written - started


def average_share(step: int) -> float:
    """The decay of the average that suits the first steps: it grows from 0.18 towards 1."""
    return (1 + step) / (10 + step)


def _is_of_plan(header: Json, plan: Plan) -> bool:
    try:
        return plan.began(Plan(**header["plan"]), State(**header["state"]).step)
    except (KeyError, TypeError):
        return False
