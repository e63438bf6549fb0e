"""Finds passages for a question, reads the sentence that answers out of them, and says how sure it is of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import is_finite
from windlass.metrics.citations import N_RANKED
from windlass.predictors.language.sentences import spans
from windlass.predictors.passages import index as indexes
from windlass.predictors.passages import rankers
from windlass.predictors.passages.answerer import Answerer, Found, Sentence, passages_of
from windlass.predictors.passages.bm25 import Bm25
from windlass.predictors.passages.index import Heard, PassageIndex
from windlass.predictors.passages.rankers import Asked, Ranker
from windlass.predictors.passages.refusal import refusal_features
from windlass.predictors.passages.scores import Mask
from windlass.predictors.passages.terms import MOST_CHARACTERS, terms
from windlass.records import Manifest, Passage
from windlass.store.json_files import read_json

PASSAGES = "passages.json"
SURENESS, N_EVIDENCE = "sureness", 5
"""Of the settings: weights of `evidence` and a constant, whose logistic is the confidence."""
N_READ = 3
"""Passages whose sentences are looked at."""
BELOW = 0.15
"""What a sentence loses for each rank that its passage stands lower, as a share of the question's rarity."""
MOST_LOGIT = 6.0


@dataclass(frozen=True)
class PassageEngine:
    """passages: in the order of the index. sureness: (N_EVIDENCE + 1,), none: the share that is held."""

    passages: Sequence[Passage]
    index: PassageIndex
    sureness: Sequence[float] = ()

    def find(self, questions: Sequence[str], hidden: Sequence[frozenset[int]] = ()) -> list[Found]:
        gone = list(hidden) or [frozenset[int]()] * len(questions)
        return [
            self.found(question, heard, self.allowed(each))
            for question, heard, each in zip(questions, self.index.hear(questions), gone, strict=True)
        ]

    def allowed(self, gone: frozenset[int]) -> Mask | None:
        """Which passages are there; None: all."""
        if not gone:
            return None
        there = np.ones(len(self.passages), bool)
        there[list(gone)] = False
        return there

    def found(
        self,
        question: str,
        heard: Heard,
        allowed: Mask | None,
        ranker: Ranker | None = None,
        likely: float | None = None,
    ) -> Found:
        """The answer of one question. ranker: another one than the index has; likely: how likely a passage answers, as
        somebody else knows it."""
        asked = self.index.ask(heard, allowed)
        if not len(asked.found):
            return Found([], [], (), 0.0)
        scores = (ranker or self.index.ranker).scores(asked)
        best = rankers.order(asked.found, scores)[:N_RANKED]
        places, ranked = asked.found.places[best].tolist(), scores[best].tolist()
        sentence = self._sentence(question, places)
        if sentence is None:
            return Found(places, ranked, (), 0.0)
        found = Found(places, ranked, (sentence,), 0.0)
        return replace(found, confidence=self.confidence(self.evidence(question, found, asked, scores, likely)))

    def _sentence(self, question: str, places: Sequence[int]) -> Sentence | None:
        """The sentence of the first passages that holds most of the question, by rarity."""
        best, most = None, -np.inf
        for rank, place in enumerate(places[:N_READ]):
            text = self.passages[place].text
            for start, end in spans(text):
                held = covered(question, text[start:end], self.index.words) - BELOW * rank
                if held > most:
                    best, most = Sentence(place, start, end), held
        return best

    def evidence(
        self, question: str, found: Found, asked: Asked, scores: np.ndarray, likely: float | None = None
    ) -> np.ndarray:
        """(N_EVIDENCE,) what tells whether the answer was found: the shares of the question that its sentence and its
        passage hold, the likelihood that a passage answers, how far the best passage leads, and where the sentence's
        passage stands."""
        sentence = found.sentences[0]
        text, words = self.passages[sentence.place].text, self.index.words
        held = [covered(question, part, words) for part in (text[sentence.start : sentence.end], text)]
        if likely is None and self.index.refusal is not None:
            likely = float(self.index.refusal.answerable(refusal_features(asked, scores)[None])[0])
        lead = found.scores[0] - found.scores[1] if len(found.scores) > 1 else 0.0
        spread = max(float(np.std(found.scores)), 1e-9)
        return np.array([*held, logit(likely), min(lead / spread, MOST_LOGIT), found.places.index(sentence.place)])

    def confidence(self, evidence: np.ndarray) -> float:
        if not len(self.sureness):
            return float(evidence[0])
        return float(1 / (1 + np.exp(-np.clip(evidence @ self.sureness[:-1] + self.sureness[-1], -30, 30))))


def logit(likely: float | None) -> float:
    """Log-odds within bounds; 0 where nothing is known."""
    if likely is None:
        return 0.0
    share = min(max(likely, 1e-9), 1 - 1e-9)
    return float(np.clip(math.log(share / (1 - share)), -MOST_LOGIT, MOST_LOGIT))


def covered(question: str, text: str, words: Bm25) -> float:
    """The share of the question's rarity that the text has, 0-1."""
    asked, have = dict.fromkeys(terms(question[:MOST_CHARACTERS])), set(terms(text))
    total = sum(words.rarity_of(term) for term in asked)
    return sum(words.rarity_of(term) for term in asked if term in have) / total if total else 0.0


def load(folder: Path, manifest: Manifest) -> Answerer:
    """Raises: DataError: index or passages are damaged. NotReady: a part is not there."""
    passages = passages_of(read_json(folder / PASSAGES), folder / PASSAGES)
    index = indexes.load(folder)
    sureness = manifest.settings.get(SURENESS, [])
    if len(index) != len(passages):
        raise DataError(f"{folder / PASSAGES} has {len(passages):,} passages, expected {len(index):,}")
    sizes = (0, N_EVIDENCE + 1)
    if not isinstance(sureness, list) or len(sureness) not in sizes or not all(map(is_finite, sureness)):
        raise DataError(f"{folder / 'manifest.json'} has {SURENESS} {str(sureness)[:80]}, expected numbers")
    return Answerer(manifest, PassageEngine(passages, index, sureness))
