"""A training run on disk: tensors and a JSON header in one safetensors file, replaced atomically."""

import json
import logging
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from windlass.records import Json
from windlass.store.files import write_bytes

logger = logging.getLogger("windlass.learners")
FILE = "checkpoint.safetensors"
HEADER = "windlass"
Tensors = dict[str, torch.Tensor]


def weights(model: nn.Module) -> Tensors:
    """What training changes, by name: parameters that learn, and buffers; each once where it is shared; no copies."""
    return {
        **{name: value.detach() for name, value in model.named_parameters() if value.requires_grad},
        **{name: value.detach() for name, value in model.named_buffers()},
    }


def copied(tensors: Tensors) -> Tensors:
    return {name: value.clone() for name, value in tensors.items()}


def set_weights(model: nn.Module, values: Tensors) -> None:
    """Raises: KeyError, RuntimeError: a tensor is missing or has another shape."""
    with torch.no_grad():
        for name, tensor in weights(model).items():
            tensor.copy_(values[name])


def write(path: Path, groups: dict[str, Tensors], header: Json) -> None:
    """Groups of tensors as `<group>/<name>`, with the header."""
    tensors = {
        f"{group}/{name}": value.detach().cpu().contiguous()
        for group, values in groups.items()
        for name, value in values.items()
    }
    write_bytes(path, save(tensors, metadata={HEADER: json.dumps(header)}))


def read(path: Path) -> tuple[dict[str, Tensors], Json] | None:
    """What `write` wrote; None when there is no such file or it is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[HEADER])
            groups: dict[str, Tensors] = {}
            for key in file.keys():  # noqa: SIM118  safe_open gives no iterator
                group, _, name = key.partition("/")
                groups.setdefault(group, {})[name] = file.get_tensor(key)
    except (OSError, SafetensorError, KeyError, ValueError):
        if path.exists():
            logger.warning("%s cannot be read: training begins anew", path, exc_info=True)
        return None
    return groups, header


def random_state() -> Tensors:
    """The states of torch's random generators as uint8 tensors."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: Tensors) -> None:
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available() and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    return {
        f"{number}/{name}": value
        for number, slots in optimizer.state_dict()["state"].items()
        for name, value in slots.items()
        if isinstance(value, torch.Tensor)
    }


def set_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Raises: ValueError, KeyError: the tensors are of another optimizer or model."""
    state: dict[int, Tensors] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
