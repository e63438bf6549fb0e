"""The index of a release: legs, how their finds are put in order, and when to refuse; a folder of data alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.passages import bm25, encoders, lsa, rankers, refusal, terms, units, vectors
from windlass.predictors.passages.bm25 import Bm25
from windlass.predictors.passages.candidates import gather
from windlass.predictors.passages.encoders import Encoder
from windlass.predictors.passages.features import Question, question_of
from windlass.predictors.passages.rankers import Asked, Ranker
from windlass.predictors.passages.refusal import Refusal, refusal_features
from windlass.predictors.passages.scores import Mask, Scores
from windlass.predictors.passages.units import PassageUnits
from windlass.predictors.passages.vectors import Vectors
from windlass.store.files import write_text
from windlass.store.json_files import read_json, reading

FILE, LEGS = "index.json", "legs"
BM25 = "bm25"
N_LOOKED = 1_000
"""Passages of a term that are looked at before all others of it: of a common one somebody sees one of the first."""


@dataclass(frozen=True)
class Dense:
    """A leg of vectors and what made them. kind: `lsa`, `graph`, or a word of `encoders.PACKAGED`."""

    kind: str
    encoder: Encoder
    vectors: Vectors


@dataclass(frozen=True)
class Found:
    """places: (<= k,) int64 numbers of passages, the best first; scores: of each, in the ranker's own unit.
    answerable: how likely one of them answers, None where no refusal was trained; is_answered: whether to answer."""

    places: np.ndarray
    scores: np.ndarray
    answerable: float | None
    is_answered: bool


@dataclass(frozen=True)
class Heard:
    """A question with each leg's scores; rows: features of it and of passages, as they come to be known."""

    question: Question
    legs: list[Scores]
    rows: dict[int, np.ndarray] = field(default_factory=dict)


NOTHING = Found(np.zeros(0, np.int64), np.zeros(0), 0.0, False)


@dataclass(frozen=True)
class PassageIndex:
    """All that answers which passages; the texts stay with whoever cites them, in the same order."""

    words: Bm25
    units: PassageUnits
    dense: Mapping[str, Dense]
    ranker: Ranker
    refusal: Refusal | None = None

    def __len__(self) -> int:
        return self.words.n_passages

    @property
    def legs(self) -> tuple[str, ...]:
        return (BM25, *self.dense)

    def hear(self, questions: Sequence[str]) -> list[Heard]:
        """What each leg gives each question, whoever asks; questions are encoded together."""
        near = {name: leg.encoder.questions(questions) for name, leg in self.dense.items()} if questions else {}
        return [
            self._heard(text, [self.dense[name].vectors.scores(rows[place]) for name, rows in near.items()])
            for place, text in enumerate(questions)
        ]

    def _heard(self, text: str, near: list[Scores]) -> Heard:
        read = units.of_question(text, self.words.numbers)
        legs = [self.words.asked(text), *near] if len(read.ids) and len(self) else []
        return Heard(question_of(text, read, self.words), legs)

    def ask(self, heard: Heard, allowed: Mask | None = None) -> Asked:
        """The question with its candidates among what the asker may see. Raises: DataError: another number of them."""
        if allowed is not None and (allowed.shape != (len(self),) or allowed.dtype != np.bool_):
            raise DataError(f"allowed has shape {allowed.shape}, expected yes or no for each of {len(self):,} passages")
        if allowed is None:
            return Asked(heard.question, gather(heard.legs), self.units, heard.rows)
        question = self._as_seen(heard.question, allowed)
        rows = heard.rows if question is heard.question else {}
        return Asked(question, gather(heard.legs, allowed), self.units, rows)

    def _as_seen(self, question: Question, allowed: Mask) -> Question:
        """The question as somebody asks it for whom words that only other passages have are unknown.

        Without it a refusal learned that a word is known and yet in no passage that was found, which no question has
        whose passage is really not there (AUROC of xquad .98 instead of .94), and told users what is hidden.
        """
        places = (self.words.places[slice(*self.words.starts[term : term + 2])] for term in question.unique)
        hidden = question.unique[[not (allowed[each[:N_LOOKED]].any() or allowed[each].any()) for each in places]]
        if not len(hidden):
            return question
        ids = np.where(np.isin(question.units.ids, hidden), units.UNKNOWN, question.units.ids)
        return question_of(question.text, replace(question.units, ids=ids), self.words)

    def search(self, question: str, allowed: Mask | None = None, k: int = 10) -> Found:
        """The k best passages that the asker may see, and whether to answer from them.

        A question without a letter or digit finds nothing. allowed: (n,) bool, None: all.
        """
        asked = self.ask(self.hear([question])[0], allowed)
        if not len(asked.found):
            return NOTHING
        scores = self.ranker.scores(asked)
        best = rankers.order(asked.found, scores)[:k]
        if self.refusal is None:
            return Found(asked.found.places[best], scores[best], None, True)
        likely = float(self.refusal.answerable(refusal_features(asked, scores)[None])[0])
        return Found(asked.found.places[best], scores[best], likely, likely >= self.refusal.threshold)

    def with_ranker(self, ranker: Ranker, refuses: Refusal | None = None) -> "PassageIndex":
        return replace(self, ranker=ranker, refusal=refuses)

    def save(self, folder: Path) -> None:
        """Writes what `load` reads; the graph and tokenizer of a `graph` leg are there already (`learners`)."""
        self.words.save(folder)
        self.units.save(folder)
        self.ranker.save(folder)
        for name, leg in self.dense.items():
            leg.vectors.save(folder / LEGS / name)
            if isinstance(leg.encoder, lsa.Lsa):
                leg.encoder.save(folder / LEGS / name)
        if self.refusal is not None:
            self.refusal.save(folder)
        described = [{"name": name, "kind": leg.kind, "encoder": leg.encoder.name} for name, leg in self.dense.items()]
        write_text(
            folder / FILE, json.dumps({"terms": terms.VERSION, "dense": described, "refuses": self.refusal is not None})
        )


