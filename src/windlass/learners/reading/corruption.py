"""Sentences of passages altered by rule: retold, so that they stay supported, and then made wrong.

Source: FactCC, Kryściński et al. 2020, arXiv:1910.12840: numbers, names, negation, swapped parts, noise.
"""

import random
import re
from collections.abc import Callable, Sequence

from windlass.learners.reading.support import Judged
from windlass.metrics.texts import CJK
from windlass.predictors.language.sentences import sentences
from windlass.predictors.reading.quantities import quantities
from windlass.predictors.reading.support import Evidence

NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*")
PART = re.compile(
    r"(?<=[由被在于把将与和向给对从为是，])[\u4e00-\u9fff]{2,5}(?=[由被在于把将与和向给对从为是的，。、了])|(?<=《)[^》]{2,9}(?=》)"
)
MARK = re.compile(r"[,，;；]\s*")
NEGATE = (
    (re.compile(r"\b(is|are|was|were|can|could|will|would|has|have|had|may|must)\b(?! not)"), r"\1 not"),
    (re.compile(r"\b(did not|do not|does not|not|never)\s"), ""),
    (re.compile(r"(?<!不)(是|会|能|可以|需要|属于)"), r"不\1"),
    (re.compile(r"(?<![没未])(有|曾|被)"), r"没\1"),
    (re.compile(r"[不没未]有?"), ""),
)
SHORTEST, LONGEST = 12, 240
Rule = Callable[[str, str, random.Random], str]
"""A sentence, one of another passage, chance -> the altered sentence; the same where the rule does not apply."""


def judged(passages: Sequence[str], n: int, seed: int = 13) -> list[Judged]:
    """So many altered sentences of these passages, half of them supported; none where there are too few passages."""
    chance = random.Random(seed)
    pool = [(number, found) for number, text in enumerate(passages) for found in sentences(text)]
    pool = [each for each in pool if SHORTEST <= len(each[1]) <= LONGEST]
    found: list[Judged] = []
    for _ in range(20 * n):
        if len(found) >= n or len(passages) < 2 or not pool:
            break
        number, sentence = chance.choice(pool)
        other = chance.choice(pool)
        retold = chance.choice(RETELLING)(sentence, "", chance)
        altered = retold if len(found) % 2 else chance.choice(WRONG)(retold, other[1], chance)
        if (len(found) % 2 == 0 and altered == retold) or other[0] == number or not altered:
            continue
        evidence = Evidence((sentence,), (passages[number],))
        found.append(Judged(altered, evidence, bool(len(found) % 2), f"passage {number}", 0.25, False))
    return found


def _joined(parts: Sequence[str], text: str) -> str:
    is_chinese = bool(CJK.search(text))
    return ("，" if is_chinese else ", ").join(parts) + ("。" if is_chinese else ".")


def _parts(text: str) -> list[str]:
    return [part.strip() for part in MARK.split(text.rstrip("。.!！?？")) if len(part.strip()) > 3]


def shortened(text: str, _: str, chance: random.Random) -> str:
    """One of its clauses, or some in a row."""
    parts = _parts(text)
    if len(parts) < 2:
        return text
    first = chance.randrange(len(parts))
    return _joined(parts[first : first + chance.choice((1, 1, 2))], text)


def turned(text: str, _: str, chance: random.Random) -> str:
    """Its first clause at the end."""
    parts = _parts(text)
    return _joined([*parts[1:], parts[0]], text) if len(parts) > 1 else text


def same(text: str, _: str, chance: random.Random) -> str:
    return text


def without_words(text: str, _: str, chance: random.Random) -> str:
    """Without what stands in brackets, and without some adverbs."""
    return re.sub(r"\s?[(（][^)）]*[)）]|\b(?:also|then|however|usually|often|very)\b,? ?|[也还便就曾]", "", text)


def wrong_number(text: str, _: str, chance: random.Random) -> str:
    found = quantities(text)
    if not found:
        return text
    start, end = chance.choice(found).place
    signs = list(text[start:end])
    places = [place for place, sign in enumerate(signs) if sign.isdigit() or sign in "一二三四五六七八九"]
    if not places:
        return text
    place = chance.choice(places)
    digits = "123456789" if signs[place].isdigit() else "一二三四五六七八九"
    signs[place] = chance.choice([sign for sign in digits if sign != signs[place]])
    return text[:start] + "".join(signs) + text[end:]


def wrong_name(text: str, other: str, chance: random.Random) -> str:
    pattern = PART if CJK.search(text) else NAME
    ours, theirs = list(pattern.finditer(text)), [each.group() for each in pattern.finditer(other)]
    theirs = [each for each in theirs if each not in text]
    if not ours or not theirs:
        return text
    place = chance.choice(ours)
    return text[: place.start()] + chance.choice(theirs) + text[place.end() :]


def swapped(text: str, _: str, chance: random.Random) -> str:
    """Two of its names or numbers in each other's place."""
    pattern = PART if CJK.search(text) else NAME
    found = [each.span() for each in pattern.finditer(text)]
    numbers = [each.place for each in quantities(text) if each.unit != "month"]
    found = numbers if len(numbers) > 1 and (len(found) < 2 or chance.random() < 0.3) else found
    if len(found) < 2:
        return text
    one, two = sorted(chance.sample(found, 2))
    if one[1] > two[0] or text[slice(*one)] == text[slice(*two)]:
        return text
    return text[: one[0]] + text[slice(*two)] + text[one[1] : two[0]] + text[slice(*one)] + text[two[1] :]


def negated(text: str, _: str, chance: random.Random) -> str:
    fitting = [(pattern, to) for pattern, to in NEGATE if pattern.search(text)]
    if not fitting:
        return text
    pattern, to = chance.choice(fitting)
    return pattern.sub(to, text, count=1)


def added(text: str, other: str, chance: random.Random) -> str:
    """With a clause of another passage, at the end or in the middle."""
    extra = chance.choice(_parts(other) or [""])
    parts = _parts(text)
    if not extra or not parts:
        return text
    extra = extra if CJK.search(text) else f"and {extra[:1].lower()}{extra[1:]}"
    place = chance.choice((len(parts), len(parts), 1))
    return _joined([*parts[:place], extra, *parts[place:]], text)


RETELLING: tuple[Rule, ...] = (shortened, shortened, turned, same, without_words)
WRONG: tuple[Rule, ...] = (wrong_number, wrong_name, wrong_name, swapped, swapped, negated, added, added)
