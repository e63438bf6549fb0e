"""Arrays of an index as safetensors files, named and told apart when they are damaged."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from windlass.errors import DataError, NotReady
from windlass.store.files import write_bytes


def write_tensors(path: Path, parts: Mapping[str, np.ndarray], described: Mapping[str, str] | None = None) -> None:
    """The arrays and a few words about them, atomically."""
    whole = {name: np.ascontiguousarray(part) for name, part in parts.items()}
    write_bytes(path, save(whole, metadata=dict(described or {})))


def read_tensors(path: Path, names: set[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of exactly these names, and what was written about them.

    Raises: NotReady: the file is not there. DataError: it is damaged, or holds others.
    """
    if not path.is_file():
        raise NotReady(f"{path} does not exist, expected a part of the index", "build the index again")
    try:
        with safe_open(path, framework="numpy") as file:
            if set(file.keys()) != names:
                raise DataError(f"{path} holds {sorted(file.keys())}, expected {sorted(names)}")
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except (OSError, SafetensorError, ValueError) as error:
        raise DataError(f"{path} is damaged ({str(error)[:100]}), expected arrays of the index") from None
