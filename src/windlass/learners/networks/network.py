"""One network for any mix of inputs: an encoder an input, their features side by side, one linear head.

Shapes: B rows, T tokens, C channels, H height, W width, D features, K classes.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from windlass.errors import SpecError, did_you_mean, expected
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks import warm
from windlass.learners.networks.batches import Inputs
from windlass.learners.networks.export import export
from windlass.learners.networks.training import loop
from windlass.learners.networks.training import reach as reaching
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import TASKS, answers
from windlass.learners.rows import Encoded, encode, finish, with_stopping
from windlass.metrics.measures import LOWER
from windlass.predictors.artifact import N_GOLDEN
from windlass.records import Column, Json, Progress, Splits

FORMS = {
    "text": "ids",
    "image": "pixels",
    "number": "scaled",
    "category": "onehot",
    "date": "calendar",
    "series": "steps",
}
TABLE_WIDTH = 64


class Features(nn.Module):
    """A module that turns one input into (B, width) features."""

    width: int


Build = Callable[[Json], Features]
"""Makes the encoder of a column from the state of its kind."""


@dataclass(frozen=True)
class Design:
    """What tells one network from another: its encoders, and how it is trained.

    text_options: options of the text kind's form. start: called with the network, the training rows and their targets.
    hidden_table: whether dense columns pass a hidden layer. described: what the manifest tells about the network.
    """

    learner: str
    settings: Settings
    text: Build | None = None
    image: Build | None = None
    series: Build | None = None
    dropout: float = 0.1
    hidden_table: bool = True
    forms: Mapping[str, str] = field(default_factory=lambda: FORMS)
    text_options: Json = field(default_factory=dict)
    described: Json = field(default_factory=dict)
    start: Callable[["Network", Inputs, np.ndarray, Budget], None] | None = None


class Table(Features):
    """Dense columns (B, n) as (B, width): scaled as one, then one hidden layer."""

    def __init__(self, n_features: int, width: int = TABLE_WIDTH) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(
            nn.Linear(n_features, width), nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )

    def forward(self, dense_BD: torch.Tensor) -> torch.Tensor:
        return self.layers(dense_BD)


class Plain(Features):
    """Dense columns (B, n) as they are."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.width = n_features

    def forward(self, dense_BD: torch.Tensor) -> torch.Tensor:
        return dense_BD


class Network(nn.Module):
    """Logits (B, K) from one tensor an input, in the order of the columns."""

    def __init__(
        self, encoders: Mapping[int, Features], table: Features | None, n_classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({str(place): encoder for place, encoder in encoders.items()})
        self.table = table
        self.dropout = nn.Dropout(dropout)
        width = sum(encoder.width for encoder in encoders.values()) + (table.width if table else 0)
        self.head = nn.Linear(width, n_classes)

    def features(self, *inputs: torch.Tensor) -> torch.Tensor:
        """(B, D): every encoder's features, then those of the table."""
        parts = [encoder(inputs[int(place)]) for place, encoder in self.encoders.items()]
        if self.table is not None:
            dense = [tensor for place, tensor in enumerate(inputs) if str(place) not in self.encoders]
            parts.append(self.table(torch.cat(dense, dim=1)))
        return torch.cat(parts, dim=1)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.dropout(self.features(*inputs)))


def build(design: Design, columns: tuple[Column, ...], batches: list[np.ndarray], n_classes: int) -> Network:
    """The network of a design for these columns; `batches` tell the width of dense ones."""
    encoders: dict[int, Features] = {}
    n_dense = 0
    for place, column in enumerate(columns):
        maker = {"text": design.text, "image": design.image, "series": design.series}.get(column.kind)
        if maker is not None:
            encoders[place] = maker(column.state)
        else:
            n_dense += batches[place].shape[1]
    table = (Table(n_dense) if design.hidden_table else Plain(n_dense)) if n_dense else None
    return Network(encoders, table, n_classes, design.dropout)


