"""Labelled masks leave the house as annotation tools read them, what people corrected among them."""

import numpy as np
import pytest
from PIL import Image

from windlass.errors import SpecError
from windlass.kinds import boxes, image, masks
from windlass.kinds.boxes import CROWD
from windlass.outputs.contract import Labelled
from windlass.outputs.masks.export import export, to_label
from windlass.outputs.worth_labelling import Question
from windlass.sources.annotations.mask_writing import MASK_FORMATS
from windlass.sources.contract import Names
from windlass.sources.places import find
from windlass.spec import from_values

SIZE = (10, 20)


def thing(label, top, left, side=4):
    mask = np.zeros(SIZE, np.int32)
    mask[top : top + side, left : left + side] = 1
    return masks.of_map(mask, {1: label})[0]


CELL, OTHER, SPOT = thing("cell", 1, 2), thing("cell", 5, 12), thing("spot", 0, 0)


def row(picture, *things):
    return {"picture": picture, "cells": boxes.kept(things)}


@pytest.fixture
def labelled(tmp_path):
    """Three pictures, one of which was corrected: what it has now is one of two cells and a spot."""
    places = []
    for number, name in enumerate(("a.png", "b.png", "c.png")):
        path = tmp_path / "data" / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", SIZE[::-1], (number, 9, 9)).save(path)
        places.append(str(path))
    parts = {"train": [row(places[0], CELL), row(places[1], SPOT)], "test": [row(places[2])]}
    corrected = row(image.portable(places[0], tmp_path), OTHER, SPOT)
    return Labelled(parts, [corrected], "picture", "cells", tmp_path)


def read(folder, tmp_path):
    return {
        source.split: sorted((raw.values["masks"] for raw in source.rows()), key=str)
        for source in find(folder, tmp_path, Names("image", "masks", answers="masks"), tmp_path / "scratch")
    }


@pytest.mark.parametrize("form", MASK_FORMATS)
def test_it_is_read_again_with_corrections_and_splits(tmp_path, labelled, form):
    found = export(tmp_path / "out", form, labelled)
    assert (found["pictures"], found["things"], found["corrected"]) == (
        {"train": 2, "test": 1}, {"spot": 2, "cell": 1}, 1)  # fmt: skip
    assert read("out", tmp_path) == {"train": sorted([[OTHER, SPOT], [SPOT]], key=str), "test": [[]]}


@pytest.mark.parametrize("form", MASK_FORMATS)
def test_things_of_a_class_stay_apart_and_a_crowd_where_the_format_can(tmp_path, labelled, form):
    crowd = {**thing("spot", 0, 14, 6), CROWD: True}
    more = Labelled({"train": [row(labelled.parts["train"][0]["picture"], CELL, OTHER, crowd)]}, [], "picture", "cells",
                    tmp_path)  # fmt: skip
    found = export(tmp_path / "out", form, more)
    (things,) = read("out", tmp_path)["train"]
    told = crowd if form == "coco" else thing("spot", 0, 14, 6)
    flat = masks.map_of([CELL, OTHER, told], SIZE)
    assert np.array_equal(masks.map_of(things, SIZE) > 0, flat > 0)
    assert sorted(each["label"] for each in things) == ["cell", "cell", "spot"]
    assert sum(bool(each.get(CROWD)) for each in things) == (form == "coco")
    assert any("1 crowds" in each for each in found["notes"]) == (form == "png")


def test_a_format_that_is_none_is_refused(tmp_path, labelled):
    with pytest.raises(SpecError, match=r"--format is 'yolo', expected one of 'coco', 'png'"):
        export(tmp_path / "out", "yolo", labelled)


def test_what_is_worth_a_label_comes_with_the_masks_that_were_found(tmp_path, labelled):
    """As COCO's file, which is read again as rows."""
    spec = from_values({"name": "a", "data": "d", "inputs": {"picture": "image"}, "output": {"cells": "masks"}}, "a")
    sent = image.portable(labelled.parts["train"][0]["picture"], tmp_path)
    asked = Question("one", {"picture": sent}, "1 cell", 0.4, 0.4, boxes.kept([CELL]))
    path = to_label([asked], spec, tmp_path)
    assert read(str(path.relative_to(tmp_path)), tmp_path) == {"": [[CELL]]}
