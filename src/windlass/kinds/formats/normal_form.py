"""Unicode's normal forms in time that grows with the text, and how long a text is in them.

Source: Unicode Standard Annex #15, https://www.unicode.org/reports/tr15/, sections 9 and 13.
"""

import unicodedata
from collections.abc import Iterator
from typing import Literal

MOST_GROWTH = 18
"""Characters that one becomes in NFKC: U+FDFA."""
PIECE = 256


def n_characters(text: str, most: int) -> int:
    """Characters of the text once it is normalised (NFKC); counted no further than the first too many."""
    if text.isascii():
        return min(len(text), most + 1)
    count = 0
    for piece in _pieces(text):
        count += len(unicodedata.normalize("NFKC", piece))
        if count > most:
            break
    return count


def normalized(text: str, form: Literal["NFC", "NFKC"], piece: int = PIECE) -> str:
    """The text in a normal form, made in pieces: each character costs the same, and no call is a long one.

    Whole, a run of combining marks would take time that grows with its square: 100,000 of them ten seconds. Of such a
    run only what lies in a piece is put in order, much as the Stream-Safe Text Format has it.
    """
    if text.isascii():
        return text
    return "".join(unicodedata.normalize(form, part) for part in _pieces(text, piece))


def _pieces(text: str, size: int = PIECE) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + size
        places = range(end, start + size // 2, -1) if end < len(text) else ()
        cut = next((place for place in places if _begins(text[place])), end)
        yield text[start:cut]
        start = cut


def _begins(sign: str) -> bool:
    """True for a character that no normal form joins with what stands before it, or puts before it."""
    first = unicodedata.normalize("NFKD", sign)[0]
    return unicodedata.category(first)[0] != "M" and not "\u1160" <= first <= "\u11ff"
