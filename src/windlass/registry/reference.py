"""What the rows of a release were like when it was made, without a row of it: what `watch` compares with.

`reference.json` of a release, data alone: of each input how its kind sums up a value, and the profiles of rows that
were not trained on; how these were answered, how surely, and whether rightly.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from windlass.errors import DataError, WindlassError
from windlass.kinds import table as kinds
from windlass.kinds.sketch import Sketch, Trait
from windlass.records import Answer, Column, Json, Row
from windlass.store.json_files import read_json, write_json

FILE = "reference.json"
_WRITTEN_OUT = json.JSONEncoder(separators=(",", ":"))


class Profiles(NamedTuple):
    """A column with the state of its sketch, and profiles (n, k) of its values."""

    column: Column
    profiles: np.ndarray


@dataclass(frozen=True)
class Reference:
    """columns: each input, with the state of its sketch. profiles: (n, k) of each column.

    mix: answer -> rows, where answers are few. confidence, right: (n,) of the answers, empty where they are not told.
    written: of the answers, where the mix does not say all. answers: all that the output remembers.
    """

    columns: tuple[Column, ...]
    profiles: tuple[np.ndarray, ...]
    mix: dict[str, int]
    confidence: np.ndarray
    right: np.ndarray
    written: Profiles | None = None
    answers: Json = field(default_factory=dict)

    def profile(self, row: Row, answer: Answer | None = None) -> str:
        """What may be remembered of a row, as JSON: a list of whole numbers for each column, null where none is.

        After the columns comes the answer, where its mix does not say all.
        """
        found = [profile_of(column, row) for column in self.columns]
        if self.written is not None and answer is not None:
            column = self.written.column
            found.append(answer_sketch(column).profile(answer, column.state))
        return _WRITTEN_OUT.encode(found)

    @property
    def n_rows(self) -> int:
        return len(self.profiles[0]) if self.profiles else 0


def sketch_of(column: Column) -> Sketch:
    """Raises: DataError: its kind has none."""
    found = kinds.get(column.kind).sketch
    if found is None:
        raise DataError(f"kind '{column.kind}' of column '{column.name}' has no sketch, expected one")
    return found


def answer_sketch(column: Column) -> Sketch:
    """Raises: DataError: answers of its kind have none."""
    found = kinds.get(column.kind).answers
    if found is None:
        raise DataError(f"answers of kind '{column.kind}' have no sketch, expected one")
    return found


def profile_of(column: Column, row: Row, root: Path | None = None) -> list[int] | None:
    try:
        value = kinds.of(column).read(row.get(column.name), root)
        return sketch_of(column).profile(value, column.state)
    except DataError:
        return None


def write(folder: Path, content: Json) -> None:
    write_json(folder / FILE, content)


def read(folder: Path) -> Reference | None:
    """The reference of a release whose files were verified; None where it has none: it is older than `watch`.

    Raises: DataError: it is damaged.
    """
    if not (folder / FILE).is_file():
        return None
    values: Any = read_json(folder / FILE)
    try:
        return _parsed(values)
    except (WindlassError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"{folder / FILE} is damaged ({str(error)[:100]}), expected a reference") from None


def _parsed(values: Json) -> Reference:
    if values["format"] != 1:
        raise ValueError(f"format {values['format']!r}")
    columns = tuple(Column(str(found["name"]), str(found["kind"]), dict(found["state"])) for found in values["columns"])
    tables = []
    for column, found in zip(columns, values["columns"], strict=True):
        table = np.array(found["profiles"], np.int32)
        wide = _wide(sketch_of(column).traits(column.state))
        if table.size and (table.ndim != 2 or table.shape[1] < wide):
            raise ValueError(f"profiles of '{column.name}'")
        tables.append(table)
    if len({len(table) for table in tables}) > 1:
        raise ValueError("columns with different numbers of rows")
    said = values["answers"]
    return Reference(
        columns,
        tuple(tables),
        {str(label): int(count) for label, count in said.get("mix", {}).items()},
        np.array(said.get("confidence", []), np.float64),
        np.array(said.get("right", []), bool),
        _parsed_written(values.get("written")),
        said,
    )


def _parsed_written(found: Json | None) -> Profiles | None:
    if found is None:
        return None
    column = Column(str(found["name"]), str(found.get("kind", "text")), dict(found["state"]))
    table = np.array(found["profiles"], np.int32)
    if table.ndim != 2 or table.shape[1] < _wide(answer_sketch(column).traits(column.state)):
        raise ValueError("profiles of what was answered")
    return Profiles(column, table)


def _wide(traits: Sequence[Trait]) -> int:
    """Numbers that a profile with these traits has."""
    return max(trait.start + (trait.width if trait.form == "vector" else 1) for trait in traits)


def opened(folder: Path, say: Callable[[str], None]) -> Reference | None:
    """As `read`; a damaged one is told and left out, since a service serves without it."""
    try:
        return read(folder)
    except DataError as error:
        say(error.message)
        return None
