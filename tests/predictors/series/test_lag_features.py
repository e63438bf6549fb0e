"""What trees see, by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from windlass.kinds.points import time_step
from windlass.kinds.points.reading import Written
from windlass.predictors.series.forecaster import banded, spread
from windlass.predictors.series.lag_features import LOG, Base, Recipe, Track, asked
from windlass.predictors.series.question import Asking, Question

NOW = np.array([6])
RECIPE = Recipe(4, 2, (2,), (), base=Base(2, 2, 2))


def question(history, promo=None, scale=1.0):
    history = np.array(history, float)
    known = np.zeros((len(history) + 4, 0)) if promo is None else np.array(promo, float)[:, None]
    return Question(history, known, np.zeros((len(history), 0)), None, np.zeros(0, np.float32), scale)


def test_the_base_is_the_latest_level_and_the_shape_of_the_season():
    """Level: (3 + 7) / 2 = 5; of the last two seasons 2 6 3 7, mean 4.5, the phases are 2.5 and 6.5: -2 and 2."""
    track = Track(question([0, 4, 2, 6, 3, 7]), RECIPE)
    assert track.base(NOW, RECIPE.base)[0].tolist() == [3, 7, 3, 7]


def test_a_gap_is_left_out_and_not_taken_for_nothing():
    track = Track(question([0, 4, 2, 6, np.nan, 7]), RECIPE)
    assert track.mean(NOW, 2)[0] == 7
    assert np.isnan(track.at(np.array([4, -1]))).all()
    assert track.shape(NOW, 2, 2)[0] == pytest.approx([2 - 5, 6.5 - 5, 2 - 5, 6.5 - 5])


def test_nothing_after_the_origin_is_seen():
    """The features of an origin are the same, whatever comes after it."""
    random = np.random.default_rng(1)
    values = random.uniform(1, 9, 40)
    other = np.concatenate([values[:30], random.uniform(1, 9, 10)])
    recipe = replace(RECIPE, long=(15,), base=Base(2, 2, 2, 1.0))
    origin = np.array([30])
    first, second = (Track(question(each), recipe) for each in (values, other))
    assert np.array_equal(first.features(origin), second.features(origin), equal_nan=True)
    assert np.array_equal(first.base(origin, recipe.base), second.base(origin, recipe.base))
    asked_then = asked([question(values[:30])], recipe)
    assert np.array_equal(asked_then[1][0], first.features(origin)[0], equal_nan=True)


def test_a_promotion_is_divided_out_of_what_was_and_put_on_what_comes():
    """Ten pieces, doubled by a promotion: the base is ten, and twenty with the promotion of the third step."""
    recipe = replace(RECIPE, mode=LOG, effects=(np.log(2),), logged=(False,))
    promo = [0, 0, 1, 1, 0, 1, 0, 0, 1, 0]
    base, _ = asked([question([10, 10, 20, 20, 10, 20], promo)], recipe)
    assert recipe.untold(base, 1.0)[0] == pytest.approx([10, 10, 20, 10])


def test_seasons_that_hold_the_shortest_are_phases_and_others_are_long():
    def recipe(every, season):
        return Recipe.of(Asking(Written(every=every), 4, season, {}, {}, 1.0))

    assert time_step.parse("1h").seasons == (24, 168)
    assert (recipe("1h", 24).seasons, recipe("1h", 24).long) == ((24, 168), ())
    assert (recipe("1d", 7).seasons, recipe("1d", 7).long) == ((7,), (365,))
    assert recipe("", 1).seasons == (1,)


def test_a_recipe_is_kept_as_json_and_damage_is_seen():
    told = json.loads(json.dumps(RECIPE.as_json()))
    assert Recipe.from_json(told) == RECIPE
    for damage in ({"mode": "cube"}, {"unit": 0}, {"effects": [1.0]}, {"base": {"level": 2, "season": 5}}):
        with pytest.raises(ValueError, match=r"lengths|effects"):
            Recipe.from_json({**told, **damage})


def test_bands_grow_with_what_is_foreseen_as_they_are_told_to():
    points, scale = np.array([[4.0, 16.0, 0.0]]), np.array([1.0])
    assert spread(points, scale, 0.0).tolist() == [[1, 1, 1]]
    assert spread(points, scale, 0.5)[0] == pytest.approx([2, 4, np.sqrt(0.1)])
    assert spread(points, scale, 1.0)[0] == pytest.approx([4, 16, 0.1])
    found = banded(points, np.array([[-2.0] * 3, [1.0] * 3]), spread(points, scale, 0.5), 0.0)
    assert found[0, :, 0].tolist() == [0, 6]
