"""A PDF as blocks: pages read one by one, running heads left out, headings told by their letters."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from windlass.errors import DataError, NotReady, pip_install
from windlass.sources.documents.characters import one_line, visible
from windlass.sources.documents.contract import Block, Limits, Parsed
from windlass.sources.documents.pdf import ocr
from windlass.sources.documents.pdf.layout import Lines, Piece, in_order
from windlass.sources.documents.pdf.lines import WIDE, Row, joined_lines, rows_of
from windlass.sources.documents.pdf.marks import PageMarks, PageReader, Word
from windlass.sources.documents.pdf.tables import Table, ruled_tables
from windlass.sources.documents.table_rows import header_line, row_line

SCAN_SHARE = 0.25
"""Of a page without text: a picture of this size may be its text."""
RUNNING_SHARE, N_MARGIN_ROWS = 0.5, 2
"""A line that this share of the pages has among their first or last two rows is a running head."""
MARGIN = 0.12
DIGITS = re.compile(r"\d+")
PAGE_NUMBER = re.compile(
    r"(?:page\s*|p\.\s*|seite\s*|第\s*)?[-–—]?\s*(?:\d{1,5}|[ivxlc]{1,7})\s*[-–—]?(?:\s*(?:of|/|von)\s*\d{1,5})?(?:\s*页)?"
    r"(?:\s*[,，/]?\s*共\s*\d+\s*页)?", re.IGNORECASE
)  # fmt: skip
LEADERS = re.compile(r"(?:\.\s?){4,}\s*\w*$")
"""Dots that lead to a page number, in a table of contents."""
LARGER = 1.12
MOST_WORDS, MOST_WIDE = 14, 40
"""Of a heading in bold letters of the common size."""
LONGEST_HEADING = 200
LEVELS = 5
NUMBERED = re.compile(r"(\d+(?:\.\d+)*)[.)]?\s+\S")
SENTENCE_ENDS = (".", "。", "；", ";", ",", "，", "!", "！")
CELL_LEFT = 12.0
"""Points by which the columns of a table that goes on may have moved."""
MANY = 6


@dataclass
class _Page:
    number: int
    pieces: list[Piece] = field(default_factory=list)


def read_pdf(path: Path, limits: Limits) -> Parsed:
    """Raises: DataError: damaged, encrypted, too many pages, a scan without `[ocr]`. NotReady: no pypdfium2."""
    try:
        import pypdfium2
    except ImportError:
        raise NotReady(
            f"{path.name} is a PDF, expected the package 'pypdfium2' to read it", f"`{pip_install('documents')}`"
        ) from None
    with _opened(pypdfium2, path) as document:
        n_pages = len(document)
        if n_pages > limits.pages:
            raise DataError(
                f"{path.name} has {n_pages:,} pages, expected at most {limits.pages:,}", "split it into parts"
            )
        parsed = Parsed(n_pages=n_pages, title=_title(document))
        marks = [_marks(document, number, limits, parsed) for number in range(n_pages)]
    _say_scans(path, marks, parsed)
    pages = _pages(marks, parsed)
    parsed.blocks = _blocks(pages, parsed)
    return parsed


@contextmanager
def _opened(pdfium: Any, path: Path) -> Iterator[Any]:
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "assword" in str(error):
            raise DataError(
                f"{path.name} is encrypted, expected a PDF without a password", "save it without one"
            ) from None
        raise DataError(f"{path.name} cannot be read, expected a whole PDF", "save it again from its program") from None
    try:
        yield document
    finally:
        document.close()


def _title(document: Any) -> str:
    """As the file says it; what programs put there by themselves is none."""
    title = one_line(str(document.get_metadata_value("Title") or ""))[:LONGEST_HEADING]
    made = title.lower().startswith(("microsoft word", "untitled", "(anonymous)", "(unspecified)"))
    return "" if made or title.lower().endswith((".doc", ".docx", ".tex", ".indd")) else title


def _marks(document: Any, number: int, limits: Limits, parsed: Parsed) -> PageMarks:
    import pypdfium2

    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        parsed.warnings.append(f"page {number + 1} is damaged: not read")
        return PageMarks(1.0, 1.0)
    try:
        marks = PageReader(page, limits.text_layers).read()
        if not marks.words and marks.picture_share >= SCAN_SHARE and ocr.is_there():
            marks.words = ocr.words_of(page)
            parsed.warnings.append(f"page {number + 1} was read from a picture: look whether its characters are right")
    except pypdfium2.PdfiumError:
        parsed.warnings.append(f"page {number + 1} is damaged: not read")
        return PageMarks(1.0, 1.0)
    finally:
        page.close()
    parsed.hidden.update(marks.hidden)
    if marks.n_slanted:
        parsed.warnings.append(f"page {number + 1} has {marks.n_slanted} letters that do not stand level: not read")
    if marks.is_cut:
        parsed.warnings.append(f"page {number + 1} has too many parts: what came last was not read")
    return marks


def _say_scans(path: Path, marks: Sequence[PageMarks], parsed: Parsed) -> None:
    """Raises: DataError: the pages are pictures, and there is nothing to read them with."""
    scans = [number for number, page in enumerate(marks, 1) if not page.words and page.picture_share >= SCAN_SHARE]
    if not scans:
        return
    if any(page.words for page in marks):
        shown = ", ".join(map(str, scans[:MANY])) + (f" ... ({len(scans)} in all)" if len(scans) > MANY else "")
        parsed.warnings.append(f"page {shown} is a picture without text: not read")
        return
    if ocr.is_there():
        raise DataError(f"{path.name} is pictures in which no text was found, expected text")
    layer = parsed.hidden["invisible"] + parsed.hidden["covered"]
    more = "; the text behind the pictures is seen by nobody" if layer else ""
    raise DataError(
        f"{path.name} is a scan ({len(marks)} pages of pictures without text{more}), expected text",
        f"`{pip_install('ocr')}` reads scans" + (", or allow text layers" if layer else ""),
    )


def _pages(marks: Sequence[PageMarks], parsed: Parsed) -> list[_Page]:
    heads = _running_heads(marks)
    pages = []
    n_heads = 0
    for number, page in enumerate(marks, 1):
        words, n_gone = _without_heads(page, heads)
        n_heads += n_gone
        kept = replace(page, words=words)
        tables, rest = ruled_tables(kept)
        pages.append(_Page(number, in_order(rest, tables, page.across)))
    if n_heads:
        parsed.warnings.append(f"{n_heads} running heads and page numbers were left out")
    return pages


def _margin_rows(page: PageMarks) -> list[Row]:
    """The first and last rows of a page that stand in its margins."""
    rows = rows_of(page.words)
    edge = MARGIN * page.height
    outer = [*rows[:N_MARGIN_ROWS], *rows[max(N_MARGIN_ROWS, len(rows) - N_MARGIN_ROWS) :]]
    return [row for row in outer if row[0].middle < edge or row[0].middle > page.height - edge]


def _plain(row: Row) -> str:
    return DIGITS.sub("#", " ".join(segment.text for segment in row).lower())


def _running_heads(marks: Sequence[PageMarks]) -> frozenset[str]:
    """Lines, digits as #, that come again on most pages."""
    if len(marks) < 3:
        return frozenset()
    seen = Counter(text for page in marks for text in {_plain(row) for row in _margin_rows(page)})
    return frozenset(text for text, count in seen.items() if count > max(1, RUNNING_SHARE * len(marks)))


