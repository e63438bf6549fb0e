"""The most similar row answers, in English and in Chinese."""

import json

import numpy as np
import polars as pl
import pytest

from tests.learners import texts
from windlass.errors import NotReady
from windlass.learners.contract import Budget, Options
from windlass.learners.retrieval import retrieve
from windlass.records import Splits, silent

ASKED = {
    "English": {
        "train": ["my card is lost", "how do i pay the bill", "when do you open", "can i return a shoe"],
        "asked": ["i lost my card", "paying a bill", "are you open today, and when", "returning the shoe"],
    },
    "Chinese": {
        "train": ["我的卡丢了", "怎么付账单", "你们几点开门", "可以退鞋子吗"],
        "asked": ["卡丢了怎么办", "账单怎么付", "几点开门呢", "我想退鞋子"],
    },
}


def question_splits(root, language) -> Splits:
    said = ASKED[language]
    answers = ["block it", "online", "at nine", "within a month"]
    frames = [
        pl.DataFrame({"asked": said[part] * times, "channel": ["app"] * 4 * times, "answer": answers * times})
        for part, times in (("train", 3), ("asked", 1), ("asked", 1))
    ]
    return Splits({"asked": "text", "channel": "category"}, {"answer": "text"}, *frames, root)


def fit(splits, folder, metric="exact_match"):
    return retrieve.fit(splits, Options(folder, metric), Budget(10), silent)


@pytest.mark.parametrize("language", ASKED)
def test_the_most_similar_row_answers(language, tmp_path):
    splits = question_splits(tmp_path, language)
    fitted = fit(splits, tmp_path / "run")
    assert fitted.validation == 1.0
    predictor = texts.served(fitted.artifact)
    rows = splits.test.select("asked", "channel").to_dicts()
    assert [answer.value for answer in predictor.answer(rows)] == splits.test["answer"].to_list()
    assert {path.name for path in fitted.artifact.iterdir()} == {
        "model.safetensors", "answers.json", "manifest.json", "golden.json"
    }  # fmt: skip


def test_the_same_rows_give_the_same_files(tmp_path):
    splits = question_splits(tmp_path, "English")
    first, second = (fit(splits, tmp_path / name).artifact for name in "ab")
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


def test_the_commonest_answer_is_for_what_is_like_nothing(tmp_path):
    splits = question_splits(tmp_path, "English")
    more = pl.concat([splits.train, splits.train[3:4], splits.train[3:4]])
    splits = Splits({"asked": "text"}, splits.output, more, splits.validation, splits.test, tmp_path)
    predictor = texts.served(fit(splits, tmp_path / "run").artifact)
    assert predictor.answer([{"asked": "qqqq"}])[0].value == "within a month"


def test_without_validation_rows_there_is_no_score(tmp_path):
    fitted = fit(texts.without_validation(question_splits(tmp_path, "English")), tmp_path / "run")
    assert np.isnan(fitted.validation)
    assert json.loads((fitted.artifact / "golden.json").read_text()) == {"rows": [], "answers": []}


def test_where_nothing_is_asked_there_is_nothing_to_look_up(tmp_path):
    with pytest.raises(NotReady, match="rows ask nothing"):
        fit(texts.corpus_splits(tmp_path, ["a text"], ["a text"]), tmp_path / "run")
    with pytest.raises(NotReady, match="what is looked up has no likelihood"):
        fit(question_splits(tmp_path, "English"), tmp_path / "run", "bits_per_byte")


def test_a_conversation_is_answered_as_the_most_similar_one_was(tmp_path):
    """A baseline for products that reply: what was said before counts, in any language."""
    said = ASKED["Chinese"]["train"] + ASKED["English"]["train"]
    talks = [json.dumps([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"},
                         {"role": "user", "content": text}]) for text in said]  # fmt: skip
    rows = pl.DataFrame({"talk": talks, "reply": [f"about {text}" for text in said]})
    fitted = fit(Splits({"talk": "chat"}, {"reply": "text"}, rows, rows, rows, tmp_path), tmp_path / "run")
    assert fitted.validation == 1.0
    asked = [{"role": "user", "content": "卡丢了怎么办"}]
    assert texts.served(fitted.artifact).answer([{"talk": asked}])[0].value == "about 我的卡丢了"
