"""What the gradient loop learns: a task tells the loss of some training rows, and how good a model is."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from windlass.learners.networks.batches import Inputs, by_length
from windlass.learners.networks.training import probe


@dataclass(frozen=True)
class Verdict:
    """score: higher is better, NaN when not defined; loss: of the validation rows, in nats, where it is known."""

    score: float
    loss: float | None = None


class Task(Protocol):
    """What is learned, and from what; the loop knows nothing else about it."""

    @property
    def metric(self) -> str:
        """The name of what `judge` gives."""
        ...

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each training row, (n,) int64; 0 where nothing is text."""
        ...

    @property
    def n_validation(self) -> int: ...

    def identity(self) -> list[Any]:
        """Changes with everything that is learned from; as JSON."""
        ...

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        """The mean loss of these training rows, in nats. smoothing: share of a target that is spread over all."""
        ...

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        """How good the model, in `eval` mode, is on the validation rows, `batch` of them at a time."""
        ...


@runtime_checkable
class Calming(Protocol):
    """A task whose examples are changed by chance, and hardly any more in the last steps."""

    def calmed(self) -> Task: ...


@dataclass(frozen=True)
class Data:
    """Rows with a class each. `score` gives the goal's metric, higher is better, of validation logits (n, k)."""

    train: Inputs
    targets: np.ndarray
    validation: Inputs
    score: Callable[[np.ndarray], float]
    metric: str

    @cached_property
    def lengths(self) -> np.ndarray:
        return self.train.lengths()

    @property
    def n_validation(self) -> int:
        return len(self.validation)

    def identity(self) -> list[Any]:
        return checksums([*self.train.arrays, self.targets, *self.validation.arrays])

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        logits = model(*tensors(self.train, rows))
        targets = torch.from_numpy(self.targets[rows]).to(probe.device())
        return functional.cross_entropy(logits.float(), targets, label_smoothing=smoothing)

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        return Verdict(self.score(answers(model, self.validation, batch, precision)))


@dataclass(frozen=True)
class Numbers(Data):
    """Rows with a number each. targets: (n,) float64, in deviations from their mean."""

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        """Huber's: squared below one deviation, absolute above. Source: Huber 1964, Ann. Math. Statist. 35(1)."""
        found = model(*tensors(self.train, rows)).float()[:, 0]
        targets = torch.from_numpy(self.targets[rows].astype(np.float32)).to(probe.device())
        return functional.huber_loss(found, targets)


@dataclass(frozen=True)
class Several(Data):
    """Rows with several yes and no each. targets: (n, k) float32."""

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        """Binary cross-entropy, summed over the tags and meant over the rows."""
        logits = model(*tensors(self.train, rows)).float()
        targets = torch.from_numpy(self.targets[rows]).to(probe.device()) * (1 - smoothing) + smoothing / 2
        return functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / len(rows)


TASKS: dict[str, type[Data]] = {"category": Data, "number": Numbers, "tags": Several}
"""Kind of the output -> what a network learns of it."""


def checksums(arrays: Sequence[np.ndarray]) -> list[Any]:
    """Shape and checksum of each array."""
    return [(array.shape, zlib.crc32(np.ascontiguousarray(array).data)) for array in arrays]


def answers(model: Callable[..., torch.Tensor], inputs: Inputs, batch: int, precision: str = "float32") -> np.ndarray:
    """What a model in `eval` mode gives for each row, (n, ...) float32, in their order; (0, 1) when there are none."""
    parts, order = [], []
    with torch.inference_mode():
        for rows in by_length(inputs.lengths(), batch):
            with in_precision(precision):
                parts.append(model(*tensors(inputs, rows)).float().cpu().numpy())
            order.append(rows)
    if not parts:
        return np.zeros((0, 1), np.float32)
    joined = np.concatenate(parts)
    return joined[np.argsort(np.concatenate(order))]


def tensors(inputs: Inputs, rows: np.ndarray) -> list[torch.Tensor]:
    """These rows on the training device."""
    return [torch.from_numpy(array).to(probe.device()) for array in inputs.take(rows)]


def in_precision(name: str) -> torch.autocast:
    """A context in which matrix products run in that precision."""
    return torch.autocast(probe.device().type, dtype=torch.bfloat16, enabled=name == "bfloat16")
