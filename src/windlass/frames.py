"""Rows as callers of Python have them: one row, a list of rows, or a data frame of pandas or polars."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from windlass.errors import DataError, expected

EXPECTED = "expected a row, a list of rows or a data frame"


def rows_of(data: Any) -> list[Mapping[str, Any]]:
    """One mapping of column to value a row; missing values are None, moments ISO text.

    Raises: DataError: it is nothing of the kind, or a frame with a column twice.
    """
    if isinstance(data, Mapping):
        return [data]
    if hasattr(data, "columns") and hasattr(data, "shape"):
        return _of_frame(data)
    if isinstance(data, str | bytes) or not isinstance(data, Iterable):
        raise DataError(f"rows are '{type(data).__name__}', {EXPECTED}", "one row is written {'column': value}")
    rows = list(data)
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise DataError(f"row {number} is '{type(row).__name__}', expected column and value: {{'column': value}}")
    return rows


def _of_frame(frame: Any) -> list[Mapping[str, Any]]:
    names = [str(name) for name in frame.columns]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(f"data frame has the column '{twice[0]}' twice, expected {expected(dict.fromkeys(names))} once")
    columns = [
        plain(frame.iloc[:, place] if hasattr(frame, "iloc") else frame[:, place]) for place in range(len(names))
    ]
    return [dict(zip(names, map(_known, values), strict=True)) for values in zip(*columns, strict=True)]


def _known(value: Any) -> Any:
    """NaN is how frames say that nothing is known."""
    return None if isinstance(value, float) and value != value else value


def plain(column: Any) -> list[Any]:
    """A column of pandas, polars or NumPy as Python values: moments as ISO text, missing ones None or NaN."""
    if hasattr(column, "isna"):  # pandas: NaT and NA would pass for values
        column = column.astype(object).where(~column.isna(), None)
    values = column.to_list() if hasattr(column, "to_list") else column.tolist()
    return [value.isoformat() if isinstance(value, date) else value for value in values]
