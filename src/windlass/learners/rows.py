"""Splits as arrays, and what every learner does at the end: calibrate, write the manifest, keep golden rows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load, save

from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch
from windlass.learners.contract import Fitted, Options
from windlass.metrics import LabelMarks, best_calibration, best_threshold, softmax
from windlass.predictors.artifact import N_GOLDEN, read_manifest, write_golden, write_manifest
from windlass.records import Column, Json, Manifest, Splits
from windlass.store import write_bytes

if TYPE_CHECKING:
    import polars as pl

VALIDATION = "validation.safetensors"
"""Beside the artifact: `logits` (n, k) of the validation rows by a model that had not seen them; `calibrated`: those
whose softmax is calibrated, by other rows. A blend has the latter alone."""
CALIBRATED, LOGITS = "calibrated", "logits"
N_FOLDS = 5
LEAST_CALIBRATED = 10
"""Validation rows: fewer calibrate nothing, and choose no threshold."""


@dataclass(frozen=True)
class Encoded:
    """Train and validation rows as arrays: one batch an input, in the spec's order, and targets (n,) int64."""

    inputs: tuple[Column, ...]
    output: Column
    train: list[Batch]
    train_targets: np.ndarray
    validation: list[Batch]
    validation_targets: np.ndarray

    @property
    def n_classes(self) -> int:
        return len(self.output.state["labels"])


def encode(splits: Splits, forms: Mapping[str, str], options: Mapping[str, Json] | None = None) -> Encoded:
    """Fits each input's encoding on the training rows, in the form given for its kind, and applies it.

    Args:  forms: kind -> form.  options: kind -> options of that form.
    """
    inputs = tuple(fit_input(name, splits, forms, options) for name in splits.inputs)
    return encode_splits(inputs, fit_output(splits), splits)


def fit_input(name: str, splits: Splits, forms: Mapping[str, str], options: Mapping[str, Json] | None) -> Column:
    """The encoding of one input, as `encode` fits it."""
    kind = splits.inputs[name]
    values = splits.train[name].to_list()
    column = kinds.fit_column(name, kind, values, splits.root, forms[kind], (options or {}).get(kind))
    return kinds.with_way(column, splits.written.get(name))


def encode_splits(inputs: tuple[Column, ...], output: Column, splits: Splits) -> Encoded:
    """Train and validation rows by these columns."""
    return Encoded(
        inputs,
        output,
        encode_inputs(inputs, splits.train, splits),
        targets(output, splits.train),
        encode_inputs(inputs, splits.validation, splits),
        targets(output, splits.validation),
    )


def fit_output(splits: Splits) -> Column:
    name = splits.output_column
    how = splits.written.get(name, {"merge": {}})
    kind = kinds.reading(splits.output[name], how)
    state = kind.fit((kind.read(value, None) for value in splits.train[name]), "label", {})
    return kinds.with_way(Column(name, kind.name, state), how)


def encode_inputs(inputs: tuple[Column, ...], rows: "pl.DataFrame", splits: Splits) -> list[Batch]:
    return [kinds.encode_column(column, rows[column.name].to_list(), splits.root) for column in inputs]


def targets(output: Column, rows: "pl.DataFrame") -> np.ndarray:
    """Class numbers (n,) int64."""
    batch = kinds.encode_column(output, rows[output.name].to_list(), None)
    assert isinstance(batch, np.ndarray)
    return batch


def score(metric: str, output: Column, truth: np.ndarray, logits: np.ndarray) -> float:
    """The metric of unnormalised scores (n, k); NaN when there are no rows."""
    return label_marks(output, truth, softmax(logits.astype(np.float64))).value(metric) if len(truth) else math.nan


def label_marks(output: Column, truth: np.ndarray, probabilities: np.ndarray) -> LabelMarks:
    """Probabilities (n, k) beside the right classes (n,), ready to be measured."""
    state, labels = output.state, tuple(output.state["labels"])
    return LabelMarks(truth, probabilities, category.positive(state), labels, category.threshold(state))


