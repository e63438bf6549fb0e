"""Networks that trace knowledge: gated recurrent (DKT) and self-attention (SAKT). torch learns, numpy serves.

Both are told nothing of a sitting when one of its attempts is asked. Shapes: B learners, T attempts, H hidden, D
features, A heads, E exercises.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from windlass.learners.contract import Budget, Options
from windlass.learners.networks.training import loop, probe
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import Verdict, checksums
from windlass.predictors.recommend.tracing.attempts import Attempts, Course
from windlass.predictors.recommend.tracing.attention import Attention
from windlass.predictors.recommend.tracing.recurrent import Recurrent
from windlass.records import Progress

FEATURES, HIDDEN, HEADS = 32, 64, 2
DROPOUT = 0.2
SETTINGS = Settings(lr=5e-3, batch=32, epochs=60, patience=6)
WATCHED = 0.15


@dataclass(frozen=True)
class Sequences:
    """Attempts of learners, padded at their ends: (B, T) exercise, right, days, whether there is one; before: how many
    attempts came before its sitting; gap: log(1 + days since the one before), 0 for the first."""

    exercise: torch.Tensor
    right: torch.Tensor
    days: torch.Tensor
    is_real: torch.Tensor
    before: torch.Tensor
    gap: torch.Tensor

    def rows(self, chosen: torch.Tensor) -> "Sequences":
        longest = max(1, int(self.is_real[chosen].sum(dim=1).max()))
        return Sequences(*(each[chosen, :longest] for each in self.tensors()))

    def to(self, device: torch.device) -> "Sequences":
        return Sequences(*(each.to(device) for each in self.tensors()))

    def tensors(self) -> list[torch.Tensor]:
        return [self.exercise, self.right, self.days, self.is_real, self.before, self.gap]


def sequences(attempts: Attempts) -> Sequences:
    counts = np.bincount(attempts.learners, minlength=attempts.n_learners)
    starts = np.cumsum(counts) - counts
    within = np.arange(len(attempts)) - starts[attempts.learners]
    shape = (len(counts), int(counts.max(initial=0)))
    exercise, before = np.zeros((2, *shape), np.int64)
    right, is_real, days = np.zeros(shape, np.float32), np.zeros(shape, bool), np.zeros(shape, np.float32)
    place = (attempts.learners, within)
    exercise[place], right[place], days[place], is_real[place] = (
        attempts.exercises, attempts.right, attempts.days, True)  # fmt: skip
    for column in range(1, shape[1]):
        same = days[:, column] == days[:, column - 1]
        before[:, column] = np.where(same, before[:, column - 1], column)
    gap = np.log1p(np.maximum(np.diff(days, axis=1, prepend=days[:, :1]), 0))
    return Sequences(*(torch.from_numpy(each) for each in (exercise, right, days, is_real, before, gap)))


class RecurrentNetwork(nn.Module):
    """Sequences -> (B, T) logits."""

    def __init__(self, n_exercises: int) -> None:
        super().__init__()
        self.n_exercises = n_exercises
        self.given = nn.Embedding(2 * n_exercises, FEATURES)
        self.lstm = nn.LSTM(FEATURES + 1, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN + 1, FEATURES, bias=False)
        self.asked = nn.Embedding(n_exercises, FEATURES)
        self.offset = nn.Parameter(torch.zeros(n_exercises))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, of: Sequences) -> torch.Tensor:
        number_BT = of.exercise + self.n_exercises * of.right.long()
        out_BTH, _ = self.lstm(torch.cat([self.given(number_BT), of.gap.unsqueeze(2)], dim=2))
        states_BTH = torch.cat([torch.zeros_like(out_BTH[:, :1]), out_BTH], dim=1)
        state_BTH = states_BTH.gather(1, of.before.unsqueeze(2).expand(-1, -1, HIDDEN))
        last = (of.before - 1).clamp(min=0)
        ago_BT = torch.log1p((of.days - of.days.gather(1, last)).clamp(min=0)) * (of.before > 0)
        features_BTD = torch.tanh(self.head(torch.cat([self.dropout(state_BTH), ago_BT.unsqueeze(2)], dim=2)))
        return (features_BTD * self.asked(of.exercise)).sum(dim=2) + self.offset[of.exercise]

    def served(self) -> Recurrent:
        weights = {name: value.detach().double().numpy() for name, value in self.state_dict().items()}
        return Recurrent(
            weights["given.weight"], weights["lstm.weight_ih_l0"], weights["lstm.weight_hh_l0"],
            weights["lstm.bias_ih_l0"] + weights["lstm.bias_hh_l0"], weights["head.weight"], weights["asked.weight"],
            weights["offset"],
        )  # fmt: skip


class AttentionNetwork(nn.Module):
    """Sequences -> (B, T) logits."""

    def __init__(self, n_exercises: int) -> None:
        super().__init__()
        self.n_exercises = n_exercises
        self.asked, self.given = nn.Embedding(n_exercises, FEATURES), nn.Embedding(2 * n_exercises, FEATURES)
        self.query, self.key, self.value = (nn.Linear(FEATURES, FEATURES, bias=False) for _ in range(3))
        self.fading = nn.Parameter(torch.linspace(-2, 0, HEADS))
        self.first, self.second = nn.Linear(2 * FEATURES, HIDDEN), nn.Linear(HIDDEN, 1, bias=False)
        self.offset = nn.Parameter(torch.zeros(n_exercises))
        self.dropout = nn.Dropout(DROPOUT)
        nn.init.normal_(self.asked.weight, std=0.3)
        nn.init.normal_(self.given.weight, std=0.3)

    def forward(self, of: Sequences) -> torch.Tensor:
        asked_BTD = self.asked(of.exercise)
        given_BTD = self.given(of.exercise + self.n_exercises * of.right.long())
        n_rows, length = of.exercise.shape
        query, key, value = (
            way(each).view(n_rows, length, HEADS, -1).transpose(1, 2)
            for way, each in ((self.query, asked_BTD), (self.key, given_BTD), (self.value, given_BTD))
        )
        scores = query @ key.transpose(2, 3) / (FEATURES / HEADS) ** 0.5
        ago = torch.log1p((of.days.unsqueeze(2) - of.days.unsqueeze(1)).clamp(min=0))
        scores = scores - functional.softplus(self.fading).view(1, -1, 1, 1) * ago.unsqueeze(1)
        earlier = torch.arange(length).view(1, 1, -1) < of.before.unsqueeze(2)
        scores = scores.masked_fill(~earlier.unsqueeze(1), -1e9)
        weight = torch.softmax(scores, dim=3) * earlier.unsqueeze(1)
        context = (weight @ value).transpose(1, 2).reshape(n_rows, length, FEATURES)
        features = torch.relu(self.first(torch.cat([self.dropout(context), asked_BTD], dim=2)))
        return self.second(features).squeeze(2) + self.offset[of.exercise]

    def served(self) -> Attention:
        weights = {name: value.detach().double().numpy() for name, value in self.state_dict().items()}
        return Attention(
            weights["asked.weight"], weights["given.weight"], weights["query.weight"], weights["key.weight"],
            weights["value.weight"], np.log1p(np.exp(weights["fading"])), weights["first.weight"],
            weights["first.bias"], weights["second.weight"][0], weights["offset"],
        )  # fmt: skip


@dataclass(frozen=True)
class Traced:
    """Whole learners to learn from and to judge by. metric: `log_loss`, told as its negative, since more is better."""

    train: Sequences
    validation: Sequences
    metric: str = "log_loss"

    @property
    def lengths(self) -> np.ndarray:
        return self.train.is_real.sum(dim=1).numpy()

    @property
    def n_validation(self) -> int:
        return len(self.validation.is_real)

    def identity(self) -> list[Any]:
        return checksums([each.numpy() for of in (self.train, self.validation) for each in of.tensors()])

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        return _lost(model, self.train.rows(torch.from_numpy(rows)))

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        lost, count = 0.0, 0
        with torch.inference_mode():
            for places in torch.arange(self.n_validation).split(batch):
                of = self.validation.rows(places)
                lost += float(_lost(model, of)) * int(of.is_real.sum())
                count += int(of.is_real.sum())
        return Verdict(-lost / max(1, count), lost / max(1, count))


def fit_recurrent(
    attempts: Attempts, course: Course, options: Options, budget: Budget, progress: Progress
) -> Recurrent:
    torch.manual_seed(options.seed)
    network = RecurrentNetwork(course.n_exercises)
    _learn(network, attempts, options, budget, progress)
    return network.served()


def fit_attention(
    attempts: Attempts, course: Course, options: Options, budget: Budget, progress: Progress
) -> Attention:
    torch.manual_seed(options.seed)
    network = AttentionNetwork(course.n_exercises)
    _learn(network, attempts, options, budget, progress)
    return network.served()


def _learn(network: nn.Module, attempts: Attempts, options: Options, budget: Budget, progress: Progress) -> None:
    """Leaves the weights of the epoch that told the watched learners best."""
    is_watched = np.random.default_rng(options.seed).random(attempts.n_learners) < WATCHED
    is_watched[0], is_watched[-1] = False, True  # at least one of each
    task = Traced(sequences(attempts.of(~is_watched)), sequences(attempts.of(is_watched)))
    loop.train(network, task, SETTINGS, options, budget, progress)
    network.cpu()
    loop.clean(options)


def _lost(network: nn.Module, of: Sequences) -> torch.Tensor:
    """The mean logarithmic loss of the attempts, in nats."""
    there = of.to(probe.device())
    logits = network(there).float()[there.is_real]
    return functional.binary_cross_entropy_with_logits(logits, there.right[there.is_real])
