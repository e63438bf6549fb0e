"""The part of the input that answers best is chosen, in English and in Chinese."""

import json

import numpy as np
import polars as pl
import pytest

from tests.learners import texts
from windlass.errors import NotReady
from windlass.learners.contract import Budget, Options
from windlass.learners.retrieval import excerpt
from windlass.records import Splits, silent


def fit(splits, tmp_path, metric="token_f1"):
    return excerpt.fit(splits, Options(tmp_path / "run", metric), Budget(0), silent)


@pytest.mark.parametrize("chinese", [False, True], ids=["English", "Chinese"])
def test_the_sentence_of_the_answer_wins_where_something_is_asked(chinese, tmp_path):
    splits = texts.question_splits(tmp_path, chinese=chinese)
    fitted = fit(splits, tmp_path)
    settings = json.loads((fitted.artifact / "manifest.json").read_text())["settings"]
    assert (settings["way"], settings["column"]) == ("nearest sentence", "context")
    predictor = texts.served(fitted.artifact)
    rows = splits.test.to_dicts()
    assert all(row["answer"] in answer.value for row, answer in zip(rows, predictor.answer(rows), strict=True))
    assert predictor.answer(rows)[0].confidence is None


def summaries(root, way):
    """Articles whose summary is the first two sentences, or the last one, or all of it."""
    articles = [[f"Point {number} of {row}." for number in range(5)] for row in range(20)]
    parts = {"lead 2": slice(0, 2), "last sentence": slice(4, 5), "copy": slice(0, 5)}
    rows = pl.DataFrame([{"article": " ".join(points), "summary": " ".join(points[parts[way]])} for points in articles])
    return Splits({"article": "text"}, {"summary": "text"}, rows, rows, rows, root)


@pytest.mark.parametrize("way", ["lead 2", "last sentence", "copy"])
def test_the_way_that_answers_best_is_taken(way, tmp_path):
    fitted = fit(summaries(tmp_path, way), tmp_path, "rouge_l")
    settings = json.loads((fitted.artifact / "manifest.json").read_text())["settings"]
    assert settings["way"] == way
    assert fitted.validation == 1.0
    assert {entry["way"]: entry["score"] for entry in settings["tried"]}[way] == 1.0
    assert len(settings["tried"]) == 5  # nothing is near where there is but one column


def test_without_validation_rows_the_likeliest_way_is_taken(tmp_path):
    fitted = fit(texts.without_validation(texts.question_splits(tmp_path)), tmp_path)
    assert np.isnan(fitted.validation)
    assert json.loads((fitted.artifact / "manifest.json").read_text())["settings"]["way"] == "nearest sentence"


def test_where_nothing_is_asked_there_is_nothing_to_copy(tmp_path):
    with pytest.raises(NotReady, match="rows ask nothing"):
        fit(texts.corpus_splits(tmp_path, ["a text"], ["a text"]), tmp_path)
    with pytest.raises(NotReady, match="what is copied has no likelihood"):
        fit(texts.question_splits(tmp_path), tmp_path, "bits_per_byte")
