"""Which answers of the log are worth a label: those of which the champion was not sure, that differ from each other.

Of texts, those whose tokens were unlikely; where what writes knows no likelihood, those that differ most. Pictures
differ as their thumbnails do (the vector of their kind's sketch), all else by the runs of letters that they share.

Source: margin sampling, Scheffer et al. 2001; greedy spreading over what was chosen, Sener & Savarese 2018,
arXiv:1708.00489 (k-center).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from windlass.database.backend import Database
from windlass.database.request_log import latest_without_feedback
from windlass.errors import NotReady
from windlass.kinds import table as kinds
from windlass.outputs import table as outputs
from windlass.predictors.contract import Predictor
from windlass.records import Json

POOL = 20
"""So many of the least sure answers, for each that is asked for, are spread over."""
MOST_READ = 20_000
"""The last answers; what was asked long ago is not what is asked now."""


@dataclass(frozen=True)
class Question:
    """An answer that is worth a label. margin: between its two likeliest labels, of a text its confidence, 0-1:
    smaller is less sure; confidence None: not known. value: as the log keeps it."""

    id: str
    values: Json
    answered: str
    confidence: float | None
    margin: float
    value: str = ""


def questions(
    place: Database, champion: Predictor, inputs: Mapping[str, str], n_wanted: int, most_read: int = MOST_READ
) -> list[Question]:
    """The most telling first. Raises: NotReady: no answer in the log has its inputs. DataError: it cannot be read."""
    from windlass.sources.near_duplicates import key  # scipy: not what a service loads before it is asked

    found: dict[str, Json] = {}
    for row in latest_without_feedback(place, most_read):
        found.setdefault(key(row["inputs"], inputs), row)
    if not found:
        raise NotReady(
            "no answer in the log has what was asked and no feedback, expected some to choose from",
            "`keep_inputs: true` in windlass.yaml keeps it from now on",
        )
    rows = list(found.values())
    doubts = outputs.get(champion.manifest.output.kind).doubts(champion, rows)
    asked = [
        Question(row["id"], row["inputs"], doubt.answered, doubt.confidence, doubt.margin, row["value"])
        for row, doubt in zip(rows, doubts, strict=True)
    ]
    margins = np.array([each.margin for each in asked])
    unsure = np.argsort(margins, kind="stable")[: POOL * n_wanted]
    chosen = spread([asked[place].values for place in unsure], 1 - margins[unsure], inputs, n_wanted)
    return [asked[place] for place in unsure[chosen]]


def spread(rows: Sequence[Json], worth: np.ndarray, inputs: Mapping[str, str], n_wanted: int) -> list[int]:
    """Places of rows, each the one whose worth times its distance to those chosen before is largest."""
    likeness = _likeness(rows, inputs)
    nearest = np.zeros(len(rows))
    chosen: list[int] = []
    while len(chosen) < min(n_wanted, len(rows)):
        value = worth * (1 - nearest)
        value[chosen] = -1.0
        best = int(value.argmax())
        chosen.append(best)
        nearest = np.maximum(nearest, likeness(best))
    return chosen


def _likeness(rows: Sequence[Json], inputs: Mapping[str, str]) -> Callable[[int], np.ndarray]:
    """Of a row how like all of them are, (n,) 0-1."""
    seen = [name for name, kind in inputs.items() if kinds.get(kind).is_picture]
    if seen:
        vectors = np.concatenate([_vectors([row[name] for row in rows], inputs[name]) for name in seen], axis=1)
        return lambda place: _near(vectors, place)
    from windlass.sources.near_duplicates import jaccard, shingles

    shared = jaccard(shingles(rows, inputs), shingles(rows, inputs))
    return lambda place: np.asarray(shared[place].todense()).ravel()


def _vectors(values: Sequence[Any], kind: str) -> np.ndarray:
    """(n, k) of pictures as the log has them: what their sketch says of their content."""
    of = kinds.get(kind)
    assert of.sketch is not None
    read = [of.read(value, None) for value in values]
    state = of.sketch.learn(read)
    traits = [trait for trait in of.sketch.traits(state) if trait.form == "vector"]
    profiles = np.array([of.sketch.profile(value, state) for value in read], float)
    return np.concatenate([profiles[:, trait.start : trait.start + trait.width] for trait in traits], axis=1)


def _near(vectors: np.ndarray, place: int) -> np.ndarray:
    """1 at the same place, 0 from a usual distance on."""
    apart = np.linalg.norm(vectors - vectors[place], axis=1)
    usual = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
    return np.clip(1 - apart / usual, 0, 1)
