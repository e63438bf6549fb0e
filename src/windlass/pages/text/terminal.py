"""What a person reads in the terminal: the leaderboard, and what `collect` and `prepare` found."""

import io
import shutil
from typing import TYPE_CHECKING

from windlass.language.chosen import sentences, translated
from windlass.pages.text.candidates import (
    MARK,
    MET,
    MISSED,
    Heading,
    coverage,
    headings,
    misses,
    not_trained,
    scores_are,
    ties,
    trained_so,
)
from windlass.pages.text.words import count, goal_words, limit_words, listed, percent, plain, rows, width
from windlass.records import Board, Collected, Prepared

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

GAP = 2
NAME_WIDTH = 18
# What leaves first when the terminal is narrow: a reader misses the last ones most.
DROPPED_FIRST = (
    "distinct_2",
    "repetition",
    "validation",
    "rouge_l",
    "token_f1",
    "answers",
    "macro_f1",
    "accuracy",
    "calibration",
    "train",
    "size",
    "latency",
)


def board_text(board: Board, width: int | None = None) -> str:
    """The leaderboard as plain text, fitted to `width` columns (none given: those of the terminal)."""
    from rich.console import Console

    columns = width or shutil.get_terminal_size((100, 24)).columns
    console = Console(file=io.StringIO(), width=columns, color_system=None, legacy_windows=False, highlight=False)
    with console.capture() as captured:
        print_board(board, console)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def print_board(board: Board, console: "Console") -> None:
    """Prints the leaderboard: a table, why the chosen one was chosen, and what else there is to know."""
    from rich.text import Text

    limits = limit_words(board.limits)
    console.print(
        Text.assemble(
            (plain(board.product), "bold"),
            f"  {translated(f'goal: {goal_words(board.goal, board.units)}')}",
            f"  {translated(f'limits: {limits}')}" if limits else "",
        )
    )
    console.print()
    if board.candidates:
        columns, dropped = fitting(board, console.width)
        console.print(_table(board, columns))
        console.print(_legend(board, dropped))
        console.print()
    for note in notes(board):
        console.print(_hanging(note))


def fitting(board: Board, columns: int) -> tuple[list[Heading], list[str]]:
    """The headings that fit so many columns, and the names of those that had to go."""
    kept, dropped = _with_one_latency(headings(board)), []
    for key in DROPPED_FIRST:
        if _needed(board, kept) <= columns:
            break
        dropped += [heading.name for heading in kept if heading.key == key]
        kept = [heading for heading in kept if heading.key != key]
    return kept, dropped


def _with_one_latency(found: list[Heading]) -> list[Heading]:
    first, second = (next(heading for heading in found if heading.key == key) for key in ("p50", "p95"))
    cells = [f"{median}/{high}" for median, high in zip(first.cells, second.cells, strict=True)]
    latency = Heading("latency", "p50/p95", "ms", "median and 95th percentile of one answer", cells)
    return [latency if heading is first else heading for heading in found if heading is not second]


def _needed(board: Board, columns: list[Heading]) -> int:
    names = max([width(_name(candidate.name)) for candidate in board.candidates] + [width(translated("candidate"))])
    cells = sum(GAP + max(map(width, [*head_words(heading).split("\n"), *heading.cells])) for heading in columns)
    return 1 + GAP + names + cells


def _name(name: str) -> str:
    return plain(name, NAME_WIDTH)


