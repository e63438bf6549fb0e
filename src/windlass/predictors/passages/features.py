"""What a question and a passage have to do with each other, in numbers that need no network.

The same numbers for every language: shares of the question by rarity, never words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from windlass.predictors.passages.bm25 import Bm25
from windlass.predictors.passages.terms import MOST_CHARACTERS, is_cjk, terms
from windlass.predictors.passages.units import DIGIT, NAME, PassageUnits, Units

MATCHED = (
    "covered", "pairs_covered", "triples_covered", "missed_run", "rarest_pair_missed", "sentence_covered",
    "window_covered", "sentence_pairs_covered", "heaviest_run", "rarest_missed", "n_missed", "names_covered",
    "digits_covered", "closeness", "sentence_fresh_digits", "sentence_fresh_names", "length",
)  # fmt: skip
"""Of a question and a passage. covered: the share of the question's rarity that the passage has; fresh: what stands in
the sentence nearest to the question and not in the question itself, where the answer may be."""
ASKED = ("n_units", "n_known", "rarity", "ideal", "rarest", "n_names", "n_digits", "kind")
"""Of a question alone; kind: the number of the first of `KINDS` that it holds, else how many there are."""
KINDS = (
    ("when", "what year", "which year", "what date", "哪一年", "哪年", "什么时候", "何时", "什么时间", "几年"),
    ("how many", "how much", "how long", "how old", "how far", "多少", "几"),
    ("who", "whose", "whom", "谁", "哪位", "哪个人"),
    ("where", "哪里", "哪儿", "何处", "什么地方", "哪个国家", "哪个省", "哪个城市", "位于"),
    ("why", "为什么", "为何", "原因", "怎么会"),
    ("how", "怎么", "怎样", "如何"),
    ("which", "哪些", "哪个", "哪"),
    ("what", "什么", "何"),
)
MOST_ORDERED = 100
"""Units of a question whose order is looked at."""
FAR = 60
"""Units; matches farther apart than these are not near each other."""


@dataclass(frozen=True)
class Question:
    """A question as features need it. units: of the whole; unique: (u,) its different known units; rarity: (u,) of
    each, above 0; unknown: that of what no passage has; pairs: (m - 1,) of each unit with the next; ideal: the BM25 of
    a passage that has every term once and is of mean length."""

    text: str
    units: Units
    unique: np.ndarray
    rarity: np.ndarray
    unknown: float
    pairs: np.ndarray
    ideal: float

    @property
    def total(self) -> float:
        """The rarity of the whole question, what no passage has included."""
        return float(self.rarity.sum()) + self.unknown


def question_of(text: str, units: Units, words: Bm25) -> Question:
    """A question whose units `words` numbered; what it does not know counts as the rarest that there can be."""
    known = units.ids[units.ids >= 0]
    unique = np.unique(known)
    n_unknown = int((units.ids < 0).sum())
    pairs = np.array([_pair_rarity(first, second, words) for first, second in pairwise(units.ids[:MOST_ORDERED])])
    ideal = sum(words.rarity_of(term) for term in dict.fromkeys(terms(text[:MOST_CHARACTERS])))
    return Question(text, units, unique, words.rarity[unique], n_unknown * words.rarest, pairs, ideal)


def _pair_rarity(first: int, second: int, words: Bm25) -> float:
    """Of two CJK characters that of the term which they are together, of words the sum of both."""
    if min(first, second) < 0:
        return words.rarest
    one, other = words.vocabulary[first], words.vocabulary[second]
    if is_cjk(one) and is_cjk(other):
        return words.rarity_of(one + other)
    return float(words.rarity[first] + words.rarity[second])


def asked(question: Question) -> np.ndarray:
    """(len(ASKED),) float32 of a question alone."""
    marks, ids = question.units.marks, question.units.ids
    lower = question.text[:400].casefold()
    kind = next((place for place, words in enumerate(KINDS) if any(word in lower for word in words)), len(KINDS))
    return np.array([
        len(ids), (ids >= 0).mean() if len(ids) else 0.0, question.total, question.ideal,
        question.rarity.max(initial=0.0), (marks & NAME > 0).sum(), (marks & DIGIT > 0).sum(), kind,
    ], np.float32)  # fmt: skip


def matched(question: Question, passage: Units, mean_length: float) -> np.ndarray:
    """(len(MATCHED),) float32 of a question and a passage; all 0 but the length where nothing is shared."""
    found = dict.fromkeys(MATCHED, 0.0)
    found["length"] = len(passage.ids) / max(mean_length, 1.0)
    places, hit = _hits(question.unique, passage.ids)
    if not hit.any():
        found["rarest_missed"], found["n_missed"] = float(question.rarity.max(initial=0.0)), len(question.unique)
        found["missed_run"], found["rarest_pair_missed"] = 1.0, float(question.pairs.max(initial=0.0))
        return np.array(list(found.values()), np.float32)
    total = max(question.total, 1e-6)
    has = np.zeros(len(question.unique), bool)
    has[places[hit]] = True
    found["covered"] = float(question.rarity[has].sum()) / total
    found["rarest_missed"] = float(question.rarity[~has].max(initial=0.0))
    found["n_missed"] = float((~has).sum())
    found |= _by_sentence(question, passage, places, hit)
    found |= _in_order(question, passage, places, hit)
    found |= _marked(question, has)
    return np.array([found[name] for name in MATCHED], np.float32)


def _hits(unique: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each unit its place in `unique`, and whether it is there at all."""
    if not len(unique) or not len(ids):
        return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
    places = np.minimum(np.searchsorted(unique, ids), len(unique) - 1)
    return places, unique[places] == ids


