"""What questions teach whose answers are known: which passages hold them, and which sentence does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from windlass.kinds import cited
from windlass.learners.passages.ranking import Beside, Questions
from windlass.learners.reading.sentences import Asked, examples, fit_examples
from windlass.predictors.passages.answerer import Gold
from windlass.predictors.passages.engine import PassageEngine, ranked
from windlass.predictors.passages.index import Heard, PassageIndex
from windlass.predictors.passages.rankers import Ranker
from windlass.predictors.reading.meaning import SentenceVectors
from windlass.predictors.reading.sentences import Near, Rarity, SentenceRanker
from windlass.records import Passage, Splits

LEAST_READ = 50
"""Questions whose sentence is known, from which on reading is learned."""
LEAST_GROUPS = 10
"""Documents from which on questions of one document stay together when rows are divided: who has seen its other
questions is surer of it than of a new one."""


@dataclass(frozen=True)
class Taught:
    """Train questions whose answers are known. gold: the passages that hold each, none: no document answers."""

    texts: list[str]
    rights: list[dict[str, str]]
    gold: list[frozenset[int] | None]

    @property
    def ranked(self) -> list[int]:
        """The questions whose passage is known."""
        return [number for number, held in enumerate(self.gold) if held]


def taught_by(splits: Splits, passages: Sequence[Passage]) -> Taught:
    """What the train questions teach."""
    rows, gold = splits.train.to_dicts(), Gold(passages)
    rights = [cited.read(row[splits.output_column], None) or {} for row in rows]
    texts = ["\n".join(str(row[name]) for name in splits.inputs) for row in rows]
    return Taught(texts, rights, [gold.of(right) for right in rights])


@dataclass(frozen=True)
class Lesson:
    """Questions over an index of their passages. weight: of each question, against 1 of the user's own."""

    index: PassageIndex
    passages: Sequence[Passage]
    taught: Taught
    weight: float = 1.0
    meaning: tuple[SentenceVectors, ...] = ()

    @property
    def near(self) -> tuple[Near, ...]:
        """How near each encoder sees a sentence to a question."""
        return tuple(each.near for each in self.meaning)

    @cached_property
    def heard(self) -> list[Heard]:
        """Of the questions whose passage is known."""
        return self.index.hear([self.taught.texts[place] for place in self.taught.ranked])

    @cached_property
    def questions(self) -> Questions:
        """Those whose passage is known."""
        places = self.taught.ranked
        right = np.array([min(self.taught.gold[place] or {0}) for place in places], int)
        documents = np.array([self.passages[each].document for each in right], str)
        groups = documents if len(set(documents)) >= LEAST_GROUPS else None
        return Questions([self.taught.texts[place] for place in places], right, groups)

    @property
    def beside(self) -> Beside:
        """As what is learned from beside the user's own."""
        return Beside(self.index, self.heard, self.questions, self.weight)

    def with_index(self, index: PassageIndex) -> "Lesson":
        """The same questions, heard by the same legs."""
        return replace(self, index=index)


@dataclass(frozen=True)
class HeldOut:
    """What those say of a lesson's questions who had not seen them: by question the fold and its ranker; by question
    and whether its passage was there, how likely a passage answered."""

    folds: Mapping[int, int] = field(default_factory=dict)
    rankers: Mapping[int, Ranker] = field(default_factory=dict)
    likely: Mapping[tuple[int, bool], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Readers:
    """final: of the release, None: of too few questions; by_fold: readers that have not seen a fold's questions."""

    final: SentenceRanker | None = None
    by_fold: Sequence[SentenceRanker] = ()

    def of(self, fold: int | None) -> SentenceRanker | None:
        """Who has not seen the questions of the fold; None: a question that taught nothing."""
        return self.final if fold is None or not self.by_fold else self.by_fold[fold]


Read = tuple[np.ndarray, np.ndarray]


def learned_readers(lessons: Sequence[Lesson], held_out: Sequence[HeldOut], seed: int = 13) -> Readers:
    """Learned from what is retrieved for each question by a ranker that has not seen it."""
    found: list[tuple[Read, int, float]] = []
    for lesson, held in zip(lessons, held_out, strict=True):
        found += [(rows, fold, lesson.weight) for rows, fold in sentences_of(lesson, held) if rows[1].any()]
    if len(found) < LEAST_READ:
        return Readers()
    rarity = rarity_of(lessons[0].passages)

    def fitted(fold: int | None) -> SentenceRanker:
        others = [each for each in found if each[1] != fold]
        weights = [each[2] for each in others]
        return fit_examples([rows for rows, _, _ in others], rarity, lessons[0].near, seed, weights=weights)

    return Readers(fitted(None), [fitted(fold) for fold in range(1 + max(fold for _, fold, _ in found))])


def rarity_of(passages: Sequence[Passage]) -> Rarity:
    """How rare each gram is among the passages' own words."""
    return Rarity.fit([passage.text for passage in passages])


def sentences_of(lesson: Lesson, held: HeldOut) -> list[tuple[Read, int]]:
    """Of each question the sentences retrieved for it and which of them answer, and its fold."""
    engine, rarity, rows = PassageEngine(lesson.passages, lesson.index), rarity_of(lesson.passages), []
    for place, heard in zip(lesson.taught.ranked, lesson.heard, strict=True):
        candidates = lesson.index.ask(heard)
        found = ranked(candidates, held.rankers[place].scores(candidates))
        answers = _answers(lesson.taught, place, lesson.passages)
        asked = Asked(lesson.taught.texts[place], engine.retrieved(found), answers)
        rows.append((examples(asked, rarity, lesson.near), held.folds[place]))
    return rows


def _answers(taught: Taught, number: int, passages: Sequence[Passage]) -> list[tuple[str, int, int]]:
    """Where the answer stands: its words inside its quotation, else the quotation, in each passage that holds it."""
    right, found = taught.rights[number], []
    for place in sorted(taught.gold[number] or ()):
        text, quote, words = passages[place].text, right.get("quote", ""), right.get("text", "")
        start = text.find(quote) if quote else -1
        inside = quote.find(words) if words else -1
        if start >= 0 and inside >= 0:
            found.append((str(place), start + inside, start + inside + len(words)))
        elif start >= 0:
            found.append((str(place), start, start + len(quote)))
        elif words and (at := text.find(words)) >= 0:
            found.append((str(place), at, at + len(words)))
    return found