def build(
    passages: Sequence[str], made_by: Mapping[str, tuple[str, Encoder]] | None = None, words: Bm25 | None = None
) -> PassageIndex:
    """The index of these texts by BM25, and by these encoders: name of the leg -> its kind and encoder. Ranked by BM25.

    words: of these texts, where they are indexed already.
    Raises: NotReady: there are more than usearch is needed for, and it is not here.
    """
    words = bm25.build(passages) if words is None else words
    dense = {
        name: Dense(kind, encoder, vectors.build(encoder.passages(passages)))
        for name, (kind, encoder) in (made_by or {}).items()
    }
    found = units.build(passages, words.numbers)
    return PassageIndex(words, found, dense, Ranker(BM25, (BM25, *dense)))


def merge(old: PassageIndex, kept: np.ndarray, new: Sequence[str]) -> PassageIndex:
    """The index of passages most of which `old` has, with what it has learned: vectors are made of the new ones alone.

    Args:   old: with its counts. kept: (n,) int64, of each passage its place in `old`, -1: it is new. new: the texts of
            those, in order.
    Raises: NotReady: there are more than usearch is needed for, and it is not here.
    """
    merged = bm25.merge(old.words, kept, new)
    words = merged.words
    dense = {}
    for name, leg in old.dense.items():
        encoder = leg.encoder
        if isinstance(encoder, lsa.Lsa):
            encoder = encoder.renumbered(merged.renumbered, words.numbers)
        rows = np.zeros((len(kept), leg.vectors.rows.shape[1]), np.float32)
        rows[kept >= 0] = leg.vectors.rows[kept[kept >= 0]]
        if len(new):
            rows[kept < 0] = encoder.passages(new)
        dense[name] = Dense(leg.kind, encoder, vectors.build(rows))
    found = units.merge(old.units, merged.renumbered, kept, new, words.numbers)
    return replace(old, words=words, units=found, dense=dense)


def load(folder: Path, counted: bool = False) -> PassageIndex:
    """counted: with the counts that `merge` needs.

    Raises: NotReady: a part, or the package of an encoder, is not there. DataError: it is damaged, or was made with
    another version of an encoder than is installed."""
    values, place = read_json(folder / FILE), folder / FILE
    with reading(place, "an index of passages"):
        described = [(str(each["name"]), str(each["kind"]), str(each["encoder"])) for each in values["dense"]]
        refuses, version = bool(values["refuses"]), int(values["terms"])
    if version != terms.VERSION:
        raise DataError(
            f"{place} was made with terms of version {version}, expected {terms.VERSION}", "build the index again"
        )
    words = bm25.load(folder, counted)
    dense = {name: _dense(folder / LEGS / name, kind, words) for name, kind, _ in described if _is_name(name, place)}
    for name, _, encoder in described:
        if dense[name].encoder.name != encoder:
            raise DataError(
                f"leg '{name}' was made with '{encoder}', installed is '{dense[name].encoder.name}', expected the same",
                "install that version, or build the index again: other vectors mean something else",
            )
        if len(dense[name].vectors.rows) != words.n_passages:
            raise DataError(f"{folder / LEGS / name} is damaged, expected a vector for each passage")
    found = units.load(folder, len(words.vocabulary))
    if len(found) != words.n_passages:
        raise DataError(f"{folder} is damaged, expected the units of {words.n_passages:,} passages")
    ranker = rankers.load(folder, (BM25, *dense))
    return PassageIndex(words, found, dense, ranker, refusal.load(folder, 1 + len(dense)) if refuses else None)


def packages_of(folder: Path) -> list[str]:
    """The packages whose encoders an index asks. Raises: DataError: it is damaged."""
    with reading(folder / FILE, "an index of passages"):
        kinds = [str(each["kind"]) for each in read_json(folder / FILE)["dense"]]
    return [encoders.PACKAGED[kind][1] for kind in kinds if kind in encoders.PACKAGED]


def _is_name(name: str, place: Path) -> bool:
    if not name.isidentifier():
        raise DataError(f"{place} has a leg '{name[:40]}', expected a name of letters")
    return True


def _dense(folder: Path, kind: str, words: Bm25) -> Dense:
    encoder: Encoder
    if kind == lsa.NAME:
        encoder = lsa.load(folder, words.numbers)
    elif kind == encoders.GRAPH:
        encoder = encoders.load(folder)
    else:
        encoder = encoders.packaged(kind)
    return Dense(kind, encoder, vectors.load(folder))
