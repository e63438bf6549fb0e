"""What `prepare` made: splits, and rows that were asked lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.records.catalogue import Catalogue
from windlass.records.contract import Json, Row
from windlass.records.passage import IndexedDocument, Passage

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Prepared:
    """The data card: what is in each split, what was taken out and why, and the fingerprint of it all.

    groups: of each split, where rows belong together and no group is in two splits; else empty. taught: the
    fingerprint of the rows alone, where there are documents beside them; else ''.
    """

    fingerprint: str
    rows: dict[str, int]
    removed: dict[str, int]
    labels: dict[str, dict[str, int]]
    columns: list[Json]
    warnings: list[str]
    key: str = ""
    groups: dict[str, int] = field(default_factory=dict)
    taught: str = ""


@dataclass(frozen=True)
class Splits:
    """The rows that learners see. `test` is for `evaluate` alone. written: column -> how raw values of it are written.

    weight: the column of train and validation that says how much each row counts; empty: all the same.
    passages: of the documents that are answered from; None: there are none. taught: as of `Prepared`.
    documents: those that the passages come from, where it is known. catalogue: of the items that may be recommended;
    None: there is none.
    """

    inputs: dict[str, str]
    output: dict[str, str]
    train: "pl.DataFrame"
    validation: "pl.DataFrame"
    test: "pl.DataFrame"
    root: Path
    fingerprint: str = ""
    written: Mapping[str, Json] = field(default_factory=dict)
    weight: str = ""
    passages: Sequence[Passage] | None = None
    taught: str = ""
    documents: Sequence[IndexedDocument] = ()
    catalogue: Catalogue | None = None

    @property
    def output_column(self) -> str:
        return next(iter(self.output))


@dataclass(frozen=True)
class Recent:
    """What came in use. learned, judging: rows with their labels that train has, and that no training ever sees.

    asked: rows as clients sent them last, whose labels nobody has told.
    """

    learned: Sequence[Row]
    judging: Sequence[Row]
    asked: Sequence[Row]
