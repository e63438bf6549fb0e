"""HTML as blocks: what a reader sees of the page's own content, without menus, heads and feet; Markdown alike."""

import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from windlass.errors import DataError, NotReady, expected, pip_install
from windlass.sources.documents import access, validity
from windlass.sources.documents.characters import one_line, visible
from windlass.sources.documents.contract import Block, Limits, Parsed
from windlass.sources.documents.grounds import WHITE, Colour, is_alike
from windlass.sources.documents.html import nesting
from windlass.sources.documents.html.style_sheets import Style, styles_of, why_hidden
from windlass.sources.documents.plain import text_of
from windlass.sources.documents.table_rows import header_line, header_rows, row_line

BLOCKS = frozenset(
    {"address", "article", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt",
     "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main", "nav",
     "ol", "p", "pre", "section", "summary", "table", "ul", "tr", "td", "th", "caption", "thead", "tbody",
     "tfoot", "h1", "h2", "h3", "h4", "h5", "h6"}
)  # fmt: skip
HEADINGS = {f"h{level}": level for level in range(1, 7)}
NO_TEXT = frozenset(
    {"script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "embed", "audio", "video",
     "head", "select", "option", "datalist", "map", "button", "input", "textarea", "math", "rp"}
)  # fmt: skip
"""What holds no text for readers, or not in words."""
FURNITURE = frozenset({"nav", "footer", "aside"})
ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "menu", "menubar", "complementary", "dialog"})
NAMED = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|breadcrumbs?|sidebar|nav|navbar|navigation|menu|footer|masthead|share|social|"
    r"related|newsletter|subscribe|advert(?:isement)?s?|promo|skip-?link|pagination)(?:$|[\s_-])", re.IGNORECASE
)  # fmt: skip
NAMED_SHARE, MAIN_SHARE, LINK_SHARE, N_LINKS = 0.3, 0.3, 0.8, 4
"""Of the page's text: furniture by its name is less; a main part is more. Of a block of links: what links hold."""
MOST_ROWS = 20_000
MOST_DEPTH = 40
"""Elements inside one another, below which none is looked at as furniture: each look reads all that it holds."""
META = {"name", "property", "itemprop"}


@dataclass(frozen=True)
class _Frame:
    """Where the walk is: the element, the colour of its text (None = not said), and what lies below it."""

    node: Any
    colour: Colour | None
    ground: Colour | None


def read_html(path: Path, limits: Limits) -> Parsed:
    """Raises: DataError: empty, no text, or entities of its own. NotReady: selectolax is not installed."""
    parsed = Parsed()
    text = text_of(path, limits, parsed)
    if re.search(r"<!ENTITY", text[:100_000], re.IGNORECASE):
        raise DataError(f"{path.name} declares entities of its own, expected a page without them")
    access.refuse_unread(text)
    return parse(text, parsed, path.name, has_furniture=True)


def parse(text: str, parsed: Parsed, name: str, has_furniture: bool) -> Parsed:
    """The page's blocks, added to `parsed`. has_furniture: False = it has no menus to be left out.

    Raises: DataError: its elements lie too deep in one another. NotReady: selectolax is not installed.
    """
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        hint = f"`{pip_install('documents')}`"
        raise NotReady(f"{name} is a page, expected the package 'selectolax' to read it", hint) from None
    nesting.check(text, name)
    tree = LexborHTMLParser(text)
    _head(tree, parsed)
    if tree.body is not None:
        _Walk(tree, parsed, has_furniture).read()
    return parsed


def _head(tree: Any, parsed: Parsed) -> None:
    title = tree.css_first("title")
    parsed.title = parsed.title or (one_line(visible(title.text(), parsed.hidden))[:200] if title is not None else "")
    root = tree.root
    said = str(root.attributes.get("lang") or "") if root is not None else ""
    parsed.language = said[:2].lower() if re.match(r"[A-Za-z]{2}(?:$|[-_])", said) else ""
    fields: dict[str, object] = {}
    for meta in tree.css("meta"):
        name = next((meta.attributes[key] for key in META if meta.attributes.get(key)), "")
        if name:
            fields[str(name)] = meta.attributes.get("content") or ""
    parsed.valid_from, parsed.valid_until = validity.of_fields(fields)
    parsed.access = _access(tree, parsed.access)


