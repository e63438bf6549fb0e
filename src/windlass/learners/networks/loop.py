"""The one gradient loop: every network is trained here, inside its budget, and a killed run resumes by itself.

Source: AdamW, Loshchilov & Hutter 2019, arXiv:1711.05101; label smoothing, Szegedy et al. 2016, arXiv:1512.00567;
        gradient clipping, Pascanu et al. 2013, arXiv:1211.5063.
"""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.learners.contract import Budget, Options
from windlass.learners.networks import checkpoint, probe
from windlass.learners.networks.batches import shuffled, spread
from windlass.learners.networks.task import Task, Verdict, in_precision
from windlass.metrics.measures import LOWER, told
from windlass.records import Json, Progress
from windlass.store import fingerprint, read_json, write_json

PLAN = "plan.json"
ROOM = 0.9
"""Share of the time left that the steps are planned for; the rest is for the export."""
AGAIN, EARLIEST = 50, 4
"""The plan is made again after so many steps, or after a third of those planned, where that is at least `EARLIEST`."""
WARMING = 5
"""Steps that warm up, as a share of those before the second plan: one in so many, which do not tell the pace."""
OVERRUN = 1.3
EVALUATION_COST = 0.4
"""Answering a row costs about this share of training on it."""
CHECKPOINT_COST = 0.05
SGD_FACTOR = 50.0
"""SGD steps along the raw gradient: its learning rate is this many times that of AdamW, measured on small networks."""
REPORT_SECONDS = 0.3


@dataclass(frozen=True)
class Settings:
    """How a network is trained. lr: of AdamW, at its highest; head_lr: the head's, as a multiple of it.

    warmup: share of the steps. clip: largest norm of the gradient. smoothing: share of each target that is spread
    over all classes. average: decay of the moving average of the weights that is judged and kept; 0: the weights
    themselves. patience: epochs without a better validation metric. judge_start: the network as it starts is judged,
    too, and kept when no epoch beats it. checkpoint_seconds: between checkpoints.
    """

    lr: float = 1e-3
    head_lr: float = 1.0
    batch: int = 32
    epochs: int = 20
    patience: int = 3
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    smoothing: float = 0.0
    average: float = 0.0
    judge_start: bool = False
    checkpoint_seconds: float = 15.0


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


def train(model: nn.Module, task: Task, settings: Settings, options: Options, budget: Budget,
          progress: Progress) -> list[Json]:
    """Trains the model in place and leaves the best weights in it, ready to answer; gives the learning curve.

    The model is on the training device. Interrupted at any point and called again with the same arguments, it gives
    the same weights. Raises: DataError: the loss is not finite.
    """
    torch.manual_seed(options.seed)
    model.to(probe.device())
    run = _Training(model, task, settings, options, budget.clock)
    run.prepare(budget, progress)
    for rows in run.remaining():
        run.advance(rows)
        run.report(progress)
        run.keep()
        if run.state.stopped:
            break
    model.eval()
    if run.best:
        checkpoint.set_weights(model, run.best)
    return run.state.curve


def is_begun(options: Options) -> bool:
    """True when a killed run left a checkpoint: how the network starts does not matter then."""
    return Path(options.folder, checkpoint.FILE).is_file()


def clean(options: Options) -> None:
    """Removes plan and checkpoint: called when the artifact is complete."""
    for name in (PLAN, checkpoint.FILE):
        Path(options.folder, name).unlink(missing_ok=True)


def optimizer_of(model: nn.Module, settings: Settings, name: str) -> torch.optim.Optimizer:
    """The optimizer, with decay on matrices only and the head's own rate. Raises: SpecError: not one of ours."""
    factor = SGD_FACTOR if name == "sgd" else 1.0
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for place, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        rate = settings.lr * factor * (settings.head_lr if place.startswith("head.") else 1.0)
        groups.setdefault((rate, decay), []).append(parameter)
    listed = [{"params": held, "lr": rate, "base_lr": rate, "weight_decay": decay if name != "adam" else 0.0}
              for (rate, decay), held in groups.items()]
    if name == "sgd":
        return torch.optim.SGD(listed, momentum=0.9)
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    if name not in kinds:
        names = [*kinds, "sgd"]
        raise SpecError(f"optimizer is '{name}', expected {expected(names)}", did_you_mean(name, names))
    return kinds[name](listed, fused=True)


def schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the highest learning rate at this step (from 0): a straight rise, then half a cosine towards 0."""
    rise = min(round(warmup * steps), steps - 1)
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def state_share(step: int) -> float:
    """The decay of the average that suits the first steps: it grows from 0.18 towards 1."""
    return (1 + step) / (10 + step)


class _Training:
    """One run: the model with what surrounds it between two steps."""

    def __init__(self, model: nn.Module, task: Task, settings: Settings, options: Options,
                 clock: Callable[[], float]) -> None:
        self.model, self.task, self.settings, self.options, self.clock = model, task, settings, options, clock
        self.lengths = task.lengths
        self.n_batches = math.ceil(len(self.lengths) / settings.batch)
        self.optimizer = optimizer_of(model, settings, options.optimizer)
        self.state = State()
        self.best: checkpoint.Tensors = {}
        self.mean: checkpoint.Tensors = {}
        self.plan = Plan("", 1, "float32", 1, 0.0)
        self.write_seconds, self.written, self.reported, self.begun = 0.0, self.clock(), 0.0, 0.0

    # Before the first step -------------------------------------------------------------------------------------

    def prepare(self, budget: Budget, progress: Progress) -> None:
        """Takes up the plan and the checkpoint of a killed run, or makes a plan."""
        key = self._key()
        path = self.options.folder / PLAN
        found = self._kept_plan(path, key)
        if found is None:
            progress("train", 0, 0, "measuring a step")
            found = self._planned(key, budget)
            write_json(path, asdict(found))
        self.plan = found
        torch.set_num_threads(found.threads)
        torch.manual_seed(self.options.seed)
        if self.settings.average:
            self.mean = checkpoint.copied(checkpoint.weights(self.model))
        self._resume(progress)
        self.begun = self.clock() - self.state.elapsed
        if self.settings.judge_start and not self.state.curve:
            self._judge()

    def _key(self) -> str:
        """Changes with everything that decides what the run computes, except the plan itself."""
        shapes = {name: list(value.shape) for name, value in checkpoint.weights(self.model).items()}
        return fingerprint({
            "settings": asdict(self.settings), "seed": self.options.seed, "optimizer": self.options.optimizer,
            "metric": self.task.metric, "precision": self.options.precision, "shapes": shapes,
            "data": self.task.identity(),
        })

    def _kept_plan(self, path: Path, key: str) -> Plan | None:
        if not path.is_file():
            return None
        try:
            plan = Plan(**read_json(path))
        except (DataError, TypeError):
            plan = Plan("", 0, "", 1, 0.0)
        if plan.key == key:
            return plan
        self.state.notes.append("plan discarded: it was made for other rows or settings")
        return None

    def _planned(self, key: str, budget: Budget) -> Plan:
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
        tried = probe.Tried(probe.precisions(self.options.precision), budget.left() * 0.02)
        threads = self._threads(timed[0])
        seconds = probe.step_seconds(self.model, self._optimizer, self._step, timed, tried)
        precision = probe.fastest(seconds)
        room = ROOM * budget.left()
        return Plan(key, max(1, self._fitting(room, seconds[precision], 0)), precision, threads, room)

    def _fitting(self, room: float, step_seconds: float, done: int) -> int:
        """Steps of the whole run, when that many are done and there is room for so many seconds more."""
        validation = EVALUATION_COST * self.task.n_validation / max(1, len(self.lengths))
        fits = int(room / max(step_seconds * (1 + validation), 1e-9))
        return min(self.settings.epochs * self.n_batches, done + fits)

    def _threads(self, rows: np.ndarray) -> int:
        """How many threads do a step soonest, tried on a copy."""
        if probe.device().type != "cpu":
            return torch.get_num_threads()
        state, twin = checkpoint.random_state(), copy.deepcopy(self.model)
        optimizer = self._optimizer(twin)
        threads = probe.choose_threads(lambda: self._step(twin, optimizer, rows, "float32"))
        checkpoint.set_random_state(state)
        return threads

    def _optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        return optimizer_of(model, self.settings, self.options.optimizer)

    def _resume(self, progress: Progress) -> None:
        path = self.options.folder / checkpoint.FILE
        found = checkpoint.read(path)
        if found is None and not path.is_file():
            return
        groups, header = found or ({}, {})
        if not self._is_of_plan(header):
            self.state.notes.append("checkpoint discarded: it is damaged or of another run")
            progress("train", 0, self.plan.total, self.state.notes[-1])
            path.unlink()
            return
        checkpoint.set_weights(self.model, groups["model"])
        checkpoint.set_optimizer(self.optimizer, groups.get("optimizer", {}))
        checkpoint.set_random_state(groups["random"])
        self.best, self.mean = ({name: value.to(probe.device()) for name, value in groups.get(group, {}).items()}
                                for group in ("best", "mean"))
        self.state = State(**header["state"])

    def _is_of_plan(self, header: Json) -> bool:
        try:
            return self.plan.began(Plan(**header["plan"]), State(**header["state"]).step)
        except (KeyError, TypeError):
            return False

    # Steps -----------------------------------------------------------------------------------------------------

    def remaining(self) -> Iterator[np.ndarray]:
        """The rows of each step that is still to do."""
        while self.state.step < self.plan.total and not self.state.stopped:
            epoch, place = divmod(self.state.step, self.n_batches)
            for rows in shuffled(self.lengths, self.settings.batch, self.options.seed, epoch)[place:]:
                if self.state.step < self.plan.total:  # which the second plan may have changed
                    yield rows

    def advance(self, rows: np.ndarray) -> None:
        """One step, and at the end of an epoch the validation."""
        # 1. The second plan comes before the step, so that a run that is killed here makes it at the same place.
        if self.state.step == self.plan.second_at and not self.plan.again and self.state.step:
            self._plan_again()
        state, plan = self.state, self.plan
        share = schedule(state.step, plan.total_at(state.step), self.settings.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base_lr"] * share
        # 2. Timed without the validation: the second plan is made of the pace of steps.
        started = self.clock()
        loss = self._step(self.model, self.optimizer, rows, plan.precision)
        state.step += 1
        self._average()
        state.stepping += self.clock() - started
        if state.step == plan.second_at // WARMING:
            state.warming = state.stepping
        state.elapsed = self.clock() - self.begun
        # 3. Before it is judged: what diverged must not become the best.
        if not math.isfinite(loss):
            self._diverged(loss)
            return
        state.loss, state.n_losses = state.loss + loss, state.n_losses + 1
        if state.elapsed > OVERRUN * plan.seconds:
            state.stopped = "stopped: out of time"
        if self._at_epoch_end() or state.stopped:
            self._judge()

    def _plan_again(self) -> None:
        """As many steps as fit at the pace of those that were done; on disk before the next one is."""
        state, plan = self.state, self.plan
        pace = (state.stepping - state.warming) / (state.step - state.step // WARMING)
        room = max(0.0, plan.seconds - state.elapsed)
        self.plan = replace(plan, again=max(state.step + 1, self._fitting(room, pace, state.step)))
        write_json(self.options.folder / PLAN, asdict(self.plan))

    def _step(self, model: nn.Module, optimizer: torch.optim.Optimizer, rows: np.ndarray, precision: str) -> float:
        """Forward, backward and update on these rows; gives the loss in nats."""
        model.train()
        with in_precision(precision):
            loss = self.task.loss(model, rows, self.settings.smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), self.settings.clip)
        optimizer.step()
        return float(loss.item())

    def _average(self) -> None:
        """Moves the average of the weights a little; in the first steps more, so that it leaves the start behind."""
        decay = min(self.settings.average, state_share(self.state.step))
        for name, value in checkpoint.weights(self.model).items() if self.mean else ():
            if value.is_floating_point():
                self.mean[name].lerp_(value, 1 - decay)
            else:
                self.mean[name].copy_(value)

    def _diverged(self, loss: float) -> None:
        """Stops with the best weights so far. Raises: DataError when there are none."""
        if not self.best:
            raise DataError(f"loss is {loss} at step {self.state.step}, expected a finite number",
                            "choose another `optimizer` or `precision: float32`")
        self.state.stopped = f"stopped: the loss became {loss}"
        self.state.curve[-1]["note"] = self.state.stopped

    def _at_epoch_end(self) -> bool:
        return self.state.step % self.n_batches == 0 or self.state.step == self.plan.total

    def _judge(self) -> None:
        """One entry of the curve; keeps the weights when they are the best so far, stops when patience is out."""
        state = self.state
        verdict = self._verdict() if self.task.n_validation else Verdict(math.nan)
        value = verdict.score if math.isfinite(verdict.score) else None
        if value is None or state.best is None or value > state.best:
            self.best = checkpoint.copied(self.mean or checkpoint.weights(self.model))
            state.best, state.waited = value, 0
        else:
            state.waited += 1
            if state.waited >= self.settings.patience and not state.stopped:
                state.stopped = f"stopped: no better for {state.waited} epochs"
        self._record(value, verdict.loss)

    def _verdict(self) -> Verdict:
        """Of the averaged weights where there are any."""
        held = checkpoint.copied(checkpoint.weights(self.model)) if self.mean else {}
        if self.mean:
            checkpoint.set_weights(self.model, self.mean)
        self.model.eval()
        verdict = self.task.judge(self.model, self.settings.batch, self.plan.precision)
        if self.mean:
            checkpoint.set_weights(self.model, held)
        return verdict

    def _record(self, value: float | None, loss: float | None) -> None:
        state = self.state
        state.elapsed = self.clock() - self.begun
        tokens = float(self.lengths.mean()) * state.step * self.settings.batch
        entry: Json = {"epoch": round(state.step / self.n_batches, 3), "step": state.step,
                       "train_loss": state.loss / state.n_losses if state.n_losses else None,
                       "score": None if value is None else self._shown(value),
                       "seconds": round(state.elapsed, 3), "precision": self.plan.precision}
        if loss is not None:
            entry["validation_loss"] = loss
        if tokens:
            entry["tokens_per_second"] = round(tokens / max(state.stepping, 1e-9))
        notes = [*state.notes, *([state.stopped] if state.stopped else [])]
        if notes:
            entry["note"] = "; ".join(notes)
        state.curve.append(entry)
        state.loss, state.n_losses, state.notes = 0.0, 0, []

    def _shown(self, score: float) -> float:
        """The metric as people know it, of a score of which more is better."""
        return -score if self.task.metric in LOWER else score

    # Around steps ----------------------------------------------------------------------------------------------

    def report(self, progress: Progress) -> None:
        """Where the run is and how long it still takes, a few times a second."""
        state, steps = self.state, self.plan.total
        now = self.clock()
        if now - self.reported < REPORT_SECONDS and state.step < steps and not state.stopped:
            return
        self.reported = now
        left = state.elapsed / state.step * (steps - state.step)
        words = [f"epoch {min(state.step / self.n_batches, steps / self.n_batches):.1f}"]
        if state.best is not None:
            words.append(f"best {self.task.metric} {told(self._shown(state.best))}")
        words.append(state.stopped or f"{int(left // 60)}:{int(left % 60):02d} left")
        progress("train", state.step, steps, ", ".join(words))

    def keep(self) -> None:
        """Writes a checkpoint when one is due: at an epoch's end or after some seconds, at under 5 % of the time."""
        waited = self.clock() - self.written
        due = self._at_epoch_end() or bool(self.state.stopped) or waited >= self.settings.checkpoint_seconds
        if not due or waited * CHECKPOINT_COST < self.write_seconds:
            return
        started = self.clock()
        groups = {"model": checkpoint.weights(self.model), "best": self.best, "mean": self.mean,
                  "random": checkpoint.random_state(), "optimizer": checkpoint.optimizer_tensors(self.optimizer)}
        header = {"plan": asdict(self.plan), "state": asdict(self.state)}
        checkpoint.write(self.options.folder / checkpoint.FILE, groups, header)
        self.written = self.clock()
        self.write_seconds = self.written - started
