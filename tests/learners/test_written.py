"""What learners of texts share: the manifest, golden rows, and the score on validation rows."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.learners import texts
from windlass.errors import NotReady
from windlass.kinds.text import BETWEEN
from windlass.learners.contract import Options
from windlass.learners.language import written
from windlass.predictors.language.writing import Written
from windlass.records import Column


class Echo:
    """Writes the question back; its likelihoods are made up."""

    is_generating = True

    def write(self, rows, how, hear):
        return [Written(row["question"]) for row in rows]

    def nats(self, rows, answers):
        return np.full(len(rows), np.log(2) * 8)


MANIFEST = {"predictor": "echo", "learner": "by hand", "settings": {"writing": {"max_tokens": 7}}}


def splits_of(root, questions, answers):
    rows = pl.DataFrame({"question": questions, "answer": answers})
    return replace(texts.question_splits(root), inputs={"question": "text"}, train=rows, validation=rows)


def test_the_score_is_the_metric_of_the_engine(tmp_path):
    """One of two questions is its own answer."""
    splits = splits_of(tmp_path, ["yes", "no"], ["yes", "maybe"])
    fitted = written.finish_text(Options(tmp_path / "a", "exact_match"), MANIFEST, splits, Echo())
    assert fitted.validation == 0.5
    assert fitted.artifact == tmp_path / "a" / "artifact"


def test_bits_per_byte_are_scored_as_they_are(tmp_path):
    """Eight bits for each of two texts of four bytes: two bits a byte."""
    splits = splits_of(tmp_path, ["a", "b"], ["four", "八x"])
    fitted = written.finish_text(Options(tmp_path / "a", "bits_per_byte"), MANIFEST, splits, Echo())
    assert fitted.validation == pytest.approx(2.0)


def test_manifest_and_golden_rows_say_what_was_trained(tmp_path):
    splits = splits_of(tmp_path, ["yes", None, "yes"], ["yes", "no", "yes"])
    fitted = written.finish_text(Options(tmp_path / "a", "exact_match"), MANIFEST, splits, Echo())
    manifest = json.loads((fitted.artifact / "manifest.json").read_text())
    assert manifest["inputs"] == [{"name": "question", "kind": "text", "state": {}}]
    assert manifest["output"] == {"name": "answer", "kind": "text", "state": {}}
    golden = json.loads((fitted.artifact / "golden.json").read_text())
    assert golden == {"rows": [{"question": "yes"}, {"question": None}], "answers": ["yes", ""]}


def test_states_of_columns_are_kept(tmp_path):
    splits = splits_of(tmp_path, ["a"], ["a"])
    column = Column("question", "text", {"form": "terms", "terms": [], "weights": []})
    fitted = written.finish_text(
        Options(tmp_path / "a", "exact_match"), {**MANIFEST, "inputs": (column,)}, splits, Echo()
    )
    assert json.loads((fitted.artifact / "manifest.json").read_text())["inputs"][0]["state"] == column.state


def test_without_validation_rows_there_is_no_score(tmp_path):
    splits = texts.without_validation(splits_of(tmp_path, ["a"], ["a"]))
    fitted = written.finish_text(Options(tmp_path / "a", "exact_match"), MANIFEST, splits, Echo())
    assert np.isnan(fitted.validation)


def test_at_most_some_validation_rows_are_answered(tmp_path):
    """Evenly spread: every second one of 400 is right."""
    answers = ["right" if number % 2 == 0 else "wrong" for number in range(400)]
    splits = splits_of(tmp_path, ["right"] * 400, answers)
    fitted = written.finish_text(Options(tmp_path / "a", "exact_match"), MANIFEST, splits, Echo())
    assert fitted.validation == 1.0


def test_of_several_right_answers_the_first_is_learned(tmp_path):
    splits = splits_of(tmp_path, ["a", "b"], [BETWEEN.join(["one", "two"]), "three"])
    assert written.answers_read(splits, splits.train) == ["one", "three"]
    assert written.rights_read(splits, splits.train) == [["one", "two"], ["three"]]


def test_the_longest_text_comes_first(tmp_path):
    splits = texts.question_splits(tmp_path)
    assert written.text_inputs(splits) == ["context", "question"]


def test_empty_inputs_ask_nothing(tmp_path):
    options = Options(tmp_path, "chrf")
    asked, silent = texts.question_splits(tmp_path), texts.corpus_splits(tmp_path, ["a"], ["b"])
    assert written.asks(asked)
    assert not written.asks(silent)
    written.check_asks(asked, options, "this")
    with pytest.raises(NotReady, match="rows ask nothing"):
        written.check_asks(silent, options, "this")
    with pytest.raises(NotReady, match="the goal is 'bits_per_byte', and this has no likelihood"):
        written.check_asks(asked, replace(options, metric="bits_per_byte"), "this")