def _access(tree: Any, of_head: access.Access) -> access.Access:
    """What the page itself says. of_head: what a head above it said. Raises: DataError: nobody can tell."""
    said = [meta.attributes for meta in tree.css("meta")]
    said = [each for each in said if any(access.looks_like(each.get(key) or "") for key in META)]
    names = [access.NAME] * (of_head is not None) + [str(each[key]) for each in said for key in META if each.get(key)]
    if any(name.strip().lower() != access.NAME for name in names):
        raise DataError(f"its access is called {expected(dict.fromkeys(names))}, expected 'access'")
    if len(said) + (of_head is not None) > 1:
        raise DataError(f"its access is said {len(said) + (of_head is not None)} times, expected once")
    return access.of_words(said[0].get("content") or "") if said else of_head


class _Walk:
    """One page on its way to blocks: from element to element, without recursion, so that no depth is too large."""

    def __init__(self, tree: Any, parsed: Parsed, has_furniture: bool) -> None:
        self.parsed = parsed
        self.has_furniture = has_furniture
        self.styles = styles_of(tree)
        self.body = tree.body
        self.n_text = max(len(self.body.text()), 1)
        self.root = _main(self.body, self.n_text) if has_furniture else self.body
        self.part: list[str] = []
        self.n_furniture = 0
        self.depth = 0

    def read(self) -> None:
        self._walk(_Frame(self.root, None, self._ground(self.root)))
        n_outside = self.n_text - len(self.root.text()) if self.root is not self.body else 0
        if self.n_furniture + n_outside:
            words = f"{self.n_furniture + n_outside:,} characters of menus, heads and feet were left out"
            self.parsed.warnings.append(words)

    def _walk(self, root: _Frame) -> None:
        frames = [root]
        node = root.node.first_child
        while frames:
            self.depth = len(frames)
            if node is None:
                left = frames.pop()
                self._leave(left.node)
                node = left.node.next if frames else None
                continue
            frame = self._enter(node, frames[-1])
            if frame is not None and node.first_child is not None:
                frames.append(frame)
                node = node.first_child
                continue
            if frame is not None:
                self._leave(node)
            node = node.next
        self._flush()

    def _ground(self, root: Any) -> Colour | None:
        """What lies below the root, by what it stands in."""
        node = root
        while node is not None and node.tag:
            style = self._style(node)
            if style.ground or style.has_picture:
                return None if style.has_picture else style.ground
            node = node.parent
        return WHITE

    def _style(self, node: Any) -> Style:
        return self.styles.of(node)

    def _enter(self, node: Any, above: _Frame) -> _Frame | None:
        """The frame of an element whose content is read; None where there is nothing to go into."""
        if node.is_comment_node:
            self.parsed.hidden["comments"] += len((node.comment_content or "").strip())
            return None
        if node.is_text_node:
            self._text(node, above)
            return None
        tag = node.tag
        if not node.is_element_node or tag in NO_TEXT:
            return None
        style = self._style(node)
        if why := why_hidden(node, style):
            self._count(why, node)
            return None
        if self.has_furniture and self._is_furniture(node, tag):
            self.n_furniture += len(node.text())
            return None
        if tag == "table" and self._table(node, above, style):
            return None
        if tag == "br":
            self.part.append("\n")
        elif tag in BLOCKS:
            self._flush()
        colour = style.colour or above.colour
        ground = None if style.has_picture else style.ground or above.ground
        return _Frame(node, colour, ground)

    def _count(self, why: str, node: Any) -> None:
        n_hidden = len(one_line(node.text()))
        if n_hidden:
            self.parsed.hidden[why] += n_hidden

    def _text(self, node: Any, above: _Frame) -> None:
        words = node.text_content or ""
        if is_alike(above.colour, above.ground) and words.strip():
            self.parsed.hidden["in the colour of its ground"] += len(words.strip())
            return
        self.part.append(words if above.node.tag == "pre" else re.sub(r"\s+", " ", words))

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag in HEADINGS:
            self._flush(HEADINGS[tag])
        elif tag in BLOCKS:
            self._flush()

    def _flush(self, level: int = 0) -> None:
        text = visible("".join(self.part), self.parsed.hidden)
        self.part = []
        lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in text.split("\n")]
        text = "\n".join(line for line in lines if line)
        if not text:
            return
        if level:
            self.parsed.blocks.append(Block("heading", one_line(text), level=level))
        else:
            self.parsed.blocks.append(Block("paragraph", text))

    def _is_furniture(self, node: Any, tag: str) -> bool:
        attributes = node.attributes
        if tag in FURNITURE or str(attributes.get("role") or "").lower() in ROLES:
            return True
        if tag == "header":
            return self.root is self.body and node.parent is not None and node.parent.tag in ("body", "div")
        if tag not in ("div", "ul", "ol", "section", "p", "table") or self.depth > MOST_DEPTH:
            return False
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        if NAMED.search(names) and len(node.text()) < NAMED_SHARE * self.n_text:
            return True
        if self.root is not self.body or tag in ("section", "table"):
            return False
        links = node.css("a")
        return len(links) >= N_LINKS and sum(len(link.text()) for link in links) >= LINK_SHARE * len(
            node.text().strip()
        )

    # tables ----------------------------------------------------------------------------------------------------------

    def _table(self, table: Any, above: _Frame, style: Style) -> bool:
        """True where it is a table of at least two rows and columns, which are added; else it is read as text."""
        if table.css_first("table table") is not None or str(table.attributes.get("role") or "") == "presentation":
            return False
        grid, places, n_heads = self._grid(table, style.colour or above.colour, style.ground or above.ground)
        width = max((len(row) for row in grid), default=0)
        if width < 2 or len(grid) < 2:
            return False
        self._flush()
        caption = table.css_first("caption")
        if caption is not None and (words := one_line(visible(caption.text(), self.parsed.hidden))):
            self.parsed.blocks.append(Block("paragraph", words))
        rows = [row + [""] * (width - len(row)) for row in grid]
        n_header = min(max(n_heads, header_rows(places)), len(rows) - 1, 3)
        header = header_line(rows[:n_header])
        self.parsed.blocks.append(Block("header", header, header=header))
        self.parsed.blocks += [Block("row", row_line(row), header=header) for row in rows[n_header:] if any(row)]
        return True

    def _grid(
        self, table: Any, colour: Colour | None, ground: Colour | None
    ) -> tuple[list[list[str]], list[list[int]], int]:
        """Texts and numbers of the cells by place, and how many rows at the top are names alone."""
        grid: list[list[str]] = []
        places: list[list[int]] = []
        over: dict[int, tuple[int, str, int]] = {}  # column -> (rows left, text, number) of a cell from above
        n_heads = number = 0
        for row in table.css("tr")[:MOST_ROWS]:
            if why := why_hidden(row, self._style(row)):
                self._count(why, row)
                continue
            cells = [cell for cell in row.iter() if cell.tag in ("td", "th")]
            texts: list[str] = []
            ids: list[int] = []
            for cell in chain(cells, [None]):
                _fill(over, texts, ids)
                if cell is None:
                    break
                number += 1
                text = self._cell(cell, row, colour, ground)
                wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
                over |= {len(texts) + place: (high - 1, text, number) for place in range(wide) if high > 1}
                texts += [text] * wide
                ids += [number] * wide
            is_head = bool(cells) and all(cell.tag == "th" for cell in cells)
            n_heads += is_head and n_heads == len(grid)
            grid.append(texts)
            places.append(ids)
        return grid, places, n_heads

    def _cell(self, cell: Any, row: Any, colour: Colour | None, ground: Colour | None) -> str:
        style, of_row = self._style(cell), self._style(row)
        colour = style.colour or of_row.colour or colour
        ground = None if style.has_picture or of_row.has_picture else style.ground or of_row.ground or ground
        if why := why_hidden(cell, style):
            self._count(why, cell)
            return ""
        outer, self.parsed.blocks = self.parsed.blocks, []
        self._walk(_Frame(cell, colour, ground))
        text = one_line(" ".join(block.text for block in self.parsed.blocks))
        self.parsed.blocks = outer
        return text


def _span(cell: Any, name: str) -> int:
    words = str(cell.attributes.get(name) or "1").strip()
    return min(max(int(words), 1), 1_000) if words.isdigit() else 1


def _fill(over: dict[int, tuple[int, str, int]], texts: list[str], ids: list[int]) -> None:
    """Puts cells of rows above, which reach down here, on the next places."""
    while len(texts) in over:
        place = len(texts)
        left, text, number = over[place]
        texts.append(text)
        ids.append(number)
        if left > 1:
            over[place] = (left - 1, text, number)
        else:
            del over[place]


def _main(body: Any, n_text: int) -> Any:
    """The part that is said to be the page's own, where it holds enough of the text."""
    for selector in ("main", "[role=main]", "article"):
        found = body.css(selector)
        if len(found) == 1 and len(found[0].text()) >= MAIN_SHARE * n_text:
            return found[0]
    return body
