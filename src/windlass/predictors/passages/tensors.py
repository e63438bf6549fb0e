"""Arrays of an index as safetensors files, named and told apart when they are damaged."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from windlass.errors import DataError, NotReady
from windlass.store.files import write_bytes

MOST_READ = 64_000_000
TYPES = {
    "F32": np.float32, "F16": np.float16, "U64": np.uint64, "I64": np.int64, "I32": np.int32, "U16": np.uint16,
    "U8": np.uint8,
}  # fmt: skip
"""Types of arrays that an index has, as safetensors calls them."""


def write_tensors(path: Path, parts: Mapping[str, np.ndarray], described: Mapping[str, str] | None = None) -> None:
    """The arrays and a few words about them, atomically."""
    whole = {name: np.ascontiguousarray(part) for name, part in parts.items()}
    write_bytes(path, save(whole, metadata=dict(described or {})))


def read_tensors(
    path: Path, names: set[str], most_read: int = MOST_READ
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of exactly these names, and what was written about them; those of a file of more than
    `most_read` bytes stay on disk and are read where they are needed.

    Raises: NotReady: the file is not there. DataError: it is damaged, or holds others.
    """
    if not path.is_file():
        raise NotReady(f"{path} does not exist, expected a part of the index", "build the index again")
    try:
        with safe_open(path, framework="numpy") as file:
            if set(file.keys()) != names:
                raise DataError(f"{path} holds {sorted(file.keys())}, expected {sorted(names)}")
            described = dict(file.metadata() or {})
            if path.stat().st_size > most_read:
                return _mapped(path), described
            return {name: file.get_tensor(name) for name in names}, described
    except (OSError, SafetensorError, ValueError) as error:
        raise DataError(f"{path} is damaged ({str(error)[:100]}), expected arrays of the index") from None


def _mapped(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file that `safe_open` found sound, as views of the disk's pages.

    Source: the format's description, https://github.com/huggingface/safetensors#format. Raises: ValueError: a type that
    no index has.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    found = {}
    for name, each in header.items():
        if name == "__metadata__":
            continue
        if each["dtype"] not in TYPES:
            raise ValueError(f"type {each['dtype']}")
        kind, shape, first = TYPES[each["dtype"]], tuple(each["shape"]), 8 + size + each["data_offsets"][0]
        whole = math.prod(shape)
        found[name] = np.asarray(np.memmap(path, kind, "r", first, shape)) if whole else np.zeros(shape, kind)
    return found
