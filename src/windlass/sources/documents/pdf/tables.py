"""Tables of a page: by their ruled lines, or by columns that the eye sees where there are none.

A cell that covers several places is given in each of them: its row says all that it says to the eye.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from windlass.sources.documents.pdf.lines import Row, cell_text, joined_lines, rows_of
from windlass.sources.documents.pdf.marks import Box, PageMarks, Ruling, Word
from windlass.sources.documents.table_rows import header_rows

NEAR, TOUCH, SLIVER = 2.0, 3.5, 5.0
"""Points: lines nearer than NEAR are one; ends nearer than TOUCH meet; no row or column is thinner than SLIVER."""
MOST_CELLS = 20_000
MOST_RULINGS = 4_000
COVERED = 0.5
"""The share of a border that must be drawn to part two cells."""
OVERHANG = 10.0


@dataclass(frozen=True)
class Table:
    """rows: texts of the cells, all rows of one width. n_header: rows at the top that name the columns.
    lefts: where its columns begin, points."""

    box: Box
    rows: tuple[tuple[str, ...], ...]
    n_header: int
    lefts: tuple[float, ...]


class Sets:
    """Which of n things belong together (union-find)."""

    def __init__(self, n: int) -> None:
        self.parent = list(range(n))

    def of(self, one: int) -> int:
        while self.parent[one] != one:
            self.parent[one] = self.parent[self.parent[one]]
            one = self.parent[one]
        return one

    def join(self, one: int, other: int) -> None:
        one, other = sorted((self.of(one), self.of(other)))
        self.parent[other] = one


def ruled_tables(marks: PageMarks) -> tuple[list[Table], list[Word]]:
    """The tables that lines are drawn around, and the words that stand in none of them."""
    across, upright = _merged(marks.across), _merged(marks.upright)
    if len(across) + len(upright) > MOST_RULINGS:
        return [], marks.words
    tables: list[Table] = []
    left_over = marks.words
    for lines, bars in _groups(across, upright):
        table, inside = _grid(lines, bars, left_over)
        if table is not None:
            tables.append(table)
            taken = {id(word) for word in inside}
            left_over = [word for word in left_over if id(word) not in taken]
    return tables, left_over


def _merged(rulings: Iterable[Ruling]) -> list[Ruling]:
    """Pieces of one line as one."""
    found: list[Ruling] = []
    bundles: list[list[Ruling]] = []
    for ruling in sorted(rulings, key=lambda each: each.at):
        if bundles and ruling.at - bundles[-1][0].at <= NEAR:
            bundles[-1].append(ruling)
        else:
            bundles.append([ruling])
    for bundle in bundles:
        at = sum(each.at for each in bundle) / len(bundle)
        start, end = -1e9, -1e9
        for ruling in sorted(bundle, key=lambda each: each.start):
            if ruling.start > end + TOUCH and end > -1e9:
                found.append(Ruling(at, start, end))
                start = ruling.start
            start = ruling.start if end == -1e9 else start
            end = max(end, ruling.end)
        found.append(Ruling(at, start, end))
    return found


def _groups(across: list[Ruling], upright: list[Ruling]) -> list[tuple[list[Ruling], list[Ruling]]]:
    """Lines that meet, by group, from the top."""
    sets = Sets(len(across) + len(upright))
    for i, line in enumerate(across):
        for j, bar in enumerate(upright):
            meets_across = line.start - TOUCH <= bar.at <= line.end + TOUCH
            if meets_across and bar.start - TOUCH <= line.at <= bar.end + TOUCH:
                sets.join(i, len(across) + j)
    groups: dict[int, tuple[list[Ruling], list[Ruling]]] = {}
    for i, line in enumerate(across):
        groups.setdefault(sets.of(i), ([], []))[0].append(line)
    for j, bar in enumerate(upright):
        groups.setdefault(sets.of(len(across) + j), ([], []))[1].append(bar)
    return sorted((group for group in groups.values() if all(group)), key=lambda group: group[0][0].at)


def _edges(places: Iterable[float]) -> list[float]:
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > SLIVER:
            found.append(place)
    return found


def _grid(lines: list[Ruling], bars: list[Ruling], words: Sequence[Word]) -> tuple[Table | None, list[Word]]:
    """The table that these lines draw, with the words in it; None where they draw none."""
    left, right = min(line.start for line in lines), max(line.end for line in lines)
    top, bottom = min(bar.start for bar in bars), max(bar.end for bar in bars)
    xs = _edges([bar.at for bar in bars])
    ys = _edges([line.at for line in lines])
    xs = [*([left] if left < xs[0] - OVERHANG else []), *xs, *([right] if right > xs[-1] + OVERHANG else [])]
    ys = [*([top] if top < ys[0] - OVERHANG else []), *ys, *([bottom] if bottom > ys[-1] + OVERHANG else [])]
    n_rows, n_columns = len(ys) - 1, len(xs) - 1
    if n_rows < 1 or n_columns < 2 or n_rows * n_columns > MOST_CELLS:
        return None, []
    sets = _spans(lines, bars, xs, ys)
    held: dict[int, list[Word]] = {}
    inside = []
    for word in words:
        column, row = _slot(xs, (word.left + word.right) / 2), _slot(ys, word.middle)
        if column is not None and row is not None:
            held.setdefault(sets.of(row * n_columns + column), []).append(word)
            inside.append(word)
    texts = {place: cell_text(each) for place, each in held.items()}
    places = [[sets.of(row * n_columns + column) for column in range(n_columns)] for row in range(n_rows)]
    rows = [tuple(texts.get(place, "") for place in row) for row in places]
    n_header = header_rows(places)
    if n_rows <= 2:
        rows, n_header = _unruled_rows(rows, places, held, n_header)
    if len(rows) < 2 or len({place for row in places for place in row}) < 3 or len(texts) < 2:
        return None, []
    return Table((xs[0], ys[0], xs[-1], ys[-1]), tuple(rows), n_header, tuple(xs[:-1])), inside


def _slot(edges: Sequence[float], place: float) -> int | None:
    for number, (low, high) in enumerate(pairwise(edges)):
        if low <= place < high:
            return number
    return None


def _spans(lines: list[Ruling], bars: list[Ruling], xs: list[float], ys: list[float]) -> Sets:
    """Which places are one cell, because nothing is drawn between them."""
    n_columns = len(xs) - 1
    sets = Sets((len(ys) - 1) * n_columns)
    for row in range(len(ys) - 1):
        for column in range(n_columns):
            place = row * n_columns + column
            if column + 1 < n_columns and not _is_drawn(bars, xs[column + 1], ys[row], ys[row + 1]):
                sets.join(place, place + 1)
            if row + 2 < len(ys) and not _is_drawn(lines, ys[row + 1], xs[column], xs[column + 1]):
                sets.join(place, place + n_columns)
    return sets


def _is_drawn(rulings: Sequence[Ruling], at: float, start: float, end: float) -> bool:
    covered = sum(
        max(0.0, min(end, each.end) - max(start, each.start)) for each in rulings if abs(each.at - at) <= SLIVER
    )
    return covered >= COVERED * (end - start)


def _unruled_rows(
    rows: list[tuple[str, ...]], places: list[list[int]], held: dict[int, list[Word]], n_header: int
) -> tuple[list[tuple[str, ...]], int]:
    """The last row taken apart by its lines of text, where all its cells have the same number on the same heights."""
    cells = [rows_of(held.get(place, [])) for place in places[-1]]
    counts = {len(cell) for cell in cells}
    n_lines = counts.pop() if len(counts) == 1 else 0
    if n_lines < 3 or len(set(places[-1])) < len(places[-1]):
        return rows, n_header
    heights = [[row[0].middle for row in cell] for cell in cells]
    if any(max(each) - min(each) > NEAR for each in zip(*heights, strict=True)):
        return rows, n_header
    apart = [tuple(" ".join(s.text for s in cell[number]) for cell in cells) for number in range(n_lines)]
    return rows[:-1] + apart, n_header


# tables without lines ------------------------------------------------------------------------------------------------

LEAST_ROWS = 3
FAR = 2.4
"""Times the height of letters: rows farther apart belong to no one table."""
PROSE = 26
"""Letters of a segment on average, from which columns are columns of text and no cells."""
GUTTER = 0.5
FILLED = 0.8
"""The share of cells from which rows between two ruled lines are rows, not lines of one."""


@dataclass(frozen=True)
class Run:
    """Rows first ... end - 1 of a region, and the spans (left, right) of their columns."""

    first: int
    end: int
    columns: tuple[tuple[float, float], ...]


def aligned_tables(rows: Sequence[Row], across: Sequence[Ruling]) -> list[tuple[int, int, Table]]:
    """(first, end, table) of the rows that stand in columns, in order. across: ruled lines that may part rows."""
    found = []
    place = 0
    while place < len(rows):
        run = _run(rows, place)
        if run is None:
            place += 1
            continue
        found.append((run.first, run.end, _aligned(rows, run, across)))
        place = run.end
    return found


def _run(rows: Sequence[Row], first: int) -> Run | None:
    """The longest run of rows from here on that keep to columns; None where they are too few, or prose."""
    if len(rows[first]) < 2:
        return None
    columns = [(segment.left, segment.right) for segment in rows[first]]
    end = first + 1
    while end < len(rows) and _is_near(rows[end - 1], rows[end]):
        wider = _joined_columns(columns, rows[end])
        if wider is None:
            break
        columns = wider
        end += 1
    while end > first and len(rows[end - 1]) < 2 and not _wraps(rows, end - 1, columns):
        end -= 1
    full = [row for row in rows[first:end] if len(row) >= 2]
    segments = [segment for row in full for segment in row]
    if len(full) < LEAST_ROWS or sum(len(each.text) for each in segments) > PROSE * len(segments):
        return None
    if _is_list(full, columns):
        return None
    above = first
    while above > 0 and first - above < 2 and _heads(rows[above - 1], rows[above], columns):
        above -= 1
    return Run(above, end, tuple(columns))


def _wraps(rows: Sequence[Row], number: int, columns: Sequence[tuple[float, float]]) -> bool:
    """True where a last row of one segment goes on with a cell that is not in the first column."""
    segment = rows[number][0]
    pitch = segment.middle - rows[number - 1][0].middle
    return segment.left > columns[0][1] and pitch < 1.5 * segment.size


def _is_list(rows: Sequence[Row], columns: Sequence[tuple[float, float]]) -> bool:
    """True for bullets and numbers with what stands behind them."""
    marks = [row[0].text for row in rows]
    return len(columns) == 2 and sum(len(mark.strip("().")) <= 2 for mark in marks) >= 0.9 * len(marks)


def _is_near(one: Row, other: Row) -> bool:
    size = max(segment.size for segment in other)
    return min(s.top for s in other) - max(s.bottom for s in one) < FAR * size


def _joined_columns(columns: Sequence[tuple[float, float]], row: Row) -> list[tuple[float, float]] | None:
    """The columns with the row in them; None where a segment lies across two of them."""
    spans = list(columns)
    for segment in row:
        gap = GUTTER * segment.size
        touched = [span for span in spans if segment.left < span[1] + gap and span[0] < segment.right + gap]
        if len(touched) > 1:
            return None
        wide = (min(segment.left, *(s[0] for s in touched)), max(segment.right, *(s[1] for s in touched))) if touched \
            else (segment.left, segment.right)  # fmt: skip
        spans = sorted([*(span for span in spans if span not in touched), wide])
    return spans


def _heads(row: Row, below: Row, columns: Sequence[tuple[float, float]]) -> bool:
    """True for a row over the table whose cells may each cover several columns."""
    if len(row) < 2 or not _is_near(row, below):
        return False
    covered = [sum(s.left < span[1] and span[0] < s.right for s in row) for span in columns]
    return max(covered) <= 1 and sum(covered) >= len(columns) - 1


def _aligned(rows: Sequence[Row], run: Run, across: Sequence[Ruling]) -> Table:
    chosen = rows[run.first : run.end]
    grid = [[_cell(row, span) for span in run.columns] for row in chosen]
    bands = _bands(chosen, grid, run, across)
    merged: list[list[list[str]]] = []
    before = None
    for cells, band, is_more in zip(grid, bands, _continuations(chosen, grid), strict=True):
        if merged and (is_more if band is None else band == before):
            for held, cell in zip(merged[-1], cells, strict=True):
                held += [cell] if cell else []
        else:
            merged.append([[cell] if cell else [] for cell in cells])
        before = band
    texts = tuple(tuple(joined_lines(cell) for cell in row) for row in merged)
    left, right = run.columns[0][0], run.columns[-1][1]
    box = (left, min(s.top for s in chosen[0]), right, max(s.bottom for s in chosen[-1]))
    spanned = len(chosen[0]) < len(run.columns) and len(texts) > 2 and any(
        one and one == other for one, other in pairwise(texts[0])
    )  # fmt: skip
    return Table(box, texts, 2 if spanned else 1, tuple(span[0] for span in run.columns))


def _cell(row: Row, span: tuple[float, float]) -> str:
    return " ".join(segment.text for segment in row if segment.left < span[1] and span[0] < segment.right)


def _bands(rows: Sequence[Row], grid: Sequence[Sequence[str]], run: Run, across: Sequence[Ruling]) -> list[int | None]:
    """Between which ruled lines each row stands; None for all where the lines part sections and not rows: then the
    rows between two of them have all their cells, and are no lines of one."""
    left, right = run.columns[0][0], run.columns[-1][1]
    top, bottom = min(s.top for s in rows[0]), max(s.bottom for s in rows[-1])
    width = right - left
    lines = sorted(
        line.at for line in _merged(across)
        if top < line.at < bottom and min(right, line.end) - max(left, line.start) > 0.8 * width
    )  # fmt: skip
    bands = [sum(line < row[0].middle for line in lines) for row in rows]
    held = [cells for cells, band in zip(grid, bands, strict=True) if bands.count(band) > 1]
    n_filled = sum(bool(cell) for cells in held for cell in cells)
    if len(lines) < 2 or n_filled > FILLED * len(run.columns) * len(held):
        return [None] * len(rows)
    return list(bands)


def _continuations(rows: Sequence[Row], grid: Sequence[Sequence[str]]) -> list[bool]:
    """True for a row that goes on with the cells of the row above it: nearer than rows are, its first cell empty."""
    pitches = [below[0].middle - above[0].middle for above, below in pairwise(rows)]
    usual = sorted(p for p, cells in zip(pitches, grid[1:], strict=True) if cells[0]) if pitches else []
    pitch = usual[len(usual) // 2] if usual else 0.0
    found = [False]
    for distance, above, cells in zip(pitches, grid, grid[1:], strict=False):
        goes_on = all(upper or not cell for cell, upper in zip(cells, above, strict=True))
        found.append(not cells[0] and goes_on and distance < 0.82 * pitch)
    return found
