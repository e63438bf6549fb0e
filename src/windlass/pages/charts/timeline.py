"""What happened over time as pictures: lines with intervals over windows, and shares stacked to a whole."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from windlass.durations import DAY_S
from windlass.pages.charts.axes import (
    EDGE,
    WIDEST,
    Axis,
    across_grid,
    box,
    dot,
    figure,
    line,
    path,
    spanning,
    text,
    text_width,
)
from windlass.pages.text.words import plain

WIDE, TALL = 400.0, 190.0
LEFT, RIGHT, TOP, FOOT = 48.0, 392.0, 30.0, 156.0
STEPS = (1 / 96, 1 / 24, 1 / 8, 0.25, 1, 2, 7, 14, 30, 90, 365)
"""Days between two times that are named."""
SHADES = (0.85, 0.6, 0.4, 0.25, 0.12)
Point = tuple[float, float]


class Measured(NamedTuple):
    """A value at a time (seconds since 1970), with its interval where there is one."""

    at: float
    value: float
    low: float | None = None
    high: float | None = None


class Line(NamedTuple):
    """points: oldest first. kind: `main` or `other`. is_dotted: measured now and then, not all the time."""

    name: str
    kind: str
    points: Sequence[Measured]
    is_dotted: bool = False


def timeline(
    name: str, lines: Sequence[Line], limit: float | None = None, floor: float | None = None, most: float = math.inf
) -> str:
    """Lines over time; empty when there is nothing to draw. limit: drawn across. floor: the lowest value shown. most:
    what no value can be above, such as 1 of shares."""
    given = [each for each in lines if each.points]
    if not given:
        return ""
    values = [
        found
        for each in given
        for point in each.points
        for found in (point.value, point.low, point.high)
        if found is not None
    ]
    values += [found for found in (limit, floor) if found is not None]
    down = spanning(values, FOOT, TOP, most=most)
    if floor is not None:
        down = Axis(floor, max(down.high, floor + 1e-9), FOOT, TOP)
    across = across_time([point.at for each in given for point in each.points])
    body = [*across_grid(down, LEFT, RIGHT, 3), *time_ticks(across)]
    if limit is not None:
        body.append(line("limit", (LEFT, down.at(limit)), (RIGHT, down.at(limit))))
    for each in given:
        body += _drawn(each, across, down)
    return figure(name, [*body, *_legend(given)], (WIDE, TALL))


def _drawn(each: Line, across: Axis, down: Axis) -> list[str]:
    places = [(across.at(point.at), down.at(point.value)) for point in each.points]
    kind = "chosen" if each.kind == "main" else ""
    pieces = []
    for point, (x, _) in zip(each.points, places, strict=True):
        if point.low is not None and point.high is not None:
            pieces.append(line(f"span {kind}".strip(), (x, down.at(point.low)), (x, down.at(point.high))))
    if each.is_dotted or len(places) == 1:
        return [*pieces, *(dot(f"dot {kind}".strip(), place, 3) for place in places)]
    return [*pieces, path(each.kind, places)]


def _legend(lines: Sequence[Line]) -> list[str]:
    if len(lines) == 1 and not lines[0].name:
        return []
    body, spot = [], LEFT
    for each in lines:
        mark = dot("dot", (spot + 9, 12), 3) if each.is_dotted else line(each.kind, (spot, 12), (spot + 18, 12))
        body += [mark, text(spot + 23, 16, each.name, "quiet", "start", 22)]
        spot += 23 + text_width(plain(each.name, 22)) + 14
    return body


def stacked(name: str, times: Sequence[Point], shares: Mapping[str, Sequence[float]]) -> str:
    """Shares of a whole as columns over time, the first ones darkest. times: (since, until) of each window."""
    if not times or not shares:
        return ""
    across = across_time([at for pair in times for at in pair])
    down = Axis(0, 1, FOOT, TOP)
    body = [*across_grid(down, LEFT, RIGHT, 2), *time_ticks(across)]
    below = [0.0] * len(times)
    for label, shade in zip(shares, SHADES, strict=False):
        for place, (since, until) in enumerate(times):
            top = below[place] + shares[label][place]
            wide = max(1.0, across.at(until) - across.at(since) - 1)
            corner = (across.at(since), down.at(top))
            body.append(box("bar", corner, (wide, down.at(below[place]) - down.at(top)), shade, plain(label)))
            below[place] = top
    spot, line_at, tall = LEFT, 16.0, TALL
    for label, shade in zip(shares, SHADES, strict=False):
        words = plain(label, 14)
        wide = 14 + WIDEST * text_width(words)
        if spot + wide > WIDE - EDGE:  # goes on below the picture
            spot, line_at, tall = LEFT, tall + 12, tall + 18
        body += [box("bar", (spot, line_at - 10), (10, 10), shade), text(spot + 14, line_at, words, "quiet")]
        spot += wide + 8
    return figure(name, body, (WIDE, tall))


def across_time(times: Sequence[float]) -> Axis:
    """The scale of time, at least one hour wide."""
    first, last = min(times), max(times)
    return Axis(first, max(last, first + 3_600.0), LEFT, RIGHT)


def time_ticks(across: Axis) -> list[str]:
    """The line at the foot, with days or hours (UTC) under it."""
    span = across.high - across.low
    room = WIDEST * text_width("01-01 00:00") + 8
    step = next((each for each in STEPS if (RIGHT - LEFT) * each * DAY_S / span >= room), 730)
    last = -math.inf
    pieces, at = [line("axis", (LEFT, FOOT), (RIGHT, FOOT))], -(-across.low // (step * DAY_S)) * step * DAY_S
    while at <= across.high:
        moment = datetime.fromtimestamp(at, UTC)
        words = f"{moment:%m-%d %H:%M}" if step < 1 else f"{moment:%Y-%m-%d}"
        place, half = min(max(across.at(at), LEFT + 20), RIGHT - 32), text_width(words) / 2
        pieces.append(line("axis", (across.at(at), FOOT), (across.at(at), FOOT + 4)))
        if place - half > last:
            pieces.append(text(place, FOOT + 18, words, "quiet", "middle"))
            last = place + half + 6
        at += step * DAY_S
    return pieces
