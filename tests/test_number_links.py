"""Scales on which numbers are learned: the ways forth and back are each other's, and scipy's where it has them."""

import numpy as np
import pytest
from scipy.stats import yeojohnson

from windlass.metrics import links
from windlass.metrics.links import LOG, LOG1P, POWER, QUANTILE


def skewed(n_rows: int = 500) -> np.ndarray:
    return np.exp(np.random.default_rng(1).normal(3, 1, n_rows))


@pytest.mark.parametrize("name", [LOG1P, POWER, QUANTILE])
def test_what_went_forth_comes_back(name):
    numbers = skewed() - (20 if name != LOG1P else 0)
    link = links.fitted(name, numbers)
    scaled = links.forth(numbers, link)
    assert (abs(scaled.mean()), scaled.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))
    inner = slice(None) if name != QUANTILE else np.argsort(numbers)[5:-5]
    assert links.back(scaled, link)[inner] == pytest.approx(numbers[inner], rel=1e-6)
    assert np.isfinite(links.back(np.array([-1e9, 1e9]), link)).all()


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.7, 2.0])
def test_the_power_is_that_of_scipy(power):
    numbers = np.array([-3.0, -0.5, 0.0, 0.5, 40.0])
    link = {"name": POWER, "scale": 1.0, "mean": 0.0, "deviation": 1.0, "power": power}
    assert links.forth(numbers, link) == pytest.approx(yeojohnson(numbers, lmbda=power))


def test_the_logarithm_of_counts_gives_their_mean():
    link = links.fitted(LOG, np.array([0.0, 2.0, 4.0]))
    assert links.back(np.log([0.5, 2.0]), link) == pytest.approx([1.0, 4.0])


def test_numbers_ask_for_their_scale_and_their_loss():
    counts = np.random.default_rng(1).poisson(0.5, 400).astype(float)
    assert links.wanted(counts, is_absolute=False) == [(LOG1P, ""), (LOG, "poisson")]
    assert links.wanted(counts, is_absolute=True) == [(LOG1P, "")]
    assert links.wanted(np.where(skewed() < 20, 0, skewed()), is_absolute=False)[-1] == (LOG, "tweedie")
    assert links.wanted(skewed() - 30, is_absolute=False) == [(POWER, ""), (QUANTILE, "")]
    assert links.wanted(np.random.default_rng(1).normal(0, 1, 400), is_absolute=False) == []


def test_a_damaged_scale_is_refused():
    link = links.fitted(LOG1P, skewed())
    assert links.fault(link) == ""
    for change in ({"name": "luck"}, {"scale": 0.0}, {"mean": float("nan")}, {"deviation": "1"}):
        assert links.fault({**link, **change})
