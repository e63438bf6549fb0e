"""What comes next in a series: one number a step; as somebody tells it afterwards, null where it is not known yet."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import number
from windlass.kinds.contract import Kind, is_finite, is_missing, shown
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait, grid_code, grid_width, learn_grid
from windlass.records import Answer, Json, Manifest

MOST_STEPS = 10_000
N_SKETCH = 32
LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""The quantiles that an artifact knows of each step; the outer two make the interval of 90 %."""
HORIZON, BANDS, GROWTH = "horizon", "bands", "growth"
"""Where the state of what is answered keeps how many steps, and the quantiles of what is right less what was foreseen,
a list of steps for each of `LEVELS`; in units of the series' own scale, or, with a growth up to 1, of a mean of it and
of what was foreseen."""


def check(value: Any) -> str | None:
    try:
        _read(value)
    except ValueError as error:
        return str(error)
    return None


def read(value: Any, root: Path | None) -> list[float | None]:
    """One number a step, None where it is not known; none of a missing value. Raises: DataError."""
    try:
        return _read(value)
    except ValueError as error:
        raise DataError(f"forecast {error}") from None


def _read(value: Any) -> list[float | None]:
    if is_missing(value):
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"is {shown(value)}, expected a list of numbers") from None
    found = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(found, list | tuple) or not 0 < len(found) <= MOST_STEPS:
        raise ValueError(f"is {shown(value)}, expected a list of 1 to {MOST_STEPS:,} numbers")
    return [_number(each, place) for place, each in enumerate(found)]


def _number(value: Any, place: int) -> float | None:
    """Of `{"time": ..., "value": 3}`, as answers have it, the value."""
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    try:
        found = number.parse(value)
    except (ValueError, OverflowError):
        raise ValueError(f"is {shown(value)} at step {place + 1}, expected a number or null") from None
    return None if math.isnan(found) else found


def clean(value: Any, root: Path | None) -> str:
    """As JSON; '' where nothing is told."""
    found = read(value, root)
    return json.dumps(found) if found else ""


def portable(value: Any, root: Path | None) -> list[float | None] | None:
    return read(value, root) or None


def targets(values: Sequence[Any], horizon: int) -> np.ndarray:
    """(n, horizon) float64 of raw values, NaN where nothing is known; what lies beyond the horizon is left out."""
    found = np.full((len(values), horizon), np.nan)
    for row, value in enumerate(values):
        steps = read(value, None)[:horizon]
        found[row, : len(steps)] = [math.nan if each is None else each for each in steps]
    return found


def means(values: Iterable[Any]) -> list[float]:
    """The mean of each, those without any number left out."""
    found = [np.array([each for each in value if each is not None]) for value in values]
    return [float(each.mean()) for each in found if len(each)]


def fault(manifest: Manifest) -> str:
    """What is wrong with how an artifact foresees; '' when nothing is."""
    state, name = manifest.output.state, manifest.output.name
    horizon = state.get(HORIZON)
    if not isinstance(horizon, int) or not 0 < horizon <= MOST_STEPS:
        return f"output '{name}' has the horizon {horizon!r}, expected 1 to {MOST_STEPS:,} steps"
    if not all(is_finite(state.get(key)) for key in ("scale", "least", "level")) or state["scale"] <= 0:
        return f"output '{name}' has no finite scale and level, expected both"
    growth = state.get(GROWTH, 0.0)
    if not is_finite(growth) or not 0 <= growth <= 1:
        return f"output '{name}' has bands that grow by {growth!r}, expected 0 to 1"
    bands = state.get(BANDS)
    if (
        not isinstance(bands, list)
        or len(bands) not in (0, len(LEVELS))
        or not all(isinstance(row, list) and len(row) == horizon and all(map(is_finite, row)) for row in bands)
    ):
        return f"output '{name}' has damaged bands, expected {len(LEVELS)} of {horizon} numbers"
    return ""


def learn(values: Iterable[Any]) -> Json:
    return {"grid": learn_grid(means(values), N_SKETCH)}


def profile(value: Sequence[float | None], state: Json) -> Profile:
    """The bin of the mean of what comes next."""
    found = means([value])
    return [grid_code(found[0], state["grid"]) if found else MISSING]


def traits(state: Json) -> tuple[Trait, ...]:
    """What is foreseen rises and falls with seasons and growth, which are no drift; what no forecast was, is told."""
    width = grid_width(state["grid"])
    return (Trait("missing", "rate", 0, width, (MISSING,)), Trait("outside", "rate", 0, width, (1, width - 1)))


def brief(value: Any) -> str:
    """`151.2 a step on average, 28 steps`."""
    found = read(value, None)
    mean = means([found])
    return f"{mean[0]:,.4g} a step on average, {len(found)} steps" if mean else f"{len(found)} steps"


def values_of(answer: Answer) -> list[float]:
    """The numbers of an answer, a step each."""
    return [float(step["value"]) for step in answer.value]


KIND = Kind(
    name="forecast",
    forms=(),
    check=check,
    read=read,
    fit=lambda values, form, options: {},
    encode=lambda values, state: targets(list(values), state.get(HORIZON, 1)),
    clean=clean,
    portable=portable,
    brief=brief,
    fault=fault,
    sketch=Sketch(learn, profile, traits),
    answers=Sketch(learn, lambda answer, state: profile(values_of(answer), state), traits),
)
