"""A text that was put together in English, in Chinese: its template is found, its values are rendered, its twin filled.

So no place that says something knows of languages: an English template is the key, and the text is matched back to it
where it leaves. A template is asked only when its rarest word stands in the text, so that few are.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from string import Formatter

from windlass.language.catalogue import catalogue

WORD = re.compile(r"[A-Za-z]+")
HAN = re.compile("[\u3400-\u9fff]")
SIGN = re.compile("[\u3400-\u9fff\u3001-\u301f\uff01-\uff65]")
ENDING = "(?:s|es|ies|y|)"
PLAIN = re.compile(r"[\d.,:%+–\-<>≤≥~ ]*|'[^']*'|`[^`]*`|<bdi>.*</bdi>|<code>.*</code>")
"""A number, or what somebody named: no words of ours."""
NEEDED = 4
"""Letters that a template has beside its values, so that it is told from others; with fewer, values are numbers."""
BEGINS = 12
"""Letters that a template counts for more that begins with words."""
MOST, DEEPEST, MOST_PIECES = 4_000, 5, 40
UNSURE = 0.3
"""So much of a text a template must have said itself to be believed where a value is English as well."""
_ENGLISH = re.compile(r"(?<!['`\w/.-])[A-Za-z]?[a-z]+ [a-z]{2,} [a-z]{2,}")
_LEAD = re.compile(r"\s*(?:[·*•-] +)?")
_SPACED = re.compile(r"(?<=\d) %")


def in_chinese(text: str) -> str:
    """The text in Chinese, line by line where it has more; what has no twin stays as it is."""
    return "\n".join(_line(line) for line in text.split("\n"))


@lru_cache(maxsize=4096)
def _line(line: str) -> str:
    lead = _LEAD.match(line)[0]  # type: ignore[index]  # it matches nothing, too
    body = line[len(lead) :].rstrip()
    found = rendered(body) if body else None
    return line if found is None else f"{lead}{found}"


def rendered(text: str, depth: int = 0) -> str | None:
    """The text in Chinese; None where neither it nor its parts have a twin."""
    if len(text) > MOST or not WORD.search(text) or depth > DEEPEST:
        return None
    if (exact := _exact(text)) is not None:
        return exact
    unsure = None
    for template in _candidates(text):
        found = template.pattern.fullmatch(text)
        if not found or not template.fits(found.groups()):
            continue
        values = [_value(each, depth + 1) for each in found.groups()]
        if not any(map(_is_english, values)):
            return template.filled(values)
        unsure = unsure or (template.filled(values) if template.letters > UNSURE * len(text) else None)
    return _parts(text, depth) or unsure


def _exact(text: str) -> str | None:
    """The twin of a text without values, whether or not it begins a sentence."""
    key = text.replace("{", "{{").replace("}", "}}")
    twin = catalogue().get(key) or catalogue().get(f"{key[0].lower()}{key[1:]}")
    return None if twin is None else Template(key, twin).filled([])


def _is_english(value: str) -> bool:
    """True for words of ours that have no twin, and so were perhaps no value at all."""
    return bool(_ENGLISH.search(value)) and not HAN.search(value)


@dataclass(frozen=True)
class Template:
    """English and its twin. letters: of its own words."""

    english: str
    chinese: str

    @cached_property
    def literals(self) -> list[str]:
        """What stands between the values, with braces as they are read."""
        return [literal for literal, _ in parsed(self.english)]

    @cached_property
    def letters(self) -> int:
        return sum(map(len, WORD.findall(" ".join(self.literals))))

    @cached_property
    def weight(self) -> int:
        """The more it says itself the surer it is; one that begins with words of its own holds the others."""
        return self.letters + (BEGINS if WORD.search(self.literals[0]) else 0)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        wild = {None: "", "": "(.*?)", "~": ENDING}
        made = "".join(f"{re.escape(literal)}{wild[field]}" for literal, field in parsed(self.english))
        return re.compile(made, re.DOTALL)

    def fits(self, values: tuple[str, ...]) -> bool:
        """A template of hardly a word takes values that are no words."""
        return self.letters >= NEEDED or all(PLAIN.fullmatch(each) for each in values)

    def filled(self, values: list[str]) -> str:
        """The twin with its values in their places; a Chinese sentence says a percentage without a space."""
        made = ""
        for literal, field in parsed(self.chinese):
            made = _joined(_joined(made, literal), values[int(field)] if field else "")
        return _SPACED.sub("%", made)


def _joined(left: str, right: str) -> str:
    """One after the other, without a space between Chinese signs."""
    end, begin = left.rstrip(" "), right.lstrip(" ")
    return f"{end}{begin}" if end and begin and SIGN.match(end[-1]) and SIGN.match(begin) else f"{left}{right}"


def parsed(template: str) -> list[tuple[str, str | None]]:
    """(text, the field that follows it) of a template: '' a value, '~' an ending, '0' the first value, None at the end."""
    return [(literal, field) for literal, field, _, _ in Formatter().parse(template)]


@cache
def _index() -> dict[str, list[Template]]:
    """Rarest word of a template -> the templates that have it, those of most letters first."""
    made = [Template(*pair) for pair in catalogue().items() if any(field is not None for _, field in parsed(pair[0]))]
    often = Counter(word for each in made for word in set(WORD.findall(" ".join(each.literals))))
    index: dict[str, list[Template]] = {}
    for each in sorted(made, key=lambda template: -template.weight):
        words = WORD.findall(" ".join(each.literals))
        if words:
            index.setdefault(min(words, key=lambda word: (often[word], -len(word))), []).append(each)
    return index


def _candidates(text: str) -> list[Template]:
    index = _index()
    found = [each for word in set(WORD.findall(text)) for each in index.get(word, ())]
    return sorted(found, key=lambda template: -template.weight)


def _value(text: str, depth: int) -> str:
    """What stands in a place: a text of ours in Chinese, a list with its commas, anything else as it is."""
    if PLAIN.fullmatch(text):
        return text
    body = text.strip()
    found = rendered(body, depth)
    if found is None:
        return text
    return text.replace(body, found) if body and not HAN.search(found[:1] + found[-1:]) else found


_JOINTS = (("; ", "；"), (": ", "："), (", ", "、"), (" and ", " 和 "))
_ENDINGS = ((".", "。"), (":", "："), ("?", "？"), ("!", "！"))
_STOP = re.compile(r"(?<=[.!?]) +")
_QUOTED = re.compile(r"'[^']*'(?:, '[^']*')+")


def _parts(text: str, depth: int) -> str | None:
    """A text that was joined of several, each rendered by itself, when all of them are known or say nothing."""
    if _QUOTED.fullmatch(text):
        return text.replace("', '", "'、'")
    if len(pieces := _STOP.split(text)) > 1 and (made := _all(pieces, depth)) is not None:
        return "".join(made)
    for joint, mark in _JOINTS:
        pieces = text.split(joint)
        if 1 < len(pieces) <= MOST_PIECES and (made := _all(pieces, depth)) is not None:
            return mark.join(made)
    for ending, mark in _ENDINGS:
        if text.endswith(ending) and (found := rendered(text[:-1], depth + 1)) is not None:
            return f"{found}{mark}"
    return _bracketed(text, depth)


_BRACKETS = re.compile(r"(.+?) ?\((.+)\)", re.DOTALL)


def _bracketed(text: str, depth: int) -> str | None:
    found = _BRACKETS.fullmatch(text)
    if not found:
        return None
    made = _all([found[1], found[2]], depth)
    return None if made is None else f"{made[0]}（{made[1]}）"


def _all(pieces: list[str], depth: int) -> list[str] | None:
    """Each piece in Chinese; None unless one is, and no other holds words that are not."""
    made, is_known = [], False
    for piece in pieces:
        found = None if PLAIN.fullmatch(piece) else rendered(piece, depth + 1)
        if found is None and not _says_nothing(piece):
            return None
        is_known |= found is not None
        made.append(piece if found is None else found)
    return made if is_known else None


def _says_nothing(piece: str) -> bool:
    """True for numbers, names in quotes and what is one word: `'message'`, `0.912 [0.899, 0.924]`, `linear`."""
    return bool(PLAIN.fullmatch(piece)) or " " not in piece.strip()


