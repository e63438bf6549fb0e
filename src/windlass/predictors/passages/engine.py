"""Finds passages for a question, reads the sentence that answers out of them, and says how sure it is of it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import is_finite
from windlass.metrics.citations import N_RANKED
from windlass.predictors.contract import PUBLIC, Predictor
from windlass.predictors.language.sentences import spans
from windlass.predictors.passages import index as indexes
from windlass.predictors.passages import lsa, rankers
from windlass.predictors.passages.access import AccessLists
from windlass.predictors.passages.answerer import Answerer, Found, passages_of
from windlass.predictors.passages.bm25 import Bm25
from windlass.predictors.passages.encoders import Encoder
from windlass.predictors.passages.index import Heard, PassageIndex
from windlass.predictors.passages.pairs import QUESTION_MARKS, SURE, answer_spans
from windlass.predictors.passages.quoting import Sentence
from windlass.predictors.passages.rankers import Asked, Ranker
from windlass.predictors.passages.refusal import refusal_features
from windlass.predictors.passages.scores import Mask
from windlass.predictors.passages.terms import MOST_CHARACTERS, terms
from windlass.predictors.reading import meaning, sentences, support
from windlass.predictors.reading.clues import ANNOUNCES
from windlass.predictors.reading.generative import GenerativeReader
from windlass.predictors.reading.instructions import blanked, orders
from windlass.predictors.reading.meaning import SentenceVectors
from windlass.predictors.reading.sentences import Found as Read
from windlass.predictors.reading.sentences import Retrieved, SentenceRanker
from windlass.predictors.writer import writer_of
from windlass.records import IndexedDocument, Manifest, Passage, as_json
from windlass.store.json_files import read_json, reading, restored, write_json

PASSAGES, DOCUMENTS = "passages.json", "documents.json"
SURENESS, N_EVIDENCE = "sureness", 7
"""Of the settings: weights of the evidence and a constant, whose logistic is the confidence."""
N_READ = 5
"""Passages whose sentences are looked at."""
READING = "reading"
"""The folder of what was learned of sentences; none of too few questions."""
WRITER, SUPPORT = "writer", "support"
"""Folders of a language model that writes the answers, and of what judges its sentences, where one is asked for."""
BELOW = 0.15
"""What a sentence loses for each rank that its passage stands lower, as a share of the question's rarity."""
MOST_LOGIT = 6.0
Weights = Mapping[str, float]


@dataclass(frozen=True)
class Unseen:
    """Who has not learned from a question. likely: that a passage answers; None: not known."""

    ranker: Ranker
    reader: SentenceRanker | None
    likely: float | None


