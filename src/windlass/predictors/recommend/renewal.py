"""A release whose table of items has changed: new ones are recommended by what is told of them, without training.

A new item scores what the known items score whose texts are most like its own, for whoever asks; what somebody does
with it counts as done with the nearest of them, until a release has learned from it. Items that the table no longer
has, or says are not to be had, are left out of lists.
Source: item cold start by neighbours in content, Schein et al. 2002, SIGIR.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from windlass.predictors.passages.terms import terms
from windlass.predictors.recommend.arrangement import Arrangement
from windlass.predictors.recommend.content import Content
from windlass.predictors.recommend.item_index import ItemIndex
from windlass.predictors.recommend.recommender import Recommender
from windlass.predictors.recommend.scorer import Because, Scorer
from windlass.records import Catalogue
from windlass.records.catalogue import AVAILABLE

N_NEAREST = 5
MOST_COMPARED = 20_000
"""Known items, those of most events, among which the nearest are looked for."""
GONE = "no"


@dataclass(frozen=True)
class Nearest:
    """The known items that are most like each new one. places: (new, N_NEAREST) int; shares: the same shape, of 1 in
    all, 0 where nothing is alike."""

    places: np.ndarray
    shares: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def without(self, items: np.ndarray) -> "Nearest":
        """Without these, where others are left: what somebody has is no longer scored by what it is like."""
        shares = np.where(np.isin(self.places, items), 0, self.shares)
        whole = shares.sum(axis=1, keepdims=True)
        return Nearest(self.places, np.where(whole > 0, shares / np.where(whole > 0, whole, 1), self.shares))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(new, ...) of (known, ...): the means of those nearest; where nothing is alike, the least there is."""
        found = np.einsum("nm,nm...->n...", self.shares, values[self.places])
        is_like = self.shares.sum(axis=1) > 0
        found[~is_like] = values.min(axis=0) if len(values) else 0
        return np.asarray(found, values.dtype)


