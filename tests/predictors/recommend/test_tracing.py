"""Tracers of knowledge: what they say before each attempt, by hand calculations, and that nothing later is told."""

import numpy as np
import pytest

from windlass.predictors.recommend.tracing.attempts import Attempts, Course, trace
from windlass.predictors.recommend.tracing.bkt import Bkt
from windlass.predictors.recommend.tracing.features import NAMES, Features
from windlass.predictors.recommend.tracing.growth import Growth, Law, averaged
from windlass.predictors.recommend.tracing.irt import Irt
from windlass.predictors.recommend.tracing.next_exercise import Aim, advise, mastery

SKILL = np.array([0, 0, 1])


def attempts(exercises, right, days=None):
    n = len(exercises)
    days = np.arange(n, dtype=float) if days is None else np.array(days, float)
    return Attempts(np.zeros(n, int), np.array(exercises), np.array(right, bool), days)


def growth(**law):
    needs = np.array([[False, False], [True, False]])
    return Growth(SKILL, needs, np.array([-0.5, 0.5, 0.0]), np.zeros(2), Law(**law).as_array())


TRACERS = {
    "irt": Irt(np.array([-0.5, 0.5, 0.0]), np.ones(1)),
    "bkt": Bkt(SKILL, np.full(2, 0.5), np.full(2, 0.2), np.full(2, 0.25), np.full(2, 0.1)),
    "growth": growth(),
}


def test_bayesian_tracing_is_that_of_a_hand_calculation():
    """Known .5: right with .5 * .9 + .5 * .25 = .575. Right: .45 / .575 known, and learned at .2 of what is not."""
    found = trace(TRACERS["bkt"], attempts([0, 1], [1, 1]))
    known = 0.45 / 0.575
    known += (1 - known) * 0.2
    assert found == pytest.approx([0.575, known * 0.9 + (1 - known) * 0.25])


def test_an_ability_that_is_not_known_makes_an_exercise_of_middle_difficulty_even():
    assert trace(TRACERS["irt"], attempts([2], [1])) == pytest.approx([0.5])
    told = trace(TRACERS["irt"], attempts([2, 2, 2], [1, 1, 1]))
    assert told[0] < told[1] < told[2]


@pytest.mark.parametrize("name", TRACERS)
def test_what_comes_later_or_at_the_same_moment_changes_nothing(name):
    """Two results of one sitting: neither may tell of the other."""
    days = [0, 1, 1, 2]
    one = trace(TRACERS[name], attempts([0, 1, 2, 0], [1, 1, 0, 1], days))
    other = trace(TRACERS[name], attempts([0, 1, 2, 0], [1, 0, 0, 0], days))
    assert one[:3] == pytest.approx(other[:3])
    assert one[3] != pytest.approx(other[3])


@pytest.mark.parametrize("name", TRACERS)
def test_learners_do_not_tell_of_each_other(name):
    whole = Attempts(
        np.array([0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1]), np.ones(5, bool), np.array([0, 1, 0, 3, 4.0])
    )
    alone = trace(TRACERS[name], whole.of(np.array([False, True])))
    assert trace(TRACERS[name], whole)[2:] == pytest.approx(alone)


def test_the_features_are_those_of_a_hand_calculation():
    features = Features(SKILL, np.zeros(3), np.zeros(2))
    seen = features.begin(1)
    features.tell(seen, np.array([2.0]), np.array([0]), np.array([True]))
    found = dict(zip(NAMES, features.read(seen, np.array([5.0]), np.array([[1]]))[0, 0], strict=True))
    assert found["tries"] == pytest.approx(np.log(2))
    assert found["share_right"] == pytest.approx((1 + 1.5) / 4)
    assert found["skill_share_right"] == pytest.approx((1 + 3 * 0.625) / 4)
    assert (found["days_since_skill"], found["last_of_skill"], found["exercise_tries"]) == (3, 1, 0)
    assert found["recent_right"] == pytest.approx(0.625)
    assert found["rating"] == pytest.approx(0.15)


def test_an_answer_moves_a_gaussian_ability_as_a_kalman_step_does():
    """One skill alone: variance .8 ** 2 + .6 ** 2 = 1, slope .25 at even odds: gain 1 / 1.25, error .5."""
    tracer = growth(gain=1e-9, together=0.8, apart=0.6, widening=1e-9)
    tracer = Growth(SKILL, tracer.needs, np.zeros(3), np.zeros(2), tracer.law)
    mind = tracer.begin(1)
    tracer.tell(mind, np.zeros(1), np.array([0]), np.array([True]))
    assert mind.mean[0] == pytest.approx([0.4, 0.64 * 0.4])
    assert mind.covariance[0, 0, 0] == pytest.approx(0.8)


def test_what_was_learned_halves_after_its_half_life_and_mastery_has_an_interval():
    tracer = growth(half_life=10.0, spaced=0.01)
    mind = tracer.begin(1)
    for day in (0.0, 0.0, 0.0):
        tracer.tell(mind, np.array([day]), np.array([0]), np.array([True]))
    learned = mind.learned[0, 0]
    gone = tracer.knowledge(mind, np.array([0.0])) - tracer.knowledge(mind, np.array([10.0]))
    assert gone[0, 0] == pytest.approx(learned / 2)
    found = mastery(tracer, mind, np.zeros(1))
    assert (found.low < found.share).all()
    assert (found.share < found.high).all()
    assert found.high[0, 1] - found.low[0, 1] > found.high[0, 0] - found.low[0, 0], "the skill that was not tried"


def test_the_logistic_curve_over_a_gaussian_is_near_its_integral():
    draws = np.random.default_rng(0).normal(1, 1.5, 200_000)
    assert averaged(np.ones(1), np.full(1, 1.5**2))[0] == pytest.approx((1 / (1 + np.exp(-draws))).mean(), abs=0.01)


def test_what_is_needed_comes_first_and_what_was_just_done_rests():
    tracer = growth()
    mind = tracer.begin(1)
    aim = Aim(needed=0.6, rest=1)
    assert not advise(tracer, mind, np.zeros(1), aim).is_open[0, 2], "its need has a share of one half"
    assert advise(tracer, mind, np.zeros(1), aim, np.array([[0]])).best()[0] == 1


def test_a_course_counts_its_exercises():
    assert (Course(SKILL, np.zeros((2, 2), bool)).n_exercises, Course(SKILL, np.zeros((2, 2), bool)).n_skills) == (3, 2)
