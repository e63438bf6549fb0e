"""Metrics against hand calculations, scikit-learn and simulations with a known truth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as peer
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from windlass.metrics.measures import (
    BINARY_ONLY,
    METRICS,
    Estimate,
    LabelMarks,
    Threshold,
    accuracy,
    best_calibration,
    best_temperature,
    best_threshold,
    bootstrap,
    confusion,
    expected_calibration_error,
    log_loss,
    macro_f1,
    macro_precision,
    macro_recall,
    measure,
    paired_difference,
    pr_auc,
    roc_auc,
    softmax,
)


def one_hot(predicted, n_classes=3):
    """Probabilities that put 0.8 on the predicted class."""
    rest = 0.2 / (n_classes - 1)
    return np.full((len(predicted), n_classes), rest) + np.eye(n_classes)[predicted] * (0.8 - rest)


TARGETS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
PREDICTED = np.array([0, 0, 1, 2, 1, 0, 2, 2, 2, 0])


def test_the_confusion_matrix_counts_true_by_row():
    assert confusion(TARGETS, PREDICTED, 3).tolist() == [[2, 1, 1], [1, 1, 0], [1, 0, 3]]


def test_shares_equal_the_hand_calculation():
    """Precision 2/4, 1/2, 3/4; recall 2/4, 1/2, 3/4; so F1 is 1/2, 1/2, 3/4."""
    answers = one_hot(PREDICTED)
    assert accuracy(TARGETS, answers) == pytest.approx(6 / 10)
    for metric in (macro_precision, macro_recall, macro_f1):
        assert metric(TARGETS, answers) == pytest.approx((0.5 + 0.5 + 0.75) / 3)


def test_a_class_that_is_neither_true_nor_answered_does_not_count():
    assert macro_f1(np.array([0, 1]), one_hot(np.array([0, 1]), 5)) == 1


def test_a_class_that_is_never_answered_counts_as_zero():
    """Class 1 is true once and never answered: F1 is (2/3 + 0) / 2."""
    assert macro_f1(np.array([0, 1]), one_hot(np.array([0, 0]), 2)) == pytest.approx(1 / 3)


@pytest.mark.parametrize("seed", range(5))
def test_shares_equal_scikit_learn(seed):
    random = np.random.default_rng(seed)
    targets, probabilities = random.integers(0, 4, 200), random.dirichlet(np.ones(4), 200)
    predicted = probabilities.argmax(1)
    assert accuracy(targets, probabilities) == pytest.approx(peer.accuracy_score(targets, predicted))
    for ours, theirs in (
        (macro_precision, peer.precision_score),
        (macro_recall, peer.recall_score),
        (macro_f1, peer.f1_score),
    ):
        assert ours(targets, probabilities) == pytest.approx(
            theirs(targets, predicted, average="macro", zero_division=0)
        )
    assert log_loss(targets, probabilities) == pytest.approx(peer.log_loss(targets, probabilities, labels=range(4)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_levels", [2, 7, 10_000])
def test_ranking_scores_equal_scikit_learn_with_and_without_ties(seed, n_levels):
    random = np.random.default_rng(seed)
    targets = random.integers(0, 2, 150)
    scores = np.round(random.random(150) * n_levels) / n_levels
    probabilities = np.stack([1 - scores, scores], axis=1)
    assert roc_auc(targets, probabilities, 1) == pytest.approx(peer.roc_auc_score(targets, scores))
    assert pr_auc(targets, probabilities, 1) == pytest.approx(peer.average_precision_score(targets, scores))
    assert roc_auc(targets, probabilities, 0) == pytest.approx(peer.roc_auc_score(1 - targets, 1 - scores))
    assert pr_auc(targets, probabilities, 0) == pytest.approx(peer.average_precision_score(1 - targets, 1 - scores))


def test_the_chance_to_rank_right_equals_the_hand_calculation():
    """Positives 0.8 and 0.4 against negatives 0.4 and 0.1: pairs 1, 1, half, 1 of 4."""
    scores = np.array([0.8, 0.4, 0.4, 0.1])
    assert roc_auc(np.array([1, 1, 0, 0]), np.stack([1 - scores, scores], axis=1)) == pytest.approx(3.5 / 4)


def test_log_loss_is_finite_for_a_sure_and_wrong_answer():
    assert log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-np.log(1e-12))


def test_calibration_error_equals_the_hand_calculation():
    """Two bins: 0.6 (one of two right) is 0.1 off, 0.9 (both right) is 0.1 off, half of the rows each."""
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    assert expected_calibration_error(np.array([0, 1, 0, 0]), probabilities) == pytest.approx(0.1)


def test_calibration_error_weighs_a_bin_by_its_rows():
    """Three rows 0.6, all right, are 0.4 off; one row 1.0, wrong, is 1.0 off: (3 * 0.4 + 1) / 4."""
    probabilities = np.array([[0.6, 0.4]] * 3 + [[1.0, 0.0]])
    assert expected_calibration_error(np.array([0, 0, 0, 1]), probabilities) == pytest.approx(0.55)


def test_calibration_error_is_small_for_honest_answers_and_large_for_boasts():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([2, 2], 20_000)
    targets = (random.random(20_000) < probabilities[:, 1]).astype(int)
    boasts = softmax(np.log(probabilities) * 4)
    assert expected_calibration_error(targets, probabilities) < 0.01
    assert expected_calibration_error(targets, boasts) > 0.1


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0, 8.0])
def test_the_temperature_recovers_a_known_scaling(scale):
    """Targets are drawn from softmax(logits); logits times s then need the temperature s."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (20_000, 3))
    targets = (softmax(logits).cumsum(1) < random.random((20_000, 1))).sum(1)
    assert best_temperature(targets, logits * scale) == pytest.approx(scale, rel=0.05)


