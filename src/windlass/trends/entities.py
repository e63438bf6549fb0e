"""Whom a text is about: names are looked up as they are written; no model is needed, and none is asked.

English names match whole words, Chinese ones anywhere, since Chinese has no spaces. The longest name wins and is used
up: in 'Bank of Eastport' nothing is left for 'Eastport'. A name with a capital letter needs its capitals, or a headline
all in capitals: 'Shell' is not 'a shell', 'SHELL FINED' is Shell. A name in small letters matches any.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from windlass.brand import CJK, HIDDEN

UNIT = re.compile(rf"{CJK.pattern}|(?:(?!{CJK.pattern})\w)+")
"""What a name can begin with: a Chinese character, or a word."""


@dataclass(frozen=True)
class _Name:
    """A name and whose it is ('' = nobody's: it is only to be passed over). lead: signs before its first unit, such as
    the $ of $HBK; its first unit in small letters is the key that it is found by."""

    text: str
    entity: str
    lead: int
    key: str

    def stands_at(self, text: str, start: int) -> bool:
        found = text[start : start + len(self.text)]
        if found != self.text and (found != self.text.upper() and not self._is_small(found)):
            return False
        return not (_joins(text, start - 1, start) or _joins(text, start + len(found) - 1, start + len(found)))

    def _is_small(self, found: str) -> bool:
        return self.text == self.text.casefold() == found.casefold()


def _joins(text: str, left: int, right: int) -> bool:
    """True when a word goes on between these two places; Chinese characters never make one."""
    if left < 0 or right >= len(text):
        return False
    return all(text[place].isalnum() and not CJK.match(text[place]) for place in (left, right))


class Finder:
    """Finds the entities of a text. ignore: phrases that hold a name and mean something else."""

    def __init__(self, entities: Mapping[str, Iterable[str]], ignore: Iterable[str] = ()) -> None:
        names = [(name, entity) for entity, others in entities.items() for name in (entity, *others)]
        self._names: dict[str, list[_Name]] = {}
        for text, entity in [*names, *((phrase, "") for phrase in ignore)]:
            shape = _shape(text)
            first = UNIT.search(shape)
            if first:
                name = _Name(shape, entity, first.start(), first[0].casefold())
                self._names.setdefault(name.key, []).append(name)
        for found in self._names.values():
            found.sort(key=lambda name: -len(name.text))

    def find(self, text: str) -> list[str]:
        """The entities that the text names, each once, in the order of the text."""
        shape, done = _shape(text), 0
        found: dict[str, None] = {}
        for unit in UNIT.finditer(shape):
            name = self._longest(shape, unit, done)
            if name is not None:
                done = unit.start() - name.lead + len(name.text)
                found[name.entity] = None
        return [entity for entity in found if entity]

    def _longest(self, shape: str, unit: re.Match[str], done: int) -> _Name | None:
        for name in self._names.get(unit[0].casefold(), ()):
            start = unit.start() - name.lead
            if start >= done and name.stands_at(shape, start):
                return name
        return None


def _shape(text: str) -> str:
    """The text as it is searched: one width of letters, nothing hidden, single spaces, one kind of apostrophe."""
    return " ".join(HIDDEN.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'").split())
