"""What answers cost, and what it saves to let a person take the cases in which every answer costs more.

Decide for each row what is cheapest by the probabilities: one of the labels, or a person.
Source: Chow 1970, IEEE Trans. Inf. Theory 16 (reject option); Elkan 2001, IJCAI, "cost-sensitive learning", section 2.
"""

from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Estimate, LabelMarks
from windlass.records import Json

N_RESAMPLES = 400
N_STEPS = 20


@dataclass(frozen=True)
class Costs:
    """In the product's currency. missed: (k,) what it costs when the truth is this class and the answer another;
    person: of a case that a person takes; person_wrong: share of those cases that the person gets wrong."""

    missed: np.ndarray
    person: float
    person_wrong: float = 0.0


@dataclass(frozen=True)
class Handover:
    """What each answer costs on the average row. now: always the likeliest label; people: a person decides all; best:
    the cheapest of these for each row; saved: against the better of the two, with its interval; chance: that it is
    above 0; saved_now: against always the likeliest label; handed: share that a person takes; threshold: confidence
    under which, when all mistakes cost the same, else none; wrong: share of wrong answers among those still given."""

    now: float
    people: float
    best: float
    saved: Estimate
    chance: float
    saved_now: Estimate
    handed: float
    threshold: float | None
    wrong_now: float
    wrong: float


def decided(probabilities: np.ndarray, costs: Costs) -> np.ndarray:
    """(n,) the class that is the cheapest answer of each row, -1 for a person.

    Answering j costs what the other classes would: sum over i != j of p_i * missed_i.
    """
    weighed = probabilities * costs.missed
    risk = weighed.sum(1, keepdims=True) - weighed
    best = risk.argmin(1)
    by_person = costs.person + costs.person_wrong * weighed.sum(1)
    return np.where(risk.min(1) <= by_person, best, -1)


def row_costs(targets: np.ndarray, answers: np.ndarray, costs: Costs) -> np.ndarray:
    """(n,) what each row costs when answered so."""
    by_person = costs.person + costs.person_wrong * costs.missed[targets]
    return np.where(answers < 0, by_person, np.where(answers == targets, 0.0, costs.missed[targets]))


def handover(marks: LabelMarks, costs: Costs, seed: int) -> Handover:
    """What deciding by costs is worth on these rows, against always giving the likeliest label."""
    answers = decided(marks.probabilities, costs)
    usual = marks.answers
    now, best = row_costs(marks.targets, usual, costs), row_costs(marks.targets, answers, costs)
    people = row_costs(marks.targets, np.full(len(marks), -1), costs)
    saved = (now if now.mean() <= people.mean() else people) - best
    resampled = _resampled(saved, seed)
    given = answers >= 0
    wrong = float((answers[given] != marks.targets[given]).mean()) if given.any() else 0.0
    same = float(np.ptp(costs.missed)) < 1e-9 and costs.missed[0] > 0
    return Handover(
        float(now.mean()),
        float(people.mean()),
        float(best.mean()),
        _estimate(saved, resampled),
        float((resampled > 0).mean()),
        _estimate(now - best, _resampled(now - best, seed)),
        float((~given).mean()),
        max(0.0, 1 - costs.person_wrong - costs.person / float(costs.missed[0])) if same else None,
        float((usual != marks.targets).mean()),
        wrong,
    )


def _resampled(values: np.ndarray, seed: int) -> np.ndarray:
    """Means of the values over resampled rows."""
    random = np.random.default_rng(seed)
    return np.array([values[random.integers(0, len(values), len(values))].mean() for _ in range(N_RESAMPLES)])


def _estimate(values: np.ndarray, resampled: np.ndarray) -> Estimate:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high))


def coverage(marks: LabelMarks) -> list[Json]:
    """Share of the rows that are answered when only the surest are, and the share of right answers among them."""
    order = np.argsort(-marks.probabilities.max(1), kind="stable")
    right = marks.right[order]
    sure = marks.probabilities.max(1)[order]
    found = []
    for step in range(1, N_STEPS + 1):
        kept = max(1, round(step / N_STEPS * len(order)))
        found.append(
            {"answered": kept / len(order), "right": float(right[:kept].mean()), "above": float(sure[kept - 1])}
        )
    return found
