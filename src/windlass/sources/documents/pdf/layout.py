"""The reading order of a page: columns one after the other, lines as paragraphs, tables where they stand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from windlass.sources.documents.pdf.lines import Row, Segment, joined_lines, rows_of
from windlass.sources.documents.pdf.marks import Ruling, Word
from windlass.sources.documents.pdf.tables import Table, aligned_tables

GUTTER_STEP, LEAST_GUTTER = 2.0, 8.0
CROSSING = 0.25
"""The share of segments that may lie across a gutter: titles, pictures' captions."""
LEAST_LINES = 3
COLUMN_SHARE = 0.25
"""Of the width: a column of text is no narrower; numbers before a list are none."""
PARAGRAPH_GAP = 1.35
"""Times the usual distance of lines."""
SAME_SIZE = 0.08
INDENT = 0.9
SHORT = 0.85
"""A last line that ends before this share of the column's width ends a paragraph."""
ENDS = (".", "!", "?", ":", "。", "！", "？", "：", "；", ";", "”", "」", ")", "）")
BULLET = re.compile(
    r"(?:[•▪◦‣●○■□–—\-*·]|\(?\d{1,3}[.)、]|[(（][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十]+、)(?:\s|(?=[\u3400-\u9fff]))"
)
MOST_DEPTH = 4


@dataclass(frozen=True)
class Lines:
    """A paragraph: its lines, from the top."""

    rows: tuple[Segment, ...]

    @property
    def text(self) -> str:
        return joined_lines([segment.text for segment in self.rows])

    @property
    def size(self) -> float:
        return max(self.rows, key=lambda segment: len(segment.text)).size

    @property
    def is_bold(self) -> bool:
        return all(segment.is_bold for segment in self.rows)


Piece = Lines | Table


def in_order(words: Sequence[Word], tables: Sequence[Table], across: Sequence[Ruling]) -> list[Piece]:
    """Paragraphs and tables of a page as a person reads them. tables: those already found, by their lines."""
    return list(_region(rows_of(words), list(tables), across, 0))


def _region(rows: list[Row], tables: list[Table], across: Sequence[Ruling], depth: int) -> Iterator[Piece]:
    found = aligned_tables(rows, across)
    taken = {number for first, end, _ in found for number in range(first, end)}
    rest = [row for number, row in enumerate(rows) if number not in taken]
    tables = [*tables, *(table for _, _, table in found)]
    segments = [segment for row in rest for segment in row]
    gutter = _gutter(segments, tables) if depth < MOST_DEPTH else None
    if gutter is None:
        yield from _single_column(rest, tables)
        return
    for words, held in _bands(segments, tables, gutter):
        yield from _columns(words, held, gutter, across, depth)


def _columns(
    segments: list[Segment], tables: list[Table], gutter: float, across: Sequence[Ruling], depth: int
) -> Iterator[Piece]:
    """A band of the page: what lies across the gutter alone, else left of it, then right of it."""
    boxes = [(each.left, each.right) for each in segments] + [(t.box[0], t.box[2]) for t in tables]
    if any(left < gutter < right for left, right in boxes):
        yield from _single_column(_rows(segments), tables)
        return
    for is_left in (True, False):
        side = [each for each in segments if (each.right <= gutter) == is_left]
        held = [table for table in tables if (table.box[2] <= gutter) == is_left]
        yield from _region(_rows(side), held, across, depth + 1)


def _rows(segments: Sequence[Segment]) -> list[Row]:
    return rows_of([word for segment in segments for word in segment.words])


def _gutter(segments: Sequence[Segment], tables: Sequence[Table]) -> float | None:
    """Where columns of text are parted; None where there is one column."""
    if len(segments) < 2 * LEAST_LINES:
        return None
    left, right = min(s.left for s in segments), max(s.right for s in segments)
    width = right - left
    best: tuple[float, float] | None = None
    place = left + COLUMN_SHARE * width
    while place <= right - COLUMN_SHARE * width:
        clear = _clear(segments, tables, place, width)
        if clear and (best is None or clear > best[0]):
            best = (clear, place)
        place += GUTTER_STEP
    return best[1] if best else None


