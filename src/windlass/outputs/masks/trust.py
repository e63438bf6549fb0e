"""Whose masks are believed: against those that the champion is sure of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.kinds import boxes, image, masks
from windlass.outputs.boxes import trust
from windlass.outputs.labelled_row import ASIDE, LabelledRow, Pairs
from windlass.outputs.masks.measures import segmenter
from windlass.outputs.trust import Known, Opinion
from windlass.predictors.contract import Predictor
from windlass.predictors.segmentation.segmenter import fault_of_size, names_of, right_of
from windlass.spec import Spec

LEAST_PIXELS = 16
"""Pixels of which the champion must be sure before they tell something."""


def opinion(rows: Sequence[LabelledRow], champion: Predictor, known: Known, spec: Spec) -> Opinion:
    """Masks are doubted that deny most pixels of which the champion is sure. Raises: DataError: a row cannot be
    read."""
    model = segmenter(champion)
    denied, answers = np.zeros(len(rows)), []
    for number, row in enumerate(rows):
        found, size = model.seen(row.values, number, known.root)
        answers.append(boxes.kept(model.value(found)))
        things = masks.truth(row.label)
        if fault_of_size(things, size):
            continue  # `unfit` has set it aside
        right = right_of(things, names_of(model.classes, [things]), size)
        is_sure = np.concatenate([[False], found.scores >= trust.SURE])[found.numbers]
        if is_sure.sum() >= LEAST_PIXELS:
            denied[number] = (found.segments.by_pixel != right.by_pixel)[is_sure].mean()
    return trust.doubted(answers, denied, "masks", "pixels")


def unfit(rows: Sequence[LabelledRow], train: Pairs, spec: Spec) -> list[LabelledRow]:
    """Rows with masks of another size than their picture are set aside; as those with an unknown class may be."""
    name = next(iter(spec.inputs))
    return [_of_its_size(row, row.values.get(name)) for row in trust.unfit(rows, train, spec)]


def _of_its_size(row: LabelledRow, picture: object) -> LabelledRow:
    try:
        fault = fault_of_size(masks.truth(row.label), image.upright_size(picture, Path()))
    except DataError as error:
        fault = error.message
    return row.becomes(ASIDE, fault) if fault else row
