"""What another way to fill slates would have earned, and experiments that may be looked at every day."""

import math

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.metrics.experiments import SequentialTest, answers_needed
from windlass.metrics.exposure import LoggedSlates, doubly_robust, ips, snips
from windlass.metrics.proportions import Proportion


def by_hand():
    """Two slates of two places: weights 2 and 1/2, then 1 and 0."""
    return LoggedSlates.read(
        np.array([[1, 1], [0, 1]]), np.array([[0.25, 0.5], [0.5, 0.5]]), np.array([[0.5, 0.25], [0.5, 0.0]]), [0, 1]
    )


def test_ips_and_snips_are_those_of_a_hand_calculation():
    """IPS: (2 + 1/2 + 0 + 0) / 2. SNIPS: place 1 has 2 of a weight of 3, place 2 has 1/2 of 1/2."""
    assert ips(by_hand()).estimate.value == pytest.approx(1.25)
    assert snips(by_hand()).estimate.value == pytest.approx(2 / 3 + 1)


def test_doubly_robust_adds_to_the_model_what_it_missed():
    """(.8 + 2 * (1 - .5) + .5 * (1 - .5) + .6 + 1 * (0 - .5)) / 2."""
    found = doubly_robust(by_hand(), np.full((2, 2), 0.5), np.array([0.8, 0.6]))
    assert found.estimate.value == pytest.approx((0.8 + 1 + 0.25 + 0.6 - 0.5) / 2)


def test_the_same_way_earns_what_was_earned():
    rng = np.random.default_rng(1)
    rewards, chances = rng.random((50, 3)) < 0.3, rng.uniform(0.1, 0.9, (50, 3))
    slates = LoggedSlates.read(rewards, chances, chances, np.arange(50))
    found = ips(slates)
    mean, error = rewards.sum(axis=1).mean(), rewards.sum(axis=1).std(ddof=1) / math.sqrt(50)
    assert found.estimate.value == pytest.approx(mean)
    assert snips(slates).estimate.value == pytest.approx(mean)
    assert found.estimate.high - mean == pytest.approx(2.0096 * error, rel=1e-3)  # Student's t with 49 degrees
    assert found.effective == pytest.approx(50)


def test_slates_of_one_user_count_as_one():
    slates = np.repeat(np.arange(20) % 2, 2)[:, None].astype(float)
    chances = np.full((40, 1), 0.5)
    alone = ips(LoggedSlates.read(slates, chances, chances, np.arange(40))).estimate
    together = ips(LoggedSlates.read(slates, chances, chances, np.repeat(np.arange(20), 2))).estimate
    assert together.high - together.value > 1.3 * (alone.high - alone.value)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_propensity_that_tells_nothing_is_refused_with_its_place(wrong):
    chances = np.array([[0.5, 0.5], [0.5, wrong]])
    with pytest.raises(DataError, match="propensity of slate 2, place 2 is") as refused:
        LoggedSlates.read(np.zeros((2, 2)), chances, np.full((2, 2), 0.5), [0, 1])
    assert "explore" in refused.value.hint


def test_clipped_propensities_are_said():
    chances = np.array([[0.5, 0.0], [1.0, 0.5]])
    slates = LoggedSlates.read(np.ones((2, 2)), chances, np.full((2, 2), 0.5), [0, 1], clip=0.1)
    assert "2 of 4 propensities were clipped to 0.1" in snips(slates).words[0]
    assert slates.propensities.tolist() == [[0.5, 0.1], [0.9, 0.5]]
    with pytest.raises(DataError, match="outside 0 to 1"):
        LoggedSlates.read(np.ones((2, 2)), chances * 3, np.full((2, 2), 0.5), [0, 1], clip=0.1)


def test_what_was_never_shown_cannot_be_judged():
    chances = np.full((3, 1), 0.5)
    with pytest.raises(DataError, match="place 1 never showed"):
        snips(LoggedSlates.read(np.ones((3, 1)), chances, np.zeros((3, 1)), [0, 1, 2]))


def test_few_slates_that_carry_all_weight_are_said():
    chances = np.full((1000, 1), 0.5)
    chances[0] = 0.001
    words = ips(LoggedSlates.read(np.ones((1000, 1)), chances, np.full((1000, 1), 0.5), np.arange(1000))).words
    assert any("carry the weight of 1000" in word for word in words)
    assert any("one slate carries" in word for word in words)


def test_two_ways_are_compared_on_the_same_slates():
    """Most of what varies is the same for both, so that the difference is narrower than the two intervals."""
    rng = np.random.default_rng(3)
    rewards, chances = rng.random((400, 2)) < 0.4, np.full((400, 2), 0.5)
    first, second = (
        ips(LoggedSlates.read(rewards, chances, np.full((400, 2), target), np.arange(400))) for target in (0.5, 0.45)
    )
    gained = first.less(second)
    assert gained.value == pytest.approx(first.estimate.value * 0.1)
    assert gained.low > 0
    assert second.estimate.high > first.estimate.low


def test_the_size_of_an_experiment_is_that_of_the_textbook():
    """10 % to 12 % at 5 % and 80 %: 3,841 each (R's power.prop.test: 3840.847); 50 % to 75 %: 58 (57.67)."""
    assert answers_needed(0.10, 0.02) == 3841
    assert answers_needed(0.50, 0.25) == 58
    with pytest.raises(DataError, match="expected both rates between 0 and 1"):
        answers_needed(0.9, 0.2)


def test_looking_every_day_does_not_make_false_alarms():
    """300 experiments without a difference, 30 looks each: at most 5 % end (control: tests of one look end in more)."""
    rng = np.random.default_rng(5)
    shown = np.cumsum(rng.binomial(100, 0.2, (300, 2, 30)), axis=2)
    n = 100 * np.arange(1, 31)
    test, ended, naive = SequentialTest(gain=0.03), 0, 0
    for new, old in shown:
        pairs = [(Proportion(int(a), int(m)), Proportion(int(b), int(m))) for a, b, m in zip(new, old, n, strict=True)]
        ended += any(test.verdict(*pair) != "open" for pair in pairs)
        spread = np.sqrt(2 * 0.16 / n)
        naive += bool((np.abs(new - old) / n > 1.96 * spread).any())
    assert ended <= 0.05 * 300
    assert naive > 0.15 * 300


def test_a_difference_is_found_and_too_little_is_open():
    test = SequentialTest(gain=0.03)
    assert test.verdict(Proportion(1300, 5000), Proportion(1000, 5000)) == "better"
    assert test.verdict(Proportion(1000, 5000), Proportion(1300, 5000)) == "worse"
    assert test.verdict(Proportion(9, 20), Proportion(0, 20)) == "open"
    assert test.verdict(Proportion(0, 0), Proportion(1, 20)) == "open"
