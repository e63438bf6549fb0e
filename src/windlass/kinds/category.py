"""One of a set of names: as an input, and as the output that a classifier gives."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Kind, has_surrogate, is_missing, shown
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait, digest
from windlass.metrics import Threshold
from windlass.records import Answer, Json

MAX_CHARACTERS = 500
MAX_LEVELS = 1_000
N_ALTERNATIVES = 3
N_BACKGROUND = 8
N_STRANGE = 8
THRESHOLD = "threshold"
"""Of an output's state, where one is set: {label: the share from which on it is the answer}."""
"""Codes that names which training did not know share by their hash."""


def check(value: Any) -> str | None:
    if is_missing(value):
        return None
    if not isinstance(value, str | int | float | bool | np.generic):
        return f"is {type(value).__name__}, expected a name"
    if isinstance(value, int) and abs(value) >= 10**MAX_CHARACTERS:  # before str(), which refuses 4,300 digits
        return f"is {shown(value)}, expected a name of at most {MAX_CHARACTERS} characters"
    if len(str(value)) > MAX_CHARACTERS:
        return f"has {len(str(value)):,} characters, expected a name of at most {MAX_CHARACTERS}"
    if has_surrogate(str(value)):
        return "holds half of a surrogate pair, expected valid Unicode"
    return None


def read(value: Any, root: Path | None) -> str:
    """The name; whole numbers lose their '.0', truth values are 'true' and 'false', a missing one is empty."""
    if type(value) is str and len(value) <= MAX_CHARACTERS and not has_surrogate(value):
        return value.strip()
    if is_missing(value):
        return ""
    fault = check(value)
    if fault:
        raise DataError(f"category {fault}")
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def fit(values: Iterable[str], form: str, options: Json) -> Json:
    """label: every name, in order, with its count. onehot and index: the names seen at least twice, commonest first."""
    counts = Counter(values)
    if form == "label":
        labels = sorted(label for label in counts if label != "")
        return {"form": "label", "labels": labels, "counts": [counts[label] for label in labels]}
    levels = sorted(level for level, count in counts.most_common(MAX_LEVELS) if level != "" and count > 1)
    return {"form": form, "levels": levels, "shares": [round(counts[level] / counts.total(), 5) for level in levels]}


def encode(values: Sequence[str], state: Json) -> np.ndarray:
    """label -> (n,) int64. onehot -> (n, levels + 2): the level, other, missing.
    index -> (n, 1): the level number, other = levels, missing NaN.

    Raises: DataError: a label that was not there when the state was fitted.
    """
    if state["form"] == "label":
        place = {label: number for number, label in enumerate(state["labels"])}
        unknown = sorted({value for value in values if value not in place})
        if unknown:
            raise DataError(f"label is '{unknown[0]}', expected one that occurs in the training rows")
        return np.array([place[value] for value in values], np.int64)
    levels = state["levels"]
    place = {level: number for number, level in enumerate(levels)}
    other, missing = len(levels), len(levels) + 1
    codes = np.array([missing if value == "" else place.get(value, other) for value in values], np.int64)
    if state["form"] == "index":
        return np.where(codes == missing, np.nan, codes).astype(np.float32)[:, None]
    return np.eye(len(levels) + 2, dtype=np.float32)[codes]


def decode(probabilities: np.ndarray, state: Json) -> list[Answer]:
    """Answers from (n, k) probabilities: the likeliest label, or the one that the threshold takes, and the next ones.
    """
    labels = state["labels"]
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, : N_ALTERNATIVES + 1]
    decides = threshold(state)
    if decides is not None:
        said = decides.answers(probabilities)
        order = np.stack([said, 1 - said], axis=1)
    answers = []
    for row, places in zip(probabilities, order, strict=True):
        ranked = [(labels[place], float(row[place])) for place in places]
        answers.append(Answer(value=ranked[0][0], confidence=ranked[0][1], alternatives=tuple(ranked[1:])))
    return answers


def background(state: Json) -> list[tuple[str, float]]:
    """The commonest levels, with their shares of the rows that have one of them."""
    levels = state.get("levels", [])
    shares = state.get("shares", [1.0] * len(levels))
    common = sorted(zip(levels, shares, strict=True), key=lambda pair: -pair[1])[:N_BACKGROUND]
    total = sum(share for _, share in common)
    return [(level, share / total) for level, share in common] or [("", 1.0)]


def describe(value: str, state: Json) -> str:
    """`is 'car' (12 % of the training rows)`."""
    levels = state.get("levels", [])
    if value == "":
        return "is missing"
    if value not in levels:
        return f"is {shown(value)}, which training did not know (new or rare)"
    shares = state.get("shares")
    return f"is {shown(value)}" + (f" ({shares[levels.index(value)]:.0%} of the training rows)" if shares else "")


def learn(values: Iterable[str]) -> Json:
    """The commonest names, in the order of their codes."""
    counts = Counter(value for value in values if value != "")
    return {"known": [name for name, _ in counts.most_common(MAX_LEVELS)]}


def profile(value: str, state: Json) -> Profile:
    """The number of the name: 0 missing, 1-8 one that was not known, by its hash, then the known ones."""
    if value == "":
        return [MISSING]
    place = _codes(state).get(value)
    return [1 + digest(value)[0] % N_STRANGE if place is None else place]


_CODES: dict[int, tuple[Json, dict[str, int]]] = {}


def _codes(state: Json) -> dict[str, int]:
    """Name -> code, made once a state (kept for the last few)."""
    found = _CODES.get(id(state))
    if found is None or found[0] is not state:
        if len(_CODES) > 64:
            _CODES.clear()
        found = (state, {name: 1 + N_STRANGE + number for number, name in enumerate(state["known"])})
        _CODES[id(state)] = found
    return found[1]


def traits(state: Json) -> tuple[Trait, ...]:
    width = 1 + N_STRANGE + len(state["known"])
    return (
        Trait("missing", "rate", 0, width, (MISSING,)),
        Trait("new", "rate", 0, width, tuple(range(1, 1 + N_STRANGE))),
        Trait("mix", "names", 0, width),
    )


def threshold(state: Json) -> Threshold | None:
    """What decides between two labels, of `threshold: {label: share}` in the state; None: the likelier one answers."""
    for label, share in state.get(THRESHOLD, {}).items():
        return Threshold(state["labels"].index(label), share)
    return None


def positive(state: Json) -> int:
    """The class that a binary score is about: the rarer one."""
    return int(np.argmin(state["counts"]))


KIND = Kind(
    name="category",
    forms=("onehot", "index", "label"),
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    portable=lambda value, root: read(value, root),
    decode=decode,
    metrics=("macro_f1", "accuracy", "macro_precision", "macro_recall", "roc_auc", "pr_auc"),
    background=background,
    describe=describe,
    sketch=Sketch(learn, profile, traits),
)
