"""What a reader sees: the words of a text, and what each of them has to do with the question.

Everything that a network could hardly learn from a thousand questions is worked out here, the same in training and in
serving: what both texts share and how rare it is, where in its sentence a word stands, what it looks like.
Source: token features of DrQA, Chen et al. 2017, arXiv:1704.00051, section 3.2, and more.
Shapes: T words of the text, Q words of the question, S sentences.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from windlass.kinds.text import CJK, TOKEN
from windlass.predictors.language.sentences import spans
from windlass.records import Json

PAD, UNKNOWN, FIRST = 0, 1, 2
MOST_WORDS = 320
"""Of a text so many words are read, whole sentences: those that share most with the question (96 % of the answers of
CMRC 2018 are among them, all of XQuAD)."""
LONGEST_PIECE, LONGEST_QUESTION = 80, 64
STEM = 4
SCALE = 255
NEAR = (4, 10, 25)
CHINESE = re.compile(f"[{CJK}]")
CLAUSE = re.compile(r"[，,。；;：:！!？?、\n—()（）]")
OPENING, CLOSING = "《“「『（(\"'", "》”」』）)\"'"


@dataclass(frozen=True)
class Vocabulary:
    """Words with a number of their own, the rarer ones share UNKNOWN; and how rare each word is, in nats."""

    words: tuple[str, ...]
    weights: tuple[float, ...]
    unseen: float

    @classmethod
    def fit(cls, texts: Iterable[str], n_words: int) -> "Vocabulary":
        """Of these texts: the `n_words` commonest words that occur in more than one."""
        texts_with: Counter[str] = Counter()
        n_texts = 0
        for text in texts:
            texts_with.update(list(dict.fromkeys(Words.of(text).forms)))
            n_texts += 1
        kept = [(word, count) for word, count in texts_with.most_common(n_words) if count > 1]
        weights = tuple(round(math.log((1 + n_texts) / (1 + count)) + 1, 4) for _, count in kept)
        return cls(tuple(word for word, _ in kept), weights, round(math.log(1 + n_texts) + 1, 4))

    def as_json(self) -> Json:
        return {"words": list(self.words), "weights": list(self.weights), "unseen": self.unseen}

    @cached_property
    def places(self) -> dict[str, int]:
        return {word: FIRST + number for number, word in enumerate(self.words)}

    def numbers(self, forms: Sequence[str]) -> list[int]:
        return [self.places.get(form, UNKNOWN) for form in forms]

    def rarity(self, forms: Sequence[str]) -> np.ndarray:
        """(n,) float, 1 for a word in every text."""
        known = np.array([*self.weights, self.unseen])
        return known[[self.places.get(form, FIRST + len(self.words)) - FIRST for form in forms]]


@dataclass(frozen=True)
class Words:
    """A text's words and marks, where each starts and ends, and in which form it is compared."""

    text: str
    starts: np.ndarray
    ends: np.ndarray
    forms: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Words":
        found = [match.span() for match in TOKEN.finditer(text)]
        places = np.array(found, np.int64).reshape(-1, 2)
        forms = tuple(unicodedata.normalize("NFKC", text[start:end]).lower() for start, end in found)
        return cls(text, places[:, 0], places[:, 1], forms)

    def __len__(self) -> int:
        return len(self.forms)

    @property
    def shown(self) -> list[str]:
        """The words as they stand in the text."""
        return [self.text[start:end] for start, end in zip(self.starts, self.ends, strict=True)]

    def select(self, kept: np.ndarray) -> "Words":
        return Words(self.text, self.starts[kept], self.ends[kept], tuple(self.forms[number] for number in kept))


@dataclass(frozen=True)
class Reading:
    """A text as a reader sees it: the words that are read, their numbers in the whole text, and their traits.

    traits: (T, N_TRAITS) uint8, shares of 255. question: the words of the question.
    """

    words: Words
    numbers: np.ndarray
    traits: np.ndarray
    question: Words

    def text(self, first: int, last: int) -> str:
        """The words from first to last as they stand in the text."""
        return self.words.text[self.words.starts[first] : self.words.ends[last]]

    def places(self, answer: str) -> list[tuple[int, int]]:
        """First and last word of each place where the answer stands."""
        found, start = [], self.words.text.find(answer) if answer else -1
        while start >= 0:
            first = int(np.searchsorted(self.words.ends, start, side="right"))
            last = int(np.searchsorted(self.words.starts, start + len(answer), side="left")) - 1
            if first <= last and self.numbers[last] - self.numbers[first] == last - first:
                found.append((first, last))
            start = self.words.text.find(answer, start + 1)
        return found


