"""What the rows of a release were like when it was made, without a row of it: what `watch` compares with.

`reference.json` of a release, data alone: of each input how its kind sums up a value, and the profiles of rows that
were not trained on; how these were answered, how surely, and whether rightly.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, WindlassError
from windlass.kinds import table as kinds
from windlass.kinds.sketch import Sketch, Trait
from windlass.kinds.text import several
from windlass.predictors import text_answers
from windlass.predictors.contract import Labeller, Predictor
from windlass.predictors.writer import Writer
from windlass.records import Answer, Column, Json, Recent, Row, Splits
from windlass.store import read_json, write_json

FILE = "reference.json"
_WRITTEN_OUT = json.JSONEncoder(separators=(",", ":"))
MOST_ROWS, MOST_LEARNED, MOST_PICTURES = 1_000, 10_000, 500
"""Rows that are profiled, and training rows that the ways of summing up are learned from."""
LEAST_OF_NOW, LEAST_ASKED = 200, 100
"""Rows that a reference has where it can; rows that must have been asked lately to tell the shares of the labels."""
CHUNK = 64
Known = tuple[Row, bool]
"""A row with its label, and whether it was kept from training."""
MOST_WRITTEN, WRITTEN_AT_ONCE, WRITING_S = 200, 8, 60.0
"""Rows that a product which writes answers, some at once; begun for so many seconds at most."""


@dataclass(frozen=True)
class Reference:
    """columns: each input, with the state of its sketch. profiles: (n, k) of each column.

    mix: answer -> rows. confidence, right: (n,) of the answers; empty for a product that writes. written: of a product
    that writes, the column of its answers with the state of their sketch, and their profiles (m, k).
    """

    columns: tuple[Column, ...]
    profiles: tuple[np.ndarray, ...]
    mix: dict[str, int]
    confidence: np.ndarray
    right: np.ndarray
    written: tuple[Column, np.ndarray] | None = None

    def profile(self, row: Row, answer: Answer | None = None) -> str:
        """What may be remembered of a row, as JSON: a list of whole numbers for each column, null where none is.

        After the columns comes the answer, where it is a text.
        """
        found = [_profile(column, row) for column in self.columns]
        if self.written is not None and answer is not None:
            found.append(text_answers.profile(answer, self.written[0].state))
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


def _profile(column: Column, row: Row, root: Path | None = None) -> list[int] | None:
    try:
        value = kinds.of(column).read(row.get(column.name), root)
        return sketch_of(column).profile(value, column.state)
    except DataError:
        return None


def make(splits: Splits, predictor: Predictor, recent: Recent | None = None) -> Json:
    """The content of `reference.json`: from rows of test, then of validation; `predictor` answers them.

    recent: what came in use and was learned from. What comes is then compared with all that is known, each label as
    often as it is asked for now: a topic that was learned is no drift any more, one that was not still is.
    """
    train, kept = splits.train.to_dicts(), _kept(splits, predictor, recent)
    columns = [kinds.with_way(_learned(name, kind, train, splits.root), splits.written.get(name))
               for name, kind in splits.inputs.items()]
    profiles = [[_profile(column, row, splits.root) for column in columns] for row, _ in kept]
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
        "written": _written(predictor, rows, train, splits) if isinstance(predictor, Writer) else None,
    }


def _written(predictor: Writer, rows: Sequence[Known], train: Sequence[Row], splits: Splits) -> Json | None:
    """How the product writes: its own answers to rows that were not trained on, as many as it gives in a minute."""
    asked = _evenly([row for row, _ in rows if any(row[name] for name in splits.inputs)], MOST_WRITTEN)
    rights = (each for row in _evenly(train, MOST_LEARNED) for each in several(str(row[splits.output_column] or "")))
    state = text_answers.learn(rights)
    profiles: list[list[int]] = []
    until = time.monotonic() + WRITING_S
    for start in range(0, len(asked), WRITTEN_AT_ONCE):
        if time.monotonic() > until:
            break
        answers = predictor.answer(asked[start : start + WRITTEN_AT_ONCE], splits.root)
        profiles += [text_answers.profile(answer, state) for answer in answers]
    return {"name": splits.output_column, "state": state, "profiles": profiles} if profiles else None


def _kept(splits: Splits, predictor: Predictor, recent: Recent | None) -> list[Known]:
    """Rows that were not trained on, evenly spread; with recent ones these, too."""
    if recent is not None and isinstance(predictor, Labeller):
        return _as_asked(splits, predictor, recent)
    if recent is not None:
        return _half_new(splits, recent)
    found = [(row, True) for row in _held(splits)][: max(MOST_ROWS, splits.test.height)]
    return _evenly(found, _most(splits.inputs, MOST_ROWS))


def _held(splits: Splits) -> list[Row]:
    return [*splits.test.to_dicts(), *splits.validation.to_dicts()]


def _half_new(splits: Splits, recent: Recent) -> list[Known]:
    """As many rows that came in use as others, which are at least `LEAST_OF_NOW`."""
    new, most = [*recent.judging, *recent.learned], _most(splits.inputs, MOST_ROWS)
    rows = [*_evenly(new, most // 2), *_evenly(_held(splits), max(LEAST_OF_NOW, min(len(new), most // 2)))]
    return [(row, True) for row in rows]


def _as_asked(splits: Splits, predictor: Labeller, recent: Recent) -> list[Known]:
    """Rows whose label is known, in the shares in which labels are asked for; so many that none is too scarce for its
    share, where that leaves `LEAST_OF_NOW`."""
    held, output = [*recent.judging, *_held(splits)], splits.output_column
    rows: dict[str, list[Known]] = defaultdict(list)
    for known in [*((row, True) for row in held), *((row, False) for row in recent.learned)]:
        rows[known[0][output]].append(known)
    shares = _shares(splits, predictor, recent)
    enough = min((len(rows[label]) / share for label, share in shares.items() if rows[label]), default=0.0)
    total = min(_most(splits.inputs, MOST_ROWS), max(LEAST_OF_NOW, enough))
    return [known for label, share in shares.items() for known in _evenly(rows[label], round(total * share))]


def _shares(splits: Splits, predictor: Labeller, recent: Recent) -> dict[str, float]:
    """Label -> its share of what is asked for: by the answers to what was asked last; where little of that was kept,
    half as in the rows that came in use, half as in the others."""
    if len(recent.asked) >= LEAST_ASKED:
        found = Counter(str(answer.value) for answer in _answered(predictor, recent.asked, splits.root))
        return _normal(found)
    output = splits.output_column
    parts = [[*recent.judging, *recent.learned], _held(splits)]
    halves = [_normal(Counter(row[output] for row in part)) for part in parts if part]
    labels = sorted({label for half in halves for label in half})
    return {label: sum(half.get(label, 0.0) for half in halves) / len(halves) for label in labels}


def _normal(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {label: count / total for label, count in sorted(counts.items())}


def _evenly(rows: Sequence[Any], most: int) -> list[Any]:
    return [rows[place] for place in np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)] if rows else []


def _most(inputs: dict[str, str], most: int) -> int:
    return MOST_PICTURES if "image" in inputs.values() else most


def _learned(name: str, kind: str, train: Sequence[Row], root: Path) -> Column:
    bare, read = Column(name, kind), kinds.get(kind).read
    rows = _evenly(train, _most({name: kind}, MOST_LEARNED))
    return Column(name, kind, sketch_of(bare).learn(read(row[name], root) for row in rows))


def _answers(predictor: Labeller, rows: Sequence[Known], splits: Splits) -> Json:
    """How sure it is and whether it is right are told of rows alone that were not trained on."""
    answers, output = _answered(predictor, [row for row, _ in rows], splits.root), splits.output_column
    held = [(answer, row[output]) for answer, (row, is_held) in zip(answers, rows, strict=True) if is_held]
    return {
        "mix": dict(Counter(str(answer.value) for answer in answers)),
        "confidence": [round(answer.confidence or 0.0, 4) for answer, _ in held],
        "right": [int(str(answer.value) == str(label)) for answer, label in held],
    }


def _answered(predictor: Labeller, rows: Sequence[Row], root: Path) -> list[Answer]:
    return [
        answer
        for start in range(0, len(rows), CHUNK)
        for answer in predictor.answer(rows[start : start + CHUNK], root)
    ]


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
    )


def _parsed_written(found: Json | None) -> tuple[Column, np.ndarray] | None:
    if found is None:
        return None
    column, table = Column(str(found["name"]), "text", dict(found["state"])), np.array(found["profiles"], np.int32)
    if table.ndim != 2 or table.shape[1] < _wide(text_answers.traits(column.state)):
        raise ValueError("profiles of what was written")
    return column, table


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
