"""y with several labels a row: an indicator matrix (n, k), or a list of lists; and answers in the form that y had."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from windlass.kinds import tags
from windlass.sklearn.estimator_input import InputError, names_of


@dataclass(frozen=True)
class SeveralLabels:
    """classes: (k,) what the labels are called, of an indicator matrix its column names or numbers. rows: (n, k) bool.
    is_matrix: y was one."""

    classes: np.ndarray
    rows: np.ndarray
    is_matrix: bool

    def as_column(self, name: str) -> pl.Series:
        """As `collect` would keep them."""
        names = names_of(self.classes)
        kept = [tags.kept(sorted(names[place] for place in np.flatnonzero(row))) for row in self.rows]
        return pl.Series(name, kept, dtype=pl.String)


def several_labels(y: Any) -> SeveralLabels | None:
    """y as rows of several labels; None: it has one label a row. Raises: InputError: lists of what is no label."""
    if sparse.issparse(y):
        y = y.toarray()
    if getattr(y, "ndim", 1) == 2 and np.shape(y)[1] > 1:
        names = [str(name) for name in getattr(y, "columns", range(np.shape(y)[1]))]
        cells = np.asarray(y)
        if not np.isin(cells, [0, 1]).all():
            raise InputError(
                "y is a matrix with other numbers than 0 and 1, expected 1 where a row has a column's label"
            )
        return SeveralLabels(np.array(names), cells.astype(bool), True)
    if not isinstance(y, list | tuple) or not y or not all(_is_list(each) for each in y):
        return None
    try:
        classes = np.array(sorted({label for row in y for label in row}))
    except TypeError:
        raise InputError("y has rows of labels that are of several types, expected names") from None
    if not len(classes):
        raise InputError("y has no label in any row, expected some")
    place = {label: number for number, label in enumerate(classes.tolist())}
    found = np.zeros((len(y), len(classes)), bool)
    for number, row in enumerate(y):
        found[number, [place[label] for label in row]] = True
    return SeveralLabels(classes, found, False)


def _is_list(row: Any) -> bool:
    return isinstance(row, list | tuple | set | frozenset)


def as_given(said: np.ndarray, classes: np.ndarray, is_matrix: bool) -> np.ndarray | list[list[Any]]:
    """Answers (n, k) bool in the form of y: int64 (n, k), or a list of lists."""
    if is_matrix:
        return said.astype(np.int64)
    return [classes[row].tolist() for row in said]


def strata(rows: Sequence[str]) -> pl.Series:
    """The rarest label of each row, (n,)."""
    from windlass.outputs.tags.split import rarest

    found = [tags.read(value, None) or [] for value in rows]
    counts = dict.fromkeys({tag for row in found for tag in row}, 0)
    for row in found:
        for tag in row:
            counts[tag] += 1
    return pl.Series(rarest(found, counts), dtype=pl.String)
