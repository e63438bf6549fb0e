"""Champion and challenger on rows whose right texts are known: each answer is worth its score."""

from functools import cached_property
from pathlib import Path

import numpy as np

from windlass.kinds import text
from windlass.metrics.measures import Marks
from windlass.metrics.texts import TEXT_METRICS, References, TextMarks
from windlass.outputs.comparison import N_SHUFFLED, SAME, Paired, PairedAnswers, PairedScores, thirds
from windlass.outputs.labelled_row import Pairs
from windlass.predictors.contract import Predictor


class PairedTexts(PairedAnswers):
    """Answers are worth their score against the right ones, by a metric that is a sum over rows."""

    parts_are = ("answers", "answer")

    def __init__(self, pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> None:
        self.metric = metric
        rows = [row for row, _ in pairs]
        self.rights: list[References] = [text.several(right) for _, right in pairs]
        self.said = [[str(answer.value) for answer in each.answer(rows, root)] if rows else [] for each in pair]

    @cached_property
    def _sums(self) -> list[np.ndarray]:
        return [TEXT_METRICS[self.metric].statistics(said, self.rights) for said in self.said]

    @cached_property
    def _scores(self) -> list[np.ndarray]:
        """(n,) of each: the metric of every row by itself."""
        return [np.array([self._score(row) for row in sums]) for sums in self._sums]

    def _score(self, sums: np.ndarray) -> float:
        return TEXT_METRICS[self.metric].score(sums)

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (sums[chosen] for sums in self._sums)
        n_rows = len(before)
        if not n_rows:
            return PairedScores(name, 0, 0.0, 0.0, 0, 0, self.metric)
        more = self._scores[1][chosen] - self._scores[0][chosen]
        was, now = (self._score(sums.sum(axis=0)) for sums in (before, after))
        won, lost = int((more > SAME).sum()), int((more < -SAME).sum())
        return PairedScores(name, n_rows, was, now, won, lost, self.metric, self._chance(before, after, now - was))

    def _chance(self, before: np.ndarray, after: np.ndarray, seen: float) -> tuple[float, float]:
        """How often the difference is as large, and as small, when each row's answers change hands by chance."""
        swapped = np.random.default_rng(13).integers(0, 2, (N_SHUFFLED, len(before)))
        moved = swapped @ (before - after)
        pairs = zip(before.sum(axis=0) - moved, after.sum(axis=0) + moved, strict=True)
        found = np.array([self._score(second) - self._score(first) for first, second in pairs])
        larger, smaller = int((found >= seen - SAME).sum()), int((found <= seen + SAME).sum())
        return (1 + larger) / (1 + N_SHUFFLED), (1 + smaller) / (1 + N_SHUFFLED)

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        places = np.flatnonzero(chosen)
        rights = [self.rights[place] for place in places]
        before, after = ([said[place] for place in places] for said in self.said)
        return TextMarks(before, rights), TextMarks(after, rights)

    def parts(self) -> list[tuple[str, np.ndarray]]:
        return thirds("right answer", [len(rights[0]) for rights in self.rights], "short", "long")
