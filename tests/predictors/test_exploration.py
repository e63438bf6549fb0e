"""Slates that explore: what is shown, and that the logged chance is how often it is shown."""

import numpy as np
import pytest
from pydantic import ValidationError

from windlass.item_shape import ItemShape
from windlass.predictors.recommend.exploration import Exploration, chances_of_places


def counted(explore, scores, touched, k, n):
    """(n_pool, k) how often each item stood at each place, and the mean of the chances that were said of it."""
    random, often, said = np.random.default_rng(1), np.zeros((len(scores), k)), np.zeros((len(scores), k))
    for _ in range(n):
        slate = explore.slate(scores, touched, k, random)
        often[slate.places, np.arange(k)] += 1
        said[slate.places, np.arange(k)] = slate.chances
    return often / n, said


@pytest.mark.parametrize("explore", [Exploration("epsilon", 0.3), Exploration("thompson", 1.0)])
def test_an_item_stands_at_a_place_as_often_as_its_chance_says(explore):
    scores, touched = np.array([3.0, 2.5, 2.4, 1.0, 0.0]), np.array([50, 0, 5, 0, 100])
    often, said = counted(explore, scores, touched, 3, 1_000)
    assert often == pytest.approx(said, abs=0.05)


def test_two_items_change_places_by_the_normal_distribution():
    """The difference of two draws is normal: P(first above) = Phi(1 / sqrt(2)) = 0.76025, as in a table."""
    found = chances_of_places(np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.array([0, 1]))
    assert found == pytest.approx([0.7602499, 0.7602499], abs=1e-6)


def test_chances_of_all_items_at_a_place_add_up_to_one():
    rng = np.random.default_rng(2)
    scores, spread = np.sort(rng.normal(0, 1, 8))[::-1], rng.uniform(0.2, 1, 8)
    total = np.zeros(8)
    for shift in range(8):
        places = np.roll(np.arange(8), shift)
        total += chances_of_places(scores, spread, places)
    assert total == pytest.approx(np.ones(8), abs=1e-5)


def test_epsilon_leaves_most_slates_as_they_are():
    scores = np.arange(20)[::-1].astype(float)
    random, as_ranked = np.random.default_rng(3), 0
    for _ in range(500):
        slate = Exploration("epsilon", 0.1).slate(scores, np.zeros(20), 10, random)
        as_ranked += bool((slate.places == np.arange(10)).all())
        assert len(set(slate.places.tolist())) == 10
    assert 420 <= as_ranked <= 480


def test_what_nobody_touched_moves_more_than_what_is_known():
    explore, scores = Exploration("thompson", 1.0), np.array([3.0, 2.0, 1.0])
    spread = explore.spread(scores, np.array([1000, 10, 0]))
    assert spread[2] == pytest.approx(scores.std())
    assert spread[1] == pytest.approx(scores.std() / np.sqrt(2))
    assert spread[0] < 0.11 * scores.std()


def test_one_item_or_none_is_shown_for_certain():
    assert Exploration("epsilon", 0.5).slate(np.array([1.0]), np.zeros(1), 10, np.random.default_rng(1)).chances == [1]
    assert len(Exploration("thompson", 1.0).slate(np.zeros(0), np.zeros(0), 10, np.random.default_rng(1)).places) == 0


def test_a_product_says_how_it_explores():
    assert Exploration.of({"epsilon": 0.1, "pool": 30}) == Exploration("epsilon", 0.1, 30)
    assert Exploration.of({"thompson": 1}) == Exploration("thompson", 1.0, 50)
    assert Exploration.of({"epsilon": 0}) is None
    assert Exploration.of(None) is None


@pytest.mark.parametrize("wrong", [{"epsilon": 0.9}, {"epsilon": 0.1, "thompson": 1}, {"chance": 0.1}, {"pool": 10}])
def test_a_way_to_explore_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError, match="epsilon"):
        ItemShape(explore=wrong)
