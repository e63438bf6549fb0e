"""What the rows of a release were like when it was made, without a row of it: what `watch` compares with.

`reference.json` of a release, data alone: of each input how its kind sums up a value, and the profiles of rows that
were not trained on; how these were answered, how surely, and whether rightly.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, WindlassError
from windlass.kinds import table as kinds
from windlass.kinds.sketch import Sketch
from windlass.predictors.contract import Labeller, Predictor
from windlass.records import Column, Json, Row, Splits
from windlass.store import read_json, write_json

FILE = "reference.json"
MOST_ROWS, MOST_LEARNED, MOST_PICTURES = 1_000, 10_000, 500
"""Rows that are profiled, and training rows that the ways of summing up are learned from."""
CHUNK = 64


@dataclass(frozen=True)
class Reference:
    """columns: each input, with the state of its sketch. profiles: (n, k) of each column.

    mix: answer -> rows. confidence, right: (n,) of the answers; empty for a product that writes.
    """

    columns: tuple[Column, ...]
    profiles: tuple[np.ndarray, ...]
    mix: dict[str, int]
    confidence: np.ndarray
    right: np.ndarray

    def profile(self, row: Row) -> str:
        """What may be remembered of a row, as JSON: a list of whole numbers for each column, null where none is."""
        return json.dumps([_profile(column, row) for column in self.columns], separators=(",", ":"))

    @property
    def n_rows(self) -> int:
        return len(self.profiles[0]) if self.profiles else 0


def sketch_of(column: Column) -> Sketch:
    """Raises: DataError: its kind has none."""
    found = kinds.get(column.kind).sketch
    if found is None:
        raise DataError(f"kind '{column.kind}' of column '{column.name}' has no sketch, expected one")
    return found


def _profile(column: Column, row: Row, root: Path | None = None) -> list[int] | None:
    try:
        value = kinds.get(column.kind).read(row.get(column.name), root)
        return sketch_of(column).profile(value, column.state)
    except DataError:
        return None


def make(splits: Splits, predictor: Predictor) -> Json:
    """The content of `reference.json`: from rows of test, then of validation; `predictor` answers them."""
    train, kept = splits.train.to_dicts(), _kept(splits)
    columns = [_learned(name, kind, train, splits.root) for name, kind in splits.inputs.items()]
    profiles = [[_profile(column, row, splits.root) for column in columns] for row in kept]
    whole = [place for place, found in enumerate(profiles) if all(part is not None for part in found)]
    rows = [kept[place] for place in whole]
    return {
        "format": 1,
        "columns": [
            {
                "name": column.name,
                "kind": column.kind,
                "state": column.state,
                "profiles": [profiles[place][number] for place in whole],
            }
            for number, column in enumerate(columns)
        ],
        "answers": _answers(predictor, rows, splits) if isinstance(predictor, Labeller) else {},
    }


def _kept(splits: Splits) -> list[Row]:
    """Rows that were not trained on, evenly spread."""
    found = [*splits.test.to_dicts(), *splits.validation.to_dicts()][: max(MOST_ROWS, splits.test.height)]
    return _evenly(found, _most(splits.inputs, MOST_ROWS))


def _evenly(rows: Sequence[Row], most: int) -> list[Row]:
    return [rows[place] for place in np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)] if rows else []


def _most(inputs: dict[str, str], most: int) -> int:
    return MOST_PICTURES if "image" in inputs.values() else most


def _learned(name: str, kind: str, train: Sequence[Row], root: Path) -> Column:
    bare, read = Column(name, kind), kinds.get(kind).read
    rows = _evenly(train, _most({name: kind}, MOST_LEARNED))
    return Column(name, kind, sketch_of(bare).learn(read(row[name], root) for row in rows))


def _answers(predictor: Labeller, rows: Sequence[Row], splits: Splits) -> Json:
    answers = [
        answer
        for start in range(0, len(rows), CHUNK)
        for answer in predictor.answer(rows[start : start + CHUNK], splits.root)
    ]
    truth = [row[splits.output_column] for row in rows]
    return {
        "mix": dict(Counter(str(answer.value) for answer in answers)),
        "confidence": [round(answer.confidence or 0.0, 4) for answer in answers],
        "right": [int(str(answer.value) == str(label)) for answer, label in zip(answers, truth, strict=True)],
    }


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
        wide = max(
            trait.start + (trait.width if trait.form == "vector" else 1)
            for trait in sketch_of(column).traits(column.state)
        )
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
    )


def opened(folder: Path, say: Callable[[str], None]) -> Reference | None:
    """As `read`; a damaged one is told and left out, since a service serves without it."""
    try:
        return read(folder)
    except DataError as error:
        say(error.message)
        return None
