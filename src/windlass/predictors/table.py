"""The one table of predictor formats, and the loading that all of them share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from windlass.errors import DataError, GateRefused, expected
from windlass.predictors import blend, linear, onnx, trees
from windlass.predictors.artifact import TOLERANCE, read_golden, read_manifest
from windlass.predictors.contract import Engine, Predictor
from windlass.records import Manifest

ENGINES: dict[str, Callable[[Path, Manifest], Engine]] = {
    "linear": linear.load,
    "trees": trees.load,
    "onnx": onnx.load,
    "blend": lambda folder, manifest: blend.load(folder, manifest, load),
}


def load(folder: Path) -> Predictor:
    """The predictor of an artifact. Raises: DataError when the folder is not one that we can answer from."""
    manifest = read_manifest(folder)
    if manifest.predictor not in ENGINES:
        raise DataError(f"{folder} asks for predictor '{manifest.predictor}', expected {expected(ENGINES)}")
    return Predictor(manifest, ENGINES[manifest.predictor](folder, manifest))


def replay(predictor: Predictor, folder: Path) -> float:
    """Answers the artifact's golden rows again; gives the largest difference of a probability.

    Raises: GateRefused: an answer differs from what the trained model gave.
    """
    rows, wanted = read_golden(folder)
    if rows and wanted.shape != (len(rows), len(predictor.manifest.output.state["labels"])):
        raise DataError(f"{folder.name} has golden answers of shape {wanted.shape}, expected one probability a label")
    difference = float(np.abs(predictor.probabilities(rows) - wanted).max()) if rows else 0.0
    if not difference <= TOLERANCE:
        raise GateRefused(
            f"{folder.name} answers its golden rows with a difference of {difference:.2g}, "
            f"expected at most {TOLERANCE:g} from the trained model",
            "train it again with this version of Windlass",
        )
    return difference
