"""An artifact on disk: a folder of data with its manifest and the golden rows that prove it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from windlass.errors import DataError, expected
from windlass.kinds.contract import is_finite
from windlass.kinds.table import KINDS
from windlass.records import Json, Manifest
from windlass.store.files import write_bytes
from windlass.store.json_files import read_json, write_json

MANIFEST, GOLDEN = "manifest.json", "golden.json"
VALIDATION = "validation.safetensors"
"""Beside an artifact: what a model that had not seen them gives for the validation rows: `logits` (n, k); `calibrated`:
those whose softmax is calibrated, by other rows. A blend has the latter alone. Rows of NaN were not reached in time.
`undecided`: of numbers, what its golden answers (<= N_GOLDEN,) are without costs, in deviations from the mean."""
CALIBRATED, LOGITS, UNDECIDED = "calibrated", "logits", "undecided"
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
        manifest = Manifest.from_json(values)
    except (KeyError, TypeError) as error:
        raise DataError(f"{folder / MANIFEST} is damaged ({error}), expected a manifest") from None
    fault = _fault(manifest)
    if fault:
        raise DataError(f"{folder / MANIFEST} is damaged: {fault}")
    return manifest


def _fault(manifest: Manifest) -> str:
    """What is wrong with the manifest's values; empty when nothing is."""
    for column in (*manifest.inputs, manifest.output):
        if not isinstance(column.name, str) or not isinstance(column.state, dict) or column.kind not in KINDS:
            return f"column {column.name!r} has kind {column.kind!r}, expected {expected(KINDS)} and its state"
    if not manifest.inputs or not isinstance(manifest.predictor, str) or not isinstance(manifest.settings, dict):
        return "it has no inputs, predictor or settings, expected all three"
    return KINDS[manifest.output.kind].fault(manifest)


def keep_validation(run_folder: Path, **logits: np.ndarray) -> None:
    """Keeps these, each (n, k), of the validation rows beside the artifact."""
    kept = {name: np.ascontiguousarray(values, np.float32) for name, values in logits.items()}
    write_bytes(run_folder / VALIDATION, save(kept))


def read_validation(run_folder: Path) -> dict[str, np.ndarray]:
    """What was kept of the validation rows; nothing where nothing was."""
    path = run_folder / VALIDATION
    return dict(load(path.read_bytes())) if path.is_file() else {}


def write_golden(folder: Path, rows: list[Json], answers: Sequence[Any] | np.ndarray) -> None:
    """Rows as a client would send them, with what the trained model itself gave: (n, k) probabilities, or texts."""
    if isinstance(answers, np.ndarray):
        answers = np.round(answers.astype(float), 7).tolist()
    write_json(folder / GOLDEN, {"rows": rows, "answers": list(answers)})


def read_golden(folder: Path) -> tuple[list[Json], list[Any]]:
    """Raises: NotReady: there are none. DataError: they are damaged."""
    values: Any = read_json(folder / GOLDEN)
    try:
        rows, answers = values["rows"], values.get("answers", values.get("probabilities"))  # so it was in 0.1
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder / GOLDEN} is damaged ({error}), expected golden rows") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{folder / GOLDEN} is damaged, expected a list of rows")
    if not isinstance(answers, list) or len(rows) != len(answers) or not all(map(_is_answer, answers)):
        raise DataError(f"{folder / GOLDEN} is damaged, expected as many rows as answers")
    return rows, answers


def _is_answer(value: Any) -> bool:
    """True for a text, a finite number, and a list of these."""
    return is_finite(value) or isinstance(value, str) or (isinstance(value, list) and all(map(is_finite, value)))
