"""Answers with a part of the input: each way by hand, and damage refused."""

import pytest

from windlass.errors import DataError
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.language.writing import Writing
from windlass.predictors.retrieval import excerpt
from windlass.predictors.table import load, replay
from windlass.records import Column, Manifest

TEXT = "Anna lives in Rome. Bob lives in Oslo. Carl has no home. The end."
QUESTION = "Where does Bob live in?"
KINDS = {"text": "text", "question": "text", "size": "number"}


@pytest.mark.parametrize(
    ("way", "part"),
    [
        ("copy", TEXT),
        ("lead 1", "Anna lives in Rome."),
        ("lead 2", "Anna lives in Rome. Bob lives in Oslo."),
        ("lead 3", "Anna lives in Rome. Bob lives in Oslo. Carl has no home."),
        ("last sentence", "The end."),
        ("nearest sentence", "Bob lives in Oslo."),
    ],
)
def test_each_way_gives_its_part(way, part):
    engine = excerpt.make(way, "text", KINDS)
    rows = [{"text": TEXT, "question": QUESTION, "size": 3.0}, {"text": "", "question": "", "size": None}]
    assert [written.text for written in engine.write(rows, Writing(), lambda row, piece: True)] == [part, ""]


def test_chinese_sentences_are_joined_without_a_space():
    engine = excerpt.make("lead 2", "text", {"text": "text"})
    row = {"text": "今天下雨。我们在家！你呢？"}
    assert engine.write([row], Writing(), lambda row, piece: True)[0].text == "今天下雨。我们在家！"


def test_who_listens_hears_the_whole_text_and_may_stop_it():
    heard = []
    engine = excerpt.make("copy", "text", {"text": "text"})
    written = engine.write([{"text": "a b"}], Writing(), lambda row, piece: bool(heard.append((row, piece))))
    assert heard == [(0, "a b")]
    assert written[0].finish == "cancelled"


def artifact(folder, **settings):
    folder.mkdir()
    inputs = tuple(Column(name, kind) for name, kind in KINDS.items() if kind == "text")
    made = {"way": "nearest sentence", "column": "text", **settings}
    write_manifest(folder, Manifest("excerpt", "copy", inputs, Column("answer", "text"), settings=made))
    write_golden(folder, [{"text": TEXT, "question": QUESTION}], ["Bob lives in Oslo."])
    return folder


def test_golden_rows_are_answered_as_they_were(tmp_path):
    folder = artifact(tmp_path / "a")
    assert replay(load(folder), folder) == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"way": "eval"}, "has way 'eval', expected one of 'copy', 'lead 1'"),
        ({"way": None}, "has way None, expected"),
        ({"column": "other"}, "has column 'other', expected one of 'text', 'question'"),
        ({"column": ["text"]}, "has column"),
        ({"way": {}}, "has way"),
    ],
)
def test_settings_that_name_none_of_ours_are_refused(settings, words, tmp_path):
    with pytest.raises(DataError, match=words.replace("[", r"\[")):
        load(artifact(tmp_path / "a", **settings))
