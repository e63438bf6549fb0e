"""An explanation as a person sees it: marked words, a heat-map, bars of columns; blue speaks for, orange against.

Colours: Okabe & Ito 2008, told apart by colour-blind readers; strength is the depth of the colour, and the number
stands in the tooltip and in the list of the strongest parts.
"""

import html
from collections.abc import Sequence
from dataclasses import replace

from windlass.pages.text.words import block, escaped, percent, plain, signed, to_places, width
from windlass.records import Explanation, Part

FOR, AGAINST = "0, 114, 178", "213, 94, 0"
DEEPEST = 0.75
FAINTEST = 0.02
"""Of the strongest weight: less is left without colour."""
N_STRONGEST, N_BARS, LONGEST_RUN = 6, 12, 4
BAR_COLUMNS = 24

STYLE = """
.explained { font: 15px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", Arial,
  sans-serif; font-variant-numeric: tabular-nums; max-width: 52rem; overflow-wrap: anywhere; color: inherit; }
.explained .answer { margin: 0 0 2px; font-weight: 650; font-size: 16px; }
.explained .said { margin: 0 0 10px; opacity: 0.72; font-size: 13px; }
.explained .column { margin: 10px 0 2px; opacity: 0.72; font-size: 13px; }
.explained .marked { margin: 0 0 6px; line-height: 1.95; white-space: pre-wrap; }
.explained mark { color: inherit; border-radius: 4px; padding: 2px 1px; margin: 0 -1px; }
.explained .heat { position: relative; display: inline-block; width: min(100%, 320px); vertical-align: top; }
.explained .heat { background: #fff; border-radius: 6px; }
.explained .heat img { display: block; width: 100%; image-rendering: pixelated; border-radius: 6px;
  filter: grayscale(1); opacity: 0.28; }
.explained .heat svg { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: 6px; }
.explained .pair { display: flex; flex-wrap: wrap; gap: 14px; margin: 4px 0 8px; }
.explained .pair .plain img { filter: none; opacity: 1; }
.explained ol { list-style: none; margin: 8px 0 0; padding: 0; }
.explained li { display: grid; grid-template-columns: minmax(0, 1.5fr) minmax(0, 1fr) minmax(5.2rem, auto); gap: 0 12px;
  align-items: center; padding: 3px 0; font-size: 14px; line-height: 1.35; }
.explained .track { position: relative; height: 12px; border-radius: 3px; background: rgba(128, 128, 128, 0.13); }
.explained .track i { position: absolute; top: 0; bottom: 0; border-radius: 3px; }
.explained .track::after { content: ""; position: absolute; left: 50%; top: -3px; bottom: -3px; width: 1px;
  background: rgba(128, 128, 128, 0.7); }
.explained li b { text-align: right; font-weight: 500; white-space: nowrap; }
.explained .key { display: inline-block; width: 12px; height: 12px; border-radius: 3px; vertical-align: -1px;
  margin: 0 4px 0 12px; }
.explained .key:first-child { margin-left: 0; }
@media (max-width: 760px) {
  .explained li { grid-template-columns: minmax(0, 1fr) auto; padding: 5px 0; }
  .explained .track { grid-column: 1 / -1; grid-row: 2; } }
"""


def explanation_html(explanation: Explanation) -> str:
    """The explanation as HTML that stands by itself, for Jupyter."""
    return f"<style>{STYLE}</style>{explained(explanation)}"


def explained(explanation: Explanation) -> str:
    """The explanation as HTML; it needs `STYLE`."""
    largest = max((abs(part.weight) for part in explanation.parts), default=0.0) or 1.0
    shown = [
        _marked(name, text, _of(explanation, name, "span"), largest)
        for name, text in explanation.texts.items()
        if _of(explanation, name, "span")
    ]
    shown += [
        _heat(name, picture, _of(explanation, name, "box"), largest) for name, picture in explanation.pictures.items()
    ]
    return (
        f'<div class="explained"><p class="answer">Why <bdi>‘{escaped(_label(explanation), 200)}’</bdi>'
        f'{_sure(explanation)}</p><p class="said">{_legend(explanation)}{escaped(method_words(explanation))}</p>'
        f"{''.join(shown)}{_bars(explanation)}</div>"
    )


def _label(explanation: Explanation) -> str:
    """The answer; of a number the digits that its interval deserves."""
    return explanation.label if explanation.places is None else to_places(explanation.total, explanation.places)


def _weight(explanation: Explanation, value: float, decimals: int = 2) -> str:
    """What a part is worth, with its sign: of a number a digit more than the answer has."""
    return signed(value, decimals) if explanation.places is None else to_places(value, explanation.places + 1, "+")


def _of(explanation: Explanation, column: str, place: str) -> list[Part]:
    return [part for part in explanation.parts if part.column == column and getattr(part, place) is not None]


def _sure(explanation: Explanation) -> str:
    return "" if explanation.confidence is None else f", {escaped(percent(explanation.confidence))} sure"


def _legend(explanation: Explanation) -> str:
    keys = zip((FOR, AGAINST), explanation.sides, strict=True)
    return (
        "".join(
            f'<span class="key" style="background:rgba({colour},{DEEPEST})"></span>{escaped(words)}'
            for colour, words in keys
        )
        + ". "
    )


