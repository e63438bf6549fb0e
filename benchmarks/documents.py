"""How many cells of tables in documents come out at their place: 30 made tables, as PDF and as DOCX.

Usage: python benchmarks/documents.py [--quick]    (asks for reportlab and the extra `documents`)
The tables are drawn by reportlab and python-docx, not by what reads them. Ten shapes, three of each as PDF or DOCX.
A cell counts as right when its text, spaces aside, stands in its row and column; a merged cell is asked in each place
that it covers; rows that are missing, or too many, are all wrong.
"""

import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
from goals import Goal, record
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, SimpleDocTemplate, Spacer, Table

from windlass.sources.documents.contract import Limits
from windlass.sources.documents.formats import parse
from windlass.sources.documents.table_rows import header_line, row_line

SEED, GOAL = 7, 0.95
ENGLISH = "lamp chair table window harbour ticket invoice railway garden kitchen market copper silver".split()  # noqa: SIM905
CHINESE = ("台灯", "椅子", "退货期限", "运费", "北京", "上海市", "发票", "会员价", "数量", "规格", "红色", "木制")
PROSE = "The goods below are sold as they are, and prices hold until the end of the year. " * 4


@dataclass(frozen=True)
class Made:
    """cells: what each place says. n_header: rows that name columns. merged: (column, row, column, row) corners."""

    cells: list[list[str]]
    n_header: int = 1
    merged: tuple[tuple[int, int, int, int], ...] = ()
    lines: str = "GRID"
    is_wrapped: bool = False
    is_shaded: bool = False
    is_landscape: bool = False
    n_columns: int = 1


def words(random_: random.Random, is_chinese: bool) -> str:
    if random_.random() < 0.3:
        return f"{random_.randint(1, 99_999) / 100:,.2f}"
    return random_.choice(CHINESE) if is_chinese else " ".join(random_.sample(ENGLISH, random_.randint(1, 3)))


def plain(
    random_: random.Random, n_rows: int, n_columns: int, is_chinese: bool = False, empty: float = 0.0
) -> list[list[str]]:
    rows = [[words(random_, is_chinese) for _ in range(n_columns)] for _ in range(n_rows)]
    for row in rows[1:]:
        row[1:] = ["" if random_.random() < empty else cell for cell in row[1:]]
    names = [f"{random_.choice(CHINESE if is_chinese else ENGLISH)} {number}" for number in range(n_columns)]
    return [names, *rows]


def long(random_: random.Random, n_rows: int, n_columns: int) -> list[list[str]]:
    """Cells of many words, of which several lines are made."""
    cells = plain(random_, n_rows, n_columns)
    for row in cells[1:]:
        row[1] = " ".join(random_.choices(ENGLISH, k=random_.randint(6, 14)))
        row[-1] = " ".join(random_.choices(ENGLISH, k=random_.randint(1, 9)))
    return cells


def merged(random_: random.Random) -> Made:
    """Two rows of names, the first over two columns each; a first column whose cells cover two rows each."""
    cells = plain(random_, 7, 5)
    cells[0] = ["region", "price", "price", "stock", "stock"]
    cells[1] = ["region", "EU", "US", "old", "new"]
    spans = [(0, 0, 0, 1), (1, 0, 2, 0), (3, 0, 4, 0)]
    for row in range(2, 8, 2):
        cells[row + 1][0] = cells[row][0]
        spans.append((0, row, 0, row + 1))
    return Made(cells, 2, tuple(spans))


SHAPES: dict[str, Callable[[random.Random], Made]] = {
    "ruled": lambda r: Made(plain(r, 8, 4)),
    "empty cells": lambda r: Made(plain(r, 8, 5, empty=0.3)),
    "merged cells": merged,
    "Chinese": lambda r: Made(plain(r, 8, 4, is_chinese=True)),
    "Chinese, empty cells": lambda r: Made(plain(r, 7, 5, is_chinese=True, empty=0.3)),
    "several pages": lambda r: Made(plain(r, 90, 4)),
    "two columns of text": lambda r: Made(plain(r, 6, 3), n_columns=2),
    "dark header": lambda r: Made(plain(r, 6, 4), is_shaded=True),
    "no lines": lambda r: Made(plain(r, 8, 4, empty=0.15), lines=""),
    "landscape, wide": lambda r: Made(plain(r, 10, 8), is_landscape=True),
}
HARD: dict[str, Callable[[random.Random], Made]] = {
    "wrapped cells": lambda r: Made(long(r, 6, 4), is_wrapped=True),
    "wrapped cells, lines between rows": lambda r: Made(long(r, 6, 4), is_wrapped=True, lines="LINEBELOW"),
    "wrapped cells, no lines": lambda r: Made(long(r, 6, 4), is_wrapped=True, lines=""),
    "a box around, no lines inside": lambda r: Made(plain(r, 7, 4, empty=0.15), lines="BOX"),
    "two columns of cells, no lines": lambda r: Made(plain(r, 7, 2), lines=""),
}
"""Beyond the goal, as PDF alone: what a reader of tables is known to fail at."""


