"""How a column writes several tags in one cell, told by an example: `a;b`, `a | b`, `<a><b>`."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from windlass.errors import SpecError

MARKS = "|;、,"
"""What parts tags, the surest first; full-width forms are the same after NFKC."""
EXAMPLE = re.compile(r"(?P<before>\W*)a(?P<between>[^a-z]+)b(?P<after>\W*)", re.DOTALL)
QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
AS_PYTHON = re.compile(rf"\[\s*(?:(?:{QUOTED})\s*(?:,\s*(?:{QUOTED})\s*)*,?\s*)?\]", re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
LEAST_LISTS, MOST_LETTERS, MOST_WORDS = 0.3, 40, 4
REPEATED = 0.5
"""A column holds tags where at least so many of its values are lists, whose parts are short and mostly occur in several
rows: a comma in prose parts what is never seen again."""


@dataclass(frozen=True)
class Written:
    """between: what stands between two tags, '' = white space; before, after: what stands around all of them."""

    between: str
    before: str = ""
    after: str = ""

    def parts(self, text: str) -> list[str]:
        """The tags of a normalised text, those included that are empty."""
        inner = text.strip().removeprefix(self.before).removesuffix(self.after)
        return inner.split(self.between) if self.between else inner.split()


@lru_cache(maxsize=64)
def parse(example: str) -> Written:
    """The form of an example. Raises: SpecError: it is none."""
    found = EXAMPLE.fullmatch(normalize("NFKC", example).strip())
    if not found:
        raise SpecError(f"format of tags is '{example[:40]}', expected an example such as 'a;b', 'a, b' or '<a><b>'")
    return Written(*(found[name].strip() for name in ("between", "before", "after")))


def listed(text: str) -> list[object] | None:
    """The elements of a list as JSON or Python writes it; None where the text is no such list."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        found = json.loads(text)
        return found if isinstance(found, list) else None
    except (ValueError, RecursionError):
        if not AS_PYTHON.fullmatch(text):
            return None
        return [ESCAPED.sub(r"\1", each[1:-1]) for each in re.findall(QUOTED, text)]


def parted(text: str) -> list[str]:
    """The tags of a normalised text whose column has no form: by the surest mark that it holds."""
    mark = next((mark for mark in MARKS if mark in text), "")
    return text.split(mark) if mark else [text]


def is_listed(value: object) -> bool:
    """The value is the text of a list as JSON or Python writes it."""
    return isinstance(value, str) and listed(value.strip()) is not None


def guess(values: Sequence[str]) -> str:
    """The example of the form in which these are lists of tags; '' where they are none.

    A comma must part now more, now fewer of them: of 'Paris, France' each has two parts.
    """
    texts = [normalize("NFKC", value) for value in values]
    for mark in MARKS:
        rows = [[part.strip() for part in text.split(mark)] for text in texts]
        sizes = Counter(map(len, rows))
        several = sum(count for size, count in sizes.items() if size > 1)
        if several >= LEAST_LISTS * len(rows) > 0 and (mark != "," or len(sizes) > 1) and is_vocabulary(rows):
            return f"a{mark}b"
    return ""


def is_vocabulary(rows: Sequence[Sequence[str]]) -> bool:
    """Short names, most of whose uses are of ones that several rows have."""
    counts = Counter(part for parts in rows for part in set(parts) if part)
    if len(counts) < 2:
        return False
    again = sum(count for count in counts.values() if count > 1)
    is_short = max(map(len, counts)) <= MOST_LETTERS and all(len(name.split()) <= MOST_WORDS for name in counts)
    return is_short and again >= REPEATED * counts.total() and 2 * len(counts) <= counts.total()
