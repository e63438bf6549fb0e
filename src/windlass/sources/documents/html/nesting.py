"""How deep the elements of a page lie in one another, told before a parser reads it: its time grows with the square."""

import re

from windlass.errors import DataError

MOST_NESTED = 500
"""Block elements that are open at once; pages for readers stay below a hundred."""
NESTS = frozenset(
    {"address", "article", "aside", "blockquote", "button", "center", "details", "dialog", "dir", "div", "dl",
     "fieldset", "figcaption", "figure", "footer", "header", "main", "menu", "nav", "ol", "search", "section",
     "summary", "table", "ul"}
)  # fmt: skip
"""Elements for which the parser looks through all that are open, and which none of their kind closes."""
APART = {"!--": "-->", **{name: f"</{name}" for name in ("script", "style", "textarea", "title", "xmp")}}
"""What holds no elements, whatever stands in it: how it begins and ends."""
TAG = re.compile(r"<(!--|/?[a-z][a-z0-9-]*)", re.IGNORECASE)


def check(text: str, name: str) -> None:
    """One pass over the tags. Raises: DataError: deeper than MOST_NESTED."""
    lowered = text.lower()
    open_now = dict.fromkeys(NESTS, 0)
    depth = start = 0
    while found := TAG.search(lowered, start):
        tag, start = found[1], found.end()
        if tag in APART:
            start = lowered.find(APART[tag], start)
            if start < 0:
                return
        elif tag in open_now:
            open_now[tag] += 1
            depth += 1
        elif tag[0] == "/" and open_now.get(tag[1:]):
            open_now[tag[1:]] -= 1
            depth -= 1
        if depth > MOST_NESTED:
            raise DataError(
                f"{name} has more than {MOST_NESTED} elements inside one another, expected at most that",
                "save it again from its program",
            )
