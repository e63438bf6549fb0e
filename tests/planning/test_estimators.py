"""Label noise, weak parts, handing over, capacity and money: against hand calculations, papers and other libraries."""

import math

import numpy as np
import pytest

from windlass.metrics.measures import LabelMarks
from windlass.planning.evidence.label_noise import suspects, thresholds
from windlass.planning.evidence.probing import points
from windlass.planning.evidence.slices import unequal, weak_slices
from windlass.planning.schedule import capacity
from windlass.planning.schedule.economics import exchange, training_seconds
from windlass.planning.schedule.handover import Costs, coverage, decided, handover


def noisy(n_rows=600, share=0.1, seed=3):
    """Rows of three classes with sure, right probabilities; a share of the labels is wrong."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, n_rows)
    probabilities = random.dirichlet([0.3, 0.3, 0.3], n_rows) * 0.2
    probabilities[np.arange(n_rows), truth] += 0.8
    labels = truth.copy()
    wrong = random.permutation(n_rows)[: round(share * n_rows)]
    labels[wrong] = (labels[wrong] + 1) % 3
    return labels, probabilities, set(wrong.tolist())


def test_wrong_labels_are_found_and_right_ones_left():
    labels, probabilities, wrong = noisy()
    found = suspects(labels, probabilities, ("a", "b", "c"))
    assert set(found.rows.tolist()) == wrong
    assert found.share.low < 0.1 < found.share.high
    assert sum(found.by_label.values()) == len(wrong)


def test_right_labels_are_not_doubted():
    """Control: nothing is found where nothing is wrong."""
    labels, probabilities, _ = noisy(share=0.0)
    assert len(suspects(labels, probabilities, ("a", "b", "c")).rows) == 0


def test_thresholds_are_the_mean_confidence_of_each_class():
    """By hand, eq. 2 of Northcutt et al. 2021."""
    labels = np.array([0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]])
    assert thresholds(labels, probabilities) == pytest.approx([0.8, 0.6])


def test_a_slice_that_is_answered_worse_is_named():
    random = np.random.default_rng(0)
    rows = [{"region": "east" if number % 4 == 0 else "west", "age": number} for number in range(1_000)]
    right = np.array([random.random() < (0.6 if row["region"] == "east" else 0.9) for row in rows])
    found = weak_slices(rows, rows, {"region": "category", "age": "number"}, right)
    assert found[0].words == "'region' is 'east'"
    assert found[0].gap.low > 0.2


def test_chance_alone_makes_no_weak_slice():
    """Control: 40 data sets without a weak part, each with some twenty parts to look at; 5 % of them may err."""
    alarms = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        rows = [{"group": str(random.integers(0, 12)), "size": float(random.random())} for _ in range(800)]
        alarms += bool(weak_slices(rows, rows, {"group": "category", "size": "number"}, random.random(800) < 0.8))
    assert alarms <= 6


def test_groups_that_are_answered_differently_are_told():
    rows = [{"sex": "f" if number % 2 else "m"} for number in range(400)]
    truth = np.array([1] * 400)
    answers = np.array([0 if number % 2 and number % 3 else 1 for number in range(400)])
    found = unequal(rows, {"sex": "category"}, truth, answers, ("bad", "good"))
    assert (found[0].label, found[0].low_words) == ("good", "'sex' is 'f'")
    assert not unequal(rows, {"sex": "category"}, truth, truth, ("bad", "good"))


def test_the_cheapest_choice_is_taken():
    """By hand: missing class 1 costs 10, class 0 costs 1, a person 2.

    p1 = 0.05: answering 0 costs 0.5. p1 = 0.15: answering 1 costs 0.85. p1 = 0.5 likewise 0.5.
    """
    probabilities = np.array([[0.95, 0.05], [0.85, 0.15], [0.5, 0.5]])
    assert decided(probabilities, Costs(np.array([1.0, 10.0]), 2.0)).tolist() == [0, 1, 1]
    assert decided(probabilities, Costs(np.array([10.0, 10.0]), 2.0)).tolist() == [0, 0, -1]


def test_handing_over_saves_what_it_says():
    """By hand: 100 sure and right, 100 at even odds of which half are wrong; a mistake costs 10, a person 2."""
    probabilities = np.array([[0.99, 0.01]] * 100 + [[0.51, 0.49]] * 100)
    targets = np.array([0] * 150 + [1] * 50)
    found = handover(LabelMarks(targets, probabilities), Costs(np.array([10.0, 10.0]), 2.0), 13)
    assert found.now == pytest.approx(2.5)
    assert found.people == pytest.approx(2.0)
    assert found.best == pytest.approx(1.0)
    assert found.handed == pytest.approx(0.5)
    assert found.threshold == pytest.approx(0.8)
    assert found.saved_now.low < 1.5 < found.saved_now.high
    assert found.saved.low < 1.0 < found.saved.high
    assert found.chance == 1.0
    assert found.wrong == 0.0
    shares = [each["right"] for each in coverage(LabelMarks(targets, probabilities))]
    assert (shares[0], shares[-1]) == (1.0, 0.75)


@pytest.mark.parametrize(("servers", "offered", "chance"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (5, 4.0, 0.5541)])
def test_the_chance_of_waiting_is_erlangs(servers, offered, chance):
    """One and two servers by hand; five from the tables of Gross et al."""
    assert capacity.erlang_c(servers, offered) == pytest.approx(chance, abs=1e-4)


def test_a_single_server_waits_as_long_as_the_textbook_says():
    """M/M/1: rho / (mu - lambda) = 0.5 / (10 - 5) = 0.1 s."""
    assert capacity.mean_wait_s(1, 5, 0.1) == pytest.approx(0.1)
    assert math.isinf(capacity.mean_wait_s(1, 11, 0.1))


def test_machines_are_planned_below_their_capacity():
    found = capacity.plan(seconds=0.01, peak=500, cores=2)
    assert found.answers_a_second == pytest.approx(200)
    assert found.machines == 5
    assert found.used <= capacity.BUSIEST


def test_the_exchange_from_metric_to_accuracy_is_the_slope_of_the_curve():
    measured = [{"scores": [0.1 * n], "accuracies": [0.5 + 0.05 * n]} for n in range(1, 5)]
    assert exchange(measured) == pytest.approx(0.5)
    assert exchange(measured[:2]) == 1.0


def test_training_time_grows_as_it_was_seen_to():
    measured = [{"rows": rows, "seconds": rows / 1_000} for rows in (1_000, 2_000, 4_000)]
    assert training_seconds(measured, 8_000) == pytest.approx(8.0)


def test_errors_of_points_are_shared_between_sizes():
    """By hand: the spread 0.02 at 100 rows says 0.0002 * 100 / 400 at 400 rows; a single training takes the shared
    one."""
    found = points([{"rows": 100, "scores": [0.5, 0.52]}, {"rows": 400, "scores": [0.6]}])
    assert found[0].error == pytest.approx((0.0002 / 2) ** 0.5)
    assert found[1].error == pytest.approx(0.00005**0.5)


def test_the_same_rows_are_doubted_as_by_the_library_of_the_paper():
    """cleanlab 2.9.0, `find_label_issues(..., filter_by="confident_learning")`, names the same 27 rows of these."""
    random = np.random.default_rng(5)
    truth = random.integers(0, 3, 400)
    probabilities = random.dirichlet([1, 1, 1], 400) * 0.5
    probabilities[np.arange(400), truth] += 0.5
    labels = truth.copy()
    wrong = random.permutation(400)[:40]
    labels[wrong] = (labels[wrong] + 1) % 3
    found = suspects(labels, probabilities, ("a", "b", "c"))
    assert len(found.rows) == 27
    assert found.by_label == {"b": 11, "c": 9, "a": 7}
