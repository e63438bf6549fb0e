"""Labelled pictures leave the house as an annotation tool reads them, what people corrected among them."""

import json

import pytest
from PIL import Image

from windlass.errors import DataError, SpecError
from windlass.kinds import boxes, image
from windlass.outputs.boxes.export import export
from windlass.outputs.contract import Labelled
from windlass.project import Project
from windlass.sources.annotations.writing import FORMATS
from windlass.sources.contract import Names
from windlass.sources.places import find

CELL = {"label": "cell", "box": [1.0, 2.0, 9.0, 8.0]}
CORRECTED = {"label": "cell", "box": [3.0, 2.0, 9.0, 8.0]}
NEW = {"label": "spot", "box": [0.0, 0.0, 4.0, 4.0]}
CROWD = {"label": "cell", "box": [0.0, 0.0, 20.0, 10.0], "crowd": True}


def row(picture, *things):
    return {"picture": picture, "cells": boxes.kept(things)}


@pytest.fixture
def labelled(tmp_path):
    """Two pictures of one name, a corrected one and one that nobody had before, as a client sent it."""
    places = []
    for number, name in enumerate(("one/a.png", "two/a.png", "c.png")):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10), (number, 9, 9)).save(path)
        places.append(str(path))
    new = tmp_path / "new.jpg"
    Image.new("RGB", (30, 10)).save(new)
    sent = [image.portable(str(path), tmp_path) for path in (places[0], new)]
    parts = {"train": [row(places[0], CELL), row(places[1], CROWD)], "test": [row(places[2])]}
    return Labelled(parts, [row(sent[0], CORRECTED), row(sent[1], NEW)], "picture", "cells", tmp_path)


@pytest.mark.parametrize("form", FORMATS)
def test_it_is_read_again_with_corrections_and_splits(tmp_path, labelled, form):
    found = export(tmp_path / "out", form, labelled)
    assert found["pictures"] == {"train": 3, "test": 1}
    assert (found["things"], found["corrected"]) == ({"cell": 2, "spot": 1}, 2)
    assert any("nobody told apart" in each for each in found["notes"]) == (form != "coco")
    read = {}
    for source in find("out", tmp_path, Names("image", "boxes"), tmp_path / "scratch"):
        read[source.split] = [raw.values["boxes"] for raw in source.rows()]
    crowd = CROWD if form == "coco" else {name: CROWD[name] for name in ("label", "box")}
    assert sorted(read["train"], key=str) == sorted([[CORRECTED], [crowd], [NEW]], key=str)
    assert read["test"] == [[]]


def test_a_format_that_is_none_and_a_folder_that_is_full_are_refused(tmp_path, labelled):
    with pytest.raises(SpecError, match=r"--format is 'cocoa', expected one of 'coco'"):
        export(tmp_path / "out", "cocoa", labelled)
    (tmp_path / "windlass.yaml").write_text("data: data\nname: a\ninputs: {image: image}\noutput: {cells: boxes}\n")
    project = Project(tmp_path)
    coco = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "cell"}]}
    for number in range(20):
        name = f"{number}.png"
        Image.new("RGB", (20, 10), (number, 0, 0)).save(tmp_path / "data" / name)
        coco["images"].append({"id": number, "file_name": name, "width": 20, "height": 10})
        coco["annotations"].append({"id": number, "image_id": number, "category_id": 1, "bbox": [1, 1, 9, 8]})
    (tmp_path / "data" / "all.json").write_text(json.dumps(coco))
    with pytest.raises(DataError, match="is not empty, expected a new folder"):
        project.export(tmp_path / "data")
    assert sum(project.export(tmp_path / "again", "yolo")["pictures"].values()) == 20
