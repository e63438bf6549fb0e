"""What the report says of forecasts: some of them drawn beside what came true, errors by step, the worst rows."""

from collections.abc import Sequence

import numpy as np

from windlass.kinds.number import decimals
from windlass.metrics.forecasts import ForecastMarks
from windlass.metrics.measures import Estimate, Marks, told
from windlass.metrics.numbers import COVERAGE, SHARE
from windlass.outputs.contract import Shown
from windlass.outputs.forecasts.measures import forecast_marks
from windlass.pages.charts.axes import Axis, across_grid, down_ticks, figure, path, spanning, text
from windlass.pages.html.sections import Section, picture, table
from windlass.pages.text.candidates import chosen
from windlass.pages.text.words import NOTHING, escaped, percent, to_places

N_WORST, N_DRAWN = 10, 3
WIDE, TOP, FOOT, LEFT = 400.0, 34.0, 292.0, 64.0
LATE = 2.0
"""Times the error of the first quarter of the steps from which on that of the last is worth a word."""
LEANS = 0.05


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks, best = forecast_marks(shown.marks), chosen(shown.board)
    if not len(marks):
        return []
    covered = best.metrics.get(COVERAGE) if best else None
    inside = (
        f"<p>Each step has an interval: {percent(SHARE)} of what comes is to lie inside; of these test rows "
        f"{_shares(covered)} did.</p>"
        if marks.low is not None
        else "<p>Too few validation rows for intervals.</p>"
    )
    order = np.argsort(marks.row_losses, kind="stable").tolist()
    places = {"the nearest": order[0], "a usual one": order[len(order) // 2], "the farthest": order[-1]}
    drawn = "".join(
        picture(one_row(marks, place), f"{name}: {shown.examples[place][:60]}") for name, place in places.items()
    )
    return [
        Section("forecasts", "Forecasts beside what came true", f'{inside}<div class="pictures top">{drawn}</div>'),
        Section("steps", "Errors by step", picture(by_step(marks), "Mean absolute error of each step ahead.")),
        Section("worst", "Largest errors", _worst(marks, shown.examples)),
    ]


def _shares(found: Estimate | None) -> str:
    """`91.2 % [88.9 %, 93.1 %]`."""
    if found is None:
        return NOTHING
    return f"{percent(found.value)} [{percent(found.low)}, {percent(found.high)}]"


def one_row(marks: ForecastMarks, place: int) -> str:
    """What came true as a line, the forecast as another, the interval as two thin ones."""
    right, given = marks.targets[place], marks.values[place]
    ends = [] if marks.low is None or marks.high is None else [marks.low[place], marks.high[place]]
    every = np.concatenate([right[np.isfinite(right)], given, *ends])
    across = spanning([1.0, float(max(2, len(given)))], LEFT, WIDE - 12, 0.0)
    down = spanning(every.tolist(), FOOT - 14, TOP, 0.05)
    body = _frame(across, down, "value", "step")
    body += [_line("span", across, down, end) for end in ends]
    body += [_line("other", across, down, right), _line("main", across, down, given)]
    return figure("a forecast beside what came true", body, (WIDE, FOOT + 42))


def by_step(marks: ForecastMarks) -> str:
    """Mean absolute error over the steps."""
    errors = _errors_by_step(marks)
    across = spanning([1.0, float(max(2, len(errors)))], LEFT, WIDE - 12, 0.0)
    down = spanning([0.0, *errors[np.isfinite(errors)].tolist()], FOOT - 14, TOP, 0.05)
    body = [*_frame(across, down, "mean absolute error", "step"), _line("main", across, down, errors)]
    return figure("errors by step", body, (WIDE, FOOT + 42))


def _errors_by_step(marks: ForecastMarks) -> np.ndarray:
    there = np.isfinite(marks.targets)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.nansum(np.abs(marks.residuals), axis=0) / np.where(there.any(axis=0), there.sum(axis=0), np.nan)
        )


def _frame(across: Axis, down: Axis, up: str, along: str) -> list[str]:
    return [
        *across_grid(down, across.start, across.end, 5),
        *down_ticks(across, FOOT, 4),
        text(across.start, 16, up, "quiet"),
        text(across.end, FOOT + 36, along, "quiet", "end"),
    ]


def _line(name: str, across: Axis, down: Axis, values: np.ndarray) -> str:
    points = [(across.at(step + 1.0), down.at(float(value))) for step, value in enumerate(values) if np.isfinite(value)]
    return path(name, points)


def _worst(marks: ForecastMarks, examples: Sequence[str]) -> str:
    order = np.argsort(-marks.row_losses, kind="stable")[:N_WORST].tolist()
    places = decimals(max(float(np.nanmean(np.abs(marks.residuals))), 1e-9), 2)
    rows = []
    for place in order:
        there = np.isfinite(marks.targets[place])
        right = float(marks.targets[place][there].mean()) if there.any() else float("nan")
        given = float(marks.values[place][there].mean()) if there.any() else float("nan")
        rows.append([
            to_places(right, places),
            to_places(given, places),
            told(float(marks.row_losses[place])),
            f'<span dir="auto">{escaped(examples[place], 240)}</span>',
        ])  # fmt: skip
    heads = [("came true, mean", "n"), ("forecast, mean", "n"), ("error, in last seasons'", "n"), ("row", "text")]
    return table(heads, rows, "plain stack")


def advice(marks: Marks, misses: bool) -> list[str]:
    """Where forecasts lean to one side, and whether the far steps are much worse."""
    found, steps = forecast_marks(marks), []
    sums = found.sums
    size = float(sums["size"].sum())
    lean = float(sums["signed"].sum()) / size if size else 0.0
    if abs(lean) > LEANS:
        side = "high" if lean > 0 else "low"
        steps.append(
            f"Forecasts are too {side} by {percent(abs(lean))} altogether: has the level changed since training? Newer "
            "data, or a covariate that tells why, would help."
        )
    errors = _errors_by_step(found)
    quarter = max(1, len(errors) // 4)
    first, last = float(np.nanmean(errors[:quarter])), float(np.nanmean(errors[-quarter:]))
    if misses and first > 0 and last > LATE * first:
        steps.append(
            f"The last steps are off {last / first:.1f} times as much as the first: a shorter `horizon` would reach "
            "the goal sooner."
        )
    return steps
