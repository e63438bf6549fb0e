"""Models fitted to the question's own history: what they foresee, and how they give way where they cannot."""

import json
from functools import partial

import numpy as np
import pytest

from tests.learners.series.shops import HORIZON, SEASON, splits
from windlass.errors import DataError
from windlass.learners.contract import Budget, Options
from windlass.learners.series import local as learners
from windlass.learners.series.questions import read
from windlass.learners.table import LEARNERS
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest
from windlass.predictors.series import arima, local, smoothing
from windlass.predictors.series.question import Question
from windlass.records import silent

WEEK = np.array([0.0, 2, 4, 6, 8, 12, 10])
METHODS = ("ets", "theta", "arima")


def asked(history, horizon: int = 3) -> Question:
    points = np.asarray(history, np.float64)
    return Question(points, np.zeros((len(points) + horizon, 0)), np.zeros((len(points), 0)), None, np.zeros(0), 1.0)


def engine(name: str, season: int = SEASON) -> local.Local:
    return local.engine({"method": name, "alpha": 0.1, "sort": "croston"}, season)


def noisy(n_points: int) -> np.ndarray:
    """A week that repeats, a slow rise and noise."""
    days = np.arange(n_points)
    return 100 + 0.02 * days + 20 * np.sin(2 * np.pi * days / 7) + np.random.default_rng(0).normal(0, 5, n_points)


# what is foreseen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_a_season_that_repeats_goes_on(name):
    assert engine(name)([asked(10 + np.tile(WEEK, 8), 7)])[0] == pytest.approx(10 + WEEK, abs=1e-6)


def test_a_line_goes_on_and_theta_takes_as_much_of_its_slope_as_it_is_told():
    """The last point is 297, and a step is 3; of all shares of it the whole fits best."""
    line = 3.0 * np.arange(100)
    assert engine("ets")([asked(line)])[0] == pytest.approx([300, 303, 306], abs=1e-3)
    assert engine("theta")([asked(line)])[0] == pytest.approx([300, 303, 306], abs=1e-3)
    assert np.diff(smoothing.theta(line[None], 1, 3, shares=(0.5,))[0]) == pytest.approx([1.5, 1.5])


def test_a_season_that_grows_with_the_level_is_multiplied():
    """The level doubles, and so does the swing: what comes next swings as wide as the level says."""
    days = np.arange(16 * 7)
    level = 100 * 2 ** (days / len(days))
    factors = np.tile(1 + WEEK / 12, 17)
    found = engine("ets")([asked(level * factors[: len(days)], 7)])[0]
    assert found == pytest.approx(200 * factors[:7], rel=0.05)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ets", [111.98, 95.90, 82.22]),  # statsmodels 0.15: ETSModel(error, trend and seasonal "add")
        ("theta", [111.51, 95.27, 81.45]),  # statsmodels 0.15: ThetaModel(period=7)
        ("arima", [111.92, 95.84, 82.16]),  # statsmodels 0.15: SARIMAX(order=(0, 1, 1), seasonal_order=(0, 1, 1, 7))
    ],
)
def test_it_foresees_what_statsmodels_does(name, wanted):
    """Within a third of the noise, whose deviation is 5: parameters come from another search."""
    function = {"ets": smoothing.ets, "theta": partial(smoothing.theta, shares=(0.5,)), "arima": arima.arima}[name]
    assert function(noisy(150)[None], 7, 3)[0] == pytest.approx(wanted, abs=1.7)


def test_smoothing_is_as_by_hand():
    """alpha 0.5 from the level 2: 2 -> 3 (error 2) -> 4.5 (error 3); 4 + 9 of squares."""
    rates = smoothing.Rates(*(np.array([[each]]) for each in (0.5, 0.0, 0.0, 0.0, 0, False)))
    begin = smoothing.Begin(*(np.full((1, 2), each) for each in (2.0, 0.0, 2.0)), np.zeros((1, 1)))
    states = smoothing.smoothed(np.array([[4.0, 6.0]]), begin, rates, multiplies=False)
    assert (states.level.item(), states.loss.item()) == (4.5, 13.0)


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ("croston", 2.1 / 2.1),  # sizes 2 -> 2 + .1 (3 - 2); steps 2 -> 2 + .1 (3 - 2)
        ("sba", 0.95 * 2.1 / 2.1),
        ("tsb", 2.1 * (0.4 * 0.9**5 + 0.1 * 0.9**3 + 0.1)),  # chance 2 of 5: down, up, down, down, up
    ],
)
def test_orders_now_and_then_are_as_by_hand(sort, wanted):
    assert smoothing.croston(np.array([0.0, 2, 0, 0, 3]), 0.1, sort) == pytest.approx(wanted)


def test_a_long_smooth_season_is_found():
    """A cycle of 48 in three times 48 points: it repeats."""
    cycle = 10 + np.sin(2 * np.pi * np.arange(48) / 48)
    for name in METHODS:
        assert engine(name, 48)([asked(np.tile(cycle, 3), 48)])[0] == pytest.approx(cycle, abs=0.05)


