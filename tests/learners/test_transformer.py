"""Self-attention over words."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.learners import toys
from windlass.learners.contract import Budget, Options
from windlass.learners.networks import transformer
from windlass.learners.networks.network import fit_network
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.transformer import Sizes, Transformer
from windlass.records import silent

TINY = Sizes(d_model=16, n_heads=2, d_ff=32, n_layers=2, dropout=0.0)


@pytest.mark.parametrize("norm_first", [True, False])
def test_padding_changes_nothing(norm_first):
    assert toys.padding_changes(Transformer(toys.STATE, dataclasses.replace(TINY, norm_first=norm_first))) < 1e-6


def test_attention_is_that_of_torch():
    queries, keys, values = torch.rand(3, 2, 4, 5, 8).unbind(0)
    real = torch.tensor([[True] * 5, [True, True, False, False, False]])
    wanted = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=real[:, None, None, :])
    assert torch.allclose(transformer.attention(queries, keys, values, real), wanted, atol=1e-6)


def test_places_are_the_sinusoids_of_the_paper():
    """PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i+1) = cos of the same; at place 3, i = 1, d = 4: 3 / 100."""
    table = transformer.sinusoids(8, 4)
    assert table[3].tolist() == pytest.approx([math.sin(3), math.cos(3), math.sin(0.03), math.cos(0.03)], abs=1e-6)


def test_the_order_of_words_matters():
    torch.manual_seed(1)
    encoder = Transformer(toys.STATE, TINY).eval()
    with torch.inference_mode():
        forwards, backwards = encoder(torch.tensor([[2, 3, 4]])), encoder(torch.tensor([[4, 3, 2]]))
    assert not torch.allclose(forwards, backwards, atol=1e-4)


def test_the_essay_preset_has_the_stated_shapes():
    design = transformer.PRESETS["essay"]
    encoder = design.text({**toys.STATE, "tokens": ["w"] * 9_998})
    block = encoder.blocks[0]
    assert encoder.embedding.weight.shape == (10_000, 512)
    assert block.attention.n_heads == 8
    assert block.feed_forward[0].weight.shape == (512, 512)
    assert design.text_options == {"n_tokens": 10_000, "length": 32}


def test_toy_sentences_are_learned_and_served_alike(tmp_path):
    splits = toys.text_splits(tmp_path, n_rows=180)
    design = dataclasses.replace(
        transformer.PRESETS["default"], settings=Settings(lr=3e-3, batch=32, epochs=10, patience=10)
    )
    fitted = fit_network(design, splits, Options(tmp_path / "run", "accuracy"), Budget(60), silent)
    assert fitted.validation > 0.9
    assert toys.answers_alike(splits, fitted.artifact) == pytest.approx(fitted.validation)


def test_text_longer_than_the_table_of_places_is_no_fault():
    encoder = Transformer({**toys.STATE, "length": 4}, TINY).eval()
    with torch.inference_mode():
        assert np.isfinite(encoder(torch.full((1, 9), 3)).numpy()).all()
