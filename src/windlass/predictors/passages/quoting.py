"""Sentences and passages as an answer shows them: to the letter, with document, page and place."""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.predictors.reading.verifier import Citation, Statement
from windlass.records import Json, Passage


@dataclass(frozen=True)
class Sentence:
    """A sentence of a passage. place: of the passage; start, end: in its text."""

    place: int
    start: int
    end: int


def said(passages: Sequence[Passage], sentence: Sentence) -> Json:
    """A sentence of a passage, which cites itself."""
    quote = passages[sentence.place].text[sentence.start : sentence.end]
    return {"text": quote, "citations": [cited(passages, sentence)]}


def written(passages: Sequence[Passage], statement: Statement) -> Json:
    """A sentence of a language model; its quotations stand in their passages."""
    return {"text": statement.text, "citations": [quoted(passages, each) for each in statement.citations]}


def quoted(passages: Sequence[Passage], citation: Citation) -> Json:
    """Where a quotation stands, which is one of its passage."""
    number = int(citation.passage)
    start = passages[number].text.index(citation.quote)
    return cited(passages, Sentence(number, start, start + len(citation.quote)))


def cited(passages: Sequence[Passage], sentence: Sentence) -> Json:
    """Where a sentence stands. start, end: in the characters of the document's text."""
    passage = passages[sentence.place]
    at = {"start": passage.start + sentence.start, "end": passage.start + sentence.end}
    return {**_named(passage), **at, "quote": passage.text[sentence.start : sentence.end]}


def place(passages: Sequence[Passage], number: int) -> Json:
    """Where a passage stands, with its text."""
    passage = passages[number]
    return {**_named(passage), "start": passage.start, "end": passage.end, "text": passage.text}


def _named(passage: Passage) -> Json:
    return {"document": passage.document, "title": passage.title, "page": passage.page}
