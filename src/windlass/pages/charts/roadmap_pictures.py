"""The roadmap as pictures: who does what when, what more rows bring, and how many answers are sure enough."""

from datetime import date

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
from windlass.pages.html.style import STYLE
from windlass.pages.text.words import count, metric_name, percent, plain, share
from windlass.records import Item, Json, Roadmap

WIDE, ROW, LEFT = 860.0, 40.0, 12.0
CURVE_WIDE = 500.0
SHORTEST = 6.0
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def gantt(roadmap: Roadmap, is_alone: bool = False) -> str:
    """A bar for each item from its start to its finish, months above; what the end depends on is strong.

    is_alone: as a file of its own, which carries its look.
    """
    items = roadmap.chosen
    if not items:
        return (
            figure("timeline: nothing to do", [text(12, 20, "nothing to do at present")], (WIDE, 40))
            if is_alone
            else ""
        )
    first = date.fromisoformat(roadmap.made)
    days = max(14, *[(date.fromisoformat(item.finishes) - first).days for item in items])
    across = Axis(0, days * 1.02, LEFT, WIDE - LEFT)
    foot = 44 + ROW * len(items)
    body = _months(first, days, across, foot)
    for place, item in enumerate(items):
        body += _bar(place + 1, item, first, across, 44 + ROW * place)
    picture = figure(f"timeline of {len(items)} items", body, (WIDE, foot + 6))
    if not is_alone:
        return picture.replace('class="chart"', 'class="chart wide"')
    return picture.replace("<title>", f"<style>{STYLE} svg.chart {{ max-width: none }}</style><title>", 1)


def _months(first: date, days: int, across: Axis, foot: float) -> list[str]:
    """Month names over the lines where they begin; today at the left."""
    pieces = [text(LEFT, 14, f"{first.day} {MONTHS[first.month - 1]} {first.year}", "quiet")]
    year, month = first.year, first.month
    last = LEFT + text_width("30 May 2026")
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        place = (date(year, month, 1) - first).days
        if place > days:
            return pieces
        x = across.at(place)
        pieces.append(line("grid", (x, 22), (x, foot)))
        words = MONTHS[month - 1] + (f" {year}" if month == 1 else "")
        if x > last + 10:
            pieces.append(text(x + 3, 14, words, "quiet"))
            last = x + 3 + text_width(words)


def _bar(number: int, item: Item, first: date, across: Axis, top: float) -> list[str]:
    start, end = (across.at((date.fromisoformat(each) - first).days) for each in (item.starts, item.finishes))
    words = f"{number}. {plain(item.what).replace('`', '')}"
    note = f"{words}: {item.starts} to {item.finishes}"
    room = int((WIDE - LEFT) / 6.6)
    fits = start + text_width(words) < WIDE - LEFT
    place = (start, "start") if fits else (WIDE - LEFT, "end")
    return [
        text(place[0], top + 11, words, "strong" if item.critical else "", place[1], room),
        box("bar", (start, top + 16), (max(end - start, SHORTEST), 12), 1.0 if item.critical else 0.45, note),
    ]


def mermaid(roadmap: Roadmap) -> str:
    """The timeline as a Mermaid Gantt chart, for pages that draw those."""
    lines = ["gantt", f"  title {_safe(roadmap.product)}: what to do next", "  dateFormat YYYY-MM-DD", "  section Plan"]
    for item in roadmap.chosen:
        tag = "crit, " if item.critical else ""
        lines.append(
            f"  {_safe(item.what, 70)} :{tag}{_safe(item.id).replace(' ', '-')}, {item.starts}, {item.finishes}"
        )
    return "\n".join(lines) + "\n"


def _safe(words: str, limit: int = 0) -> str:
    """Words without the signs that Mermaid reads as its own."""
    return plain("".join(" " if sign in ":;#,%{}" else sign for sign in words), limit)


def more_rows(curve: Json) -> str:
    """The measured scores, the forecast with its band, today and the goal."""
    if not curve:
        return ""
    band = curve["band"]
    values = [value for each in band for value in (each["low"], each["high"])] + [
        score for each in curve["points"] for score in each["scores"]
    ]
    goal = curve["goal"]
    down = spanning([*values, *([goal] if goal is not None else [])], 256, 36, 0.05)
    down = Axis(max(down.low, 0.0), min(down.high, 1.0), down.start, down.end)
    across = spanning_log([each["rows"] for each in band], 48, CURVE_WIDE - 12)
    across = Axis(band[0]["rows"], band[-1]["rows"], 48, CURVE_WIDE - 12, is_log=True)
    upper = [(across.at(each["rows"]), down.at(each["high"])) for each in band]
    lower = [(across.at(each["rows"]), down.at(each["low"])) for each in reversed(band)]
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *lower])
    today = across.at(curve["today"])
    body = [
        *across_grid(down, 48, CURVE_WIDE - 12, 5),
        *down_ticks(across, 260, 4),
        text(48, 18, f"{metric_name(curve['metric'])} on validation rows; forecast with 95 % band", "quiet"),
        text(CURVE_WIDE - 12, 294, "training rows (log scale)", "quiet", "end"),
        f'<polygon class="fits band" points="{places}"/>',
        path("main", [(across.at(each["rows"]), down.at(each["value"])) for each in band]),
        line("axis", (today, down.start), (today, down.end)),
        text(today - 4, down.end + 10, f"today {count(curve['today'])}", "quiet", "end"),
    ]  # fmt: skip
    if goal is not None:
        body += [
            line("limit", (48, down.at(goal)), (CURVE_WIDE - 12, down.at(goal))),
            text(54, down.at(goal) - 6, f"goal {goal:g}", "limit-name"),
        ]
    for each in curve["points"]:
        note = f"{count(each['rows'])} rows: {', '.join(share(score) for score in each['scores'])}"
        body += [dot("dot", (across.at(each["rows"]), down.at(score)), 3, note) for score in each["scores"]]
    return figure("score against training rows, with a forecast", body, (CURVE_WIDE, 300))


def risk_coverage_chart(handover: Json) -> str:
    """Share of right answers against the share that is answered when the unsure rest goes to a person."""
    if not handover or len(handover["points"]) < 2:
        return ""
    points = handover["points"]
    down = spanning([each["right"] for each in points], 256, 36, 0.08)
    down = Axis(max(down.low, 0.0), min(down.high, 1.0), down.start, down.end)
    across = Axis(0, 1, 48, CURVE_WIDE - 12)
    body = [
        *across_grid(down, 48, CURVE_WIDE - 12, 5),
        *down_ticks(across, 260, 5),
        text(48, 18, "share of right answers among those given", "quiet"),
        text(CURVE_WIDE - 12, 294, "share of cases that the model answers, the surest first", "quiet", "end"),
        path("main", [(across.at(each["answered"]), down.at(each["right"])) for each in points]),
    ]
    for each in points:
        least = f"confidence {share(each['above'])} or more"
        note = f"{percent(each['answered'])} answered ({least}): {percent(each['right'])} right"
        body.append(dot("dot chosen", (across.at(each["answered"]), down.at(each["right"])), 3, note))
    place = across.at(1 - handover["handed"])
    body += [
        line("limit", (place, down.start), (place, down.end)),
        text(place - 4, down.start - 6, f"cheapest: a person takes {percent(handover['handed'])}", "limit-name", "end"),
    ]
    return figure("share of right answers against share answered", body, (CURVE_WIDE, 300))
