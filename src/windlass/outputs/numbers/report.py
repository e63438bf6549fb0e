"""What the report says of numbers: answers against right numbers, errors over answers, the worst; what to do next."""

from collections.abc import Sequence

import numpy as np

from windlass.kinds.number import decimals
from windlass.metrics.measures import Estimate, Marks, told
from windlass.metrics.numbers import COVERAGE, SHARE, NumberMarks
from windlass.outputs.contract import Shown
from windlass.outputs.numbers.measures import number_marks
from windlass.outputs.numbers.slices import LEAST_ROWS, slices
from windlass.pages.charts.axes import Axis, across_grid, dot, down_ticks, figure, line, spanning, text
from windlass.pages.html.sections import Section, picture, table
from windlass.pages.text.candidates import chosen, miscovered
from windlass.pages.text.words import NOTHING, escaped, percent, plain, to_places
from windlass.records import Candidate

MOST_DOTS, N_WORST, N_PARTS, N_SLICES = 500, 10, 5, 10
WIDE, TOP, FOOT, LEFT = 400.0, 34.0, 292.0, 64.0
LEAST_PART = 30
"""Rows of a part of the answers before its mean error is spoken of."""
NEARLY_ZERO = 0.01
"""Share of the usual right number below which an error as a share of it says little."""
LEANS = 3.0
"""Standard errors by which the mean of a part's errors must differ from zero to be worth a word."""


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks, best = number_marks(shown.marks), chosen(shown.board)
    if not len(marks):
        return []
    covered = best.metrics.get(COVERAGE) if best else None
    inside = (
        f"<p>{_interval(marks)}: {percent(SHARE)} of right numbers are to lie inside; of these test rows "
        f"{_shares(covered)} did.{_warned(best)}</p>"
        if marks.half is not None
        else "<p>Too few validation rows for intervals: at least nine are needed.</p>"
    )
    drawn = picture(against_truth(marks), "On the dotted line answer and right number are the same.")
    errors = picture(errors_over_answers(marks), "Above the dotted line the right number was higher than the answer.")
    return [
        Section(
            "answers",
            "Answers against right numbers",
            f'{inside}{_leans(marks)}<div class="pictures top">{drawn}{errors}</div>',
        ),
        *_by_slice(marks, shown),
        Section("worst", "Largest errors", _worst(marks, shown.examples)),
    ]


def _by_slice(marks: NumberMarks, shown: Shown) -> list[Section]:
    """The slices whose answers are farthest off, and those whose intervals fail; none where rows are few."""
    found = slices(marks, shown.rows, shown.inputs) if len(shown.rows) == len(marks) else []
    if not found:
        return []
    places, usual = _places(marks), marks.value("mae")
    kept = [each for place, each in enumerate(found) if place < N_SLICES or each.is_uncovered]
    rows = [
        [
            f'<span dir="auto">{escaped(each.name, 120)}</span>',
            f"{each.n_rows:,}",
            f"{to_places(each.error, places)} [{to_places(each.low, places)}, {to_places(each.high, places)}]",
            NOTHING if each.inside is None else percent(each.inside),
            "; ".join(
                words
                for words, is_so in (
                    ("farther off than the others", each.is_worse),
                    ("intervals do not hold", each.is_uncovered),
                )
                if is_so
            ),
        ]
        for each in kept
    ]
    heads = [
        ("slice", "text"),
        ("rows", "n"),
        (f"mean error{_unit(marks, ' ({})')}", "n"),
        ("inside", "n"),
        ("for sure", "text"),
    ]
    said = (
        f"<p>All test rows are off by {to_places(usual, places)}{_unit(marks)} on average. Of {len(found)} slices of "
        f"at least {LEAST_ROWS} rows these are the farthest off; intervals, and what is said to be sure, are corrected "
        "for as many looks.</p>"
    )
    return [Section("slices", "Error by slice", said + table(heads, rows, "plain stack"))]