def _without_heads(page: PageMarks, heads: frozenset[str]) -> tuple[list[Word], int]:
    gone = []
    for row in _margin_rows(page):
        text = " ".join(segment.text for segment in row)
        if _plain(row) in heads or PAGE_NUMBER.fullmatch(text):
            gone.append(row)
    if sum(len(segment.words) for row in gone for segment in row) == len(page.words):
        return page.words, 0  # a page that has nothing else says it
    taken = {id(word) for row in gone for segment in row for word in segment.words}
    return [word for word in page.words if id(word) not in taken], len(gone)


# blocks --------------------------------------------------------------------------------------------------------------


def _blocks(pages: Sequence[_Page], parsed: Parsed) -> list[Block]:
    body = _body_size(pages)
    levels = _levels(pages, body)
    blocks: list[Block] = []
    table: _OpenTable | None = None
    for page in pages:
        for number, piece in enumerate(page.pieces):
            if isinstance(piece, Table):
                goes_on = number == 0 and table is not None and table.takes(piece, page.number)
                table = table if goes_on and table else _OpenTable(piece, page.number)
                blocks += table.blocks(piece, page.number, goes_on, parsed)
                continue
            text = visible(piece.text, parsed.hidden).strip()
            if not text:
                continue
            level = _level(piece, text, body, levels)
            if level:
                blocks.append(Block("heading", one_line(text), page.number, level))
            elif number == 0 and blocks and _runs_over(blocks[-1], text, page.number):
                blocks[-1] = _run_over(blocks[-1], text, page.number)
            else:
                blocks.append(Block("paragraph", text, page.number))
            table = None
    return blocks


