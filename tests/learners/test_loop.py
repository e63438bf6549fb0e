"""The gradient loop: plan, resuming, stopping, precision."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from windlass.errors import DataError, SpecError
from windlass.learners.contract import Budget, Options
from windlass.learners.networks.batches import Inputs, by_length, shuffled
from windlass.learners.networks.training import checkpoint, loop, probe
from windlass.learners.networks.training.plan import Planner
from windlass.learners.networks.training.steps import Settings, Steps, optimizer_of
from windlass.learners.networks.training.task import Data, answers
from windlass.records import silent

SETTINGS = Settings(lr=5e-3, batch=8, epochs=6, patience=9, checkpoint_seconds=0.0)


class Clock:
    """Shows what a model's steps are said to take: every run is the same on any machine, however busy."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Bag(nn.Module):
    """The mean of word vectors, with dropout, under a linear head. pause: seconds of the clock that a step takes."""

    def __init__(self, n_classes: int = 3, pause: float = 0.0, clock: Clock | None = None) -> None:
        super().__init__()
        self.pause, self.clock = pause, clock or Clock()
        self.embedding = nn.Embedding(20, 16, padding_idx=0)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(16, n_classes)

    def forward(self, tokens):
        if self.training:
            self.clock.now += self.pause
        real = (tokens != 0).unsqueeze(-1)
        return self.head(self.dropout((self.embedding(tokens) * real).sum(1) / real.sum(1).clamp(min=1)))


