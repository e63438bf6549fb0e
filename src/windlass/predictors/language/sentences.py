"""Sentences of English and Chinese texts, and how much a sentence has to do with a question."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from windlass.metrics.texts import CJK, words

END = re.compile(r"[。！？!?]+[”’」』\"')\]）】]*|(?<!\.)\.++[”’\"')\]）】]*+(?=\s|$)|\n+")
SHORT = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Mt|Prof|Jr|Sr|Rev|Hon|Gen|Col|Capt|Lt|Sgt|Gov|Sen|Rep|No|Nos|Vol|Fig|Eq|Inc|Ltd|Co|Corp"
    r"|vs|etc|al|cf|ca|approx|e\.g|i\.e)|\b[A-Z])\.$"
)
"""Words that a point shortens rather than ends: titles, `e.g.`, and single capitals as in `J. Smith` and `the U.S.`"""
GOES_ON = re.compile(r"\s+[a-z,;]")
"""After a point: no sentence begins so."""


def spans(text: str) -> list[tuple[int, int]]:
    """Where each sentence starts and ends, spaces around it left out; every other character is in exactly one."""
    edges = [0, *(found.end() for found in END.finditer(text) if _ends(text, found)), len(text)]
    found = []
    for start, end in pairwise(edges):
        piece = text[start:end]
        if piece.strip():
            found.append((start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())))
    return found


def sentences(text: str) -> list[str]:
    """The sentences in order."""
    return [text[start:end] for start, end in spans(text)]


def _ends(text: str, mark: re.Match[str]) -> bool:
    """False for a point that only shortens a word, or that a small letter follows."""
    if not mark.group().startswith("."):
        return True
    shortens = mark.group() == "." and SHORT.search(text[max(0, mark.start() - 8) : mark.end()])
    return not shortens and not GOES_ON.match(text, mark.end())


def grams(text: str) -> list[str]:
    """Words; Chinese as pairs of characters, since a single one tells little."""
    found = words(text)
    pairs = [first + second for first, second in pairwise(found) if _is_cjk(first)]
    return [word for word in found if not _is_cjk(word)] + pairs


def _is_cjk(word: str) -> bool:
    return len(word) == 1 and bool(CJK.match(word))


def overlaps(candidates: Sequence[str], question: str) -> list[float]:
    """For each sentence the rarity of what it shares with the question: sum of log((1 + n) / sentences with it).

    The sentences themselves are the corpus: on XQuAD and CMRC 2018 that finds the sentence of the answer more often
    than rarity over all training texts (0.78 against 0.76, 0.75 against 0.69).
    """
    asked = set(grams(question))
    shared = [asked.intersection(grams(sentence)) for sentence in candidates]
    n_with = Counter(gram for each in shared for gram in each)
    return [sum(math.log((1 + len(candidates)) / n_with[gram]) for gram in sorted(each)) for each in shared]
