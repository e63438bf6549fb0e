"""DOCX as blocks: headings by their style, tables with merged cells, without what Word hides or keeps as a comment."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from windlass.errors import DataError, NotReady, pip_install
from windlass.sources.documents import validity
from windlass.sources.documents.characters import one_line, visible
from windlass.sources.documents.contract import Block, Limits, Parsed
from windlass.sources.documents.grounds import WHITE, Colour, colour_of, is_alike
from windlass.sources.documents.table_rows import header_line, header_rows, row_line
from windlass.sources.readers.archives import check_zip

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
MOST_XML_BYTES = 128 * 1024**2
DECLARED = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TINY_HALF_POINTS = 5
OFF = ("0", "false", "off", "none")
HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
MOST_STYLES = 30
"""Styles that are based on one another: a longer chain is a circle."""
BOLD_LEVEL, MOST_WORDS, MOST_CHARACTERS = 7, 14, 60
LIGHT = frozenset({"background1", "bg1"})
TRANSPARENT = (f"{W}hyperlink", f"{W}ins", f"{W}moveTo", f"{W}smartTag", f"{W}sdt", f"{W}sdtContent", f"{W}customXml")
"""What holds runs and is shown as they are."""
GONE = (f"{W}del", f"{W}moveFrom")
NOTES = ("footnotes", "endnotes")


def read_docx(path: Path, limits: Limits) -> Parsed:
    """Raises: DataError: damaged, encrypted, a zip bomb, entities. NotReady: python-docx is not installed."""
    try:
        import docx
    except ImportError:
        hint = f"`{pip_install('documents')}`"
        raise NotReady(f"{path.name} is a DOCX file, expected the package 'python-docx' to read it", hint) from None
    _check(path, limits)
    try:
        document = docx.Document(str(path))
        reading = _Reading(document)
        reading.read()
    except (KeyError, ValueError, AttributeError, IndexError, TypeError, OSError, RecursionError) as error:
        raise DataError(f"{path.name} cannot be read ({type(error).__name__}), expected a whole DOCX file") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("docx", "lxml", "zipfile"):
            raise
        raise DataError(f"{path.name} cannot be read ({type(error).__name__}), expected a whole DOCX file") from None
    return reading.parsed


def _check(path: Path, limits: Limits) -> None:
    """Raises: DataError: what unpacks to too much, is encrypted, or declares entities."""
    with path.open("rb") as file:
        if file.read(8) == OLE:
            raise DataError(f"{path.name} is encrypted or from before 2007, expected a DOCX file without a password")
    check_zip(path, limits.unpacked_bytes, path.name)
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.filename.lower().endswith((".xml", ".rels")):
                continue
            if member.file_size > MOST_XML_BYTES:
                raise DataError(
                    f"{path.name} holds {member.file_size:,} bytes of text, expected at most {MOST_XML_BYTES:,}"
                )
            try:
                content = archive.read(member)
            except (zipfile.BadZipFile, OSError, ValueError, EOFError, RuntimeError, NotImplementedError):
                raise DataError(f"{path.name} is damaged or encrypted, expected a whole DOCX file") from None
            if DECLARED.search(content.replace(b"\x00", b"")):
                raise DataError(f"{path.name} declares entities or a document type, expected a DOCX file without them")


@dataclass(frozen=True)
class _Look:
    """How letters look. sz: half points, 0 = not said. colour: None = not said."""

    is_hidden: bool = False
    is_bold: bool = False
    size: int = 0
    colour: Colour | None = None
    ground: Colour | None = None
    level: int = 0

    def over(self, other: "_Look") -> "_Look":
        """This one, where it says something, over the other."""
        return _Look(
            self.is_hidden or other.is_hidden,
            self.is_bold or other.is_bold,
            self.size or other.size,
            self.colour or other.colour,
            self.ground or other.ground,
            self.level or other.level,
        )


def _value(parent: Any, name: str, attribute: str = "val") -> str | None:
    """Of a property; None where it is not there, '' where it is there and says nothing more."""
    found = parent.find(f"{W}{name}") if parent is not None else None
    return None if found is None else str(found.get(f"{W}{attribute}", ""))


def _is_on(parent: Any, name: str) -> bool:
    value = _value(parent, name)
    return value is not None and value.lower() not in OFF


def _look(properties: Any, paragraph: Any = None) -> _Look:
    """Of `w:rPr`, and of `w:pPr` where that is given."""
    colour = colour_of(_value(properties, "color") or "")
    if _value(properties, "color", "themeColor") in LIGHT:
        colour = WHITE
    size = _value(properties, "sz") or ""
    ground = colour_of(_value(properties, "shd", "fill") or "") or colour_of(_value(paragraph, "shd", "fill") or "")
    outline = _value(paragraph, "outlineLvl") or ""
    return _Look(
        _is_on(properties, "vanish"),
        _is_on(properties, "b"),
        int(float(size)) if size.replace(".", "", 1).isdigit() else 0,
        colour,
        ground or (colour_of(_value(properties, "highlight") or "")),
        int(outline) + 1 if outline.isdigit() and int(outline) < 9 else 0,
    )


@dataclass
class _Place:
    """Where a paragraph stands. grounds: colours that may lie below it; the first one does where it is alone."""

    grounds: tuple[Colour, ...] = (WHITE,)


@dataclass
class _Text:
    """A paragraph as it is seen. boxes: text boxes that hang on it."""

    parts: list[str] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)
    bold: list[bool] = field(default_factory=list)
    turns: list[tuple[int, int]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(map(len, self.parts))


class _Letters:
    """What paragraphs of one document say to the eye."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.parsed = Parsed()
        self.styles = {style.get(f"{W}styleId"): style for style in document.styles.element.iter(f"{W}style")}
        self.looks: dict[str, _Look] = {}
        self.ground = self._background()
        body = document.element.body
        self.has_pages = any(True for _ in body.iter(f"{W}lastRenderedPageBreak"))
        self.page = 1 if self.has_pages else 0

    def _background(self) -> Colour:
        found = self.document.element.find(f"{W}background")
        return (colour_of(found.get(f"{W}color", "")) if found is not None else None) or WHITE

    def _count(self, why: str, item: Any) -> None:
        n_hidden = sum(len(each.text or "") for each in item.iter(f"{W}t", f"{W}delText"))
        if n_hidden:
            self.parsed.hidden[why] += n_hidden

    def _text(self, paragraph: Any, place: _Place) -> tuple[_Text, _Look]:
        properties = paragraph.find(f"{W}pPr")
        style = self._style(_value(properties, "pStyle") or "")
        own = _look(None, properties).over(style)
        text = _Text()
        waiting = list(reversed(list(paragraph)))
        while waiting:
            item = waiting.pop()
            if item.tag == f"{W}r":
                self._run(item, own, place, text)
            elif item.tag in GONE:
                self._count("deleted", item)
            elif item.tag in TRANSPARENT:
                waiting += reversed(list(item))
        return text, own

    def _run(self, run: Any, own: _Look, place: _Place, text: _Text) -> None:
        properties = run.find(f"{W}rPr")
        look = _look(properties).over(self._style(_value(properties, "rStyle") or "")).over(own)
        if properties is not None and not _is_on(properties, "b") and _value(properties, "b") is not None:
            look = replace(look, is_bold=False)
        if properties is not None and not _is_on(properties, "vanish") and _value(properties, "vanish") is not None:
            look = replace(look, is_hidden=False)
        why = self._why_hidden(look, place)
        for item in run.iter():
            if item.tag == f"{W}txbxContent":
                is_fallback = any(above.tag == FALLBACK for above in item.iterancestors())
                text.boxes += [] if is_fallback or self._is_inner(item, run) else [item]
            elif item.tag == f"{W}lastRenderedPageBreak":
                self.page += 1
                text.turns.append((text.length, self.page))
            elif not self._is_inner(item, run):
                self._character(item, why, look, text)

    @staticmethod
    def _is_inner(item: Any, run: Any) -> bool:
        """True for what a text box of the run holds."""
        above = item.getparent() if item is not run else None
        while above is not None and above is not run:
            if above.tag == f"{W}txbxContent":
                return True
            above = above.getparent()
        return False

    def _character(self, item: Any, why: str, look: _Look, text: _Text) -> None:
        if item.tag == f"{W}t":
            words = item.text or ""
        elif item.tag in (f"{W}tab", f"{W}br", f"{W}cr"):
            words = " "
        elif item.tag == f"{W}noBreakHyphen":
            words = "-"
        else:
            return
        if why:
            if words.strip():
                self.parsed.hidden[why] += len(words)
            return
        text.parts.append(words)
        if words.strip():
            text.bold.append(look.is_bold)

    @staticmethod
    def _why_hidden(look: _Look, place: _Place) -> str:
        if look.is_hidden:
            return "invisible"
        if 0 < look.size < TINY_HALF_POINTS:
            return "tiny"
        grounds = (look.ground,) if look.ground else place.grounds
        is_lost = look.colour is not None and all(is_alike(look.colour, ground) for ground in grounds)
        return "in the colour of its ground" if is_lost else ""

    def _style(self, name: str) -> _Look:
        """How the style, and those that it is based on, make letters look."""
        if name in self.looks or name not in self.styles:
            return self.looks.get(name, _Look())
        look, place = _Look(), name
        for _ in range(MOST_STYLES):
            style = self.styles.get(place)
            if style is None:
                break
            level = HEADING.fullmatch(_value(style, "name") or "")
            one = _look(style.find(f"{W}rPr"), style.find(f"{W}pPr"))
            is_title = (_value(style, "name") or "").lower() == "title"
            look = look.over(replace(one, level=int(level[1]) if level else 1 if is_title else one.level))
            place = _value(style, "basedOn") or ""
        self.looks[name] = look
        return look


