"""X and y as scikit-learn's callers give them, as plain columns: arrays, lists of texts, pandas and polars frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from windlass.errors import DataError, expected
from windlass.frames import plain
from windlass.kinds import category
from windlass.kinds.contract import Kind

TEXT = "text"
ROOT = Path()
"""Where files would be looked for that a value names."""


class InputError(DataError, ValueError):
    """X or y cannot be used; a ValueError too, which is what callers of scikit-learn expect."""


@dataclass(frozen=True)
class Table:
    """X as Python values: column -> n values, missing ones None or NaN; and the kinds that X's type tells."""

    columns: dict[str, list[Any]]
    kinds: dict[str, str]


def read(estimator: Any, X: Any, reset: bool) -> Table:
    """X as columns; sets `n_features_in_` and `feature_names_in_` with `reset`, else X must fit them.

    Raises: InputError: it has no rows or columns, or a name twice. ValueError, in scikit-learn's words.
    """
    texts = _texts(X)
    if texts is not None:
        if reset:
            estimator.n_features_in_ = 1
            estimator.__dict__.pop("feature_names_in_", None)
        return Table({TEXT: texts}, {TEXT: TEXT})
    if isinstance(X, pl.DataFrame) or (hasattr(X, "iloc") and getattr(X, "ndim", 0) == 2):
        return _read_frame(estimator, X, reset)
    worded = _has_words(X)
    array = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=None if worded else "numeric",
        ensure_all_finite=False if worded else "allow-nan",
    )
    array = array.astype(np.int8) if array.dtype == bool else array  # scikit-learn's numbers; ours are no truth values
    names = getattr(estimator, "feature_names_in_", [f"x{place}" for place in range(array.shape[1])])
    columns = {str(name): plain(array[:, place]) for place, name in enumerate(names)}
    return Table(columns, {} if worded else dict.fromkeys(columns, "number"))


def _read_frame(estimator: Any, X: Any, reset: bool) -> Table:
    labels = list(X.columns)
    if not all(X.shape) or len(set(labels)) < len(labels):
        raise InputError(
            f"X has shape {tuple(X.shape)} and columns {expected(labels)}, "
            "expected at least one row and one column, and each name once"
        )
    worded = all(isinstance(label, str) for label in labels)
    if reset or not (worded and hasattr(estimator, "feature_names_in_")):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        names = getattr(estimator, "feature_names_in_", [f"x{place}" for place in range(len(labels))])
    else:
        names = labels
    columns, told = {}, {}
    for place, name in enumerate(map(str, names)):
        column = X.to_series(place) if isinstance(X, pl.DataFrame) else X.iloc[:, place]
        columns[name] = plain(column)
        if str(column.dtype).lower().startswith(("categor", "enum")):
            told[name] = "category"
    return Table(columns, told)


def _texts(values: Any) -> list[Any] | None:
    """The texts of a one-dimensional X; None when it is something else."""
    shape = np.shape(values) if isinstance(values, np.ndarray) else getattr(values, "shape", ())
    if not isinstance(values, list | tuple) and (len(shape) != 1 or not hasattr(values, "dtype")):
        return None
    texts = list(values) if isinstance(values, list | tuple) else plain(values)
    return texts if any(isinstance(text, str) for text in texts) else None


def _has_words(values: Any) -> bool:
    """True for an array or list of rows with a string in it."""
    array = np.array(values, dtype=object) if isinstance(values, list | tuple) else values
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "OUT":
        return False
    return array.dtype.kind != "O" or any(isinstance(value, str) for value in array.flat)


def targets(y: Any, name: str) -> np.ndarray:
    """The labels (n,). Raises: ValueError, in scikit-learn's words."""
    if y is None:
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    labels = column_or_1d(y, warn=True)
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    return labels


def numbers(y: Any, name: str) -> np.ndarray:
    """The numbers (n,) float64. Raises: ValueError, in scikit-learn's words."""
    if y is None:
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    found = column_or_1d(y, warn=True)
    if np.iscomplexobj(found):
        raise ValueError("Complex data not supported: y holds complex numbers, expected real ones")
    try:
        values = found.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(f"y holds {expected(map(repr, found.tolist()[:3]))}, expected numbers") from None
    assert_all_finite(values, input_name="y")
    return np.asarray(values)


def counted(table: Table, right: np.ndarray, sample_weight: Any) -> tuple[Table, np.ndarray, np.ndarray | None]:
    """Columns and targets (n,) of the rows that count, and how much each of them does; None: all the same.

    Raises: InputError: a weight is negative, or none is above 0. ValueError, in scikit-learn's words.
    """
    if sample_weight is None:
        return table, right, None
    weights = column_or_1d(sample_weight, dtype=np.float64, input_name="sample_weight")
    check_consistent_length(right, weights)
    assert_all_finite(weights, input_name="sample_weight")
    if (weights < 0).any():
        raise InputError(f"sample_weight goes down to {weights.min():g}, expected numbers from 0 on")
    if not (weights > 0).any():
        raise InputError("sample_weight is zero for every row, expected weights of which some are above 0")
    kept = np.flatnonzero(weights > 0)
    columns = {name: [values[place] for place in kept] for name, values in table.columns.items()}
    weights = weights[kept]
    return Table(columns, table.kinds), right[kept], None if len(set(weights.tolist())) == 1 else weights


def names_of(classes: np.ndarray) -> list[str]:
    """What artifact and answers call each class: its own name, made different where two read the same."""
    names: dict[str, None] = {}
    for value in classes.tolist():
        try:
            name = category.named(value) or "(empty)"
        except DataError as error:
            raise InputError(f"y: {error.message}", error.hint) from None
        while name in names:
            name += "'"
        names[name] = None
    return list(names)


def free_name(wanted: Any, taken: Mapping[str, str]) -> str:
    """A name for the output that no input has."""
    name = wanted if isinstance(wanted, str) and wanted else "label"
    while name in taken:
        name += "_"
    return name


def series(name: str, kind: Kind, values: Sequence[Any]) -> pl.Series:
    """A column as `collect` would keep it. Raises: InputError that names the row."""
    clean = kind.clean or kind.read
    cleaned = []
    for number, value in enumerate(values):
        try:
            cleaned.append(clean(value, ROOT))
        except DataError as error:
            raise InputError(
                f"row {number}, column '{name}': {error.message}",
                error.hint or f"is it another kind? `kinds={{'{name}': ...}}`",
            ) from None
    return pl.Series(name, cleaned, dtype=pl.Float64 if kind.stored_as is float else pl.String)
