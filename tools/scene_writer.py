"""Tells of made-up scenes with hand-written sentences: what is drawn for a scene stays the same in all that is told."""

import random
import re
from collections.abc import Mapping, Sequence

from message_writer import CHOICE, is_chinese

SLOT = re.compile(r"<(\w+?)(\d?)>")
ARTICLE = re.compile(r"\b([Aa]) (?=[aeio]|u(?!ni|s))")
SENTENCE = re.compile(r'((?:^|[.!?:]\s+|\n)"|^|[.!?]\s+|\n)([a-z])')


class Scene:
    """One scene: <name> is drawn once from the section `kind.name`, or else `name`; <name2> is another one."""

    def __init__(self, sections: Mapping[str, Sequence[str]], kind: str, rng: random.Random) -> None:
        self.sections, self.kind, self.rng = sections, kind, rng
        self.facts: dict[str, str] = {}

    def fact(self, name: str, digit: str = "") -> str:
        """The value of this name in the scene, drawn when it is first asked for, with those that go with it."""
        key = name + digit
        if key not in self.facts:
            names, lines = self._values(name)
            taken = {self.facts.get(name + other) for other in ("", "2", "3")}
            while key not in self.facts or self.facts[key] in taken:
                values = self.tell(self.rng.choice(lines)).split(" / ")
                self.facts.update({each + digit: value for each, value in zip(names, values, strict=True)})
        return self.facts[key]

    def _values(self, name: str) -> tuple[list[str], Sequence[str]]:
        """The names that are drawn together (`kind.name+other`), and the lines to draw from."""
        for section, lines in self.sections.items():
            kind, _, names = section.rpartition(".")
            if kind == self.kind and name in names.split("+"):
                return names.split("+"), lines
        return [name], self.sections[name]

    def tell(self, text: str) -> str:
        """The text with each {a|b} decided and each slot filled."""
        while CHOICE.search(text):
            text = CHOICE.sub(lambda match: self.rng.choice(match[1].split("|")), text, count=1)
        return SLOT.sub(lambda match: self.fact(match[1], match[2]), text)

    def one_of(self, section: str) -> str:
        """One line of the section, told."""
        return self.tell(self.rng.choice(self.sections[section]))


def polished(text: str) -> str:
    """English with its capitals and with "an" where it belongs; Chinese as it is."""
    if is_chinese(text):
        return text
    text = ARTICLE.sub(r"\1n ", text)
    return SENTENCE.sub(lambda match: match[1] + match[2].upper(), text)


def together(sentences: Sequence[str]) -> str:
    """The sentences as one paragraph."""
    return polished(("" if is_chinese(sentences[0]) else " ").join(sentences))
