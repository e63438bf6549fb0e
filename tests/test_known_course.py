"""The course of the tutor blueprint, whose truth is known: fixed before any learner was tried."""

import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools"
sys.path.insert(0, str(TOOLS))
try:
    import make_tutor as law
    import tutor_texts as texts
finally:
    sys.path.remove(str(TOOLS))


def test_the_fixed_order_has_at_most_sixty_percent_of_the_oracles_gain():
    found = law.scores(n=60)
    assert found["oracle"] > found["fixed_order"] > found["by_chance"] > found["no_course"]
    assert found["naive_share_of_gain"] <= 0.6


def test_a_skill_stands_after_what_it_needs():
    names = list(texts.SKILLS)
    assert all(names.index(needed) < names.index(name) for name in names for needed in texts.NEEDS[name])
    assert list(law.depths(law.course().needs)[:4]) == [0, 1, 1, 2]


def test_a_right_answer_teaches_as_the_law_says_and_days_take_half():
    """At best odds, all ready: .42 logits; half of it is left after the half-life of 8 days."""
    of = law.Course(np.zeros(1, int), np.zeros(1), np.zeros((1, 1), bool))
    who = law.Learners(np.ones(1), np.full(1, 8.0), np.full((1, 1), law.BEST_ODDS))
    minds = law.begun(who)
    assert law.practise(of, who, minds, np.zeros(1, int), 0.0, np.zeros(1)).tolist() == [True]
    assert minds.known[0, 0] == pytest.approx(law.BEST_ODDS + law.RATE)
    assert minds.half_life[0, 0] == pytest.approx(8 * 1.02)
    assert law.knowledge(who, minds, 8 * 1.02)[0, 0] == pytest.approx(law.BEST_ODDS + law.RATE / 2)


def test_answers_are_right_and_every_exercise_is_told_in_both_languages_once():
    rows = texts.exercise_rows()[1:]
    assert len(rows) == len({row[0] for row in rows}) == len({row[5] for row in rows}) == len({row[6] for row in rows})
    for row in rows:
        english, answer = row[5], row[7]
        asked = english.removeprefix("What is ").removesuffix("?")
        if set(asked) <= set("0123456789+-×÷/(). "):
            whole = asked.replace("×", "*").replace("÷", "/")
            assert _value(whole) == pytest.approx(_value(answer)), english


def _value(expression):
    import ast
    import operator

    signs = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}

    def of(node):
        if isinstance(node, ast.BinOp):
            return signs[type(node.op)](of(node.left), of(node.right))
        return -of(node.operand) if isinstance(node, ast.UnaryOp) else node.value

    return of(ast.parse(expression, mode="eval").body)


def test_every_policy_meets_the_same_learners():
    one, other = (law.trial(law.plain(policy), 20, 5, 2) for policy in (law.fixed_order, law.by_chance))
    assert (one.before == other.before).all()
    assert one.log.exercises.shape == (20, 20)


def test_the_data_is_what_its_tool_writes_and_small(tmp_path):
    law.main(tmp_path)
    for path in sorted(law.TARGET.iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), "run tools/make_tutor.py"
        assert path.stat().st_size <= 560_000
