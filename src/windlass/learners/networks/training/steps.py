"""One step of training: the optimizer, and forward, backward and update on some rows.

Source: AdamW, Loshchilov & Hutter 2019, arXiv:1711.05101; label smoothing, Szegedy et al. 2016, arXiv:1512.00567;
        gradient clipping, Pascanu et al. 2013, arXiv:1211.5063.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from windlass.errors import SpecError, did_you_mean, expected
from windlass.learners.networks.training.task import Task, in_precision

SGD_FACTOR = 50.0
"""SGD steps along the raw gradient: its learning rate is this many times that of AdamW, measured on small networks."""


@dataclass(frozen=True)
class Settings:
    """How a network is trained. lr: of AdamW, at its highest; head_lr: the head's, as a multiple of it.

    warmup: share of the steps. clip: largest norm of the gradient. smoothing: share of each target that is spread
    over all classes. average: decay of the moving average of the weights that is judged and kept; 0: the weights
    themselves. patience: epochs without a better validation metric. judge_start: the network as it starts is judged,
    too, and kept when no epoch beats it. calm: share of the steps, at the end, that learn a task as `Calming` gives it.
    checkpoint_seconds: between checkpoints.
    """

    lr: float = 1e-3
    head_lr: float = 1.0
    batch: int = 32
    epochs: int = 20
    patience: int = 3
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    smoothing: float = 0.0
    average: float = 0.0
    judge_start: bool = False
    calm: float = 0.0
    checkpoint_seconds: float = 15.0


def optimizer_of(model: nn.Module, settings: Settings, name: str) -> torch.optim.Optimizer:
    """The optimizer, with decay on matrices only and the head's own rate. Raises: SpecError: not one of ours."""
    factor = SGD_FACTOR if name == "sgd" else 1.0
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for place, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        rate = settings.lr * factor * (settings.head_lr if place.startswith("head.") else 1.0)
        groups.setdefault((rate, decay), []).append(parameter)
    listed = [
        {"params": held, "lr": rate, "base_lr": rate, "weight_decay": decay if name != "adam" else 0.0}
        for (rate, decay), held in groups.items()
    ]
    if name == "sgd":
        return torch.optim.SGD(listed, momentum=0.9)
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    if name not in kinds:
        names = [*kinds, "sgd"]
        raise SpecError(f"optimizer is '{name}', expected {expected(names)}", did_you_mean(name, names))
    return kinds[name](listed, fused=True)


@dataclass(frozen=True)
class Steps:
    """What all steps of a run share. optimizer_name: as `optimizer_of` takes it."""

    task: Task
    settings: Settings
    optimizer_name: str

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        return optimizer_of(model, self.settings, self.optimizer_name)

    def take(self, model: nn.Module, optimizer: torch.optim.Optimizer, rows: np.ndarray, precision: str) -> float:
        """Forward, backward and update on these rows; gives the loss in nats."""
        model.train()
        with in_precision(precision):
            loss = self.task.loss(model, rows, self.settings.smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), self.settings.clip)
        optimizer.step()
        return float(loss.item())
