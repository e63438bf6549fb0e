"""Pictures where people would rather look than read: inline SVG, coloured by `STYLE`."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from windlass.metrics.measures import LOWER, Array
from windlass.pages.charts.axes import (
    Axis,
    across_grid,
    box,
    dot,
    down_ticks,
    figure,
    line,
    path,
    spanning,
    spanning_log,
    text,
    text_width,
)
from windlass.pages.text.candidates import chosen, contest
from windlass.pages.text.classes import Bin, confused_pairs
from windlass.pages.text.words import (
    count,
    goal_value,
    interval,
    measure,
    metric_name,
    number,
    percent,
    plain,
    quoted,
    share,
)
from windlass.records import Board, Candidate

WIDE = 400.0
MOST_CLASSES = 25
MOST_BARS = 30
NAME_LIMIT = 22
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, right, top, foot
Series = tuple[str, str, list[Point]]  # name, kind of line, points


def learning_curve(name: str, curve: list[dict[str, Any]]) -> str:
    """Loss and score over the steps of one training, side by side; empty when there is nothing to draw."""
    losses = [
        ("training", "other", _points(curve, "train_loss")),
        ("validation", "main", _points(curve, "validation_loss")),
    ]
    scores = [("validation score", "main", _points(curve, "score"))]
    if not any(points for _, _, points in losses[1:]):
        losses = [("training", "main", losses[0][2])]
    drawn = (("loss", [each for each in losses if each[2]]), ("score", [each for each in scores if each[2]]))
    panels = [(title, series) for title, series in drawn if series]
    if not panels:
        return ""
    wide = (WIDE - 24 * (len(panels) - 1)) / len(panels)
    body: list[str] = []
    for place, (title, series) in enumerate(panels):
        left = place * (wide + 24)
        body += _panel(title, series, (left + 42, left + wide - 8), _step_name(curve))
    return figure(f"learning curves of {plain(name)}", body, (WIDE, 210))


def _points(curve: list[dict[str, Any]], key: str) -> list[Point]:
    points = []
    for place, entry in enumerate(curve):
        said = [found for name in ("step", "epoch") if (found := number(entry.get(name))) is not None]
        value = number(entry.get(key))
        if value is not None:
            points.append((said[0] if said else place + 1.0, value))
    return points


def _step_name(curve: list[dict[str, Any]]) -> str:
    return next((name for name in ("step", "epoch") if any(name in entry for entry in curve)), "entry")


def _panel(title: str, series: list[Series], sides: Point, step: str) -> list[str]:
    left, right = sides
    places = [point for _, _, points in series for point in points]
    steps = [x for x, _ in places]
    across = spanning(steps, left, right, 0)
    is_share = title == "score" and all(0 <= y <= 1 for _, y in places)
    down = spanning([y for _, y in places], 160, 34, most=1.0 if is_share else math.inf)
    body = [*across_grid(down, left, right, 4), *down_ticks(across, 162, 3), text(right, 198, step, "quiet", "end")]
    spot = left
    if len(series) == 1:
        body.append(text(left, 16, title if title != "score" else series[0][0]))
    for name, kind, points in series:
        if len(series) > 1:
            body += [line(kind, (spot, 12), (spot + 18, 12)), text(spot + 23, 16, name, "quiet")]
            spot += 23 + text_width(name) + 14
        drawn = [(across.at(x), down.at(y)) for x, y in points]
        body.append(path(kind, drawn) if len(drawn) > 1 else dot("dot chosen", drawn[0], 4))
    return body


def quality_and_latency(board: Board) -> str:
    """The leaderboard as a picture: quality with interval against p95 latency, with goal and limit."""
    found = [
        (candidate, candidate.metrics[board.headline])
        for candidate in board.candidates
        if board.headline in candidate.metrics
        and number(candidate.latency_p95_ms) is not None
        and number(candidate.metrics[board.headline].value) is not None
    ]
    if not found:
        return ""
    goal, limit = goal_value(board.goal), number(board.limits.get("latency_p95_ms"))
    low, high = contest(board)
    down = spanning([low, high], 276, 40, 0.1)
    is_low = board.headline in LOWER
    unit = f"{board.units[board.headline]}, " if board.headline in board.units else "" if is_low else "share, "
    down = Axis(max(down.low, 0.0), down.high if is_low else max(min(down.high, 1.0), high), down.start, down.end)
    times = [candidate.latency_p95_ms for candidate, _ in found]
    across = spanning_log([*times, *([limit] if limit is not None else [])], 48, WIDE - 12)
    body = [
        *across_grid(down, 48, WIDE - 12, 5),
        *down_ticks(across, 290, 3),
        text(48, 18, f"{metric_name(board.headline)} ({unit}95 % interval)", "quiet"),
        text(WIDE - 12, 325, "95th percentile of one answer, ms (log scale)", "quiet", "end"),
    ]
    body += _bounds(across, down, goal, limit, is_low)
    body += _candidates([candidate for candidate, _ in found], board, across, down)
    return figure(f"{metric_name(board.headline)} against latency of each candidate", body, (WIDE, 334))


def _bounds(across: Axis, down: Axis, goal: float | None, limit: float | None, is_low: bool) -> list[str]:
    """The goal and the limit as lines, and the corner where both are met."""
    pieces = []
    if goal is not None or limit is not None:
        right = across.at(limit) if limit is not None else across.end
        edge = down.at(goal) if goal is not None else down.end if is_low else down.start
        top, floor = (edge, down.start) if is_low else (down.end, edge)
        pieces.append(box("fits", (across.start, top), (right - across.start, floor - top)))
    if goal is not None:
        place = down.at(goal)
        pieces += [
            line("limit", (across.start, place), (across.end, place)),
            text(across.start + 6, place - 6, f"goal {goal:g}", "limit-name"),
        ]
    if limit is not None:
        place = across.at(limit)
        pieces += [
            line("limit", (place, down.start), (place, down.end)),
            text(place + 4, down.end - 5, f"limit {limit:g} ms", "limit-name", "end"),
        ]
    return pieces


def _candidates(found: list[Candidate], board: Board, across: Axis, down: Axis) -> list[str]:
    best = chosen(board)
    marks: list[str] = []
    names: list[str] = []
    filled = _drawn(found, board, across, down)
    for candidate in sorted(found, key=lambda each: each is not best):
        score = candidate.metrics[board.headline]
        x, y = across.at(candidate.latency_p95_ms), down.at(score.value)
        kind = " chosen" if candidate is best else ""
        name = plain(candidate.name, NAME_LIMIT)
        low, high = number(score.low), number(score.high)
        if not down.low <= score.value <= down.high:
            name = f"{'↓' if score.value < down.low else '↑'} {name} {share(score.value)}"
        elif low is not None and high is not None:
            marks.append(line(f"span{kind}", (x, down.at(low)), (x, down.at(high))))
        note = f"{plain(candidate.name)}: {interval(score)}, p95 {measure(candidate.latency_p95_ms, 'ms')}"
        marks.append(dot(f"dot{kind}", (x, y), 6 if kind else 4.5, note))
        names.append(_name_beside((x, y), name, filled, across, bool(kind)))
    return marks + names


def _drawn(found: list[Candidate], board: Board, across: Axis, down: Axis) -> list[Box]:
    """Where dots, intervals and the limit stand, so that names can keep clear of them."""
    filled = []
    for candidate in found:
        score, x = candidate.metrics[board.headline], across.at(candidate.latency_p95_ms)
        places = [
            down.at(value) for each in (score.value, score.low, score.high) if (value := number(each)) is not None
        ]
        filled.append((x - 6, x + 6, min(places) - 4, max(places) + 4))
    limit = number(board.limits.get("latency_p95_ms"))
    if limit is not None:
        filled.append((across.at(limit) - 1, across.at(limit) + 1, down.end, down.start))
    return filled


def _name_beside(place: Point, name: str, filled: list[Box], across: Axis, is_chosen: bool) -> str:
    """The name next to its dot, where it covers least of what is drawn; `filled` grows by its box."""
    wide, (x, y) = text_width(name), place
    spots = [
        (x + side, y + 4 + up, anchor)
        for up in (0, -14, 14, -28, 28, -42, 42)
        for side, anchor in ((9, "start"), (-9, "end"))
    ]
    boxes = [
        (
            spot,
            (
                spot[0] - (wide if spot[2] == "end" else 0),
                spot[0] + (wide if spot[2] == "start" else 0),
                spot[1] - 11,
                spot[1] + 3,
            ),
        )
        for spot in spots
    ]
    inside = [pair for pair in boxes if pair[1][0] >= across.start and pair[1][1] <= across.end] or boxes
    (left, top, anchor), covered = min(inside, key=lambda pair: sum(_overlap(pair[1], other) for other in filled))
    filled.append(covered)
    return text(left, top, name, "strong" if is_chosen else "", anchor)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def confusion_matrix(matrix: Array, labels: list[str]) -> str:
    """Which class was answered for which: a heat map, or with many classes the most frequent confusions.

    Args: matrix: (k, k) counts, row = true class, column = answer.
    """
    if len(labels) > MOST_CLASSES:
        pairs = confused_pairs(matrix, labels, MOST_CLASSES)
        bars = [
            Bar(
                f"{quoted(pair.truth, 13)} → {quoted(pair.answer, 13)}",
                float(pair.count),
                f"{count(pair.count)} ({percent(pair.share)})",
            )
            for pair in pairs
        ]
        return _bars(f"the {len(pairs)} most frequent confusions", bars, 200) if bars else ""
    longest = max(text_width(plain(label, NAME_LIMIT)) for label in labels)
    cell = min(64.0, max(22.0, 420.0 / len(labels)))
    left, top = longest + 34, longest * 0.72 + 40
    side = cell * len(labels)
    body = [
        text(left, 14, "answer →", "quiet"),
        text(0, top - 8, "truth ↓", "quiet"),
        box("wash", (left, top), (side, side), 0.6),
    ]
    for place, label in enumerate(labels):
        middle = left + (place + 0.5) * cell
        body.append(text(left - 8, top + (place + 0.5) * cell + 4, label, "", "end", NAME_LIMIT))
        body.append(
            f'<g transform="translate({middle + 3:.1f} {top - 7:.1f}) rotate(-45)">'
            f"{text(0, 0, label, '', 'start', NAME_LIMIT)}</g>"
        )
    body += _cells(matrix, labels, (left, top), cell)
    size = (left + side + longest * 0.72 + 8, top + side + 4)
    return figure(f"confusion matrix of {len(labels)} classes", body, size, is_fixed=True)


def _cells(matrix: Array, labels: list[str], corner: Point, cell: float) -> list[str]:
    """The cells that hold rows; mistakes are drawn by the root of their share, so that few are still seen."""
    pieces = []
    for truth, row in enumerate(matrix):
        total = int(row.sum())
        for answer in row.nonzero()[0]:
            part = int(row[answer]) / total
            strength = part if truth == answer else part**0.5
            x, y = corner[0] + answer * cell, corner[1] + truth * cell
            note = (
                f"{quoted(labels[truth])} answered as {quoted(labels[answer])}: "
                f"{count(row[answer])} of {count(total)} ({percent(part)})"
            )
            pieces.append(
                box(
                    "right" if truth == answer else "wrong",
                    (x + 0.5, y + 0.5),
                    (cell - 1, cell - 1),
                    0.12 + 0.88 * strength,
                    note,
                )
            )
            ink = "inverse" if strength > 0.55 else ""
            pieces.append(text(x + cell / 2, y + cell / 2 + 4, f"{row[answer]}", ink, "middle"))
    return pieces


def reliability(bins: list[Bin], error: float | None) -> str:
    """Confidence against the share that was right; on the diagonal confidence means what it says."""
    if not bins:
        return ""
    across, down = Axis(0, 1, 48, WIDE - 12), Axis(0, 1, 244, 30)
    said = "" if number(error) is None else f", calibration error {share(error)}"
    body = [
        *across_grid(down, 48, WIDE - 12, 5),
        *down_ticks(across, 300, 5),
        text(48, 16, "share of answers that were right (95 % interval)", "quiet"),
        text(WIDE - 12, 334, "confidence of the answer", "quiet", "end"),
        line("other", (across.at(0), down.at(0)), (across.at(1), down.at(1))),
    ]
    most = max(each.rows for each in bins)
    middles = [(across.at(each.confidence), down.at(each.accuracy.value)) for each in bins]
    body.append(path("main", middles))
    for each, (x, y) in zip(bins, middles, strict=True):
        note = (
            f"{count(each.rows)} answers at confidence {percent(each.confidence)}: {percent(each.accuracy.value)} right"
        )
        tall = 40 * each.rows / most
        body += [
            line("span chosen", (x, down.at(each.accuracy.low)), (x, down.at(each.accuracy.high))),
            dot("dot chosen", (x, y), 4.5, note),
            box("bar", (x - 7, 300 - tall), (14, tall), 0.35, note),
        ]
    body.append(text(52, 270, "number of answers", "quiet"))
    return figure(f"reliability diagram{said}", body, (WIDE, 344))


def label_bars(counts: Mapping[str, Mapping[str, int]]) -> str:
    """How many rows each label has in all splits together, the largest first.

    Args: counts: split -> label -> rows.
    """
    totals: dict[str, int] = {}
    for split in counts.values():
        for label, found in split.items():
            totals[label] = totals.get(label, 0) + found
    ordered = sorted(totals, key=lambda label: -totals[label])
    whole = sum(totals.values())
    if not whole:
        return ""
    bars = [
        Bar(label, float(totals[label]), f"{count(totals[label])} ({percent(totals[label] / whole)})")
        for label in ordered[:MOST_BARS]
    ]
    rest = ordered[MOST_BARS:]
    others = count(sum(totals[label] for label in rest))
    foot = f"and {count(len(rest))} more labels with {others} rows" if rest else ""
    return _bars(f"rows of each of {len(ordered)} labels", bars, 140, foot)


class Bar(NamedTuple):
    """value: sets its length. words: at its end."""

    name: str
    value: float
    words: str


def _bars(name: str, bars: Iterable[Bar], names_wide: float, foot: str = "") -> str:
    """Horizontal bars."""
    given = list(bars)
    most = max(value for _, value, _ in given) or 1.0
    room = WIDE - names_wide - max(text_width(words) for _, _, words in given) - 14
    body, top = [], 4.0
    for label, value, words in given:
        long = max(1.0, room * value / most)
        limit = int((names_wide - 8) / 6.6)
        body += [
            text(names_wide - 8, top + 13, label, "", "end", limit),
            box("bar", (names_wide, top + 3), (long, 13), 0.8, f"{plain(label)}: {words}"),
            text(names_wide + long + 6, top + 13, words, "quiet"),
        ]
        top += 21
    if foot:
        body.append(text(names_wide, top + 14, foot, "quiet"))
        top += 21
    return figure(name, body, (WIDE, top + 4))
