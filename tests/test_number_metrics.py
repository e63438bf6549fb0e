"""Measures of numbers are scikit-learn's; intervals are those of the papers."""

import numpy as np
import pytest
from sklearn.metrics import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_pinball_loss,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from windlass.metrics.measures import bootstrap, is_better, paired_difference, told
from windlass.metrics.numbers import COVERAGE, NumberMarks, half_width, interval_ends, is_inside

THEIRS = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "r2": r2_score,
    "medae": median_absolute_error,
    "mape": mean_absolute_percentage_error,
}


@pytest.fixture
def pair():
    random = np.random.default_rng(3)
    targets = random.normal(100, 20, 200)
    return targets, targets + random.normal(2, 5, 200)


@pytest.mark.parametrize("metric", THEIRS)
def test_measures_are_those_of_scikit_learn(metric, pair):
    assert NumberMarks(*pair).value(metric) == pytest.approx(THEIRS[metric](*pair), rel=1e-12)


def test_r2_is_not_defined_where_all_right_numbers_are_the_same():
    assert np.isnan(NumberMarks(np.ones(3), np.arange(3.0)).value("r2"))


def test_a_share_of_nothing_is_left_out_and_where_all_are_it_is_not_defined():
    marks = NumberMarks(np.array([0.0, 2.0, 4.0]), np.array([9.0, 1.0, 4.0]))
    assert marks.value("mape") == 0.25
    assert np.isnan(NumberMarks(np.zeros(3), np.ones(3)).value("mape"))
    assert "mape" not in NumberMarks(np.zeros(3), np.ones(3)).metrics


def test_width_and_pinball_loss_of_intervals_are_scikit_learns(pair):
    targets, values = pair
    marks = NumberMarks(targets, values, half=4.0)
    sides = ((values - 4, 0.05), (values + 4, 0.95))
    theirs = np.mean([mean_pinball_loss(targets, end, alpha=share) for end, share in sides])
    assert marks.value("pinball_90") == pytest.approx(theirs)
    assert marks.value("width_90") == pytest.approx(8)
    own = NumberMarks(targets, values, 4.0, None, np.stack([values - 1, values + 2], axis=1))
    assert own.value("width_90") == pytest.approx(3)


def test_less_error_is_better():
    assert is_better("mae", 1.0, 2.0)
    assert not is_better("rmse", 2.0, 1.0)
    assert is_better("r2", 0.9, 0.8)


def test_the_half_width_of_nine_rows_is_their_largest_error_and_of_eight_there_is_none():
    """ceil((9 + 1) * 0.9) = 9, the ninth of nine; of eight it would be the ninth, which is not there."""
    errors = np.array([1, -2, 3, -4, 5, -6, 7, -8, 9.0])
    assert half_width(errors) == 9
    assert half_width(errors[:8]) is None


def test_intervals_of_new_rows_cover_nine_in_ten():
    """Of 2,000 draws of 99 + 1 exchangeable errors, P(inside) = 90/100 exactly; three standard errors are 2 points."""
    random = np.random.default_rng(5)
    drawn = random.standard_cauchy((2_000, 100))
    inside = [abs(row[-1]) <= half_width(row[:-1]) for row in drawn]
    assert abs(np.mean(inside) - 0.9) < 0.02


def test_coverage_is_told_where_answers_have_intervals():
    marks = NumberMarks(np.array([1.0, 2, 3, 4]), np.array([1.5, 2, 3, 9]), half=0.5)
    assert marks.value(COVERAGE) == 0.75
    assert marks.exact(COVERAGE).value == 0.75
    assert COVERAGE not in NumberMarks(np.ones(2), np.ones(2)).metrics


def test_the_bootstrap_holds_the_value_and_tells_two_apart(pair):
    targets, values = pair
    near, far = NumberMarks(targets, values), NumberMarks(targets, values + 3)
    found = bootstrap(near, "mae")
    assert found.low < found.value < found.high
    assert paired_difference("mae", near, far).low > 0
    assert paired_difference("mae", near, near).value == 0


def test_measures_read_as_people_write_them():
    assert [told(value) for value in (0.9123, 31.416, 312.5, 12345.6, 0.0, 0.0001)] == [
        "0.912", "31.42", "312.5", "12,346", "0.000", "0.0001",
    ]  # fmt: skip


def test_an_interval_is_cut_at_the_floor_and_loses_no_number_above_it():
    values, half = np.array([10.0, 3.0, -9.0]), 5.0
    low, high = interval_ends(values, half, 0.0)
    assert (low.tolist(), high.tolist()) == ([5.0, 0.0, 0.0], [15.0, 8.0, 0.0])
    assert interval_ends(values, half)[0].tolist() == [5.0, -2.0, -14.0]
    right = np.array([6.0, 0.0, 0.0])
    assert is_inside(right, values, half).tolist() == [True, True, False]
    assert is_inside(right, values, half, 0.0).tolist() == [True, True, True]
    assert not is_inside(np.array([-1.0]), values[1:2], half, 0.0)