def _interval(marks: NumberMarks) -> str:
    """How wide the intervals are, and how that was told."""
    half = to_places(marks.half or 0.0, _places(marks)) + _unit(marks)
    if marks.ends is None:
        return f"Each answer has an interval of ± {half} (split conformal prediction)"
    low, high = np.quantile(np.diff(marks.ends, axis=1), [0.1, 0.9])
    widths = " to ".join(to_places(float(each), _places(marks)) for each in (low, high)) + _unit(marks)
    if high - low <= 1e-9 * abs(high):
        return f"Each answer has an interval of ± {half} around the middle (split conformal prediction)"
    return (
        f"Each answer has an interval of its own, which is as wide as the row is hard: half of it is {half} in the "
        f"middle, and of eight rows in ten it is {widths} wide (conformal prediction)"
    )


def _unit(marks: NumberMarks, form: str = " {}") -> str:
    """The unit behind a number, as HTML, or in another form; '' = none is said."""
    return form.format(escaped(marks.unit, 16)) if marks.unit else ""


def _leans(marks: NumberMarks) -> str:
    """A paragraph on answers that are not the middle; '' where they are."""
    costs = marks.costs
    if costs is None:
        return ""
    side = "high" if costs.under > costs.over else "low" if costs.under < costs.over else "on neither side"
    of = f" {escaped(costs.unit, 16)}" if costs.unit else ""
    each = f"one{_unit(marks)}" if marks.unit else "a unit"
    return (
        f"<p>Answers lean to what costs least, here {side}: {each} too low costs {costs.under:g}{of}, {each} too "
        f"high {costs.over:g}{of}, so {percent(costs.level)} of the right numbers are to lie below the answer; of "
        f"these test rows {percent(float((marks.targets <= marks.values).mean()))} did.</p>"
    )


def _places(marks: NumberMarks) -> int:
    """Decimals of an answer, and of how far it is off: two digits of half of its interval, or of the mean error."""
    return decimals(marks.half or marks.value("mae") or 1.0, 2)


def _warned(best: Candidate | None) -> str:
    """A sentence where the intervals surely do not hold what they promise."""
    words = miscovered(best)[0] if best else ""
    return f" <strong>They are {words}: that differs from {percent(SHARE)} beyond chance.</strong>" if words else ""


def _shares(found: Estimate | None) -> str:
    """`91.2 % [88.9 %, 93.1 %]`."""
    if found is None:
        return NOTHING
    return f"{percent(found.value)} [{percent(found.low)}, {percent(found.high)}]"


def _sampled(n_rows: int) -> np.ndarray:
    """Places of at most so many rows as dots are drawn, evenly spread."""
    return np.unique(np.linspace(0, n_rows - 1, min(n_rows, MOST_DOTS)).astype(int))


def against_truth(marks: NumberMarks) -> str:
    """Each row as a dot: the right number across, the answer up."""
    places = _sampled(len(marks))
    right, given = marks.targets[places], marks.values[places]
    unit = f", {plain(marks.unit)}" if marks.unit else ""
    both = [*right.tolist(), *given.tolist()]
    across, down = spanning(both, LEFT, WIDE - 12, 0.03), spanning(both, FOOT - 14, TOP, 0.03)
    body = _frame(across, down, f"answer{unit}", f"right number{unit}")
    body.append(line("other", (across.at(down.low), down.at(down.low)), (across.at(down.high), down.at(down.high))))
    return figure("answers against right numbers", [*body, *_dots(across, down, right, given)], (WIDE, FOOT + 42))


def errors_over_answers(marks: NumberMarks) -> str:
    """Each row as a dot: the answer across, by how much the right number was higher up; the interval as lines."""
    places = _sampled(len(marks))
    given, errors = marks.values[places], marks.residuals[places]
    unit = f", {plain(marks.unit)}" if marks.unit else ""
    half = 0.0 if marks.half is None or marks.ends is not None else marks.half
    across = spanning(given.tolist(), LEFT, WIDE - 12, 0.03)
    down = spanning([*errors.tolist(), half, -half], FOOT - 14, TOP, 0.03)
    body = _frame(across, down, f"right number less answer{unit}", f"answer{unit}")
    body.append(line("other", (across.start, down.at(0)), (across.end, down.at(0))))
    for side in (half, -half) if half else ():
        body.append(line("limit", (across.start, down.at(side)), (across.end, down.at(side))))
    return figure("errors over answers", [*body, *_dots(across, down, given, errors)], (WIDE, FOOT + 42))


