"""What to label next: answers of which the champion was not sure, and that differ from each other.

Of texts, those whose tokens were unlikely; where what writes knows no likelihood, those that differ most.

Source: margin sampling, Scheffer et al. 2001; greedy spreading over what was chosen, Sener & Savarese 2018,
arXiv:1708.00489 (k-center).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.database.backend import Database
from windlass.database.request_log import latest_without_feedback
from windlass.errors import NotReady
from windlass.kinds import table as kinds
from windlass.outputs import table as outputs
from windlass.predictors.contract import Predictor
from windlass.records import Json
from windlass.serving.contract import codec
from windlass.sources.near_duplicates import jaccard, key, shingles
from windlass.sources.outgoing import TAUGHT, as_csv, free_names
from windlass.spec import Spec
from windlass.store.files import write_text

POOL = 20
"""So many of the least sure answers, for each that is asked for, are spread over."""
MOST_READ = 20_000
"""The last answers; what was asked long ago is not what is asked now."""


@dataclass(frozen=True)
class Question:
    """An answer that is worth a label. margin: between its two likeliest labels, of a text its confidence, 0-1:
    smaller is less sure; confidence None: not known."""

    id: str
    values: Json
    answered: str
    confidence: float | None
    margin: float


def questions(place: Database, champion: Predictor, inputs: Mapping[str, str], n_wanted: int) -> list[Question]:
    """The most telling first. Raises: NotReady: no answer in the log has its inputs. DataError: it cannot be read."""
    found: dict[str, Json] = {}
    for row in latest_without_feedback(place, MOST_READ):
        found.setdefault(key(row["inputs"], inputs), row)
    if not found:
        raise NotReady(
            "no answer in the log has what was asked and no feedback, expected some to choose from",
            "`keep_inputs: true` in windlass.yaml keeps it from now on",
        )
    rows = list(found.values())
    doubts = outputs.get(champion.manifest.output.kind).doubts(champion, rows)
    asked = [
        Question(row["id"], row["inputs"], doubt.answered, doubt.confidence, doubt.margin)
        for row, doubt in zip(rows, doubts, strict=True)
    ]
    margins = np.array([each.margin for each in asked])
    unsure = np.argsort(margins, kind="stable")[: POOL * n_wanted]
    chosen = spread([asked[place].values for place in unsure], 1 - margins[unsure], inputs, n_wanted)
    return [asked[place] for place in unsure[chosen]]


def spread(rows: Sequence[Json], worth: np.ndarray, inputs: Mapping[str, str], n_wanted: int) -> list[int]:
    """Places of rows, each the one whose worth times its distance to those chosen before is largest."""
    likeness = jaccard(shingles(rows, inputs), shingles(rows, inputs))
    nearest = np.zeros(len(rows))
    chosen: list[int] = []
    while len(chosen) < min(n_wanted, len(rows)):
        value = worth * (1 - nearest)
        value[chosen] = -1.0
        best = int(value.argmax())
        chosen.append(best)
        nearest = np.maximum(nearest, np.asarray(likeness[best].todense()).ravel())
    return chosen


def write_questions(found: Sequence[Question], spec: Spec, folder: Path) -> Path:
    """A CSV to fill in, in a file of its own: the column of the output is empty; `windlass improve --rows` reads it."""
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
