"""The sentence of the retrieved passages that holds the answer, to the letter, by trees over what it shares with the question.

What a sentence shares is weighed by rarity, twice: among the sentences at hand and in the whole pool. The kind of answer
asked for and what the sentence has of it, its neighbours and where it stands come beside.
Source: features as in Yih et al. 2013 (answer sentence selection) and DrQA, Chen et al. 2017, arXiv:1704.00051; trees
        ranked by LambdaMART, Burges 2010, MSR-TR-2010-82.
Shapes: S candidate sentences, F features.
"""  # noqa: E501

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.metrics.texts import CJK, words
from windlass.predictors.language.sentences import spans
from windlass.predictors.reading import clues
from windlass.predictors.tables.trees import checked
from windlass.store.files import write_text
from windlass.store.json_files import read_json, write_json

MODEL, RARITY = "sentences.txt", "rarity.json"
STEM = 5
Near = Callable[[str, Sequence[str]], np.ndarray]
"""A question and sentences -> (n,) how near an encoder sees each to it."""
OF_NEAR = 5
"""Features that an encoder gives of a sentence."""


@dataclass(frozen=True)
class Retrieved:
    """A passage as retrieval gives it, best first. score: higher is better, on any scale."""

    id: str
    text: str
    score: float = 0.0


@dataclass(frozen=True)
class Found:
    """A sentence of a passage: passage.text[start:end] is its text. score: higher is better, comparable within a question."""  # noqa: E501

    passage: str
    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Rarity:
    """In how many passages of the pool each gram stands."""

    n_texts: int
    counts: dict[str, int]

    @classmethod
    def fit(cls, texts: Sequence[str]) -> "Rarity":
        """Grams of one text alone are not kept: they are as rare as unseen ones, and most of all."""
        counts = Counter(gram for text in texts for gram in set(grams(text)))
        return cls(len(texts), {gram: count for gram, count in sorted(counts.items()) if count > 1})

    def weight(self, gram: str) -> float:
        return math.log((1 + self.n_texts) / self.counts.get(gram, 1))


def grams(text: str) -> list[str]:
    """Words cut to their first letters, so that endings do not matter; Chinese as characters and pairs of them."""
    found = words(text)
    pairs = [first + second for first, second in pairwise(found) if CJK.match(first) and CJK.match(second)]
    return [word if len(word) <= STEM else word[:STEM] for word in found] + pairs


@dataclass(frozen=True)
class _Sentence:
    """What of a sentence does not depend on the question."""

    words: tuple[str, ...]
    grams: frozenset[str]
    letters: frozenset[str]
    clues: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=20_000)
def _seen(text: str) -> _Sentence:
    """Kept, since passages are retrieved for many questions."""
    return _Sentence(tuple(words(text)), frozenset(grams(text)), frozenset(_letters(text)), clues.found(text))


class _Sentences:
    """The candidate sentences of a question, and what of it each of them has."""

    def __init__(self, question: str, passages: Sequence[Retrieved], rarity: Rarity) -> None:
        self.question, self.passages = question, passages
        self.places = [(rank, *span) for rank, each in enumerate(passages) for span in spans(each.text)]
        self.texts = [passages[rank].text[start:end] for rank, start, end in self.places]
        self.seen = [_seen(text) for text in self.texts]
        self.asked = list(dict.fromkeys(grams(question)))
        self.has = np.array([[gram in each.grams for gram in self.asked] for each in self.seen], np.float32)
        self.has = self.has.reshape(len(self.texts), len(self.asked))
        n_with = self.has.sum(axis=0)
        self.local = np.where(n_with > 0, np.log((1 + len(self.texts)) / np.maximum(n_with, 1)), 0)
        self.pool = np.array([rarity.weight(gram) for gram in self.asked]).reshape(-1)

    @cached_property
    def rank(self) -> np.ndarray:
        return np.array([rank for rank, _, _ in self.places], np.int64)


