"""A finite number, or nothing."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Kind, Size, is_finite, is_missing, shown
from windlass.kinds.formats import number_format
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait, grid_code, grid_scale, grid_width, learn_grid
from windlass.metrics import costs, links
from windlass.metrics.intervals import QUANTILES, Ranges
from windlass.records import Json, Manifest

MISSING_WORDS = frozenset(
    {"", "na", "n/a", "n.a.", "nan", "nat", "<na>", "#n/a", "null", "none", "unknown", "missing", "?", "-", "--", "—"}
    | {".", "未知", "无", "缺失", "不详"}
)
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}")
"""Commas that can only part thousands: `1,234.5` and `1,234,567`; `1,234` and `1.234,5` may mean something else."""
TRUTH = {"true": 1.0, "false": 0.0}
WHOLE = re.compile(r"[+-]?[0-9]{1,400}")
EXACT = 2**53
"""Up to here a float tells each whole number from its neighbours."""
MOST_WRITTEN = 100
LARGEST = 1e38  # what float32 can hold, and what can be squared in float64 when a deviation is computed
SO = "are its numbers written so? `formats:` in windlass.yaml says it: '{}'"
PLAIN = "a plain number needs no line in `formats:` of windlass.yaml"
SEVERAL = "its numbers are written in several ways, most of them like {}: write the others so, too"
SMALLEST = 1e-150  # what can be squared in float64 without becoming 0
CONSTANT = 1e-12
"""Of the largest magnitude: what spreads over less holds one number, with the noise of its last digits."""
N_BINS = 16
N_QUANTILES = 21
N_SKETCH = 32
"""Bins of a profile."""
LINK = "link"
"""Where the state of what is answered keeps the scale on which a model learned it; not there: in deviations."""
TARGET, HALF, RANGES = "target", "half", "ranges"
"""The form of a column that is answered; where its state keeps half of the width of an answer's interval, and how the
width follows the row, where it does: half is the median then."""
COSTS, UNIT = "costs", "unit"
"""Where the state of what is answered keeps what errors cost with how far answers lean by it, and what it counts."""
MARGIN = 0.1
"""A number lies outside of what training knew when it is beyond its ends by more than this share of their distance."""
LOW, HIGH = (5, 20), (95, 80)
"""Percentiles from which a number is very low or high, and low or high."""


def parse(value: Any) -> float:
    """The number as a float, NaN when missing; the words `true` and `false` are 1 and 0. Raises: ValueError."""
    return _parsed(value, _plain_number)


def _parsed(value: Any, of_word: Callable[[str], float]) -> float:
    if is_missing(value):
        return math.nan
    if isinstance(value, str):
        word = value.strip()
        if word.lower() in MISSING_WORDS:
            return math.nan
        number = TRUTH[word.lower()] if word.lower() in TRUTH else of_word(word)
    elif isinstance(value, bool | np.bool_ | np.timedelta64):
        raise ValueError(type(value).__name__)
    elif isinstance(value, int | float | Decimal | np.integer | np.floating):
        number = float(value)
    else:
        raise ValueError(type(value).__name__)
    if not abs(number) <= LARGEST:
        raise ValueError("infinite, or nearly")
    return number


def _plain_number(word: str) -> float:
    if "_" in word:
        raise ValueError("Python reads 1_000 as a number, people do not")
    return float(word.replace(",", "") if THOUSANDS.fullmatch(word) else word)


def read(value: Any, root: Path | None) -> float:
    try:
        return parse(value)
    except (ValueError, OverflowError):
        raise DataError(
            f"number is {shown(value)}, expected a finite number (up to {LARGEST:g})", _form_of(value)
        ) from None


def _form_of(value: Any) -> str:
    """The form that a value seems to be written in, as a hint; '' where it seems to be no number."""
    if isinstance(value, bool | np.bool_):
        return "a truth value is no number: send 1 or 0, or make the column a `category` in windlass.yaml"
    example = _seen_in(value) if isinstance(value, str) and len(value) <= MOST_WRITTEN else ""
    return SO.format(example) if example else ""


@lru_cache(maxsize=4_096)
def _seen_in(word: str) -> str:
    return number_format.guess([word])


def _advice(values: Sequence[Any], own: str) -> str:
    """The form that reads most values of a column, some of which were refused. own: the form that it has; '' = none."""
    words = [value.strip() for value in values if isinstance(value, str) and len(value) <= MOST_WRITTEN]
    words = [word for word in words if word.lower() not in MISSING_WORDS]
    if not words:
        return ""
    example = number_format.guess(words)
    if _marks(example) == _marks(own):
        return SEVERAL.format(f"'{own}'" if own else "a plain number")
    return SO.format(example) if example else PLAIN


def _marks(example: str) -> tuple[str, str, str]:
    """What parts thousands, the decimal mark and the unit of a form."""
    how = number_format.parse(example or "1234.56")
    return how.thousands, how.point, how.unit


def is_plain(value: Any) -> bool:
    """As `check(value) is None`, without the words of what is wrong, which take a while to find."""
    try:
        parse(value)
    except (ValueError, OverflowError):
        return False
    return True


def check(value: Any) -> str | None:
    return _fault(value, read)


def _fault(value: Any, reading: Callable[[Any, Path | None], float]) -> str | None:
    try:
        reading(value, None)
    except DataError as error:
        return error.message.removeprefix("number ")
    return None


def as_written(how: Json) -> Kind:
    """Numbers that a column writes as the example `how["format"]` does. Raises: SpecError: it is no example."""
    form = number_format.parse(str(how["format"]))

    def parse_it(value: Any) -> float:
        return _parsed(value, lambda word: float(form.plain(word)))

    def read_it(value: Any, root: Path | None) -> float:
        try:
            return parse_it(value)
        except (ValueError, OverflowError):
            hint = PLAIN if is_plain(value) else ""
            hint = hint or _form_of(value)
            message = f"number is {shown(value)}, expected one that is written like '{form.example}'"
            raise DataError(message, hint) from None

    return replace(
        KIND,
        check=lambda value: _fault(value, read_it),
        read=read_it,
        portable=lambda value, root: _sent(parse_it(value)),
        advice=lambda values: _advice(values, form.example),
        spelt=lambda value: form.write(value) if isinstance(value, float) else value,
    )


def doubt(value: Any) -> str:
    """What is not kept of a number that is read."""
    return "whole number beyond 2^53, which a number no longer tells from its neighbours" if is_inexact(value) else ""


def is_inexact(value: Any) -> bool:
    """True for a whole number that a float holds as another one: beyond 2^53 not all can be told apart."""
    word = value.strip() if isinstance(value, str) else value
    if isinstance(word, str):
        return len(word) > 15 and WHOLE.fullmatch(word) is not None and _is_rounded(int(word))
    return isinstance(word, int | np.integer) and abs(int(word)) > EXACT and _is_rounded(int(word))


def _is_rounded(number: int) -> bool:
    return abs(number) > LARGEST or int(float(number)) != number


def fit(values: Iterable[float], form: str, options: Json) -> Json:
    """raw: nothing to learn. scaled: median for the missing, mean, deviation. binned: the same and quantile edges.
    target: of a column that is answered, where nothing is missing: as scaled, and the least and the largest number.

    All know the quantiles from 0 to 100 % in steps of 5, to six digits, so that a number can be called low or high.
    """
    column = np.array(list(values), np.float64)
    present = column[~np.isnan(column)]
    if form == "raw":
        return {"form": "raw", "quantiles": _quantiles(present)}
    if not len(present):
        return {"form": form, "median": 0.0, "mean": 0.0, "deviation": 1.0, "edges": []}
    shares = np.linspace(0, 1, N_BINS + 1)[1:-1] if form == "binned" else np.empty(0)
    edges = np.unique(np.quantile(present, shares))
    ends = {"least": float(present.min()), "most": float(present.max())} if form == TARGET else {}
    return {
        "form": form,
        **ends,
        "median": float(np.median(present)),
        "mean": float(present.mean()),
        "deviation": _deviation(present),
        "edges": edges.tolist(),
        "quantiles": _quantiles(present),
    }


def _deviation(present: np.ndarray) -> float:
    """Above 0, in the unit of the numbers however small they are; of one number alone its magnitude, at most 1."""
    magnitude = float(np.abs(present).max())
    if magnitude < SMALLEST:
        return 1.0
    is_constant = np.ptp(present) <= max(CONSTANT * magnitude, SMALLEST)
    return min(magnitude, 1.0) if is_constant else float(present.std())


def _quantiles(present: np.ndarray) -> list[float]:
    if not len(present):
        return []
    return [float(f"{value:.6g}") for value in np.quantile(present, np.linspace(0, 1, N_QUANTILES))]


def encode(values: Sequence[float], state: Json) -> np.ndarray:
    """raw -> (n, 1) with NaN; scaled -> (n, 2): deviations from the mean (clipped to 8), is missing;
    binned -> (n, 2 + edges): the same and one place for each edge that the number exceeds; target -> (n,) float64,
    deviations from the mean. Raises: DataError: a target is missing."""
    column = np.array(values, np.float64)
    if state["form"] == "raw":
        return column.astype(np.float32)[:, None]
    missing = np.isnan(column)
    if state["form"] == TARGET:
        if missing.any():
            raise DataError("number is missing, expected one to learn from or to judge by")
        return np.asarray((column - state["mean"]) / state["deviation"])
    filled = np.where(missing, state["median"], column)
    scaled = np.clip((filled - state["mean"]) / state["deviation"], -8, 8)
    parts = [scaled[:, None], missing[:, None]]
    if state["form"] == "binned":
        parts.append((filled[:, None] > np.array(state["edges"])[None, :]) & ~missing[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)


def decode(scores: np.ndarray, state: Json) -> np.ndarray:
    """The numbers (n,) float64 of scores (n, k), the first of which is in deviations from the mean, or on the scale of
    the link that the state has."""
    first, link = scores[:, 0].astype(np.float64), state.get(LINK)
    return recovered(first, state) if link is None else links.back(first, link)


def recovered(targets: np.ndarray, state: Json) -> np.ndarray:
    """The numbers (n,) float64 of encoded targets (n,), in deviations from the mean."""
    return np.asarray(state["mean"] + state["deviation"] * targets.astype(np.float64))


def basis(scores: np.ndarray, state: Json) -> np.ndarray | None:
    """The two quantiles (n, 2) float64 that scores (n, 3) hold beside the number; None: they hold none."""
    if scores.shape[1] < 3:
        return None
    return np.asarray(state["mean"] + state["deviation"] * scores[:, 1:].astype(np.float64))


def rounded(value: float, state: Json) -> float:
    """The number with as many digits as are of use: to the hundred-thousandth part of the deviation, or less."""
    return round(value, 5 - math.floor(math.log10(state["deviation"])))


def places(state: Json) -> int:
    """Decimals that an answer deserves where people read it, below 0 for tens and hundreds: two digits of half of its
    interval, or three of the deviation where it has none.

    Source: Guide to the expression of uncertainty in measurement, JCGM 100:2008, 7.2.6.
    """
    half = state.get(HALF)
    return decimals(half, 2) if half else decimals(state["deviation"], 3)


def decimals(size: float, digits: int) -> int:
    """After which decimal a number above 0 has so many digits."""
    return digits - 1 - math.floor(math.log10(float(f"{size:.{digits - 1}e}")))


def fault(manifest: Manifest) -> str:
    """What is wrong with how an artifact answers numbers; '' when nothing is."""
    state = manifest.output.state
    if not all(is_finite(state.get(name)) for name in ("mean", "median", "least", "most", "deviation")):
        return f"output '{manifest.output.name}' has no finite mean and deviation, expected both"
    if state["deviation"] <= 0:
        return f"deviation is {state['deviation']!r}, expected a number above 0"
    half = state.get(HALF, 0.0)
    if not is_finite(half) or half < 0:
        return f"half of the interval is {half!r}, expected a number from 0 on"
    if LINK in state and (found := links.fault(state[LINK])):
        return found
    if COSTS in state and (found := costs.side_fault(state[COSTS])):
        return found
    if not isinstance(state.get(UNIT, ""), str):
        return "the unit of the answer is no text"
    try:
        ranges(state)
    except ValueError as error:
        return str(error)
    return ""


def ranges(state: Json) -> Ranges | None:
    """How the width of an interval follows the row; None: it does not. Raises: ValueError: it is damaged."""
    found = state.get(RANGES)
    if found is None:
        return None
    if not isinstance(found, dict):
        raise ValueError(f"ranges of the interval are {str(found)[:80]!r}, expected edges and margins")
    return Ranges.from_json(found)


def n_scores(state: Json) -> int:
    """One, the number; two more where the interval begins at quantiles that the model gives."""
    found = ranges(state)
    return 3 if found is not None and found.by == QUANTILES else 1


def portable(value: Any, root: Path | None) -> float | None:
    return _sent(parse(value))


def _sent(number: float) -> float | None:
    return None if math.isnan(number) else number


def background(state: Json) -> list[tuple[float, float]]:
    """Every second quantile, 5 % to 95 %; of a state without them the median, or a missing value."""
    found = state.get("quantiles", [])[1::2]
    return [(value, 1 / len(found)) for value in found] or [(state.get("median", math.nan), 1.0)]


def percentile(value: float, state: Json) -> float | None:
    """Share of the training rows below the number, 0-100, ties half; None where it is not known."""
    quantiles = np.array(state.get("quantiles", []), np.float64)
    if not len(quantiles) or math.isnan(value):
        return None
    shares = np.linspace(0, 100, len(quantiles))
    same = quantiles == float(f"{value:.6g}")
    return float(shares[same].mean() if same.any() else np.interp(value, quantiles, shares))


def describe(value: float, state: Json) -> str:
    """`is 12,000, low (12th percentile of the training rows)`."""
    if math.isnan(value):
        return "is missing"
    place = percentile(value, state)
    if place is None:
        return f"is {_plain(value)}"
    if place <= LOW[1]:
        word = "very low" if place <= LOW[0] else "low"
    elif place >= HIGH[1]:
        word = "very high" if place >= HIGH[0] else "high"
    else:
        word = "usual"
    return f"is {_plain(value)}, {word} ({_ordinal(round(place))} percentile of the training rows)"


def unknown(values: Sequence[float], state: Json) -> dict[int, str]:
    """`is -5,000, below all that training knew (0 to 34)`."""
    known = state.get("quantiles", [])
    if not known:
        return {}
    low, high = known[0], known[-1]
    margin = max(MARGIN * (high - low), 1e-5 * max(abs(low), abs(high)))  # the ends are known to six digits
    found = {}
    for number, value in enumerate(values):
        if value < low - margin or value > high + margin:
            side = "below" if value < low else "above"
            found[number] = f"is {_plain(value)}, {side} all that training knew ({_plain(low)} to {_plain(high)})"
    return found


def _plain(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.6g}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def learn(values: Iterable[float]) -> Json:
    """The quantiles that a profile counts in."""
    return {"grid": learn_grid([value for value in values if value == value], N_SKETCH)}


def profile(value: float, state: Json) -> Profile:
    """The bin of the number: 0 missing, then below what was known, its quantiles, above."""
    return [grid_code(value, state["grid"])]


def traits(state: Json) -> tuple[Trait, ...]:
    width = grid_width(state["grid"])
    return (
        Trait("missing", "rate", 0, width, (MISSING,)),
        Trait("values", "ordered", 0, width, scale=grid_scale(state["grid"])),
        Trait("outside", "rate", 0, width, (1, width - 1)),
    )


KIND = Kind(
    name="number",
    forms=("scaled", "binned", "raw", TARGET),
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    portable=portable,
    stored_as=float,
    background=background,
    describe=describe,
    sketch=Sketch(learn, profile, traits),
    as_written=as_written,
    fault=fault,
    n_scores=n_scores,
    doubt=doubt,
    unknown=unknown,
    advice=lambda values: _advice(values, ""),
    size=Size(
        float, ("low", "high"), "is at most {low:g}", "is at least {high:g}", "is over {low:g} and under {high:g}"
    ),
    answers=Sketch(learn, lambda answer, state: profile(answer.value, state), traits),
)
