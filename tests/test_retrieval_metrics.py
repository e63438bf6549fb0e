"""Recall, reciprocal rank, risk and coverage by hand, and bounds against SciPy's own."""

import numpy as np
import pytest
from scipy.stats import binomtest

from windlass.metrics import retrieval


def test_recall_and_reciprocal_rank_are_those_of_a_hand_calculation() -> None:
    """Ranks 0, 1, 9, 10 and not found: 1 + 1/2 + 1/10 of five."""
    marks = retrieval.RetrievalMarks(np.array([0, 1, 9, 10, np.inf]))
    assert marks.value("recall@1") == pytest.approx(0.2)
    assert marks.value("recall@5") == pytest.approx(0.4)
    assert marks.value("recall@10") == pytest.approx(0.6)
    assert marks.value("mrr@10") == pytest.approx(1.6 / 5)
    assert retrieval.ranks_of(np.array([4, 2, 7]), np.array([7, 2])) == 1
    assert retrieval.ranks_of(np.array([4]), np.array([7])) == np.inf


@pytest.mark.parametrize(("wrong", "n"), [(0, 59), (3, 171), (10, 200), (20, 20), (0, 0)])
def test_the_upper_bound_is_clopper_and_pearsons(wrong: int, n: int) -> None:
    wanted = 1.0 if not n else binomtest(wrong, n, alternative="less").proportion_ci(0.95, "exact").high
    assert retrieval.clopper_pearson_upper(np.array(wrong), np.array(n)) == pytest.approx(wanted, abs=1e-9)


def test_a_curve_of_risk_and_coverage_by_hand() -> None:
    """Likelihoods .9 .8 .8 .1 with right, right, wrong, wrong: equal ones are answered together."""
    likely, is_right = np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, False])
    curve = retrieval.risk_coverage(likely, is_right)
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.1]
    assert curve.coverage == pytest.approx([0.25, 0.75, 1.0])
    assert curve.risk == pytest.approx([0, 1 / 3, 0.5])
    assert retrieval.answered_at(likely, is_right, 0.05) == pytest.approx(0.5)
    assert retrieval.answered_at(likely, is_right, 0.34) == pytest.approx(1.0)
    assert retrieval.answerable_auc(likely, is_right) == pytest.approx(3.5 / 4)


def test_a_threshold_holds_the_risk_on_fresh_questions_nine_times_in_ten_and_more() -> None:
    """100 worlds whose likelihoods are true: at most 5 % of the chosen thresholds let more through than the risk."""
    random = np.random.default_rng(13)
    missed, answered = 0, []
    for _ in range(100):
        likely = random.beta(2, 0.7, 1_000)
        threshold = retrieval.threshold_at(likely, random.random(1_000) < likely, 0.1)
        fresh = random.beta(2, 0.7, 5_000)
        taken = fresh >= threshold
        missed += bool(taken.any() and (1 - fresh[taken]).mean() > 0.1)
        answered.append(taken.mean())
    assert missed <= 10
    assert np.mean(answered) > 0.3


def test_no_threshold_is_given_where_none_can_hold() -> None:
    assert retrieval.threshold_at(np.zeros(0), np.zeros(0, bool), 0.05) == np.inf
    assert retrieval.threshold_at(np.linspace(0, 1, 40), np.ones(40, bool), 0.05) == np.inf  # 59 are the fewest
    assert retrieval.threshold_at(np.linspace(0, 1, 400), np.zeros(400, bool), 0.05) == np.inf
    assert retrieval.threshold_at(np.linspace(0, 1, 400), np.ones(400, bool), 0.05) == 0.0