def read(text: str, question: str, vocabulary: Vocabulary) -> Reading:
    """What a reader sees of this text when it is asked this."""
    words, asked = Words.of(text), Words.of(question)
    asked = asked.select(np.arange(min(len(asked), LONGEST_QUESTION)))
    if not len(words):
        return Reading(words, np.zeros(0, np.int64), np.zeros((0, N_TRAITS), np.uint8), asked)
    view = _View(words, asked, vocabulary)
    traits = np.column_stack([*_shared(view), *_around(view), *_standing(view), view.looks])
    kept = _kept(view)
    scaled = np.round(np.clip(traits[kept], 0, 1) * SCALE).astype(np.uint8)
    return Reading(words.select(kept), kept, scaled, asked)


class _View:
    """A text beside a question: what is equal, how rare it is, and in which sentence and clause each word stands."""

    def __init__(self, words: Words, asked: Words, vocabulary: Vocabulary) -> None:
        self.words = words
        self.looks = _looks(words)
        self.is_cjk = self.looks[:, 0] > 0
        self.equal = _equal(words.forms, asked.forms)
        self.runs = _runs(self.equal)
        stems = _equal([form[:STEM] for form in words.forms], [form[:STEM] for form in asked.forms])
        self.stem = stems & (np.array([len(form) >= STEM for form in words.forms]) & ~self.is_cjk)[:, None]
        telling = self.equal & (~self.is_cjk[:, None] | (self.runs >= 2))  # a single Chinese character tells little
        self.shared = telling | self.stem
        self.sentence, self.clause = _sentences(words), _clauses(words)
        n_with = _any(self.shared, self.sentence).sum(axis=0)
        n_sentences = self.sentence[-1] + 1
        self.rarity = vocabulary.rarity(words.forms) / 10
        self.asked_rarity = vocabulary.rarity(asked.forms) / 10 if len(asked) else np.zeros(1)
        self.weights = np.where(n_with > 0, np.log((1 + n_sentences) / np.maximum(n_with, 1)), 0) * self.asked_rarity
        self.weights = self.weights / max(float(self.weights.sum()), 1e-9)
        self.sentence_share = _any(self.shared, self.sentence) @ self.weights
        self.clause_share = _any(self.shared, self.clause) @ self.weights


def _equal(ours: Sequence[str], theirs: Sequence[str]) -> np.ndarray:
    """(T, Q) bool; one column of False where nothing is asked."""
    numbers: dict[str, int] = {}
    asked = np.array([numbers.setdefault(form, len(numbers)) for form in theirs or [""]])
    return np.array([numbers.get(form, -1) for form in ours])[:, None] == (asked if theirs else asked - 2)


def _runs(equal: np.ndarray) -> np.ndarray:
    """(T, Q): words in a row, through this place, that both texts share."""
    n_words, n_asked = equal.shape
    before = np.zeros((n_words + 1, n_asked + 1), np.int32)
    for place in range(n_asked):
        before[1:, place + 1] = (before[:-1, place] + 1) * equal[:, place]
    whole = np.zeros((n_words + 1, n_asked + 1), np.int32)
    for place in reversed(range(n_asked)):
        longest = np.maximum(before[1:, place + 1], whole[1:, place + 1])
        whole[:-1, place] = longest * equal[:, place]
    return whole[:-1, :-1]


def _sentences(words: Words) -> np.ndarray:
    """(T,) the number of each word's sentence; long ones are cut."""
    begins = np.array([start for start, _ in spans(words.text)])
    number = np.searchsorted(begins, words.starts, side="right")
    within = np.arange(len(words)) - np.searchsorted(number, number, side="left")
    return np.cumsum(np.diff(number, prepend=number[0]) + (within % LONGEST_PIECE == 0) * (within > 0) > 0)


def _clauses(words: Words) -> np.ndarray:
    """(T,) the number of each word's clause: from mark to mark."""
    ends = np.array([bool(CLAUSE.match(form)) for form in words.forms])
    return np.concatenate([[0], np.cumsum(ends[:-1])])


