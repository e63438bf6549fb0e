"""Masks as pictures and in COCO's file: what is written is read again pixel by pixel, and what is wrong is told."""

import json

import numpy as np
import pytest
from PIL import Image

from windlass.errors import DataError
from windlass.kinds import masks
from windlass.sources.annotations import coco_masks
from windlass.sources.contract import Names
from windlass.sources.guess import guess
from windlass.sources.places import find

SIZE = (20, 30)


def numbers(dtype=np.uint8):
    """A square with a hole, and a bar beside it; (H, W)."""
    found = np.zeros(SIZE, dtype)
    found[2:12, 3:13] = 1
    found[5:8, 6:9] = 0
    found[2:12, 13:16] = 2
    return found


def save(array, path, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **how)


def picture(path, size=SIZE, orientation=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[274] = orientation
    Image.new("RGB", size[::-1], "grey").save(path, exif=exif)


def read(folder, kind="masks"):
    rows, faults, warnings = {}, {}, []
    for source in find(str(folder), folder, Names("image", "masks", answers=kind), folder / "scratch"):
        for raw in source.rows():
            if raw.values is None:
                faults[raw.shown] = raw.fault
            else:
                rows[raw.values["image"].rsplit("/")[-1]] = raw.values["masks"]
        warnings += source.warnings
    return rows, faults, warnings


def covered(things):
    return {thing["label"]: int((masks.map_of([thing], SIZE) > 0).sum()) for thing in things}


def test_classes_by_number_with_void_and_names(tmp_path):
    (tmp_path / "classes.txt").write_text("background\n房子\nroad\n", encoding="utf-8")
    marked = numbers()
    marked[0, :] = 255
    picture(tmp_path / "images" / "a.jpg")
    picture(tmp_path / "images" / "b.jpg")
    save(marked, tmp_path / "masks" / "a.png")
    save(np.zeros(SIZE, np.uint8), tmp_path / "masks" / "b_mask.png")
    rows, faults, warnings = read(tmp_path, "")
    assert covered(rows["a.jpg"]) == {"房子": 91, "road": 30, "void": 30}
    assert (rows["b.jpg"], faults, warnings) == ([], {}, [])
    found = guess(tmp_path, tmp_path.parent)
    assert (found.inputs, found.output_kind, found.goal) == ({"image": "image"}, "masks", "mask_dice")


def test_classes_by_a_colour_table_are_told_by_number(tmp_path):
    made = Image.fromarray(numbers())
    made.putpalette([0, 0, 0, 200, 10, 10, 10, 200, 10] + [0] * 759)
    picture(tmp_path / "JPEGImages" / "a.jpg")
    (tmp_path / "SegmentationClass").mkdir()
    made.save(tmp_path / "SegmentationClass" / "a.png")
    rows, _, warnings = read(tmp_path)
    assert covered(rows["a.jpg"]) == {"class 1": 91, "class 2": 30}
    assert "classes 1, 2 have no name" in warnings[0]


def test_classes_by_colour(tmp_path):
    (tmp_path / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nbackground:0,0,0::\nroof:200,10,10::\n")
    table = np.array([[0, 0, 0], [200, 10, 10], [1, 2, 3]], np.uint8)
    for name, marked in (("a", np.minimum(numbers(), 1)), ("b", numbers())):
        picture(tmp_path / "images" / f"{name}.png")
        save(table[marked], tmp_path / "masks" / f"{name}.png")
    rows, faults, _ = read(tmp_path)
    assert covered(rows["a.png"]) == {"roof": 121}
    assert "the colour #010203 on its mask" in faults["images/b.png"]


@pytest.mark.parametrize("form", ["numbers", "colours"])
def test_things_are_told_apart_by_number_or_colour_and_their_class_by_most_pixels(tmp_path, form):
    marked = numbers(np.uint16)
    marked[marked == 2] = 700
    if form == "colours":
        marked = np.array([[0, 0, 0], [9, 9, 200], [200, 9, 9]], np.uint8)[numbers()]
    classes = np.where(numbers() > 0, 255, 0).astype(np.uint8)
    for split in ("train", "test"):
        picture(tmp_path / split / "images" / f"{split}.png")
        save(marked, tmp_path / split / "instances" / f"{split}.png")
        save(classes, tmp_path / split / "masks" / f"{split}.png")
    rows, faults, _ = read(tmp_path)
    assert sorted(rows) == ["test.png", "train.png"]
    found = rows["train.png"]
    assert sorted(int((masks.map_of([thing], SIZE) > 0).sum()) for thing in found) == [30, 91]
    assert {thing["label"] for thing in found} == {"thing"}
    assert faults == {}
    sources = find(str(tmp_path), tmp_path, Names("image", "masks"), tmp_path)
    assert [source.split for source in sources] == ["test", "train"]


def test_what_is_wrong_with_a_mask_is_told_by_row(tmp_path):
    for name in ("other", "none", "broken", "text"):
        picture(tmp_path / "images" / f"{name}.png")
    picture(tmp_path / "images" / "turned.jpg", orientation=6)
    save(numbers()[:10], tmp_path / "masks" / "other.png")
    save(numbers(), tmp_path / "masks" / "turned.png")
    save(numbers(), tmp_path / "masks" / "alone.png")
    content = (tmp_path / "masks" / "alone.png").read_bytes()
    (tmp_path / "masks" / "broken.png").write_bytes(content[:60])
    (tmp_path / "masks" / "text.png").write_text("no picture")
    rows, faults, warnings = read(tmp_path)
    assert rows == {}
    assert "of 30 x 10 and is 30 x 20 upright, expected the same size" in faults["images/other.png"]
    assert "before EXIF turned it upright?" in faults["images/turned.jpg"]
    assert faults["images/none.png"].startswith("has no mask")
    assert "cannot be read" in faults["images/broken.png"]
    assert "cannot be read" in faults["images/text.png"]
    assert any("1 masks have no picture (first: alone.png)" in each for each in warnings)


def coco_file(folder, annotations, name="train.json"):
    picture(folder / "a.png")
    images = [{"id": 1, "file_name": "a.png", "width": 30, "height": 20}]
    said = [{"id": number, "image_id": 1, "category_id": 3, **each} for number, each in enumerate(annotations)]
    content = {"images": images, "categories": [{"id": 3, "name": "cat"}], "annotations": said}
    (folder / name).write_text(json.dumps(content))


def test_polygons_cover_the_pixels_whose_middle_they_hold(tmp_path):
    """A square of 10 x 8 from its corners; two parts together; a triangle; a sliver between two middles is none."""
    square = [2, 3, 12, 3, 12, 11, 2, 11]
    coco_file(tmp_path, [
        {"segmentation": [square]},
        {"segmentation": [square, [20, 3, 24, 3, 24, 5, 20, 5]]},
        {"segmentation": [[0, 0, 8, 0, 0, 8]]},
        {"segmentation": [[1.6, 0, 2.4, 0, 2.4, 9, 1.6, 9]]},
    ])  # fmt: skip
    rows, faults, warnings = read(tmp_path)
    areas = [int((masks.map_of([thing], SIZE) > 0).sum()) for thing in rows["a.png"]]
    assert areas == [80, 88, 28]
    assert faults == {}
    assert warnings == ["train.json: 1 masks cover no pixel: taken out"]


def test_run_lengths_with_holes_and_crowds_come_back(tmp_path):
    things = masks.of_map(numbers(), {1: "cat", 2: "黄瓜"})
    things[1]["crowd"] = True
    picture(tmp_path / "a.png")
    (tmp_path / "train.json").write_text(json.dumps(coco_masks.written([("a.png", (30, 20), things)])))
    rows, _, _ = read(tmp_path)
    assert rows["a.png"] == things


BROKEN = {
    "category_id is 9": {"category_id": 9, "segmentation": [[0, 0, 8, 0, 0, 8]]},
    "no polygon and no run lengths": {"bbox": [0, 0, 5, 5]},
    "is of \\[4, 4\\], expected \\[20, 30\\]": {"segmentation": {"size": [4, 4], "counts": [16]}},
    "runs are of 16 pixels": {"segmentation": {"size": [20, 30], "counts": [16]}},
    "run lengths that cannot be read": {"segmentation": {"size": [20, 30], "counts": -1}},
}


@pytest.mark.parametrize("words", BROKEN)
def test_what_cannot_be_meant_is_refused_with_its_reason(tmp_path, words):
    coco_file(tmp_path, [BROKEN[words]])
    rows, faults, _ = read(tmp_path)
    assert rows == {}
    with pytest.raises(DataError, match=words):
        raise DataError(faults["a.png"])


def test_cocos_file_is_of_boxes_unless_masks_are_asked_for(tmp_path):
    coco_file(tmp_path, [{"bbox": [2, 3, 10, 8], "segmentation": [[2, 3, 12, 3, 12, 11, 2, 11]]}])
    assert guess(tmp_path, tmp_path.parent).output_kind == "boxes"
    assert guess(tmp_path, tmp_path.parent, as_kind="masks").output_kind == "masks"