def finish(
    options: Options,
    manifest: Mapping[str, Any],
    encoded: Encoded,
    splits: Splits,
    validation_logits: np.ndarray,
    golden_logits: np.ndarray,
) -> Fitted:
    """Writes manifest and golden rows beside the model file that the learner has already written.

    Args: manifest: `predictor`, `learner` and `settings` of the manifest.
          validation_logits: (n, k) of a model that has not seen the validation rows: temperature and score; rows of
              NaN, which the minutes did not reach, count for neither.
          golden_logits: (<= N_GOLDEN, k) of the model in memory, as it will be served, on the first validation rows.
    """
    truth, known_logits = _reached(encoded.validation_targets, validation_logits)
    folder = options.artifact
    keep_validation(options.folder, logits=validation_logits)
    plain = Manifest(inputs=encoded.inputs, output=encoded.output, **manifest)
    written = calibrated(plain, truth, known_logits)
    write_manifest(folder, written)
    rows = splits.validation.head(N_GOLDEN).select(list(splits.inputs)).to_dicts()
    portable = [
        {name: kinds.get(splits.inputs[name]).portable(value, splits.root) for name, value in row.items()}
        for row in rows
    ]
    write_golden(folder, portable, softmax(written.calibrated(golden_logits)))
    return Fitted(folder, score(options.metric, encoded.output, truth, written.calibrated(known_logits)))


def _reached(truth: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The validation rows that the minutes reached: their classes, and logits without NaN."""
    known = np.isfinite(logits).all(axis=1)
    return truth[known], logits[known].astype(np.float64)


def keep_validation(run_folder: Path, **logits: np.ndarray) -> None:
    """Keeps these, each (n, k), of the validation rows beside the artifact."""
    kept = {name: np.ascontiguousarray(values, np.float32) for name, values in logits.items()}
    write_bytes(run_folder / VALIDATION, save(kept))


def held_out(run_folder: Path, splits: Splits) -> np.ndarray:
    """Calibrated logits (n, k) float64 of the validation rows, by a model and a calibration that had not seen them.

    Calibrated on the same rows, models of 77 labels looked up to 5.9 points of accuracy too good (docs/log.md, "choice
    and gate"). Rows of NaN were not reached in time.
    """
    kept = load((run_folder / VALIDATION).read_bytes())
    if CALIBRATED in kept:
        return kept[CALIBRATED].astype(np.float64)
    output = read_manifest(run_folder / "artifact").output
    return cross_calibrated(output, targets(output, splits.validation), kept[LOGITS].astype(np.float64))


def cross_calibrated(output: Column, truth: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Each row's logits, of (n, k) float64, calibrated as the other folds show; rows of NaN count for nothing."""
    plain, fold_of = Manifest("", "", (), output), folds(len(truth))
    reached, found = np.isfinite(logits).all(axis=1), logits.copy()
    for fold in range(N_FOLDS):
        others = reached & (fold_of != fold)
        found[fold_of == fold] = calibrated(plain, truth[others], logits[others]).calibrated(logits[fold_of == fold])
    return found


def folds(n_rows: int) -> np.ndarray:
    """The fold of each row, (n,) int: always the same for as many rows."""
    return np.random.default_rng(N_FOLDS).permutation(n_rows) % N_FOLDS


def calibrated(manifest: Manifest, truth: np.ndarray, logits: np.ndarray) -> Manifest:
    """The manifest with the calibration that these validation rows show; of fewer than ten with none."""
    if len(truth) < LEAST_CALIBRATED:
        return manifest
    temperature, shift = best_calibration(truth, logits.astype(np.float64))
    return replace(manifest, temperature=temperature, shift=shift)


def decide(run_folder: Path, splits: Splits, metric: str, wanted: Mapping[str, float]) -> float:
    """Writes into the artifact of a finished run which share decides between its two labels; the metric then reached
    on the validation rows, NaN where there are none.

    Args: wanted: label -> share, as the user says; empty: what the metric is best with, see `best_threshold`.
    """
    folder = run_folder / "artifact"
    manifest = read_manifest(folder)
    judged = held_out(run_folder, splits)
    keep_validation(run_folder, **{**load((run_folder / VALIDATION).read_bytes()), CALIBRATED: judged})
    truth, logits = _reached(targets(manifest.output, splits.validation), judged)
    state = {name: value for name, value in manifest.output.state.items() if name != category.THRESHOLD}
    found = dict(wanted)
    if not found and len(truth) >= LEAST_CALIBRATED and len(state["labels"]) == 2:
        best = best_threshold(metric, label_marks(replace(manifest.output, state=state), truth, softmax(logits)))
        found = {} if best is None else {state["labels"][best.place]: best.share}
    output = replace(manifest.output, state={**state, **({category.THRESHOLD: found} if found else {})})
    if output != manifest.output:
        write_manifest(folder, replace(manifest, output=output))
    return score(metric, output, truth, logits)
