"""Which rows with known numbers are worth an explanation: the largest errors each way, and the nearest answers."""

from collections.abc import Sequence

import numpy as np

from windlass.outputs.numbers.measures import number_marks
from windlass.predictors.contract import Predictor
from windlass.records import Row, Splits

N_EACH = 3


def picked(predictor: Predictor, rows: Sequence[Row], splits: Splits) -> list[tuple[str, Row]]:
    """(group, row): where too little was said, where too much, and the nearest ones."""
    truth = [row[splits.output_column] for row in rows]
    residuals = number_marks(predictor.marks(rows, truth, splits.root)).residuals
    order = np.argsort(residuals, kind="stable").tolist()
    low = [place for place in order[::-1] if residuals[place] > 0][:N_EACH]
    high = [place for place in order if residuals[place] < 0][:N_EACH]
    near = [place for place in np.argsort(np.abs(residuals), kind="stable").tolist() if place not in {*low, *high}]
    groups = {"too low": low, "too high": high, "near": near[:N_EACH]}
    return [(name, rows[place]) for name, places in groups.items() for place in places]
