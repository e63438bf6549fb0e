"""Where the detector saw something: its own heat-map, the one that boxes are the peaks of."""

import numpy as np

from windlass.errors import DataError, did_you_mean, expected
from windlass.explain.attribution import read_inputs, shown_as
from windlass.kinds import boxes
from windlass.metrics.measures import Array
from windlass.outputs.boxes.measures import detector
from windlass.outputs.contract import Why
from windlass.predictors.contract import Predictor
from windlass.records import Explanation, Part, Row

METHOD, UNIT = "heat-map", "scores, 0 to 1"
SIDES = ("is seen there", "is not seen there")
MOST_PLACES = 32
"""Parts of a side that heat is told in: no finer than people look."""
LEAST_HEAT = 0.02


def explain(model: Predictor, row: Row, number: int, why: Why) -> Explanation:
    """The heat of a class, or of whichever is hottest; by one look. Raises: DataError: the row, or no such class."""
    found = detector(model)
    effort = why.effort()
    effort.check()
    if why.answer and why.answer not in found.classes:
        known = expected(found.classes)
        raise DataError(f"label is '{why.answer[:80]}', expected {known}", did_you_mean(why.answer[:80], found.classes))
    inputs = found.manifest.inputs
    values = read_inputs(inputs, row, number, why.root)
    heat, every = found.heat(row, number, why.root)
    effort.n_done = 1
    chosen = heat[found.classes.index(why.answer)] if why.answer else heat.max(axis=0)
    return Explanation(
        label=why.answer or boxes.brief(found.value(every)),
        confidence=None,
        method=METHOD,
        unit=UNIT,
        base=0.0,
        total=float(chosen.max(initial=0.0)),
        adds_up=False,
        n_evaluations=1,
        parts=tuple(_parts(inputs[0].name, chosen)),
        pictures=shown_as(inputs, values, is_picture=True),
        sides=SIDES,
    )


def _parts(column: str, heat: Array) -> list[Part]:
    """The hottest score in each part of the picture, but where it is cold. heat: (h, w) of the whole picture."""
    rows, columns = (np.linspace(0, side, min(side, MOST_PLACES) + 1).astype(int) for side in heat.shape)
    pooled = np.maximum.reduceat(np.maximum.reduceat(heat, rows[:-1], axis=0), columns[:-1], axis=1)
    found = []
    for down, across in np.argwhere(pooled >= LEAST_HEAT).tolist():
        box = (columns[across] / heat.shape[1], rows[down] / heat.shape[0],
               columns[across + 1] / heat.shape[1], rows[down + 1] / heat.shape[0])  # fmt: skip
        left, top, right, foot = (round(100 * side) for side in box)
        words = f"{left}-{right} % from the left, {top}-{foot} % from the top"
        found.append(Part(column, words, float(pooled[down, across]), box=box))
    return found
