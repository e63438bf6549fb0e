"""What a plan proposes where answers are boxes: by their mistakes on the test pictures."""

from dataclasses import replace

import pytest

from windlass.planning.items.table import proposals
from windlass.planning.schedule import promises


def told(setting, missed=30, rare=0.6, boxes=80):
    """A product with 1,400 pictures, of which 'platelet' has few boxes."""
    plain = setting()
    found = {"class": 2, "place": 4, "both": 0, "duplicate": 0, "background": 9, "missed": missed}
    classes = {
        "red cell": {"ap50": 0.9, "boxes": 300, "found": 0.95, "wrong": 7},
        "platelet": {"ap50": rare, "boxes": 30, "found": 0.5, "wrong": 2},
    }
    board = replace(plain.evidence.board, details={"mistakes": found, "classes": classes})
    counts = {"red cell": 5_000, "platelet": boxes}
    prepared = replace(plain.evidence.prepared, labels={"train": counts})
    return setting(board=board, prepared=prepared)


def by_id(asked):
    return {item.id: item for item in proposals(asked)}


def test_half_as_many_pictures_again_are_proposed_for_their_mistakes(setting):
    """Of 1,800 rows to learn from 900 more, each at the price of a label."""
    asked = told(setting)
    found = by_id(asked)["pictures-2700"]
    assert "Label 900 more pictures" in found.what
    assert "missed 30, background 9, place 4" in found.why
    assert found.cost == pytest.approx(900 * asked.label_cost)
    assert found.gain is None
    assert not [id for id in by_id(setting()) if id.startswith("pictures-")]


def test_a_rare_class_that_is_found_worst_is_named_and_its_promise_is_measured(setting):
    asked = told(setting)
    found = by_id(asked)["class-platelet"]
    assert "Label 80 more pictures with" in found.what
    assert "AP50 .600" in found.why or "AP50 0.600" in found.why
    assert promises.measure(asked, found.measure) == 80
    assert found.bound == 160


@pytest.mark.parametrize("how", [{"rare": 0.88}, {"boxes": 900}], ids=["found as well", "not rare"])
def test_other_classes_are_not_named(setting, how):
    assert "class-platelet" not in by_id(told(setting, **how))
