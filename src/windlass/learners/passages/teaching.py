"""What train questions teach: which passages hold their answers, and which sentence does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from windlass.kinds import cited
from windlass.learners.passages.ranking import N_FOLDS
from windlass.learners.reading.sentences import Asked, examples, fit_examples
from windlass.predictors.passages.answerer import Gold
from windlass.predictors.passages.engine import PassageEngine, ranked
from windlass.predictors.passages.rankers import Ranker
from windlass.predictors.reading.sentences import Rarity, SentenceRanker
from windlass.records import Passage, Splits

LEAST_READ = 50
"""Questions whose sentence is known, from which on reading is learned."""
Own = Mapping[int, Ranker]
"""Of each question a ranker that has not seen it."""


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
class Readers:
    """final: of the release, None: of too few questions; of: question -> a reader that has not seen it."""

    final: SentenceRanker | None = None
    of: Mapping[int, SentenceRanker] = field(default_factory=dict)


def learned_readers(engine: PassageEngine, taught: Taught, own: Own, seed: int = 13) -> Readers:
    """Learned from what is retrieved for each question by a ranker that has not seen it."""
    places = taught.ranked
    if len(places) < LEAST_READ:
        return Readers()
    rarity = Rarity.fit([passage.text for passage in engine.passages])
    heard = engine.index.hear([taught.texts[place] for place in places])
    rows = []
    for place, each in zip(places, heard, strict=True):
        candidates = engine.index.ask(each)
        found = ranked(candidates, own.get(place, engine.index.ranker).scores(candidates))
        asked = Asked(taught.texts[place], engine.retrieved(found), _answers(taught, place, engine.passages))
        rows.append(examples(asked, rarity))
    useful = [number for number, (_, labels) in enumerate(rows) if labels.any()]
    if len(useful) < LEAST_READ:
        return Readers()
    by_fold = []
    for fold in range(N_FOLDS):
        others = [rows[number] for number in useful if number % N_FOLDS != fold]
        by_fold.append(fit_examples(others, rarity, seed=seed))
    of = {place: by_fold[number % N_FOLDS] for number, place in enumerate(places)}
    return Readers(fit_examples([rows[number] for number in useful], rarity, seed=seed), of)


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
