"""Passages found by the question's words (BM25), the sentence that shares the most of them, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import is_finite
from windlass.metrics.citations import N_RANKED
from windlass.predictors.language.sentences import spans
from windlass.predictors.passages import bm25
from windlass.predictors.passages.answerer import Answerer, Found, Sentence, passages_of
from windlass.predictors.passages.bm25 import Bm25
from windlass.predictors.passages.scores import AllScores
from windlass.predictors.passages.terms import MOST_CHARACTERS, terms
from windlass.records import Manifest, Passage
from windlass.store.json_files import read_json

PASSAGES = "passages.json"
SURENESS = "sureness"
"""Of the settings: weights of the features of `evidence_of` and a constant, whose logistic is the confidence."""
N_READ = 3
"""Passages whose sentences are looked at."""
PLACE = 0.15
"""What a sentence loses for each rank that its passage stands lower, as a share of the question's rarity."""


@dataclass(frozen=True)
class Keywords:
    """passages: in the order of the index. sureness: (5,) float, none: the share that is covered."""

    passages: Sequence[Passage]
    index: Bm25
    sureness: Sequence[float] = ()

    def find(self, questions: Sequence[str], hidden: Sequence[frozenset[int]] = ()) -> list[Found]:
        hides = list(hidden) or [frozenset[int]()] * len(questions)
        return [self._found(question, gone) for question, gone in zip(questions, hides, strict=True)]

    def _found(self, question: str, gone: frozenset[int]) -> Found:
        scores, allowed = AllScores(self.index.scores(question), 0.0), None
        if gone:
            allowed = np.ones(len(self.passages), bool)
            allowed[list(gone)] = False
        places = scores.best(N_RANKED, allowed)
        ranked = scores.of(places)
        sentence = self._sentence(question, places)
        if sentence is None:
            return Found(places.tolist(), ranked.tolist(), (), 0.0)
        found = Found(places.tolist(), ranked.tolist(), (sentence,), 0.0)
        return replace(found, confidence=self.confidence(self.evidence_of(question, found)))

    def _sentence(self, question: str, places: np.ndarray) -> Sentence | None:
        """The sentence of the first passages that holds most of the question, by rarity."""
        best, most = None, -np.inf
        for rank, place in enumerate(places[:N_READ].tolist()):
            text = self.passages[place].text
            for start, end in spans(text):
                covered = self._covered(question, text[start:end]) - PLACE * rank
                if covered > most:
                    best, most = Sentence(place, start, end), covered
        return best

    def evidence_of(self, question: str, found: Found) -> np.ndarray:
        """(4,) what tells whether an answer was found: the shares of the question that its sentence and its passage
        hold, the best score, and how far the next one is below it."""
        sentence = found.sentences[0]
        text, first = self.passages[sentence.place].text, found.scores[0]
        second = found.scores[1] if len(found.scores) > 1 else 0.0
        held = [self._covered(question, part) for part in (text[sentence.start : sentence.end], text)]
        return np.array([*held, np.log1p(first), (first - second) / max(first, 1e-9)])

    def _covered(self, question: str, text: str) -> float:
        """The share of the question's rarity that the text has, 0-1."""
        asked = dict.fromkeys(terms(question[:MOST_CHARACTERS]))
        have = set(terms(text))
        total = sum(self.index.rarity_of(term) for term in asked)
        return sum(self.index.rarity_of(term) for term in asked if term in have) / total if total else 0.0

    def confidence(self, found: np.ndarray) -> float:
        if not len(self.sureness):
            return float(found[0])
        return float(1 / (1 + np.exp(-np.clip(found @ self.sureness[:-1] + self.sureness[-1], -30, 30))))


def load(folder: Path, manifest: Manifest) -> Answerer:
    """Raises: DataError: index or passages are damaged. NotReady: a part is not there."""
    passages = passages_of(read_json(folder / PASSAGES), folder / PASSAGES)
    index = bm25.load(folder)
    sureness = manifest.settings.get(SURENESS, [])
    if index.n_passages != len(passages):
        raise DataError(f"{folder / PASSAGES} has {len(passages):,} passages, expected {index.n_passages:,}")
    if not isinstance(sureness, list) or len(sureness) not in (0, 5) or not all(map(is_finite, sureness)):
        raise DataError(f"{folder / 'manifest.json'} has {SURENESS} {sureness!r:.80}, expected five numbers")
    return Answerer(manifest, Keywords(passages, index, sureness))