def _frame(across: Axis, down: Axis, up: str, along: str) -> list[str]:
    return [
        *across_grid(down, across.start, across.end, 5),
        *down_ticks(across, FOOT, 4),
        text(across.start, 16, up, "quiet"),
        text(across.end, FOOT + 36, along, "quiet", "end"),
    ]


def _dots(across: Axis, down: Axis, first: np.ndarray, second: np.ndarray) -> list[str]:
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    return [dot("dot faint", (across.at(x), down.at(y)), 2.5, f"{told(x)}, {told(y)}") for x, y in pairs]


def _worst(marks: NumberMarks, examples: Sequence[str]) -> str:
    order = np.argsort(-np.abs(marks.residuals), kind="stable")[:N_WORST].tolist()
    rows = [
        [
            told(marks.targets[place]),
            *(to_places(each[place], _places(marks)) for each in (marks.values, -marks.residuals)),
            f'<span dir="auto">{escaped(examples[place], 240)}</span>',
        ]
        for place in order
    ]
    unit = _unit(marks, " ({})")
    heads = [(f"right{unit}", "n"), (f"answer{unit}", "n"), (f"too high by{unit}", "n"), ("row", "text")]
    return table(heads, rows, "plain stack")


def advice(marks: Marks, misses: bool) -> list[str]:
    """Where answers lean to one side, and whether a few rows make most of the error."""
    found, errors = number_marks(marks), np.abs(number_marks(marks).residuals)
    steps = _leaning(found) if found.costs is None else []
    few = max(1, len(errors) // 100)
    share = float(np.sort(errors)[-few:].sum() / max(errors.sum(), 1e-300)) if len(errors) else 0.0
    if misses and len(errors) >= 100 and share > 0.2:
        steps.append(
            f"One row in a hundred makes {percent(share)} of the error: see the largest errors, and mend or take out "
            "what is wrong among them."
        )
    return steps


def remarks(marks: Marks, metric: str) -> list[str]:
    """What zeros, and numbers that are nearly so, do to an error as a share of the right number."""
    right = np.abs(number_marks(marks).targets)
    usual = float(np.median(right[right > 0])) if (right > 0).any() else 0.0
    n_zero, near = int((right == 0).sum()), (right > 0) & (right < NEARLY_ZERO * usual)
    if metric != "mape" or not (n_zero or near.any()):
        return []
    found = f"mape leaves out {n_zero:,} of {len(right):,} test rows, whose right number is 0" if n_zero else ""
    if near.any():
        shares = np.abs(number_marks(marks).residuals)[right > 0] / right[right > 0]
        weight = float(shares[near[right > 0]].sum() / max(shares.sum(), 1e-300))
        said = f"those whose right number is nearly 0 ({int(near.sum()):,}) make {percent(weight)} of mape"
        found = f"{found}; {said}" if found else said
    return [f"{found}: `mae` and `medae` divide by nothing"]


def _leaning(marks: NumberMarks) -> list[str]:
    """A sentence on the part of the answers, of five from low to high, whose errors lean most, where that is sure."""
    order = np.argsort(marks.values, kind="stable")
    worst: tuple[float, str] = (LEANS, "")
    unit = f" {plain(marks.unit)}" if marks.unit else ""
    for part in np.array_split(order, N_PARTS):
        errors = marks.residuals[part]
        deviation = float(errors.std(ddof=1)) if len(part) >= LEAST_PART else 0.0
        if not deviation:
            continue
        mean, low, high = float(errors.mean()), float(marks.values[part].min()), float(marks.values[part].max())
        sure = abs(mean) / (deviation / np.sqrt(len(part)))
        if sure > worst[0]:
            side = "low" if mean > 0 else "high"
            worst = (
                sure,
                (
                    f"Answers from {told(low)} to {told(high)} are too {side} by {told(abs(mean))}{unit} on average: "
                    "more rows there, or an input that tells them apart, would help."
                ),
            )
    return [worst[1]] if worst[1] else []