def arrays(columns: tuple[Column, ...], batches: list[Any]) -> Inputs:
    """The encoded batches as the loop takes them."""
    return Inputs(tuple(batches), tuple(column.state.get("pad") for column in columns))


def preset(learner: str, name: str, presets: Mapping[str, Design]) -> Design:
    """The design of that name; no name: the default. Raises: SpecError with the nearest name."""
    if (name or "default") not in presets:
        raise SpecError(f"preset of '{learner}' is '{name}', expected {expected(presets)}", did_you_mean(name, presets))
    return presets[name or "default"]


def fit_network(design: Design, splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Builds, trains, exports and proves the network of a design on these splits; keeps its weights beside it."""
    torch.manual_seed(options.seed)
    start, text_options = options.start, {"text": design.text_options}
    if start is None:
        encoded = encode(splits, design.forms, text_options)
    else:
        encoded = warm.encode(splits, start, design.forms, text_options, options.seed)
        design = replace(design, described={**design.described, "warm_start": start.release})
    train, validation = (arrays(encoded.inputs, batches) for batches in (encoded.train, encoded.validation))
    network = build(design, encoded.inputs, list(train.arrays), encoded.n_scores)
    if start is not None:
        warm.inherit(network, start, encoded)
    if design.start is not None and not loop.is_begun(options):
        design.start(network, train, encoded.train_targets, budget)
    if start is None:
        encoded = with_stopping(encoded)
    reach = reaching.measured(network, validation, budget, options.folder)
    n_rows = len(encoded.validation_targets)
    watched = reach.chosen(encoded.watched, n_rows, options.seed)
    if start is not None:
        watched = np.arange(0)  # what is new is in no validation row
    known = validation.rows(watched)
    sign = -1 if options.metric in LOWER else 1

    def score(scores: np.ndarray) -> float:
        return sign * encoded.aim.score(options.metric, encoded.output, encoded.validation_targets[watched], scores)

    data = TASKS[encoded.output.kind](train, encoded.train_targets, known, score, options.metric)
    curve = loop.train(network, data, design.settings, options, budget.short_of(reach.after), progress)
    places = reach.known(watched, n_rows, options.seed)
    found = answers(network, validation.rows(places), design.settings.batch)
    logits = np.full((n_rows, encoded.n_scores), np.nan, np.float32)
    logits[places] = found.reshape(-1, encoded.n_scores)
    network.cpu()
    fitted = deliver(network, design, encoded, Outcome(splits, options, Result(logits, curve), asdict(design.settings)))
    warm.write(network, design.learner, options)
    return fitted


@dataclass(frozen=True)
class Result:
    """validation_logits: (n, k) float32 of the best weights; curve: one entry an epoch."""

    validation_logits: np.ndarray
    curve: list[Json]


@dataclass(frozen=True)
class Outcome:
    """What a training ended with, for what, and how it was done (for the manifest)."""

    splits: Splits
    options: Options
    result: Result
    training: Json


def deliver(network: Network, design: Design, encoded: Encoded, outcome: Outcome) -> Fitted:
    """The artifact of a trained network; checkpoint and plan go when it is complete."""
    options = outcome.options
    options.artifact.mkdir(parents=True, exist_ok=True)
    inputs = arrays(encoded.inputs, encoded.validation if len(encoded.validation_targets) else encoded.train)
    sample = inputs.take(np.arange(min(N_GOLDEN, len(inputs))))
    difference = export(network, sample, options.artifact)
    first = arrays(encoded.inputs, encoded.validation).rows(np.arange(min(N_GOLDEN, len(encoded.validation_targets))))
    golden = answers(network, first, N_GOLDEN)
    settings = {
        **design.described,
        "training": outcome.training,
        "largest_difference": difference,
        "parameters": sum(value.numel() for value in network.parameters()),
    }
    fitted = finish(
        options,
        {"predictor": "onnx", "learner": design.learner, "settings": settings},
        encoded,
        outcome.splits,
        outcome.result.validation_logits,
        golden,
    )
    loop.clean(options)
    return replace(fitted, curve=outcome.result.curve)
