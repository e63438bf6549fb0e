"""The one gradient loop: every network is trained here, inside its budget, and a killed run resumes by itself."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from windlass.errors import DataError
from windlass.learners.contract import Budget, Options
from windlass.learners.networks.batches import shuffled
from windlass.learners.networks.training import checkpoint, probe, reach
from windlass.learners.networks.training.plan import PLAN, Plan, Planner
from windlass.learners.networks.training.run_state import Checkpoints, State, Weights
from windlass.learners.networks.training.steps import Settings, Steps
from windlass.learners.networks.training.task import Calming, Task, Verdict
from windlass.metrics.measures import LOWER, told
from windlass.records import Json, Progress

WARMING = 5
"""Steps that warm up, as a share of those before the second plan: one in so many, which do not tell the pace."""
OVERRUN = 1.3
REPORT_SECONDS = 0.3


def train(
    model: nn.Module, task: Task, settings: Settings, options: Options, budget: Budget, progress: Progress
) -> list[Json]:
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
    run.weights.take_best()
    return run.state.curve


def is_begun(options: Options) -> bool:
    """True when a killed run left a checkpoint: how the network starts does not matter then."""
    return Path(options.folder, checkpoint.FILE).is_file()


def clean(options: Options) -> None:
    """Removes plan and checkpoint: called when the artifact is complete."""
    for name in (PLAN, reach.FILE, checkpoint.FILE):
        Path(options.folder, name).unlink(missing_ok=True)


def schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the highest learning rate at this step (from 0): a straight rise, then half a cosine towards 0."""
    rise = min(round(warmup * steps), steps - 1)
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


class _Training:
    """One run: the model with what surrounds it between two steps."""

    def __init__(
        self, model: nn.Module, task: Task, settings: Settings, options: Options, clock: Callable[[], float]
    ) -> None:
        self.model, self.task, self.settings, self.options, self.clock = model, task, settings, options, clock
        self.steps = Steps(task, settings, options.optimizer)
        last = task.calmed() if settings.calm and isinstance(task, Calming) else task
        self.last_steps = Steps(last, settings, options.optimizer)
        self.planner = Planner(model, self.steps, options)
        self.lengths, self.n_batches = self.planner.lengths, self.planner.n_batches
        self.weights = Weights(model, self.steps.optimizer(model), settings.average)
        self.checkpoints = Checkpoints(options.folder, settings.checkpoint_seconds, clock)
        self.state = State()
        self.plan = Plan("", 1, "float32", 1, 0.0)
        self.reported, self.begun = 0.0, 0.0

    # Before the first step -------------------------------------------------------------------------------------

    def prepare(self, budget: Budget, progress: Progress) -> None:
        """Takes up the plan and the checkpoint of a killed run, or makes a plan."""
        key, found = self.planner.key(), self.planner.kept()
        if found is not None and found.key != key:
            self.state.notes.append("plan discarded: it was made for other rows or settings")
            found = None
        if found is None:
            progress("train", 0, 0, "measuring a step")
            found = self.planner.made(key, budget)
            self.planner.write(found)
        self.plan = found
        torch.set_num_threads(found.threads)
        torch.manual_seed(self.options.seed)
        self.state = self.checkpoints.resume(self.state, found, self.weights, progress)
        self.begun = self.clock() - self.state.elapsed
        if self.settings.judge_start and not self.state.curve:
            self._judge()

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
            pace = (self.state.stepping - self.state.warming) / (self.state.step - self.state.step // WARMING)
            self.plan = self.planner.again(self.plan, pace, self.state.step, self.state.elapsed)
        state, plan = self.state, self.plan
        share = schedule(state.step, plan.total_at(state.step), self.settings.warmup)
        for group in self.weights.optimizer.param_groups:
            group["lr"] = group["base_lr"] * share
        # 2. Timed without the validation: the second plan is made of the pace of steps.
        started = self.clock()
        is_calm = state.step >= (1 - self.settings.calm) * plan.total_at(state.step)
        loss = (self.last_steps if is_calm else self.steps).take(
            self.model, self.weights.optimizer, rows, plan.precision
        )
        state.step += 1
        self.weights.move_average(state.step)
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

    def _diverged(self, loss: float) -> None:
        """Stops with the best weights so far. Raises: DataError when there are none."""
        if not self.weights.best:
            raise DataError(
                f"loss is {loss} at step {self.state.step}, expected a finite number",
                "choose another `optimizer` or `precision: float32`",
            )
        self.state.stopped = f"stopped: the loss became {loss}"
        self.state.curve[-1]["note"] = self.state.stopped

    def _at_epoch_end(self) -> bool:
        return self.state.step % self.n_batches == 0 or self.state.step == self.plan.total

    def _judge(self) -> None:
        """One entry of the curve; keeps the weights when they are the best so far, stops when patience is out."""
        state = self.state
        verdict = Verdict(math.nan)
        if self.task.n_validation:
            with self.weights.averaged() as model:
                verdict = self.task.judge(model.eval(), self.settings.batch, self.plan.precision)
        value = verdict.score if math.isfinite(verdict.score) else None
        if value is None or state.best is None or value > state.best:
            self.weights.keep_best()
            state.best, state.waited = value, 0
        else:
            state.waited += 1
            if state.waited >= self.settings.patience and not state.stopped:
                state.stopped = f"stopped: no better for {state.waited} epochs"
        self._record(value, verdict.loss)

    def _record(self, value: float | None, loss: float | None) -> None:
        state = self.state
        state.elapsed = self.clock() - self.begun
        tokens = float(self.lengths.mean()) * state.step * self.settings.batch
        entry: Json = {
            "epoch": round(state.step / self.n_batches, 3),
            "step": state.step,
            "train_loss": state.loss / state.n_losses if state.n_losses else None,
            "score": None if value is None else self._shown(value),
            "seconds": round(state.elapsed, 3),
            "precision": self.plan.precision,
        }
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
        """Writes a checkpoint when one is due."""
        is_at_end = self._at_epoch_end() or bool(self.state.stopped)
        self.checkpoints.write_when_due(self.state, self.plan, self.weights, is_at_end)
