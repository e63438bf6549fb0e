"""Things that nobody drew: boxes that the model is sure of where no right one lies.

Source: Northcutt et al. 2021, Confident learning, arXiv:1911.00068, here of what was left out, and of boxes.
"""

from typing import NamedTuple

import numpy as np

from windlass.kinds import boxes
from windlass.kinds.boxes import BOX, LABEL, SCORE
from windlass.metrics.detection import BoxMarks, overlaps
from windlass.outputs.boxes.measures import detector
from windlass.outputs.contract import Suspected
from windlass.predictors.contract import Predictor
from windlass.records import Splits

SURE, APART = 0.5, 0.5
"""From which probability on a box that is not drawn is told of, and how much it may overlap one that is."""
MOST_CHECKED = 400
"""Train pictures that are looked at for the report, evenly spread: each costs an answer."""


class Missing(NamedTuple):
    """picture: its place among the pictures; box: (4,); score: how likely it is one."""

    picture: int
    label: str
    box: np.ndarray
    score: float


def missing(marks: BoxMarks, least: float = SURE) -> list[Missing]:
    """The surest first. Boxes that overlap a right one, of whatever class, or a crowd, are none."""
    found = []
    for picture, (given, right) in enumerate(zip(marks.given, marks.right, strict=True)):
        likeness = overlaps(given.boxes, right.boxes, right.scores > 0)
        is_alone = (likeness <= APART).all(axis=1) & (given.scores >= least)
        kept: list[int] = []
        for place in np.flatnonzero(is_alone)[np.argsort(-given.scores[is_alone], kind="stable")].tolist():
            if not kept or (overlaps(given.boxes[[place]], given.boxes[kept]) <= APART).all():
                kept.append(place)  # two boxes on one place are one thing
        found += [
            Missing(picture, marks.classes[given.classes[n]], given.boxes[n], float(given.scores[n])) for n in kept
        ]
    return sorted(found, key=lambda each: -each.score)


def suspected(predictor: Predictor, splits: Splits) -> list[Suspected]:
    """Train pictures on which things may have been left out, the surest first. Raises: DataError."""
    n_rows = len(splits.train)
    places = np.unique(np.linspace(0, max(0, n_rows - 1), min(n_rows, MOST_CHECKED)).astype(int))
    rows, output = splits.train[places].to_dicts(), splits.output_column
    found = missing(detector(predictor).marks(rows, [row[output] for row in rows], splits.root))
    things: dict[int, list[dict[str, object]]] = {}
    for each in found:
        box = np.round(each.box, boxes.PLACES).tolist()
        things.setdefault(each.picture, []).append({LABEL: each.label, BOX: box, SCORE: round(each.score, 4)})
    surest = {picture: float(str(said[0][SCORE])) for picture, said in things.items()}
    return [Suspected(rows[picture], rows[picture][output], said, surest[picture]) for picture, said in things.items()]
