"""Which tagged rows are worth an explanation: the surest mistakes, the surest right ones, and torn ones."""

from collections.abc import Sequence

import numpy as np

from windlass.outputs.tags.measures import tag_marks_of
from windlass.predictors.contract import Predictor
from windlass.records import Row, Splits

N_EACH = 3


def picked(predictor: Predictor, rows: Sequence[Row], splits: Splits) -> list[tuple[str, Row]]:
    """(group, row): wrong ones by their surest wrong yes or no, right ones by how sure the whole answer is."""
    marks = tag_marks_of(predictor.marks(rows, [row[splits.output_column] for row in rows], splits.root))
    wrong = marks.answers != marks.targets
    worst = np.where(wrong, np.abs(marks.probabilities - marks.targets), -1.0).max(axis=1)
    sure = marks.row_f1 if marks.confidence is None else marks.confidence
    wrongs = [int(place) for place in np.argsort(-worst, kind="stable") if not marks.right[place]][:N_EACH]
    order = [int(place) for place in np.argsort(-sure, kind="stable")]
    rights = [place for place in order if marks.right[place]][:N_EACH]
    unsure = [place for place in order[::-1] if place not in {*wrongs, *rights}][:N_EACH]
    groups = {"wrong": wrongs, "unsure": unsure, "right": rights}
    return [(name, rows[place]) for name, places in groups.items() for place in places]
