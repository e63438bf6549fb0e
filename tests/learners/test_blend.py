"""The blend of trained candidates: chosen on validation rows, answered through one artifact, proven like any other."""

import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from windlass.errors import NotReady
from windlass.learners import blend, linear
from windlass.learners.contract import Budget, Options
from windlass.learners.rows import targets
from windlass.metrics import log_loss
from windlass.outputs.labels.measures import fit_output
from windlass.predictors import table as predictors
from windlass.predictors.artifact import VALIDATION
from windlass.records import Splits, silent


def noisy(n_rows, seed):
    """Rows of 20 weak words each, of which most hint at the label."""
    random = np.random.default_rng(seed)
    labels = random.choice(["a", "b", "c"], n_rows)
    texts = [" ".join(f"{random.choice([label, *'abc'])}{random.integers(40)}" for _ in range(6)) for label in labels]
    return pl.DataFrame({"text": texts, "label": labels})


@pytest.fixture
def splits(tmp_path):
    rows = noisy(900, 0)
    return Splits({"text": "text"}, {"label": "category"}, rows[:500], rows[500:800], rows[800:], tmp_path)


def run(splits, folder, rows):
    folder.mkdir()
    linear.fit(replace(splits, train=rows), Options(folder), Budget(60), silent)
    return folder


def fitted(splits, tmp_path, runs):
    (tmp_path / "blend").mkdir()
    return blend.fit(splits, Options(tmp_path / "blend", runs=runs), Budget(60), silent)


def test_two_that_err_differently_are_better_together_and_answer_as_they_were_measured(splits, tmp_path):
    runs = {
        "first": run(splits, tmp_path / "first", splits.train[:250]),
        "second": run(splits, tmp_path / "second", splits.train[250:]),
    }
    result = fitted(splits, tmp_path, runs)
    together = predictors.load(result.artifact)
    assert predictors.replay(together, result.artifact) < 1e-5
    rows, truth = splits.test.to_dicts(), targets(fit_output(splits), splits.test)
    alone = [log_loss(truth, predictors.load(folder / "artifact").probabilities(rows)) for folder in runs.values()]
    assert log_loss(truth, together.probabilities(rows)) < min(alone)
    weights = together.manifest.settings["weights"]
    assert sum(weights) == pytest.approx(1)


def test_rows_that_a_member_did_not_reach_in_time_judge_nothing(splits, tmp_path):
    """A member that answered 290 of 300 validation rows: weights are those of the 290, as if there were no others."""
    runs = {
        "first": run(splits, tmp_path / "first", splits.train[:250]),
        "second": run(splits, tmp_path / "second", splits.train[250:]),
    }
    half = {}
    for name, folder in runs.items():
        half[name] = shutil.copytree(folder, tmp_path / f"{name}-half")
        logits = load_file(folder / VALIDATION)["logits"]
        save_file({"logits": logits[:290]}, half[name] / VALIDATION)
    few = replace(splits, validation=splits.validation[:290])
    expected = blend.fit(few, Options(tmp_path / "few", runs=half), Budget(60), silent)
    logits[290:] = np.nan
    save_file({"logits": logits}, runs["second"] / VALIDATION)
    result = fitted(splits, tmp_path, runs)
    assert result.validation == expected.validation
    weights = [predictors.load(each.artifact).manifest.settings["weights"] for each in (result, expected)]
    assert weights[0] == weights[1]


def test_a_twin_adds_nothing_and_no_blend_is_made(splits, tmp_path):
    only = run(splits, tmp_path / "only", splits.train)
    with pytest.raises(NotReady, match="no blend is better"):
        fitted(splits, tmp_path, {"one": only, "twin": only})


def test_one_candidate_is_not_enough(splits, tmp_path):
    with pytest.raises(NotReady, match="two trained candidates"):
        fitted(splits, tmp_path, {"one": run(splits, tmp_path / "one", splits.train)})
