"""Series become labels and numbers, by features and by networks that read the points."""

import json

import numpy as np
import polars as pl
import pytest

from tests.learners import toys
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Options
from windlass.records import Splits, silent

RISES = {"steady": 0.0, "rising": 3.0}


def ramps(n_rows: int, seed: int = 1) -> pl.DataFrame:
    """Two channels of 8 to 12 points: how much the first one rises tells the state, and the slope."""
    random = np.random.default_rng(seed)
    rows = []
    for place in range(n_rows):
        state = list(RISES)[place % 2]
        length, rise = int(random.integers(8, 13)), RISES[state] + random.uniform(-0.8, 0.8)
        shake = rise * np.linspace(0, 1, length) + random.normal(0, 0.2, length)
        columns = {"shake": shake.round(3).tolist(), "heat": [20.0] * (length - 1) + [None]}
        rows.append({"readings": json.dumps({"columns": columns}), "state": state, "rise": rise})
    return pl.DataFrame(rows)


def splits_of(folder, output="state", kind="category", n_rows: int = 120) -> Splits:
    rows = ramps(n_rows + 40).select("readings", output)
    return Splits({"readings": "series"}, {output: kind}, rows.head(n_rows), rows.tail(40), rows.tail(9), folder)


def fitted(name, splits, folder, metric="accuracy", variant=""):
    learner = learners.get(name)
    assert learner.reads(splits.inputs, splits.output[splits.output_column])
    return learner.fit(splits, Options(folder / name, metric, variant=variant), Budget(60, steps=60), silent)


@pytest.mark.parametrize("name", ["linear", "trees", "cnn", "lstm"])
def test_what_a_series_is_like_is_learned_and_served_alike(tmp_path, name):
    splits = splits_of(tmp_path)
    found = fitted(name, splits, tmp_path)
    assert found.validation > 0.85
    assert toys.answers_alike(splits, found.artifact) == pytest.approx(found.validation)


def test_the_commonest_label_is_what_they_must_beat(tmp_path):
    assert fitted("majority", splits_of(tmp_path), tmp_path).validation == 0.5


@pytest.mark.parametrize("name", ["linear", "trees", "cnn"])
def test_a_number_is_told_better_than_by_the_mean(tmp_path, name):
    splits = splits_of(tmp_path, "rise", "number")
    constant = fitted("mean", splits, tmp_path, "mae").validation
    assert fitted(name, splits, tmp_path, "mae").validation < 0.7 * constant


def test_a_longer_series_is_read_by_its_latest_points_alone(tmp_path):
    """The network looks at as many points as training rows had."""
    from windlass.predictors.table import load

    splits = splits_of(tmp_path)
    predictor = load(fitted("lstm", splits, tmp_path).artifact)
    assert predictor.manifest.inputs[0].state["length"] == 12
    columns = {"shake": [0.3, -0.2] * 6, "heat": [20.0] * 12}
    longer = {name: [99.0] * 5 + values for name, values in columns.items()}
    found = predictor.probabilities([{"readings": {"columns": each}} for each in (columns, longer)])
    assert found[0] == pytest.approx(found[1])
