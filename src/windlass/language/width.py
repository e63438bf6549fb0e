"""How wide a text stands in a terminal, where a Chinese sign is as wide as two letters."""

import unicodedata
from collections.abc import Iterator

_NEVER_FIRST = frozenset("，。；：、！？）】》”’…,.;:!?)]")


def width(text: str) -> int:
    """In columns."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(sign) in "WF" else 0 if unicodedata.combining(sign) else 1 for sign in text
    )


def padded(text: str, columns: int) -> str:
    """With spaces up to so many columns."""
    return text + " " * max(columns - width(text), 0)


def clipped(text: str, columns: int) -> str:
    """At most so many columns, with an ellipsis where there was more."""
    if width(text) <= columns:
        return text
    kept = ""
    for sign in text:
        if width(kept + sign) > columns - 1:
            break
        kept += sign
    return f"{kept}…"


def wrapped(text: str, columns: int, indent: str) -> Iterator[str]:
    """Lines of at most so many columns: between words, and between Chinese signs but before no comma."""
    line, room = "", columns - len(indent)
    for piece in _pieces(text):
        if line and width(line + piece.rstrip()) > room and piece[0] not in _NEVER_FIRST:
            yield indent + line.rstrip()
            line = piece.lstrip()
        else:
            line += piece
    if line.strip():
        yield indent + line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """Words with the space that follows them, and single Chinese signs."""
    word = ""
    for sign in text:
        if unicodedata.east_asian_width(sign) in "WF":
            if word:
                yield word
            word = ""
            yield sign
        else:
            word += sign
            if sign == " ":
                yield word
                word = ""
    if word:
        yield word
