"""Splits as arrays, and what every learner does at the end: calibrate, write the manifest, keep golden rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch
from windlass.learners.contract import Fitted, Options
from windlass.metrics import softmax
from windlass.outputs.labels.calibration import calibrated, reached
from windlass.outputs.labels.measures import fit_output, score
from windlass.predictors.artifact import N_GOLDEN, keep_validation, write_golden, write_manifest
from windlass.records import Column, Json, Manifest, Splits

if TYPE_CHECKING:
    import polars as pl



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


def encode_inputs(inputs: tuple[Column, ...], rows: "pl.DataFrame", splits: Splits) -> list[Batch]:
    return [kinds.encode_column(column, rows[column.name].to_list(), splits.root) for column in inputs]


def targets(output: Column, rows: "pl.DataFrame") -> np.ndarray:
    """Class numbers (n,) int64."""
    batch = kinds.encode_column(output, rows[output.name].to_list(), None)
    assert isinstance(batch, np.ndarray)
    return batch


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
    truth, known_logits = reached(encoded.validation_targets, validation_logits)
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