def _body_size(pages: Sequence[_Page]) -> float:
    """Points: the size of most letters."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for piece in page.pieces:
            if isinstance(piece, Lines):
                sizes[round(2 * piece.size) / 2] += len(piece.text)
    return max(sizes, key=lambda size: sizes[size]) if sizes else 10.0


def _levels(pages: Sequence[_Page], body: float) -> list[float]:
    """The sizes of headings, largest first."""
    lines = [piece for page in pages for piece in page.pieces if isinstance(piece, Lines)]
    sizes = {round(2 * piece.size) / 2 for piece in lines if piece.size >= LARGER * body}
    return sorted(sizes, reverse=True)


def _level(piece: Lines, text: str, body: float, levels: Sequence[float]) -> int:
    """Of a heading; 0 where the paragraph is none."""
    if len(text) > LONGEST_HEADING or LEADERS.search(text) or not any(character.isalnum() for character in text):
        return 0
    if piece.size >= LARGER * body:
        return min(levels.index(round(2 * piece.size) / 2) + 1, LEVELS) if len(levels) else 1
    n_wide = len(WIDE.findall(text))
    is_short = len(text.split()) <= MOST_WORDS and n_wide <= MOST_WIDE and len(piece.rows) <= 2
    if not piece.is_bold or not is_short or text.endswith(SENTENCE_ENDS) or piece.size < 0.9 * body:
        return 0
    number = NUMBERED.match(text)
    depth = number[1].count(".") if number else 0
    return min(len(levels) + 1 + depth, LEVELS + 3)


def _runs_over(block: Block, text: str, page: int) -> bool:
    """True where a paragraph of the page before goes on: it has no end, and this is no beginning."""
    if block.kind != "paragraph" or page - max([block.page, *(turn for _, turn in block.turns)]) != 1:
        return False
    is_open = block.text[-1].isalnum() or block.text[-1] in ",，、-;；"
    return is_open and (text[0].islower() or bool(WIDE.match(text[0])))


def _run_over(block: Block, text: str, page: int) -> Block:
    whole = joined_lines([block.text, text])
    return replace(block, text=whole, turns=(*block.turns, (len(whole) - len(text), page)))


class _OpenTable:
    """A table that may go on at the top of the next page."""

    def __init__(self, table: Table, page: int) -> None:
        self.first = table
        self.page = page
        self.header = ""

    def takes(self, table: Table, page: int) -> bool:
        """True where this one is its next part: as many columns, on the same places."""
        pairs = zip(self.first.lefts, table.lefts, strict=False)
        is_alike = len(self.first.lefts) == len(table.lefts) and all(abs(a - b) < CELL_LEFT for a, b in pairs)
        return page - self.page == 1 and is_alike

    def blocks(self, table: Table, page: int, goes_on: bool, parsed: Parsed) -> Iterator[Block]:
        self.page = page
        rows = [tuple(one_line(visible(cell, parsed.hidden)) for cell in row) for row in table.rows]
        n_header = table.n_header
        if goes_on:
            n_first = self.first.n_header
            is_again = header_line(rows[:n_first]) == self.header
            rows = rows[n_first:] if is_again else rows
        else:
            self.header = header_line(rows[:n_header])
            yield Block("header", self.header, page, header=self.header)
            rows = rows[n_header:]
        yield from (Block("row", row_line(row), page, header=self.header) for row in rows if any(row))