@dataclass(frozen=True)
class PassageEngine:
    """passages: in the order of the index. reader: None: the sentence that shares most with the question is taken.
    sureness: (N_EVIDENCE + 1,), none: the share of the question that is held. documents: that the passages come from,
    where it is known; vectors: of the sentences, by the leg whose encoder gave them, for the reader."""

    passages: Sequence[Passage]
    index: PassageIndex
    reader: SentenceRanker | None = None
    sureness: Sequence[float] = ()
    documents: Sequence[IndexedDocument] = ()
    vectors: Mapping[str, SentenceVectors] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Writes what `load_engine` reads but the manifest; the graph of an encoder is there already (`learners`)."""
        self.index.save(folder)
        if self.reader is not None:
            (folder / READING).mkdir(exist_ok=True)
            self.reader.save(folder / READING)
            for leg, each in self.vectors.items():
                each.save(folder / READING / leg)
        write_json(folder / PASSAGES, [passage.as_json() for passage in self.passages])
        write_json(folder / DOCUMENTS, [as_json(each) for each in self.documents])

    def find(
        self, questions: Sequence[str], hidden: Sequence[frozenset[int]] = (), allowed: Mask | None = None
    ) -> list[Found]:
        gone = list(hidden) or [frozenset[int]()] * len(questions)
        return [
            self.found(question, heard, self.allowed(each, allowed))
            for question, heard, each in zip(questions, self.index.hear(questions), gone, strict=True)
        ]

    def with_passages(self, passages: Sequence[Passage]) -> "PassageEngine":
        return replace(self, passages=passages)

    def allowed(self, gone: frozenset[int], seen: Mask | None = None) -> Mask | None:
        """Which passages are there, of those that are seen; None: all."""
        if not gone:
            return seen
        there = np.ones(len(self.passages), bool) if seen is None else seen.copy()
        there[list(gone)] = False
        return there

    def found(self, question: str, heard: Heard, allowed: Mask | None = None, unseen: Unseen | None = None) -> Found:
        """The answer of one question. unseen: who is asked instead, as they have not learned from it."""
        asked = self.index.ask(heard, allowed)
        scores = (unseen.ranker if unseen else self.index.ranker).scores(asked)
        found, weights = ranked(asked, scores), weights_of(question, self.index.words)
        if unseen is None and (told := self._paired(question, found)):
            return replace(found, sentences=told, confidence=SURE)
        read = self._read(question, weights, found, unseen.reader if unseen else self.reader)
        if not read:
            return found
        likely = unseen.likely if unseen else self._likely(asked, scores)
        evidence = self._evidence(weights, found, read, likely)
        sentences = (Sentence(int(read[0].passage), read[0].start, read[0].end),)
        return replace(found, sentences=sentences, evidence=evidence, confidence=self._confidence(evidence))

    def _paired(self, question: str, found: Found) -> tuple[Sentence, ...]:
        """What the first passages answer to this very question, where one of them asks it."""
        for place in found.places[:N_READ]:
            passage = self.passages[place]
            if told := answer_spans(question, passage.text, readable(passage)):
                return tuple(Sentence(place, start, end) for start, end in told)
        return ()

    def _likely(self, asked: Asked, scores: np.ndarray) -> float | None:
        refusal = self.index.refusal
        return None if refusal is None else float(refusal.answerable(refusal_features(asked, scores)[None])[0])

    def retrieved(self, found: Found) -> list[Retrieved]:
        """The first passages as readers take them."""
        ranked = list(zip(found.places, found.scores, strict=True))[:N_READ]
        return [Retrieved(str(place), readable(self.passages[place]), score) for place, score in ranked]

    def _read(self, question: str, weights: Weights, found: Found, reader: SentenceRanker | None) -> list[Read]:
        """The sentences that may answer, the best first."""
        passages = self.retrieved(found)
        if reader is not None:
            return reader.best(question, passages, 2)
        every = [
            Read(each.id, said := each.text[start:end], start, end, covered(weights, said) - BELOW * rank)
            for rank, each in enumerate(passages)
            for start, end in spans(each.text)
        ]
        return sorted(every, key=lambda each: -each.score)[:2]

    def _evidence(
        self, weights: Weights, found: Found, read: Sequence[Read], likely: float | None
    ) -> tuple[float, ...]:
        """(N_EVIDENCE,) what tells whether the answer was found: the shares of the question that its sentence and its
        passage hold, the likelihood that a passage answers, how far the best passage leads, where the sentence's
        passage stands, how good the sentence is and how far it leads."""
        best = read[0]
        text = self.passages[int(best.passage)].text
        held = [covered(weights, part) for part in (text[best.start : best.end], text)]
        lead = found.scores[0] - found.scores[1] if len(found.scores) > 1 else 0.0
        spread = max(float(np.std(found.scores)), 1e-9)
        ahead = best.score - read[1].score if len(read) > 1 else 0.0
        rank = found.places.index(int(best.passage))
        return (*held, logit(likely), min(lead / spread, MOST_LOGIT), float(rank), best.score, min(ahead, MOST_LOGIT))

    def _confidence(self, evidence: Sequence[float]) -> float:
        if not len(self.sureness):
            return float(evidence[0])
        score = float(np.dot(evidence, self.sureness[:-1])) + self.sureness[-1]
        return float(1 / (1 + math.exp(-min(max(score, -30.0), 30.0))))


@lru_cache(maxsize=20_000)
def readable(passage: Passage) -> str:
    """The text of a passage as it may be answered with, of the same length: headings, headers of tables, questions,
    what only announces the text below it and orders to who answers are spaces, so that none is ever said."""
    text, bare = passage.text, {*passage.headings, passage.title, passage.context}
    said = [(place, text[slice(*place)]) for place in spans(text)]
    text = blanked(
        text, [at for at, part in said if part.endswith(QUESTION_MARKS) or part in bare or ANNOUNCES.match(part)]
    )
    return blanked(text, orders(text))


def answers_in(passage: Passage) -> list[str]:
    """The sentences of a passage that may be answered with."""
    text = readable(passage)
    return [text[start:end] for start, end in spans(text)]


def pretrained(index: PassageIndex) -> dict[str, Encoder]:
    """The encoders of an index that know more than its passages, by their legs."""
    return {name: leg.encoder for name, leg in index.dense.items() if leg.kind != lsa.NAME}


def logit(likely: float | None) -> float:
    """Log-odds within bounds; 0 where nothing is known."""
    if likely is None:
        return 0.0
    share = min(max(likely, 1e-9), 1 - 1e-9)
    return float(np.clip(math.log(share / (1 - share)), -MOST_LOGIT, MOST_LOGIT))


def ranked(asked: Asked, scores: np.ndarray) -> Found:
    """The best candidates in order, nothing read of them yet. scores: (c,) of the candidates."""
    best = rankers.order(asked.found, scores)[:N_RANKED]
    return Found(asked.found.places[best].tolist(), scores[best].tolist(), (), 0.0)


def weights_of(question: str, words: Bm25) -> Weights:
    """The different terms of the question, each with its rarity."""
    return {term: words.rarity_of(term) for term in terms(question[:MOST_CHARACTERS])}


def covered(weights: Weights, text: str) -> float:
    """The share of a question's rarity that the text has, 0-1."""
    have, total = set(terms(text)), sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in have) / total if total else 0.0