def _table(board: Board, columns: list[Heading]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim", expand=False)
    table.add_column(Text(""), no_wrap=True)
    table.add_column(Text(translated("candidate")), no_wrap=True)
    for heading in columns:
        head = Text(head_words(heading))
        table.add_column(head, justify="center" if heading.key == "goal" else "right", no_wrap=True)
    for place, candidate in enumerate(board.candidates):
        is_chosen = candidate.name == board.chosen
        cells = [Text(heading.cells[place], style=_style(heading, place)) for heading in columns]
        table.add_row(
            Text(MARK if is_chosen else ""), Text(_name(candidate.name)), *cells, style="bold" if is_chosen else ""
        )
    return table


def head_words(heading: Heading) -> str:
    """What stands over a column, its unit on a second line."""
    return f"{translated(heading.head)}\n{translated(heading.unit)}".rstrip()


def _style(heading: Heading, place: int) -> str:
    if heading.key != "goal":
        return ""
    return {MET: "green", MISSED: "red"}.get(heading.cells[place], "")


def _legend(board: Board, dropped: list[str]) -> "Text":
    from rich.text import Text

    said = [f"{MARK} chosen. [ ] is the 95 % interval on {count(board.n_test)} test rows; {scores_are(board)}."]
    said += [f"Timed on {plain(board.machine, 60)}."] if board.machine else []
    said += [f"Left out at this width: {', '.join(dropped)}."] if dropped else []
    return Text(sentences(said), style="dim")


def notes(board: Board) -> list[str]:
    """What stands under the table, one line a fact."""
    found = [plain(board.why)] if board.why else []
    found += ties(board)
    found += map(plain, board.warnings)
    found += [f"{name} misses: {reason}" for name, reason in misses(board)]
    found += [f"{name}: {note}" for name, note in [*coverage(board), *trained_so(board)]]
    found += [f"not trained: {name} ({reason})" for name, reason in not_trained(board)]
    if not board.candidates:
        found.append("no candidate was trained")
    return found


def _hanging(text: str) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text("·"), Text(translated(text)))
    return grid


def collected_text(collected: Collected) -> str:
    """What `collect` took in, in a few lines: counts, rejects with their reasons, warnings."""
    taken = percent(collected.accepted / collected.rows_in) if collected.rows_in else "nothing"
    sources = ", ".join(plain(source, 60) for source in collected.sources[:3])
    more = f" and {len(collected.sources) - 3} more" if len(collected.sources) > 3 else ""
    lines = [
        f"{rows(collected.rows_in)} in: {count(collected.accepted)} accepted ({taken}), "
        f"{count(collected.rejected)} rejected"
    ]
    lines += [f"  from      {sources}{more}"] if sources else []
    lines += _counted("splits", collected.splits)
    lines += [f"  rejected  {line}" for line in _one_a_line(collected.reasons)]
    return "\n".join([*lines, *_warned(collected.warnings)]) + "\n"


def prepared_text(prepared: Prepared) -> str:
    """What `prepare` made, in a few lines: rows a split, rows taken out with the reason, labels, warnings."""
    total = sum(prepared.rows.values())
    labels = _label_totals(prepared)
    known = f", {count(len(labels))} labels" if labels else ""
    lines = [f"{rows(total)} prepared{known}, fingerprint {plain(prepared.fingerprint, 16)}"]
    lines += _counted("splits", prepared.rows)
    lines += _counted("groups", prepared.groups)
    lines += [f"  removed   {line}" for line in _one_a_line(prepared.removed)]
    if len(labels) > 1:
        ordered = sorted(labels, key=lambda label: -labels[label])
        ends = [
            f"{word} '{plain(label, 30)}' {count(labels[label])}"
            for word, label in (("largest", ordered[0]), ("smallest", ordered[-1]))
        ]
        lines.append(f"  labels    {', '.join(ends)}")
    return "\n".join([*lines, *_warned(prepared.warnings)]) + "\n"


def _label_totals(prepared: Prepared) -> dict[str, int]:
    totals: dict[str, int] = {}
    for counts in prepared.labels.values():
        for label, found in counts.items():
            totals[label] = totals.get(label, 0) + found
    return totals


def _counted(name: str, counts: dict[str, int]) -> list[str]:
    parts = ", ".join(f"{plain(key)} {count(value)}" for key, value in counts.items())
    return [f"  {name:<9} {parts}"] if parts else []


def _one_a_line(counts: dict[str, int]) -> list[str]:
    kept = {name: value for name, value in counts.items() if value}
    return [listed({name: kept[name]}) for name in sorted(kept, key=lambda name: -kept[name])]


def _warned(warnings: list[str]) -> list[str]:
    return [f"  warning   {plain(warning)}" for warning in warnings]
