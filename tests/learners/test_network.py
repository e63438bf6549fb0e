"""The joined network and its export."""

import dataclasses
import warnings

import numpy as np
import pytest
import torch

from tests.learners import toys
from windlass.errors import GateRefused, SpecError
from windlass.learners.contract import Budget, Options
from windlass.learners.networks import cnn, export, network
from windlass.learners.networks.training.steps import Settings
from windlass.records import silent

QUICK = Settings(lr=5e-3, batch=16, epochs=6, patience=6)


def small(design: network.Design) -> network.Design:
    return dataclasses.replace(design, settings=QUICK)


def test_text_and_table_columns_learn_together_and_are_served_alike(tmp_path):
    splits = toys.text_splits(tmp_path, n_rows=180, table=True)
    fitted = network.fit_network(small(cnn.DEFAULT), splits, Options(tmp_path / "run", "accuracy"), Budget(60), silent)
    assert toys.answers_alike(splits, fitted.artifact) == pytest.approx(fitted.validation)
    assert fitted.validation > 0.85
    assert {path.name for path in fitted.artifact.iterdir()} == {"model.onnx", "manifest.json", "golden.json"}
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()
    assert not (tmp_path / "run" / "plan.json").exists()


def test_no_validation_rows_are_no_fault(tmp_path):
    splits = toys.text_splits(tmp_path, n_rows=30, n_validation=0)
    fitted = network.fit_network(small(cnn.DEFAULT), splits, Options(tmp_path / "run"), Budget(60), silent)
    assert np.isnan(fitted.validation)
    assert (fitted.artifact / "model.onnx").is_file()


def test_an_unknown_preset_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(SpecError, match="did you mean 'essay'"):
        cnn.fit(toys.text_splits(tmp_path), Options(tmp_path, variant="esay"), Budget(9), silent)


class Summing(network.Features):
    """Counts real tokens."""

    width = 1

    def forward(self, tokens):
        return (tokens != 0).float().sum(1, keepdim=True)


class Deaf(Summing):
    """Takes the length of the example for a constant, as tracing does with a number from Python."""

    def forward(self, tokens):
        return (tokens != 0).float().sum(1, keepdim=True) + float(tokens.shape[1])


def test_a_graph_that_answers_otherwise_is_refused(tmp_path):
    """The control: a layer that tracing freezes is caught by rows of another length, and no file is written."""
    tokens = [np.array([[2, 3, 0], [4, 5, 6]])]
    good = network.Network({0: Summing()}, None, 2, 0.0)
    assert export.export(good, tokens, tmp_path) < 1e-5
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(GateRefused, match="differs from the network"):
        export.export(network.Network({0: Deaf()}, None, 2, 0.0), tokens, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_exporting_says_nothing(tmp_path, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export.export(network.Network({0: Summing()}, None, 2, 0.0), [np.array([[2, 3, 0]])], tmp_path)
    assert capfd.readouterr() == ("", "")


def test_features_stand_side_by_side_in_the_order_of_encoders_then_table():
    """One text column of width 1 between two dense ones of width 2 and 3: 1 + 64 features."""
    joined = network.Network({1: Summing()}, network.Table(5), 4, 0.0).eval()
    with torch.inference_mode():
        features = joined.features(torch.ones(3, 2), torch.tensor([[5, 0], [5, 5], [0, 0]]), torch.ones(3, 3))
    assert features.shape == (3, 65)
    assert features[:, 0].tolist() == [1, 2, 0]