def test_the_temperature_never_makes_the_log_loss_worse():
    random = np.random.default_rng(2)
    logits, targets = random.normal(0, 5, (50, 4)), random.integers(0, 4, 50)
    softened = softmax(logits / best_temperature(targets, logits))
    assert log_loss(targets, softened) <= log_loss(targets, softmax(logits))


def test_softmax_stands_large_scores():
    assert softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])).tolist() == [[1, 0], [0.5, 0.5]]


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_the_interval_holds_the_value_and_stays_within_0_and_1(metric):
    random = np.random.default_rng(3)
    targets = random.integers(0, 2, 200)
    scores = np.clip(targets * 0.3 + random.random(200) * 0.7, 0, 1)
    estimate = bootstrap(LabelMarks(targets, np.stack([1 - scores, scores], axis=1)), metric)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.low < estimate.high


@pytest.mark.parametrize("metric", sorted(set(METRICS) - BINARY_ONLY - {"accuracy"}))
def test_the_fast_resampling_equals_the_plain_one(metric):
    """Confusion counts are resampled instead of rows; the same seed must give the same interval."""
    random = np.random.default_rng(4)
    targets, probabilities = random.integers(0, 3, 80), random.dirichlet(np.ones(3), 80)
    fast = bootstrap(LabelMarks(targets, probabilities), metric, seed=5, n_resamples=50)
    again, values = np.random.default_rng(5), []
    for _ in range(50):
        rows = again.integers(0, 80, 80)
        values.append(measure(metric, targets[rows], probabilities[rows], 1))
    assert (fast.low, fast.high) == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])))


def _coverage(shrink: float) -> float:
    """Share of 300 simulated test sets whose interval (its width times `shrink`) holds the true accuracy 0.8."""
    random, held = np.random.default_rng(6), 0
    for trial in range(300):
        targets = (random.random(300) < 0.8).astype(int)
        marks = LabelMarks(targets, np.tile([0.1, 0.9], (300, 1)))
        estimate = bootstrap(marks, "accuracy", seed=trial, n_resamples=100)
        middle, half = (estimate.low + estimate.high) / 2, (estimate.high - estimate.low) / 2 * shrink
        held += middle - half <= 0.8 <= middle + half
    return held / 300


def test_the_interval_covers_the_truth_about_95_times_in_100():
    """300 trials at 0.95 have a standard error of 0.013; the percentile bootstrap is a little short."""
    assert 0.90 <= _coverage(1.0) <= 0.99


def test_an_interval_that_is_half_as_wide_is_caught():
    """Control for the test above."""
    assert _coverage(0.5) < 0.80


def test_the_same_seed_gives_the_same_interval():
    targets, answers = TARGETS, one_hot(PREDICTED)
    assert bootstrap(LabelMarks(targets, answers), "macro_f1") == bootstrap(LabelMarks(targets, answers), "macro_f1")


def test_the_difference_is_above_zero_when_the_first_is_better():
    random = np.random.default_rng(7)
    targets = random.integers(0, 3, 400)
    good = one_hot(np.where(random.random(400) < 0.9, targets, 0))
    poor = one_hot(np.where(random.random(400) < 0.6, targets, 0))
    for metric in ("accuracy", "macro_f1"):
        forward, backward = (
            paired_difference(metric, *(LabelMarks(targets, each) for each in pair))
            for pair in ((good, poor), (poor, good))
        )
        assert 0 < forward.low < forward.value < forward.high
        assert (backward.value, backward.low, backward.high) == pytest.approx(
            (-forward.value, -forward.high, -forward.low)
        )


