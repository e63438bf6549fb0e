"""A gated recurrent network over the latest points, which tells all steps ahead at once; one for all series.

Source: Hochreiter & Schmidhuber 1997, Long short-term memory; all steps at once: the direct strategy, Ben Taieb et al.
2012, Expert Systems with Applications 39(8). Trained with the mean squared error, in units of each series' scale.
Shapes: B rows, T latest points, C channels, F steps ahead, K covariates whose future is known, D attributes, H hidden.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import nn

from windlass.errors import DataError
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.batches import Inputs
from windlass.learners.networks.export import export
from windlass.learners.networks.training import loop, probe
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import Data, answers, tensors
from windlass.learners.series import questions as rows
from windlass.learners.series.questions import Questions
from windlass.metrics.measures import LOWER
from windlass.predictors.artifact import N_GOLDEN
from windlass.predictors.series import recurrent
from windlass.predictors.series.question import Question, filled
from windlass.predictors.series.recurrent import FARTHEST, Reading
from windlass.records import Progress, Splits

SETTINGS = Settings(lr=3e-3, batch=64, epochs=40, patience=5, weight_decay=0.01)
LEAST_BATCHES, LEAST_BATCH = 20, 8
"""Of an epoch, and rows of a batch: with fewer batches patience would be out before the network is warm."""
SEASONS, LEAST_POINTS, MOST_POINTS = 3, 16, 168
"""The latest points that are read: so many seasons, at least the horizon, and within these."""
MOST_WINDOWS, MOST_VALUES = 40_000, 20_000_000
LEAST_WINDOWS = 32
HIDDEN, EFFECT = 64, 16


class SeriesLSTM(nn.Module):
    """(B, T, C), and where there are any (B, F K + D) -> (B, F), in units of the scale from the last point."""

    def __init__(self, channels: int, horizon: int, n_attributes: int) -> None:
        super().__init__()
        self.horizon, self.n_known = horizon, channels - 1
        self.lstm = nn.LSTM(channels, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN + n_attributes, horizon)
        self.of_state = nn.Linear(HIDDEN + n_attributes, EFFECT) if self.n_known else None
        self.of_known = nn.Linear(self.n_known, EFFECT) if self.n_known else None
        self.effect = nn.Linear(EFFECT, 1) if self.n_known else None

    def forward(self, latest_BTC: torch.Tensor, beside_BD: torch.Tensor | None = None) -> torch.Tensor:
        state_BH = self.lstm(latest_BTC)[0][:, -1]
        if beside_BD is None:
            return self.head(state_BH)
        n_ahead = self.horizon * self.n_known
        state_BH = torch.cat([state_BH, beside_BD[:, n_ahead:]], dim=1)
        steps_BF = self.head(state_BH)
        if self.of_known is None or self.of_state is None or self.effect is None:
            return steps_BF
        known_BFK = beside_BD[:, :n_ahead].reshape(-1, self.horizon, self.n_known)
        mixed_BFE = torch.relu(self.of_known(known_BFK) + self.of_state(state_BH).unsqueeze(1))
        return steps_BF + self.effect(mixed_BFE).squeeze(2)


@dataclass(frozen=True)
class Windows(Data):
    """targets: (n, F), NaN where nothing is known."""

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        """The mean squared error of the steps that are known."""
        found = model(*tensors(self.train, rows)).float()
        targets = torch.from_numpy(self.targets[rows]).to(probe.device())
        known = torch.isfinite(targets)
        errors = torch.where(known, found - torch.nan_to_num(targets), 0.0)
        return errors.square().sum() / known.sum().clamp(min=1)


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Windows of the training series are learned from, validation rows say when to stop.

    Raises: DataError: too little to learn from.
    """
    questions = rows.read(splits)
    reading = read_as(questions)
    train, targets = windows(questions, reading, options.seed)
    if len(targets) < LEAST_WINDOWS:
        raise DataError(
            f"the series give {len(targets)} windows of {reading.points} points and {reading.horizon} steps, "
            f"expected at least {LEAST_WINDOWS}"
        )
    torch.manual_seed(options.seed)
    n_attributes = len(questions.train[0].attributes)
    network = SeriesLSTM(1 + len(reading.mean), reading.horizon, n_attributes)
    validation = Inputs(tuple(_batches(questions, reading, train)), (None,) * len(train.arrays))
    sign = -1 if options.metric in LOWER else 1

    def score(found: np.ndarray) -> float:
        return sign * questions.score(options.metric, recurrent.in_units(found, questions.validation))

    data = Windows(train, targets, validation, score, options.metric)
    settings = replace(SETTINGS, batch=max(LEAST_BATCH, min(SETTINGS.batch, len(train) // LEAST_BATCHES)))
    curve = loop.train(network, data, settings, options, budget, progress)
    found = answers(network, validation, SETTINGS.batch).reshape(len(validation), reading.horizon)
    network.cpu()
    options.artifact.mkdir(parents=True, exist_ok=True)
    difference = export(network, train.take(np.arange(min(N_GOLDEN, len(train)))), options.artifact)
    described = {
        **reading.as_json(),
        "training": asdict(settings),
        "largest_difference": difference,
        "parameters": sum(value.numel() for value in network.parameters()),
    }
    manifest = {"predictor": "series-network", "learner": "series-lstm", "settings": described}
    points = recurrent.in_units(found, questions.validation) if len(found) else found.astype(np.float64)
    engine = recurrent.opened(options.artifact, reading)
    fitted = rows.finish(options, manifest, questions, splits, points, engine)
    loop.clean(options)
    return replace(fitted, curve=curve)


def read_as(questions: Questions) -> Reading:
    """How many points are read, and what the covariates are like in the training series."""
    longest = max((len(each.history) for each in questions.train), default=0) - questions.horizon
    wanted = max(SEASONS * questions.season, questions.horizon, LEAST_POINTS)
    points = max(1, min(wanted, MOST_POINTS, longest // 2))
    n_known = questions.train[0].known.shape[1] if questions.train else 0
    known = np.concatenate([np.zeros((0, n_known)), *(each.known for each in questions.train)])
    mean, deviation = (known.mean(axis=0), known.std(axis=0)) if len(known) else (np.zeros(n_known),) * 2
    return Reading(points, questions.season, questions.horizon, mean, np.where(deviation > 1e-9, deviation, 1.0))


def windows(questions: Questions, reading: Reading, seed: int) -> tuple[Inputs, np.ndarray]:
    """What is learned from: the tensors of n windows, by chance where there are too many, and (n, F) float32 targets,
    NaN where nothing is known."""
    counts = [max(0, len(each.history) - reading.points - reading.horizon + 1) for each in questions.train]
    width = (reading.points + reading.horizon) * (1 + len(reading.mean)) + reading.horizon
    most = min(MOST_WINDOWS, max(LEAST_WINDOWS, MOST_VALUES // width))
    # By chance, not every so manieth: a stride that is a multiple of the season would show one day of the week alone.
    chosen = np.sort(np.random.default_rng(seed).permutation(sum(counts))[:most])
    ends = np.cumsum(counts)
    parts = []
    for each, end, count in zip(questions.train, ends, counts, strict=True):
        places = chosen[np.searchsorted(chosen, end - count) : np.searchsorted(chosen, end)] - (end - count)
        if len(places):
            parts.append(_of_series(each, places, reading))
    if not parts:
        return Inputs((), ()), np.zeros((0, reading.horizon), np.float32)
    *arrays, targets = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Inputs(tuple(arrays), (None,) * len(arrays)), targets


def _of_series(question: Question, places: np.ndarray, reading: Reading) -> list[np.ndarray]:
    """The tensors of the windows that begin at these places of a series, and last what followed each."""
    width = reading.points + reading.horizon
    cut = np.lib.stride_tricks.sliding_window_view
    values = cut(filled(question.history, reading.season), width)[places]
    right = cut(question.history, width)[places][:, reading.points :]
    known = np.moveaxis(cut(question.known, width, axis=0)[places], 1, 2)
    last = values[:, reading.points - 1 : reading.points]
    latest = (values[:, : reading.points] - last) / question.scale
    targets = np.clip((right - last) / question.scale, -FARTHEST, FARTHEST).astype(np.float32)
    return [*reading.packed(latest, known, np.tile(question.attributes, (len(places), 1))), targets]


def _batches(questions: Questions, reading: Reading, like: Inputs) -> list[np.ndarray]:
    """The tensors of the validation rows; none of each where there are none."""
    if questions.validation:
        return reading.batches(questions.validation)
    return [array[:0] for array in like.arrays]
