"""Clicks apart into what is looked at and what is wanted."""

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.learners.recommend.click_model import Impressions, fit_click_model, rates_so_far
from windlass.metrics.measures import expected_calibration_error

LOOKED = np.array([1.0, 0.6, 0.3])


def drawn(n, seed=1, tied=0.7):
    """Items of 40, better ones mostly further up: who reads the rates alone takes the places for more than they do."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(0, 1, 40)
    items = rng.integers(0, 40, n)
    by_quality = np.digitize(-quality[items], [-0.5, 0.5])
    place = np.where(rng.random(n) < tied, by_quality, rng.integers(0, 3, n))
    feature = rng.normal(0, 1, (n, 1))
    wanted = 1 / (1 + np.exp(-(quality[items] + 0.8 * feature[:, 0] - 0.3)))
    clicked = rng.random(n) < LOOKED[place] * wanted
    return Impressions(place, clicked, feature, [items]), wanted


def test_places_and_wishes_are_told_apart():
    shown, wanted = drawn(20_000)
    found = fit_click_model(shown)
    assert found.looked == pytest.approx(LOOKED, rel=0.1)
    assert ((found.low <= LOOKED) & (found.high >= LOOKED)).all()
    assert found.weights[0] == pytest.approx(0.8, abs=0.1)
    assert np.abs(found.wanted(shown) - wanted).mean() < 0.03
    rates = [shown.clicked[shown.place == place].mean() for place in range(3)]
    assert abs(rates[2] / rates[0] / LOOKED[2] - 1) > 0.3  # control: the plain rates are far off


def test_chances_come_true_as_often_as_they_say():
    shown, _ = drawn(30_000, seed=2)
    is_test = np.arange(30_000) % 3 == 0
    found = fit_click_model(shown.part(~is_test))
    chance = found.chance(shown.part(is_test))
    both = np.column_stack([1 - chance, chance])
    assert expected_calibration_error(shown.clicked[is_test].astype(int), both) <= 0.02


def test_an_id_that_was_not_learned_has_the_effect_of_the_mean_one():
    shown, _ = drawn(3_000)
    found = fit_click_model(shown)
    new = Impressions(np.array([0]), np.array([False]), np.array([[0.0]]), [np.array([99])])
    assert found.wanted(new) == pytest.approx(1 / (1 + np.exp(-found.weights[-1])))


def test_rates_so_far_know_what_was_before_and_nothing_of_the_same_moment():
    """Item 0: none, none (the same moment), then 1 click of 1.5 looks; the mean of all is 2 of 3 looks."""
    found = rates_so_far(
        np.array([0, 0, 0, 1]), np.array([1, 0, 1, 0]), np.array([1, 0.5, 0.5, 1]), np.array([1, 1, 2, 3]), least=3.0
    )
    mean = 2 / 3
    assert np.exp(found) == pytest.approx([mean, mean, (1 + 3 * mean) / 4.5, mean])


def test_places_that_are_known_are_held():
    shown, _ = drawn(20_000)
    places = fit_click_model(shown)
    found = fit_click_model(Impressions(shown.place, shown.clicked, shown.features, []), known=places)
    assert (found.looked == places.looked).all()
    assert found.weights[0] != places.weights[0]
    with pytest.raises(DataError, match="slates have 3 places, expected 2"):
        fit_click_model(shown, known=fit_click_model(shown.part(shown.place < 2)))


def test_places_without_clicks_and_slates_of_one_place_are_refused():
    shown, _ = drawn(300)
    with pytest.raises(DataError, match="place 3 has 0 clicks"):
        fit_click_model(Impressions(shown.place, shown.clicked & (shown.place < 2), shown.features))
    with pytest.raises(DataError, match="1 places"):
        fit_click_model(shown.part(shown.place == 0))