def test_the_difference_between_a_model_and_itself_is_nothing():
    assert paired_difference("macro_f1", *[LabelMarks(TARGETS, one_hot(PREDICTED))] * 2) == Estimate(0, 0, 0)


def test_pairing_makes_the_interval_narrower_than_two_intervals():
    """Two models that err on nearly the same rows differ by much less than each varies."""
    random = np.random.default_rng(8)
    targets = random.integers(0, 2, 300)
    first = np.where(random.random(300) < 0.8, targets, 1 - targets)
    second = first.copy()
    second[:3] = 1 - second[:3]
    pair = paired_difference("accuracy", *(LabelMarks(targets, one_hot(each, 2)) for each in (first, second)))
    alone = bootstrap(LabelMarks(targets, one_hot(first, 2)), "accuracy")
    assert pair.high - pair.low < (alone.high - alone.low) / 2


@pytest.mark.parametrize("metric", sorted(BINARY_ONLY))
def test_a_ranking_score_without_positives_is_not_a_number(metric):
    targets, answers = np.zeros(12, int), one_hot(np.array([0, 1] * 6), 2)
    marks = LabelMarks(targets, answers)
    assert np.isnan(measure(metric, targets, answers, 1))
    for estimate in (bootstrap(marks, metric), paired_difference(metric, marks, marks)):
        assert np.isnan([estimate.value, estimate.low, estimate.high]).all()


def test_the_area_under_the_curve_without_negatives_is_not_a_number():
    assert np.isnan(roc_auc(np.ones(4, int), one_hot(np.array([0, 1, 0, 1]), 2)))


def test_resamples_without_positives_do_not_spoil_the_interval():
    """With one positive of six, a third of the resamples has none."""
    targets, scores = np.array([1, 0, 0, 0, 0, 0]), np.array([0.7, 0.8, 0.3, 0.2, 0.1, 0.1])
    estimate = bootstrap(LabelMarks(targets, np.stack([1 - scores, scores], axis=1)), "roc_auc")
    assert np.isfinite([estimate.value, estimate.low, estimate.high]).all()


def test_an_estimate_reads_as_value_and_interval():
    assert str(Estimate(0.91234, 0.9, 0.92)) == "0.912 [0.900, 0.920]"


# perfect scores -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hits", "rows"), [(59, 59), (0, 59), (58, 59), (1, 1)])
def test_the_interval_of_accuracy_is_wilsons_which_knows_no_certainty(hits, rows):
    """59 of 59 is [0.939, 1], as Clopper-Pearson's to 0.001. The control: resampling gives [1, 1]."""
    targets = np.arange(rows) % 2
    predicted = np.where(np.arange(rows) < hits, targets, 1 - targets)
    estimate = bootstrap(LabelMarks(targets, one_hot(predicted, 2)), "accuracy")
    found = binomtest(hits, rows).proportion_ci(method="wilson")
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((hits / rows, found.low, found.high))
    if (hits, rows) == (59, 59):
        assert estimate.low == pytest.approx(binomtest(59, 59).proportion_ci(method="exact").low, abs=1e-3)
        random = np.random.default_rng(0)
        assert min((predicted == targets)[random.integers(0, 59, 59)].mean() for _ in range(50)) == 1


def test_a_perfect_macro_score_is_as_sure_as_the_class_with_the_fewest_rows_lets_it():
    """Of two classes with 40 and 10 rows: what the 10 may hide, Wilson's 0.278, counts half."""
    targets = np.repeat([0, 1], [40, 10])
    marks = LabelMarks(targets, one_hot(targets, 2))
    hidden = 1 - binomtest(10, 10).proportion_ci(method="wilson").low
    for metric in ("macro_f1", "macro_recall", "macro_precision"):
        assert bootstrap(marks, metric).low == pytest.approx(1 - hidden / 2)
    for metric in BINARY_ONLY:
        assert bootstrap(marks, metric).low == pytest.approx(1 - hidden)


# calibration ----------------------------------------------------------------------------------------------------------


