"""Where a series that has gaps is asked: what comes is told from the last known value on, in training as in use."""

import json

import numpy as np
import polars as pl
import pytest

from windlass.learners.series import questions as rows
from windlass.outputs.forecasts.split import split
from windlass.outputs.splitting import Cleaning
from windlass.records import Splits
from windlass.sources.prepared import SPLIT
from windlass.spec import Spec

HORIZON, N_POINTS = 4, 80
GAPS = (39, 40, 47, 55, 61, 62, 67, 71, 75)
HOW = {"time": "", "value": "sales", "known": ["promo"], "past": [], "every": "", "gather": "", "horizon": HORIZON,
       "season": 2}  # fmt: skip


@pytest.fixture(scope="module")
def parts():
    """The value of each point is its place, and a promotion is on at every tenth: so both say where they stand."""
    values = [None if place in GAPS else float(place) for place in range(N_POINTS)]
    promo = [float(place % 10 == 0) for place in range(N_POINTS)]
    table = {"history": [json.dumps({"columns": {"sales": values, "promo": promo}})], "sales": [""], SPLIT: [""]}
    spec = Spec(
        name="gaps", data="sales.csv", inputs={"history": "series"}, output={"sales": "forecast"},
        series={"horizon": HORIZON, "known": ["promo"], "season": 2},
    )  # fmt: skip
    return split(pl.DataFrame(table), spec, Cleaning(), np.random.default_rng(1))


def test_what_came_true_stands_where_it_is_asked(parts, tmp_path):
    splits = Splits({"history": "series"}, {"sales": "forecast"}, **parts, root=tmp_path, written={"history": HOW})
    questions = rows.read(splits)
    for question, truth in zip(questions.validation, questions.truth, strict=True):
        last = question.history[-1]
        wanted = last + 1 + np.arange(HORIZON)
        told = np.isfinite(truth)
        assert (truth[told] == wanted[told]).all()
        assert (question.known[-HORIZON:, 0] == (wanted % 10 == 0)).all()


def test_a_series_that_is_joined_again_is_the_series(parts, tmp_path):
    splits = Splits({"history": "series"}, {"sales": "forecast"}, **parts, root=tmp_path, written={"history": HOW})
    history = rows.read(splits).train[0].history
    told = np.isfinite(history)
    assert (history[told] == np.arange(len(history))[told]).all()


def test_no_question_stands_twice(parts):
    for part in ("validation", "test"):
        assert parts[part]["history"].is_unique().all()
