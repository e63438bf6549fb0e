"""Answers questions out of passages: the sentence that answers, where it stands, or no answer at all."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from windlass.errors import DataError, NotReady
from windlass.kinds import cited
from windlass.kinds import table as kinds
from windlass.metrics.citations import N_RANKED, NO_PASSAGE, NOT_FOUND, CitedMarks
from windlass.metrics.texts import normalised, token_f1
from windlass.predictors.contract import PUBLIC, Names, check_row, read_value
from windlass.predictors.passages import followups, quoting
from windlass.predictors.passages.access import AccessLists
from windlass.predictors.passages.quoting import Sentence
from windlass.predictors.passages.scores import Mask
from windlass.predictors.reading.generative import GenerativeReader, Shown, language_of, told
from windlass.predictors.reading.quantities import quantities
from windlass.predictors.reading.sentences import Retrieved
from windlass.predictors.reading.synonyms import table
from windlass.predictors.reading.verifier import Citation, Verdict, contradictions
from windlass.records import Answer, Json, Manifest, Passage, Row

LEAST = "least_confidence"
"""Of the output's state: the confidence from which on an answer is given."""
UNEQUAL = 1.0
ALIKE = 0.6
"""F1 of the words from which on an answer says what the right one does."""
NUMERAL = re.compile(r"\d+(?:[.,]\d+)*|[〇零一二三四五六七八九十百千万亿两]+")
NOTHING = frozenset[int]()
SILENT = {
    "en": "the language model does not answer: a sentence of the documents is given instead",
    "zh": "语言模型没有应答，因此直接引用文档中的句子",
}
MOST_CONFLICTS = 3
N_SHOWN = 5
"""Passages that an answer names beside it."""


@dataclass(frozen=True)
class Found:
    """What answers a question. places: passages, the best first; scores: of each; sentences: what is answered with;
    confidence: that it is right, 0-1; evidence: what that comes from; verdict: on what a language model wrote, where
    one was asked."""

    places: Sequence[int]
    scores: Sequence[float]
    sentences: Sequence[Sentence]
    confidence: float
    evidence: tuple[float, ...] = ()
    verdict: Verdict | None = None


class Engine(Protocol):
    """What finds and reads."""

    @property
    def passages(self) -> Sequence[Passage]: ...

    def find(
        self, questions: Sequence[str], hidden: Sequence[frozenset[int]] = (), allowed: Mask | None = None
    ) -> list[Found]:
        """One a question, at most `N_RANKED` passages each. hidden: of each question passages that are not there.
        allowed: (n,) bool, which passages who asks may see; None: all."""
        ...

    def retrieved(self, found: Found) -> list[Retrieved]:
        """The first passages as they may be read: without headings and orders, of the same length."""
        ...

    def with_passages(self, passages: Sequence[Passage]) -> "Engine":
        """The same, which finds what it did and reads these in the places of its own."""
        ...


