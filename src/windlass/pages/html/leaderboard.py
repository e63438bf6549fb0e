"""The leaderboard as one HTML table that carries its own look, for the report and for Jupyter alike."""

import html

from windlass.pages.text.candidates import (
    MARK,
    MET,
    MISSED,
    Heading,
    contest,
    coverage,
    headings,
    misses,
    not_trained,
    scores_are,
    ties,
    trained_so,
)
from windlass.pages.text.words import count, escaped, goal_value, goal_words, metric_name, number, plain
from windlass.records import Board, Candidate

LINE = "border-bottom:1px solid rgba(128,128,128,.28);"
CELL = f"padding:7px 0 7px 18px;{LINE}text-align:right;white-space:nowrap;vertical-align:top;background:none;"
NAME = (
    "padding:7px 8px 7px "
    f"0;{LINE}text-align:left;vertical-align:top;white-space:nowrap;position:sticky;left:0;"
    "background:var(--surface,var(--jp-layout-color0,transparent));"
)
QUIET = "opacity:.68;font-weight:400;"
GOOD, WARN = "color:var(--good,#1a8a55)", "color:var(--warn,#c2571a)"
SPAN = 110  # pixels of the small picture of an interval


def leaderboard(board: Board) -> str:
    """The leaderboard as HTML for a notebook: a table with inline styles and the notes under it; nothing loaded."""
    return f'<div style="line-height:1.4">{board_table(board, "")}{board_notes(board)}</div>'


def board_table(board: Board, box: str = ' class="scroll"') -> str:
    """The table of candidates with its legend. box: attributes of what it scrolls in, on a page with our styles."""
    if not board.candidates:
        return "<p>No candidate was trained.</p>"
    columns = headings(board)
    heads = "".join(_head(heading) for heading in columns)
    rows = "".join(_row(board, columns, place) for place in range(len(board.candidates)))
    first = f'<th scope="col" style="{NAME}{QUIET}vertical-align:bottom">candidate</th>'
    table = (
        '<table style="border-collapse:collapse;border:0;margin:0;min-width:100%;color:inherit;'
        f'font-size:14px;font-variant-numeric:tabular-nums"><thead><tr>{first}{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    return (
        f'<div{box} style="overflow-x:auto">{table}</div>'
        f'<p style="{QUIET}font-size:13px;margin:10px 0 0;max-width:none">{_legend(board)}</p>'
    )


def board_notes(board: Board, says_why: bool = True) -> str:
    """Everything that the table cannot say, one line a fact.

    Args: says_why: whether the notes begin with the reason of the choice (a page may have said it already).
    """
    found = [plain(board.why)] if board.why and says_why else []
    found += [f"{note}." for note in ties(board)]
    found += map(plain, board.warnings)
    found += [f"{name} misses: {reason}" for name, reason in misses(board)]
    found += [f"{name}: {note}" for name, note in [*coverage(board), *trained_so(board)]]
    found += [f"Not trained: {name} ({reason})" for name, reason in not_trained(board)]
    lines = "".join(f'<li style="margin:3px 0" dir="auto">{html.escape(note)}</li>' for note in found)
    style = "font-size:14px;margin:12px 0 0;padding:0 0 0 18px;max-width:80ch"
    return f'<ul style="{style}">{lines}</ul>' if lines else ""


def _head(heading: Heading) -> str:
    unit = f"<br>{escaped(heading.unit)}" if heading.unit else ""
    style = CELL.replace("vertical-align:top", "vertical-align:bottom") + QUIET
    return f'<th scope="col" title="{escaped(heading.meaning)}" style="{style}">{escaped(heading.name)}{unit}</th>'


def _row(board: Board, columns: list[Heading], place: int) -> str:
    candidate = board.candidates[place]
    is_chosen = candidate.name == board.chosen
    mark = f' <span title="chosen">{MARK}</span>' if is_chosen else ""
    cells = "".join(_cell(board, heading, place) for heading in columns)
    weight = "font-weight:650;" if is_chosen else ""
    name = f'<th scope="row" style="{NAME}font-weight:inherit"><bdi>{escaped(candidate.name, 40)}</bdi>{mark}</th>'
    return f'<tr style="{weight}background:none">{name}{cells}</tr>'


def _cell(board: Board, heading: Heading, place: int) -> str:
    words = html.escape(heading.cells[place])
    if heading.key == "headline":
        style = ' style="display:block;margin:3px 0 0 auto"'
        words += interval_picture(board, board.candidates[place], style)
    if heading.key == "goal" and heading.cells[place] in (MET, MISSED):
        color, said = (GOOD, "met") if heading.cells[place] == MET else (WARN, "missed")
        words = f'<span title="{said}" style="{color}">{words}</span>'
    return f'<td style="{CELL}">{words}</td>'


def interval_picture(board: Board, candidate: Candidate, attributes: str = "") -> str:
    """The interval as a line with a dot on a scale that all candidates share; the goal is a tick.

    Args: attributes: of the picture, as HTML.
    """
    score = candidate.metrics.get(board.headline)
    if score is None or any(number(value) is None for value in (score.value, score.low, score.high)):
        return ""
    goal = goal_value(board.goal)
    low, high = contest(board)
    if not low <= score.value <= high:
        return ""

    def place(value: float) -> str:
        part = (max(value, low) - low) / (high - low) if high > low else 0.5
        return f"{3 + (SPAN - 6) * part:.1f}"

    tick = "" if goal is None else (f'<path d="M{place(goal)} 0V10" stroke="currentColor" stroke-opacity=".5"/>')
    return (
        f'<svg viewBox="0 0 {SPAN} 10" width="{SPAN}" height="10" aria-hidden="true"{attributes}>'
        f'{tick}<path d="M{place(score.low)} '
        f'5H{place(score.high)}" '
        f'stroke="currentColor" stroke-width="1.5" stroke-opacity=".6"/>'
        f'<circle cx="{place(score.value)}" cy="5" r="2.6" fill="currentColor"/></svg>'
    )


def _legend(board: Board) -> str:
    machine = f", timed on {escaped(board.machine)}" if board.machine else ""
    tick = " The tall tick is the goal." if goal_value(board.goal) is not None else ""
    return (
        f"{MARK} chosen. {escaped(metric_name(board.headline))} with its 95 % interval on "
        f"{count(board.n_test)} "
        f"test rows{machine}; {scores_are(board)}. Goal: {escaped(goal_words(board.goal, board.units))}.{tick}"
    )
