"""Splits as arrays, and what every learner does at the end: what validation tells, the manifest, golden rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch
from windlass.learners.contract import Fitted, Options
from windlass.learners.objectives import Objective, aim, objective_of
from windlass.outputs.labels.calibration import reached
from windlass.predictors.artifact import N_GOLDEN, keep_validation, write_golden, write_manifest
from windlass.records import Column, Json, Manifest, Splits

if TYPE_CHECKING:
    import polars as pl

LEAST_HALVED = 100
"""Validation rows: of half of fewer an interval is too rough to be worth it (50 rows: 90 +- 8 % of others inside)."""


@dataclass(frozen=True)
class Encoded:
    """Train and validation rows as arrays: one batch an input, in the spec's order, and targets (n,).

    Targets are class numbers int64, or numbers float64 in deviations from their mean. weights: (n,) how much each row
    counts; None: all the same. stopping: (n,) bool, validation rows that tell when to stop, the others make intervals;
    None: each does both.
    """

    inputs: tuple[Column, ...]
    output: Column
    train: list[Batch]
    train_targets: np.ndarray
    validation: list[Batch]
    validation_targets: np.ndarray
    train_weights: np.ndarray | None = None
    validation_weights: np.ndarray | None = None
    stopping: np.ndarray | None = None

    @property
    def watched(self) -> np.ndarray:
        """Places of the validation rows that may tell a learner when to stop, (m,) int."""
        n_rows = len(self.validation_targets)
        return np.arange(n_rows) if self.stopping is None else np.flatnonzero(self.stopping)

    @property
    def n_scores(self) -> int:
        """Numbers a row that a model gives: one a class, or the number itself."""
        found = kinds.get(self.output.kind).n_scores
        assert found is not None
        return found(self.output.state)

    @property
    def aim(self) -> Objective:
        return aim(self.output)

    @property
    def every_target(self) -> np.ndarray:
        """Of train, then of validation."""
        return np.concatenate([self.train_targets, self.validation_targets])

    @property
    def every_weight(self) -> np.ndarray | None:
        if self.train_weights is None or self.validation_weights is None:
            return None
        return np.concatenate([self.train_weights, self.validation_weights])


def encode(splits: Splits, forms: Mapping[str, str], options: Mapping[str, Json] | None = None) -> Encoded:
    """Fits each input's encoding on the training rows, in the form given for its kind, and applies it.

    Args:  forms: kind -> form.  options: kind -> options of that form.
    """
    inputs = tuple(fit_input(name, splits, forms, options) for name in splits.inputs)
    return encode_splits(inputs, objective_of(splits).fit_output(splits), splits)


def fit_input(name: str, splits: Splits, forms: Mapping[str, str], options: Mapping[str, Json] | None) -> Column:
    """The encoding of one input, as `encode` fits it."""
    kind = splits.inputs[name]
    values = splits.train[name].to_list()
    column = kinds.fit_column(name, kind, values, splits.root, forms[kind], (options or {}).get(kind))
    return kinds.with_format(column, splits.written.get(name))


def encode_splits(inputs: tuple[Column, ...], output: Column, splits: Splits) -> Encoded:
    """Train and validation rows by these columns."""
    return Encoded(
        inputs,
        output,
        encode_inputs(inputs, splits.train, splits),
        targets(output, splits.train),
        encode_inputs(inputs, splits.validation, splits),
        targets(output, splits.validation),
        *(part[splits.weight].to_numpy() if splits.weight else None for part in (splits.train, splits.validation)),
    )


def encode_inputs(inputs: tuple[Column, ...], rows: "pl.DataFrame", splits: Splits) -> list[Batch]:
    return [kinds.encode_column(column, rows[column.name].to_list(), splits.root) for column in inputs]


def targets(output: Column, rows: "pl.DataFrame") -> np.ndarray:
    """What is right (n,): class numbers int64, or numbers float64 in deviations from their mean."""
    batch = kinds.encode_column(output, rows[output.name].to_list(), None)
    assert isinstance(batch, np.ndarray)
    return batch


def with_stopping(encoded: Encoded) -> Encoded:
    """For learners that stop early: errors on the rows that stopped them are too small, and so would intervals be.

    So where validation rows of numbers are many, every other one stops, and the interval is made of those between.
    Source: split conformal prediction needs rows that the model does not depend on: Lei et al. 2018, JASA 113(523).
    """
    n_rows = len(encoded.validation_targets)
    if encoded.aim.has_classes or n_rows < LEAST_HALVED:
        return encoded
    return replace(encoded, stopping=np.arange(n_rows) % 2 == 0)


def finish(
    options: Options,
    manifest: Mapping[str, Any],
    encoded: Encoded,
    splits: Splits,
    validation_scores: np.ndarray,
    golden_scores: np.ndarray,
) -> Fitted:
    """Writes manifest and golden rows beside the model file that the learner has already written.

    Args: manifest: `predictor`, `learner` and `settings` of the manifest.
          validation_scores: (n, k) of a model that has not seen the validation rows: calibration and score; rows of
              NaN, which the minutes did not reach, count for neither.
          golden_scores: (<= N_GOLDEN, k) of the model in memory, as it will be served, on the first validation rows.
    """
    truth, known = reached(encoded.validation_targets, validation_scores)
    folder = options.artifact
    keep_validation(options.folder, logits=validation_scores)
    plain = Manifest(inputs=encoded.inputs, output=encoded.output, **manifest)
    apart = slice(None) if encoded.stopping is None else ~encoded.stopping
    written = encoded.aim.finished(plain, *reached(encoded.validation_targets[apart], validation_scores[apart]))
    write_manifest(folder, written)
    rows = splits.validation.head(N_GOLDEN).select(list(splits.inputs)).to_dicts()
    portable = [
        {name: kinds.get(splits.inputs[name]).portable(value, splits.root) for name, value in row.items()}
        for row in rows
    ]
    write_golden(folder, portable, encoded.aim.golden(written, golden_scores))
    return Fitted(folder, encoded.aim.score(options.metric, encoded.output, truth, written.calibrated(known)))
