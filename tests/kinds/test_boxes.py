"""Boxes: what is read, what is refused, and where they lie on their picture."""

import json

import pytest

from windlass.errors import DataError
from windlass.kinds import boxes
from windlass.kinds.boxes import BESIDE, NARROW, OVER
from windlass.kinds.table import claimed

CAT = {"label": "cat", "box": [1, 2, 30.123, 40]}


def test_a_list_and_its_json_are_the_same_and_nothing_is_an_answer():
    wanted = [{"label": "cat", "box": [1.0, 2.0, 30.12, 40.0]}]
    assert boxes.read([CAT], None) == boxes.read(json.dumps([CAT]), None) == wanted
    assert boxes.read([{**CAT, "label": "  cat ", "score": 0.5}], None) == wanted
    assert boxes.read("[]", None) == []
    assert boxes.read("", None) is None
    assert boxes.clean([], None) == "[]"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("cat", "expected a list of boxes"),
        ([{"label": "cat"}], "expected {"),
        ([{**CAT, "box": [1, 2, 3]}], "expected four numbers"),
        ([{**CAT, "box": [1, 2, 3, float("nan")]}], "expected four numbers"),
        ([{**CAT, "box": [30, 40, 10, 10]}], "is it left, top, width, height"),
        ([{**CAT, "label": " "}], "expected a name"),
        ([{**CAT, "colour": 1}], "has 'colour'"),
        ([CAT] * 2_001, "at most 2,000"),
    ],
)
def test_what_is_no_box_is_refused(value, words):
    with pytest.raises(DataError, match=words):
        boxes.read(value, None)


@pytest.mark.parametrize(
    ("box", "kept", "fault"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], ""),
        ([-3, 2, 12, 9], [0, 2, 10, 9], OVER),
        ([11, 2, 15, 9], [], BESIDE),
        ([5, 5, 5.5, 9], [], NARROW),
        ([9.5, 0, 30, 9], [], NARROW),
    ],
)
def test_a_box_is_held_against_its_picture(box, kept, fault):
    assert boxes.inside(box, 10, 10) == (kept, fault)


def test_a_column_of_boxes_is_known_as_one():
    assert claimed([[CAT], []]) == claimed([json.dumps([CAT]), "[]"]) == "boxes"
    assert claimed(["[]", "[]"]) == claimed(["[1, 2]"]) == ""
