"""What each class got right and wrong: counts behind the tables and pictures, all pure functions."""

from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Array, Estimate, Threshold, answered, wilson


@dataclass(frozen=True)
class ClassScore:
    """How one class did on the test rows; `rows` is how many truly belong to it."""

    label: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    rows: int


@dataclass(frozen=True)
class Pair:
    """Rows of class `truth` that were answered `answer`, and the share of that class they are."""

    truth: str
    answer: str
    count: int
    share: float


@dataclass(frozen=True)
class Bin:
    """Answers of like confidence: their mean confidence, and the share that was right with its interval."""

    confidence: float
    accuracy: Estimate
    rows: int


@dataclass(frozen=True)
class Mistake:
    """A wrong answer: the row's place, its true class, the answer and the answer's confidence 0-1."""

    row: int
    truth: int
    answer: int
    confidence: float


def class_scores(matrix: Array, labels: list[str]) -> list[ClassScore]:
    """Precision, recall and F1 of each class with 95 % intervals, in the order of `labels`.

    Args:   matrix: (k, k) counts, row = true class, column = answer.
    Source: F1 = 2J / (1 + J) with J = hits / (hits + false alarms + misses), so J's interval gives F1's.
    """
    found = []
    for place, label in enumerate(labels):
        hits, true, answered = (
            int(each) for each in (matrix[place, place], matrix[place].sum(), matrix[:, place].sum())
        )
        overlap = wilson(hits, true + answered - hits)
        f1 = Estimate(*(2 * value / (1 + value) for value in (overlap.value, overlap.low, overlap.high)))
        found.append(ClassScore(label, wilson(hits, answered), wilson(hits, true), f1, true))
    return found


def confused_pairs(matrix: Array, labels: list[str], top: int = 25) -> list[Pair]:
    """The most frequent confusions, the most frequent first; ties go to the class with fewer rows."""
    true = matrix.sum(1)
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    places = [(int(truth), int(answer)) for truth, answer in np.argwhere(wrong)]
    places.sort(key=lambda place: (-wrong[place], true[place[0]], place))
    return [
        Pair(labels[truth], labels[answer], int(wrong[truth, answer]), float(wrong[truth, answer] / true[truth]))
        for truth, answer in places[:top]
    ]


def confidence_bins(
    targets: Array, probabilities: Array, n_bins: int = 10, threshold: Threshold | None = None
) -> list[Bin]:
    """Equal-width bins of confidence that hold at least one row, the lowest first."""
    answers, confidence = _said(probabilities, threshold)
    finite = np.isfinite(confidence)
    confidence, right = confidence[finite], (answers == targets)[finite]
    places = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    found = []
    for place in np.unique(places):
        inside = places == place
        hits, total = int(right[inside].sum()), int(inside.sum())
        found.append(Bin(float(confidence[inside].mean()), wilson(hits, total), total))
    return found


def _said(probabilities: Array, threshold: Threshold | None) -> tuple[Array, Array]:
    """The answer of each row (n,) int, and its confidence (n,)."""
    answers = answered(probabilities, threshold)
    return answers, probabilities[np.arange(len(answers)), answers]


def confident_mistakes(
    targets: Array, probabilities: Array, top: int = 15, threshold: Threshold | None = None
) -> list[Mistake]:
    """The wrong answers that were given with the most confidence, the most confident first."""
    answers, confidence = _said(probabilities, threshold)
    wrong = np.flatnonzero((answers != targets) & np.isfinite(confidence))
    ordered = wrong[np.argsort(-confidence[wrong], kind="stable")][:top]
    return [Mistake(int(row), int(targets[row]), int(answers[row]), float(confidence[row])) for row in ordered]