@dataclass(frozen=True)
class Renewed:
    """A scorer with new items behind the known ones."""

    known: Scorer
    nearest: Nearest
    n_known: int

    def _as_known(self, history: np.ndarray) -> np.ndarray:
        new = history >= self.n_known
        return np.where(new, self.nearest.places[np.where(new, history - self.n_known, 0), 0], history)

    def scores(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, now: float) -> np.ndarray:
        """(n_items,) float32."""
        own = self._as_known(history)
        found = np.asarray(self.known.scores(own, weights, times, now))
        return np.concatenate([found, self.nearest.without(own).mean(found)])

    def because(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(k, m) what each event adds; to a new item, by the known ones that are most like it."""
        if not isinstance(self.known, Because):
            return np.zeros((len(items), len(history)))
        own, is_new = self._as_known(history), items >= self.n_known
        found = np.asarray(self.known.because(own, weights, times, np.where(is_new, 0, items)))
        if is_new.any():
            alike, new = self.nearest.without(own), items[is_new] - self.n_known
            places, shares = alike.places[new], alike.shares[new]
            adds = np.asarray(self.known.because(own, weights, times, places.ravel()))
            found[is_new] = np.einsum("nq,nqm->nm", shares, adds.reshape(*places.shape, -1))
        return found

    def save(self, folder: Path) -> None:
        """What it knew before."""
        self.known.save(folder)


def renewed(trained: Recommender, table: Catalogue) -> Recommender:
    """The release as it was trained, with the items as the table tells of them now."""
    catalogue = _joined(trained.index.catalogue, table)
    if catalogue == trained.index.catalogue:
        return trained
    n_known = len(trained.index)
    n_new = len(catalogue) - n_known
    none = np.zeros(n_new, np.int32)
    index = ItemIndex(catalogue, *(np.concatenate([each, none.astype(each.dtype)]) for each in
                      (trained.index.events, trained.index.people, trained.index.touched)))  # fmt: skip
    if not n_new:
        listed = trained.arrangement
        return replace(trained, index=index, arrangement=listed and replace(listed, margins=index.margins))
    nearest = nearest_of(catalogue.texts(), n_known, trained.index.touched)
    scorer = Renewed(trained.scorer, nearest, n_known)
    return replace(trained, scorer=scorer, index=index, arrangement=_arranged(trained.arrangement, index, nearest))


def _joined(before: Catalogue, table: Catalogue) -> Catalogue:
    """The known items in their order, then the new ones; what the table says counts. What it had once and has no more
    is not to be had; what it never had stays as it was."""
    names = dict.fromkeys([*before.columns, *table.columns])
    told = {name.strip().lower(): name for name in names}
    gone = [
        place
        for place, item in enumerate(before.ids)
        if item not in table.places and any(column[place] for column in before.columns.values())
    ]
    if gone and AVAILABLE not in told:
        told[AVAILABLE] = AVAILABLE
        names[AVAILABLE] = None
    ids = (*before.ids, *(item for item in table.ids if item not in before.places))
    columns = {}
    for name in names:
        now, then = table.columns.get(name), before.columns.get(name)
        values = [
            (now[table.places[item]] if now else "")
            if item in table.places
            else (then[place] if then and place < len(then) else "")
            for place, item in enumerate(ids)
        ]
        if name == told.get(AVAILABLE):
            for place in gone:
                values[place] = GONE
        columns[name] = tuple(values)
    return Catalogue(ids, columns)


def nearest_of(texts: Sequence[str], n_known: int, touched: np.ndarray) -> Nearest:
    """Of each text from n_known on those of the others that share most, by rarity of their terms (cosine)."""
    compared = np.sort(np.argsort(-touched[:n_known], kind="stable")[:MOST_COMPARED])
    wanted = [Counter(terms(text)) for text in texts[n_known:]]
    vocabulary = {term: number for number, term in enumerate(dict.fromkeys(term for each in wanted for term in each))}
    counts = np.zeros((len(compared), len(vocabulary)), np.float32)
    norms, frequency = [], Counter[str]()
    bags = [Counter(terms(texts[place])) for place in compared.tolist()]
    for bag in bags:
        frequency.update(bag.keys())
    idf = {term: math.log((1 + len(bags)) / (1 + count)) + 1 for term, count in frequency.items()}
    rarest = math.log(1 + len(bags)) + 1
    for row, bag in enumerate(bags):
        weighed = {term: (1 + math.log(count)) * idf[term] for term, count in bag.items()}
        norms.append(math.sqrt(sum(value**2 for value in weighed.values())) or 1.0)
        for term in weighed.keys() & vocabulary.keys():
            counts[row, vocabulary[term]] = weighed[term]
    queries = np.zeros((len(wanted), len(vocabulary)), np.float32)
    for row, bag in enumerate(wanted):
        for term, count in bag.items():
            queries[row, vocabulary[term]] = (1 + math.log(count)) * idf.get(term, rarest)
    alike = queries @ counts.T / np.array(norms, np.float32)
    n_nearest = min(N_NEAREST, len(compared))
    order = np.argsort(-alike, axis=1, kind="stable")[:, :n_nearest]
    best = np.maximum(np.take_along_axis(alike, order, axis=1), 0)
    whole = best.sum(axis=1, keepdims=True)
    return Nearest(compared[order], np.where(whole > 0, best / np.where(whole > 0, whole, 1), 0.0).astype(np.float32))


def _arranged(before: Arrangement | None, index: ItemIndex, nearest: Nearest) -> Arrangement | None:
    if before is None:
        return None
    content = before.content
    if content is not None:
        vectors = nearest.mean(content.vectors)
        sizes = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(sizes > 0, sizes, 1)
        content = Content(np.concatenate([content.vectors, vectors.astype(np.float32)]),
                          np.concatenate([content.liking, nearest.mean(content.liking)]), content.taste)  # fmt: skip
    return Arrangement(before.rules, content, index.touched == 0, index.margins)
