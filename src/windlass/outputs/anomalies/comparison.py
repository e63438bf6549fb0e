"""Champion and challenger on rows of which it is known whether something was wrong."""

from pathlib import Path

import numpy as np

from windlass.metrics.measures import LabelMarks, Marks
from windlass.outputs.anomalies.measures import alarm_marks
from windlass.outputs.comparison import PairedAnswers
from windlass.outputs.labelled_row import Pairs
from windlass.outputs.labels.comparison import PairedLabels
from windlass.outputs.labels.measures import labeller
from windlass.predictors.contract import Predictor


def compare(pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> PairedAnswers:
    """Champion and challenger on these rows. Raises: DataError: a row cannot be read."""
    return PairedAlarms((labeller(pair[0]), labeller(pair[1])), pairs, root)


class PairedAlarms(PairedLabels):
    """Answers are right or wrong, and faults found or not."""

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        rows = [self.rows[place] for place in np.flatnonzero(chosen)]
        found = []
        for each, one in zip(super().marks(chosen), self.pair, strict=True):
            assert isinstance(each, LabelMarks)
            found.append(alarm_marks(each, rows, one.manifest.inputs))
        return found[0], found[1]
