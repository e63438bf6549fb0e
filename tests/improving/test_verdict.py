"""When a challenger is better: numbers by hand, and each guard with a challenger that it must stop."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from windlass.improving.verdict import CHANGED, Check, JudgedRows, Paired, _none_lost, is_changed, judge
from windlass.metrics.measures import LabelMarks
from windlass.outputs import table as outputs
from windlass.outputs.comparison import by_chance
from windlass.outputs.labelled_row import LabelledRow
from windlass.outputs.labels.comparison import PairedLabels
from windlass.records import Column, Manifest

from .toys import LABELS, WORDS, champion, row


def test_the_chance_of_so_many_won_rows_is_the_binomials():
    """8 of 8: 1/256. 9 won and 1 lost: (10 + 1) / 1024."""
    assert Paired("x", 20, 0.5, 0.9, won=8, lost=0).p_gain == pytest.approx(1 / 256)
    assert Paired("x", 20, 0.5, 0.9, won=9, lost=1).p_gain == pytest.approx(11 / 1024)
    assert Paired("x", 20, 0.5, 0.5, won=0, lost=0).p_gain == 1.0


def test_one_of_many_labels_is_lost_only_beyond_what_many_looks_explain():
    """Six rows lost: p is 1/64 = 0.0156, below 0.025 alone, above 0.025 / 2 among two labels."""
    lost, same = Paired("a", 10, 1.0, 0.4, won=0, lost=6), Paired("b", 10, 1.0, 1.0, won=0, lost=0)
    assert not _none_lost("labels", "label", [lost]).holds
    assert _none_lost("labels", "label", [lost, same]).holds


def exam(pairs, recent, earlier=None):
    test = [({"message": message}, label) for message, label in pairs]
    return JudgedRows(test, recent, earlier or {}, [], {"message": "text"}, "accuracy", Path(), outputs.get("category"))


def pairs(n_rows):
    return [(f"{WORDS[label]} {place}", label) for place in range(n_rows) for label in LABELS]


@pytest.fixture
def good(tmp_path):
    return champion(tmp_path / "good")


@pytest.fixture
def blind(tmp_path):
    """Says 'account' whatever is asked."""
    return champion(tmp_path / "blind", 0.0)


def test_better_on_recent_feedback_and_no_worse_elsewhere_is_promoted(good, blind):
    verdict = judge(blind, good, exam(pairs(10), [row(f"money {place}", "refund") for place in range(12)]))
    assert verdict.is_better
    assert [check.name for check in verdict.gains] == ["recent", "all", "probabilities"]
    assert verdict.evidence["recent"]["won"] == 12
    assert verdict.evidence["test"]["after"] == 1.0


def test_better_on_recent_feedback_alone_does_not_buy_a_loss_on_the_test_rows(good, blind):
    """Poisoned feedback looks like this: all of it says 'account', and the challenger has learned that."""
    verdict = judge(good, blind, exam(pairs(20), [row(f"money {place}", "account") for place in range(30)]))
    assert [check.name for check in verdict.gains] == ["recent"]
    assert {check.name for check in verdict.losses} == {"loss", "labels", "slices"}
    assert not verdict.is_better
    assert "expected to lose at most 1 point" in verdict.why
    assert "but better on recent feedback" in verdict.why
    assert CHANGED in verdict.why, "the way out where it is no poison but a world that has changed"
    assert is_changed(verdict.as_json())


def test_a_refusal_without_a_gain_on_recent_rows_names_no_other_way(good, blind):
    verdict = judge(good, blind, exam(pairs(20), [row(f"money {place}", "refund") for place in range(30)]))
    assert verdict.losses
    assert not verdict.is_changed
    assert CHANGED not in verdict.why


def test_what_an_earlier_batch_taught_is_not_traded_for_something_new(good, blind):
    earlier = {"0001": [row(f"parcel {place}", "delivery") for place in range(8)]}
    verdict = judge(good, blind, exam([("password", "account")], [row("x y", "account")], earlier))
    assert {check.name for check in verdict.losses} == {"earlier", "labels", "loss"}
    assert [task["name"] for task in verdict.evidence["tasks"]] == ["test rows", "batch 0001", "recent feedback"]


def test_nothing_is_promoted_for_being_as_good(good):
    verdict = judge(good, good, exam(pairs(10), [row("money", "refund")]))
    assert (verdict.losses, verdict.gains) == ([], [])
    assert "not better beyond chance" in verdict.why
    assert not verdict.is_better
    assert all(isinstance(check, Check) for check in verdict.checks)


def test_one_mended_question_that_a_person_answered_is_a_gain_and_one_that_is_lost_a_loss(good, blind):
    """It is no sample: the same gain on one row of recent feedback is chance."""
    asked, person = exam([("password", "account")], []), [({"message": "money"}, "refund")]
    assert not judge(blind, good, replace(asked, recent=[row("money", "refund")])).is_better
    verdict = judge(blind, good, replace(asked, answered=person))
    assert [check.name for check in verdict.gains] == ["mended"]
    assert verdict.is_better
    assert verdict.why == "1 of 1 questions that people answered are mended, 0 lost"
    lost = judge(good, blind, replace(asked, answered=person))
    assert "tests" in {check.name for check in lost.losses}


def test_probabilities_are_worth_one_minus_half_the_brier_score(good, blind):
    """blind gives a third each: (2/3)^2 + 2 (1/3)^2 = 2/3, so 2/3. A label that it does not know: 1 + 3 (1/3)^2 = 4/3,
    so 1/3."""
    sheet = PairedLabels((blind, good), [({"message": "money"}, "refund"), ({"message": "money"}, "invoice")], Path())
    before, after = sheet.worth(np.ones(2, bool))
    assert before == pytest.approx([2 / 3, 1 / 3])
    assert after[0] > 0.99


def test_the_chance_of_a_difference_is_that_of_its_signs():
    """Two equal gains: one of four signs gives as much. Eight: one of 256."""
    assert by_chance(np.zeros(2), np.ones(2)) == pytest.approx(1 / 4, abs=0.03)
    assert by_chance(np.zeros(8), np.ones(8)) == pytest.approx(1 / 256, abs=0.004)
    assert by_chance(np.ones(8), np.zeros(8)) == 1.0


class _Played:
    """A champion or challenger whose probabilities for three labels are given, a row each."""

    labels = LABELS
    manifest = Manifest("linear", "linear", (), Column("label", "category", {"labels": list(LABELS)}))

    def __init__(self, given):
        self.given = np.array(given, float)

    def probabilities(self, rows, root=None):
        return self.given[[row["place"] for row in rows]]

    def answers(self, probabilities):
        return probabilities.argmax(axis=1)

    def marks(self, rows, truth, root=None):
        targets = np.array([LABELS.index(label) for label in truth])
        return LabelMarks(targets, self.probabilities(rows), 1, LABELS)

    def answer(self, rows, root=None):
        return []


def played(before, after, n_test, n_recent):
    """The verdict where all rows are accounts and the champion gives that the first number of each, the challenger the
    second."""
    given = [[[p, (1 - p) * 0.6, (1 - p) * 0.4] for p in each] for each in (before, after)]
    rows = [{"place": place} for place in range(n_test + n_recent)]
    recent = [LabelledRow(each, "account", answer=str(each["place"])) for each in rows[n_test:]]
    test = [(each, "account") for each in rows[:n_test]]
    output = replace(outputs.get("category"), compare=lambda pair, pairs, metric, root: PairedLabels(pair, pairs, root))
    exam = JudgedRows(test, recent, {}, [], {"place": "number"}, "accuracy", Path(), output)
    return judge(_Played(given[0]), _Played(given[1]), exam)


def test_a_small_gain_shows_in_what_probabilities_are_worth():
    """Every row is a little surer, and none is right that was wrong. Control: half of the rows as much less sure."""
    verdict = played([0.70] * 150, [0.74] * 150, 100, 50)
    assert [check.name for check in verdict.gains] == ["probabilities"]
    assert verdict.is_better
    assert not played([0.70] * 150, [0.74, 0.66] * 75, 100, 50).is_better


def test_a_loss_of_answers_on_the_test_rows_is_chance_where_probabilities_rise():
    """Two of 100 rows tip over by a hair while 98 become surer. Control: the two become sure of something else."""
    before = [0.51] * 2 + [0.7] * 148
    verdict = played(before, [0.37] * 2 + [0.75] * 148, 100, 50)
    assert verdict.evidence["difference"]["value"] == pytest.approx(-0.02)
    assert verdict.losses == []
    assert [check.name for check in played(before, [0.01] * 2 + [0.7] * 148, 100, 50).losses] == ["loss"]


def test_likely_better_and_surely_no_worse_is_enough_and_likely_worse_is_not():
    """85 rows are as much surer as 65 are less sure: 1.6 standard errors of their sum, sqrt(150); worse by half a point
    is out of the question. Control: the other way round."""
    up, down = [0.72] * 85 + [0.68] * 65, [0.68] * 85 + [0.72] * 65
    verdict = played([0.70] * 150, up, 100, 50)
    assert verdict.is_better
    assert "likely worth more" in verdict.why
    assert not played([0.70] * 150, down, 100, 50).is_better
