"""What is read as masks, and what is wrong with others."""

import json

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.kinds import masks
from windlass.kinds.masks import KIND


def thing(label="cat", size=(2, 3), counts=(1, 2, 3), **more):
    return {"label": label, "mask": {"size": list(size), "counts": list(counts)}, **more}


FAULTS = {
    "expected a list of masks": "cat",
    "has a mask 1 that is 'cat', expected {\"label\"": ["cat"],
    "called '  ', expected a name": [thing("  ")],
    "has 'colour', expected a label, a mask": [thing(colour=1)],
    "has crowd 1, expected true or false": [thing(crowd=1)],
    "expected its size, [height, width], and counts": [{"label": "a", "mask": {"counts": "1"}}],
    "has counts 'ÿ', expected COCO's run lengths": [{"label": "a", "mask": {"size": [2, 3], "counts": "ÿ"}}],
    "has 5 pixels in its runs, expected 6: 3 x 2": [thing(counts=(1, 2, 2))],
    "covers no pixel, expected one at least": [thing(counts=(6,))],
    "masks of 3 x 2 and of 2 x 3 pixels, expected those of one picture": [thing(), thing(size=(3, 2))],
}


@pytest.mark.parametrize("words", FAULTS)
def test_what_is_no_list_of_masks_is_told(words):
    assert words in KIND.check(FAULTS[words])


def test_masks_are_kept_in_one_form():
    read = KIND.read([thing(" cat ", score=0.4, box=[0, 0, 1, 1]), thing("cat", crowd=True)], None)
    assert read == [
        {"label": "cat", "mask": {"size": [2, 3], "counts": "123"}},
        {"label": "cat", "mask": {"size": [2, 3], "counts": "123"}, "crowd": True},
    ]
    assert KIND.read(json.dumps(read), None) == read
    assert (KIND.read("", None), KIND.read([], None), KIND.brief("")) == (None, [], "nothing")
    with pytest.raises(DataError, match="masks has a mask 1"):
        KIND.read([1], None)


def test_smaller_things_lie_on_top():
    large, small = np.ones((4, 4), int), np.zeros((4, 4), int)
    small[1:3, 1:3] = 1
    things = masks.of_map(small, {1: "hole"}) + masks.of_map(large, {1: "sheet"})
    found = masks.map_of(things, (4, 4))
    assert (found == 1).sum() == 4
    assert (found == 2).sum() == 12


def test_things_are_told_apart_where_a_picture_has_two_of_a_class():
    one, two = [thing("a"), thing("b")], [thing("a"), thing("a")]
    assert KIND.fit([one, None, []], "", {}) == {"classes": ["a", "b"], "apart": False}
    assert KIND.fit([one, two], "", {}) == {"classes": ["a", "b"], "apart": True}
    assert KIND.fit([[thing("void"), thing("void"), thing("a")]], "", {}) == {"classes": ["a"], "apart": False}


def test_lists_of_masks_are_claimed_and_nothing_else():
    assert KIND.claims([json.dumps([thing()]), "[]"])
    assert not KIND.claims(["[]", "[]"])
    assert not KIND.claims([json.dumps([{"label": "a", "box": [0, 0, 1, 1]}])])
