"""Terms of a text: stemmed words where a script sets them apart, characters one by one and in pairs where it does not.

Measured on the shared sets (R@1 of train questions over the whole pool): cmrc2018 by characters 1+2 .959, 2 alone .957,
1+2+3 .949; xquad by words as they are .922, without plural and endings .933, the plural alone .939 (docs/log.md).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from windlass.metrics.texts import CJK, LETTER

VERSION = 1
"""Changes when the same text would give other terms: an index of others is built again."""
RUN = re.compile(rf"(?:{CJK.pattern})+|{LETTER}+")
SIZES = (1, 2)
"""How many characters of a script without spaces make a term."""
MOST_CHARACTERS = 20_000
"""Of a question: more of it is not read, so that one of a million characters costs what a long one does."""
LEAST_STEM = 3


def terms(text: str) -> list[str]:
    """The terms in order, without case and width of characters; those of a CJK run follow each other by size."""
    return [term for run in runs(text) for term in _of_run(run)]


def runs(text: str) -> Iterator[str]:
    """Words, and whole stretches of CJK characters, in order."""
    return (found.group() for found in RUN.finditer(unicodedata.normalize("NFKC", text).casefold()))


def is_cjk(run: str) -> bool:
    return bool(CJK.match(run))


def _of_run(run: str) -> list[str]:
    if not is_cjk(run):
        return [singular(run)]
    return [run[start : start + size] for size in SIZES for start in range(len(run) - size + 1)]


@lru_cache(maxsize=65_536)
def singular(word: str) -> str:
    """The English word without its plural's or third person's ending. Source: the S stemmer, Harman 1991, JASIS 42(1).

    Stronger stemming did not pay: endings taken off as well, R@1 of xquad's train questions was .933 instead of .939.
    """
    if len(word) <= LEAST_STEM or not word.endswith("s") or not word.isascii():
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "zes", "hes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word[:-1]
