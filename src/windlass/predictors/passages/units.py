"""Passages as sequences of units, words and single CJK characters, by sentence: what features are made of."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.language.sentences import spans
from windlass.predictors.passages.tensors import read_tensors, write_tensors
from windlass.predictors.passages.terms import MOST_CHARACTERS, RUN, is_cjk, singular

FILE = "units.safetensors"
DIGIT, NAME = 1, 2
"""Marks of a unit: it holds a digit; it is written with a capital, or in Latin letters among CJK, or in title marks."""
TITLED = re.compile(r"[《“「『\"]([^》”」』\"]{1,40})[》”」』\"]")
UNKNOWN = -1


@dataclass(frozen=True)
class Units:
    """Units of one text. ids (m,) int32 numbers of the vocabulary, `UNKNOWN` where it has none; marks (m,) uint8;
    sentences (m,) int32, from 0 on."""

    ids: np.ndarray
    marks: np.ndarray
    sentences: np.ndarray


def of_text(text: str, numbers: Mapping[str, int]) -> Units:
    """The units of a text as the vocabulary numbers them."""
    ids, marks, sentences = list[int](), list[int](), list[int]()
    text = unicodedata.normalize("NFKC", text)
    titled = [found.span(1) for found in TITLED.finditer(text)]
    for number, (start, end) in enumerate(spans(text) or [(0, len(text))]):
        for place, found in enumerate(RUN.finditer(text, start, end)):
            inside = any(first <= found.start() < last for first, last in titled)
            for word in _words(found.group()):
                ids.append(numbers.get(word, UNKNOWN))
                marks.append(_marks(found.group(), inside, place == 0))
                sentences.append(number)
    return Units(np.array(ids, np.int32), np.array(marks, np.uint8), np.array(sentences, np.int32))


def of_question(question: str, numbers: Mapping[str, int]) -> Units:
    """The units of a question, as far as it is read."""
    return of_text(question[:MOST_CHARACTERS], numbers)


def _words(run: str) -> list[str]:
    folded = run.casefold()
    return list(folded) if is_cjk(folded) else [singular(folded)]


def _marks(run: str, inside: bool, is_first: bool) -> int:
    has_digit = any(letter.isdigit() for letter in run)
    is_name = inside or (run[0].isupper() and not is_first and not is_cjk(run))
    return DIGIT * has_digit + NAME * is_name


@dataclass(frozen=True)
class PassageUnits:
    """The units of all passages, one after the other; starts (n + 1,) int64 is where each begins."""

    starts: np.ndarray
    ids: np.ndarray
    marks: np.ndarray
    sentences: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, passage: int) -> Units:
        here = slice(self.starts[passage], self.starts[passage + 1])
        return Units(self.ids[here], self.marks[here], self.sentences[here])

    @cached_property
    def mean_length(self) -> float:
        return float(np.diff(self.starts).mean()) if len(self) else 0.0

    def save(self, folder: Path) -> None:
        parts = {"starts": self.starts, "ids": self.ids, "marks": self.marks, "sentences": self.sentences}
        write_tensors(folder / FILE, parts)


def build(passages: Sequence[str], numbers: Mapping[str, int]) -> PassageUnits:
    return _joined([of_text(text, numbers) for text in passages])


def merge(
    old: PassageUnits, renumbered: np.ndarray, kept: np.ndarray, new: Sequence[str], numbers: Mapping[str, int]
) -> PassageUnits:
    """The units of passages most of which `old` has; its arguments are those of `bm25.merge` and what that gave."""
    ids = np.append(renumbered, UNKNOWN).astype(np.int32)[old.ids]  # the last one is that of `UNKNOWN`
    before, added = replace(old, ids=ids), iter(of_text(text, numbers) for text in new)
    return _joined([before.of(place) if place >= 0 else next(added) for place in kept.tolist()])


def _joined(found: Sequence[Units]) -> PassageUnits:
    starts = np.cumsum([0, *(len(each.ids) for each in found)], dtype=np.int64)
    empty = [Units(np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.int32))]
    return PassageUnits(
        starts,
        np.concatenate([each.ids for each in found or empty]),
        np.concatenate([each.marks for each in found or empty]),
        np.concatenate([each.sentences for each in found or empty]),
    )


def load(folder: Path, n_terms: int) -> PassageUnits:
    """Raises: NotReady: it is not there. DataError: it is damaged."""
    found = PassageUnits(**read_tensors(folder / FILE, {"starts", "ids", "marks", "sentences"})[0])
    n_units = len(found.ids)
    is_sound = (
        found.ids.shape == found.marks.shape == found.sentences.shape == (n_units,)
        and found.starts.ndim == 1
        and len(found.starts) > 0
        and int(found.starts[0]) == 0
        and int(found.starts[-1]) == n_units
        and bool((np.diff(found.starts) >= 0).all())
        and (not n_units or (int(found.ids.min()) >= UNKNOWN and int(found.ids.max()) < n_terms))
        and (not n_units or int(found.sentences.min()) >= 0)
    )
    if not is_sound:
        raise DataError(f"{folder / FILE} is damaged, expected the units of the passages")
    return found
