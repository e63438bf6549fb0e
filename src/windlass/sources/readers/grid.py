"""A grid of cells as people keep it, as rows with names: CSV files and spreadsheets are read alike.

Titles above the header and empty cells behind the last column are left out and said aloud; a header that comes again,
a footer of totals and a row of another width are faults; a grid without a header is refused, never guessed at.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise, takewhile

from windlass.errors import DataError
from windlass.sources.contract import MOST_COLUMNS, RawRow, Source
from windlass.sources.outgoing import is_ours, unescape_formula
from windlass.sources.readers.encodings import fault_of

N_LOOK = 500
"""Records that are looked at before the header is settled."""
MOST_TITLES, N_FOOT = 10, 5
N_SHOWN = 200
LONGEST_NAME = 60
WIDTH_SHARE = 0.5
TOTALS = frozenset(
    {"total", "totals", "grand total", "subtotal", "sub total", "sum", "average", "mean", "summe", "gesamt",
     "gesamtsumme", "insgesamt", "mittelwert", "somme", "moyenne", "totaux", "total général", "suma", "totale",
     "合计", "总计", "小计", "总和", "平均", "平均值", "合計", "總計", "小計", "總和", "totaal", "итого", "всего"}
)  # fmt: skip
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?", re.IGNORECASE)
DECIMAL = re.compile(r"[+-]?\d+[.,]\d+(e[+-]?\d+)?", re.IGNORECASE)
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


@dataclass(slots=True)
class Record:
    """A line of the grid, with its number. fault: why it could not be taken apart; its cells are unknown then."""

    number: int
    cells: list[str] = field(default_factory=list)
    fault: str = ""

    @property
    def shown(self) -> str:
        return " ".join(",".join(self.cells)[:N_SHOWN].split())


def rows(records: Iterator[Record], source: Source) -> Iterator[RawRow]:
    """The rows below the header; empty records are none.

    Raises: DataError: no header, or one that names a column twice.
    """
    filled = (record for record in _bounded(records, source) if record.cells or record.fault)
    head = list(islice(filled, N_LOOK))
    place = _header_place(head, source)
    header = _names(head[place], source)
    _check_header(header, [record.cells for record in head[place + 1 :]], head[place].number, source)
    ours, n_cut = is_ours(header), 0
    if ours:
        header = [unescape_formula(name) for name in header]
    for record, is_foot in _with_foot(chain(head[place + 1 :], filled)):
        n_cut += len(record.cells) > len(header) and not any(record.cells[len(header) :])
        yield _row(record, header, is_foot, ours)
    if n_cut:
        source.warnings.append(f"{n_cut:,} rows of {source.path.name} have empty cells behind their last: left out")


def _bounded(records: Iterator[Record], source: Source) -> Iterator[Record]:
    """Records; too wide ones are faults. Raises: DataError: one of the first is too wide, so that the table is."""
    for place, record in enumerate(records):
        if len(record.cells) > MOST_COLUMNS:
            fault = f"has {len(record.cells):,} fields, expected at most {MOST_COLUMNS:,}"
            if place <= MOST_TITLES:
                hint = "is it transposed? a row is one example, a column one fact"
                raise DataError(f"{source.path} line {record.number} {fault}", hint)
            record = Record(record.number, fault=fault)
        yield record


def _row(record: Record, header: list[str], is_foot: bool, ours: bool) -> RawRow:
    cells = record.cells
    if len(cells) > len(header) and not any(cells[len(header) :]):
        cells = cells[: len(header)]
    fault = record.fault or _fault(cells, header, is_foot)
    if fault:
        return RawRow(record.number, None, fault, record.shown)
    if ours:
        cells = [unescape_formula(cell) for cell in cells]
    return RawRow(record.number, dict(zip(header, cells, strict=True)))


def _fault(cells: list[str], header: list[str], is_foot: bool) -> str:
    if fault := fault_of("".join(cells)):
        return fault
    if len(cells) != len(header):
        return f"has {len(cells)} fields, expected {len(header)}"
    if len(header) > 1 and cells[0].strip() == header[0] and [cell.strip() for cell in cells] == header:
        return "repeats the header, expected a row"
    if is_foot and _is_footer(cells):
        return f"is a footer ('{cells[0].strip()[:40]}'), expected a row"
    return ""


def _with_foot(records: Iterable[Record]) -> Iterator[tuple[Record, bool]]:
    """Each record, and whether it is among the last ones."""
    waiting: deque[Record] = deque()
    for record in records:
        waiting.append(record)
        if len(waiting) > N_FOOT:
            yield waiting.popleft(), False
    for record in waiting:
        yield record, True


def _is_footer(cells: Sequence[str]) -> bool:
    """True for totals: named so in the first cell, and with another one empty."""
    return cells[0].strip().rstrip(":：").strip().casefold() in TOTALS and not all(cell.strip() for cell in cells)


def _header_place(head: Sequence[Record], source: Source) -> int:
    """Which of the first records is the header: the first one, or the first one below titles. Raises: DataError."""
    if not head:
        raise DataError(f"{source.path} has no header, expected column names in its first line")
    width = common_width([record.cells for record in head])
    titles = list(takewhile(lambda record: not record.fault and _is_title(record.cells, width), head[:MOST_TITLES]))
    place = len(titles)
    if not titles or place == len(head) or not _could_name(head[place].cells, width):
        return 0
    above = ", ".join(f"'{record.shown.rstrip(',')[:40]}'" for record in titles)
    source.warnings.append(f"{source.path.name} has titles above its header: left out {above}")
    return place


def common_width(lines: Sequence[Sequence[str]]) -> int:
    """The number of cells that most lines have; 0 when there is no such number."""
    widths = Counter(len(cells) for cells in lines if cells)
    if not widths:
        return 0
    width, count = max(widths.items(), key=lambda each: (each[1], each[0]))
    return width if count >= WIDTH_SHARE * widths.total() else 0


def _is_title(cells: Sequence[str], width: int) -> bool:
    """True for a line with something in its first cell and hardly more, above a grid that is wider.

    Above two columns it must also read like no name: a header of one text column, whose texts have a comma each, does.
    """
    n_filled = sum(bool(cell.strip()) for cell in cells)
    if width < 2 or not cells[0].strip() or n_filled > max(1, width // 4):
        return False
    return width > 2 or bool(re.search(r"\s\S", cells[0].strip())) or len(cells) == width


def _could_name(cells: Sequence[str], width: int) -> bool:
    names = [cell.strip() for cell in _trimmed(cells)]
    is_short = all(len(name) <= LONGEST_NAME and len(name.split()) <= 6 for name in names)
    is_full = len(names) >= max(2, width - 1) and all(names[1:]) and len(set(names)) == len(names)
    return is_full and is_short and not all(NUMBER.fullmatch(name) for name in names)


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Without the empty cells behind the last one that is filled."""
    last = max((place for place, cell in enumerate(cells) if cell.strip()), default=-1)
    return list(cells[: last + 1])


