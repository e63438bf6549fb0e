"""Series are read from numbers, points, columns and what is kept; what they are not is said."""

import json
import math

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.kinds import series
from windlass.kinds import table as kinds
from windlass.kinds.points.features import NAMES, features

HOW = {"time": "date", "value": "sales", "known": ["promo"], "past": [], "every": "", "gather": "", "horizon": 2,
       "season": None}  # fmt: skip
DAYS = [{"date": f"2026-01-0{day}", "sales": day, "promo": 0} for day in (1, 2, 4)]


def read(value, **how):
    return kinds.reading("series", {**HOW, **how}).read(value, None)


def test_numbers_points_columns_and_text_say_the_same():
    forms = [[1, 2.5, None], "[1, 2.5, null]", {"value": [1, 2.5, None]}, [{"value": 1}, {"value": 2.5}, {}]]
    for form in forms:
        assert series.read(form, None).columns == {"value": [1.0, 2.5, None]}
    assert series.read("1 2.5; 3", None).columns == {"value": [1.0, 2.5, 3.0]}


def test_points_stand_on_a_grid_with_gaps_and_come_back_as_they_are_kept():
    found = read(DAYS)
    assert found.columns == {"sales": [1, 2, None, 4], "promo": [0, 0, None, 0]}
    assert (str(found.start), str(found.every)) == ("2026-01-01T00:00:00", "1d")
    kept = kinds.reading("series", HOW).clean(DAYS, None)
    assert json.loads(kept) == {
        "start": "2026-01-01T00:00:00", "every": "1d", "columns": {"sales": [1, 2, None, 4], "promo": [0, 0, None, 0]}
    }  # fmt: skip
    assert read(kept) == found
    assert read(list(reversed(DAYS))) == found
    assert str(found.part(1, 3).start) == "2026-01-02T00:00:00"


def test_zones_are_told_in_utc_and_the_hour_of_summer_time_is_a_gap():
    berlin = ["2026-03-29T00:00+01:00", "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00"]
    found = read([{"date": moment, "sales": 1} for moment in berlin])
    assert len(found) == 4
    assert str(found.start) == "2026-03-28T23:00:00"
    wall = read([{"date": moment[:16], "sales": 1} for moment in berlin])
    assert wall.columns["sales"] == [1, 1, None, 1, 1]


def test_irregular_points_are_gathered_where_that_is_asked_for():
    points = [
        {"date": f"2026-01-01T0{hour}:{minute}", "sales": 2} for hour, minute in ((0, "05"), (0, "50"), (2, "10"))
    ]
    with pytest.raises(DataError, match="irregular moments, expected one step"):
        read(points)
    assert read(points, every="1h", gather="sum").columns["sales"] == [4, None, 2]
    assert read(points, every="1h", gather="mean").columns["sales"] == [2, None, 2]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([*DAYS, DAYS[0]], "the moment 2026-01-01T00:00:00 twice"),
        ([{**DAYS[0], "date": "soon"}], "the moment 'soon'"),
        ([{**DAYS[0], "date": None}], "a point without its moment"),
        ([{**DAYS[0], "sales": "many"}], "'sales' 'many' at point 0, expected a number"),
        ([{"date": "2026-01-01", "sold": 3}], "no 'sales', expected it"),
        ([{"date": "2026-01-01", "sales": 1}, 7], "point 1 7, expected an object"),
        ({"date": ["2026-01-01"], "sales": [1, 2]}, "expected columns of equally many values"),
        ("soon", "expected a list of numbers or of points"),
        ([{"date": "0001-01-01", "sales": 1}, {"date": "0001-01-02", "sales": 1}, {"date": "9998-01-01", "sales": 1}],
             "the moment 9998-01-01T00:00:00 far from its other points"),
    ],
)  # fmt: skip
def test_what_is_no_series_is_refused_in_words(value, words):
    with pytest.raises(DataError) as caught:
        read(value)
    assert words in caught.value.message


def test_a_million_points_are_read_and_more_are_refused():
    assert len(series.read([0.5] * 1_000_000, None)) == 1_000_000
    with pytest.raises(DataError, match="has 1,000,001 points"):
        series.read([0.5] * 1_000_001, None)


def test_features_tell_level_motion_and_frequency():
    found = dict(zip(NAMES, features(np.array([1.0, 3.0] * 50)), strict=True))
    assert (found["mean"], found["deviation"], found["turns"], found["step"]) == (2, 1, 1, 2)
    assert found["band 7"] == pytest.approx(1)  # as fast as can be
    slow = dict(zip(NAMES, features(np.sin(np.linspace(0, 2 * np.pi, 512, endpoint=False))), strict=True))
    assert slow["band 0"] == pytest.approx(1)
    empty = features(np.full(5, np.nan))
    assert np.isfinite(empty).all()


def test_steps_are_the_latest_points_of_each_channel_the_last_at_the_end():
    """Of 1 2 3, mean 2 and deviation sqrt(2/3); a gap repeats what was there, before the first point stands 0."""
    column = kinds.fit_column("readings", "series", [[1, 2, 3], [1, 2, 3]], None, "steps")
    assert column.state["length"] == 3
    found = kinds.encode_column(column, ["[1, 2, 3]", [9, 1, None, 3], [3, None], "", [math.nan, 2]], None)
    low = -np.sqrt(1.5)
    assert found[..., 0] == pytest.approx(np.array([
        [low, 0, -low], [low, low, -low], [0, -low, -low], [0, 0, 0], [0, 0, 0]
    ]))  # fmt: skip


def test_steps_hold_several_channels_and_at_most_so_many_points():
    values = [{"heat": [20.0, 21.0] * 40, "load": [0.5] * 80}] * 3
    column = kinds.fit_column("readings", "series", values, None, "steps", {"length": 24})
    found = kinds.encode_column(column, values, None)
    assert found.shape == (3, 24, 2)
    assert (found[..., 1] == 0).all()
    assert kinds.encode_column(column, [], None).shape == (0, 24, 2)


def test_what_of_a_window_training_did_not_know_is_told():
    hours = {"start": "2026-01-01T00:00", "every": "1h"}
    known = [read({**hours, "columns": {"warm": [1, 2, 3, 4], "load": [0, 1, 0, 1]}})]
    state = series.KIND.fit(known, "raw", {})
    asked = [
        known[0],
        read([]),
        read({**hours, "columns": {"warm": ["1.5 mm/s"] * 4, "load": [0, 1, 0, 1]}}),
        read({**hours, "every": "60min", "columns": {"warm": [1], "load": [1]}}),
        read({**hours, "every": "1d", "columns": {"warm": [1, 2, 3], "load": [0, 1, 0]}}),
    ]
    assert series.KIND.unknown(asked, state) == {
        1: "holds no number of 'warm', 'load'",
        2: "holds no number of 'warm'",
        3: "has 1 of 4 points",
        4: "has points 1d apart, and those of training 1h",
    }
