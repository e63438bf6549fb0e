"""What all records share: rows, JSON, progress, and how a record becomes JSON."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

Row = Mapping[str, Any]
Json = dict[str, Any]
Progress = Callable[[str, float, float, str], None]
"""Called as progress(task, done, total, note); total 0 means unknown."""


def silent(task: str, done: float, total: float, note: str = "") -> None:
    """A progress that shows nothing."""


def as_json(record: Any) -> Json:
    """A record as plain JSON values: NaN becomes null, since JSON has no NaN."""
    return _finite(asdict(record))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