def _share(has: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return has @ weights / max(float(weights.sum()), 1e-9)


def _neighbours(values: np.ndarray, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each sentence the value of the one before and of the one after in its passage; zero where there is none."""
    before, after = np.zeros_like(values), np.zeros_like(values)
    same = rank[1:] == rank[:-1]
    before[1:][same], after[:-1][same] = values[:-1][same], values[1:][same]
    return before, after


def _relative(values: np.ndarray) -> list[np.ndarray]:
    """The value, its share of the best, its rank from 0."""
    order = np.argsort(np.argsort(-values, kind="stable"), kind="stable")
    return [values, values / max(float(values.max(initial=0)), 1e-9), order]


def _longest_run(ours: Sequence[str], asked: Sequence[str]) -> int:
    """Words in a row that both have."""
    length = 0
    while set(zip(*(ours[start:] for start in range(length + 1)), strict=False)).intersection(
        zip(*(asked[start:] for start in range(length + 1)), strict=False)
    ):
        length += 1
    return length


def _letters(text: str) -> set[str]:
    plain = text.lower()
    return {plain[start : start + 4] for start in range(len(plain) - 3)}


def _overlap(view: _Sentences) -> list[np.ndarray]:
    local, pool = _share(view.has, view.local), _share(view.has, view.pool)
    before_has, after_has = _neighbours(view.has, view.rank)
    asked_words, asked_letters = words(view.question), _letters(view.question)
    letters = [len(each.letters & asked_letters) / max(1, len(asked_letters)) for each in view.seen]
    runs = [_longest_run(each.words, asked_words) for each in view.seen]
    first = np.flatnonzero(np.diff(view.rank, prepend=-1))
    group = np.cumsum(np.diff(view.rank, prepend=-1) > 0) - 1
    best = np.maximum.reduceat(local, first)[group]
    passage = np.maximum.reduceat(view.has, first, axis=0)[group]
    within = ((local[None, :] > local[:, None]) & (group[None, :] == group[:, None])).sum(axis=1)
    lengths = np.array([len(each.words) for each in view.seen])
    return [
        *_relative(local),
        *_relative(pool),
        *_neighbours(local, view.rank),
        *_neighbours(pool, view.rank),
        _share(np.maximum(view.has, before_has), view.local) - local,
        _share(np.maximum(view.has, before_has), view.pool),
        _share(np.maximum(view.has, after_has), view.pool),
        _share(passage, view.pool),
        local / np.maximum(best, 1e-9),
        within,
        np.array(letters),
        np.array(runs),
        np.array(runs) / max(1, len(asked_words)),
        view.has.sum(axis=1),
        local / np.log(3 + lengths),
        (view.has * view.pool).max(axis=1, initial=0),
    ]


def _standing(view: _Sentences) -> list[np.ndarray]:
    """Where the sentence stands, and how its passage was retrieved."""
    n_of = np.bincount(view.rank, minlength=len(view.passages))
    first = np.searchsorted(view.rank, view.rank)
    place = np.arange(len(view.rank)) - first
    scores = np.array([each.score for each in view.passages])
    best = max(float(scores.max(initial=0)), 1e-9)
    lengths = np.array([len(each.words) for each in view.seen])
    new = [len(each.grams.difference(view.asked)) for each in view.seen]
    is_chinese = [bool(CJK.search(view.question))] * len(view.texts)
    return [
        view.rank,
        scores[view.rank] / best,
        (scores[view.rank] - scores[min(1, len(scores) - 1)]) / best,
        place,
        place / np.maximum(n_of[view.rank], 1),
        n_of[view.rank],
        lengths,
        np.array(new),
        np.array(is_chinese),
    ]


def _answer_kind(view: _Sentences) -> list[np.ndarray]:
    """What is asked for, what the sentence has of it, and both together."""
    wanted = clues.asked(view.question)
    has = np.stack([clues.unasked(each.clues, view.question) for each in view.seen])
    words_in_focus = clues.focus(view.question)
    focus = [sum(word[:STEM] in each.grams for word in words_in_focus) for each in view.seen]
    number, moment, person, place, reason = (
        wanted[list(clues.ASKED).index(name)] for name in ("number", "moment", "person", "place", "reason")
    )
    of = {name: has[:, column] for column, name in enumerate(clues.FOUND)}
    fits = (
        number * np.minimum(of["number"] + of["measure"], 2)
        + moment * np.minimum(of["year"] + of["date"], 2)
        + person * np.minimum(of["name"] + of["person"], 2)
        + place * np.minimum(of["place"], 2)
        + reason * np.minimum(of["reason"], 2)
    )
    return [*np.repeat(wanted[:, None], len(view.texts), axis=1), *has.T, np.array(focus), fits]


def features(
    question: str, passages: Sequence[Retrieved], rarity: Rarity, near: Sequence[Near] = ()
) -> tuple[list[tuple[int, int, int]], np.ndarray]:
    """Of each candidate its passage's rank, start and end, and (S, F) float32. near: of each encoder."""
    view = _Sentences(question, passages, rarity)
    if not view.texts:
        return [], np.zeros((0, 0), np.float32)
    columns = [*_overlap(view), *_standing(view), *_answer_kind(view), *_meaning(view, near)]
    return view.places, np.column_stack(columns).astype(np.float32)


def _meaning(view: _Sentences, near: Sequence[Near]) -> list[np.ndarray]:
    """How near each encoder sees the sentence, and its neighbours, to the question."""
    found = [each(view.question, view.texts) for each in near]
    return [column for values in found for column in (*_relative(values), *_neighbours(values, view.rank))]


@dataclass(frozen=True)
class SentenceRanker:
    """booster: LightGBM's, checked. rarity: of the pool that is asked."""

    booster: Any
    rarity: Rarity
    near: tuple[Near, ...] = ()

    def best(self, question: str, passages: Sequence[Retrieved], n_best: int = 3) -> list[Found]:
        """The sentences most likely to hold the answer, best first; none where there is no sentence."""
        places, rows = features(question, passages, self.rarity, self.near)
        if not places:
            return []
        scores = np.asarray(self.booster.predict(rows, raw_score=True, num_threads=1))
        found = []
        for number in np.argsort(-scores, kind="stable")[:n_best]:
            rank, start, end = places[number]
            text = passages[rank].text[start:end]
            found.append(Found(passages[rank].id, text, start, end, float(scores[number])))
        return found

    def save(self, folder: Path) -> None:
        write_text(folder / MODEL, self.booster.model_to_string())
        write_json(folder / RARITY, {"n_texts": self.rarity.n_texts, "counts": self.rarity.counts})


def n_features(n_encoders: int = 0) -> int:
    """Of a sentence."""
    return features("a", [Retrieved("", "a")], Rarity(1, {}))[1].shape[1] + OF_NEAR * n_encoders


def load(folder: Path, near: tuple[Near, ...] = ()) -> SentenceRanker:
    """Raises: DataError: a part is missing or damaged."""
    return SentenceRanker(read_booster(folder / MODEL, n_features(len(near))), read_rarity(folder / RARITY), near)


def read_booster(path: Path, width: int) -> Any:
    """A LightGBM model of so many features and one score. Raises: DataError: it is missing or damaged."""
    import lightgbm

    try:
        return lightgbm.Booster(model_str=checked(path.read_text(encoding="utf-8"), width, 1))
    except (OSError, ValueError, lightgbm.basic.LightGBMError) as error:
        raise DataError(f"{path} is damaged ({str(error)[:200]}), expected a LightGBM model") from None


def read_rarity(path: Path) -> Rarity:
    """Raises: DataError: it is damaged."""
    values: Any = read_json(path)
    try:
        n_texts, counts = values["n_texts"], values["counts"]
        is_right = isinstance(n_texts, int) and all(isinstance(n, int) and 0 < n <= n_texts for n in counts.values())
    except (KeyError, TypeError, AttributeError):
        is_right = False
    if not is_right:
        raise DataError(f"{path} is damaged, expected how many passages hold each gram")
    return Rarity(n_texts, dict(counts))
