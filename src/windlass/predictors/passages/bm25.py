"""BM25 over the terms of passages: postings in numpy, weighed when the index is built.

Counts of terms lie in a file of their own, which serving does not read: an index of passages that are mostly the same
is made of them, instead of out of the texts.

Source: Robertson & Zaragoza 2009, The probabilistic relevance framework, eq. 3.15; the idf of Lucene, which is above 0.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.passages.scores import AllScores, Mask, Scores, best_of
from windlass.predictors.passages.tensors import read_tensors, write_tensors
from windlass.predictors.passages.terms import MOST_CHARACTERS, terms
from windlass.store.files import write_text
from windlass.store.json_files import read_json

FILE, VOCABULARY, COUNTS = "bm25.safetensors", "vocabulary.json", "counts.safetensors"
MOST_COUNTED = 65_535
MOST_WEIGHED = 50_000
SLACK = 1e-3
"""By which sums of 32-bit numbers in another order may differ."""
K1, B = 1.2, 0.75
"""Saturation of repeated terms and how much length counts: .9 and .4, 1.5 and .75 were within .005 of them."""


@dataclass(frozen=True)
class Counts:
    """often (p,) uint16: how often the term of a posting stands in its passage; lengths (n,) int32: terms of each."""

    often: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class Bm25:
    """vocabulary: the terms in order; starts (v + 1,) int64: of each term its stretch of `places` (p,) int32, the
    passages that have it, and `weights` (p,) float32, what it adds to their score. rarity (v,) float32: its idf.
    counts: what the weights come from; None: not read."""

    vocabulary: tuple[str, ...]
    starts: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    rarity: np.ndarray
    n_passages: int
    counts: Counts | None = None

    @cached_property
    def numbers(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.vocabulary)}

    @cached_property
    def most(self) -> np.ndarray:
        """(v,) float32: the most that a term adds to a score; of a term in no passage any number."""
        starts = np.minimum(self.starts[:-1], max(len(self.weights) - 1, 0))
        return np.maximum.reduceat(self.weights, starts) if len(self.weights) else np.zeros(len(starts), np.float32)

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

    def asked(self, question: str) -> Scores:
        """What the question's terms give: of few passages each is weighed, of many those that can be among the best."""
        if self.n_passages <= MOST_WEIGHED:
            return AllScores(self.scores(question), least=0.0)
        return WordScores(self, self.known(question))

    def having(self, term: int) -> tuple[np.ndarray, np.ndarray]:
        """The passages that have the term, ascending, and what it adds to their scores."""
        here = slice(self.starts[term], self.starts[term + 1])
        return self.places[here], self.weights[here]

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
        if self.counts is not None:
            write_tensors(folder / COUNTS, {"often": self.counts.often, "lengths": self.counts.lengths})


@dataclass(frozen=True)
class WordScores:
    """The same scores without looking at each passage: rare terms first, until passages with none of them can no more
    be among the best; common terms are then looked up in what was found.

    Source: MaxScore, Turtle & Flood 1995, IPM 31(6). terms: of the question, as it asks them.
    """

    index: Bm25
    terms: Sequence[int]

    def best(self, n: int, allowed: Mask | None = None) -> np.ndarray:
        """(<= n,) int64, the best first, of equals the first."""
        most = {term: float(self.index.most[term]) for term in self.terms}
        terms = sorted(self.terms, key=most.__getitem__, reverse=True)
        sums = np.zeros(self.index.n_passages, np.float32)
        found = np.zeros(0, self.index.places.dtype)
        left, least, n_added = sum(most.values()), 0.0, 0
        while n_added < len(terms) and not (len(found) >= n and (least := _nth(sums[found], n)) > left + SLACK):
            here, weights = self.index.having(terms[n_added])
            if allowed is not None:
                there = allowed[here]
                here, weights = here[there], weights[there]
            found = np.concatenate([found, here[sums[here] == 0]])
            sums[here] += weights
            left, n_added = left - most[terms[n_added]], n_added + 1
        near, values = found, sums[found]
        for term in terms[n_added:]:
            kept = values + (left + SLACK) >= least
            near = near[kept]
            values, left = values[kept] + self._adds(term, near), left - most[term]
            least = _nth(values, n)
        if len(near) > n:
            near = near[values + SLACK >= _nth(values, n)]
        near = np.sort(near).astype(np.int64)
        return best_of(near, self.of(near), n)

    def of(self, places: np.ndarray) -> np.ndarray:
        """(c,) float32 of these passages."""
        found = np.zeros(len(places), np.float32)
        for term in self.terms:
            found += self._adds(term, places)
        return found

    def _adds(self, term: int, places: np.ndarray) -> np.ndarray:
        """(c,) float32: what the term adds to the scores of these passages."""
        here, weights = self.index.having(term)
        at = np.minimum(np.searchsorted(here, places.astype(here.dtype)), len(here) - 1)
        return np.where(here[at] == places, weights[at], np.float32(0))


def _nth(values: np.ndarray, n: int) -> float:
    """The n-th largest."""
    return float(np.partition(values, len(values) - n)[len(values) - n])


def _idf(n_with: float, n_passages: int) -> float:
    return float(np.log1p((n_passages - n_with + 0.5) / (n_with + 0.5)))


