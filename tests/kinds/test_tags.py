"""Several labels of one row: how they are written, read, and told apart from prose."""

import json

import numpy as np
import pytest

from windlass.errors import DataError, SpecError
from windlass.kinds import table as kinds
from windlass.kinds import tags
from windlass.kinds.formats import tags_format
from windlass.kinds.tags import KIND
from windlass.records import Column, Manifest


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["b", "a"], ["a", "b"]),
        (("a",), ["a"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a', \"it's\"]", ["a", "it's"]),
        ("a;b", ["a", "b"]),
        (" a | b ", ["a", "b"]),
        ("a,b", ["a", "b"]),
        ("退款；物流", ["物流", "退款"]),
        ("退款、物流", ["物流", "退款"]),
        ("退款，物流", ["物流", "退款"]),
        ("Smith, John; Doe", ["Doe", "Smith, John"]),
        ("ａ;a", ["a"]),
        ("two  words;x", ["two words", "x"]),
        ("[]", []),
        ([], []),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_every_way_of_writing_means_a_set(written, meant):
    """Order, doubles, width and spaces do not matter; an empty list is an answer, nothing is not."""
    assert KIND.read(written, None) == meant
    kept = KIND.clean(written, None)
    assert (json.loads(kept) if kept else None) == meant


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["a", ""], "holds an empty tag"),
        ('["a", 3]', "holds 3, expected tags that are text"),
        (["a", None], "holds None"),
        ([["a"]], r"holds \['a'\]"),
        ("[a, b", r"is '\[a, b', expected a list of tags"),
        (7, "is 7, expected a list of tags"),
        ({"a": 1}, "expected a list of tags"),
        (["x" * 201], "a tag of 201 characters, expected at most 200"),
        ([str(number) for number in range(1_001)], "has 1,001 tags, expected at most 1,000"),
        (["half \ud83d"], "half of a surrogate pair"),
    ],
)
def test_what_is_no_list_of_names_is_refused(wrong, words):
    with pytest.raises(DataError, match=words):
        KIND.read(wrong, None)


def test_what_is_not_kept_is_said():
    assert KIND.doubt("a;;b") == "tag that is empty, which is left out"
    assert KIND.doubt("a;a") == "tag that stands there twice, which counts once"
    assert KIND.doubt(["a", "A"]) == KIND.doubt("") == KIND.doubt("a;b") == ""


@pytest.mark.parametrize(
    ("example", "written"),
    [("a;b", "x, y;z"), ("a / b", "x, y/z"), ("<a><b>", "<x, y><z>"), ("a b", "x,y z"), ("(a,b)", "(x，z)")],
)
def test_an_example_says_how_a_column_is_written(example, written):
    found = kinds.reading("tags", {"format": example}).read(written, None)
    assert found[-1] == "z"
    assert len(found) == 2


def test_what_is_no_example_is_refused():
    for wrong in ("", ";", "ab", "a", "tags"):
        with pytest.raises(SpecError, match="expected an example"):
            tags_format.parse(wrong)


def test_tags_are_merged_and_known_ones_are_found_in_any_case():
    how = {"merge": {"(no genres listed)": "", "Sci-Fi": "science fiction"}, "labels": ["Drama", "science fiction"]}
    kind = kinds.reading("tags", how)
    assert kind.read("(no genres listed)", None) == []
    assert kind.read("sci-fi;DRAMA", None) == ["Drama", "sci-fi"]
    assert kind.read("Sci-Fi;drama", None) == ["Drama", "science fiction"]


def test_columns_of_yes_and_no_are_tags():
    kind = kinds.reading("tags", {"columns": ["a", "b"]})
    assert kind.read({"a": 1, "b": "0"}, None) == ["a"]
    assert kind.read({"a": True, "b": "yes"}, None) == ["a", "b"]
    assert kind.read({"a": 0.0, "b": None}, None) == []
    assert kind.read({"a": None, "b": ""}, None) is None
    with pytest.raises(DataError, match="column 'b' is 7, expected 1 or 0"):
        kind.read({"a": 0, "b": 7}, None)


def test_they_are_encoded_one_column_a_tag():
    state = KIND.fit([["a", "b"], [], ["b"]], "tags", {})
    assert (state["labels"], state["counts"], state["rows"]) == (["a", "b"], [1, 2], 3)
    assert KIND.encode([["b", "new"], []], state).tolist() == [[0, 1], [0, 0]]
    with pytest.raises(DataError, match="tags are missing"):
        KIND.encode([None], state)


def test_answers_are_in_order_and_name_the_next_likeliest():
    state = {"labels": ["a", "b", "c"], "thresholds": [0.3, 0.5, 0.5]}
    found = tags.decode(np.array([[0.4, 0.9, 0.45], [0.1, 0.2, 0.3]]), state)
    assert [answer.value for answer in found] == [["b", "a"], []]
    assert [value for value, _ in found[0].alternatives] == ["b", "a", "c"]
    assert found[1].confidence == pytest.approx(0.9 * 0.8 * 0.7)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "has no tags"),
        ({"labels": ["a", "a"]}, "not different names"),
        ({"labels": ["a"], "thresholds": [0.5, 0.5]}, "thresholds is"),
        ({"labels": ["a"], "whole": ["x", 1]}, "whole is"),
    ],
)
def test_a_damaged_artifact_is_seen(state, words):
    assert words in KIND.fault(Manifest("linear", "linear", (), Column("t", "tags", state)))
    assert KIND.fault(Manifest("linear", "linear", (), Column("t", "tags", {"labels": ["a"]}))) == ""


def test_lists_are_told_from_prose():
    """A list has parts that are short and come again; a comma in prose parts what is never seen again."""
    genres = ["Comedy|Drama", "Drama", "Action|Comedy", "Drama|Action", "Comedy"] * 4
    assert tags_format.guess(genres) == "a|b"
    assert tags_format.guess([genre.replace("|", "、") for genre in genres]) == "a、b"
    prose = [f"The coat number {n} is nice, but it came late, and {n} days after that" for n in range(20)]
    assert tags_format.guess(prose) == tags_format.guess([f"name {n}, {n}" for n in range(20)]) == ""
    assert tags_format.guess(["yes", "no"] * 10) == ""


def test_a_cell_in_another_form_than_its_column_is_told():
    """`a,b` under `a;b` is one tag: it is read so, and doubted; `c` and `a;b` are not."""
    kind = KIND.as_written({"format": "a;b"})
    assert kind.read("red,blue", None) == ["red,blue"]
    assert kind.doubt("red,blue") == "tag with ',' in it, which `formats` does not part"
    assert [kind.doubt(value) for value in ("red", "red;blue", "", None, ["red,blue"])] == [""] * 5
