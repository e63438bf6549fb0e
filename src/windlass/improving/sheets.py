"""Champion and challenger on the same rows: what each answer is worth, and whether the difference is chance.

A sheet says what an answer is worth, by its kind: right or wrong, or a text's score against the right ones. The test
is the same for all of them: would the two differ as much if which of them gave which answer were a matter of chance?
Source: approximate randomisation, Noreen 1989, for scores of texts Riezler & Maxwell 2005, who found the bootstrap to
        speak too often; of right and wrong it is the exact test of McNemar 1947 (binomial over the rows that differ).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.stats import binomtest

from windlass.kinds import category, text
from windlass.metrics import Estimate, LabelMarks, Marks, paired_difference
from windlass.pages.words import metric_name, percent
from windlass.predictors.contract import Labeller, Predictor
from windlass.records import Json, Row
from windlass.text_metrics import TEXT_METRICS, References, TextMarks

Pairs = Sequence[tuple[Row, str]]
"""Rows with what is right."""
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

    def gains(self, level: float) -> bool:
        return self.p_gain < level and self.after - self.before > self.noticed

    def loses(self, level: float) -> bool:
        return self.p_loss < level and self.before - self.after > self.noticed

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


class Sheet(ABC):
    """What both answered to all rows, beside what is right. parts_are: what one part of the answers is called."""

    parts_are: ClassVar[tuple[str, str]]

    @abstractmethod
    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        """Both on the rows chosen, (n,) bool."""

    @abstractmethod
    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        """Of the champion and the challenger on these rows, as the goal measures them."""

    def worth(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """What the probabilities of champion and challenger are worth on each of these rows, larger is better; None
        where answers have none."""
        return None

    @abstractmethod
    def parts(self) -> list[tuple[str, np.ndarray]]:
        """Name and rows (n,) bool of each part that is told from the right answers."""

    def evidence(self) -> Json:
        """What else is to be known of them."""
        return {}

    def goal(self, metric: str, chosen: np.ndarray) -> tuple[float, float, Estimate]:
        """The metric of champion and challenger, and by how much the challenger is better, with its interval."""
        before, after = self.marks(chosen)
        return before.value(metric), after.value(metric), paired_difference(metric, after, before)


class LabelSheet(Sheet):
    """Answers are right or wrong. A label that one of them does not know it cannot have right."""

    parts_are = ("labels", "label")

    def __init__(self, pair: tuple[Labeller, Labeller], pairs: Pairs, root: Path) -> None:
        self.pair, self.root = pair, root
        self.rows = [row for row, _ in pairs]
        self.truth = np.array([label for _, label in pairs], object)
        self.given = [predictor.probabilities(self.rows, root) for predictor in pair]
        self.right = [_named(each, given) == self.truth for each, given in zip(pair, self.given, strict=True)]

    def paired(self, name: str, chosen: np.ndarray) -> Paired:
        before, after = (right[chosen] for right in self.right)
        n_rows = len(before)
        was, now = (float(right.mean()) if n_rows else 0.0 for right in (before, after))
        return Paired(name, n_rows, was, now, int((after & ~before).sum()), int((before & ~after).sum()))

    def marks(self, chosen: np.ndarray) -> tuple[Marks, Marks]:
        """Of rows with a label that the champion knows."""
        chosen = chosen & np.isin(self.truth, self.pair[0].labels)
        rows = [self.rows[place] for place in np.flatnonzero(chosen)]
        before = self.pair[0].marks(rows, list(self.truth[chosen]), self.root)
        return before, _on_old_labels(self.given[1][chosen], self.pair[1], before)

    def worth(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One minus the Brier score over two, 0-1. Source: Brier 1950; a proper score: Gneiting & Raftery 2007."""
        first, second = (
            _quadratic(each.labels, given[chosen], self.truth[chosen])
            for each, given in zip(self.pair, self.given, strict=True)
        )
        return first, second

    def parts(self) -> list[tuple[str, np.ndarray]]:
        return [(str(name), self.truth == name) for name in sorted(set(self.truth))]

    def evidence(self) -> Json:
        return {"new_labels": sorted(set(self.pair[1].labels) - set(self.pair[0].labels))}


def _quadratic(labels: Sequence[str], probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n,) where a label that is not known has no probability."""
    place = {label: number for number, label in enumerate(labels)}
    known = np.array([place.get(label, -1) for label in truth], int)
    right = np.where(known >= 0, probabilities[np.arange(len(known)), known], 0.0)
    return np.asarray(0.5 + right - (probabilities**2).sum(axis=1) / 2)


def by_chance(before: np.ndarray, after: np.ndarray) -> float:
    """Chance that the second is better on average by as much as is seen, were it a matter of chance which of the two
    gave which. (n,) each."""
    more = after - before
    random = np.random.default_rng(13)
    sums = [float((2.0 * random.integers(0, 2, len(more)) - 1.0) @ more) for _ in range(N_SHUFFLED)]
    return (1 + int((np.array(sums) >= more.sum() - SAME).sum())) / (1 + N_SHUFFLED)


def _named(predictor: Labeller, probabilities: np.ndarray) -> np.ndarray:
    """(n,) labels."""
    return np.array(predictor.labels, object)[predictor.answers(probabilities)]


def _on_old_labels(probabilities: np.ndarray, challenger: Labeller, before: LabelMarks) -> LabelMarks:
    """The challenger's probabilities for the champion's labels; a row that it answers with a new label is wrong."""
    place = {label: number for number, label in enumerate(challenger.labels)}
    known = [place[label] for label in before.labels]
    old = probabilities[:, known]
    is_new = ~np.isin(probabilities.argmax(axis=1), known)
    old[is_new, before.targets[is_new]] = 0.0
    old = old / np.maximum(old.sum(axis=1, keepdims=True), 1e-12)
    return replace(before, probabilities=old, threshold=category.threshold(challenger.manifest.output.state))


class TextSheet(Sheet):
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
        return thirds("right answer", [len(rights[0]) for rights in self.rights], ("short", "long"))


def thirds(name: str, values: Sequence[Any], ends: tuple[str, str]) -> list[tuple[str, np.ndarray]]:
    """The rows with the smallest and with the largest numbers; none where nothing is known."""
    sizes = np.array([np.nan if value is None else float(value) for value in values], np.float64)
    if np.isnan(sizes).all():
        return []
    low, high = np.nanquantile(sizes, [SHORT, LONG])
    return [(f"{name}: {ends[0]}", sizes <= low), (f"{name}: {ends[1]}", sizes >= high)]
