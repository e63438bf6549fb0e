"""Tracers as learners of the house: the artifact answers as the tracer does, and who cannot be traced is told so."""

import json

import numpy as np
import polars as pl
import pytest

from windlass.errors import DataError
from windlass.learners.contract import Budget, Options
from windlass.learners.recommend.tracing import fitting, growth
from windlass.learners.table import LEARNERS
from windlass.predictors import table as predictors
from windlass.predictors.recommend.tracing import artifact
from windlass.records import Catalogue, Splits, silent

EXERCISES = ("e1", "e2", "e3")
CATALOGUE = Catalogue(EXERCISES, {"skill": ("a", "a", "b"), "needs": ("", "", "a")})
COUNTS = {"history": {"counts": {"yes": 1.0, "no": 0.0}}}


def rows(n_learners, first=0, length=6):
    """Of learners who are good or bad; each row with what came before it."""
    rng = np.random.default_rng(first)
    found = []
    for learner in range(first, first + n_learners):
        tried = rng.integers(0, 3, length)
        right = rng.random(length) < (0.85 if learner % 2 else 0.2)
        for place in range(length):
            past = {
                "user": f"n{learner}",
                "items": [EXERCISES[each] for each in tried[:place]],
                "times": [86_400 * each for each in range(place)],
                "weights": [int(each) for each in right[:place]],
                "now": 86_400 * place,
            }
            answer = "yes" if right[place] else "no"
            found.append({"history": json.dumps(past), "exercise": EXERCISES[tried[place]], "right": answer})
    return pl.DataFrame(found)


@pytest.fixture
def splits(tmp_path):
    inputs = {"history": "items", "exercise": "category"}
    parts = rows(40), rows(10, 40), rows(10, 50)
    return Splits(inputs, {"right": "category"}, *parts, tmp_path, written=COUNTS, catalogue=CATALOGUE)


@pytest.mark.parametrize("name", sorted(set(artifact.OF_ARRAYS) - {"dkt", "sakt"}))
def test_a_tracer_is_fitted_saved_and_proven_by_its_golden_rows(name, splits, tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "SWEEPS", 1)
    monkeypatch.setattr(growth, "EVALUATIONS", 9)
    fitted = LEARNERS[name].fit(splits, Options(tmp_path), Budget(20), silent)
    predictor = predictors.load(fitted.artifact)
    assert predictors.replay(predictor, fitted.artifact) < 2e-3
    found = predictor.marks(splits.test.to_dicts(), splits.test["right"].to_list())
    assert found.value("roc_auc") > (0.6 if name != "exercise-share" else 0.3)


def test_what_training_did_not_know_is_answered_and_said(splits, tmp_path):
    fitted = LEARNERS["irt"].fit(splits, Options(tmp_path), Budget(20), silent)
    predictor = predictors.load(fitted.artifact)
    answer = predictor.answer([{"history": [{"item": "x", "event": "yes"}], "exercise": "y"}])[0]
    assert answer.value in ("yes", "no")
    assert any("'y' is new" in said for said in answer.evidence)
    assert any("1 exercises of the history are not known" in said for said in answer.evidence)


def test_each_attempt_is_learned_once(splits):
    learned = fitting.lesson(splits)
    assert len(learned.attempts) == len(splits.train)
    assert learned.attempts.right.sum() == (splits.train["right"] == "yes").sum()
    assert learned.course.needs.tolist() == [[False, False], [True, False]]


def test_it_is_said_which_label_is_right_or_refused(splits):
    assert fitting.refuse(splits, "") == ""
    unweighed = Splits(splits.inputs, splits.output, splits.train, splits.validation, splits.test, splits.root)
    assert "expected the one that is right" in fitting.refuse(unweighed, "")
    assert "expected these two inputs" in fitting.refuse(
        Splits({"history": "items"}, splits.output, splits.train, splits.validation, splits.test, splits.root), ""
    )


def test_a_damaged_tracer_is_told(splits, tmp_path):
    fitted = LEARNERS["irt"].fit(splits, Options(tmp_path), Budget(20), silent)
    (fitted.artifact / artifact.ARRAYS).write_bytes(b"nothing")
    with pytest.raises(DataError, match="damaged"):
        predictors.load(fitted.artifact)
