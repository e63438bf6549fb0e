"""Blocks become the text of a document, and passages of it that split no sentence and no row."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from windlass.records import Passage
from windlass.sources.documents.contract import Block, PassageSizes
from windlass.sources.documents.sentences import sentences

CHARACTERS_PER_WORD = 1.7
WIDE = re.compile("[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
CLAUSE = re.compile(r"[,;:，、：]\s*|\s+")
OVERFULL = 1.3
"""Times `most`, up to which a short rest goes with the passage before it."""


def size_of(text: str) -> float:
    """Words, Chinese and Japanese characters in parts of one."""
    n_wide = len(WIDE.findall(text))
    return n_wide / CHARACTERS_PER_WORD + len(WIDE.sub(" ", text).split())


def text_of(blocks: Sequence[Block]) -> tuple[str, list[int]]:
    """The text of the document, and where in it each block begins. Rows stand line by line, all else apart."""
    parts: list[str] = []
    starts: list[int] = []
    place = 0
    for number, block in enumerate(blocks):
        gap = "" if number == 0 else "\n" if block.kind == "row" else "\n\n"
        parts += [gap, block.text]
        starts.append(place + len(gap))
        place = starts[-1] + len(block.text)
    return "".join(parts), starts


@dataclass(frozen=True)
class _Unit:
    """What is never split: a sentence, a row or a pair. opens: it begins a paragraph."""

    start: int
    end: int
    page: int
    size: float
    opens: bool


@dataclass
class _Group:
    """Units of one section and one kind. start: where its heading begins, else its first unit."""

    headings: tuple[str, ...]
    context: str
    start: int
    is_single: bool
    units: list[_Unit]


class Chunker:
    """Cuts one document; `n_cut` counts runs without an end that had to be cut."""

    def __init__(self, sizes: PassageSizes) -> None:
        self.sizes = sizes
        self.n_cut = 0

    def passages(self, path: str, blocks: Sequence[Block], text: str, starts: Sequence[int]) -> list[Passage]:
        """The passages, in order; each is a span of the text."""
        found = []
        for group in self._groups(blocks, text, starts):
            first = group.start
            for units in self._packed(group):
                start = first if first >= 0 else units[0].start
                first = -1
                end = units[-1].end
                found.append(Passage(path, group.headings, units[0].page, start, end, text[start:end], group.context))
        return found

    def _groups(self, blocks: Sequence[Block], text: str, starts: Sequence[int]) -> Iterator[_Group]:
        path: list[tuple[int, str]] = []
        waiting = -1  # where headings begin that have no text yet
        group: _Group | None = None
        last = None
        for block, start in zip(blocks, starts, strict=True):
            if block.kind == "heading":
                if group is not None:
                    yield group
                group = None
                path = [*[each for each in path if each[0] < block.level], (block.level, block.text)]
                waiting = start if waiting < 0 else waiting
                last = (block, start)
                continue
            headings = tuple(title for _, title in path)
            if group is None or not _goes_on(group, block):
                if group is not None:
                    yield group
                begin = start if waiting < 0 else waiting
                group = _Group(headings, block.header, begin, block.kind == "pair", [])
                waiting = -1
            group.units += self._units(block, start)
            last = None
        if group is not None:
            yield group
        if waiting >= 0 and last is not None:
            block, start = last
            end = start + len(block.text)
            lone = _Unit(waiting, end, block.page, size_of(text[waiting:end]), True)
            yield _Group(tuple(title for _, title in path), "", waiting, False, [lone])

    def _units(self, block: Block, start: int) -> Iterator[_Unit]:
        is_text = block.kind == "paragraph"
        spans = sentences(block.text) if is_text else [(0, len(block.text))]
        pieces = [piece for span in spans for piece in (self._bounded(block.text, span) if is_text else [span])]
        for number, (first, end) in enumerate(pieces):
            page = max([block.page, *(page for place, page in block.turns if place <= first)])
            yield _Unit(start + first, start + end, page, size_of(block.text[first:end]), number == 0)

    def _bounded(self, text: str, span: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """The sentence; in parts where it is longer than any sentence."""
        start, end = span
        self.n_cut += end - start > self.sizes.longest
        while end - start > self.sizes.longest:
            marks = [mark.end() for mark in CLAUSE.finditer(text, start + 1, start + self.sizes.longest)]
            cut = marks[-1] if marks else start + self.sizes.longest
            piece = text[start:cut].rstrip()
            if piece:
                yield start, start + len(piece)
            start = cut
        if text[start:end].strip():
            yield start, end

    def _packed(self, group: _Group) -> Iterator[list[_Unit]]:
        if group.is_single:
            yield from ([unit] for unit in group.units)
            return
        packs: list[list[_Unit]] = []
        pack: list[_Unit] = []
        for unit in group.units:
            if pack and _total(pack) + unit.size > self.sizes.most:
                cut = len(pack) if unit.opens else self._paragraph_end(pack)
                packs.append(pack[:cut])
                pack = pack[cut:]
            pack.append(unit)
        if packs and _total(pack) < self.sizes.least and _total(packs[-1]) + _total(pack) <= OVERFULL * self.sizes.most:
            packs[-1] += pack
        elif pack:
            packs.append(pack)
        yield from packs

    def _paragraph_end(self, pack: list[_Unit]) -> int:
        """How many units go before the last paragraph that began in the later half; all where none did."""
        done = 0.0
        cut = len(pack)
        for number, unit in enumerate(pack):
            if unit.opens and done >= 0.5 * self.sizes.most:
                cut = number
            done += unit.size
        return cut


def _goes_on(group: _Group, block: Block) -> bool:
    if block.kind == "header" or (block.kind == "pair") != group.is_single:
        return False
    return block.header == group.context


def _total(units: Sequence[_Unit]) -> float:
    return sum(unit.size for unit in units)