def _clear(segments: Sequence[Segment], tables: Sequence[Table], place: float, width: float) -> float:
    """How wide the gap around this place is; 0 where it parts no columns."""
    before = [s for s in segments if s.right <= place]
    behind = [s for s in segments if s.left >= place]
    n_across = len(segments) - len(before) - len(behind)
    if n_across > CROSSING * len(segments) or min(len(before), len(behind)) < LEAST_LINES:
        return 0.0
    if min(max(s.right - s.left for s in side) for side in (before, behind)) < COLUMN_SHARE * width:
        return 0.0
    tops, ends = (
        [min(s.top for s in side) for side in (before, behind)],
        [max(s.bottom for s in side) for side in (before, behind)],
    )
    shared = min(ends) - max(tops)
    if shared < 0.4 * min(end - top for top, end in zip(tops, ends, strict=True)):
        return 0.0
    gap = min(s.left for s in behind) - max(s.right for s in before)
    return gap - n_across if gap >= LEAST_GUTTER else 0.0


def _bands(
    segments: Sequence[Segment], tables: Sequence[Table], gutter: float
) -> list[tuple[list[Segment], list[Table]]]:
    """The page cut where something lies across the gutter, from the top."""
    items: list[tuple[float, bool, Segment | Table]] = [
        *((s.middle, s.left < gutter < s.right, s) for s in segments),
        *(((t.box[1] + t.box[3]) / 2, t.box[0] < gutter < t.box[2], t) for t in tables),
    ]
    bands: list[tuple[list[Segment], list[Table]]] = []
    before = None
    for _, crosses, item in sorted(items, key=lambda each: each[0]):
        if crosses != before or not bands:
            bands.append(([], []))
        before = crosses
        if isinstance(item, Table):
            bands[-1][1].append(item)
        else:
            bands[-1][0].append(item)
    return bands


def _single_column(rows: Sequence[Row], tables: Sequence[Table]) -> Iterator[Piece]:
    """Paragraphs and tables from the top down."""
    waiting = sorted(tables, key=lambda table: table.box[1])
    part: list[Row] = []
    for row in rows:
        while waiting and waiting[0].box[1] < row[0].middle:
            yield from _paragraphs(part)
            part = []
            yield waiting.pop(0)
        part.append(row)
    yield from _paragraphs(part)
    yield from waiting


def _paragraphs(rows: Sequence[Row]) -> Iterator[Lines]:
    if not rows:
        return
    lines = [Segment(tuple(word for segment in row for word in segment.words)) for row in rows]
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    steps = sorted(b.middle - a.middle for a, b in pairwise(lines) if _is_alike(a, b))
    pitch = steps[len(steps) // 3] if steps else 0.0
    part = [lines[0]]
    for before, line in pairwise(lines):
        if _begins(before, line, pitch, (left, right), part):
            yield Lines(tuple(part))
            part = []
        part.append(line)
    yield Lines(tuple(part))


def _is_alike(one: Segment, other: Segment) -> bool:
    return abs(one.size - other.size) <= SAME_SIZE * max(one.size, other.size) and one.is_bold == other.is_bold


def _begins(before: Segment, line: Segment, pitch: float, edges: tuple[float, float], part: Sequence[Segment]) -> bool:
    """True where the line begins a paragraph."""
    if not _is_alike(before, line) or BULLET.match(line.text):
        return True
    step = line.middle - before.middle
    if step > PARAGRAPH_GAP * max(pitch, 1.0) and step > 1.1 * line.size:
        return True
    left, right = edges
    is_indented = line.left - left > INDENT * line.size and before.left - left < 0.5 * INDENT * line.size
    if is_indented and not BULLET.match(part[0].text):
        return before.text.endswith(ENDS) or before.right < left + SHORT * (right - left)
    return before.right < left + SHORT * (right - left) and before.text.endswith(ENDS)
