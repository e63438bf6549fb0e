"""Recurrent networks over words."""

import dataclasses

import pytest
import torch
from torch import nn

from tests.learners import toys
from windlass.learners.contract import Budget, Options
from windlass.learners.networks import recurrent
from windlass.learners.networks.network import fit_network
from windlass.learners.networks.recurrent import Recurrence, Recurrent
from windlass.learners.networks.training.steps import Settings
from windlass.records import silent

DESIGNS = {"rnn": recurrent.RNN["default"], **recurrent.LSTM}


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize("both_ways", [True, False])
def test_padding_changes_nothing(cell, pooled, both_ways):
    assert toys.padding_changes(Recurrent(toys.STATE, Recurrence(cell, 8, 8, 2, both_ways, pooled))) < 1e-6


def test_reading_both_ways_is_what_torch_does_on_packed_rows():
    """Against nn.LSTM(bidirectional) on a packed sequence with the same weights."""
    encoder = Recurrent(toys.STATE, Recurrence(embedding=6, hidden=5)).eval()
    tokens, lengths = torch.tensor([[2, 3, 4, 5], [6, 7, 0, 0]]), torch.tensor([4, 2])
    other = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
    for name, value in encoder.forwards.named_parameters():
        getattr(other, name).data.copy_(value)
        getattr(other, f"{name}_reverse").data.copy_(dict(encoder.backwards.named_parameters())[name])
    with torch.inference_mode():
        words = encoder.embedding(tokens)
        packed = nn.utils.rnn.pack_padded_sequence(words, lengths, batch_first=True)
        states, _ = nn.utils.rnn.pad_packed_sequence(other(packed)[0], batch_first=True)
        mean = torch.stack([row[:length].mean(0) for row, length in zip(states, lengths, strict=True)])
        most = torch.stack([row[:length].amax(0) for row, length in zip(states, lengths, strict=True)])
        assert torch.allclose(encoder(tokens), torch.cat([mean, most], dim=1), atol=1e-6)


@pytest.mark.parametrize(("preset", "layers", "hidden"), [("essay-stacked", 2, 64), ("essay-spam", 1, 128)])
def test_essay_presets_have_the_stated_layers(preset, layers, hidden):
    encoder = recurrent.LSTM[preset].text(toys.STATE)
    assert (encoder.forwards.num_layers, encoder.forwards.hidden_size) == (layers, hidden)
    assert encoder.backwards is None
    assert encoder.width == hidden


@pytest.mark.parametrize("name", ["rnn", "default", "essay-spam"])
def test_toy_sentences_are_learned_and_served_alike(tmp_path, name):
    splits = toys.text_splits(tmp_path, n_rows=180)
    design = dataclasses.replace(DESIGNS[name], settings=Settings(lr=1e-2, batch=32, epochs=10, patience=10))
    fitted = fit_network(design, splits, Options(tmp_path / "run", "accuracy"), Budget(60), silent)
    assert fitted.validation > 0.85
    assert toys.answers_alike(splits, fitted.artifact) == pytest.approx(fitted.validation)
