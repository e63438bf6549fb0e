"""A finite number, or nothing."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Kind, is_missing
from windlass.records import Json

MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "."})
N_BINS = 16


def parse(value: Any) -> float:
    """The number as a float, NaN when missing. Raises: ValueError."""
    if is_missing(value):
        return math.nan
    if isinstance(value, str):
        word = value.strip()
        if word.lower() in MISSING_WORDS:
            return math.nan
        number = float(word.replace(",", "") if word.count(",") and "." in word else word)
    elif isinstance(value, bool | int | float | np.number):
        number = float(value)
    else:
        raise ValueError(type(value).__name__)
    if math.isinf(number) or abs(number) > 1e300:
        raise ValueError("infinite")
    return number


def check(value: Any) -> str | None:
    try:
        parse(value)
    except (ValueError, OverflowError):
        shown = repr(value) if not isinstance(value, str) else f"'{value[:40]}'"
        return f"is {shown}, expected a finite number"
    return None


def read(value: Any, root: Path | None) -> float:
    fault = check(value)
    if fault:
        raise DataError(f"number {fault}")
    return parse(value)


def fit(values: Iterable[float], form: str, options: Json) -> Json:
    """raw: nothing to learn. scaled: median for the missing, mean and deviation. binned: the same and quantile edges."""
    if form == "raw":
        return {"form": "raw"}
    column = np.array(list(values), np.float64)
    present = column[~np.isnan(column)]
    if not len(present):
        return {"form": form, "median": 0.0, "mean": 0.0, "deviation": 1.0, "edges": []}
    deviation = float(present.std())
    edges = np.unique(np.quantile(present, np.linspace(0, 1, N_BINS + 1)[1:-1])) if form == "binned" else np.empty(0)
    return {"form": form, "median": float(np.median(present)), "mean": float(present.mean()),
            "deviation": deviation if deviation > 1e-12 else 1.0, "edges": edges.tolist()}


def encode(values: Sequence[float], state: Json) -> np.ndarray:
    """raw -> (n, 1) with NaN; scaled -> (n, 2): deviations from the mean (clipped to 8), is missing;
    binned -> (n, 2 + edges): the same and one place for each edge that the number exceeds."""
    column = np.array(values, np.float64)
    if state["form"] == "raw":
        return column.astype(np.float32)[:, None]
    missing = np.isnan(column)
    filled = np.where(missing, state["median"], column)
    scaled = np.clip((filled - state["mean"]) / state["deviation"], -8, 8)
    parts = [scaled[:, None], missing[:, None]]
    if state["form"] == "binned":
        parts.append((filled[:, None] > np.array(state["edges"])[None, :]) & ~missing[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)


KIND = Kind(name="number", forms=("scaled", "binned", "raw"), check=check, read=read, fit=fit, encode=encode)
