"""The demo of the loop as a picture and a page: quality by week with and without improving, and why it changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.pages.charts.axes import Axis, across_grid, dot, figure, line, path, text
from windlass.pages.html.style import PLAIN_POLICY, STYLE
from windlass.pages.text.words import escaped, percent
from windlass.records import Alarm, Improvement

WIDE, HIGH = 720.0, 300.0
LEFT, RIGHT, TOP, FOOT = 52.0, WIDE - 16, 46.0, HIGH - 44


@dataclass(frozen=True)
class Week:
    """What a week brought. right, first_right: share of the messages that the champion and the first release answered
    as they should have; confidence: mean, 0-1. alarms: new ones; n_still: those of before that have not ended."""

    number: int
    messages: int
    right: float
    first_right: float
    confidence: float
    alarms: Sequence[Alarm]
    n_still: int
    improvement: Improvement | None


def week_text(week: Week) -> str:
    """The week as lines for a terminal."""
    lines = [
        f"   week {week.number}: {week.messages} messages, {percent(week.right)} right (first release "
        f"{percent(week.first_right)}), mean confidence {percent(week.confidence)}"
    ]
    lines += [f"      ALARM {alarm.words}" for alarm in week.alarms]
    lines += [f"      {week.n_still} alarm{'s' * (week.n_still > 1)} of before go on"] if week.n_still else []
    if week.improvement is not None:
        lines.append(f"      IMPROVE {week.improvement.verdict}: {week.improvement.why}")
    return "\n".join(lines)


def loop_picture(weeks: Sequence[Week], stands_alone: bool = False) -> str:
    """Share of right answers a week, of the champion and of the first release, with alarms and promotions.

    stands_alone: as a file of its own, which brings its colours along.
    """
    low = min(0.5, *(min(week.right, week.first_right) for week in weeks))
    across, down = Axis(0.7, len(weeks) + 0.3, LEFT, RIGHT), Axis(low, 1.0, FOOT, TOP)
    body = [*across_grid(down, LEFT, RIGHT), line("axis", (LEFT, FOOT), (RIGHT, FOOT))]
    body += [text(across.at(week.number), FOOT + 17, f"week {week.number}", "quiet", "middle") for week in weeks]
    for kind, shares in (("other", [week.first_right for week in weeks]), ("main", [week.right for week in weeks])):
        body.append(path(kind, [(across.at(place), down.at(share)) for place, share in enumerate(shares, 1)]))
    body.append(text(LEFT, 16, "share of right answers"))
    for kind, x, name in (("main", 230, "with improve"), ("other", 350, "first release, unchanged")):
        body += [line(kind, (x, 12), (x + 20, 12)), text(x + 26, 16, name, "quiet")]
    for week in weeks:
        body += _marks(week, across, down)
    if stands_alone:
        body.insert(0, f"<style>{STYLE}</style>")
    return figure("share of right answers by week", body, (WIDE, HIGH), is_fixed=stands_alone)


def _marks(week: Week, across: Axis, down: Axis) -> list[str]:
    """What happened at the end of the week."""
    x = across.at(week.number)
    marks = [dot("dot chosen", (x, down.at(week.right)), 3.5, f"{percent(week.right)} in week {week.number}")]
    if week.alarms:
        marks.append(text(x, TOP - 12, "alarm", "limit-name", "middle"))
    if week.improvement is not None and week.improvement.verdict == "promoted":
        side, anchor = (6, "start") if x < (LEFT + RIGHT) / 2 else (-6, "end")
        marks += [
            line("limit", (x, TOP - 6), (x, FOOT)),
            text(x + side, FOOT - 8, "new champion", "limit-name", anchor),
        ]
    return marks


def loop_page(weeks: Sequence[Week], before: Sequence[str], after: Sequence[str]) -> str:
    """The picture, what happened week by week, and the roadmap of the first and of the last day."""
    happened = "".join(f"<h3>Week {week.number}</h3>{_told(week)}" for week in weeks if week.alarms or week.improvement)
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{PLAIN_POLICY}"><title>The loop</title>
<style>{STYLE} svg.chart {{ max-width: 860px; }}</style></head><body><main>
<header><p class="over">windlass demo</p><h1>The loop: from launch to a better model</h1></header>
<section><h2>Right answers, week by week</h2>{loop_picture(weeks)}</section>
<section><h2>What happened</h2>{happened or "<p>Nothing that needed anybody.</p>"}</section>
<section><h2>The roadmap of the first day</h2>{_list(before)}</section>
<section><h2>The roadmap of the last day</h2>{_list(after)}</section>
</main></body></html>"""


def _told(week: Week) -> str:
    said = [f"<b>Alarm.</b> {escaped(alarm.words)}" for alarm in week.alarms]
    if week.improvement is not None:
        made = week.improvement
        said.append(f"<b>Improve: {escaped(made.verdict)}.</b> {escaped(made.why)}")
    return "".join(f"<p>{line}</p>" for line in said)


def _list(lines: Sequence[str]) -> str:
    return f'<ul class="next">{"".join(f"<li>{escaped(each)}</li>" for each in lines)}</ul>'
