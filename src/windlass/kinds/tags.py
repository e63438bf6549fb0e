"""Several labels of one row: a list of names, in no order and each once; an empty list is an answer, too."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np

from windlass.errors import DataError
from windlass.kinds import category
from windlass.kinds.contract import Kind, has_surrogate, is_finite, is_missing, shown
from windlass.kinds.formats import tags_format
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait
from windlass.records import Answer, Json, Manifest

MOST_CHARACTERS, MOST_TAGS = 200, 1_000
"""Of a tag, and tags of a row."""
N_NEXT = 3
"""Tags that an answer names besides those that it gives: the next likeliest."""
THRESHOLDS, WHOLE = "thresholds", "whole"
"""Of an output's state: the probability from which on each tag is said; slope and shift of the log-odds that the whole
answer is right."""
SAID_ALONE = 0.5
N_KNOWN, MOST_COUNTED = 40, 12
YES, NO = frozenset({"1", "true", "yes", "y", "x"}), frozenset({"0", "false", "no", "n", ""})
Parts = Callable[[str], list[str]]


def normal(tag: str) -> str:
    """The tag in its one form: NFKC, without white space around it or twice inside."""
    return " ".join(normalize("NFKC", tag).strip(category.INVISIBLE).split())


def check(value: Any) -> str | None:
    return _fault(value, tags_format.parted)


def _fault(value: Any, parted: Parts) -> str | None:
    if _is_absent(value):
        return None
    found = _elements(value, parted)
    if found is None:
        return f"is {shown(value)}, expected a list of tags"
    if len(found) > MOST_TAGS:
        return f"has {len(found):,} tags, expected at most {MOST_TAGS:,}"
    is_listed = _is_listed(value)
    return next((fault for each in found if (fault := _fault_of(each, is_listed))), None)


def _fault_of(tag: Any, is_listed: bool) -> str:
    if not isinstance(tag, str):
        return f"holds {shown(tag)}, expected tags that are text"
    if has_surrogate(tag):
        return "holds half of a surrogate pair, expected valid Unicode"
    if len(tag) > MOST_CHARACTERS:
        return f"holds a tag of {len(tag):,} characters, expected at most {MOST_CHARACTERS}"
    return "holds an empty tag, expected names" if is_listed and not normal(tag) else ""


def _is_absent(value: Any) -> bool:
    return is_missing(value) or (isinstance(value, str) and not value.strip())


def _is_listed(value: Any) -> bool:
    return not isinstance(value, str) or tags_format.listed(value.strip()) is not None


def _elements(value: Any, parted: Parts) -> list[Any] | None:
    """What the value lists, as it stands there; None where it is no list."""
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text[:1] == "[":
        return tags_format.listed(text)
    return parted(normalize("NFKC", text))


def read(value: Any, root: Path | None) -> list[str] | None:
    """The tags, each once and in one order; None where nobody has said."""
    return _read(value, tags_format.parted)


def _read(value: Any, parted: Parts) -> list[str] | None:
    if fault := _fault(value, parted):
        raise DataError(f"tags {fault}")
    if _is_absent(value):
        return None
    return sorted({tag for each in _elements(value, parted) or [] if (tag := normal(each))})


def kept(tags: Sequence[str] | None) -> str:
    """The tags as the table of rows keeps them: a list as JSON, '' where nobody has said."""
    return "" if tags is None else json.dumps(list(tags), ensure_ascii=False)


def clean(value: Any, root: Path | None) -> str:
    return kept(read(value, root))


def doubt(value: Any) -> str:
    return _doubt(value, tags_format.parted)


def _doubt(value: Any, parted: Parts) -> str:
    """A tag that stands there twice, or is empty between two marks, is told."""
    if _is_absent(value):
        return ""
    found = [normal(each) for each in _elements(value, parted) or []]
    if "" in found and len(found) > 1:
        return "tag that is empty, which is left out"
    return "tag that stands there twice, which counts once" if len(set(found)) < len(found) else ""


def _other_mark(value: Any, parted: Parts) -> str:
    """A tag that holds what parts tags elsewhere: one cell in another form than its column's."""
    if not isinstance(value, str) or _is_listed(value):
        return ""
    found = [tag for each in parted(normalize("NFKC", value.strip())) if (tag := normal(each))]
    mark = next((mark for mark in tags_format.MARKS if any(mark in tag for tag in found)), "")
    return f"tag with '{mark}' in it, which `formats` does not part" if mark and len(found) == 1 else ""