def margins(n_rows, bias, seed=0, slope=3.0):
    """Margins z of two classes whose chance is sigmoid(slope z + bias), as logits (-z/2, z/2), and the classes."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 1, n_rows)
    targets = (random.random(n_rows) < 1 / (1 + np.exp(-(slope * z + bias)))).astype(int)
    return z, np.stack([-z / 2, z / 2], axis=1), targets


def test_slope_and_intercept_of_two_classes_are_platts():
    """As scikit-learn's sigmoid calibration, which smooths the truth a little, and as a logistic regression."""
    z, logits, targets = margins(3_000, -2.0)
    temperature, shift = best_calibration(targets, logits)
    ours = softmax(logits / temperature + np.array(shift))[:, 1]
    plain = LogisticRegression(C=1e9).fit(z[:, None], targets).predict_proba(z[:, None])[:, 1]
    frozen = FrozenEstimator(LogisticRegression(C=1.0).fit(z[:50, None], targets[:50]))
    platt = CalibratedClassifierCV(frozen, method="sigmoid").fit(z[:, None], targets).predict_proba(z[:, None])[:, 1]
    assert np.abs(ours - plain).max() < 0.005
    assert np.abs(ours - platt).max() < 0.01
    assert ours.mean() == pytest.approx(targets.mean(), abs=0.002)
    only_slope = softmax(logits / best_temperature(targets, logits))[:, 1]
    assert abs(only_slope.mean() - targets.mean()) > 0.05  # the control: a temperature cannot move the intercept


def test_a_shift_of_several_classes_is_found():
    """The chances are those of the logits plus (0, 1, -1): up to a constant that softmax does not see."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (20_000, 3))
    chances = softmax(logits + np.array([0.0, 1.0, -1.0]))
    targets = (random.random((20_000, 1)) > chances.cumsum(1)).sum(1)
    temperature, shift = best_calibration(targets, logits)
    assert temperature == pytest.approx(1, abs=0.03)
    assert np.array(shift) - shift[0] == pytest.approx([0, 1, -1], abs=0.06)


def test_few_rows_and_natural_margins_move_no_intercept():
    """20 samples of 40 rows without a bias: at 5 % one or two are misled; with a bias of 3, nearly none is missed."""
    moved = [bool(best_calibration(*margins(40, 0.0, seed)[:0:-1])[1]) for seed in range(20)]
    seen = [bool(best_calibration(*margins(40, 3.0, seed)[:0:-1])[1]) for seed in range(20)]
    assert sum(moved) <= 3
    assert sum(seen) >= 15


# thresholds -----------------------------------------------------------------------------------------------------------


def rare(n_rows=4_000, seed=3):
    """Calibrated probabilities of a class that one row in eight has, and the truth that they foretell."""
    random = np.random.default_rng(seed)
    share = random.beta(0.7, 4.9, n_rows)
    return LabelMarks((random.random(n_rows) < share).astype(int), np.stack([1 - share, share], axis=1), 1)


@pytest.mark.parametrize("metric", ["macro_f1", "macro_recall"])
def test_a_threshold_is_near_the_best_one_by_brute_force(metric):
    marks = rare()
    found = best_threshold(metric, marks)
    score = {"macro_f1": lambda said: peer.f1_score(marks.targets, said, average="macro"),
             "macro_recall": lambda said: peer.balanced_accuracy_score(marks.targets, said)}[metric]  # fmt: skip
    scores = {cut: score(marks.probabilities[:, 1] >= cut) for cut in np.arange(0.01, 1, 0.01)}
    assert found.place == 1
    assert replace(marks, threshold=found).value(metric) == pytest.approx(max(scores.values()), abs=0.01)
    assert replace(marks, threshold=found).value(metric) > marks.value(metric) + 0.02


def test_balanced_accuracy_is_best_at_the_share_of_the_class():
    """Of calibrated answers: says "yes" where that is likelier than usual (the mean here is 0.125)."""
    assert best_threshold("macro_recall", rare(20_000)).share == pytest.approx(0.125, abs=0.02)


def test_no_threshold_is_chosen_where_the_likelier_answer_is_best_or_the_metric_sees_none():
    marks = rare()
    for metric in ("accuracy", "roc_auc", "pr_auc", "macro_precision"):
        assert best_threshold(metric, marks) is None
    random = np.random.default_rng(4)
    share = random.random(2_000)
    even = LabelMarks((random.random(2_000) < share).astype(int), np.stack([1 - share, share], axis=1), 1)
    assert best_threshold("macro_f1", even) is None


def test_a_threshold_answers_from_its_share_on_for_either_label():
    shares = np.array([[0.7, 0.3], [0.71, 0.29], [0.2, 0.8]])
    assert Threshold(1, 0.3).answers(shares).tolist() == [1, 0, 1]
    assert Threshold(0, 0.71).answers(shares).tolist() == [1, 0, 1]
    marks = LabelMarks(np.array([1, 0, 1]), shares, threshold=Threshold(1, 0.3))
    assert (marks.value("accuracy"), marks.right.tolist()) == (1, [True, True, True])
    assert marks.calibration_error == pytest.approx((0.7 + 0.29 + 0.2) / 3)
