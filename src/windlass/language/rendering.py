"""A text that was put together in English, in Chinese: its template is found, its values are rendered, its twin filled.

So no place that says something knows of languages: an English template is the key, and the text is matched back to it
where it leaves. A template is asked only when its rarest word stands in the text, so that few are; matching looks for
one literal after the other and never goes back, and each text has a budget, as anybody may write what it quotes.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise, product
from string import Formatter

from windlass.language.catalogue import catalogue

WORD = re.compile(r"[A-Za-z]+")
HAN = re.compile("[\u3400-\u9fff]")
SIGN = re.compile("[\u3400-\u9fff\u3001-\u301f\uff01-\uff65]")
PLAIN = re.compile(
    r"(?:[A-Z]{3} )?[\d.,:%+–\-<>≤≥~ ]*(?:ms|MB|GB|KB|s|min|h)?"
    r"|[\u2066-\u2068]?'[^']*'\u2069?|`[^`]*`|<bdi>[^<]*</bdi>|<code>[^<]*</code>"
)
"""A number, or what somebody named: no words of ours."""
PLACE = re.compile(r"{[^{}]*}")
"""Of a value."""
ENDINGS = ("", "s", "es", "y", "ies")
"""What `{~}` of a template can be."""
NEEDED, NEEDED_LATER = 3, 5
"""Letters that a template has beside its values, so that it is told from others, where it begins with words and where
it does not; with fewer, values are numbers."""
BEGINS = 12
"""Letters that a template counts for more that begins with words: it holds the others."""
UNSURE = 0.3
"""So much of a text a template must have said itself to be believed where a value is English as well."""
EXPECTED = ("expected ", "应为")
LONGEST, DEEPEST, MOST_PIECES, MOST_TRIES, MOST_SENTENCES = 4_000, 5, 40, 400, 8
"""Of a text: its characters, the texts within one another, its parts, the templates that are asked, and the sentences
that are rendered each by itself."""
_ENGLISH = re.compile(r"(?<!['`\w/.-])[A-Za-z]?[a-z]+ [a-z]{2,} [a-z]{2,}")
_LEAD = re.compile(r"\s*(?:[·*•-] +|#{1,4} +)?")
_SPACED = re.compile(r"(?<=\d) %")
_JOINTS = (("; ", "；"), (": ", "："), (", ", "、"), (" and ", " 和 "), (" ≥ ", " ≥ "), (" ≤ ", " ≤ "))
_LAST = ((".", "。"), (":", "："), ("?", "？"), ("!", "！"))
SEVERAL = "; "
"""Between texts of which each is one."""
_COMMA = re.compile(r", (?![^\[\]]*\])")
_LABEL = re.compile(r"(?:[a-z][a-z ]*: |[a-z]+ {2,})\{\}")
_NUMBERS = re.compile(r"(?:[A-Z]{3} )?[\d.,]+, [\d.,]+.*")
"""What stands before a text of ours and is two values, not one: `EUR 1,160, 4` of `EUR 1,160, 4 hours`."""
_STOP = re.compile(r"(?<=[.!?]) +")
_NUMBERED = re.compile(r"^( *\d+\.)(?=\S)")
_NAME = "[\u2066-\u2069]?'[^']*'[\u2066-\u2069]?"
_QUOTED = re.compile(f"{_NAME}(?:, {_NAME})+")
_BETWEEN = re.compile("(?<=['\u2069]), (?=[\u2066-\u2068]?')")
_GAP = re.compile("( {2,})")
"""Between the columns of a table in a terminal: each cell is a text of its own."""
_BRACKETS = re.compile(r"(.+?) ?\(([^()]*)\)", re.DOTALL)


def in_chinese(text: str) -> str:
    """The text in Chinese, line by line where it has more; what has no twin stays as it is."""
    return "\n".join(_line(line) for line in text.split("\n"))


@lru_cache(maxsize=4096)
def _line(line: str) -> str:
    lead = _LEAD.match(line)[0]  # type: ignore[index]  # it matches nothing, too
    body = line[len(lead) :].rstrip()
    if (whole := rendered(line.strip())) is not None:
        return f"{line[: len(line) - len(line.lstrip())]}{whole}"
    found = rendered(body) if body else None
    if found is None and _GAP.search(body):
        found = "".join(rendered(cell) or cell for cell in _GAP.split(body))
    return line if found is None else f"{lead}{found}"


def rendered(text: str) -> str | None:
    """The text in Chinese; None where neither it nor its parts have a twin."""
    if len(text) > LONGEST or not WORD.search(text):
        return None
    if (exact := _exact(text)) is not None:
        return exact
    if 1 < len(sentences := _STOP.split(text)) <= MOST_SENTENCES:
        made = [_Rendering().of(each) for each in sentences]
        if all(each and not _ENGLISH.search(each) for each in made):
            return "".join(each for each in made if each)
    return _Rendering().of(text)


class _Rendering:
    """One text with all that it holds: what was found already, and how often templates may still be asked."""

    def __init__(self) -> None:
        self.known: dict[str, str | None] = {}
        self.left = MOST_TRIES

    def of(self, text: str, depth: int = 0) -> str | None:
        if _QUOTED.fullmatch(text):
            return _BETWEEN.sub("、", text)
        if text not in self.known:
            self.known[text] = self._of(text, depth) if WORD.search(text) and depth <= DEEPEST else None
        return self.known[text]

    def _of(self, text: str, depth: int) -> str | None:
        if (exact := _exact(text) or _sentences(text)) is not None:
            return exact
        if (label := next((each for each in _labels() if text.startswith(each)), "")) and text != label:
            return f"{_labels()[label]}{self._value(text[len(label) :].lstrip(), depth + 1)}"
        unsure = None
        for template in _candidates(text):
            self.left -= 1
            if self.left < 0:
                return None
            found = template.values(text)
            if found is None or not template.fits(found):
                continue
            values = [
                each if is_name else self._value(each, depth + 1)
                for each, is_name in zip(found, template.are_names, strict=True)
            ]
            if not any(map(_is_english, values)):
                return (SEVERAL in "".join(found) and self._several(text, depth)) or template.filled(values)
            unsure = unsure or (template.filled(values) if template.letters > UNSURE * len(text) else None)
        return self._parts(text, depth) or unsure

    def _value(self, text: str, depth: int) -> str:
        """What stands in a place: a text of ours in Chinese, a list with its commas, anything else as it is."""
        body = text.strip()
        found = None if PLAIN.fullmatch(text) else self.of(body, depth)
        if found is None:
            return text
        return text.replace(body, found) if body and not HAN.search(found[:1] + found[-1:]) else found

    def _several(self, text: str, depth: int) -> str:
        """Texts behind one another, when all are known; a value does not take in those that follow it."""
        pieces = text.split(SEVERAL)
        made = self._all(pieces, depth) if all(map(_is_whole, pieces)) else None
        return "；".join(made) if made else ""

    def _parts(self, text: str, depth: int) -> str | None:
        """A text that was joined of several, each rendered by itself, when all are known or say nothing."""
        if len(pieces := _STOP.split(text)) > 1 and (made := self._all(pieces, depth)) is not None:
            return _NUMBERED.sub(r"\1 ", "".join(made))
        for joint, mark in _JOINTS:
            if joint in text and (made := self._all(_split(text, joint), depth)) is not None:
                return mark.join(made)
        for ending, mark in _LAST:
            if text.endswith(ending) and (found := self.of(text[:-1], depth + 1)) is not None:
                return f"{found}{mark}"
        bracketed = _BRACKETS.fullmatch(text)
        made = self._all(list(bracketed.groups()), depth) if bracketed else None
        return f"{made[0]}（{made[1]}）" if made else None

    def _all(self, pieces: list[str], depth: int) -> list[str] | None:
        """Each piece in Chinese; None unless one is, and no other holds words that are not."""
        if len(pieces) > MOST_PIECES:
            return None
        made, is_known = [], False
        for piece in pieces:
            found = None if PLAIN.fullmatch(piece) else self.of(piece, depth + 1)
            if found is None and not _says_nothing(piece):
                return None
            is_known |= found is not None
            made.append(piece if found is None else found)
        return made if is_known else None


def _split(text: str, joint: str) -> list[str]:
    """The parts; an interval, `[0.904, 1.000]`, is one."""
    return _COMMA.split(text) if joint == ", " else text.split(joint)


def _exact(text: str) -> str | None:
    """The twin of a text without values, whether or not it begins a sentence."""
    if not text:
        return None
    key = text.replace("{", "{{").replace("}", "}}")
    twin = _twins().get(key) or _twins().get(f"{key[0].lower()}{key[1:]}")
    return None if twin is None else Template(key, twin).filled([])


def _sentences(text: str) -> str | None:
    """The twin of one or several sentences without values; nothing needs to be looked for, nor the index be made."""
    made = [_exact(each) or _ended(each) for each in _STOP.split(text)]
    return "".join(each for each in made if each) if all(made) else None


def _ended(text: str) -> str | None:
    """The twin of a sentence that another one says without its full stop."""
    found = next((mark for ending, mark in _LAST if text.endswith(ending)), None)
    exact = _exact(text[:-1]) if found and text[:-1] else None
    return None if exact is None else f"{exact}{found}"


def _is_english(value: str) -> bool:
    """True for words of ours that have no twin, and so were perhaps no value at all."""
    return bool(_ENGLISH.search(value)) and not HAN.search(value)


def _says_nothing(piece: str) -> bool:
    """True for numbers, names in quotes and what is one word: `'message'`, `0.912 [0.899, 0.924]`, `linear`."""
    return bool(PLAIN.fullmatch(piece)) or " " not in piece.strip()


@dataclass(frozen=True)
class Template:
    """English, whose endings are chosen, and its twin."""

    english: str
    chinese: str

    @cached_property
    def literals(self) -> list[str]:
        """What stands before, between and behind the values, with braces as they are read."""
        pieces = parsed(self.english)
        return [literal for literal, _ in pieces] + ([""] if pieces[-1][1] is not None else [])

    @cached_property
    def are_names(self) -> list[bool]:
        """Of each place, whether it stands in quotes: somebody named that so."""
        around = pairwise(self.literals)
        return [before[-1:] in ("'", "`") and before[-1:] == behind[:1] for before, behind in around]

    @cached_property
    def words(self) -> list[str]:
        return WORD.findall(" ".join(self.literals))

    @cached_property
    def letters(self) -> int:
        """Of its own words."""
        return sum(map(len, self.words))

    @cached_property
    def weight(self) -> int:
        """The more it says itself the surer it is; one that begins with words of its own holds the others."""
        return self.letters + (BEGINS if self.letters > NEEDED and WORD.search(self.literals[0]) else 0)

    def values(self, text: str) -> list[str] | None:
        """What stands where the template has places, each as short as can be; None: the text is not of it."""
        first, *rest = self.literals
        if not text.startswith(first):
            return None
        at, found = len(first), []
        for literal in rest[:-1]:
            end = text.find(literal, at)
            if end < 0:
                return None
            found.append(text[at:end])
            at = end + len(literal)
        end = len(text) - len(rest[-1])
        if end < at or not text.endswith(rest[-1]):
            return None
        found.append(text[at:end])
        begins_well = first or (found[0] and found[0][-1] not in ",;:" and not _NUMBERS.fullmatch(found[0]))
        return found if begins_well and all(map(_is_whole, found)) else None

    def fits(self, values: list[str]) -> bool:
        """A template of hardly a word takes values that are no words."""
        needed = NEEDED if WORD.search(self.literals[0]) else NEEDED_LATER
        return self.letters >= needed or all(PLAIN.fullmatch(each) for each in values)

    def filled(self, values: list[str]) -> str:
        """The twin with its values in their places; a Chinese sentence says a percentage without a space."""
        made = ""
        for literal, field in parsed(self.chinese):
            made = _joined(_joined(made, literal), values[int(field)] if field else "")
        return _SPACED.sub("%", made)


def _is_whole(value: str) -> bool:
    """No bracket of it is closed before it is opened, or left open."""
    depth = 0
    for sign in value if "(" in value or ")" in value else "":
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0


def _joined(left: str, right: str) -> str:
    """One after the other, without a space between Chinese signs."""
    end, begin = left.rstrip(" "), right.lstrip(" ")
    n_spaces = len(left) - len(end) + len(right) - len(begin)
    is_tight = n_spaces == 1 and end and begin and SIGN.match(end[-1]) and SIGN.match(begin)
    return f"{end}{begin}" if is_tight else f"{left}{right}"


@lru_cache(maxsize=8192)
def parsed(template: str) -> list[tuple[str, str | None]]:
    """(text, the field that follows it) of a template: '' a value, '~' an ending, '0' the first value, None: none."""
    return [(literal, field) for literal, field, _, _ in Formatter().parse(template)]


def with_endings(english: str) -> list[str]:
    """The template once with each ending that `{~}` can be."""
    parts = english.split("{~}")
    return ["".join(map("".join, zip(parts, (*chosen, ""), strict=True)))
            for chosen in product(ENDINGS, repeat=len(parts) - 1)]  # fmt: skip


@cache
def _twins() -> dict[str, str]:
    """The catalogue, and of what was expected also what follows that word: another sentence may say it."""
    found = {
        english.removeprefix(EXPECTED[0]): chinese.removeprefix(EXPECTED[1]).lstrip()
        for english, chinese in catalogue().items()
        if english.startswith(EXPECTED[0]) and chinese.startswith(EXPECTED[1])
    }
    return found | catalogue()


@cache
def _labels() -> dict[str, str]:
    """`note: `, `why    `: what stands before a text that is rendered by itself."""
    return {
        english[: -len("{}")]: chinese.removesuffix("{0}")
        for english, chinese in _twins().items()
        if _LABEL.fullmatch(english) and chinese.endswith("{0}")
    }


@cache
def _index() -> dict[str, list[Template]]:
    """Rarest word of a template with values -> the templates that have it."""
    made = [(each, set(WORD.findall(PLACE.sub(" ", each))), chinese) for english, chinese in _twins().items()
            if PLACE.search(english) for each in with_endings(english)]  # fmt: skip
    often = Counter(word for _, words, _ in made for word in words)
    index: dict[str, list[Template]] = {}
    for english, words, chinese in made:
        if words and "{" in english:
            rarest = min(words, key=lambda word: (often[word], -len(word), word))
            index.setdefault(rarest, []).append(Template(english, chinese))
    return index


def _candidates(text: str) -> list[Template]:
    """The templates that the text may be of, the surest first."""
    index = _index()
    found = [each for word in set(WORD.findall(text)) for each in index.get(word, ())]
    return sorted(found, key=lambda template: (-template.weight, len(template.literals)))
