"""Champion and challenger on the same rows: what each answer is worth, and whether the difference is chance.

A sheet says what an answer is worth, by its kind: right or wrong, or a text's score against the right ones. The test
is the same for all of them: would the two differ as much if which of them gave which answer were a matter of chance?
Source: approximate randomisation, Noreen 1989, for scores of texts Riezler & Maxwell 2005, who found the bootstrap to
        speak too often; of right and wrong it is the exact test of McNemar 1947 (binomial over the rows that differ).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.stats import binomtest

from windlass.metrics.measures import Estimate, Marks, paired_difference
from windlass.pages.text.words import metric_name, percent
from windlass.records import Json

N_SHUFFLED = 2_000
SAME = 1e-9
SHORT, LONG = 1 / 3, 2 / 3


@dataclass(frozen=True)
class Paired:
    """Rows that both answered. won, lost: how many only the challenger, only the champion, had right."""

    name: str
    rows: int
    before: float
    after: float
    won: int
    lost: int
    noticed: ClassVar[float] = 0.0
    """A difference that is no larger is nobody's loss and no gain, however sure it is."""

    @property
    def p_gain(self) -> float:
        """Chance of so many won rows if both were as good."""
        return _p(self.won, self.lost)

    @property
    def p_loss(self) -> float:
        return _p(self.lost, self.won)

    @property
    def gain(self) -> float:
        """By how much the challenger is better, in the unit of `noticed`."""
        return self.after - self.before

    def gains(self, level: float) -> bool:
        return bool(self.p_gain < level and self.gain > self.noticed)

    def loses(self, level: float) -> bool:
        return bool(self.p_loss < level and -self.gain > self.noticed)

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "rows": self.rows,
            "before": round(self.before, 6),
            "after": round(self.after, 6),
            "won": self.won,
            "lost": self.lost,
            "p_gain": round(self.p_gain, 6),
            "p_loss": round(self.p_loss, 6),
        }

    def __str__(self) -> str:
        return (
            f"{percent(self.before)} -> {percent(self.after)} of {self.rows:,} rows right "
            f"({self.won} won, {self.lost} lost)"
        )


def _p(more: int, less: int) -> float:
    total = more + less
    return float(binomtest(more, total, 0.5, alternative="greater").pvalue) if total else 1.0


@dataclass(frozen=True)
class PairedScores(Paired):
    """The same of scores 0-1. before, after: the metric; won, lost: rows whose score rose, fell."""

    metric: str = ""
    chance: tuple[float, float] = (1.0, 1.0)
    """Of such a gain, of such a loss, if both were as good."""
    noticed: ClassVar[float] = 0.01

    @property
    def p_gain(self) -> float:
        return self.chance[0]

    @property
    def p_loss(self) -> float:
        return self.chance[1]

    def as_json(self) -> Json:
        return {**super().as_json(), "metric": self.metric}

    def __str__(self) -> str:
        return (
            f"{metric_name(self.metric)} {self.before:.3f} -> {self.after:.3f} of {self.rows:,} rows "
            f"({self.won} better, {self.lost} worse)"
        )


class PairedAnswers(ABC):
    """What both answered to all rows, beside what is right. parts_are: what one part of the answers is called.
    points_are: what a hundredth of the goal's difference is called, and what several are."""

    parts_are: ClassVar[tuple[str, str]]
    points_are: ClassVar[tuple[str, str]] = ("point", "points")
    worth_is: ClassVar[tuple[str, str]] = ("probabilities", "1 - Brier score / 2")
    """What `worth` is of, and how it is measured."""

    @abstractmethod
    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        """Both on the rows chosen, (n,) bool."""

    @abstractmethod
    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        """Of the champion and the challenger on these rows, as the goal measures them."""

    def worth(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """What the probabilities of champion and challenger are worth on each of these rows, larger is better, or what
        else tells more than right and wrong (`worth_is`); None where nothing does."""
        return None

    @abstractmethod
    def parts(self) -> list[tuple[str, np.ndarray]]:
        """Name and rows (n,) bool of each part that is told from the right answers."""

    def falls(self, chosen: np.ndarray) -> list[tuple[str, str, float, float, Estimate]]:
        """What of the answers has a measure of its own that may not fall: its name, the measure, which champion and
        challenger reach on these rows, and the difference with its interval."""
        return []

    def evidence(self) -> Json:
        """What else is to be known of them."""
        return {}

    def goal(self, metric: str, chosen: np.ndarray) -> tuple[float, float, Estimate]:
        """The metric of champion and challenger, and by how much the challenger is better, with its interval."""
        before, after = self.marks(chosen)
        return before.value(metric), after.value(metric), paired_difference(metric, after, before)


def by_chance(before: np.ndarray, after: np.ndarray) -> float:
    """Chance that the second is better on average by as much as is seen, were it a matter of chance which of the two
    gave which. (n,) each."""
    more = after - before
    random = np.random.default_rng(13)
    sums = [float((2.0 * random.integers(0, 2, len(more)) - 1.0) @ more) for _ in range(N_SHUFFLED)]
    return (1 + int((np.array(sums) >= more.sum() - SAME).sum())) / (1 + N_SHUFFLED)


def thirds(name: str, values: Sequence[Any], low: str, high: str) -> list[tuple[str, np.ndarray]]:
    """The rows with the smallest and with the largest numbers, by words for both; none where nothing is known."""
    sizes = np.array([np.nan if value is None else float(value) for value in values], np.float64)
    if np.isnan(sizes).all():
        return []
    small, large = np.nanquantile(sizes, [SHORT, LONG])
    return [(f"{name}: {low}", sizes <= small), (f"{name}: {high}", sizes >= large)]