def as_pdf(path: Path, made: Made) -> None:
    style: list[Any] = [("FONT", (0, 0), (-1, -1), "STSong-Light", 9), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    style += [(made.lines, (0, 0), (-1, -1), 0.5, colors.black)] if made.lines else []
    if made.is_shaded:
        style += [("BACKGROUND", (0, 0), (-1, 0), colors.navy), ("TEXTCOLOR", (0, 0), (-1, 0), colors.white)]
    style += [("SPAN", (left, top), (right, bottom)) for left, top, right, bottom in made.merged]
    text = getSampleStyleSheet()["Normal"]
    cells = [[Paragraph(cell, text) for cell in row] for row in made.cells] if made.is_wrapped else made.cells
    table = Table(cells, [110] * len(cells[0]) if made.is_wrapped else None, style=style, repeatRows=made.n_header)
    more = [Paragraph(PROSE, text) for _ in range(3 if made.n_columns == 1 else 24)]
    story = [Paragraph(PROSE, text), Spacer(1, 10), table, Spacer(1, 10), *more]
    size = landscape(A4) if made.is_landscape else A4
    if made.n_columns == 1:
        SimpleDocTemplate(str(path), pagesize=size).build(story)
        return
    frames = [Frame(50 + 260 * number, 50, 240, 740) for number in range(made.n_columns)]
    BaseDocTemplate(str(path), pageTemplates=[PageTemplate(frames=frames)]).build(story)


def as_docx(path: Path, made: Made) -> None:
    document = docx.Document()
    document.add_paragraph(PROSE)
    table = document.add_table(len(made.cells), len(made.cells[0]))
    table.style = "Table Grid" if made.lines else "Normal Table"
    covered = {(row, column): (top, left) for left, top, right, bottom in made.merged
               for row in range(top, bottom + 1) for column in range(left, right + 1)}  # fmt: skip
    for number, (row, cells) in enumerate(zip(table.rows, made.cells, strict=True)):
        for place, (cell, words_) in enumerate(zip(row.cells, cells, strict=True)):
            if covered.get((number, place), (number, place)) == (number, place):
                cell.text = words_
    for left, top, right, bottom in made.merged:
        table.cell(top, left).merge(table.cell(bottom, right))
    document.add_paragraph(PROSE)
    document.save(str(path))


def squeezed(line: str) -> list[str]:
    return ["".join(cell.split()) for cell in line.split(" | ")]


def right_cells(path: Path, made: Made) -> tuple[int, int]:
    """(right, all) of the cells of the table in the file."""
    found = [squeezed(block.text) for block in parse(path, Limits()).blocks if block.kind in ("header", "row")]
    rows = [header_line(made.cells[: made.n_header]), *(row_line(row) for row in made.cells[made.n_header :])]
    wanted = [squeezed(row) for row in rows]
    n_right = sum(
        cell == other for row, read in zip(wanted, found, strict=False) if len(row) == len(read)
        for cell, other in zip(row, read, strict=True)
    )  # fmt: skip
    n_surplus = sum(len(row) for row in found[len(wanted) :])
    return max(0, n_right - n_surplus), sum(map(len, wanted))


def of_hard() -> dict[str, list[float]]:
    """Name -> shares of right cells of three tables."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, shape) in enumerate(HARD.items()):
            for turn in range(3):
                made = shape(random.Random(SEED + 5_000 + 100 * number + turn))
                as_pdf(Path(folder, "a.pdf"), made)
                right, cells = right_cells(Path(folder, "a.pdf"), made)
                found.setdefault(name, []).append(right / cells)
    return found


def main() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    shares: dict[str, list[float]] = {}
    n_right = n_all = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, shape) in enumerate(SHAPES.items()):
            for turn in range(1 if "--quick" in sys.argv else 3):
                made = shape(random.Random(SEED + 100 * number + turn))
                is_pdf = turn != 1
                path = Path(folder, f"{number}-{turn}.{'pdf' if is_pdf else 'docx'}")
                (as_pdf if is_pdf else as_docx)(path, made)
                right, cells = right_cells(path, made)
                n_right, n_all = n_right + right, n_all + cells
                shares.setdefault(f"{name} ({path.suffix[1:]})", []).append(right / cells)
                shares.setdefault(path.suffix[1:], []).append(right / cells)
    by_table = [share for name, each in shares.items() if " " in name for share in each]
    mean = sum(by_table) / len(by_table)
    hard = of_hard()
    for name, each in [*shares.items(), *hard.items()]:
        print(f"{name}: {sum(each) / len(each):.3f} of {len(each)}")
    print(f"by table {mean:.3f}, by cell {n_right / n_all:.3f} of {n_all:,}")
    if "--quick" in sys.argv:
        return
    worst = ", ".join(f"{name} {min(each):.2f}" for name, each in shares.items() if min(each) < 1 and " " in name)
    record(
        Goal(
            "ask",
            "tables in PDF and DOCX, right cells",
            f">= {GOAL} of the cells of 30 made tables, mean of the tables",
            f"{mean:.3f} ({n_right / n_all:.3f} of all {n_all:,} cells)",
            mean >= GOAL,
            "drawn by reportlab (20) and python-docx (10), ten shapes"
            + (f"; not whole: {worst}" if worst else "; all whole")
            + ". Harder ones, beyond the goal: "
            + ", ".join(f"{name} {sum(each) / len(each):.2f}" for name, each in hard.items()),
        )
    )


if __name__ == "__main__":
    main()