def load(folder: Path, manifest: Manifest, load_part: Callable[[Path], Predictor]) -> Answerer:
    """load_part: loads the artifact of what writes.

    Raises: DataError: index or passages are damaged. NotReady: a part is not there.
    """
    engine = load_engine(folder, manifest)
    lists = AccessLists.of([None if each.access is None else frozenset(each.access) for each in engine.passages])
    writes = _writes(folder, load_part) if (folder / WRITER).is_dir() else None
    return Answerer(manifest, engine, None if lists.mask(PUBLIC) is None else lists, reader=writes)


def load_engine(folder: Path, manifest: Manifest, counted: bool = False) -> PassageEngine:
    """What finds and reads; counted: with the counts that `index.merge` needs. Raises: as `load`."""
    passages = passages_of(read_json(folder / PASSAGES), folder / PASSAGES)
    index = indexes.load(folder, counted)
    sureness = manifest.settings.get(SURENESS, [])
    if len(index) != len(passages):
        raise DataError(f"{folder / PASSAGES} has {len(passages):,} passages, expected {len(index):,}")
    sizes = (0, N_EVIDENCE + 1)
    if not isinstance(sureness, list) or len(sureness) not in sizes or not all(map(is_finite, sureness)):
        raise DataError(f"{folder / 'manifest.json'} has {SURENESS} {str(sureness)[:80]}, expected numbers")
    vectors, reader = {}, None
    if (folder / READING).is_dir():
        legs = {name: each for name, each in pretrained(index).items() if (folder / READING / name).is_dir()}
        vectors = {name: meaning.load(folder / READING / name, encoder) for name, encoder in legs.items()}
        reader = sentences.load(folder / READING, tuple(each.near for each in vectors.values()))
    with reading(folder / DOCUMENTS, "the documents of an index"):
        documents = restored(list[IndexedDocument], read_json(folder / DOCUMENTS))
    if documents and not {passage.document for passage in passages} <= {each.path for each in documents}:
        raise DataError(f"{folder / DOCUMENTS} is damaged, expected the documents of the passages")
    return PassageEngine(passages, index, reader, sureness, documents, vectors)


def _writes(folder: Path, load_part: Callable[[Path], Predictor]) -> GenerativeReader:
    """Raises: DataError: what is to write writes nothing. NotReady: it is not allowed, or a part is not there."""
    part = load_part(folder / WRITER)
    writer = writer_of(part)
    if writer is None:
        raise DataError(f"{folder / WRITER} answers '{part.manifest.output.kind}', expected text")
    return GenerativeReader(writer, support.load(folder / SUPPORT))
