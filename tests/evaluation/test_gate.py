"""What few rows cannot tell is neither met, nor chosen, nor released; the numbers are worked out by hand."""

import math

import numpy as np
import pytest

from windlass.evaluation.choice import basis, choose, why
from windlass.evaluation.gate import goal_misses, unproven, worthless
from windlass.goals import Goal
from windlass.metrics.measures import Estimate, LabelMarks
from windlass.outputs.contract import Baseline, Validated
from windlass.records import Candidate
from windlass.spec import Limits

NAN = Estimate(math.nan, math.nan, math.nan)


def marks(right, truth=None):
    """Of two classes; right: (n,) which rows are answered right; truth: their classes, the first for all."""
    right = np.asarray(right, bool)
    targets = np.zeros(len(right), int) if truth is None else np.asarray(truth)
    return LabelMarks(targets, np.where((right == (targets == 0))[:, None], [[0.9, 0.1]], [[0.1, 0.9]]), 1, ("a", "b"))


def always(right):
    found = marks(right)
    return Baseline("always answering 'b'", found.value("accuracy"), found)


@pytest.mark.parametrize("bound", [None, 0.5])
def test_what_cannot_be_measured_meets_no_goal(bound):
    goal = Goal(metric="roc_auc", bound=bound)
    assert goal_misses(goal, {"roc_auc": NAN})[0].startswith("roc_auc cannot be measured on its test rows")
    assert goal_misses(goal, {}) == ["roc_auc is not defined for its answers"]
    assert goal_misses(goal, {"roc_auc": Estimate(0.9, 0.8, 1.0)}) == []  # the control
    assert worthless("roc_auc", {"roc_auc": NAN}, Baseline("a coin", 0.5)) == ""


def test_one_row_proves_nothing_and_five_all_right_do():
    """Beside answers that are all wrong: 1 / 2**4 is above 5 %, 1 / 2**5 below."""
    assert unproven("accuracy", marks([1]), always([0])) == (
        "1 test row cannot tell it from always answering 'b', expected at least 5"
    )
    assert "4 test rows cannot tell it" in unproven("accuracy", marks([1] * 4), always([0] * 4))
    assert unproven("accuracy", marks([1] * 5), always([0] * 5)) == ""


def test_a_gain_within_chance_says_how_many_rows_would_do():
    """One more right of 20: gain .05, its standard error sqrt(.05 * .95 / 20) = .049; 20 (1.645 .049 / .05)^2 = 51."""
    words = unproven("accuracy", marks([1] * 11 + [0] * 9), always([1] * 10 + [0] * 10))
    needed = int(words.rpartition(" ")[2])
    assert words.startswith("20 test rows cannot tell it from always answering 'b', expected about ")
    assert 40 <= needed <= 65
    assert unproven("accuracy", marks([1] * 18 + [0] * 2), always([1] * 10 + [0] * 10)) == ""
    many = 11 * [1] + 89 * [0]
    assert unproven("accuracy", marks(many), always([0, *many[1:]])) == ""  # many rows: it is small, not unproven


def test_validation_rows_that_tell_nothing_are_not_called_absent():
    """Of one class there is no ranking: neither in the validation row, nor in these test rows."""

    def candidate(name, ms):
        return Candidate(name, name, {"roc_auc": NAN}, None, 0.0, ms, ms, 1.0, 1.0, 1.0, False, ["roc_auc cannot"])

    found, goal = [candidate("one", 2.0), candidate("other", 1.0)], Goal(metric="roc_auc")
    single = {name: Validated(marks([1]), np.arange(1)) for name in ("one", "other")}
    blind = basis("roc_auc", single, dict.fromkeys(single, marks([1, 1])), 1)
    words = why(choose(found, blind, goal, Limits()), found, blind, goal, Limits())
    assert words == (
        "No candidate is better than another: roc_auc cannot be measured on the test rows. other is shown as the "
        "quickest of them."
    )
    both = {"one": marks([1, 1], [0, 1]), "other": marks([0, 0], [0, 1])}
    telling = basis("roc_auc", single, both, 1)
    words = why(choose(found, telling, goal, Limits()), found, telling, goal, Limits())
    assert words.startswith("one is the best by test roc_auc")
    assert "The 1 validation row does not tell roc_auc: test rows have chosen" in words