def words(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids of 1 to 9 words; ids 1, 2, 3 tell the class."""
    chance = np.random.default_rng(seed)
    tokens, targets = np.zeros((n_rows, 9), np.int64), chance.integers(0, 3, n_rows)
    for row, target in enumerate(targets):
        length = int(chance.integers(1, 10))
        tokens[row, :length] = chance.integers(4, 20, length)
        tokens[row, int(chance.integers(0, length))] = target + 1
    return tokens, targets


def data(n_train: int = 96, n_validation: int = 30) -> Data:
    tokens, targets = words(n_train, 1)
    shown, truth = words(n_validation, 2)
    return Data(
        Inputs((tokens,), (0,)),
        targets,
        Inputs((shown,), (0,)),
        lambda logits: float((logits.argmax(1) == truth).mean()) if len(truth) else float("nan"),
        "accuracy",
    )


def run(
    folder: Path, settings: Settings = SETTINGS, progress=silent, seconds: float = 60, pause: float = 0.001, **options
) -> tuple[nn.Module, list]:
    torch.manual_seed(5)
    clock = Clock()
    model = options.pop("kind", Bag)(pause=pause, clock=clock)
    budget = Budget(seconds, clock=clock)
    folder.mkdir(exist_ok=True, parents=True)
    chosen = Options(folder, "accuracy", precision=options.pop("precision", "float32"), **options)
    return model, loop.train(model, options.pop("data", data()), settings, chosen, budget, progress)


def fixed_plan(folder: Path, steps: int = 72, **changes) -> None:
    """One thread and so many steps, whatever this machine is doing: what a run would plan before its first step.

    With 60 s for 72 steps of a millisecond the second plan is all of them.
    """
    path = folder / loop.PLAN
    made = {**json.loads(path.read_text()), "steps": steps, "threads": 1, "seconds": 60.0, "again": 0}
    path.write_text(json.dumps({**made, **changes}))


def weights_of(model: nn.Module) -> np.ndarray:
    return np.concatenate([value.detach().numpy().ravel() for value in model.parameters()])


def test_it_learns_a_toy_task_and_gives_the_best_epochs_logits(tmp_path):
    """Every class is told by one word, so that nearly all validation rows come out right."""
    model, curve = run(tmp_path, dataclasses.replace(SETTINGS, lr=2e-2, epochs=15))
    best = max(entry["score"] for entry in curve)
    assert best > 0.9
    assert data().score(answers(model, data().validation, 8)) == best


def test_each_row_comes_once_an_epoch_with_rows_of_like_length():
    """Order depends on seed and epoch alone; lengths in a batch differ less than in the whole."""
    lengths = np.random.default_rng(1).integers(1, 60, 1000)
    batches = shuffled(lengths, 16, seed=3, epoch=2)
    assert sorted(np.concatenate(batches)) == list(range(1000))
    assert np.mean([np.ptp(lengths[rows]) for rows in batches]) < 8
    again, other = shuffled(lengths, 16, 3, 2), shuffled(lengths, 16, 3, 1)
    assert all((first == second).all() for first, second in zip(batches, again, strict=True))
    assert any(first.tolist() != second.tolist() for first, second in zip(batches, other, strict=True))


@pytest.mark.parametrize(
    ("cores", "said", "tried"), [(2, "", [2, 1]), (4, "3", [3, 1]), (2, "8", [2, 1]), (2, "1", [1]), (1, "", [1])]
)
def test_threads_are_tried_within_what_cores_and_environment_allow(monkeypatch, cores, said, tried):
    """An attempt to improve leaves half of the cores to the service by OMP_NUM_THREADS; it was not asked."""
    monkeypatch.setattr(probe.os, "sched_getaffinity", lambda process: set(range(cores)))
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    found, before = [], torch.get_num_threads()
    try:
        assert probe.choose_threads(lambda: found.append(torch.get_num_threads())) in tried
        assert torch.get_num_threads() in tried
    finally:
        torch.set_num_threads(before)
    assert list(dict.fromkeys(found)) == tried
    assert len(found) == (1 if tried == [1] else 2 * (1 + probe.N_TRIALS))


def test_batches_are_cut_to_their_longest_row():
    tokens, _ = words(50, 4)
    inputs = Inputs((tokens,), (0,))
    for rows in by_length(inputs.lengths(), 8):
        taken = inputs.take(rows)[0]
        assert taken.shape[1] == inputs.lengths()[rows].max()
        assert (tokens[rows].sum(1) == taken.sum(1)).all()


class Killed(Bag):
    """Gets kill -9 in the step of that number since it began."""

    n_left = 0

    def forward(self, tokens):
        self.n_left -= self.training
        if self.training and not self.n_left:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(tokens)


def test_killed_anywhere_it_resumes_to_the_same_weights(tmp_path):
    """kill -9 in a running step, before and after the second plan, which has 72 steps where the first had 48; dropout
    and the place inside the epoch go on as if nothing had been."""
    script = (
        "import sys; from pathlib import Path; from tests.learners.test_loop import run, Killed\n"
        "Killed.n_left = int(sys.argv[2])\nrun(Path(sys.argv[1]), kind=Killed)"
    )
    whole, killed = planned(tmp_path / "whole", 48), planned(tmp_path / "killed", 48)
    wanted, result = run(whole)
    assert result[-1]["step"] == 72
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"}
    for n_steps, at, planned_again in ((7, 6, 0), (24, 29, 72)):
        process = subprocess.run([sys.executable, "-c", script, killed, str(n_steps)], env=environment, check=False)
        assert process.returncode == -signal.SIGKILL
        assert _again(killed) == planned_again
        _, header = checkpoint.read(killed / checkpoint.FILE) or ({}, {})
        assert header["state"]["step"] == at
    resumed, again = run(killed)
    assert np.abs(weights_of(resumed) - weights_of(wanted)).max() < 1e-6
    assert np.abs(answers(resumed, data().validation, 8) - answers(wanted, data().validation, 8)).max() < 1e-6
    wanted_losses = [entry["train_loss"] for entry in result]
    assert [entry["train_loss"] for entry in again] == pytest.approx(wanted_losses, abs=1e-6)


def _again(folder: Path) -> int:
    return json.loads((folder / loop.PLAN).read_text())["again"]


def stopped_halfway(folder: Path, step: int = 30) -> None:
    """A run that breaks off after so many steps."""

    class Broken(Exception):
        pass

    class Breaking(Bag):
        """Breaks off in its step of that number."""

        n_steps = 0

        def forward(self, tokens):
            self.n_steps += self.training
            if self.n_steps == step:
                raise Broken
            return super().forward(tokens)

    with pytest.raises(Broken):
        run(folder, kind=Breaking)


def test_a_run_resumed_in_the_middle_is_not_the_run_of_a_fresh_random_state(tmp_path):
    """The control of the resume test: without the random state in the checkpoint, weights differ."""
    for name in ("kept", "lost"):
        run(tmp_path / name)
        (tmp_path / name / checkpoint.FILE).unlink()
        fixed_plan(tmp_path / name)
        stopped_halfway(tmp_path / name)
    path = tmp_path / "lost" / checkpoint.FILE
    groups, header = checkpoint.read(path)
    groups["random"] = {"cpu": torch.Generator().manual_seed(99).get_state()}
    checkpoint.write(path, groups, header)
    first, second = run(tmp_path / "kept")[0], run(tmp_path / "lost")[0]
    assert np.abs(weights_of(first) - weights_of(second)).max() > 1e-4


def planned(folder: Path, steps: int, **changes) -> Path:
    """A folder with a plan of so many steps, and no checkpoint."""
    run(folder)
    (folder / checkpoint.FILE).unlink()
    fixed_plan(folder, steps, **changes)
    return folder


@pytest.mark.parametrize("step", [10, 15, 17, 40])
def test_the_second_plan_is_on_disk_before_it_is_used_and_a_resumed_run_keeps_it(tmp_path, step):
    """Planned 48 steps, and 72 from step 16 on. Broken off around it, and with the plan on disk and the checkpoint of
    before, the weights are those of the whole run."""
    wanted, curve = run(planned(tmp_path / "whole", 48))
    assert (curve[-1]["step"], _again(tmp_path / "whole")) == (72, 72)
    broken = planned(tmp_path / "broken", 48)
    stopped_halfway(broken, step)
    assert _again(broken) == (72 if step > 16 else 0)
    if step <= 16:
        fixed_plan(broken, 48, again=72)
    resumed, again = run(broken)
    assert again[-1]["step"] == 72
    assert "note" not in again[0]
    assert np.abs(weights_of(resumed) - weights_of(wanted)).max() < 1e-6


def test_the_rate_follows_the_second_plan(tmp_path):
    """The control: the same 72 steps planned at once give other weights, as the rate before step 16 was another."""
    first, _ = run(planned(tmp_path / "first", 48))
    second, _ = run(planned(tmp_path / "second", 72))
    assert np.abs(weights_of(first) - weights_of(second)).max() > 1e-4
    plan = loop.Plan("", steps=48, precision="float32", threads=1, seconds=60, again=72)
    assert [plan.total_at(step) for step in (0, 15, 16, 71)] == [48, 48, 72, 72]


def test_a_checkpoint_of_the_second_plan_is_not_taken_up_by_a_run_that_has_lost_it(tmp_path):
    broken = planned(tmp_path, 48)
    stopped_halfway(broken, 30)
    fixed_plan(broken, 48)
    _, curve = run(broken)
    assert "checkpoint discarded" in curve[0]["note"]


@pytest.mark.parametrize(
    ("planned_steps", "pause", "seconds", "done"), [(12, 0.001, 60.0, 72), (72, 0.05, 2.0, 24 + 14)]
)
def test_a_plan_that_was_wrong_about_the_pace_is_put_right(tmp_path, planned_steps, pause, seconds, done):
    """Planned for a tenth of the pace: all steps are done. Planned for far too many: fewer, and in time.

    After 24 of 72 steps of 0.05 s there are 0.8 s left; with validation (40 % of 30 / 96 rows) a step takes 0.05625 s.
    """
    planned(tmp_path, planned_steps, seconds=seconds)
    _, curve = run(tmp_path, pause=pause)
    assert "out of time" not in curve[-1].get("note", "")
    assert curve[-1]["step"] == done


@pytest.mark.parametrize("damage", ["cut", "other plan"])
def test_a_checkpoint_that_does_not_fit_is_discarded_and_said_so(tmp_path, damage):
    run(tmp_path)
    path = tmp_path / checkpoint.FILE
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    else:
        groups, header = checkpoint.read(path)
        checkpoint.write(path, groups, {**header, "plan": {**header["plan"], "steps": 1}})
    _, result = run(tmp_path)
    assert "checkpoint discarded" in result[0]["note"]
    assert len(result) == 6


def test_a_plan_for_other_settings_is_discarded(tmp_path):
    run(tmp_path)
    _, result = run(tmp_path, dataclasses.replace(SETTINGS, lr=1e-3))
    assert "plan discarded" in result[0]["note"]


def test_it_stops_when_validation_gets_no_better(tmp_path):
    """A score that never rises ends the run after the first epoch and `patience` more."""
    flat = dataclasses.replace(data(), score=lambda logits: 0.5)
    torch.manual_seed(5)
    result = loop.train(
        Bag(),
        flat,
        dataclasses.replace(SETTINGS, epochs=20, patience=2),
        Options(tmp_path, "accuracy", precision="float32"),
        Budget(60),
        silent,
    )
    assert len(result) == 3
    assert "no better for 2 epochs" in result[-1]["note"]


def test_best_weights_are_kept_when_later_epochs_are_worse(tmp_path):
    scores = iter([0.2, 0.9, 0.1, 0.1, 0.1, 0.1])
    kept = []

    def score(logits):
        kept.append(logits)
        return next(scores)

    torch.manual_seed(5)
    model = Bag()
    loop.train(
        model,
        dataclasses.replace(data(), score=score),
        SETTINGS,
        Options(tmp_path, "accuracy", precision="float32"),
        Budget(60),
        silent,
    )
    assert np.allclose(answers(model, data().validation, 8), kept[1], atol=1e-5)


def test_the_start_is_kept_when_no_epoch_beats_it(tmp_path):
    scores = iter([0.9, *[0.1] * 30])
    torch.manual_seed(5)
    model = Bag()
    start = {name: value.clone() for name, value in model.state_dict().items()}
    result = loop.train(
        model,
        dataclasses.replace(data(), score=lambda logits: next(scores)),
        dataclasses.replace(SETTINGS, judge_start=True),
        Options(tmp_path, "accuracy", precision="float32"),
        Budget(60),
        silent,
    )
    assert result[0]["epoch"] == 0.0
    assert all(torch.equal(value, start[name]) for name, value in model.state_dict().items())


def test_without_validation_rows_it_trains_the_planned_epochs(tmp_path):
    torch.manual_seed(5)
    result = loop.train(
        Bag(), data(n_validation=0), SETTINGS, Options(tmp_path, precision="float32"), Budget(60), silent
    )
    assert len(result) == 6
    assert all(entry["score"] is None for entry in result)


def test_a_small_budget_shortens_the_plan(tmp_path):
    """0.05 s a step and a budget of 1.5 s: a fraction of the 72 steps, and the rate still falls to zero."""
    _, result = run(tmp_path, seconds=1.5, pause=0.05)
    assert 1 <= result[-1]["step"] < 40


def test_a_run_far_over_its_budget_is_stopped(tmp_path):
    """The plan was made when steps took no time; now the fourth of 0.1 s is over 1.3 times 0.3 s."""
    run(tmp_path)
    (tmp_path / checkpoint.FILE).unlink()
    path = tmp_path / loop.PLAN
    path.write_text(json.dumps({**json.loads(path.read_text()), "seconds": 0.3}))
    _, result = run(tmp_path, pause=0.1)
    assert result[-1]["step"] == 4
    assert "out of time" in result[-1]["note"]


def test_measuring_leaves_weights_and_chance_untouched(tmp_path):
    torch.manual_seed(5)
    model = Bag()
    planner = Planner(model, Steps(data(), SETTINGS, "adamw"), Options(tmp_path, precision="auto"))
    before, state = weights_of(model).copy(), torch.get_rng_state()
    rows = [np.arange(8), np.arange(8, 16)]
    seconds = probe.step_seconds(
        model, planner.steps.optimizer, planner.steps.take, rows, probe.Tried(["float32", "bfloat16"], 5.0)
    )
    planner.threads(rows[0])
    assert set(seconds) == {"float32", "bfloat16"}
    assert (weights_of(model) == before).all()
    assert (torch.get_rng_state() == state).all()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_bfloat16_is_taken_only_where_it_is_faster():
    assert probe.fastest({"float32": 1.0, "bfloat16": 0.5}) == "bfloat16"
    assert probe.fastest({"float32": 1.0, "bfloat16": 0.95}) == "float32"
    assert probe.precisions("bfloat16") == ["bfloat16"]
    assert probe.precisions("auto")[0] == "float32"


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_every_optimizer_brings_the_loss_down_and_resumes(tmp_path, optimizer):
    _, result = run(tmp_path, optimizer=optimizer)
    assert result[-1]["train_loss"] < result[0]["train_loss"]
    _, again = run(tmp_path, optimizer=optimizer)
    assert [entry["train_loss"] for entry in again] == [entry["train_loss"] for entry in result]


def test_an_unknown_optimizer_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(SpecError, match="did you mean 'adam'"):
        run(tmp_path, optimizer="adamv")


def test_the_average_of_the_weights_is_what_is_kept(tmp_path):
    """With an average of decay 0.98 the result is near, not at, the last weights."""
    settings = dataclasses.replace(SETTINGS, average=0.98)
    model, result = run(tmp_path, settings)
    again, _ = run(tmp_path / "plain")
    assert 1e-4 < np.abs(weights_of(model) - weights_of(again)).max() < 1.0
    assert result[-1]["score"] > 0.5


@dataclasses.dataclass(frozen=True)
class Restless(Data):
    """Notes how many rows each of its losses is of, and whether it was calm."""

    seen: list = dataclasses.field(default_factory=list)
    is_calm: bool = False

    def calmed(self):
        return dataclasses.replace(self, is_calm=True)

    def loss(self, model, rows, smoothing):
        self.seen.append(self.is_calm)
        return super().loss(model, rows, smoothing)


def test_the_last_steps_learn_the_calm_task(tmp_path):
    """A quarter of eight steps; none where the settings ask for none."""
    for calm, wanted in ((0.25, [False] * 6 + [True] * 2), (0.0, [False] * 8)):
        plain = data()
        task = Restless(*(getattr(plain, field.name) for field in dataclasses.fields(Data)))
        settings = dataclasses.replace(SETTINGS, calm=calm)
        folder = tmp_path / f"{calm}"
        folder.mkdir()
        loop.train(Bag(), task, settings, Options(folder, "accuracy"), Budget(60.0, steps=8), silent)
        assert task.seen == wanted


def test_a_loss_that_is_not_finite_is_refused(tmp_path):
    torch.manual_seed(5)
    model = Bag()
    with torch.no_grad():
        model.head.bias.fill_(float("nan"))
    with pytest.raises(DataError, match="loss is nan at step 1"):
        loop.train(model, data(), SETTINGS, Options(tmp_path, precision="float32"), Budget(60), silent)


def test_rate_rises_then_falls_along_a_cosine():
    """Warm-up over a tenth of 100 steps; half way through the fall the rate is a half."""
    assert loop.schedule(0, 100, 0.1) == pytest.approx(1 / 11)
    assert loop.schedule(10, 100, 0.1) == 1.0
    assert loop.schedule(55, 100, 0.1) == pytest.approx(0.5)
    assert loop.schedule(99, 100, 0.1) < 0.01
    assert loop.schedule(0, 1, 0.1) == 1.0


def test_norms_and_biases_do_not_decay_and_the_head_has_its_own_rate():
    optimizer = optimizer_of(Bag(), Settings(lr=1e-3, head_lr=10, weight_decay=0.1), "adamw")
    rates = {
        (group["lr"], group["weight_decay"], parameter.ndim)
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert rates == {(1e-3, 0.1, 2), (1e-2, 0.1, 2), (1e-2, 0.0, 1)}


def test_nothing_is_left_after_cleaning(tmp_path):
    run(tmp_path)
    loop.clean(Options(tmp_path))
    assert list(tmp_path.iterdir()) == []
