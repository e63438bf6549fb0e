"""A page that was written in English, with the Chinese of each text beside it: the page shows one, and needs no script.

Texts are taken between the tags of blocks, with the inner tags (`<b>`) that stand in them, and matched back to their
templates (`windlass.language.rendering`); what has no twin stays as it is.
"""

import re
from collections.abc import Iterator
from html import escape, unescape

from windlass.language.chosen import spoken
from windlass.language.rendering import rendered
from windlass.pages.text.bilingual import STYLE

TAG = re.compile(r"<!--.*?-->|</?([a-zA-Z][a-zA-Z0-9]*)\b([^<>]*)>|<![^>]*>", re.DOTALL)
INLINE = frozenset({"b", "i", "em", "strong", "code", "small", "br", "bdi", "a"})
LEFT_ALONE = frozenset({"style", "script", "pre", "title", "textarea"})
"""What no reader reads, or somebody's own text."""
VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "wbr"})
_OWN = re.compile(r'class="(?:en|zh)"|\blang="(?:en|zh)"|dir="auto"')
_TIPPED = re.compile(
    r"<(?P<mark>rect|circle|text|path|polyline)\b[^<>]*>(?P<shown>[^<]*)<title>(?P<tip>[^<]*)</title></(?P=mark)>"
)
_PICTURE = re.compile(r'aria-label="(?P<name>[^"]*)"><title>(?P=name)</title>')
_HEAD = re.compile(r' data-head="([^"<>]*)"')
_QUOTES = (("&#x27;", "'"), ("&quot;", '"'), ("&#39;", "'"))
TURNED = f"""{STYLE}
#zh:checked ~ main table.stack td:not(.text)::before {{ content: attr(data-zh) "："; }}
svg .zh {{ display: none; }} #zh:checked ~ main svg .zh {{ display: inline; }}
"""


def in_both(page: str) -> str:
    """The page with both languages and what changes them, opened in the one that is spoken."""
    head, found, body = page.partition("<body><main>")
    if not found:
        return doubled(page)
    checked = " checked" if spoken() == "zh" else ""
    turn = f'<input type="checkbox" id="zh" aria-label="中文"{checked}>'
    flip = (
        '<label class="flip" for="zh"><span class="en" lang="en">中文</span><span class="zh" lang="zh">English</span>'
    )
    head = head.replace("</style>", f"{TURNED}</style>", 1)
    return f"{head}<body>{turn}<main>{flip}</label>{doubled(body)}"


def doubled(markup: str) -> str:
    """HTML with the Chinese beside each text of ours, in tips and names of pictures, too."""
    return "".join(_pieces(_PICTURE.sub(_named_picture, _TIPPED.sub(_tipped, markup))))


def _tipped(found: re.Match[str]) -> str:
    """A mark of a picture that says something when pointed at: once in each language, of which a page shows one. Always
    both, so that no text of a stranger decides which elements a page has."""
    mark = found[0]
    start, end = (found.start("tip") - found.start(), found.end("tip") - found.start())
    chinese = f"{mark[:start]}{_tip(found['tip'])}{mark[end:]}"
    if shown := found["shown"].strip():
        chinese = chinese.replace(f">{found['shown']}<", f">{_tip(shown)}<", 1)
    return f'<g class="en">{mark}</g><g class="zh">{chinese}</g>'


def _tip(english: str) -> str:
    """In Chinese; as it is where it has no twin, so that what stands in it never changes the elements of a page."""
    said = rendered(_read(english))
    return english if said is None else escape(unescape(said))


def _named_picture(found: re.Match[str]) -> str:
    """The name of a picture: a screen reader says both, who points at the picture sees the one of the page."""
    name, said = found["name"], _tip(found["name"])
    english, chinese = (
        f'<g class="{language}"><title>{text}</title><rect width="100%" height="100%" fill="none" '
        'pointer-events="all"/></g>'
        for language, text in (("en", name), ("zh", said))
    )
    both = name if said == name else f"{name} · {said}"
    return f'aria-label="{both}">{english}{chinese}'


def _pieces(markup: str) -> Iterator[str]:
    at, piece, closed = 0, "", _Closed()
    for tag in TAG.finditer(markup):
        piece += markup[at : tag.start()]
        at = tag.end()
        name = (tag[1] or "").lower()
        if name in INLINE and not closed.is_shut:
            piece += tag[0]
            continue
        yield piece if closed.is_shut else _twice(piece, closed.in_svg)
        piece = ""
        closed.pass_by(tag[0], name)
        yield _HEAD.sub(_head, tag[0])
    yield piece + markup[at:]


class _Closed:
    """Where the reader of tags is: inside of what is left alone, or of a picture."""

    def __init__(self) -> None:
        self.shut: list[str] = []
        self.in_svg = False

    @property
    def is_shut(self) -> bool:
        return bool(self.shut)

    def pass_by(self, tag: str, name: str) -> None:
        if name == "svg":
            self.in_svg = not tag.startswith("</")
        if tag.startswith("</"):
            if self.shut and self.shut[-1] == name:
                self.shut.pop()
        elif not tag.endswith("/>") and name not in VOID:
            if self.shut:
                self.shut += [name] if name == self.shut[-1] else []
            elif (
                name in LEFT_ALONE
                or (name == "span" and _OWN.search(tag))
                or 'class="en"' in tag
                or 'class="zh"' in tag
            ):
                self.shut.append(name)


def _head(found: re.Match[str]) -> str:
    """A head that a phone shows before the value of a cell."""
    chinese = rendered(_read(found[1]))
    return f'{found[0]} data-zh="{chinese or found[1]}"'


def _read(text: str) -> str:
    for escaped, sign in _QUOTES:
        text = text.replace(escaped, sign)
    return text


def _twice(piece: str, in_svg: bool) -> str:
    """A piece in both languages; where it is not known as a whole, each text between its inner tags."""
    body = piece.strip()
    if not body:
        return piece
    before, after = piece[: piece.index(body)], piece[piece.index(body) + len(body) :]
    chinese = rendered(_read(body)) or _with_code(body)
    if chinese is not None:
        return f"{before}{_both(body, chinese, in_svg)}{after}"
    if not TAG.search(body):
        return piece
    made, at, depth = "", 0, 0
    for tag in TAG.finditer(body):
        made += body[at : tag.start()] if depth else _twice(body[at : tag.start()], in_svg)
        made += tag[0]
        depth += {"<bdi>": 1, "</bdi>": -1, "<code>": 1, "</code>": -1}.get(tag[0], 0)
        at = tag.end()
    return f"{before}{made}{_twice(body[at:], in_svg)}{after}"


def _with_code(body: str) -> str | None:
    """A text whose commands stood between backticks before it became HTML."""
    if "<code>" not in body:
        return None
    found = rendered(_read(body.replace("<code>", "`").replace("</code>", "`")))
    return None if found is None else re.sub("`([^`]*)`", r"<code>\1</code>", found)


def _both(english: str, chinese: str, in_svg: bool) -> str:
    if english == chinese:
        return english
    tag = "tspan" if in_svg else "span"
    return f'<{tag} class="en" lang="en">{english}</{tag}><{tag} class="zh" lang="zh">{chinese}</{tag}>'
