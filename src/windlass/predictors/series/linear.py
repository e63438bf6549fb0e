"""A linear map from the latest points to all steps ahead, both told against the last point (NLinear).

DLinear's two maps, of a moving average and of what it leaves, are one such map too; they add how they are fitted.
Source: Zeng et al. 2023, Are Transformers effective for time series forecasting? AAAI 37(9), arXiv:2205.13504.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from windlass.errors import DataError
from windlass.predictors.series.forecaster import SeriesEngine
from windlass.predictors.series.question import Question, filled
from windlass.records import Manifest
from windlass.store.files import write_bytes

WEIGHTS = "weights.safetensors"


def window(question: Question, length: int, season: int) -> np.ndarray:
    """(length,) the latest points without gaps, in units of the scale from the last one; a short history is continued
    backwards by its first season."""
    history = question.history[-(length + season) :]
    values = filled(history, season)[-length:] if len(history) else np.zeros(0)
    if len(values) < length:
        first = values[: min(season, len(values))] if len(values) else np.zeros(1)
        missing = length - len(values)
        values = np.concatenate([np.tile(first, missing // len(first) + 1)[-missing:], values])
    return (values - question.level) / question.scale


def engine(weights: np.ndarray, season: int) -> SeriesEngine:
    """weights: (length, h)."""

    def foresee(questions: Sequence[Question]) -> np.ndarray:
        rows = np.array([window(each, len(weights), season) for each in questions])
        level = np.array([each.level for each in questions])[:, None]
        scale = np.array([each.scale for each in questions])[:, None]
        return np.asarray(level + scale * (rows @ weights))

    return foresee


def write(folder: Path, weights: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / WEIGHTS, save({"weights": np.ascontiguousarray(weights, np.float64)}))


def load(folder: Path, manifest: Manifest) -> SeriesEngine:
    """Raises: DataError: the weights are not there or have another shape."""
    try:
        weights = load_file(folder / WEIGHTS)["weights"]
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(f"{folder / WEIGHTS} is damaged ({str(error)[:100]}), expected weights") from None
    horizon = manifest.output.state["horizon"]
    if weights.ndim != 2 or weights.shape[1] != horizon or not np.isfinite(weights).all():
        raise DataError(f"{folder / WEIGHTS} holds weights {weights.shape}, expected (points, {horizon})")
    return engine(weights, int(manifest.output.state["season"]))
