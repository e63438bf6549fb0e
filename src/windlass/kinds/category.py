"""One of a set of names: as an input, and as the output that a classifier gives."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Kind, has_surrogate, is_finite, is_missing, shown
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait, digest
from windlass.metrics import costs
from windlass.metrics.measures import Threshold
from windlass.records import Answer, Json, Manifest

MAX_CHARACTERS = 500
MAX_LEVELS = 1_000
N_ALTERNATIVES = 3
N_BACKGROUND = 8
N_STRANGE = 8
THRESHOLD, COSTS = "threshold", "costs"
"""Of an output's state, where they are set: {label: the share from which on it is the answer}; what mistakes cost."""
"""Codes that names which training did not know share by their hash."""
WHOLE = re.compile(r"([+-]?)(0|[1-9][0-9]*)\.0+")
"""A whole number as a float is written; `02.0` and `1.10` are names."""
TRUTH = frozenset({"true", "false"})
INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
LEAST_LETTERS, RARE = 4, 0.05
"""A slip of the pen is looked for in words of so many letters, on names that are so much rarer than the right one."""


def check(value: Any) -> str | None:
    if is_missing(value):
        return None
    if not isinstance(value, str | int | float | bool | np.generic | Decimal):
        return f"is {type(value).__name__}, expected a name"
    if isinstance(value, int) and abs(value) >= 10**MAX_CHARACTERS:  # before str(), which refuses 4,300 digits
        return f"is {shown(value)}, expected a name of at most {MAX_CHARACTERS} characters"
    if len(str(value)) > MAX_CHARACTERS:
        return f"has {len(str(value)):,} characters, expected a name of at most {MAX_CHARACTERS}"
    if has_surrogate(str(value)):
        return "holds half of a surrogate pair, expected valid Unicode"
    return None


def read(value: Any, root: Path | None) -> str:
    """The name in its one form: trimmed, a whole number without '.0', truth values in small letters, missing empty."""
    name = named(value)
    if name[-1:] == "0" and (found := WHOLE.fullmatch(name)):
        return found[2] if found[1] != "-" or found[2] == "0" else f"-{found[2]}"
    return name.lower() if len(name) < 6 and name.lower() in TRUTH else name


def named(value: Any) -> str:
    """The name as it is spelled, trimmed. Raises: DataError."""
    if type(value) is str and len(value) <= MAX_CHARACTERS and not has_surrogate(value):
        return _trimmed(value)
    if is_missing(value):
        return ""
    fault = check(value)
    if fault:
        raise DataError(f"category {fault}")
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return _trimmed(str(value))


def _trimmed(word: str) -> str:
    name = word.strip()
    while name and (name[0] in INVISIBLE or name[-1] in INVISIBLE):
        name = name.strip(INVISIBLE).strip()
    return name


def as_written(how: Json) -> Kind:
    """Labels, which keep their spelling. `how["merge"]`: what is found -> what it is called; `how["labels"]`, if there
    are any: what is written otherwise and means one of them is that one."""
    merged = {named(found): named(name) for found, name in how["merge"].items()}
    labels: list[str] = how.get("labels", [])
    forms = {_folded(label): label for label in reversed(labels)}
    known = frozenset(labels)

    def read_it(value: Any, root: Path | None) -> str:
        name = named(value)
        name = merged.get(name, name)
        return name if name in known else forms.get(_folded(name), name)

    return replace(KIND, read=read_it, portable=read_it)


def variants(counts: Mapping[str, int]) -> dict[str, str]:
    """Names that differ in case, width, inner spaces or the form of a number alone -> the commonest of them."""
    alike: dict[str, list[str]] = {}
    for name in counts:
        alike.setdefault(_folded(name), []).append(name)
    found = {}
    for names in alike.values():
        first = max(names, key=lambda name: (counts[name], name == name.lower(), name))
        found.update({name: first for name in names if name != first})
    return dict(sorted(found.items()))


