"""Whose texts are believed: what a correction of a written answer says about itself, without asking the champion.

A text has no probability that every engine could tell, so what is looked at is what any product has: its training
rows, the answer that was corrected, and what the other callers say.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from windlass.kinds import table as kinds
from windlass.kinds import text
from windlass.metrics.texts import normalised, token_f1, words
from windlass.outputs.labelled_row import ASIDE, FILE, WAITING, LabelledRow, Pairs
from windlass.outputs.trust import Known, Opinion
from windlass.pages.text.words import percent
from windlass.predictors.contract import Predictor
from windlass.records import Row
from windlass.sources.near_duplicates import near
from windlass.spec import Spec

ALIKE, UNLIKE = 0.6, 0.3
"""F1 of the words from which on two texts say the same, and below which they have nothing to do with each other."""
FAINT = 0.05
OFTEN, MOST_OFTEN, LEAST_OFTEN = 4, 1 / 2, 8
"""One text for so many rows needs a second caller; for this share of all feedback it is not believed at all."""
LEAST_WORDS, FOREIGN = 8, 0.9
"""Different words that a text must have, and the share of them that must be new, to be in another language."""
LEAST_SCRIPT, MOST_LETTERS = 0.01, 400


def is_same(one: str, other: str) -> bool:
    """Both say the same in about the same words."""
    return one == other or token_f1(one, other) >= ALIKE


def opinion(rows: Sequence[LabelledRow], champion: Predictor, known: Known, spec: Spec) -> Opinion:
    """How much texts contradict the training rows, and what they correct."""
    train = known.train
    places = near([row.values for row in rows], [row for row, _ in train], spec.inputs)
    trained = [
        max(token_f1(row.label, right) for right in text.several(train[place][1])) if place >= 0 else 1.0
        for row, place in zip(rows, places, strict=True)
    ]
    likeness = [token_f1(row.label, row.said) if row.said else np.nan for row in rows]
    against = (places >= 0) & (np.array(trained) < UNLIKE)
    return Opinion(
        answers=[row.said for row in rows],
        doubts=against,
        contradicts=against,
        is_new=np.zeros(len(rows), bool),
        surprise=-np.log(np.maximum(np.array(likeness, float), FAINT)),
        known="what training rows say",
        otherwise="a training row that asks nearly the same says otherwise",
    )


def unfit(rows: Sequence[LabelledRow], train: Pairs, spec: Spec) -> list[LabelledRow]:
    """The rows, those set aside or left waiting whose text is none that the product gives: one text for very many
    questions, or a language that no training row is written in. Rows of a file are believed."""
    reasons = _refrains(rows, train)
    known = _Vocabulary(train, spec)
    found = []
    for row, reason in zip(rows, reasons, strict=True):
        if row.who == FILE:
            found.append(row)
        elif known.is_foreign(row):
            found.append(row.becomes(ASIDE, "written in another language than the training rows"))
        else:
            found.append(row.becomes(*reason) if reason else row)
    return found


def _refrains(rows: Sequence[LabelledRow], train: Pairs) -> list[tuple[str, str] | None]:
    """Fate and reason of rows whose text many other rows have, and no training row."""
    said = {normalised(right) for _, label in train for right in text.several(label)}
    keys = [normalised(row.label) for row in rows]
    places: dict[str, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        if key not in said and rows[place].who != FILE:
            places[key].append(place)
    callers = {row.who for row in rows if row.who != FILE}
    found: list[tuple[str, str] | None] = [None] * len(rows)
    for own in places.values():
        if len(own) >= LEAST_OFTEN and len(own) > MOST_OFTEN * len(rows):
            words = f"more than {percent(MOST_OFTEN)} of the feedback is this one text, which no training row has"
            mark = (ASIDE, words)
        elif len(own) >= OFTEN and len(callers) > 1 and len({rows[place].who for place in own}) < 2:
            mark = (WAITING, "one new text for many rows needs a second caller")
        else:
            continue
        for place in own:
            found[place] = mark
    return found


class _Vocabulary:
    """The words of the training rows, asked or answered, and the scripts of their answers."""

    def __init__(self, train: Pairs, spec: Spec) -> None:
        self.inputs = [name for name, kind in spec.inputs.items() if kinds.get(kind).is_language]
        self.scripts = Counter(_script(label) for _, label in train)
        self.words: set[str] = set()
        for row, label in train:
            self.words |= _words(label) | self._asked(row)

    def is_foreign(self, row: LabelledRow) -> bool:
        """In a script that hardly any training answer has, or in words that neither training nor its question has:
        whoever writes the same language uses some of its small words."""
        script = _script(row.label)
        if script and self.scripts[script] < LEAST_SCRIPT * self.scripts.total():
            return True
        said = _words(row.label)
        return len(said) >= LEAST_WORDS and len(said - self.words - self._asked(row.values)) > FOREIGN * len(said)

    def _asked(self, row: Row) -> set[str]:
        return {word for name in self.inputs for word in _words(str(row.get(name) or ""))}


def _script(value: str) -> str:
    """The script of most letters, such as LATIN or CJK; empty without letters."""
    letters = [char for char in value[:MOST_LETTERS] if char.isalpha()]
    found = Counter(unicodedata.name(char, "?").split()[0] for char in letters)
    return found.most_common(1)[0][0] if found else ""


def _words(value: str) -> set[str]:
    return set(words(unicodedata.normalize("NFKC", value)))
