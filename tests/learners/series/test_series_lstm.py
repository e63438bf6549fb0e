"""The LSTM of series learns what promotions bring, is exported, and says when there is too little to learn from."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

import torch

from tests.learners.series.shops import HORIZON, splits
from windlass.errors import DataError
from windlass.learners.contract import Budget, Options
from windlass.learners.series import questions as rows
from windlass.learners.series import recurrent as learner
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest
from windlass.records import silent


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    return learner.fit(splits(), Options(tmp_path_factory.mktemp("run"), "mase"), Budget(60, steps=150), silent)


def test_it_learns_more_than_the_last_season_knows(fitted):
    """Promotions are known ahead: repeating the last season, whose error is 1, does not know them."""
    assert fitted.validation < 0.7
    assert fitted.curve[-1]["train_loss"] < fitted.curve[0]["train_loss"]


def test_the_release_answers_as_the_network_did(fitted):
    """Served from the graph alone; a promotion on the first day lifts that day."""
    predictor = predictors.load(fitted.artifact)
    assert predictors.replay(predictor, fitted.artifact) < 1e-4
    row = splits().validation.row(0, named=True)
    points = json.loads(row["history"])
    answers = []
    for promo in (0.0, 1.0):
        points[-HORIZON]["promo"] = promo
        answers.append(predictor.outlook([{**row, "history": json.dumps(points)}]).points[0])
    assert answers[1][0] - answers[0][0] > 5
    assert answers[1].shape == (HORIZON,)


def test_the_same_seed_gives_the_same_network(fitted, tmp_path):
    again = learner.fit(splits(), Options(tmp_path, "mase"), Budget(60, steps=150), silent)
    assert (again.artifact / "model.onnx").read_bytes() == (fitted.artifact / "model.onnx").read_bytes()


def test_a_window_is_read_alike_in_training_and_in_serving():
    """The last training window of a shop is the question that its own first points ask."""
    questions = rows.read(splits(n_shops=1))
    reading = learner.read_as(questions)
    inputs, targets = learner.windows(questions, reading, 1)
    whole = questions.train[0]
    end = len(whole.history) - HORIZON
    cut = type(whole)(whole.history[:end], whole.known, whole.past[:end], None, whole.attributes, whole.scale)
    for trained, served in zip(inputs.take(np.array([len(inputs) - 1])), reading.batches([cut]), strict=True):
        assert np.allclose(trained, served, atol=1e-6)
    assert np.allclose(cut.level + cut.scale * targets[-1], whole.history[end:], atol=1e-5)


def test_steps_that_are_not_known_count_for_nothing():
    """By hand: errors 1 and 3 of the two known steps, (1 + 9) / 2."""
    found = torch.tensor([[1.0, 5.0, 3.0]])
    data = learner.Windows(
        learner.Inputs((np.zeros((1, 1), np.float32),), (None,)),
        np.array([[0.0, np.nan, 0.0]], np.float32),
        learner.Inputs((np.zeros((0, 1), np.float32),), (None,)),
        lambda scores: 0.0,
        "mase",
    )
    assert data.loss(lambda *batches: found, np.array([0]), 0.0).item() == pytest.approx(5.0)


def test_too_little_to_learn_from_is_said(tmp_path):
    with pytest.raises(DataError, match="expected at least 32"):
        learner.fit(splits(n_shops=1, n_train=40), Options(tmp_path, "mase"), Budget(60, steps=2), silent)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("deviation", [0.0], "damaged covariates"), ("points", 0, "reads 0 points"), ("points", 9, "expected 9 points")],
)
def test_a_manifest_that_is_not_the_graphs_is_refused(fitted, name, value, words):
    manifest = read_manifest(fitted.artifact)
    manifest.settings[name] = value
    with pytest.raises(DataError, match=words):
        learner.recurrent.load(Path(fitted.artifact), manifest)