@dataclass(frozen=True)
class Answerer:
    """Answers rows with cited sentences; refuses where its confidence is below what the release demands.

    reader: writes sentences of its own, where the product asks for it; what no passage supports is not said, and where
    nothing is left the sentence that was found is.
    """

    manifest: Manifest
    engine: Engine
    lists: AccessLists | None = None
    """None: every passage is for everybody."""
    names: Names = PUBLIC
    """Of who asks; what was learned is measured with all passages, whoever may see them."""
    reader: GenerativeReader | None = None

    def seen_by(self, names: Names) -> "Answerer":
        """The same as somebody with these names sees it; None: all that there is."""
        return replace(self, names=names)

    @property
    def groups(self) -> frozenset[str]:
        """That a document names."""
        return frozenset().union(*filter(None, self.lists.lists)) if self.lists else frozenset()

    @property
    def allowed(self) -> Mask | None:
        return None if self.lists is None or self.names is None else self.lists.mask(self.names)

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row, in order; its alternatives are none: the passages found stand in its value.

        Raises: DataError: a row cannot be read.
        """
        questions = self.questions(rows, root)
        found = self._found(questions)
        notes = [list[str]() for _ in found]
        given = [number for number, each in enumerate(found) if self.gives(each)]
        try:
            read = self._read([questions[number] for number in given], [found[number] for number in given])
            for number, each in zip(given, read, strict=True):
                found[number] = each
                notes[number] = told(each.verdict.dropped if each.verdict else (), language_of(questions[number]))
        except NotReady:
            for number in given:
                notes[number] = [SILENT[language_of(questions[number])]]
        return [
            Answer(self.value(each), each.confidence, evidence=tuple(said))
            for each, said in zip(found, notes, strict=True)
        ]

    def _read(self, questions: Sequence[str], found: Sequence[Found]) -> list[Found]:
        """The same with what a language model wrote. Raises: NotReady: it does not answer."""
        if self.reader is None or not found:
            return list(found)
        verdicts = self.reader.read([self.shown(*each) for each in zip(questions, found, strict=True)])
        return [replace(each, verdict=verdict) for each, verdict in zip(found, verdicts, strict=True)]

    def standalone(self, turns: Sequence[str]) -> str:
        """The last of a user's messages, with what it is about where only the ones before it say so."""
        return followups.standalone(turns, lambda texts: [each.confidence for each in self._found(texts)])

    def shown(self, question: str, found: Found) -> Shown:
        """What a language model is shown of the passages."""
        readable = self.engine.retrieved(found)
        passages = [self.engine.passages[int(each.id)] for each in readable]
        whole = [replace(each, text=passage.text) for each, passage in zip(readable, passages, strict=True)]
        return Shown(question, readable, whole, [passage.title for passage in passages])

    def search(self, rows: Sequence[Row], k: int = N_RANKED, root: Path | None = None) -> list[list[Json]]:
        """Of each row the passages that are found, the best first, each with its score: what `answer` reads.

        k: so many, at most `N_RANKED`. Raises: DataError: a row cannot be read.
        """
        return [self._ranked(each, k) for each in self._found(self.questions(rows, root))]

    def _found(self, questions: Sequence[str]) -> list[Found]:
        """What answers and searches have in common: who may not see a passage, sees it by neither."""
        return self.engine.find(questions, allowed=self.allowed)

    def visible_documents(self) -> list[str]:
        """The documents with passages that who asks may see."""
        allowed = self.allowed
        passages = self.engine.passages
        return sorted({each.document for place, each in enumerate(passages) if allowed is None or allowed[place]})

    def _ranked(self, found: Found, k: int) -> list[Json]:
        shown = zip(found.places[:k], found.scores, strict=False)
        return [
            {**quoting.place(self.engine.passages, place), "score": round(float(score), 6)} for place, score in shown
        ]

    def value(self, found: Found) -> Json:
        """What is answered, with its citations and the passages that were found; and where another one of them says
        otherwise."""
        given = self._found_value(found) if self.gives(found) else {"text": "", "refused": True, "sentences": []}
        conflicts = self._conflicts(found) if given["sentences"] else []
        n_dropped = len(found.verdict.dropped) if found.verdict else 0
        return {
            **given,
            **({"conflicts": conflicts} if conflicts else {}),
            **({"dropped": n_dropped} if n_dropped else {}),
            "passages": self._ranked(found, N_SHOWN),
        }

    def _found_value(self, found: Found) -> Json:
        """What was found, whether or not it is given."""
        kept = found.verdict.kept if found.verdict else ()
        sentences = [quoting.written(self.engine.passages, each) for each in kept] or [
            quoting.said(self.engine.passages, sentence) for sentence in found.sentences
        ]
        said = " ".join(each["text"] for each in sentences)
        return {"text": said, "refused": not sentences, "sentences": sentences}

    def _conflicts(self, found: Found) -> list[Json]:
        """Sentences of the other passages that contradict what is cited."""
        readable = self.engine.retrieved(found)
        ours = [each for statement in (found.verdict.kept if found.verdict else ()) for each in statement.citations]
        texts = [(str(each.place), self.engine.passages[each.place].text[each.start : each.end])
                 for each in found.sentences]  # fmt: skip
        cited = ours or [Citation(*each) for each in texts]
        every = [each for citation in cited for each in contradictions(citation, readable, table())]
        others = {(each.other.passage, each.other.quote): each.difference for each in every}
        return [
            {"difference": difference, **quoting.quoted(self.engine.passages, Citation(*other))}
            for other, difference in list(others.items())[:MOST_CONFLICTS]
        ]

    def gives(self, found: Found) -> bool:
        """The answer is given, and not refused."""
        return bool(found.sentences) and found.confidence >= float(self.manifest.output.state.get(LEAST, 0.0))

    def questions(self, rows: Sequence[Row], root: Path | None) -> list[str]:
        """What is asked of each row: its inputs as texts. Raises: DataError: a row cannot be read."""
        readers = {column.name: kinds.of(column).read for column in self.manifest.inputs}
        for number, row in enumerate(rows):
            check_row(row, readers, number)
        return [
            "\n".join(str(read_value(read, row, name, number, root)) for name, read in readers.items())
            for number, row in enumerate(rows)
        ]

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> CitedMarks:
        """Raises: DataError: a row cannot be read, or a right answer is none."""
        return _marks(self, self.questions(rows, root), [cited.read(value, None) or {} for value in truth], False)

    def tested(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> CitedMarks:
        """The same; where every question has an answer, every other one is asked with the passages that hold it taken
        away, so that it is seen whether it refuses. Passages are ranked with all of them there."""
        return _marks(self, self.questions(rows, root), [cited.read(value, None) or {} for value in truth], True)

    def golden(self, rows: Sequence[Row]) -> list[str]:
        """What the index finds for rows, whatever confidence an answer must have: as golden rows keep it."""
        questions = self.questions(rows, None)
        return [self._golden(found) for found in self._read(questions, self.engine.find(questions))]

    def _golden(self, found: Found) -> str:
        said = self._found_value(found)["text"]
        places = [
            f"{each['document']}:{each['start']}"
            for each in map(partial(quoting.place, self.engine.passages), found.places[:N_SHOWN])
        ]
        return "\x1f".join([said, *places])

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """0 when every answer is the one that the built index gave, passages and order included."""
        return 0.0 if self.golden(rows) == list(wanted) else UNEQUAL

    def gap(self, answer: Json, wanted: Any) -> float:
        """The same of one answer as the server gives it; a refusal shows what was found all the same."""
        value: Any = answer.get("value")
        try:
            said, *places = wanted.split("\x1f")
            is_same = [f"{each['document']}:{each['start']}" for each in value["passages"]] == places
            return 0.0 if is_same and value["text"] in ("", said) else math.inf
        except (AttributeError, KeyError, TypeError):
            return math.inf


def _marks(asked: Answerer, questions: Sequence[str], wanted: Sequence[Json], may_hide: bool) -> CitedMarks:
    """What is answered beside what is wanted; may_hide: as `Answerer.tested` says."""
    gold = Gold(asked.engine.passages)
    places = [gold.of(right) for right in wanted]
    n_written = sum(bool(right.get(cited.SYNTHETIC)) for right in wanted)
    found = asked.engine.find(questions)
    ranks = np.array([_rank(each, held) for each, held in zip(found, places, strict=True)], int)
    if may_hide and not any(map(cited.is_refusal, wanted)):
        hidden = [number for number, held in enumerate(places) if number % 2 and held]
        again = asked.engine.find([questions[number] for number in hidden], [places[n] or NOTHING for n in hidden])
        for number, each in zip(hidden, again, strict=True):
            found[number] = each
        wanted = [{} if number in set(hidden) else right for number, right in enumerate(wanted)]
    found = asked._read(questions, found)
    given = [asked.gives(each) for each in found]
    values = [asked._found_value(each) for each in found]
    told = [value if gives else {} for value, gives in zip(values, given, strict=True)]
    verdicts = [each.verdict if gives else None for each, gives in zip(found, given, strict=True)]
    gold_of = [held if right and held else NOTHING for held, right in zip(places, wanted, strict=True)]
    said = [value["text"] for value in values]
    return CitedMarks(
        ranks,
        np.array([not cited.is_refusal(right) for right in wanted], bool),
        np.array(given, bool),
        np.array([is_right(value, right) for value, right in zip(told, wanted, strict=True)], bool),
        np.array([is_right(value, right) for value, right in zip(values, wanted, strict=True)], bool),
        np.array([_f1(text, right) for text, right in zip(said, wanted, strict=True)], float),
        np.array([each.confidence for each in found], float),
        np.array([gold.share_cited(value, held) for value, held in zip(told, gold_of, strict=True)], float),
        np.array([len(each.kept) + len(each.dropped) if each else 0 for each in verdicts], int),
        np.array([len(each.dropped) if each else 0 for each in verdicts], int),
        tuple(str(value.get("text", "")) for value in told),
        tuple(cited.brief(right) for right in wanted),
        n_written,
    )


class Gold:
    """Which passages hold a right answer."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = passages
        self.of_document: dict[str, list[int]] = {}
        for place, passage in enumerate(passages):
            self.of_document.setdefault(passage.document, []).append(place)

    def of(self, right: Mapping[str, Any]) -> frozenset[int] | None:
        """The passages with the quotation, else with the answer's words, else all of the document that is named; none
        where no document answers, or none of that is there."""
        if cited.is_refusal(right) or not (right.get("document") or right.get("quote")):
            return None
        document = right.get("document")
        places = self.of_document.get(document, []) if document else range(len(self.passages))
        for words in (right.get("quote"), right.get("text")):
            plain = normalised(str(words or ""))
            held = [place for place in places if plain and plain in normalised(self.passages[place].text)]
            if held:
                return frozenset(held)
        return frozenset(places) if document else frozenset()

    def share_cited(self, value: Mapping[str, Any], held: frozenset[int]) -> float:
        """Of the citations of an answer, the share that lies in one of these passages; 0 of none."""
        cited = [each for sentence in value.get("sentences", ()) for each in sentence["citations"]]
        spans = [(self.passages[place].document, self.passages[place].start, self.passages[place].end)
                 for place in held]  # fmt: skip
        right = [
            any(each["document"] == name and start <= each["start"] <= each["end"] <= end for name, start, end in spans)
            for each in cited
        ]
        return sum(right) / len(right) if right else 0.0


def _rank(found: Found, gold: frozenset[int] | None) -> int:
    if gold is None:
        return NO_PASSAGE
    return next((rank for rank, place in enumerate(found.places[:N_RANKED], 1) if place in gold), NOT_FOUND)


def _f1(said: str, right: Mapping[str, Any]) -> float:
    return token_f1(said, right["text"]) if right.get("text") else math.nan


def is_right(value: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """The answer holds the right words, or says the same in about the same words; where nothing answers, it refuses.
    Where only a document is said, the answer cites it.

    right: parts as the kind reads them, or another answer.
    """
    said = str(value.get("text") or "")
    if cited.is_refusal(right) or not normalised(said):
        return cited.is_refusal(right) and not normalised(said)
    wanted = [str(right[name]) for name in ("text", "quote") if right.get(name)]
    if not wanted:
        named = {each.get("document") for sentence in value.get("sentences", ()) for each in sentence["citations"]}
        return right.get("document") in named
    return any(_says(said, each) for each in wanted)


def _says(said: str, wanted: str) -> bool:
    """In about the same words, and with its numbers: `6.50 euros` is not `7 euros`, nor `25 days` `5 days`."""
    ours, theirs = normalised(said), normalised(wanted)
    if not theirs:
        return False
    if ours in theirs and theirs not in ours:
        return _has_numbers(wanted, said)
    return (theirs in ours or token_f1(ours, theirs) >= ALIKE) and _has_numbers(said, wanted)


def _has_numbers(text: str, part: str) -> bool:
    """Every number of the part stands in the text, as it is written there or by its value."""
    if _numerals(part) <= _numerals(text):
        return True
    there = quantities(text)
    return all(any(each.agrees(other) for other in there) for each in quantities(part))


def _numerals(text: str) -> set[str]:
    return {found.replace(",", "") for found in NUMERAL.findall(unicodedata.normalize("NFKC", text))}


def passages_of(values: Any, where: Path) -> tuple[Passage, ...]:
    """Passages as an artifact keeps them. Raises: DataError: they are damaged."""
    try:
        found = tuple(Passage.from_json(each) for each in values)
        if not all(isinstance(each.text, str) and isinstance(each.start, int) for each in found):
            raise TypeError("a passage has no text or no place")
    except (TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{where} is damaged ({str(error)[:80]}), expected passages") from None
    return found
