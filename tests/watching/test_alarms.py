"""Alarms are raised by strong or repeated evidence and end when it is clearly over; their chances keep to a budget."""

import math

import numpy as np
import pytest

from windlass.watching.alarms import Alarms, Levels, level, levels
from windlass.watching.evidence import Finding
from windlass.watching.windows import DAY_S

KEY = ("drift", "message")


def _finding(p: float, effect: float = 0.2) -> Finding:
    return Finding(*KEY, "values", effect, 0.1, p)


def _heard(*said) -> list[bool]:
    """Whether the alarm is raised after each of these windows."""
    alarms, found = Alarms(), []
    for number, each in enumerate(said):
        alarms.hear(KEY, each, float(number), "words", {})
        found.append(bool(alarms.raised()))
    return found


@pytest.mark.parametrize(
    ("said", "raised"),
    [
        (("strong",), [True]),
        (("weak",), [False]),
        (("weak", "weak"), [False, True]),
        (("weak", "clear", "weak"), [False, False, True]),
        (("weak", "none", "none", "weak"), [False] * 4),
        (("strong", "clear"), [True, True]),
        (("strong", "clear", "clear"), [True, True, False]),
        (("strong", "clear", "none", "clear"), [True] * 4),
    ],
)
def test_evidence_raises_and_clearness_ends(said, raised):
    assert _heard(*said) == raised


def test_an_alarm_keeps_its_first_time_and_its_newest_words():
    alarms = Alarms()
    for at, (said, words) in enumerate([("strong", "first"), ("strong", "second"), ("clear", "third")]):
        alarms.hear(KEY, said, float(at), words, {})
    (alarm,) = alarms.raised()
    assert (alarm.since, alarm.words) == (0.0, "second")


def test_a_month_spends_its_budget_by_hand():
    """30 windows of a day, half an alarm: alone .5 / 4 / 30 = .00417; together the root of that, but at most .01."""
    spend = levels(0.5, DAY_S, DAY_S)
    assert spend.strong == pytest.approx(0.5 / 4 / 30)
    assert spend.weak == 0.01
    assert levels(0.01, 3_600.0, 3_600.0).weak == pytest.approx(math.sqrt(0.01 / 4 / 720))


def test_by_chance_alone_a_month_has_fewer_alarms_than_its_budget():
    """p-values of chance, effects always large: the worst case. 2,000 months; control: one window in 20 would do."""
    random, spend = np.random.default_rng(3), levels(0.5, DAY_S, DAY_S)
    alarms = weekly = 0
    trial = Alarms()
    for day, p in enumerate(random.random(30 * 2_000)):
        before = len(trial.raised())
        trial.hear(KEY, level([_finding(float(p))], spend), float(day), "", {})
        alarms += len(trial.raised()) > before
        weekly += p < 0.05
    assert alarms / 2_000 <= 0.5
    assert weekly / 2_000 > 1


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (_finding(1e-6), "strong"),
        (_finding(0.008), "weak"),
        (_finding(0.03), "none"),
        (_finding(0.3), "clear"),
        (_finding(1e-12, effect=0.04), "clear"),
        (_finding(1e-12, effect=0.09), "none"),
    ],
)
def test_a_trifle_is_no_alarm_however_many_rows_show_it(finding, said):
    assert level([finding], Levels(0.004, 0.01)) == said


def test_alarms_survive_being_written_and_read():
    alarms = Alarms()
    alarms.hear(KEY, "strong", 5.0, "words", {"p": 0.1})
    alarms.hear(("data", "x"), "weak", 5.0, "", {})
    again = Alarms.from_json(alarms.as_json())
    assert again.raised() == alarms.raised()
    again.hear(("data", "x"), "weak", 6.0, "", {})
    assert len(again.raised()) == 2
