"""Questions that ask about the same, grouped and named by their terms; in scripts without spaces by what they share."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from windlass.predictors.passages.terms import is_cjk, runs, singular

ALIKE, ABOUT = 0.6, 0.3
"""Cosine of terms from which on two questions ask the same in other words, and from which on they are about one."""
ENDINGS = ("ing", "ed", "es")
LEAST_STEM = 4
LONGEST_SHARED, LEAST_SHARED = 8, 0.5
"""Characters of a name in a script without spaces; share of the questions that hold it."""
N_NAMED = 3
LONGEST_NAME = 60
FUNCTION_WORDS = frozenset(
    """
a an and any are as at be been by can could do does did for from get give had has have how i if in into is it its long
many may me much must my no not of offer on one or our please shall should so some tell than that the their them then
there these they this to up us was we were what when where which who whom whose why will with would you your s t m
re ve ll don doesn isn
""".split()  # noqa: SIM905
)
FUNCTION_CHARACTERS = re.compile(
    "请问|你们|我们|你|您|我|他们|他|它|吗|呢|吧|啊|么|的|了|是|有没有|有|在|和|与|或|就|也|都|还|能不能|可不可以|"
    "可以|是否|能否|能|会不会|会|要不要|要|想|怎么样|怎么办|怎么|怎样|如何|什么时候|什么|多少钱|多少|几|哪里|哪儿|哪些|"
    "哪个|哪|谁|为何|为什么|一下|一个|一|不|没|把|被|给|对|到|从|让|吧|提供"
)


@dataclass(frozen=True)
class QuestionGroup:
    """places: of its questions, the most central first. name: what they are about, in their own words."""

    places: tuple[int, ...]
    name: str


def grouped(texts: Sequence[str], least: float = ALIKE) -> list[QuestionGroup]:
    """Groups of questions, the largest first. least: cosine to the group's mean from which on a question joins it.

    One pass over the different questions, the most asked first, as k-means with a threshold (leader clustering,
    Hartigan 1975): the same for the same questions, whatever their order.
    """
    counts = Counter(texts)
    order = sorted(counts, key=lambda text: (-counts[text], text))
    weighed = {text: _weighed(text) for text in order}
    centres: list[Counter[str]] = []
    of_term: dict[str, set[int]] = defaultdict(set)
    members: list[list[str]] = []
    for text in order:
        terms = weighed[text]
        best = _nearest(terms, centres, of_term, least)
        if best < 0:
            best = len(centres)
            centres.append(Counter())
            members.append([])
        centres[best].update(terms)
        members[best].append(text)
        for term in terms:
            of_term[term].add(best)
    places: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        places[text].append(place)
    found = []
    for centre, asked in zip(centres, members, strict=True):
        asked.sort(key=lambda text: -_cosine(weighed[text], centre))
        every = tuple(place for text in asked for place in places[text])
        found.append(QuestionGroup(every, name_of(asked)))
    return sorted(found, key=lambda each: (-len(each.places), each.name))


def _nearest(terms: dict[str, float], centres: list[Counter[str]], of_term: dict[str, set[int]], least: float) -> int:
    """The group whose mean is nearest; -1 where none is near enough."""
    near = sorted({group for term in terms for group in of_term[term]})
    best = max(near, key=lambda group: _cosine(terms, centres[group]), default=-1)
    return best if best >= 0 and _cosine(terms, centres[best]) >= least else -1


def _cosine(one: dict[str, float], other: Counter[str]) -> float:
    product = sum(weight * other[term] for term, weight in one.items())
    sizes = (sum(weight * weight for weight in each.values()) for each in (one, other))
    return product / math.sqrt(math.prod(sizes)) if product else 0.0


def _weighed(text: str) -> dict[str, float]:
    """Terms of what a question is about; the question as it is where it has no such."""
    found: dict[str, float] = {}
    for run in runs(text):
        if is_cjk(run):
            for piece in _pieces(run):
                found |= dict.fromkeys((piece[at : at + 2] for at in range(len(piece) - 1)), 1.0)
                found |= dict.fromkeys(piece, 0.5)
        elif run not in FUNCTION_WORDS:
            found[stem(run)] = 1.0
    return found or {text.strip().casefold(): 1.0}


def _pieces(run: str) -> list[str]:
    """What stands between words of grammar."""
    return [piece for piece in FUNCTION_CHARACTERS.split(run) if piece]


def stem(word: str) -> str:
    """Without its ending: `wrapping`, `wrapped` and `wraps` are one."""
    ending = next((each for each in ENDINGS if word.endswith(each) and len(word) - len(each) >= LEAST_STEM), "")
    bare = word[: len(word) - len(ending)] if ending else singular(word)
    doubled = bool(ending) and len(bare) > LEAST_STEM and bare[-1] == bare[-2] and bare[-1] not in "lsz"
    return bare[:-1] if doubled else bare


def name_of(questions: Sequence[str]) -> str:
    """What they are about: the words that most of them share, in the order of the first that has most of them."""
    n_cjk = sum(any(is_cjk(run) for run in runs(text)) for text in questions)
    shared = _shared_characters(questions) if 2 * n_cjk > len(questions) else _shared_words(questions)
    return (shared or " ".join(questions[0].split()))[:LONGEST_NAME]


def _shared_words(questions: Sequence[str]) -> str:
    counts: Counter[str] = Counter()
    spelt: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, int] = {}
    for text in questions:
        words = [run for run in runs(text) if run not in FUNCTION_WORDS]
        counts.update({stem(word) for word in words})
        for at, word in enumerate(words):
            spelt[stem(word)][word] += 1
            first.setdefault(stem(word), at)
    chosen = sorted(counts, key=lambda each: (-counts[each], first[each], each))[:N_NAMED]
    chosen = [each for each in chosen if counts[each] * 2 > counts[chosen[0]]]
    return " ".join(spelt[each].most_common(1)[0][0] for each in sorted(chosen, key=lambda each: first[each]))


def _shared_characters(questions: Sequence[str]) -> str:
    """The longest stretches that at least half of the questions have, at most two that do not overlap."""
    counts: Counter[str] = Counter()
    for text in questions:
        counts.update({
            piece[start : start + size]
            for run in runs(text) if is_cjk(run) for piece in _pieces(run)
            for size in range(2, LONGEST_SHARED + 1) for start in range(len(piece) - size + 1)
        })  # fmt: skip
    enough = [each for each, count in counts.items() if count >= LEAST_SHARED * len(questions)]
    chosen: list[str] = []
    for each in sorted(enough, key=lambda each: (-counts[each] * (len(each) - 1), -len(each), each)):
        if len(chosen) < 2 and not any(set(each) & set(other) for other in chosen):
            chosen.append(each)
    return " ".join(sorted(chosen, key=lambda each: questions[0].find(each)))