@dataclass(frozen=True)
class Postings:
    """Of each posting: of_term, places (p,) int64; often (p,) uint16. lengths (n,) int32: terms of each passage."""

    of_term: np.ndarray
    places: np.ndarray
    often: np.ndarray
    lengths: np.ndarray


def postings(passages: Sequence[str], numbers: dict[str, int]) -> Postings:
    """Those of these texts, by passage; terms that have no number yet get the next one."""
    rows, columns, counts, lengths = list[int](), list[int](), list[int](), np.zeros(len(passages), np.int32)
    for place, text in enumerate(passages):
        found = terms(text)
        lengths[place] = len(found)
        for term, count in Counter(found).items():
            rows.append(numbers.setdefault(term, len(numbers)))
            columns.append(place)
            counts.append(min(count, MOST_COUNTED))
    return Postings(np.asarray(rows, np.int64), np.asarray(columns, np.int64), np.asarray(counts, np.uint16), lengths)


def weigh(vocabulary: Sequence[str], found: Postings) -> Bm25:
    """The index of these postings, in any order."""
    n_passages, n_terms = len(found.lengths), len(vocabulary)
    order = np.argsort(found.of_term * max(n_passages, 1) + found.places, kind="stable")
    of_term, places, counts = found.of_term[order], found.places[order], found.often[order]
    often, lengths = counts.astype(np.float64), found.lengths.astype(np.float64)
    n_with = np.bincount(of_term, minlength=n_terms)
    rarity = np.log1p((n_passages - n_with + 0.5) / (n_with + 0.5))
    size = lengths / (lengths.mean() or 1.0) if n_passages else lengths
    weights = rarity[of_term] * often * (K1 + 1) / (often + K1 * (1 - B + B * size[places]))
    starts = np.cumsum([0, *n_with], dtype=np.int64)
    return Bm25(
        tuple(vocabulary),
        starts,
        places.astype(np.int32),
        weights.astype(np.float32),
        rarity.astype(np.float32),
        n_passages,
        Counts(counts, found.lengths),
    )


def build(passages: Sequence[str]) -> Bm25:
    """The index of these texts; of none it finds nothing."""
    numbers: dict[str, int] = {}
    found = postings(passages, numbers)
    return weigh(tuple(numbers), found)


@dataclass(frozen=True)
class Merged:
    """An index made of another one. renumbered: (v,) int32, the new number of each old term, -1 = it is gone."""

    words: Bm25
    renumbered: np.ndarray


def merge(old: Bm25, kept: np.ndarray, new: Sequence[str]) -> Merged:
    """The index of passages most of which `old` has: it scores as one that is built of all texts does. Terms that stand
    in no passage any more are in it no longer.

    Args:   kept: (n,) int64, of each passage its place in `old`, -1: it is new. new: the texts of those, in order.
    """
    assert old.counts is not None
    numbers = dict(old.numbers)
    added = postings(new, numbers)
    now = np.full(old.n_passages, -1, np.int64)
    now[kept[kept >= 0]] = np.flatnonzero(kept >= 0)
    of_term = np.repeat(np.arange(len(old.vocabulary)), np.diff(old.starts))
    stays = now[old.places] >= 0
    lengths = np.zeros(len(kept), np.int32)
    lengths[kept >= 0], lengths[kept < 0] = old.counts.lengths[kept[kept >= 0]], added.lengths
    of_term = np.concatenate([of_term[stays], added.of_term])
    is_there = np.bincount(of_term, minlength=len(numbers)) > 0
    renumbered = np.where(is_there, np.cumsum(is_there) - 1, -1).astype(np.int32)
    found = Postings(
        renumbered[of_term].astype(np.int64),
        np.concatenate([now[old.places[stays]], np.flatnonzero(kept < 0)[added.places]]),
        np.concatenate([old.counts.often[stays], added.often]),
        lengths,
    )
    vocabulary = [term for term, there in zip(numbers, is_there.tolist(), strict=True) if there]
    return Merged(weigh(vocabulary, found), renumbered[: len(old.vocabulary)])


def load(folder: Path, counted: bool = False) -> Bm25:
    """counted: with its counts. Raises: NotReady: it is not there. DataError: it is damaged."""
    words = read_json(folder / VOCABULARY)
    parts, described = read_tensors(folder / FILE, {"starts", "places", "weights", "rarity"})
    try:
        n_passages = int(described.get("n_passages", ""))
    except ValueError:
        n_passages = -1
    starts, places, weights, rarity = (parts[name] for name in ("starts", "places", "weights", "rarity"))
    found = Bm25(tuple(words) if isinstance(words, list) else (), starts, places, weights, rarity, n_passages)
    if not _is_sound(found):
        raise DataError(f"{folder / FILE} is damaged, expected the postings of its vocabulary")
    return replace(found, counts=_counts(folder, found)) if counted else found


def _counts(folder: Path, index: Bm25) -> Counts:
    found = Counts(**read_tensors(folder / COUNTS, {"often", "lengths"})[0])
    if (
        (found.often.shape, found.lengths.shape) != (index.places.shape, (index.n_passages,))
        or (found.often.dtype, found.lengths.dtype) != (np.dtype(np.uint16), np.dtype(np.int32))
        or bool((found.lengths < 0).any())
    ):
        raise DataError(f"{folder / COUNTS} is damaged, expected how often terms stand in passages")
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