class _Reading(_Letters):
    """One document on its way to blocks."""

    def read(self) -> None:
        properties = self.document.core_properties
        self.parsed.title = one_line(str(properties.title or ""))[:200]
        self.parsed.valid_from, self.parsed.valid_until = validity.of_fields(self._custom())
        self._flow(self.document.element.body, _Place((self.ground,)))
        self._notes()
        self.parsed.n_pages = self.page

    def _custom(self) -> dict[str, object]:
        """The properties that somebody gave the file by name."""
        from docx.oxml.parser import parse_xml

        for part in self.document.part.package.iter_parts():
            if str(part.partname) == "/docProps/custom.xml":
                return {
                    each.get("name", ""): "".join(each.itertext()).partition("T")[0] for each in parse_xml(part.blob)
                }
        return {}

    def _notes(self) -> None:
        """Footnotes stand at the end; comments are counted, not read."""
        from docx.oxml.parser import parse_xml

        for relation in self.document.part.rels.values():
            kind = relation.reltype.rpartition("/")[2]
            if relation.is_external or kind not in (*NOTES, "comments"):
                continue
            root = parse_xml(relation.target_part.blob)
            if kind == "comments":
                self.parsed.hidden["comments"] += sum(len(each.text or "") for each in root.iter(f"{W}t"))
                continue
            for note in root:
                if note.get(f"{W}type") not in ("separator", "continuationSeparator", "continuationNotice"):
                    self._flow(note, _Place((self.ground,)))
        self.parsed.hidden += type(self.parsed.hidden)()  # without zeros

    def _flow(self, parent: Any, place: _Place) -> None:
        """Paragraphs and tables, in order; what only holds them is opened."""
        waiting = [parent]
        while waiting:
            item = waiting.pop()
            if item.tag == f"{W}p":
                self._paragraph(item, place)
            elif item.tag == f"{W}tbl":
                self._table(item)
            elif item is parent or item.tag in TRANSPARENT:
                waiting += reversed(list(item))
            elif item.tag in GONE:
                self._count("deleted", item)

    def _paragraph(self, item: Any, place: _Place) -> None:
        page = self.page
        text, look = self._text(item, place)
        whole = one_line(visible("".join(text.parts), self.parsed.hidden))
        if whole:
            level = look.level or self._bold_level(text, whole)
            turns = tuple(turn for turn in text.turns if 0 < turn[0] < len(whole))
            page = max([page, *(number for at, number in text.turns if at == 0)])
            if level and not self.parsed.title and level == 1 and not self.parsed.blocks:
                self.parsed.title = whole[:200]
            block = Block("heading", whole, page, level) if level else Block("paragraph", whole, page, turns=turns)
            self.parsed.blocks.append(block)
        for box in text.boxes:
            self._flow(box, place)

    def _bold_level(self, text: _Text, whole: str) -> int:
        is_short = len(whole.split()) <= MOST_WORDS and len(whole) <= MOST_CHARACTERS
        is_bold = bool(text.bold) and all(text.bold)
        return BOLD_LEVEL if is_bold and is_short and not whole.endswith((".", "。", ":", "：", ";", "；", ",")) else 0

    # tables ----------------------------------------------------------------------------------------------------------

    def _table(self, table: Any) -> None:
        page = self.page
        rows = [row for row in table if row.tag == f"{W}tr"]
        styled = self._style_grounds(table)
        grid: list[list[tuple[int, str]]] = []
        n_repeated = 0
        for number, row in enumerate(rows):
            properties = row.find(f"{W}trPr")
            if _is_on(properties, "tblHeader") and n_repeated == number:
                n_repeated += 1
            grid.append(self._row(row, grid[-1] if grid else [], len(grid), styled))
        width = max((len(row) for row in grid), default=0)
        cells = [[text for _, text in row] + [""] * (width - len(row)) for row in grid]
        if width < 2 or len(cells) < 2:
            words = [cell for row in cells for cell in dict.fromkeys(row) if cell]
            self.parsed.blocks += [Block("paragraph", text, page) for text in words]
            return
        places = [[place for place, _ in row] for row in grid]
        n_header = min(max(n_repeated, header_rows(places)), len(cells) - 1, 3)
        header = header_line(cells[:n_header])
        self.parsed.blocks.append(Block("header", header, page, header=header))
        self.parsed.blocks += [Block("row", row_line(row), page, header=header) for row in cells[n_header:] if any(row)]

    def _style_grounds(self, table: Any) -> tuple[Colour, ...]:
        """What the style of the table may put below letters, beside the page."""
        name = _value(table.find(f"{W}tblPr"), "tblStyle") or ""
        style = self.styles.get(name)
        found = [] if style is None else [colour_of(each.get(f"{W}fill", "")) for each in style.iter(f"{W}shd")]
        return (self.ground, *(colour for colour in found if colour))

    def _row(
        self, row: Any, above: Sequence[tuple[int, str]], number: int, grounds: tuple[Colour, ...]
    ) -> list[tuple[int, str]]:
        """(which cell, its text) for each column: a merged cell is given in each that it covers."""
        before = _value(row.find(f"{W}trPr"), "gridBefore") or "0"
        found: list[tuple[int, str]] = [(-1, "")] * min(int(before) if before.isdigit() else 0, 100)
        for cell in _cells(row):
            properties = cell.find(f"{W}tcPr")
            span = _value(properties, "gridSpan") or "1"
            n_columns = min(max(int(span) if span.isdigit() else 1, 1), 1_000)
            merged = _value(properties, "vMerge")
            place = len(found)
            if merged is not None and merged != "restart" and place < len(above):
                found += [above[place]] * n_columns
                continue
            ground = colour_of(_value(properties, "shd", "fill") or "")
            text = self._cell(cell, _Place((ground,) if ground else grounds))
            found += [(number * 10_000 + place, text)] * n_columns
        return found

    def _cell(self, cell: Any, place: _Place) -> str:
        parts = []
        for paragraph in cell.iter(f"{W}p"):
            text, _ = self._text(paragraph, place)
            parts.append(one_line(visible("".join(text.parts), self.parsed.hidden)))
        return " ".join(part for part in parts if part)


def _cells(row: Any) -> Iterator[Any]:
    """The cells of a row, also those in a content control."""
    for item in row:
        if item.tag == f"{W}tc":
            yield item
        elif item.tag in TRANSPARENT:
            yield from (each for each in item.iter(f"{W}tc") if each.getparent().tag in TRANSPARENT)
