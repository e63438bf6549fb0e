"""Colours as files write them, and whether text of one can be seen on another."""

import re

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
ALIKE = 20
"""Of 255: colours nearer than this in every channel are the same to the eye."""
HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
FUNCTION = re.compile(r"rgba?\(\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*(?:[,/]\s*([\d.]+%?)\s*)?\)")
NAMES: dict[str, Colour] = {
    "white": WHITE,
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "navy": (0, 0, 128),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "yellow": (255, 255, 0),
}


def colour_of(words: str) -> Colour | None:
    """The colour; None where it is not known."""
    text = words.strip().lower()
    if text in NAMES:
        return NAMES[text]
    if found := FUNCTION.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if not (digits := HEX.fullmatch(text)):
        return None
    wide = digits[1] if len(digits[1]) == 6 else "".join(2 * each for each in digits[1])
    return int(wide[:2], 16), int(wide[2:4], 16), int(wide[4:], 16)


def is_alike(one: Colour | None, other: Colour | None) -> bool:
    """True where both are known and no eye parts them."""
    return one is not None and other is not None and all(abs(a - b) < ALIKE for a, b in zip(one, other, strict=True))
