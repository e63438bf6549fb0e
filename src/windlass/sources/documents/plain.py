"""Plain text as blocks: paragraphs between empty lines; headings by what is underlined, numbered or stands alone."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from windlass.errors import DataError
from windlass.sources.contract import Source
from windlass.sources.documents import access
from windlass.sources.documents.characters import ANY_SPACE, visible
from windlass.sources.documents.contract import Block, Limits, Parsed
from windlass.sources.readers.encodings import ESCAPED, open_text

UNDERLINE = re.compile(r"[=\-~*#_]{3,}\s*")
CHAPTER = re.compile(r"第[一二三四五六七八九十百零〇\d]+(?P<part>[编篇部章节])\s*\S*.{0,40}")
NUMBERED = re.compile(r"(?P<number>\d+(?:\.\d+){0,4})[.)、]?\s+\S.{0,70}|[一二三四五六七八九十]+、\S.{0,38}")
PARTS = {"编": 1, "篇": 1, "部": 1, "章": 2, "节": 3}
BULLET = re.compile(r"\s*(?:[-*•·]\s+|\(?\d{1,3}[.)、]\s*|[（(][一二三四五六七八九十\d]+[)）])")
SENTENCE_ENDS = tuple("。.!！?？;；:：,，")


def text_of(path: Path, limits: Limits, parsed: Parsed) -> str:
    """What the file holds, line ends as \\n. Raises: DataError: empty, no text, or too long."""
    source = Source(path, "", lambda _: iter(()))
    with open_text(source) as file:
        text = file.read(limits.characters + 1)
    parsed.warnings += source.warnings[:1]
    if len(text) > limits.characters:
        raise DataError(
            f"{path.name} has more than {limits.characters:,} characters, expected at most that", "split it"
        )
    n_broken = len(ESCAPED.findall(text))
    if n_broken:
        parsed.warnings.append(f"{n_broken} bytes are no characters of the encoding of {path.name}: left out")
        text = ESCAPED.sub("", text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_plain(path: Path, limits: Limits) -> Parsed:
    """Raises: DataError: empty, no text, or nobody can tell who may see it."""
    parsed = Parsed()
    text = text_of(path, limits, parsed)
    access.refuse_unread(text)
    text = visible(text, parsed.hidden)
    for lines in _paragraphs(text.split("\n")):
        parsed.blocks += _blocks(lines)
    first = next((block for block in parsed.blocks), None)
    if first is not None and first.kind == "heading":
        parsed.title = first.text
    return parsed


def _paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for line in lines:
        if line.strip():
            part.append(line.rstrip())
        elif part:
            yield part
            part = []
    if part:
        yield part


def _blocks(lines: list[str]) -> Iterator[Block]:
    """A heading that is underlined, or alone; else the paragraph, each point of a list by itself."""
    if len(lines) >= 2 and UNDERLINE.fullmatch(lines[1].strip()) and not UNDERLINE.fullmatch(lines[0].strip()):
        yield Block("heading", lines[0].strip(), level=1 if lines[1].strip()[0] in "=#*" else 2)
        lines = lines[2:]
    elif level := _level(lines):
        yield Block("heading", lines[0].strip(), level=level)
        return
    part: list[str] = []
    for line in lines:
        if part and (BULLET.match(line) or CHAPTER.fullmatch(line.strip())):
            yield Block("paragraph", "\n".join(part).strip())
            part = []
        level = _level([line]) if CHAPTER.fullmatch(line.strip()) else 0
        if level:
            yield Block("heading", line.strip(), level=level)
        elif not UNDERLINE.fullmatch(line.strip()):
            part.append(ANY_SPACE.sub(" ", line.strip()))
    if part:
        yield Block("paragraph", "\n".join(part).strip())


def _level(lines: Sequence[str]) -> int:
    """Of a heading; 0 where the lines are none."""
    line = lines[0].strip()
    if len(lines) > 1 or line.endswith(SENTENCE_ENDS):
        return 0
    if found := CHAPTER.fullmatch(line):
        return PARTS[found["part"]]
    if found := NUMBERED.fullmatch(line):
        return 2 + (found["number"] or "").count(".")
    letters = [character for character in line if character.isalpha()]
    return 2 if len(letters) >= 4 and line.isupper() and len(line) <= 80 else 0