def _names(record: Record, source: Source) -> list[str]:
    where = f"{source.path} line {record.number}"
    fault = record.fault or fault_of("".join(record.cells))
    if fault:
        raise DataError(f"{where} {fault}; it is the header, expected column names")
    header = [name.strip().lstrip("\ufeff") for name in _trimmed(record.cells)]
    if not any(header):
        raise DataError(f"{source.path} has no header, expected column names in its first line")
    seen: set[str] = set()
    for name in header:
        if name in seen:
            what = f"names column '{name}' twice" if name else "has a column without a name"
            raise DataError(f"{where} {what}, expected each column once, named, in its header")
        seen.add(name)
    return header


def _check_header(header: Sequence[str], body: Sequence[Sequence[str]], line: int, source: Source) -> None:
    """Raises: DataError: the header reads like a row: its cells stand in the rows below as well, or are measurements.

    One cell that stands below is no proof (a column `spam` may hold `spam`), beside another, or beside a text, it is.
    """
    whole = [[cell.strip() for cell in cells[: len(header)]] for cells in body if len(cells) >= len(header)]
    columns = list(zip(*(cells for cells in whole if cells != header), strict=True))
    if not columns:
        return
    measured = [name for name, column in zip(header, columns, strict=True) if _is_measured(name, column)]
    below = [name for name, column in zip(header, columns, strict=True) if name and name in column]
    like = [] if _is_scale(header) else measured
    if len(set(below)) > 1 or (below and any(map(_is_text, header))):
        like = [*like, *below]
    if like:
        shown = ", ".join(f"'{name[:40]}'" for name in dict.fromkeys(like[:6]))
        raise DataError(
            f"{source.path} line {line} reads like a row ({shown}: so do those below it), expected column names",
            "write a line with a name for each column above it",
        )


def _is_measured(name: str, column: Sequence[str]) -> bool:
    """True for a decimal number or a date above others of its sort."""
    present = [cell for cell in column if cell]
    return any(
        pattern.fullmatch(name) and sum(bool(pattern.fullmatch(cell)) for cell in present) > 0.9 * len(present) > 0
        for pattern in (DECIMAL, DATE)
    )


def _is_scale(header: Sequence[str]) -> bool:
    """True for columns that are named by numbers going up, such as wavelengths."""
    numbers = [float(name.replace(",", ".")) for name in header if NUMBER.fullmatch(name)]
    return len(numbers) > 2 and all(first < second for first, second in pairwise(numbers))


def _is_text(name: str) -> bool:
    """True for a sentence, and for Chinese that is too long for a name."""
    beyond = sum(character > "\u2e80" for character in name)
    return len(name.split()) > 3 or name.endswith((".", "!", "?", "。", "！", "？")) or beyond > 7
