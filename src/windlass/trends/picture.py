"""The days of an entity as a picture: bars of bad texts, what is usual, and what is hardly ever exceeded."""

from collections.abc import Sequence
from datetime import date

from windlass.pages.charts.axes import Axis, across_grid, box, figure, path, text
from windlass.trends.record import EntityStatus, Trends

MOST_DAYS, SMALL_DAYS = 120, 42
WIDE, HIGH = 1040.0, 190.0
LEFT, TOP, FOOT = 40.0, 12.0, 160.0
SMALL = (150.0, 34.0)


def days_chart(standing: EntityStatus, trends: Trends) -> str:
    """The last days that the feed had, at full width; pointing at a bar shows its numbers."""
    series, days = standing.series, trends.days[-MOST_DAYS:]
    bad, usual, high = (values[-MOST_DAYS:] for values in (series.bad, series.usual, series.high))
    most = max([*bad, *(value for value in high if value is not None), 1])
    down = Axis(0, most * 1.05, FOOT, TOP)
    step = (WIDE - LEFT) / len(days)
    body = across_grid(down, LEFT, WIDE, 4)
    body += _bars(standing, days, down, LEFT, step)
    body += _lines("high", high, down, LEFT, step) + _lines("usual", usual, down, LEFT, step)
    every = max(1, round(len(days) / 10))
    body += [
        text(LEFT + (place + 0.5) * step, FOOT + 18, day[5:], "quiet", "middle")
        for place, day in enumerate(days)
        if place % every == 0
    ]
    drawn = figure(f"bad texts a day: {standing.entity or 'all texts'}", body, (WIDE, HIGH))
    return drawn.replace('class="chart"', 'class="chart wide"', 1)


def small_chart(standing: EntityStatus, trends: Trends) -> str:
    """The same of fewer days, to stand in a line of a table."""
    days = trends.days[-SMALL_DAYS:]
    down = Axis(0, max(*standing.series.bad[-SMALL_DAYS:], 4), SMALL[1] - 1, 2)
    body = _bars(standing, days, down, 0.0, SMALL[0] / len(days))
    drawn = figure(f"bad texts a day: {standing.entity}", body, SMALL)
    return drawn.replace('class="chart"', 'class="chart small"', 1)


def _bars(standing: EntityStatus, days: Sequence[str], down: Axis, left: float, step: float) -> list[str]:
    """left: where the first bar begins. step: from one to the next."""
    series = standing.series
    first = len(series.bad) - len(days)
    bars = []
    for place, day in enumerate(days):
        n = series.bad[first + place]
        kind = "alarm" if series.is_alarm[first + place] else "bar"
        note = f"{day} {date.fromisoformat(day):%a}: {n} / {series.texts[first + place]}"
        top = down.at(n)
        bars.append(box(kind, (left + place * step + step * 0.12, top), (step * 0.76, down.start - top), 0.75, note))
    return bars


def _lines(kind: str, values: Sequence[float | None], down: Axis, left: float, step: float) -> list[str]:
    """A line over the days where the value is known."""
    points = [(left + (place + 0.5) * step, down.at(value)) for place, value in enumerate(values) if value is not None]
    return [path(kind, points)] if len(points) > 1 else []
