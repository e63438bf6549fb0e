"""What to label next, as a table to fill in: answers of the log that are worth it (`outputs/worth_labelling.py`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from windlass.kinds import table as kinds
from windlass.outputs import table as outputs
from windlass.outputs.worth_labelling import Question
from windlass.serving.contract import codec
from windlass.sources.outgoing import TAUGHT, as_csv, free_names
from windlass.spec import Spec
from windlass.store.files import write_text


def write_questions(found: Sequence[Question], spec: Spec, folder: Path) -> Path:
    """A CSV to fill in, in a file of its own, where the output has no better form: the column of the output is empty;
    `windlass improve --rows` reads it."""
    written = outputs.of(spec).to_label
    if written is not None:
        return written(found, spec, folder)
    names = free_names(TAUGHT, spec.columns)
    rows = [
        {
            names["id"]: each.id,
            **{name: _told(value) for name, value in kinds.spelt(spec, each.values).items()},
            names["answered"]: each.answered,
            names["confidence"]: "" if each.confidence is None else f"{each.confidence:.3f}",
        }
        for each in found
    ]
    columns = [names["id"], *spec.inputs, spec.output_column, names["answered"], names["confidence"]]
    number = 1
    while (path := folder / f"to-label-{number}.csv").exists():
        number += 1
    write_text(path, as_csv(columns, rows))
    return path


def _told(value: Any) -> str:
    if isinstance(value, list | dict):
        return codec.dumps(value).decode("utf-8")
    return "" if value is None else str(value)
