"""The cache `measured.json` of a plan: what its trials gave, in exactly the form in which they write it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windlass.metrics.measures import Estimate
from windlass.records import Json
from windlass.store.json_files import read_json, restored

MEASURED = "measured.json"
MOST = 2**53


@dataclass(frozen=True)
class Nothing:
    """A trial that had nothing to look at."""


@dataclass(frozen=True)
class Point:
    rows: int
    scores: list[float]
    seconds: float
    accuracies: list[float]
    classes: dict[str, float]
    parts: dict[str, float]
    positive: list[list[float]]

    def __post_init__(self) -> None:
        """Raises: ValueError: nothing was trained."""
        if self.rows < 1 or not self.scores or self.seconds < 0:
            raise ValueError("a point without a training")


@dataclass(frozen=True)
class ColumnGain:
    column: str
    adds: Estimate


@dataclass(frozen=True)
class Doubt:
    row: int
    label: str
    rather: str


@dataclass(frozen=True)
class Doubts:
    count: int
    share: Estimate
    by_label: dict[str, int]
    rows: list[Doubt]
    gain: Estimate | None


@dataclass(frozen=True)
class Rule:
    words: str
    label: str
    rows: int


@dataclass(frozen=True)
class Rules:
    rules: list[Rule]
    changed: int
    right: int
    gain: Estimate | None


@dataclass(frozen=True)
class Freshness:
    gain: Estimate
    days: float


@dataclass(frozen=True)
class Validation:
    labels: list[str]
    counts: dict[str, int]
    targets: list[int]


@dataclass(frozen=True)
class Request:
    release: str
    seconds: float


@dataclass(frozen=True)
class NotCompressed:
    """No network is in the artifact."""

    key: str


@dataclass(frozen=True)
class CompressionFault:
    key: str
    fault: str


@dataclass(frozen=True)
class Compressed:
    key: str
    fault: str
    size_mb: float
    size_mb_now: float
    ms: float
    ms_now: float
    gain: Estimate
    rows: int


FORMS: dict[str, tuple[Any, ...]] = {
    "key": (str,),
    "learner": (str,),
    "fault": (str,),
    "points": (list[Point],),
    "columns": (list[ColumnGain],),
    "doubts": (Nothing, Doubts),
    "rules": (Nothing, Rules),
    "freshness": (Nothing, Freshness),
    "validation": (Nothing, Validation),
    "request": (Nothing, Request),
    "compressed": (Nothing, NotCompressed, CompressionFault, Compressed),
}
"""What may stand under each name. A trial that comes later adds its name later."""
LATER: Json = {"request": {}, "compressed": {}}


def read(path: Path) -> Json:
    """What was measured before; nothing where that has another form. Raises: DataError: the file is no JSON."""
    values = read_json(path) if path.is_file() else {}
    return values if _is_written_here(values) else {}


def _is_written_here(values: Any) -> bool:
    whole = LATER | values if isinstance(values, dict) else {}
    return whole.keys() == FORMS.keys() and all(any(_has(form, whole[name]) for form in FORMS[name]) for name in FORMS)


def _has(form: Any, value: Any) -> bool:
    """The value is the same after a way through its records, which have neither NaN nor numbers beyond all use."""
    try:
        text = json.dumps(restored(form, value), default=vars, allow_nan=False)
        return bool(json.loads(text, parse_int=_bounded) == value)
    except (ValueError, RecursionError):
        return False


def _bounded(digits: str) -> int:
    """Raises: ValueError: a float would not hold it."""
    if abs(int(digits)) > MOST:
        raise ValueError("beyond 2^53")
    return int(digits)