def test_the_parameters_of_an_arma_process_are_found():
    """A process of 4,000 points with 0.7 and 0.4: the last forecasts shrink by 0.7 a step."""
    errors = np.random.default_rng(3).normal(0, 1, 4000)
    row = np.zeros(4000)
    for place in range(1, 4000):
        row[place] = 0.7 * row[place - 1] + errors[place] + 0.4 * errors[place - 1]
    _, free = arima._fitted(row, arima.Orders(1, 1, 0, 0, 1))
    values, moving = arima.Orders(1, 1, 0, 0, 1).filters(free)
    assert values == pytest.approx([1, -0.7], abs=0.05)
    assert moving == pytest.approx([1, 0.4], abs=0.05)


def test_differences_are_put_together_again():
    """By hand: after 1, 2, 4 (differences 1, 2), differences 3 and 4 give 7 and 11."""
    assert arima._put_together(np.array([1.0, 2, 4]), np.array([1.0, -1]), np.array([3.0, 4])).tolist() == [7, 11]


# where it cannot ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*METHODS, "croston"])
def test_odd_series_are_answered_and_it_is_said(name):
    """Constant, nothing but zeros, short, full of gaps, none at all, huge: all in one batch."""
    chance = np.random.default_rng(1)
    gaps = np.where(np.arange(60) % 4, 10 + np.tile(WEEK, 9)[:60], np.nan)
    gaps[-1] = 12.0
    series = [np.full(40, 7.0), np.zeros(40), [1.0, 2.0], gaps, [], 1e12 * chance.random(50), [np.nan] * 20 + [5.0]]
    points, notes = engine(name).told([asked(each) for each in series])
    assert points.shape == (7, 3)
    assert np.isfinite(np.delete(points, 4, axis=0)).all()
    assert (points[0] == 7).all()
    assert (points[1] == 0).all()
    assert "2 points are too few" in notes[2]
    assert "too few" in notes[4]
    assert [bool(note) for note in notes] == [False, False, True, False, True, False, True]


def test_one_series_that_fails_fails_no_other():
    """The method raises for rows that begin high: those alone are answered by the last season."""

    def method(values, season, horizon):
        if (values[:, 0] > values[:, -1]).any():
            raise ZeroDivisionError
        return np.ones((len(values), horizon))

    rising, falling = np.arange(1.0, 21), np.arange(20.0, 0, -1)
    points, notes = local.Local("ets", method, 1).told([asked(rising), asked(falling), asked(rising)])
    assert notes == ["", "exponential smoothing could not follow the series: the last season again", ""]
    assert points[1] == pytest.approx([1, 1, 1])
    assert points[0] == pytest.approx([19, 19, 19])  # 1 in the row's own width


def test_a_forecast_that_runs_away_is_not_given():
    points, notes = local.Local("ets", lambda values, season, horizon: np.full((len(values), horizon), 1e9), 1).told(
        [asked(np.arange(20.0))]
    )
    assert points[0] == pytest.approx([19, 19, 19])
    assert notes[0]


# as a candidate -------------------------------------------------------------------------------------------------------


def test_a_release_answers_as_it_was_measured_and_says_when_it_gave_way(tmp_path):
    rows = splits()
    fitted = learners.fit_theta(rows, Options(tmp_path, "mase"), Budget(60), silent)
    predictor = predictors.load(fitted.artifact)
    assert predictors.replay(predictor, fitted.artifact) < 1e-6
    assert read_manifest(fitted.artifact).settings["rows_reached"] == len(rows.validation)
    row = rows.validation.row(0, named=True)
    points = json.loads(row["history"])
    short = predictor.answer([{**row, "history": json.dumps(points[-HORIZON - 3 :])}])[0]
    assert "3 points are too few for Theta: the last season again" in short.evidence
    assert predictor.answer([row])[0].evidence == ()


def test_rows_that_time_does_not_reach_count_for_nothing(tmp_path):
    """No time at all: the first batch is measured, the other rows are left out of the score."""
    rows = splits(n_validation=23)
    part = learners.fit_theta(rows, Options(tmp_path, "mase"), Budget(0), silent)
    assert read_manifest(part.artifact).settings["rows_reached"] == learners.BATCH < len(rows.validation)
    assert part.validation > 0


def test_a_score_is_of_the_rows_that_were_reached():
    """By hand: each row is off by its own scale, so that MASE is 1, of all rows and of half of them."""
    questions = read(splits())
    points = questions.truth + np.array([[each.scale] for each in questions.validation])
    assert questions.score("mase", points) == pytest.approx(1)
    points[::2] = np.nan
    assert questions.score("mase", points) == pytest.approx(1)
    assert np.isnan(questions.score("mase", np.full_like(points, np.nan)))


def test_croston_is_for_many_zeros():
    rows = splits()
    assert LEARNERS["croston"].refuse(rows, "") == "0% of the points are 0, expected at least 30%"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "magic"}, "method is 'magic'"),
        ({"method": "croston", "alpha": 2, "sort": "sba"}, "alpha is 2"),
        ({"method": "croston", "alpha": 0.1, "sort": "?"}, "of '\\?'"),
    ],
)
def test_a_damaged_manifest_is_refused(settings, words):
    with pytest.raises(DataError, match=words):
        local.engine(settings, 7)


def test_what_is_missing_names_its_extra():
    """Each learner that needs a package says which extra brings it."""
    assert LEARNERS["llm"].extra == "llm"
    assert LEARNERS["series-lstm"].extra == "train"
    assert LEARNERS["nlinear"].extra == ""
