"""BM25 over the terms of passages: postings in numpy, weighed when the index is built.

Source: Robertson & Zaragoza 2009, The probabilistic relevance framework, eq. 3.15; the idf of Lucene, which is above 0.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.passages.tensors import read_tensors, write_tensors
from windlass.predictors.passages.terms import MOST_CHARACTERS, terms
from windlass.store.files import write_text
from windlass.store.json_files import read_json

FILE, VOCABULARY = "bm25.safetensors", "vocabulary.json"
K1, B = 1.2, 0.75
"""Saturation of repeated terms and how much length counts: .9 and .4, 1.5 and .75 were within .005 of them."""


@dataclass(frozen=True)
class Bm25:
    """vocabulary: the terms in order; starts (v + 1,) int64: of each term its stretch of `places` (p,) int32, the
    passages that have it, and `weights` (p,) float32, what it adds to their score. rarity (v,) float32: its idf."""

    vocabulary: tuple[str, ...]
    starts: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    rarity: np.ndarray
    n_passages: int

    @cached_property
    def numbers(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.vocabulary)}

    def known(self, question: str) -> list[int]:
        """The numbers of the question's different terms that any passage has, in the order they are asked."""
        numbers = self.numbers
        asked = dict.fromkeys(terms(question[:MOST_CHARACTERS]))
        return [numbers[term] for term in asked if term in numbers]

    def scores(self, question: str) -> np.ndarray:
        """(n,) float32 of all passages, 0 where nothing is shared: of an empty question all are."""
        found = np.zeros(self.n_passages, np.float32)
        for term in self.known(question):
            here = slice(self.starts[term], self.starts[term + 1])
            found[self.places[here]] += self.weights[here]
        return found

    @property
    def rarest(self) -> float:
        """The idf of a term in no passage."""
        return _idf(0, self.n_passages)

    def rarity_of(self, term: str) -> float:
        """The idf of a term; of one that no passage has that of a term in none."""
        number = self.numbers.get(term)
        return self.rarest if number is None else float(self.rarity[number])

    def save(self, folder: Path) -> None:
        write_text(folder / VOCABULARY, json.dumps(list(self.vocabulary), ensure_ascii=False))
        parts = {"starts": self.starts, "places": self.places, "weights": self.weights, "rarity": self.rarity}
        write_tensors(folder / FILE, parts, {"n_passages": str(self.n_passages)})


def _idf(n_with: float, n_passages: int) -> float:
    return float(np.log1p((n_passages - n_with + 0.5) / (n_with + 0.5)))


def build(passages: Sequence[str]) -> Bm25:
    """The index of these texts; of none it finds nothing."""
    numbers: dict[str, int] = {}
    rows, columns, counts, lengths = list[int](), list[int](), list[int](), np.zeros(len(passages))
    for place, text in enumerate(passages):
        found = terms(text)
        lengths[place] = len(found)
        for term, count in Counter(found).items():
            rows.append(numbers.setdefault(term, len(numbers)))
            columns.append(place)
            counts.append(count)
    order = np.argsort(np.asarray(rows, np.int64), kind="stable")
    of_term, places = np.asarray(rows, np.int64)[order], np.asarray(columns, np.int32)[order]
    often = np.asarray(counts, np.float64)[order]
    n_with = np.bincount(of_term, minlength=len(numbers))
    rarity = np.log1p((len(passages) - n_with + 0.5) / (n_with + 0.5))
    size = lengths / (lengths.mean() or 1.0) if len(passages) else lengths
    weights = rarity[of_term] * often * (K1 + 1) / (often + K1 * (1 - B + B * size[places]))
    starts = np.cumsum([0, *n_with], dtype=np.int64)
    return Bm25(tuple(numbers), starts, places, weights.astype(np.float32), rarity.astype(np.float32), len(passages))


def load(folder: Path) -> Bm25:
    """Raises: NotReady: it is not there. DataError: it is damaged."""
    words = read_json(folder / VOCABULARY)
    parts, described = read_tensors(folder / FILE, {"starts", "places", "weights", "rarity"})
    try:
        n_passages = int(described.get("n_passages", ""))
    except ValueError:
        n_passages = -1
    found = Bm25(tuple(words) if isinstance(words, list) else (), **parts, n_passages=n_passages)
    if not _is_sound(found):
        raise DataError(f"{folder / FILE} is damaged, expected the postings of its vocabulary")
    return found


def _is_sound(index: Bm25) -> bool:
    n_terms, n_postings = len(index.vocabulary), len(index.places)
    return (
        index.n_passages >= 0
        and all(isinstance(term, str) for term in index.vocabulary)
        and index.starts.dtype == np.dtype(np.int64)
        and index.places.dtype == np.dtype(np.int32)
        and (index.starts.shape, index.rarity.shape) == ((n_terms + 1,), (n_terms,))
        and index.places.shape == index.weights.shape == (n_postings,)
        and int(index.starts[0]) == 0
        and int(index.starts[-1]) == n_postings
        and bool((np.diff(index.starts) >= 0).all())
        and (not n_postings or (int(index.places.min()) >= 0 and int(index.places.max()) < index.n_passages))
        and bool(np.isfinite(index.weights).all() and np.isfinite(index.rarity).all())
    )
