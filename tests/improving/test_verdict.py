"""When a challenger is better: numbers by hand, and each guard with a challenger that it must stop."""

from pathlib import Path

import pytest

from windlass.improving.verdict import Check, Exam, Paired, _none_lost, judge

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
    return Exam(test, recent, earlier or {}, [], {"message": "text"}, "accuracy", Path())


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
    assert [check.name for check in verdict.gains] == ["recent", "all"]
    assert verdict.evidence["recent"]["won"] == 12
    assert verdict.evidence["test"]["after"] == 1.0


def test_better_on_recent_feedback_alone_does_not_buy_a_loss_on_the_test_rows(good, blind):
    """Poisoned feedback looks like this: all of it says 'account', and the challenger has learned that."""
    verdict = judge(good, blind, exam(pairs(20), [row(f"money {place}", "account") for place in range(30)]))
    assert [check.name for check in verdict.gains] == ["recent"]
    assert {check.name for check in verdict.losses} == {"loss", "labels", "slices"}
    assert not verdict.is_better
    assert "expected to lose at most 1 point" in verdict.why


def test_what_an_earlier_batch_taught_is_not_traded_for_something_new(good, blind):
    earlier = {"0001": [row(f"parcel {place}", "delivery") for place in range(8)]}
    verdict = judge(good, blind, exam([("password", "account")], [row("x y", "account")], earlier))
    assert {check.name for check in verdict.losses} == {"earlier", "labels"}
    assert [task["name"] for task in verdict.evidence["tasks"]] == ["test rows", "batch 0001", "recent feedback"]


def test_nothing_is_promoted_for_being_as_good(good):
    verdict = judge(good, good, exam(pairs(10), [row("money", "refund")]))
    assert (verdict.losses, verdict.gains) == ([], [])
    assert "not better beyond chance" in verdict.why
    assert not verdict.is_better
    assert all(isinstance(check, Check) for check in verdict.checks)
