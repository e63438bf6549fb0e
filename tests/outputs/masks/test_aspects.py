"""Masks are held against their pictures, corrections against what is known, and answers against a simple rule."""

import numpy as np
import polars as pl
import pytest
from PIL import Image

from windlass.errors import DataError
from windlass.kinds import boxes, masks
from windlass.metrics.segmentation import DICE, INSTANCE_AP
from windlass.outputs import contract
from windlass.outputs.labelled_row import LabelledRow
from windlass.outputs.masks.measures import baseline
from windlass.outputs.masks.output import amended
from windlass.outputs.masks.reference_profile import is_right
from windlass.outputs.masks.split import OTHER_SIZE, split, warn
from windlass.outputs.masks.trust import unfit
from windlass.outputs.splitting import Cleaning
from windlass.predictors.segmentation.segmenter import Segmenter
from windlass.predictors.segmentation.tiles import Tiling
from windlass.records import Column, Manifest
from windlass.sources.prepared import SPLIT
from windlass.spec import from_values
from windlass.testing.toys import masks_toy

SPEC = from_values({"name": "toy", "data": "toy", "inputs": {"image": "image"}, "output": {"things": "masks"}}, "toy")


def square(label="usual", size=(10, 20), left=2):
    numbers = np.zeros(size, int)
    numbers[2:6, left : left + 4] = 1
    return masks.of_map(numbers, {1: label})


def rows(folder, count=20):
    found = []
    for number in range(count):
        path = folder / f"{number}.png"
        Image.new("RGB", (20, 10), (number, 0, 0)).save(path)
        things = square(size=(8, 8)) if number == 3 else square("new" if number == count - 1 else "usual")
        found.append({"image": str(path), "things": boxes.kept(things), SPLIT: "test" if number >= 15 else "train"})
    return pl.DataFrame(found)


def test_masks_of_another_size_are_left_out_and_a_class_of_test_alone_is_told(tmp_path):
    cleaning = Cleaning()
    made = split(rows(tmp_path), SPEC, cleaning, np.random.default_rng(1))
    assert sum(map(len, made.values())) == 19
    assert cleaning.removed == {OTHER_SIZE: 1}
    assert cleaning.warnings == ["'new' is on test pictures only (1 times): it cannot be learned, only missed"]
    warn(made["train"].head(5), SPEC, cleaning)
    assert cleaning.warnings[-1] == "'usual' is on 5 train pictures: little can be learnt of it"


def test_corrections_of_another_size_or_class_are_set_aside(tmp_path):
    path = rows(tmp_path, 1)["image"][0]
    train = [({"image": path}, boxes.kept(square()))]
    labels = [square(), square("other"), square(size=(20, 10)), []]
    given = [LabelledRow({"image": path}, boxes.kept(each)) for each in labels]
    found = unfit(given, train, SPEC)
    assert [each.fate for each in found] == ["", "set aside", "set aside", ""]
    assert "does not know the class 'other'" in found[1].reason
    assert "masks of 10 x 20 pixels and a picture of 20 x 10" in found[2].reason
    with pytest.raises(DataError, match="masks are of 10 x 20 pixels, expected the picture's 20 x 10"):
        amended(square(), square(size=(20, 10)))
    assert amended(square(), []) == []


def test_an_answer_is_right_where_each_thing_meets_one_of_its_class():
    assert is_right(square(), square(left=3), {})
    assert not is_right(square(), square(left=4), {}), "a third of both is shared"
    assert not is_right(square(), square("other"), {})
    assert not is_right(square(), [], {})
    assert is_right([], [], {})


def test_each_pixel_by_its_shade_finds_what_is_darker(tmp_path):
    """Discs and squares are darker than the grey around them, and as dark as each other."""
    splits = masks_toy(tmp_path)
    state = {"classes": ["disc", "square"], "apart": True}
    manifest = Manifest("segmentation", "x", (Column("picture", "image"),), Column("things", "masks", state))
    nothing = Segmenter(manifest, lambda batch: np.stack([np.array([9.0, 0, 0, 0, 0])] * len(batch))[:, :, None, None]
                        * np.ones((1, 1, 64, 64)), Tiling(64, 16, 512))  # fmt: skip
    given = splits.test.to_dicts()
    found = nothing.marks(given, [row["things"] for row in given], splits.root)
    empty = np.mean([row["things"] == "[]" for row in given])
    assert found.value(DICE) == pytest.approx(empty)
    made = baseline(contract.Tested(INSTANCE_AP, splits, {"it": "it"}, {"it": found}))
    assert made.words == "each pixel by its shade alone"
    assert made.marks.value(DICE) > empty + 0.25, "one of the two classes that have one shade"
    assert made.value == made.marks.value(INSTANCE_AP)
