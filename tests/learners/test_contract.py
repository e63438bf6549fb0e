"""Every learner keeps the contract on toys that anything can learn, and the shipped check finds what breaks it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from windlass.errors import NotReady, pip_install
from windlass.learners.contract import Learner
from windlass.learners.networks import encoders
from windlass.learners.table import LEARNERS
from windlass.testing.learner_checks import check_learner
from windlass.testing.toys import toys

SLOW = frozenset(name for name, learner in LEARNERS.items() if "torch" in learner.needs)
"""Networks train three toys and one of them twice: ten seconds and more each."""
ENCODING = frozenset({"frozen", "pretrained", "hybrid-encoder"})
"""Whose encoder is named: one layer and the commonest pieces of the starter take a sixth of the time and of the bytes,
and the contract is the same. The whole starter answers in `test_pretrained.py`, and is trained by `make soak`."""
N_PIECES = 4_000
"""Special ones, single letters and the commonest words come first in its vocabulary."""


@pytest.fixture(scope="module")
def shallow(tmp_path_factory) -> str:
    """The starter encoder with one layer and its first pieces; '' where it is not installed, which the check says."""
    home = encoders._starter()
    if home is None:
        return ""
    folder = tmp_path_factory.mktemp("shallow")
    config = json.loads((home / "config.json").read_text(encoding="utf-8"))
    tokenizer = json.loads((home / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {piece: id for piece, id in vocabulary.items() if id < N_PIECES}
    config = {**config, "num_hidden_layers": 1, "vocab_size": N_PIECES}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    weights = load_file(home / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "layer." not in name or "layer.0." in name}
    assert 0 < len(kept) < len(weights)
    words = next(name for name in kept if name.endswith("word_embeddings.weight"))
    kept[words] = np.ascontiguousarray(kept[words][:N_PIECES])
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


@pytest.mark.parametrize(
    "learner",
    [
        pytest.param(learner, id=name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name, learner in LEARNERS.items()
        if name not in ("llm", "elsewhere", "pretrained-detector")  # start from a model that their own tests give them
    ],
)
def test_every_learner_keeps_the_contract(learner, request):
    variant = request.getfixturevalue("shallow") if learner.name in ENCODING else ""
    reason = check_learner(learner, variant=variant)
    if reason:
        pytest.skip(f"{learner.name} {reason}")


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(ENCODING))
def test_the_whole_starter_keeps_the_contract(name):
    assert check_learner(LEARNERS[name]) == ""


LINEAR = LEARNERS["linear"]


def after(change) -> Learner:
    """A learner that does all that `linear` does, and then this to its folder."""

    def fit(splits, options, budget, progress):
        fitted = LINEAR.fit(splits, options, budget, progress)
        return change(fitted, options) or fitted

    return replace(LINEAR, fit=fit)


def _reversed(splits, options, budget, progress):
    """Learns every answer as the other one, as a model with its labels in the wrong order would answer."""
    other = pl.when(pl.col("answer") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes")).alias("answer")
    return LINEAR.fit(
        replace(splits, train=splits.train.with_columns(other), validation=splits.validation.with_columns(other)),
        options,
        budget,
        progress,
    )


def _with_chance(splits, options, budget, progress):
    rows = splits.train.sample(fraction=0.5, seed=len(options.folder.name))
    return LINEAR.fit(replace(splits, train=rows), options, budget, progress)


def _rewrite(path: Path, change) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def _other_golden(fitted, options):
    _rewrite(fitted.artifact / "golden.json", lambda values: values["answers"].reverse())


def _other_name(fitted, options):
    _rewrite(fitted.artifact / "manifest.json", lambda values: values.update(learner="someone"))


def _code(fitted, options):
    (fitted.artifact / "model.py").write_text("import os")


def _link(fitted, options):
    (fitted.artifact / "more.json").symlink_to("/etc/passwd")


BROKEN = {
    "learns nothing": (
        replace(LINEAR, fit=LEARNERS["majority"].fit, name="majority"),
        "the commonest answer alone gives",
    ),
    "has its labels in the wrong order": (replace(LINEAR, fit=_reversed), "the commonest answer alone gives"),
    "is another model each time": (replace(LINEAR, fit=_with_chance), "the same seed gave probabilities that differ"),
    "has golden rows of another model": (after(_other_golden), "answers its golden rows with a difference"),
    "has no golden rows": (
        after(
            lambda fitted, options: _rewrite(
                fitted.artifact / "golden.json", lambda values: values.update(rows=[], answers=[])
            )
        ),
        "has no golden rows",
    ),
    "names another learner": (after(_other_name), "the manifest names 'someone'"),
    "leaves code behind": (after(_code), "the artifact holds ['model.py']"),
    "leaves a link behind": (after(_link), "the artifact holds ['more.json']"),
    "says no share": (after(lambda fitted, options: replace(fitted, validation=float("nan"))), "expected a share"),
    "writes elsewhere": (after(lambda fitted, options: replace(fitted, artifact=options.folder)), "no artifact at"),
    "has a curve that is no JSON": (
        after(lambda fitted, options: replace(fitted, curve=[{"loss": float("nan")}])),
        "JSON",
    ),
    "reads nothing": (replace(LINEAR, inputs=frozenset({"sound"})), "reads none of the toys"),
}


@pytest.mark.parametrize(("learner", "words"), BROKEN.values(), ids=BROKEN)
def test_the_check_finds_a_broken_learner(learner, words):
    """Control: each way to break the contract is noticed, and said."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  the words are what is checked
        check_learner(learner)
    assert words in str(caught.value)


def test_a_learner_that_is_not_installed_says_what_to_install():
    assert pip_install("train") in check_learner(replace(LINEAR, needs=("no_such_module",)))


def test_a_learner_that_is_not_ready_says_why():
    def fit(splits, options, budget, progress):
        raise NotReady("needs a model that is not here")

    assert check_learner(replace(LINEAR, fit=fit)) == "needs a model that is not here"


def test_toys_are_the_same_each_time_and_have_gaps(tmp_path):
    first, second = (dict(toys(tmp_path / name)) for name in "ab")
    assert set(first) == {"text", "table", "image", "text and number", "attempts"}
    assert first["table"].train.equals(second["table"].train)
    assert first["table"].train["size"].null_count() > 5
    assert np.mean([label == "no" for label in first["text"].test["answer"]]) == pytest.approx(0.6)
