"""Logits of validation rows, calibrated: for the artifact by all of them, for the choice each row by the others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from windlass.kinds import table as kinds
from windlass.metrics.measures import best_calibration
from windlass.predictors.artifact import CALIBRATED, LOGITS, read_manifest, read_validation
from windlass.records import Column, Manifest, Splits

N_FOLDS = 5
LEAST_CALIBRATED = 10
"""Validation rows: fewer calibrate nothing, and choose no threshold."""
Calibrate = Callable[[Manifest, np.ndarray, np.ndarray], Manifest]
"""(manifest, truth, scores of the same rows) -> the manifest with the calibration that they show."""


def calibrated(manifest: Manifest, truth: np.ndarray, logits: np.ndarray) -> Manifest:
    """The manifest with the calibration that these validation rows show; of fewer than ten with none."""
    if len(truth) < LEAST_CALIBRATED:
        return manifest
    temperature, shift = best_calibration(truth, logits.astype(np.float64))
    return replace(manifest, temperature=temperature, shift=shift)


def reached(truth: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The validation rows that the minutes reached: their classes, and logits without NaN."""
    there = np.isfinite(logits).all(axis=1)
    return truth[there], logits[there].astype(np.float64)


def classes(output: Column, splits: Splits) -> np.ndarray:
    """What is right of the validation rows, encoded: class numbers (n,) int64, or of tags (n, k)."""
    batch = kinds.encode_column(output, splits.validation[output.name].to_list(), None)
    assert isinstance(batch, np.ndarray)
    return batch


def held_out(run_folder: Path, splits: Splits, by: Calibrate = calibrated) -> np.ndarray:
    """Calibrated logits (n, k) float64 of the validation rows, by a model and a calibration that had not seen them.

    Calibrated on the same rows, models of 77 labels looked up to 5.9 points of accuracy too good (docs/log.md, "choice
    and gate"). Rows of NaN were not reached in time.
    """
    kept = read_validation(run_folder)
    if CALIBRATED in kept:
        return kept[CALIBRATED].astype(np.float64)
    output = read_manifest(run_folder / "artifact").output
    return cross_calibrated(output, classes(output, splits), kept[LOGITS].astype(np.float64), by)


def cross_calibrated(output: Column, truth: np.ndarray, logits: np.ndarray, by: Calibrate = calibrated) -> np.ndarray:
    """Each row's logits, of (n, k) float64, calibrated as the other folds show; rows of NaN count for nothing."""
    plain, fold_of = Manifest("", "", (), output), folds(len(truth))
    there, found = np.isfinite(logits).all(axis=1), logits.copy()
    for fold in range(N_FOLDS):
        others = there & (fold_of != fold)
        found[fold_of == fold] = by(plain, truth[others], logits[others]).calibrated(logits[fold_of == fold])
    return found


def folds(n_rows: int) -> np.ndarray:
    """The fold of each row, (n,) int: always the same for as many rows."""
    return np.random.default_rng(N_FOLDS).permutation(n_rows) % N_FOLDS