def _folded(name: str) -> str:
    """What names have in common that differ in their form alone."""
    word = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    try:
        return f"{float(word):.17g}" if any(sign.isdigit() for sign in word) else word
    except ValueError:
        return word


def slips(counts: Mapping[str, int]) -> dict[str, str]:
    """Rare names that are one slip of the pen away from a frequent one -> that one; what `variants` finds left out."""
    names = sorted(counts, key=lambda name: (-counts[name], name))
    same, found = variants(counts), {}
    places: dict[str, list[str]] = {}
    for name in names:
        for key in {name.casefold()[:place] + name.casefold()[place + 1 :] for place in range(len(name) + 1)}:
            places.setdefault(key, []).append(name)
    for near in places.values():
        frequent = near[0]
        for name in near[1:]:
            is_rare = counts[name] <= RARE * counts[frequent]
            if is_rare and name not in same and name not in found and _is_slip(name, frequent):
                found[name] = same.get(frequent, frequent)
    return {name: found.get(into, into) for name, into in sorted(found.items())}


def _is_slip(name: str, other: str) -> bool:
    """True when one letter more, less or other, or two exchanged, in a word of some letters makes one the other."""
    words, others = (re.split(r"[\W\d_]+", each.casefold()) for each in (name, other))
    digits = [re.sub(r"[^\W\d_]", "", each) for each in (name, other)]
    if len(words) != len(others) or digits[0] != digits[1]:
        return False
    pairs = [(word, right) for word, right in zip(words, others, strict=True) if word != right]
    return len(pairs) == 1 and min(map(len, pairs[0])) >= LEAST_LETTERS and _is_one_edit(*pairs[0])


def _is_one_edit(word: str, other: str) -> bool:
    pairs = enumerate(zip(word, other, strict=False))
    start = next((place for place, (sign, right) in pairs if sign != right), min(len(word), len(other)))
    word, other = word[start:], other[start:]
    exchanged = len(word) > 1 and word[1::-1] + word[2:] == other
    return exchanged or word[1:] == other[1:] or word[1:] == other or word == other[1:]


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
    place, other = _places(state), len(state["levels"])
    missing = other + 1
    codes = np.array([missing if value == "" else place.get(value, other) for value in values], np.int64)
    if state["form"] == "index":
        return np.where(codes == missing, np.nan, codes).astype(np.float32)[:, None]
    return np.eye(other + 2, dtype=np.float32)[codes]


def decode(probabilities: np.ndarray, state: Json) -> list[Answer]:
    """Answers from (n, k) probabilities: the likeliest label, or the one the threshold takes, and the next ones."""
    labels = state["labels"]
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, : N_ALTERNATIVES + 1]
    decides = threshold(state)
    if decides is not None:
        said = decides.answers(probabilities)
        order = np.stack([said, 1 - said], axis=1)
    table = costs.table_of(state)
    if table is not None:
        least = np.argsort(table.expected(probabilities) - 1e-9 * probabilities, axis=1, kind="stable")
        order = least[:, : N_ALTERNATIVES + 1]
    answers = []
    for row, places in zip(probabilities, order, strict=True):
        ranked = [(labels[place], float(row[place])) for place in places]
        answers.append(Answer(value=ranked[0][0], confidence=ranked[0][1], alternatives=tuple(ranked[1:])))
    return answers if table is None or table.review is None else _handed_over(answers, probabilities, table)


def _handed_over(answers: list[Answer], probabilities: np.ndarray, table: costs.CostTable) -> list[Answer]:
    """The same, those that a person answers cheaper marked, with what each would cost."""
    expected, unit = table.expected(probabilities).min(axis=1).tolist(), f" {table.unit}".rstrip()
    return [
        replace(
            answer,
            hand_over=True,
            evidence=(*answer.evidence, f"hand over: this answer is expected to cost {cost:.4g}{unit}, "
                                        f"a person's look {table.review:g}{unit}"),
        ) if is_dear else answer
        for answer, cost, is_dear in zip(answers, expected, table.handed_over(probabilities).tolist(), strict=True)
    ]  # fmt: skip


