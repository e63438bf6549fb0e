"""Words beside each other become rows of segments, and lines below each other one text again."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from windlass.sources.documents.pdf.marks import Word

WIDE = re.compile("[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
SEGMENT_GAP = 0.95
"""Times the height of letters: a wider gap parts cells or columns; justified text seldom has one."""


@dataclass(frozen=True)
class Segment:
    """Words of one row without a wide gap between them."""

    words: tuple[Word, ...]

    @cached_property
    def left(self) -> float:
        return self.words[0].left

    @cached_property
    def right(self) -> float:
        return max(word.right for word in self.words)

    @cached_property
    def top(self) -> float:
        return min(word.top for word in self.words)

    @cached_property
    def bottom(self) -> float:
        return max(word.bottom for word in self.words)

    @cached_property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @cached_property
    def size(self) -> float:
        """Points: that of most of its letters."""
        weights: dict[float, int] = {}
        for word in self.words:
            weights[word.size] = weights.get(word.size, 0) + len(word.text)
        return max(weights, key=lambda size: weights[size])

    @cached_property
    def is_bold(self) -> bool:
        return all(word.is_bold for word in self.words)

    @cached_property
    def text(self) -> str:
        return joined_words(self.words)


Row = list[Segment]
"""Segments on one height, from left to right."""


def joined_words(words: Sequence[Word]) -> str:
    """With a space between them, but none inside Chinese text unless there is a gap that somebody made."""
    text = ""
    before: Word | None = None
    for word in words:
        if not word.text:
            continue
        if before is not None:
            is_wide = WIDE.match(before.text[-1]) and WIDE.match(word.text[0])
            gap = word.left - before.right
            text += "" if gap < (0.6 if is_wide else 0.08) * before.size else " "
        text += word.text
        before = word
    return text


def rows_of(words: Iterable[Word]) -> list[Row]:
    """The rows, from the top; in each, segments from left to right."""
    rows: list[list[Word]] = []
    middle = height = 0.0
    for word in sorted(words, key=lambda each: each.middle):
        if rows and abs(word.middle - middle) < 0.45 * max(min(word.bottom - word.top, height), 1.0):
            rows[-1].append(word)
            middle += (word.middle - middle) / len(rows[-1])
            height = max(height, word.bottom - word.top)
        else:
            rows.append([word])
            middle, height = word.middle, word.bottom - word.top
    return [segments for row in rows if (segments := segments_of(row))]


def segments_of(words: Iterable[Word]) -> Row:
    """The words of a row, parted at wide gaps; what has hidden words alone is no segment."""
    parts: list[list[Word]] = []
    right = 0.0
    for word in sorted(words, key=lambda each: each.left):
        if parts and word.left - right < SEGMENT_GAP * min(word.size, parts[-1][-1].size):
            parts[-1].append(word)
            right = max(right, word.right)
        else:
            parts.append([word])
            right = word.right
    return [Segment(tuple(part)) for part in parts if any(word.text for word in part)]


def joined_lines(lines: Sequence[str]) -> str:
    """Lines as one text: a word that was parted by a hyphen is whole again, Chinese goes on without a space."""
    text = ""
    for line in (each.strip() for each in lines):
        if not text or not line:
            text += line
        elif text.endswith("-") and line[0].islower() and len(text) > 1 and text[-2].isalpha():
            text = text[:-1] + line
        elif WIDE.match(text[-1]) and WIDE.match(line[0]):
            text += line
        else:
            text += " " + line
    return text


def cell_text(words: Iterable[Word]) -> str:
    """The words of a cell as one text."""
    return joined_lines([" ".join(segment.text for segment in row) for row in rows_of(words)])
