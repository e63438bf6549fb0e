"""Arrays of an artifact: safetensors, checked against the shapes that they must have."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from windlass.errors import DataError
from windlass.store.files import write_bytes


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    write_bytes(path, save({name: np.ascontiguousarray(values) for name, values in arrays.items()}))


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Those arrays. Raises: DataError: the file is not there, is damaged, or lacks one, or holds what is not finite."""
    try:
        found = load(path.read_bytes())
    except Exception as error:  # noqa: BLE001  safetensors raises an exception of its own for a damaged file
        raise DataError(f"{path} is damaged ({str(error)[:80]}), expected arrays") from None
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(f"{path} has no array '{missing[0]}', expected {', '.join(names)}")
    for name, values in found.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise DataError(f"{path} is damaged: '{name}' holds what is no finite number")
    return dict(found)
