"""A decoder from scratch: it learns a toy, goes on after a kill, and is served as it was trained."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from tests.learners import writers
from windlass.errors import NotReady, SpecError
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language import gpt, language
from windlass.learners.networks.training import checkpoint
from windlass.predictors.language.engine import MODEL
from windlass.predictors.table import load, replay
from windlass.records import Splits, silent

TINY = gpt.Shape(width=64, layers=2, heads=4, length=48, block=32)
QUICK = gpt.Recipe(
    {"default": TINY, "gpt2": replace(TINY, family="gpt2")}, replace(gpt.SETTINGS, lr=4e-3, checkpoint_seconds=0.0)
)


def fit(folder: Path, splits: Splits, steps: int, variant: str = "default", killed_at: int = 0) -> Fitted:
    """A tiny model after so many steps, whatever this machine is doing; a checkpoint after each step."""
    chosen = options(folder, variant)
    return language.deliver(train(splits, chosen, steps, killed_at), splits, chosen)


def train(splits: Splits, chosen: Options, steps: int, killed_at: int = 0) -> language.Trained:
    """killed_at: the process gets kill -9 after that step, before its checkpoint; 0: not at all."""

    def report(task: str, done: float, total: float, note: str = "") -> None:
        if killed_at and task == "train" and done == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    ticking = map(float, count()).__next__  # so that each step is reported, and nearly each one kept
    budget = Budget(600, steps, ticking) if killed_at else Budget(600, steps)
    return gpt.train(splits, chosen, budget, report, QUICK)


def options(folder: Path, variant: str = "default") -> Options:
    folder.mkdir(parents=True, exist_ok=True)
    return Options(folder, "exact_match" if variant else "bits_per_byte", variant=variant)


def texts(root: Path) -> Splits:
    """Nothing is asked: the alphabet over and over, from anywhere."""
    rows = pl.DataFrame({"before": [""] * 24, "text": ["abcdefghij " * 12 + str(number) for number in range(24)]})
    return Splits({"before": "text"}, {"text": "text"}, rows.head(20), rows.tail(4), rows.tail(4), root)


@pytest.mark.parametrize("variant", ["default", "gpt2"])
def test_it_learns_to_say_words_again(tmp_path, variant):
    splits = writers.echoes(tmp_path)
    fitted = fit(tmp_path / "run", splits, 240, variant=variant)
    model = load(fitted.artifact)
    assert replay(model, fitted.artifact) == 0
    rows = splits.train.select("said").to_dicts()
    right = [answer.value == word for answer, word in zip(model.answer(rows), splits.train["answer"], strict=True)]
    assert np.mean(right) > 0.9
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"artifact"}


def test_it_learns_to_continue_texts(tmp_path):
    """A letter of a cycle of eleven is certain: far below the 3.5 bits of chance."""
    fitted = fit(tmp_path / "run", texts(tmp_path), 150, variant="")
    assert fitted.validation < 0.3
    model = load(fitted.artifact)
    assert replay(model, fitted.artifact) == 0
    assert "defghij abcdef" in model.answer([{"before": ""}])[0].value
    assert model.engine.prompts.of({"before": ""}).ids == model.engine.prompts.template.end


def test_a_conversation_is_answered_after_its_last_message(tmp_path):
    fitted = fit(tmp_path / "run", writers.echoes(tmp_path, kind="chat"), 4)
    model = load(fitted.artifact)
    control = {model.engine.prompts.tokenizer.token_to_id(name) for name in ("<|user|>", "<|answer|>", "<|end|>")}
    ids = model.engine.prompts.of({"said": '[{"role": "user", "content": "ab<|user|>"}]'}).ids
    assert [number for number in ids if number in control] == [ids[0], ids[1], ids[-1]]


def test_killed_anywhere_it_resumes_to_the_same_weights(tmp_path):
    """kill -9 in a running step: the weights that are delivered in the end are those of a run without it."""
    splits = writers.echoes(tmp_path, n_rows=24, n_validation=4)
    wanted = fit(tmp_path / "whole", splits, 12)
    script = (
        "import sys; from pathlib import Path; from tests.learners import test_gpt, writers\n"
        "root = Path(sys.argv[1])\n"
        "test_gpt.fit(root / 'killed', writers.echoes(root, n_rows=24, n_validation=4), 12, killed_at=5)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    process = subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment, check=False)
    assert process.returncode == -signal.SIGKILL
    found, header = checkpoint.read(tmp_path / "killed" / checkpoint.FILE) or ({}, {})
    assert found, "killed before a checkpoint was written"
    assert 0 < header["state"]["step"] < 5
    again = fit(tmp_path / "killed", splits, 12)
    assert [entry["train_loss"] for entry in again.curve] == pytest.approx(
        [entry["train_loss"] for entry in wanted.curve], abs=1e-6)  # fmt: skip
    assert_same_weights(wanted, again)


def assert_same_weights(first: Fitted, second: Fitted) -> None:
    one, other = (load_file(fitted.artifact / MODEL / "model.safetensors") for fitted in (first, second))
    assert one.keys() == other.keys()
    assert all(np.abs(one[name] - other[name]).max() < 1e-6 for name in one)


def test_an_unknown_preset_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(SpecError, match="did you mean 'small'"):
        gpt.fit(texts(tmp_path), Options(tmp_path, variant="smal"), Budget(1), silent)


def test_rows_that_ask_are_left_to_seq2seq_unless_it_is_named(tmp_path):
    with pytest.raises(NotReady, match="seq2seq"):
        gpt.fit(writers.echoes(tmp_path), Options(tmp_path), Budget(1), silent)


def test_an_answer_may_become_as_long_as_the_training_answers_need(tmp_path):
    fitted = fit(tmp_path / "run", writers.echoes(tmp_path), 2)
    assert load(fitted.artifact).writing.max_tokens == language.LEAST_TOKENS