def method_words(explanation: Explanation) -> str:
    """How it was found and what its numbers mean, in a sentence or two."""
    base, total = (_weight(explanation, value) for value in (explanation.base, explanation.total))
    summed = (
        f"; from {base} for nothing known they add up to {total}"
        if explanation.adds_up
        else f"; {base} with nothing known, {total} with all of it"
    )
    times = "once" if explanation.n_evaluations == 1 else f"{explanation.n_evaluations:,} times"
    return f"Numbers are {explanation.unit}{summed}. By {explanation.method}, the model asked {times}."


def _colour(weight: float, largest: float) -> str:
    part = abs(weight) / largest
    if part < FAINTEST:
        return ""
    return f"rgba({FOR if weight > 0 else AGAINST},{DEEPEST * part:.3f})"


def _marked(column: str, text: str, parts: Sequence[Part], largest: float) -> str:
    """The text with its words marked; what lies between two parts stays as it is."""
    pieces, last = [], 0
    for part in sorted(parts, key=_span):
        start, end = max(_span(part)[0], last), _span(part)[1]
        colour = _colour(part.weight, largest)
        inside = html.escape(block(text[start:end]))
        pieces.append(html.escape(block(text[last:start])))
        pieces.append(
            f'<mark style="background:{colour}" title="{signed(part.weight, 3)}">{inside}</mark>' if colour else inside
        )
        last = max(last, end)
    pieces.append(html.escape(block(text[last:])))
    return f'<p class="column">{escaped(column)}</p><p class="marked" dir="auto">{"".join(pieces)}</p>'


def _heat(column: str, picture: str, parts: Sequence[Part], largest: float) -> str:
    """The picture as it is, and in grey under its heat-map."""
    boxes = []
    for part in parts:
        colour = _colour(part.weight, largest)
        if part.box is not None and colour:
            left, top, right, foot = part.box
            boxes.append(
                f'<rect x="{left:.4f}" y="{top:.4f}" width="{right - left:.4f}" height="{foot - top:.4f}" '
                f'fill="{colour}"><title>{signed(part.weight, 3)}</title></rect>'
            )
    image = f'<img alt="{escaped(column)}" src="{html.escape(picture)}">'
    return (
        f'<p class="column">{escaped(column)}</p><div class="pair"><div class="heat plain">{image}</div>'
        f'<div class="heat">{image}<svg viewBox="0 0 1 1" preserveAspectRatio="none" shape-rendering="crispEdges">'
        f"{''.join(boxes)}</svg></div></div>"
    )


def strongest(explanation: Explanation) -> list[Part]:
    """The parts that count most, the strongest first; all whole columns up to `N_BARS`, and fewer words and boxes."""
    wholes = [part for part in explanation.parts if part.span is None and part.box is None]
    placed = _joined([part for part in explanation.parts if part.span is not None])
    ordered = sorted(placed, key=lambda part: -abs(part.weight))[:N_STRONGEST]
    found = sorted([*wholes, *ordered], key=lambda part: -abs(part.weight))[:N_BARS]
    return [part for part in found if part.weight]


def _joined(parts: Sequence[Part]) -> list[Part]:
    """The words, with neighbours of Chinese that speak for the same side told as one: two or three make a word."""
    found: list[Part] = []
    for part in parts:
        if found and _goes_on(found[-1], part):
            last = found.pop()
            span = (_span(last)[0], _span(part)[1])
            part = replace(last, words=last.words + part.words, weight=last.weight + part.weight, span=span)
        found.append(part)
    return found


def _span(part: Part) -> tuple[int, int]:
    return part.span or (0, 0)


def _goes_on(last: Part, part: Part) -> bool:
    is_near = last.column == part.column and _span(last)[1] == _span(part)[0] and last.words[-1:].isalpha()
    is_wide = width(part.words[:1]) == 2 and width(last.words[:1]) == 2
    return is_near and is_wide and len(last.words) < LONGEST_RUN and last.weight * part.weight > 0


def _bars(explanation: Explanation) -> str:
    lines, found = [], strongest(explanation)
    largest = max((abs(part.weight) for part in found), default=1.0)
    for part in found:
        wide = 50 * abs(part.weight) / largest
        left = 50 if part.weight > 0 else 50 - wide
        colour = f"rgba({FOR if part.weight > 0 else AGAINST},{DEEPEST})"
        bar = f'<i style="left:{left:.1f}%;width:{wide:.1f}%;background:{colour}"></i>'
        lines.append(
            f'<li><span dir="auto">{escaped(part.words, 160)}</span><span class="track">{bar}</span>'
            f"<b>{_weight(explanation, part.weight)}</b></li>"
        )
    return f"<ol>{''.join(lines)}</ol>" if lines else ""


def explanation_text(explanation: Explanation) -> str:
    """The explanation as text for a terminal: the strongest parts with bars of + and -."""
    sure = "" if explanation.confidence is None else f", {percent(explanation.confidence)} sure"
    lines = [f"why '{plain(_label(explanation), 200)}'{sure}"]
    found = strongest(explanation) or sorted(explanation.parts, key=lambda part: -abs(part.weight))[:N_STRONGEST]
    largest = max((abs(part.weight) for part in found), default=0.0) or 1.0
    for part in found:
        sign = "+" if part.weight > 0 else "-"
        bar = sign * max(1, round(BAR_COLUMNS * abs(part.weight) / largest))
        words = plain(part.words, 120)
        lines.append(f"  {_weight(explanation, part.weight, 3):>8}  {bar}{' ' * (BAR_COLUMNS - width(bar))}  {words}")
    return "\n".join([*lines, f"  {method_words(explanation)}", ""])
