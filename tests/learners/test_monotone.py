"""Trees keep the direction that an input was given, whatever the noise says; the elastic net leaves out what tells
nothing."""

import numpy as np
import polars as pl
import pytest

from windlass.errors import SpecError
from windlass.learners.classic import ridge, trees
from windlass.learners.contract import Budget, Options
from windlass.learners.networks.lesson import Lesson
from windlass.predictors import table as predictors
from windlass.records import Splits, silent
from windlass.spec import parse

SPEC = "name: a\ndata: a.csv\ninputs: {area: {kind: number, monotone: increasing}, b: number}\noutput: {y: number}\n"


def noisy(n_rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    area, b = random.uniform(0, 10, n_rows), random.uniform(0, 10, n_rows)
    return pl.DataFrame({"area": area, "b": b, "y": area - b + random.normal(0, 6, n_rows)})


def along_area(splits: Splits, folder, monotone) -> np.ndarray:
    folder.mkdir()
    fitted = trees.fit(splits, Options(folder, "mae", monotone=monotone), Budget(30), silent)
    asked = [{"area": area, "b": 5.0} for area in np.linspace(0, 10, 60).tolist()]
    return np.diff(predictors.load(fitted.artifact).values(asked))


def test_the_answer_never_falls_where_it_may_only_rise(tmp_path):
    """The control: without the word it does."""
    inputs = dict.fromkeys(("area", "b"), "number")
    splits = Splits(inputs, {"y": "number"}, noisy(400, 1), noisy(150, 2), noisy(10, 3), tmp_path)
    monotone = parse(SPEC).monotone
    assert monotone == {"area": "increasing"}
    assert (along_area(splits, tmp_path / "kept", monotone) >= -1e-9).all()
    assert (along_area(splits, tmp_path / "free", {}) < -1e-6).any()


def test_only_numbers_have_a_direction_and_other_names_are_refused():
    with pytest.raises(SpecError, match="'monotone' has the column 'aera'"):
        parse("name: a\ndata: a.csv\ninputs: {area: number}\noutput: {y: number}\nmonotone: {aera: increasing}\n")
    with pytest.raises(SpecError, match="increasing"):
        parse(SPEC.replace("increasing", "up"))


def test_the_elastic_net_leaves_out_features_that_tell_nothing():
    random = np.random.default_rng(1)
    rows = random.normal(size=(200, 20)).astype(np.float32)
    targets = rows[:, 0] * 2.0 + random.normal(0, 0.1, 200)
    net, plain = (ridge.solve(rows, Lesson(targets, None, 1, 20.0, 13, loss))[0] for loss in ("elastic", "squared"))
    assert (net[1:] == 0).mean() > 0.8
    assert (plain != 0).all()
    assert net[0, 0] > 1.5
