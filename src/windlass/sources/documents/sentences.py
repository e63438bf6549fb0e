"""Where sentences begin and end, in English, Chinese and what is written alike.

A full stop ends none inside a number, behind an abbreviation or an initial, or where the next word is in small letters.
"""

import re
from collections.abc import Iterator

CLOSERS = "\"'”’」』）)]》】〉»"
END = re.compile(
    rf"[。！？；｡…]+[{re.escape(CLOSERS)}]*(?:\s+|(?=\S)|$)|[.!?]+[{re.escape(CLOSERS)}]*(?:\s+|$)"
    r"|(?<=[\u3400-\u9fff])[!?]+"
)
"""Marks that end a sentence, with the quotes and brackets that close behind them and the space that follows."""
TITLES = frozenset(
    {"approx", "bzw", "capt", "cf", "dept", "dr", "e.g", "gov", "hon", "i.e", "lt", "messrs", "mr", "mrs", "ms",
     "prof", "resp", "rev", "sgt", "st", "univ", "viz", "vs", "z.b"}
)  # fmt: skip
"""Never at an end."""
MAY_END = frozenset(
    {"a.m", "al", "b.a", "co", "corp", "d.c", "e.u", "etc", "inc", "jr", "ltd", "m.a", "m.d", "p.m", "ph.d",
     "sr", "u.k", "u.n", "u.s", "usw"}
)  # fmt: skip
"""At an end where a capital letter follows."""
BEFORE_NUMBERS = frozenset(
    {"apr", "art", "arts", "aug", "ca", "ch", "chap", "dec", "eq", "eqs", "est", "ext", "feb", "fig", "figs",
     "jan", "jul", "jun", "mar", "max", "min", "no", "nos", "nov", "nr", "oct", "p", "par", "para", "pg", "pp",
     "sec", "sep", "sept", "tel", "vol", "vols"}
)  # fmt: skip
"""Abbreviations where a number follows, else words like others."""
TOKEN_BEFORE = re.compile(r"(\S+)$")
INITIAL = re.compile(r"(?:[A-Z]\.)*[A-Z]")
NUMBERING = re.compile(r"\(?(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivxIVX]{1,5})")
OPENERS = "\"'“‘「『（([《【〈«"


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences, without the space around them; together they hold all that is no space."""
    return list(_spans(text))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for mark in END.finditer(text):
        if _ends(text, start, mark):
            yield from _trimmed(text, start, mark.end())
            start = mark.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if piece.strip():
        start += len(piece) - len(piece.lstrip())
        yield start, start + len(piece.strip())


def _ends(text: str, start: int, mark: re.Match[str]) -> bool:
    sign = mark[0].strip()
    follows = text[mark.end() :].lstrip(OPENERS)[:1] if mark.end() < len(text) else ""
    if sign[:1] == "…":
        return not follows.islower() and bool(mark[0][-1:].isspace() or len(sign) > 1 or not follows)
    if sign[0] not in ".!?":
        return True
    if follows.islower():
        return False
    if sign != ".":
        return True
    before = TOKEN_BEFORE.search(text[max(start, mark.start() - 40) : mark.start()])
    return before is None or not _abbreviates(before[1].strip(OPENERS), start, mark, text, follows)


def _abbreviates(word: str, start: int, mark: re.Match[str], text: str, follows: str) -> bool:
    """True where a single full stop behind the word belongs to it."""
    is_first = not text[start : mark.start() - len(word)].strip(OPENERS + " \n\t")
    if is_first and NUMBERING.fullmatch(word):
        return True
    lower = word.lower()
    if lower in TITLES or (lower in MAY_END and not follows.isupper()):
        return True
    if lower in BEFORE_NUMBERS:
        return follows.isdigit()
    return bool(INITIAL.fullmatch(word)) and len(word) == 1 and word != "I" and follows.isupper()
