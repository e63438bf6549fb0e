"""What answers cost, and what it saves to let a person take the cases in which every answer costs more.

Decide for each row what is cheapest by the probabilities: one of the labels, or a person.
Source: Chow 1970, IEEE Trans. Inf. Theory 16 (reject option); Elkan 2001, IJCAI, "cost-sensitive learning", section 2.
"""

from dataclasses import dataclass

import numpy as np

from windlass.metrics import Estimate, LabelMarks
from windlass.records import Json

N_RESAMPLES = 400
N_STEPS = 20


@dataclass(frozen=True)
class Costs:
    """In the product's currency. missed: (k,) what it costs when the truth is this class and the answer another;
    person: of a case that a person takes (who is right)."""

    missed: np.ndarray
    person: float


@dataclass(frozen=True)
class Handover:
    """What each answer costs on the average row. now: always the likeliest label; best: the cheapest label or a person;
    saved: the difference, with its interval; handed: share that a person takes; threshold: confidence under which, when
    all mistakes cost the same, else none; wrong: share of wrong answers among those still given."""

    now: float
    best: float
    saved: Estimate
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
    return np.where(risk.min(1) <= costs.person, best, -1)


def paid(targets: np.ndarray, answers: np.ndarray, costs: Costs) -> np.ndarray:
    """(n,) what each row costs when answered so."""
    return np.where(answers < 0, costs.person, np.where(answers == targets, 0.0, costs.missed[targets]))


def handover(marks: LabelMarks, costs: Costs, seed: int) -> Handover:
    """What deciding by costs is worth on these rows, against always giving the likeliest label."""
    answers = decided(marks.probabilities, costs)
    usual = marks.probabilities.argmax(1)
    now, best = paid(marks.targets, usual, costs), paid(marks.targets, answers, costs)
    saved = now - best
    random = np.random.default_rng(seed)
    means = [saved[random.integers(0, len(saved), len(saved))].mean() for _ in range(N_RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    given = answers >= 0
    wrong = float((answers[given] != marks.targets[given]).mean()) if given.any() else 0.0
    same = float(np.ptp(costs.missed)) < 1e-9 and costs.missed[0] > 0
    return Handover(
        float(now.mean()),
        float(best.mean()),
        Estimate(float(saved.mean()), float(low), float(high)),
        float((~given).mean()),
        max(0.0, 1 - costs.person / float(costs.missed[0])) if same else None,
        float((usual != marks.targets).mean()),
        wrong,
    )


def coverage(marks: LabelMarks) -> list[Json]:
    """Share of the rows that are answered when only the surest are, and the share of right answers among them."""
    order = np.argsort(-marks.probabilities.max(1), kind="stable")
    right = (marks.probabilities.argmax(1) == marks.targets)[order]
    sure = marks.probabilities.max(1)[order]
    found = []
    for step in range(1, N_STEPS + 1):
        kept = max(1, round(step / N_STEPS * len(order)))
        found.append(
            {"answered": kept / len(order), "right": float(right[:kept].mean()), "above": float(sure[kept - 1])}
        )
    return found
