"""What a release remembers of its rows, without a row of it: `reference.json`, made when it is released."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.kinds import table as kinds
from windlass.outputs.contract import Kept, Output
from windlass.predictors.contract import Predictor
from windlass.records import Answer, Column, Json, Recent, Row, Splits
from windlass.registry.reference import profile_of, sketch_of

MOST_ROWS, MOST_LEARNED, MOST_PICTURES = 1_000, 10_000, 500
"""Rows that are profiled, and training rows that the ways of summing up are learned from."""
LEAST_OF_NOW = 200
"""Rows that a reference has where it can."""
CHUNK = 64


def make(output: Output, splits: Splits, predictor: Predictor, recent: Recent | None = None) -> Json:
    """The content of `reference.json`: from rows of test, then of validation; `predictor` answers them.

    recent: what came in use and was learned from. What comes is then compared with all that is known, each label as
    often as it is asked for now: a topic that was learned is no drift any more, one that was not still is.
    """
    train, kept = splits.train.to_dicts(), output.kept(splits, predictor, recent, most_rows(splits.inputs, MOST_ROWS))
    columns = [
        kinds.with_format(_learned(name, kind, train, splits.root), splits.written.get(name))
        for name, kind in splits.inputs.items()
    ]
    profiles = [[profile_of(column, row, splits.root) for column in columns] for row, _ in kept]
    whole = [place for place, found in enumerate(profiles) if all(part is not None for part in found)]
    seen = output.seen(predictor, [kept[place] for place in whole], splits)
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
        "answers": seen.answers,
        "written": seen.as_json(),
    }


def kept_rows(splits: Splits, predictor: Predictor, recent: Recent | None, most: int) -> list[Kept]:
    """Rows that were not trained on, evenly spread; with recent ones as many of these, too."""
    if recent is not None:
        return half_new(splits, recent, most)
    return evenly([(row, True) for row in held_rows(splits)][: max(MOST_ROWS, splits.test.height)], most)


def held_rows(splits: Splits) -> list[Row]:
    return [*splits.test.to_dicts(), *splits.validation.to_dicts()]


def half_new(splits: Splits, recent: Recent, most: int) -> list[Kept]:
    """As many rows that came in use as others, which are at least `LEAST_OF_NOW`."""
    new = [*recent.judging, *recent.learned]
    rows = [*evenly(new, most // 2), *evenly(held_rows(splits), max(LEAST_OF_NOW, min(len(new), most // 2)))]
    return [(row, True) for row in rows]


def evenly(rows: Sequence[Any], most: int) -> list[Any]:
    """At most so many of them, evenly spread."""
    return [rows[place] for place in np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)] if rows else []


def most_rows(inputs: dict[str, str], most: int) -> int:
    """So many rows, or fewer where pictures are among the inputs."""
    is_seen = any(kinds.get(kind).is_picture for kind in inputs.values())
    return min(most, MOST_PICTURES) if is_seen else most


def _learned(name: str, kind: str, train: Sequence[Row], root: Path) -> Column:
    bare, read = Column(name, kind), kinds.get(kind).read
    rows = evenly(train, most_rows({name: kind}, MOST_LEARNED))
    return Column(name, kind, sketch_of(bare).learn(read(row[name], root) for row in rows))


def answered(predictor: Predictor, rows: Sequence[Row], root: Path) -> list[Answer]:
    return [
        answer for start in range(0, len(rows), CHUNK) for answer in predictor.answer(rows[start : start + CHUNK], root)
    ]
