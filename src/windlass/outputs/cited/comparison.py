"""Champion and challenger on questions whose right answers are known."""

from functools import cached_property
from pathlib import Path

import numpy as np

from windlass.metrics.measures import Marks
from windlass.outputs.cited.measures import answerer
from windlass.outputs.comparison import Paired, PairedAnswers
from windlass.outputs.labelled_row import Pairs
from windlass.predictors.contract import Predictor


class PairedCitations(PairedAnswers):
    """Answers are right or wrong; a refusal is right where nothing answers."""

    parts_are = ("questions", "question")

    def __init__(self, pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> None:
        rows, truth = [row for row, _ in pairs], [right for _, right in pairs]
        self.metric = metric
        self.both = [answerer(each).marks(rows, truth, root) for each in pair]

    @cached_property
    def right(self) -> list[np.ndarray]:
        return [found.right for found in self.both]

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (right[chosen] for right in self.right)
        if not len(before):
            return Paired(name, 0, 0.0, 0.0, 0, 0)
        won, lost = int((after & ~before).sum()), int((before & ~after).sum())
        return Paired(name, len(before), float(before.mean()), float(after.mean()), won, lost)

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        before, after = (found.of(chosen) for found in self.both)
        return before, after

    def parts(self) -> list[tuple[str, np.ndarray]]:
        answerable = self.both[0].answerable
        return [("with an answer", answerable), ("without an answer", ~answerable)]