def as_written(how: Json) -> Kind:
    """Tags of a column. `how["format"]`: an example of how several are written; `how["merge"]`: what is found -> what
    it is called, '' = it says nothing; `how["labels"]`: what differs in case alone from one of them is that one;
    `how["columns"]`: a value is an object of them, of which those that say yes are tags.
    Raises: SpecError: it is no example."""
    parted = tags_format.parse(str(how["format"])).parts if "format" in how else tags_format.parted
    merged = {normal(found): normal(name) for found, name in how.get("merge", {}).items()}
    known = frozenset(how.get("labels", ()))
    forms = {label.casefold(): label for label in sorted(known, reverse=True)}

    def called(tag: str) -> str:
        name = merged.get(tag, tag)
        return name if name in known else forms.get(name.casefold(), name)

    def read_it(value: Any, root: Path | None) -> list[str] | None:
        if "columns" in how and isinstance(value, Mapping):
            value = from_columns(value, how["columns"])
        found = _read(value, parted)
        return None if found is None else sorted({name for tag in found if (name := called(tag))})

    return replace(
        KIND,
        check=lambda value: _fault(value, parted),
        read=read_it,
        clean=lambda value, root: kept(read_it(value, root)),
        portable=read_it,
        doubt=lambda value: _doubt(value, parted) or (_other_mark(value, parted) if "format" in how else ""),
    )


def from_columns(values: Mapping[str, Any], names: Sequence[str]) -> list[str] | None:
    """The names of the columns that say yes; None where all are empty. Raises: DataError: one says something else."""
    cells = {name: category.read(values.get(name), None).lower() for name in names}
    for name, cell in cells.items():
        if cell not in YES and cell not in NO:
            raise DataError(f"column '{name}' is {shown(values.get(name))}, expected 1 or 0: a tag or not")
    return [name for name, cell in cells.items() if cell in YES] if any(cells.values()) else None


def fit(values: Iterable[Sequence[str]], form: str, options: Json) -> Json:
    """Every tag, in order, with its rows, and how many rows there are."""
    rows = list(values)
    counts = Counter(tag for row in rows for tag in row)
    labels = sorted(counts)
    return {"form": "tags", "labels": labels, "counts": [counts[label] for label in labels], "rows": len(rows)}


def encode(values: Sequence[Sequence[str] | None], state: Json) -> np.ndarray:
    """(n, k) float32: 1 where a row has the tag. Tags that were not there when the state was fitted have no column.

    Raises: DataError: a row of which nobody has said what is right.
    """
    place = {label: number for number, label in enumerate(state["labels"])}
    batch = np.zeros((len(values), len(place)), np.float32)
    for number, row in enumerate(values):
        if row is None:
            raise DataError("tags are missing, expected a list of them, empty where a row has none")
        batch[number, [place[tag] for tag in row if tag in place]] = 1
    return batch


def thresholds(state: Json) -> np.ndarray:
    """(k,) the probability from which on each tag is said."""
    return np.array(state.get(THRESHOLDS) or [SAID_ALONE] * len(state["labels"]), np.float64)


def whole_log_odds(probabilities: np.ndarray, said: np.ndarray) -> np.ndarray:
    """(n,) log-odds that all of (n, k) yes and no are right, were each a matter of chance for itself."""
    shares = np.clip(np.where(said, probabilities, 1 - probabilities), 1e-9, 1.0)
    logs = np.minimum(np.log(shares).sum(axis=1), -1e-9)
    return np.asarray(logs - np.log(-np.expm1(logs)))


