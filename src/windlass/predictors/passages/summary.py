"""What documents say, in their own sentences: a summary of one, and what each says of a topic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windlass.errors import DataError, did_you_mean
from windlass.predictors.language.sentences import END, spans
from windlass.predictors.passages import quoting
from windlass.predictors.passages.answerer import Answerer
from windlass.predictors.passages.engine import PassageEngine, covered, readable, weights_of
from windlass.predictors.passages.questions import FUNCTION_WORDS
from windlass.predictors.passages.quoting import Sentence
from windlass.predictors.reading.central import central, diverse, term_vectors
from windlass.records import Json

N_DOCUMENTS, N_SPOKEN = 5, 3
"""Of a topic: documents that are told, and sentences of each."""
LEAST_COVERED = 0.3
"""Share of a topic's rarity that the best sentence must have, so that anything speaks of it."""
OF_BEST = 0.6
"""Of the best sentence's score, what a sentence must have to be told beside it."""


@dataclass(frozen=True)
class Visible:
    """What who asks may see of an index, and read of it. engine: of the answerer."""

    answerer: Answerer
    engine: PassageEngine

    def documents(self) -> dict[str, list[int]]:
        """Each document with its passages, in its own order."""
        allowed = self.answerer.allowed
        found: dict[str, list[int]] = {}
        for place, passage in enumerate(self.engine.passages):
            if allowed is None or allowed[place]:
                found.setdefault(passage.document, []).append(place)
        return {
            document: sorted(places, key=lambda place: self.engine.passages[place].start)
            for document, places in sorted(found.items())
        }

    def sentences(self, places: Sequence[int]) -> list[Sentence]:
        """The whole sentences of these passages that may be said: no rows of tables, headings, questions or orders.
        Lines without an end, as a list of authors, count only where there is nothing else."""
        every = []
        for place in places:
            passage = self.engine.passages[place]
            text = "" if passage.context else readable(passage)
            every += [Sentence(place, start, end) for start, end in spans(text) if text[start:end].strip()]
        ended = [each for each in every if END.search(self.text(each))]
        return ended or every

    def text(self, sentence: Sentence) -> str:
        return self.engine.passages[sentence.place].text[sentence.start : sentence.end]

    def said(self, sentence: Sentence) -> Json:
        return quoting.said(self.engine.passages, sentence)

    def rarity(self, term: str) -> float:
        return self.engine.index.words.rarity_of(term)


def summarise(answerer: Answerer, document: str, n_best: int) -> Json:
    """The sentences that stand for a document, in its order, each with its place.

    document: its path, or the end of it where one document alone ends so. n_sentences: of how many it was chosen.
    Raises: DataError: there is no such document, for who asks.
    """
    seen = visible(answerer)
    documents = seen.documents()
    path = _named(document, list(documents))
    sentences = seen.sentences(documents[path])
    title = seen.engine.passages[documents[path][0]].title
    chosen = central([seen.text(each) for each in sentences], title, seen.rarity, n_best)
    return {
        "document": path,
        "title": title,
        "sentences": [seen.said(sentences[number]) for number in chosen],
        "n_sentences": len(sentences),
    }


def spoken_of(answerer: Answerer, topic: str) -> list[Json]:
    """What the documents say of a topic: of each of the best ones the sentences that speak of it, in its order.

    A sentence counts by the share of the topic's rarity that it has, and how near the encoders of the index see it.
    """
    seen = visible(answerer)
    found = seen.engine.find([topic], allowed=answerer.allowed)[0]
    of_document: dict[str, list[int]] = {}
    for place in found.places:
        of_document.setdefault(seen.engine.passages[place].document, []).append(place)
    documents = {name: seen.sentences(sorted(places)) for name, places in list(of_document.items())[:N_DOCUMENTS]}
    every = [each for sentences in documents.values() for each in sentences]
    scores = dict(zip(every, _speaks(seen.engine, topic, [seen.text(each) for each in every]), strict=True))
    least = OF_BEST * max(scores.values(), default=0.0)
    told = []
    for name, sentences in documents.items():
        near = [each for each in sentences if scores[each] >= max(least, LEAST_COVERED)]
        rows = term_vectors([seen.text(each) for each in near], seen.rarity)
        chosen = sorted(diverse(np.array([scores[each] for each in near]), rows, N_SPOKEN))
        title = seen.engine.passages[of_document[name][0]].title
        if chosen:
            said = [seen.said(near[number]) for number in chosen]
            told.append({"document": name, "title": title, "sentences": said})
    return told


def visible(answerer: Answerer) -> Visible:
    """Raises: DataError: what answers has no passages of its own."""
    if not isinstance(answerer.engine, PassageEngine):
        raise DataError("the release has no passages of its own, expected an index of documents")
    return Visible(answerer, answerer.engine)


def _speaks(engine: PassageEngine, topic: str, texts: Sequence[str]) -> np.ndarray:
    """(n,) how much each sentence has to do with the topic, 0-2."""
    every = weights_of(topic, engine.index.words)
    weights = {term: weight for term, weight in every.items() if term not in FUNCTION_WORDS} or every
    shares = np.array([covered(weights, text) for text in texts])
    near = [np.maximum(each.near(topic, texts), 0.0) for each in engine.vectors.values()] if len(texts) else []
    return np.asarray(shares + (np.mean(near, axis=0) if near else 0.0))


def _named(name: str, documents: Sequence[str]) -> str:
    """The document that is meant. Only what who asks may see is offered."""
    plain = name.replace("\\", "/").removeprefix("./")
    ending = [each for each in documents if each == plain or plain.endswith(f"/{each}") or each.endswith(f"/{plain}")]
    if plain in documents or len(ending) == 1:
        return plain if plain in documents else ending[0]
    raise DataError(
        f"document is '{name[:80]}', expected one that the release has read",
        did_you_mean(plain, documents) or "`windlass search` shows documents by name",
    )
