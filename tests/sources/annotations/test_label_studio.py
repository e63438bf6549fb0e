"""Label Studio: percents become pixels, turned boxes their upright ones, and what cannot be meant is told."""

import json

import pytest
from PIL import Image

from windlass.sources.annotations import label_studio
from windlass.sources.annotations.contract import Annotated
from windlass.sources.contract import Names
from windlass.sources.guess import guess
from windlass.sources.places import find


def region(x=10, y=20, width=30, height=40, label="cat", size=(200, 100), **more):
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": more.pop("rotation", 0)}
    value |= {"rectanglelabels": [label]} if label else {}
    return {"type": "rectanglelabels", "original_width": size[0], "original_height": size[1], "value": value, **more}


def task(*regions, name="/data/upload/1/0a1b2c3d-a.jpg", **more):
    return {"id": 1, "data": {"image": name}, "annotations": [{"result": list(regions), **more}]}


def read(folder, *tasks, orientation=0):
    exif = Image.Exif()
    if orientation:
        exif[274] = orientation
    (folder / "pictures").mkdir(exist_ok=True)
    Image.new("RGB", (200, 100)).save(folder / "pictures" / "a.jpg", exif=exif)
    first = task(region(name="b"), name="b.jpg")  # by which the file is known, whatever is asked of the others
    Image.new("RGB", (200, 100)).save(folder / "pictures" / "b.jpg")
    (folder / "tasks.json").write_text(json.dumps([first, *tasks]), encoding="utf-8")
    (source,) = find("tasks.json", folder, Names("image", "boxes"), folder / "scratch")
    found = list(source.rows())[1:]
    return found, source.warnings


def boxes(row):
    return [each["box"] for each in row.values["boxes"]]


@pytest.mark.parametrize(
    "name",
    [
        "/data/upload/1/0a1b2c3d-a.jpg",
        "/data/local-files/?d=pictures/a.jpg",
        "https://host/some/where/a.jpg?x=1",
        "s3://bucket/pictures/a.jpg",
        "pictures/a.jpg",
    ],
)
def test_percents_are_pixels_of_the_picture_whatever_its_address(tmp_path, name):
    (row,), warnings = read(tmp_path, task(region(), name=name))
    assert row.values == {"image": "pictures/a.jpg", "boxes": [{"label": "cat", "box": [20, 20, 80, 60]}]}
    assert warnings == []


def test_a_turned_box_is_the_upright_one_around_it(tmp_path):
    """60 x 40 pixels, a quarter turn clockwise about 100, 20: to the left of it, 40 wide and 60 high."""
    (row,), warnings = read(tmp_path, task(region(x=50, rotation=90)))
    assert boxes(row) == [[60, 20, 100, 80]]
    assert "1 boxes are turned" in warnings[0]


def test_a_picture_turned_in_the_tool_is_told_and_its_percents_are_of_the_upright_one(tmp_path):
    (row,), warnings = read(tmp_path, task(region(image_rotation=90)))
    assert boxes(row) == [[20, 20, 80, 60]]
    assert "look whether their boxes lie right" in warnings[0]


def test_exif_is_held_against_the_size_that_was_shown(tmp_path):
    """The file is 200 x 100, and upright 100 x 200."""
    (good, bad), _ = read(tmp_path, task(region(size=(100, 200))), task(region()), orientation=6)
    assert boxes(good) == [[10, 40, 40, 120]]
    assert "before EXIF turned it upright" in bad.fault


def test_nothing_there_is_an_answer_and_nobody_asked_is_none(tmp_path):
    cancelled = task(region(), was_cancelled=True)
    found, _ = read(tmp_path, task(), {"data": {"image": "a.jpg"}, "annotations": []}, cancelled)
    assert [each.values["boxes"] for each in found] == [[], None, None]


def test_polygons_plain_rectangles_and_the_short_form_are_read(tmp_path):
    polygon = {**region(), "value": {"points": [[10, 10], [50, 10], [50, 30]], "polygonlabels": ["dog"]}}
    plain, named = region(label="", id="r"), {**region(label="", id="r"), "type": "labels"}
    named["value"]["labels"] = ["hen"]
    short = {"image": "a.jpg", "label": [{**region()["value"], "original_width": 200, "original_height": 100}]}
    found, warnings = read(tmp_path, task(polygon, plain, named), short)
    assert found[0].values["boxes"] == [
        {"label": "dog", "box": [20, 10, 100, 30]}, {"label": "hen", "box": [20, 20, 80, 60]}
    ]  # fmt: skip
    assert boxes(found[1]) == [[20, 20, 80, 60]]
    assert warnings == []


@pytest.mark.parametrize(
    ("regions", "name", "words"),
    [
        ([region(label="")], "a.jpg", "no as label"),
        ([region(size=(20, 10))], "a.jpg", "expected the picture that they were drawn on"),
        ([region(), region(size=(20, 10))], "a.jpg", "several sizes"),
        ([region()], "away.jpg", "'away.jpg' does not exist"),
        ([region()], "", "names no picture"),
        ([{**region(), "value": {"points": [[1, "x"]], "polygonlabels": ["dog"]}}], "a.jpg", "no pairs of numbers"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(tmp_path, regions, name, words):
    (row,), _ = read(tmp_path, task(*regions, name=name))
    assert row.number == 2
    assert words in row.fault


def test_what_is_no_box_and_what_was_annotated_again_is_told(tmp_path):
    brush = {**region(), "value": {"format": "rle", "rle": [1], "brushlabels": ["cat"]}}
    again = task(region(), brush)
    again["annotations"].insert(0, {"result": [], "updated_at": ""})
    again["annotations"][1]["updated_at"] = "2026-01-02"
    (row,), warnings = read(tmp_path, again)
    assert boxes(row) == [[20, 20, 80, 60]]
    assert [each.partition(": ")[2] for each in warnings] == [f"1 {label_studio.SEVERAL}", f"1 {label_studio.OTHERS}"]


def test_init_knows_it_and_a_table_of_texts_is_none(tmp_path):
    read(tmp_path, task(region()))
    found = guess(tmp_path / "tasks.json", tmp_path)
    assert (found.inputs, found.output_kind) == ({"image": "image"}, "boxes")
    texts = [{"data": {"text": "a"}, "annotations": [{"result": [{"value": {"choices": ["good"]}}]}]}]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    assert not label_studio.is_label_studio(tmp_path / "texts.json")


def test_the_interface_names_every_class():
    both = [Annotated(1, "a.png", 9, 9, [{"label": 'a "b" & c', "box": [0, 0, 9, 9]}])]
    assert """<Label value='a "b" &amp; c'/>""" in label_studio.labelling(both)
