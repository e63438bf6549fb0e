"""Latest points against their own past: growth and seasons are usual; a jump, another unit and a stuck one are not."""

import numpy as np
import pytest

from windlass.kinds import table as kinds
from windlass.kinds.points.reading import Series
from windlass.kinds.points.standing import LEVELS, STILL, standing, week
from windlass.kinds.points.time_step import TimeStep

YEAR = 365


def test_a_day_is_compared_with_the_same_weekdays_around_it_a_year_ago():
    """By hand: past 380, a year before is 15; the weekdays around it 1, 8, 15, 22, 29: their mean is 15."""
    points = np.arange(381.0)
    points[380] = 15 + 5
    apart = points[YEAR:380] - points[: 380 - YEAR]
    deviation = np.sqrt((apart**2).mean() / 2)
    assert standing(points, (7, YEAR)).level == pytest.approx(5 / deviation)


def test_seasons_and_growth_are_no_move_and_a_jump_is():
    random = np.random.default_rng(1)
    days = np.arange(1_100)
    year = 10 * np.sin(2 * np.pi * days / YEAR)
    points = year + 0.002 * days + random.normal(0, 1, len(days))
    usual = [standing(points[:end], (7, YEAR)).level for end in range(1_000, 1_100)]
    assert abs(np.mean(usual)) < 1.2
    points[1_000:] += 6
    assert np.mean([standing(points[:end], (7, YEAR)).level for end in range(1_001, 1_030)]) > np.mean(usual) + 3


def test_a_sensor_that_is_stuck_does_not_move_and_missing_points_say_nothing():
    points = np.random.default_rng(2).normal(0, 1, 60)
    points[-1] = points[-2]
    assert standing(points, (7,)).motion == STILL
    assert np.isnan(standing(np.full(9, np.nan), (7,)).level)
    assert standing(np.ones(9), ()) == (0.0, 0.0), "nothing ever moved"
    assert standing(np.array([1.0] * 9 + [2.0]), ()).level > LEVELS[-1]


def test_series_with_moments_are_profiled_by_their_past_and_others_by_their_level():
    kind = kinds.get("series")
    dated = Series({"value": list(map(float, range(40)))}, np.datetime64("2026-12-25", "s"), TimeStep(1, "d"))
    state = kind.sketch.learn([dated])
    found = kind.sketch.profile(dated, state)
    assert found[kind.sketch.season(state)] == week(np.datetime64("2027-02-02")) == 5
    bare = Series({"value": [1.0, 2.0]})
    assert kind.sketch.season(kind.sketch.learn([bare, bare])) == -1
    assert kind.sketch.profile(bare, state) == [0, 0, 0]