def _any(shared: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(groups, Q) float: 1 where a word of the group is shared."""
    starts = np.searchsorted(groups, np.arange(groups[-1] + 1))
    return np.maximum.reduceat(shared, starts, axis=0).astype(float)


def _kept(view: _View) -> np.ndarray:
    """Numbers of the words that are read: sentences by what they and their neighbours share, in the text's order."""
    share = view.sentence_share
    standing = share + 0.3 * np.concatenate([[0], share[:-1]]) + 0.2 * np.concatenate([share[1:], [0]])
    sizes = np.bincount(view.sentence)
    chosen, room = np.zeros(len(sizes), bool), MOST_WORDS
    for number in np.argsort(-standing, kind="stable"):
        if sizes[number] <= room:
            chosen[number] = True
            room -= sizes[number]
    return np.flatnonzero(chosen[view.sentence])


def _shared(view: _View) -> list[np.ndarray]:
    """What each word itself shares with the question."""
    counts = Counter(view.words.forms)
    often = np.array([math.log(counts[form]) for form in view.words.forms]) / 3
    top = max(float(view.weights.max()), 1e-9)
    return [
        view.equal.any(axis=1),
        (view.shared & view.equal).any(axis=1),
        view.stem.any(axis=1),
        view.runs.max(axis=1) / 8,
        (view.shared * view.weights).max(axis=1) / top,
        (view.shared * view.asked_rarity).max(axis=1),
        view.rarity,
        often,
    ]


def _around(view: _View) -> list[np.ndarray]:
    """What sentence, clause and the words around share with the question, and how far the next shared word is."""
    share, clause = view.sentence_share, view.clause_share
    rank = np.empty(len(share))
    rank[np.argsort(-share, kind="stable")] = np.arange(len(share))
    before, after = np.concatenate([[0], share[:-1]]), np.concatenate([share[1:], [0]])
    sentences = [share, share / max(share.max(), 1e-9), rank == 0, 1 / (1 + rank), before, after]
    clauses = [clause, clause / max(clause.max(), 1e-9)]
    sums = np.concatenate([np.zeros((1, view.shared.shape[1])), np.cumsum(view.shared, axis=0)])
    here, n_words = np.arange(len(view.words)), len(view.words)

    def covered(left: int, right: int) -> np.ndarray:
        """Share of the question within so many words."""
        counts = sums[np.minimum(here + right + 1, n_words)] - sums[np.maximum(here - left, 0)]
        return (counts > 0) @ view.weights

    top = max(float(view.weights.max()), 1e-9)
    anchors = (view.shared * view.weights).max(axis=1) > 0.3 * top
    return [
        *(values[view.sentence] for values in sentences),
        *(values[view.clause] for values in clauses),
        *(covered(size, size) for size in NEAR),
        *(covered(*sides) for size in NEAR[:2] for sides in ((0, size), (size, 0))),
        *_closeness(anchors),
        *_closeness(view.shared.any(axis=1)),
        anchors,
    ]


def _closeness(flags: Any) -> tuple[np.ndarray, np.ndarray]:
    """1 / (1 + words to the last flagged one), and to the next one."""
    here, far = np.arange(len(flags)), 10**6
    last = np.maximum.accumulate(np.where(flags, here, -far))
    following = np.minimum.accumulate(np.where(flags, here, far)[::-1])[::-1]
    return 1 / (1.0 + here - last), 1 / (1.0 + following - here)


def _standing(view: _View) -> list[np.ndarray]:
    """Where the word stands in text, sentence and clause."""
    here = np.arange(len(view.words))
    found = [here / max(1, len(here)), np.searchsorted(view.sentence, view.sentence) == here]
    for groups, length in ((view.sentence, 20), (view.clause, 10)):
        first = np.searchsorted(groups, groups, side="left")
        last = np.searchsorted(groups, groups, side="right") - 1
        found += [(here - first) / length, (last - here) / length]
    return [*found, here == first, here == last]


LOOKS: tuple[Callable[[str], float], ...] = (
    lambda word: bool(CHINESE.match(word)),
    str.isdigit,
    lambda word: len(word) == 4 and word.isdigit(),
    lambda word: word[0].isupper(),
    lambda word: len(word) > 1 and word.isupper(),
    lambda word: not word[0].isalnum(),
    lambda word: word in "，,、;；",
    lambda word: word in "。.！!？?",
    lambda word: word in OPENING,
    lambda word: word in CLOSING,
    lambda word: len(word) / 12,
    lambda word: word.isascii() and word.isalpha(),
)


@lru_cache(maxsize=50_000)
def _look(word: str) -> tuple[float, ...]:
    """What a word looks like: digits, capitals, marks, length, script."""
    return tuple(float(look(word)) for look in LOOKS)


def _looks(words: Words) -> np.ndarray:
    """(T, len(LOOKS) + 1): the looks of each word, and whether it stands between quotes."""
    shown = words.shown
    within, is_open = np.zeros((len(words), 1)), False
    for number, word in enumerate(shown):
        is_open = word in OPENING if not is_open else word not in CLOSING
        within[number] = is_open
    return np.concatenate([np.array([_look(word) for word in shown]), within], axis=1)


N_TRAITS = 8 + 8 + len(NEAR) + 4 + 5 + 8 + len(LOOKS) + 1
