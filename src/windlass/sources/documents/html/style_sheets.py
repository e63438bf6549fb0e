"""What the style sheets of a page, and the styles of its elements, say about whether text can be seen."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from windlass.sources.documents.grounds import Colour, colour_of

MOST_SHEET, MOST_RULES, MOST_MATCHES = 1_000_000, 5_000, 50_000
"""Characters of style sheets, rules that matter, elements that they meet."""
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
MATTERS = re.compile(
    r"display|visibility|opacity|font|color|background|text-indent|left|top|clip|position|width|height"
)
LENGTH = re.compile(r"(-?\d*\.?\d+)(px|pt|em|rem|%)?")
PX = {"px": 1.0, "pt": 4 / 3, "em": 16.0, "rem": 16.0, "%": 0.16, None: 1.0}
TINY_PX = 3.5
FAR_PX = {"left": -500.0, "top": -500.0, "text-indent": -500.0, "margin-left": -2_000.0, "margin-top": -2_000.0}
"""Pages that are centred have margins of some hundred."""
CLIPPED = re.compile(
    r"rect\(\s*[01](?:px)?[ ,]+[01](?:px)?[ ,]+[01](?:px)?[ ,]+[01](?:px)?\s*\)|inset\(\s*(?:50|100)%\s*\)"
)


@dataclass(frozen=True)
class Style:
    """colour, ground: None = not said. why: '' = nothing hides the element."""

    colour: Colour | None = None
    ground: Colour | None = None
    has_picture: bool = False
    why: str = ""


def why_hidden(node: Any, style: Style) -> str:
    """Why nobody sees the element and what it holds; '' where somebody does."""
    if style.why:
        return style.why
    return "not displayed" if "hidden" in node.attributes else ""


class Styles:
    """What is declared for each element, by the sheets and by itself."""

    def __init__(self, by_element: dict[int, dict[str, str]]) -> None:
        self.by_element = by_element

    def of(self, node: Any) -> Style:
        attributes = node.attributes
        said = dict(self.by_element.get(node.mem_id, {}))
        if node.tag == "font" or "bgcolor" in attributes:
            said |= {"color": attributes.get("color") or "", "background-color": attributes.get("bgcolor") or ""}
        said |= declared(attributes.get("style") or "")
        return _style(said) if said else Style()


def styles_of(tree: Any) -> Styles:
    """The rules of the page's own sheets; what is for print alone, or hangs on a state (`:hover`), is none."""
    sheet = "\n".join(node.text() or "" for node in tree.css("style"))[:MOST_SHEET]
    found: dict[int, dict[str, str]] = {}
    n_matches = 0
    for number, (selector, rule) in enumerate(_rules(sheet)):
        if number >= MOST_RULES or n_matches > MOST_MATCHES:
            break
        try:
            nodes = tree.css(selector)
        except ValueError:  # a selector that no parser knows
            continue
        n_matches += len(nodes)
        for node in nodes:
            found.setdefault(node.mem_id, {}).update(rule)
    return Styles(found)


def _rules(sheet: str) -> Iterator[tuple[str, dict[str, str]]]:
    for found in RULE.finditer(_without_conditions(COMMENT.sub(" ", sheet))):
        if not MATTERS.search(found[2]):
            continue
        rule = declared(found[2])
        for selector in found[1].split(","):
            if selector.strip() and ":" not in selector and "@" not in selector:
                yield selector.strip(), rule


def _without_conditions(sheet: str) -> str:
    """Without `@media` and its kin, whose rules hold under conditions that are not known here."""
    parts: list[str] = []
    depth = start = 0
    skipping = -1
    for mark in re.finditer(
        r"@(?:media|supports|keyframes|-\w+-keyframes|font-face|page|layer|container)\b|[{}]", sheet
    ):
        if mark[0].startswith("@"):
            if skipping < 0:
                parts.append(sheet[start : mark.start()])
                skipping = depth
            continue
        depth += 1 if mark[0] == "{" else -1
        if skipping >= 0 and depth <= skipping and mark[0] == "}":
            skipping, start = -1, mark.end()
    return "".join(parts) + (sheet[start:] if skipping < 0 else "")


def declared(words: str) -> dict[str, str]:
    """`display: none; ...` as names and values in small letters."""
    pairs = (part.partition(":") for part in words.lower().split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs if value.strip()}


def _style(said: dict[str, str]) -> Style:
    background = f"{said.get('background', '')} {said.get('background-color', '')}".strip()
    has_picture = "url(" in background or "gradient" in background or "url(" in said.get("background-image", "")
    grounds = [colour for word in re.findall(r"rgba?\([^)]*\)|#\w+|\w+", background) if (colour := colour_of(word))]
    style = Style(colour_of(said.get("color", "")), grounds[-1] if grounds else None, has_picture)
    return replace(style, why=_why(said))


def _px(words: str) -> float | None:
    found = LENGTH.fullmatch(words)
    return float(found[1]) * PX[found[2]] if found else None


def _why(said: dict[str, str]) -> str:
    if said.get("display") == "none" or said.get("visibility") in ("hidden", "collapse"):
        return "not displayed"
    opacity = _px(said.get("opacity", ""))
    if said.get("color") == "transparent" or (opacity is not None and opacity <= 0.05):
        return "invisible"
    size = _px(said.get("font-size", ""))
    if size is not None and size < TINY_PX:
        return "tiny"
    if any((place := _px(said.get(name, ""))) is not None and place <= far for name, far in FAR_PX.items()):
        return "off the page"
    is_shut = said.get("overflow") == "hidden" and any(
        _px(said.get(name, "")) in (0.0, 1.0) for name in ("width", "height")
    )
    if is_shut or CLIPPED.search(f"{said.get('clip', '')} {said.get('clip-path', '')}"):
        return "off the page"
    return ""
