"""Where learners stand and what comes next, in words; pages in both languages; and a log that is replayed."""

import numpy as np
import pytest

from windlass.kinds.items import History
from windlass.pages.html.tutor_page import class_page, learner_page
from windlass.predictors.recommend.tracing.growth import Growth, Law
from windlass.predictors.recommend.tracing.tutoring import Tutor, replayed
from windlass.records import Catalogue
from windlass.records.tutoring import ClassState

NAMES = ("a1", "a2", "b1")
DAY = 86_400.0
CONTENT = Catalogue(
    NAMES,
    {
        "skill_name": ("Adding", "Adding", "<b>Times</b>"),
        "skill_name_zh": ("加法", "加法", "乘法"),
        "text": ("1 + 1?", "2 + 2?", "2 × 3?"),
        "text_zh": ("1 加 1？", "2 加 2？", "2 乘 3？"),
        "answer": ("2", "4", "6"),
        "hint": ("count", "count", "add"),
        "hint_zh": ("数一数", "数一数", "加一加"),
    },
)


@pytest.fixture
def tutor():
    needs = np.array([[False, False], [True, False]])
    growth = Growth(np.array([0, 0, 1]), needs, np.zeros(3), np.zeros(2), Law().as_array())
    return Tutor(growth, NAMES, ("a", "b"), CONTENT)


def history(items, weights, learner="n1"):
    return History(tuple(items), tuple(DAY * day for day in range(len(items))), tuple(map(float, weights)), learner)


def test_a_learner_who_was_right_knows_more_and_is_told_what_is_next(tutor):
    able, weak = tutor.states({"n1": history(["a1", "a2"], [1, 1]), "n2": history(["a1", "a2"], [0, 0])}, None)
    assert able.skills[0].share > weak.skills[0].share
    assert able.skills[0].low < able.skills[0].share < able.skills[0].high
    assert (able.tried, able.right, able.skills[0].tries, able.skills[1].days) == (2, 1.0, 2, -1.0)
    assert able.skills[1].needs == ("a",)
    assert able.suggestions[0].hint.zh in ("数一数", "加一加")
    assert {each.exercise for each in able.suggestions}.isdisjoint({"a1", "a2"}), "they were tried a moment ago"


def test_days_that_pass_take_some_of_what_was_learned(tutor):
    one = {"n1": history(["a1"] * 6, [1] * 6)}
    soon, late = (tutor.states(one, moment)[0].skills[0].share for moment in (None, 400 * DAY))
    assert late < soon


def test_nobody_who_has_tried_nothing_fails(tutor):
    found = tutor.states({"n1": History()}, None)[0]
    assert (found.tried, found.right, len(found.skills)) == (0, 0.0, 2)
    assert found.suggestions


def test_pages_show_both_languages_and_no_markup_of_others(tutor):
    states = tutor.states({"<i>n1</i>": history(["a1", "a2"], [1, 0])}, None)
    told = replayed(tutor, [history(["a1", "a2", "a1"], [1, 0, 1])])
    for page in (learner_page(states[0]), class_page(ClassState("maths", tuple(states), told))):
        assert "乘法" in page
        assert "<i>n1" not in page
        assert "<b>Times" not in page
        assert page.count("<section>") == page.count("</section>")
    assert "No causal claim" in page
    assert "不作因果断言" in page


def test_a_replay_counts_each_try_once(tutor):
    told = replayed(tutor, [history(["a1", "a2", "a1"], [1, 0, 1]), history(["b1"], [0], "n2")])
    assert [each.is_suggested for each in told] == [True, False]
    assert sum(each.tries for each in told) == 4
    assert sum(each.tries * each.right for each in told) == pytest.approx(2)
