"""Convolutions over words and pixels."""

import dataclasses

import pytest
import torch

from tests.learners import toys
from windlass.learners.contract import Budget, Options
from windlass.learners.networks import cnn
from windlass.learners.networks.network import Network, fit_network
from windlass.learners.networks.training.steps import Settings
from windlass.records import silent

PICTURE = {"size": 28, "channels": 1}


def test_padding_changes_nothing():
    assert toys.padding_changes(cnn.TextConvolution(toys.STATE, cnn.TextSettings(channels=8))) < 1e-6


def test_text_encoder_has_the_shapes_of_the_paper():
    """Kim 2014: widths 3, 4, 5 with 100 filters each."""
    encoder = cnn.TextConvolution(toys.STATE, cnn.TextSettings())
    assert [layer.kernel_size[0] for layer in encoder.convolutions] == [3, 4, 5]
    assert encoder.width == 300


def test_the_essay_preset_has_32_filters_one_pool_and_one_dense_layer():
    """28 x 28 -> 26 x 26 x 32 -> 13 x 13 x 32 = 5,408 -> 10: 320 + 54,090 weights."""
    network = Network({0: cnn.PRESETS["essay"].image(PICTURE)}, None, 10, 0.0)
    assert network.head.in_features == 5408
    assert sum(value.numel() for value in network.parameters()) == 320 + 54_090


@pytest.mark.parametrize("preset", ["default", "essay"])
def test_pictures_are_learned_and_served_alike(tmp_path, preset):
    splits = toys.picture_splits(tmp_path)
    design = dataclasses.replace(cnn.PRESETS[preset], settings=Settings(lr=3e-3, batch=8, epochs=12, patience=12))
    fitted = fit_network(design, splits, Options(tmp_path / "run", "accuracy"), Budget(60), silent)
    assert fitted.validation >= 0.9
    assert toys.answers_alike(splits, fitted.artifact) == pytest.approx(fitted.validation)


def test_pictures_are_moved_in_training_only():
    layer, pixels = cnn.Shifted(), torch.rand(4, 1, 12, 12)
    assert torch.equal(layer.eval()(pixels), pixels)
    moved = layer.train()(pixels)
    assert moved.shape == pixels.shape
    assert not torch.allclose(moved, pixels, atol=1e-3)


def test_text_is_learned_by_the_named_learner(tmp_path):
    splits = toys.text_splits(tmp_path, n_rows=240)
    fitted = cnn.fit(splits, Options(tmp_path / "run", "accuracy"), Budget(60), silent)
    assert fitted.validation > 0.9
    assert fitted.curve[0]["epoch"] == 1
