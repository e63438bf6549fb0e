"""Champion and challenger on users whose next items are known: each list by its NDCG."""

from pathlib import Path

import numpy as np

from windlass.metrics.measures import Marks
from windlass.metrics.recommendations import EACH, NDCG
from windlass.outputs.comparison import SAME, Paired, PairedAnswers, PairedScores, by_chance
from windlass.outputs.items.measures import recommender
from windlass.outputs.labelled_row import Pairs
from windlass.predictors.contract import Predictor


class PairedLists(PairedAnswers):
    """A list is worth what the goal says of one row; where nothing was liked it is worth nothing, of both."""

    parts_are = ("users", "user")
    worth_is = ("lists", "NDCG@10")

    def __init__(self, pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> None:
        rows, truth = [row for row, _ in pairs], [right for _, right in pairs]
        self.metric = metric if metric in EACH else NDCG
        self.both = [recommender(each).marks(rows, truth, root) for each in pair]
        self.each = [np.nan_to_num(found.each[self.metric]) for found in self.both]

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (values[chosen] for values in self.each)
        if not len(before):
            return PairedScores(name, 0, 0.0, 0.0, 0, 0, self.metric)
        won, lost = int((after > before + SAME).sum()), int((after < before - SAME).sum())
        chance = by_chance(before, after), by_chance(after, before)
        return PairedScores(
            name, len(before), float(before.mean()), float(after.mean()), won, lost, self.metric, chance
        )

    def worth(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By NDCG@10: lists get better a little with each night, and a night's users are few."""
        before, after = (np.nan_to_num(found.each[NDCG])[chosen] for found in self.both)
        return before, after

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        before, after = (found.of(chosen) for found in self.both)
        return before, after

    def parts(self) -> list[tuple[str, np.ndarray]]:
        few = self.both[0].is_cold
        return [("with a short history", few), ("with a history", ~few)]
