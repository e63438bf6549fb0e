"""A finite number, or nothing."""

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Kind, is_missing, shown
from windlass.records import Json

MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "."})
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}")
"""Commas that can only part thousands: `1,234.5` and `1,234,567`; `1,234` and `1.234,5` may mean something else."""
LARGEST = 1e38  # what float32 can hold, and what can be squared in float64 when a deviation is computed
N_BINS = 16


def parse(value: Any) -> float:
    """The number as a float, NaN when missing. Raises: ValueError."""
    if is_missing(value):
        return math.nan
    if isinstance(value, str):
        word = value.strip()
        if word.lower() in MISSING_WORDS:
            return math.nan
        if "_" in word:
            raise ValueError("Python reads 1_000 as a number, people do not")
        number = float(word.replace(",", "") if THOUSANDS.fullmatch(word) else word)
    elif isinstance(value, np.timedelta64):
        raise ValueError(type(value).__name__)
    elif isinstance(value, bool | int | float | Decimal | np.integer | np.floating | np.bool_):
        number = float(value)
    else:
        raise ValueError(type(value).__name__)
    if abs(number) > LARGEST:
        raise ValueError("infinite, or nearly")
    return number


def read(value: Any, root: Path | None) -> float:
    try:
        return parse(value)
    except (ValueError, OverflowError):
        raise DataError(f"number is {shown(value)}, expected a finite number (up to {LARGEST:g})") from None


def check(value: Any) -> str | None:
    try:
        read(value, None)
    except DataError as error:
        return error.message.removeprefix("number ")
    return None


def fit(values: Iterable[float], form: str, options: Json) -> Json:
    """raw: nothing to learn. scaled: median for the missing, mean, deviation. binned: the same and quantile edges."""
    if form == "raw":
        return {"form": "raw"}
    column = np.array(list(values), np.float64)
    present = column[~np.isnan(column)]
    if not len(present):
        return {"form": form, "median": 0.0, "mean": 0.0, "deviation": 1.0, "edges": []}
    deviation = float(present.std())
    shares = np.linspace(0, 1, N_BINS + 1)[1:-1] if form == "binned" else np.empty(0)
    edges = np.unique(np.quantile(present, shares))
    return {
        "form": form,
        "median": float(np.median(present)),
        "mean": float(present.mean()),
        "deviation": deviation if deviation > 1e-12 else 1.0,
        "edges": edges.tolist(),
    }


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


def portable(value: Any, root: Path | None) -> float | None:
    number = parse(value)
    return None if math.isnan(number) else number


KIND = Kind(
    name="number",
    forms=("scaled", "binned", "raw"),
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    portable=portable,
    stored_as=float,
)
