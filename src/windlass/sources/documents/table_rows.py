"""Rows of a table as lines of text, alike in every format."""

from collections.abc import Sequence
from itertools import pairwise

SEPARATOR = " | "


def row_line(cells: Sequence[str]) -> str:
    """Cells parted by ` | `; a cell that covers the whole row stands once. Empty cells keep their place."""
    if len(cells) > 1 and cells[0] and len(set(cells)) == 1:
        return cells[0]
    return SEPARATOR.join(cells)


def header_line(rows: Sequence[Sequence[str]]) -> str:
    """The names of the columns: of several rows, those above each other together."""
    columns = zip(*rows, strict=True)
    return SEPARATOR.join(" ".join(dict.fromkeys(cell for cell in column if cell)) for column in columns)


def header_rows(places: Sequence[Sequence[int]]) -> int:
    """How many rows name the columns. places: which cell stands on each place.

    Two where the first row has a cell over several columns, and those below it are parted; else one.
    """
    first = places[0]
    is_spanned = any(one == other for one, other in pairwise(first)) and len(set(first)) > 1
    return 2 if is_spanned and len(places) > 2 and len(set(places[1])) > len(set(first)) else 1
