"""The parts that every picture is drawn with: scales, ticks and a few SVG pieces."""

import html
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from windlass.pages.text.words import escaped, width

Point = tuple[float, float]
EDGE, WIDEST = 2.0, 1.16
"""Pixels between a text and the side; digits of DejaVu Sans, the widest of the fonts, are so much over the average."""
TEXT = re.compile(
    r'<text x="(?P<x>-?[\d.]+)" y="-?[\d.]+"(?: class="[^"]*")?(?: text-anchor="(?P<anchor>\w+)")?>(?P<words>[^<]*)'
)
CHARACTER = 6.6  # average width of a character at 12 px, measured generously so that labels are not cut


@dataclass(frozen=True)
class Axis:
    """A scale from values to places on the picture; `start` and `end` are pixels."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """The place of the value in pixels, kept inside the axis."""
        low, high, value = (
            math.log10(each) if self.is_log else each for each in (self.low, self.high, max(value, self.low))
        )
        part = (min(value, high) - low) / (high - low)
        return self.start + part * (self.end - self.start)

    def ticks(self, wanted: int = 4) -> list[float]:
        """Round values inside the axis, about as many as wanted."""
        if self.is_log:
            return _log_ticks(self.low, self.high, wanted)
        step = _round_step((self.high - self.low) / max(wanted, 1))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(place * step, 12) for place in range(first, last + 1)]


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(step for step in (1, 2, 2.5, 5, 10) if rough <= step * power * (1 + 1e-9))


def _log_ticks(low: float, high: float, wanted: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
        every = [step * 10.0**power for power in decades for step in steps]
        found = [value for value in every if low <= value <= high]
        if len(found) >= min(wanted, 3):
            break
    return found


def spanning(values: Iterable[float], start: float, end: float, pad: float = 0.06, most: float = math.inf) -> Axis:
    """A linear axis that holds the values with a little air, also when they are all the same. most: what none of them
    can be above, such as 1 of shares, and the axis neither."""
    given = list(values)
    low, high = min(given), max(given)
    air = (high - low) * pad or abs(high) * 0.1 or 0.5
    return Axis(low - air, max(high, min(high + air, most)), start, end)


def spanning_log(values: Iterable[float], start: float, end: float) -> Axis:
    """A logarithmic axis that holds the values; those that are not positive stand at its low end."""
    given = [value for value in values if value > 0] or [1.0]
    low, high = min(given) / 1.6, max(given) * 1.6
    return Axis(min(low, high / 12), high, start, end, is_log=True)


def figure(name: str, body: Iterable[str], size: Point, is_fixed: bool = False) -> str:
    """An SVG picture with its name for screen readers; `is_fixed` keeps it from shrinking on a phone. A line of text
    that would reach over its side is moved inside."""
    across, down = (f"{side:.0f}" for side in size)
    box = f' width="{across}" height="{down}"' if is_fixed else ""
    kind = "chart fixed" if is_fixed else "chart"
    inside = "".join(_inside(piece, size[0]) for piece in body)
    return (
        f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {down}"{box} '
        f'role="img" aria-label="{escaped(name)}"><title>{escaped(name)}</title>{inside}</svg>'
    )


def _inside(piece: str, across: float) -> str:
    """A piece of a picture; where it is a line of text that would be cut off at a side, moved as far as it must be."""
    said = TEXT.match(piece)
    if said is None:
        return piece
    x, wide = float(said["x"]), min(WIDEST * text_width(html.unescape(said["words"])), across - 2 * EDGE)
    left = x - wide * {"": 0.0, "middle": 0.5, "end": 1.0}[said["anchor"] or ""]
    moved = min(max(left, EDGE), across - EDGE - wide) - left
    return piece if not moved else f'<text x="{x + moved:.1f}"{piece[said.end("x") + 1 :]}'


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start", limit: int = 0) -> str:
    """A line of text; longer than `limit` characters it is cut, and shown whole when pointed at."""
    shown = escaped(words, limit)
    whole = f"<title>{escaped(words)}</title>" if limit and width(words) > limit else ""
    name = f' class="{kind}"' if kind else ""
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{name}{place}>{shown}{whole}</text>'


def line(kind: str, start: Point, end: Point) -> str:
    """A straight line between two places."""
    return f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'


def box(kind: str, corner: Point, size: Point, opacity: float = 1.0, note: str = "") -> str:
    """A rectangle, with a note that is shown when pointed at."""
    faint = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    said = f"<title>{escaped(note)}</title>" if note else ""
    return (
        f'<rect class="{kind}" x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{max(size[0], 0):.1f}" '
        f'height="{max(size[1], 0):.1f}"{faint}>{said}</rect>'
    )


def path(kind: str, points: Iterable[Point]) -> str:
    """A line through the points."""
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def dot(kind: str, place: Point, radius: float, note: str = "") -> str:
    """A dot, with a note that is shown when pointed at."""
    said = f"<title>{escaped(note)}</title>" if note else ""
    return f'<circle class="{kind}" cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="{radius:.1f}">{said}</circle>'


def across_grid(axis: Axis, start: float, end: float, wanted: int = 4) -> list[str]:
    """Horizontal grid lines with their values at the left; `axis` is vertical."""
    pieces = []
    for value in axis.ticks(wanted):
        place = axis.at(value)
        pieces += [
            line("grid", (start, place), (end, place)),
            text(start - 7, place + 4, tick_words(value), "quiet", "end"),
        ]
    return pieces


def down_ticks(axis: Axis, floor: float, wanted: int = 4) -> list[str]:
    """The line at the foot of a picture, with values under it; `axis` is horizontal."""
    pieces = [line("axis", (axis.start, floor), (axis.end, floor))]
    for value in axis.ticks(wanted):
        place = axis.at(value)
        pieces += [
            line("axis", (place, floor), (place, floor + 4)),
            text(place, floor + 17, tick_words(value), "quiet", "middle"),
        ]
    return pieces


def tick_words(value: float) -> str:
    """A round number, short: `0.05`, `12`, `20k`."""
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:.6g}"


def text_width(words: str) -> float:
    """About how many pixels the words take at 12 px."""
    return width(words) * CHARACTER
