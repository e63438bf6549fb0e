"""A blend of numbers: the weighted mean, judged on rows that it was not picked on; answers are as measured."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from windlass.errors import NotReady
from windlass.learners.classic import blend, linear, number_blend
from windlass.learners.contract import Budget, Options
from windlass.metrics.numbers import mae
from windlass.predictors import table as predictors
from windlass.records import Splits, silent

INPUTS = [f"x{place}" for place in range(6)]


def rows(n_rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    columns = random.normal(size=(n_rows, len(INPUTS)))
    right = columns @ np.arange(1, 7) + random.normal(0, 1, n_rows)
    return pl.DataFrame({**dict(zip(INPUTS, columns.T, strict=True)), "y": right})


@pytest.fixture
def splits(tmp_path):
    inputs = dict.fromkeys(INPUTS, "number")
    return Splits(inputs, {"y": "number"}, rows(60, 1), rows(300, 2), rows(300, 3), tmp_path)


def run(splits, folder, part):
    folder.mkdir()
    linear.fit(replace(splits, train=part, validation=splits.validation), Options(folder, "mae"), Budget(60), silent)
    return folder


def test_two_that_err_differently_are_nearer_together_and_answer_as_they_were_measured(splits, tmp_path):
    runs = {str(place): run(splits, tmp_path / str(place), splits.train[30 * place :][:30]) for place in range(2)}
    (tmp_path / "blend").mkdir()
    result = blend.fit_any(splits, Options(tmp_path / "blend", "mae", runs=runs), Budget(60), silent)
    together = predictors.load(result.artifact)
    assert predictors.replay(together, result.artifact) < 1e-5
    asked = splits.test.to_dicts()
    weights = together.manifest.settings["weights"]
    each = [predictors.load(folder / "artifact").values(asked) for folder in runs.values()]
    named = dict(zip(runs, each, strict=True))
    wanted = np.average([named[name] for name in together.manifest.settings["members"]], axis=0, weights=weights)
    assert together.values(asked) == pytest.approx(wanted)
    found = together.marks(asked, splits.test["y"].to_list())
    assert found.inside.mean() > 0.85, "more, where members learn from the validation rows in the end"
    assert "mae" in found.metrics


def test_by_hand_the_mean_of_two_that_err_to_opposite_sides_is_right():
    right = np.arange(10.0)
    values = {"low": right - 1, "high": right + 1, "far": right + 9}
    assert number_blend.picked(values, right, mae) == {"low": 0.5, "high": 0.5}


def test_a_twin_adds_nothing_and_no_blend_is_made(splits, tmp_path):
    one = run(splits, tmp_path / "one", splits.train)
    (tmp_path / "blend").mkdir()
    with pytest.raises(NotReady, match="no blend is better than its best member"):
        blend.fit_any(splits, Options(tmp_path / "blend", "mae", runs={"a": one, "b": one}), Budget(60), silent)