def confidence(probabilities: np.ndarray, state: Json) -> np.ndarray:
    """(n,) how likely the whole answer is right, as validation rows have shown."""
    slope, shift = state.get(WHOLE) or (1.0, 0.0)
    odds = slope * whole_log_odds(probabilities, probabilities >= thresholds(state)) + shift
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


def decode(probabilities: np.ndarray, state: Json) -> list[Answer]:
    """Answers from (n, k) probabilities: the tags that are said, the likeliest first. Alternatives: all of these and
    the next likeliest, each with its own probability."""
    labels, said = state["labels"], probabilities >= thresholds(state)
    order, sure = np.argsort(-probabilities, axis=1, kind="stable"), confidence(probabilities, state)
    answers = []
    for number, row in enumerate(probabilities):
        given = [int(place) for place in order[number] if said[number, place]]
        others = [int(place) for place in order[number] if not said[number, place]][:N_NEXT]
        ranked = tuple((labels[place], float(row[place])) for place in (*given, *others))
        answers.append(Answer([labels[place] for place in given], float(sure[number]), ranked))
    return answers


def fault(manifest: Manifest) -> str:
    """What is wrong with the tags of an artifact, how they are calibrated, or what decides whether one is said."""
    state, labels = manifest.output.state, manifest.output.state.get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        return f"output '{manifest.output.name}' has no tags, expected at least one"
    if len(set(labels)) != len(labels):
        return "its tags are not different names, expected each once"
    if not is_finite(manifest.temperature) or manifest.temperature <= 0:
        return f"temperature is {manifest.temperature!r}, expected a number above 0"
    for name, length in (("shift", len(labels)), (THRESHOLDS, len(labels)), (WHOLE, 2)):
        found: Any = list(manifest.shift) if name == "shift" else state.get(name, [])
        if found and not (isinstance(found, list) and len(found) == length and all(map(is_finite, found))):
            return f"{name} is {str(found)[:80]}, expected {length} numbers"
    return ""


def learn(values: Iterable[Sequence[str] | None]) -> Json:
    """The commonest tags."""
    counts = Counter(tag for row in values for tag in row or ())
    return {"known": [name for name, _ in counts.most_common(N_KNOWN)]}


def profile(value: Sequence[str] | None, state: Json) -> Profile:
    """How many tags (0: not said, then one more than there are); of each known one 1 or 2, of all others together."""
    known: list[str] = state["known"]
    if value is None:
        return [MISSING] * (len(known) + 2)
    found = set(value)
    more = len(found - set(known)) > 0
    return [1 + min(len(found), MOST_COUNTED), *(1 + (name in found) for name in known), 1 + more]


def traits(state: Json) -> tuple[Trait, ...]:
    width = MOST_COUNTED + 2
    scale = (0.0, *(float(count) for count in range(MOST_COUNTED + 1)))
    shares = [Trait(f"tag '{name}'", "rate", place, 3, (2,)) for place, name in enumerate(state["known"], 1)]
    return (
        Trait("missing", "rate", 0, width, (MISSING,)),
        Trait("number of tags", "ordered", 0, width, scale=scale),
        *shares,
        Trait("other tags", "rate", len(shares) + 1, 3, (2,)),
    )


def effort(value: Any) -> int:
    if isinstance(value, list | tuple):
        return sum(len(each) if isinstance(each, str) else 1 for each in value)
    return len(value) if isinstance(value, str) else 0


KIND = Kind(
    name="tags",
    forms=(),
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    clean=clean,
    portable=read,
    fault=fault,
    n_scores=lambda state: len(state["labels"]),
    sketch=Sketch(learn, profile, traits),
    answers=Sketch(learn, lambda answer, state: profile(answer.value, state), traits),
    as_written=as_written,
    doubt=doubt,
    effort=effort,
)
