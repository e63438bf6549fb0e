"""An artifact on disk: a folder of data with its manifest and the golden rows that prove it."""

from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.records import Json, Manifest
from windlass.store import read_json, write_json

MANIFEST, GOLDEN = "manifest.json", "golden.json"
N_GOLDEN = 16
TOLERANCE = 2e-3
"""Largest difference of a probability between the trained model and what is served: float32 against bf16-free
ONNX differs by 1e-6 to 1e-4; a wrong tokenizer, label order or scaling differs by far more than 2e-3."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    write_json(folder / MANIFEST, manifest.as_json())


def read_manifest(folder: Path) -> Manifest:
    """Raises: DataError: no manifest, a damaged one, or one of a newer format."""
    if not (folder / MANIFEST).is_file():
        raise DataError(f"{folder} has no {MANIFEST}, expected an artifact")
    values = read_json(folder / MANIFEST)
    if not isinstance(values, dict) or values.get("format") != 1:
        found = values.get("format") if isinstance(values, dict) else type(values).__name__
        raise DataError(f"{folder / MANIFEST} has format {found!r}, expected 1")
    try:
        return Manifest.from_json(values)
    except (KeyError, TypeError) as error:
        raise DataError(f"{folder / MANIFEST} is damaged ({error}), expected a manifest") from None


def write_golden(folder: Path, rows: list[Json], probabilities: np.ndarray) -> None:
    """Rows as a client would send them, with the (n, k) probabilities that the trained model itself gave."""
    write_json(folder / GOLDEN, {"rows": rows, "probabilities": np.round(probabilities.astype(float), 7).tolist()})


def read_golden(folder: Path) -> tuple[list[Json], np.ndarray]:
    """Raises: NotReady, DataError."""
    values: Any = read_json(folder / GOLDEN)
    return values["rows"], np.array(values["probabilities"], np.float64)