def _by_sentence(question: Question, passage: Units, places: np.ndarray, hit: np.ndarray) -> dict[str, float]:
    n_sentences = int(passage.sentences[-1]) + 1
    has = np.zeros((n_sentences, len(question.unique)), bool)
    has[passage.sentences[hit], places[hit]] = True
    weights = has @ question.rarity
    both = (has[:-1] | has[1:]) @ question.rarity if n_sentences > 1 else weights
    best = int(weights.argmax())
    fresh = (passage.sentences == best) & ~hit
    total = max(question.total, 1e-6)
    where = np.flatnonzero(hit)
    gaps = np.diff(where)
    other = places[where][1:] != places[where][:-1]
    return {
        "sentence_covered": float(weights[best]) / total,
        "window_covered": float(both.max()) / total,
        "sentence_fresh_digits": float((passage.marks[fresh] & DIGIT > 0).sum()),
        "sentence_fresh_names": float((passage.marks[fresh] & NAME > 0).sum()),
        "closeness": float((other * np.maximum(0, 1 - gaps / FAR)).sum()) / max(1, len(question.unique)),
    }


def _in_order(question: Question, passage: Units, places: np.ndarray, hit: np.ndarray) -> dict[str, float]:
    """What stands in the passage in the question's own order: pairs, triples, and the heaviest run of units."""
    missing = len(question.unique)
    in_question, known = _hits(question.unique, question.units.ids[:MOST_ORDERED])
    asked, here = np.where(known, in_question, missing), np.where(hit, places, missing)
    weight = np.append(question.rarity, 0.0)[asked]
    best, at = _heaviest_run(asked, here, weight)
    nearest = here[passage.sentences == passage.sentences[at]]
    pairs, total = question.pairs, max(float(question.pairs.sum()), 1e-6)
    triples = pairs[:-1] + pairs[1:]
    has = _stretches_found(asked, here, missing, 2)
    return {
        "pairs_covered": float(pairs @ has) / total,
        "triples_covered": float(triples @ _stretches_found(asked, here, missing, 3)) / max(float(triples.sum()), 1e-6),
        "sentence_pairs_covered": float(pairs @ _stretches_found(asked, nearest, missing, 2)) / total,
        "missed_run": _heaviest_missed(pairs, has) / total,
        "rarest_pair_missed": float(pairs[~has].max(initial=0.0)),
        "heaviest_run": best / max(question.total, 1e-6),
    }


def _stretches_found(asked: np.ndarray, here: np.ndarray, missing: int, size: int) -> np.ndarray:
    """Which of the question's stretches of so many units the passage has, bool; `missing` is a unit not shared."""
    if len(asked) < size or len(here) < size:
        return np.zeros(max(len(asked) - size + 1, 0), bool)
    stretches = tuple(asked[start : len(asked) - size + 1 + start] for start in range(size))
    table = np.zeros((missing + 1,) * size, bool)
    table[tuple(here[start : len(here) - size + 1 + start] for start in range(size))] = True
    return np.asarray(table[stretches] & np.all([part != missing for part in stretches], axis=0))


def _heaviest_missed(pairs: np.ndarray, has: np.ndarray) -> float:
    """The rarity of the heaviest run of pairs that the passage lacks: a name that it does not know."""
    heaviest = run = 0.0
    for rarity, is_there in zip(pairs.tolist(), has.tolist(), strict=True):
        run = 0.0 if is_there else run + rarity
        heaviest = max(heaviest, run)
    return heaviest


def _heaviest_run(asked: np.ndarray, here: np.ndarray, weight: np.ndarray) -> tuple[float, int]:
    """The rarity of the heaviest run of units that both have in a row, and where in the passage it ends."""
    runs = np.zeros((len(asked) + 1, len(here) + 1))
    for row, (unit, rarity) in enumerate(zip(asked, weight, strict=True)):
        if rarity:
            np.multiply(runs[row, :-1] + rarity, here == unit, out=runs[row + 1, 1:])
    best = int(runs.argmax())
    return float(runs.flat[best]), max(best % (len(here) + 1) - 1, 0)


def _marked(question: Question, has: np.ndarray) -> dict[str, float]:
    """The share of the question's names and digits that the passage has; 1 where it has none."""
    shares = {}
    for name, mark in (("names_covered", NAME), ("digits_covered", DIGIT)):
        ids = question.units.ids[question.units.marks & mark > 0]
        places, known = _hits(question.unique, ids)
        shares[name] = float((has[places] & known).mean()) if len(ids) else 1.0
    return shares


def all_matched(question: Question, passages: PassageUnits, chosen: Sequence[int]) -> np.ndarray:
    """(c, len(MATCHED)) float32 of these passages."""
    rows = [matched(question, passages.of(place), passages.mean_length) for place in chosen]
    return np.array(rows, np.float32).reshape(len(chosen), len(MATCHED))
