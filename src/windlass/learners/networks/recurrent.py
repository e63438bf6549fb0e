"""Recurrent networks over words or the points of a series: plain ones and gated ones (LSTM).

Source: Elman 1990, Finding structure in time; LSTM: Hochreiter & Schmidhuber 1997, Long short-term memory; both ways:
Schuster & Paliwal 1997, Bidirectional recurrent neural networks.
Shapes: B rows, T tokens or points, C channels, D features.
"""

from dataclasses import dataclass

import torch
from torch import nn

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.network import Design, Features, fit_network, preset
from windlass.learners.networks.training.steps import Settings
from windlass.records import Json, Progress, Splits


@dataclass(frozen=True)
class Recurrence:
    """Sizes of a recurrent encoder.

    cell: 'lstm' or 'rnn'. pooled: mean and maximum over words, else the state at the last word.
    """

    cell: str = "lstm"
    embedding: int = 128
    hidden: int = 128
    layers: int = 1
    both_ways: bool = True
    pooled: bool = True
    dropout: float = 0.3


class Recurrent(Features):
    """Ids (B, T) -> (B, width). Each direction reads only real words, so that padding changes nothing."""

    def __init__(self, state: Json, settings: Recurrence) -> None:
        super().__init__()
        cell = {"lstm": nn.LSTM, "rnn": nn.RNN}[settings.cell]
        self.pad, self.pooled = state["pad"], settings.pooled
        self.embedding = nn.Embedding(len(state["tokens"]) + 2, settings.embedding, padding_idx=self.pad)
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)
        self.dropout = nn.Dropout(settings.dropout)
        sizes = {"batch_first": True, "num_layers": settings.layers}
        self.forwards = cell(settings.embedding, settings.hidden, **sizes)
        self.backwards = cell(settings.embedding, settings.hidden, **sizes) if settings.both_ways else None
        self.width = settings.hidden * (2 if settings.both_ways else 1) * (2 if settings.pooled else 1)

    def forward(self, tokens_BT: torch.Tensor) -> torch.Tensor:
        real_BT1 = (tokens_BT != self.pad).unsqueeze(-1)
        n_real_B1 = real_BT1.sum(dim=1).clamp(min=1)
        words_BTD = self.dropout(self.embedding(tokens_BT))
        states_BTD = self.forwards(words_BTD)[0]
        if self.backwards is not None:
            place_BT1 = _mirrored(tokens_BT, n_real_B1).unsqueeze(-1)
            turned_BTD = words_BTD.gather(1, place_BT1.expand(-1, -1, words_BTD.shape[2]))
            back_BTD = self.backwards(turned_BTD)[0]
            states_BTD = torch.cat([states_BTD, back_BTD.gather(1, place_BT1.expand(-1, -1, back_BTD.shape[2]))], dim=2)
        if self.pooled:
            return _pooled(states_BTD, real_BT1, n_real_B1)
        last_B1D = (n_real_B1 - 1).unsqueeze(-1).expand(-1, 1, states_BTD.shape[2])
        return states_BTD.gather(1, last_B1D).squeeze(1)


class RecurrentSeries(Features):
    """Points (B, T, C) -> (B, 64): two layers of 64 units; the state at the last point, which is the latest one."""

    def __init__(self, state: Json, cell: str = "lstm", hidden: int = 64) -> None:
        super().__init__()
        self.width = hidden
        sizes = {"batch_first": True, "num_layers": 2}
        self.cell = {"lstm": nn.LSTM, "rnn": nn.RNN}[cell](len(state["channels"]), hidden, **sizes)

    def forward(self, points_BTC: torch.Tensor) -> torch.Tensor:
        return self.cell(points_BTC)[0][:, -1]


def _mirrored(tokens_BT: torch.Tensor, n_real_B1: torch.Tensor) -> torch.Tensor:
    """Places (B, T) of the real words from last to first; the padding after them stays where it is."""
    place_BT = torch.ones_like(tokens_BT).cumsum(dim=1) - 1
    return torch.where(place_BT < n_real_B1, n_real_B1 - 1 - place_BT, place_BT)


def _pooled(states_BTD: torch.Tensor, real_BT1: torch.Tensor, n_real_B1: torch.Tensor) -> torch.Tensor:
    """Mean and maximum over real words, (B, 2 D); states lie in -1..1, so that -2 never wins."""
    mean_BD = (states_BTD * real_BT1).sum(dim=1) / n_real_B1
    return torch.cat([mean_BD, torch.where(real_BT1, states_BTD, -2.0).amax(dim=1)], dim=1)


def _design(learner: str, name: str, settings: Recurrence, dropout: float) -> Design:
    return Design(
        learner=learner,
        settings=Settings(lr=2e-3, batch=64, epochs=15, patience=3, weight_decay=0.02, smoothing=0.05),
        text=lambda state: Recurrent(state, settings),
        series=lambda state: RecurrentSeries(state, settings.cell),
        dropout=dropout,
        text_options={"length": 128},
        described={"preset": name},
    )


RNN = {"default": _design("rnn", "default", Recurrence(cell="rnn"), 0.3)}
LSTM = {
    "default": _design("lstm", "default", Recurrence(), 0.3),
    "essay-stacked": _design(
        "lstm", "essay-stacked", Recurrence(hidden=64, layers=2, both_ways=False, pooled=False, dropout=0.0), 0.0
    ),
    "essay-spam": _design("lstm", "essay-spam", Recurrence(both_ways=False, pooled=False, dropout=0.0), 0.0),
}


def fit_rnn(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A plain recurrent network; `options.variant` names the preset."""
    return fit_network(preset("rnn", options.variant, RNN), splits, options, budget, progress)


def fit_lstm(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A gated recurrent network; `options.variant` names the preset."""
    return fit_network(preset("lstm", options.variant, LSTM), splits, options, budget, progress)