def background(state: Json) -> list[tuple[str, float]]:
    """The commonest levels, with their shares of the rows that have one of them."""
    levels = state.get("levels", [])
    shares = state.get("shares", [1.0] * len(levels))
    common = sorted(zip(levels, shares, strict=True), key=lambda pair: -pair[1])[:N_BACKGROUND]
    total = sum(share for _, share in common)
    return [(level, share / total) for level, share in common] or [("", 1.0)]


def describe(value: str, state: Json) -> str:
    """`is 'car' (12 % of the training rows)`."""
    if value == "":
        return "is missing"
    if value not in _places(state):
        return f"is {shown(value)}, which training did not know (new or rare)"
    shares = state.get("shares")
    return f"is {shown(value)}" + (f" ({shares[_places(state)[value]]:.0%} of the training rows)" if shares else "")


def unknown(values: Sequence[str], state: Json) -> dict[int, str]:
    """`is '7', which training did not know (new or rare)`."""
    known = _places(state)
    strange = (number for number, value in enumerate(values) if value != "" and value not in known)
    return {number: describe(values[number], state) for number in strange}


def learn(values: Iterable[str]) -> Json:
    """The commonest names, in the order of their codes."""
    counts = Counter(value for value in values if value != "")
    return {"known": [name for name, _ in counts.most_common(MAX_LEVELS)]}


def profile(value: str, state: Json) -> Profile:
    """The number of the name: 0 missing, 1-8 one that was not known, by its hash, then the known ones."""
    if value == "":
        return [MISSING]
    place = _places(state).get(value)
    return [1 + digest(value)[0] % N_STRANGE if place is None else 1 + N_STRANGE + place]


_PLACES: dict[int, tuple[Json, dict[str, int]]] = {}


def _places(state: Json) -> dict[str, int]:
    """Name -> its number, made once a state (kept for the last few). Names of older artifacts are read as today."""
    found = _PLACES.get(id(state))
    if found is None or found[0] is not state:
        if len(_PLACES) > 64:
            _PLACES.clear()
        names: list[str] = state.get("levels") or state.get("known") or []
        found = (state, {read(name, None): number for number, name in enumerate(names)})
        _PLACES[id(state)] = found
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


def fault(manifest: Manifest) -> str:
    """What is wrong with the labels of an artifact, how they are calibrated, or what decides between two."""
    labels = manifest.output.state.get("labels")
    if not isinstance(labels, list) or not labels:
        return f"output '{manifest.output.name}' has no labels, expected at least one"
    if not all(isinstance(label, str) for label in labels) or len(set(labels)) != len(labels):
        return "its labels are not different names, expected each once"
    temperature = manifest.temperature
    if not is_finite(temperature) or temperature <= 0:
        return f"temperature is {temperature!r}, expected a number above 0"
    if manifest.shift and not (len(manifest.shift) == len(labels) and all(map(is_finite, manifest.shift))):
        return f"shift is {str(manifest.shift)[:80]}, expected a number a label"
    if COSTS in manifest.output.state and (found := costs.fault(manifest.output.state[COSTS], len(labels))):
        return found
    return _threshold_fault(manifest.output.state.get(THRESHOLD, {}), labels)


def _threshold_fault(decides: Any, labels: list[str]) -> str:
    if decides == {}:
        return ""
    is_one = isinstance(decides, dict) and len(decides) == 1 and len(labels) == 2
    if not is_one or not all(name in labels and is_finite(share) and 0 < share < 1 for name, share in decides.items()):
        return f"threshold is {str(decides)[:80]}, expected one of two labels with a share between 0 and 1"
    return ""


KIND = Kind(
    name="category",
    forms=("onehot", "index", "label"),
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    portable=lambda value, root: read(value, root),
    is_named=True,
    fault=fault,
    n_scores=lambda state: len(state["labels"]),
    background=background,
    describe=describe,
    sketch=Sketch(learn, profile, traits),
    as_written=as_written,
    unknown=unknown,
)
