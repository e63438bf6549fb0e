"""What answering a request costs, before it is done: told in characters of text, bounded, and cut into slices.

A kind says what a value costs (`Kind.effort`); what a character or a row takes of the model is learnt from answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from windlass.kinds import table as kinds
from windlass.records import Column, Row
from windlass.serving.contract.faults import Fault

ROW = 100
"""Characters that a row counts beside its values."""
A_REQUEST = 20_000
"""Characters that count as one request against a rate or a quota."""
SLICE_MS, SLICE_ROWS = 20.0, 64
"""Of a large request, between whose slices others are answered; rows of a slice at most."""
SMALL = 10_000
"""Characters that are never cut."""
UNKNOWN = float("inf")


def efforts(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """Characters that each row costs. Never raises: what is wrong with a row is said by who reads it."""
    kinds_of = [(column.name, kinds.get(column.kind).effort) for column in columns]
    return [ROW + sum(effort(row.get(name)) for name, effort in kinds_of) for row in rows]


def check(effort: int, most: int) -> None:
    """Raises: Fault 413: the request costs more than one may."""
    if effort > most:
        raise Fault(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_much",
            f"request costs as much as {effort:,} characters of text, expected at most {most:,}",
            "send fewer rows at a time, or smaller pictures",
        )


def requests(effort: int) -> int:
    """As how many requests this counts, at least one."""
    return max(1, -(-effort // A_REQUEST))


@dataclass
class CostModel:
    """Milliseconds of a character and of a row, each as if it were all that costs; the slower one is right.

    Rows of one size, within a factor of four, are judged by others of that size alone: one of 99,000 characters would
    make every short row seem to take as long as it does.
    """

    character_ms: float = UNKNOWN
    row_ms: float = UNKNOWN
    sizes: dict[int, "CostModel"] = field(default_factory=dict)

    def learn(self, effort: int, n_rows: int, ms: float) -> None:
        """So long took the answers to rows of so much effort."""
        for pace in (self, self.sizes.setdefault(_size(effort, n_rows), CostModel())):
            pace.character_ms = _nearer(pace.character_ms, ms / max(1, effort))
            pace.row_ms = _nearer(pace.row_ms, ms / max(1, n_rows))

    def ms(self, effort: int, n_rows: int) -> float:
        """What it would take, by all that was learnt where nothing was of this size; `UNKNOWN` before anything was."""
        pace = self.sizes.get(_size(effort, n_rows), self)
        return max(effort * pace.character_ms, n_rows * pace.row_ms)

    def is_one_slice(self, effort: int, n_rows: int) -> bool:
        """True for what need not be cut, or cannot be."""
        if self.row_ms == UNKNOWN or n_rows == 1:
            return effort <= SMALL
        return self.ms(effort, n_rows) <= SLICE_MS

    def first(self, efforts: Sequence[int], slice_ms: float = SLICE_MS) -> int:
        """How many of the rows, from the first on, make a slice: at least one."""
        total = 0
        for number, effort in enumerate(efforts[:SLICE_ROWS]):
            total += effort
            if number and not self.ms(total, number + 1) <= slice_ms:
                return number
        return min(len(efforts), SLICE_ROWS)

    def slices(self, efforts: Sequence[int]) -> Iterator[slice]:
        """The places of the rows of each slice, as the pace is known when its turn comes."""
        start = 0
        while start < len(efforts):
            end = start + self.first(efforts[start : start + SLICE_ROWS])
            yield slice(start, end)
            start = end


def _size(effort: int, n_rows: int) -> int:
    """Which power of four the effort of one row reaches."""
    return (effort // max(1, n_rows)).bit_length() // 2


def _nearer(known: float, seen: float) -> float:
    return seen if known == UNKNOWN else 0.8 * known + 0.2 * seen
