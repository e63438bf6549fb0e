"""COCO, VOC and YOLO: what is written is read again to half a pixel, and what is wrong is told by row and reason."""

import json

import pytest
from PIL import Image

from windlass.errors import DataError
from windlass.sources.annotations import coco, voc, yolo
from windlass.sources.annotations.contract import Annotated
from windlass.sources.contract import Names
from windlass.sources.guess import guess
from windlass.sources.places import find

THINGS = [
    {"label": "cat", "box": [3.0, 4.0, 33.0, 44.0]},
    {"label": "黄瓜", "box": [0.0, 0.0, 64.0, 48.0]},
    {"label": "dog & co", "box": [10.5, 11.25, 20.25, 31.5]},
]
BOTH = [Annotated(1, "a.png", 64, 48, THINGS), Annotated(2, "b.png", 64, 48, [])]


def picture(path, size=(64, 48), orientation=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[274] = orientation
    Image.new("RGB", size, "grey").save(path, exif=exif)


def read(folder, split=""):
    """Rows, faults and warnings of all sources."""
    rows, faults, warnings = {}, [], []
    for source in find(str(folder), folder, Names("image", "boxes"), folder / "scratch"):
        for raw in source.rows():
            if raw.values is None:
                faults.append((raw.number, raw.fault))
            else:
                rows[raw.values["image"].rsplit("/")[-1]] = (source.split, raw.values["boxes"])
        warnings += source.warnings
    return rows, faults, warnings


def as_coco(folder):
    for each in BOTH:
        picture(folder / "images" / each.place)
    (folder / "train.json").write_text(json.dumps(coco.written(BOTH)), encoding="utf-8")


def as_voc(folder):
    for each in BOTH:
        picture(folder / "JPEGImages" / each.place)
        home = folder / "Annotations"
        home.mkdir(exist_ok=True)
        (home / each.place).with_suffix(".xml").write_text(voc.written(each), encoding="utf-8")
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nb\n")


def as_yolo(folder):
    classes = ["cat", "dog & co", "黄瓜"]
    for each in BOTH:
        picture(folder / "images" / "train" / each.place)
        home = folder / "labels" / "train"
        home.mkdir(parents=True, exist_ok=True)
        (home / each.place).with_suffix(".txt").write_text(yolo.written(each, classes))
    listed = "".join(f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for number, name in enumerate(classes))
    (folder / "data.yaml").write_text(f"train: images/train\nnames:\n{listed}", encoding="utf-8")


@pytest.mark.parametrize("write", [as_coco, as_voc, as_yolo])
def test_what_is_written_is_read_again_and_init_knows_it(tmp_path, write):
    """Half a pixel for VOC, whose pixels are whole; a hundredth for the others."""
    home = tmp_path / "set"
    write(home)
    rows, faults, warnings = read(home)
    assert (faults, warnings) == ([], [])
    assert {name: split for name, (split, _) in rows.items()} == {"a.png": "train", "b.png": "train"}
    assert rows["b.png"][1] == []
    for got, wanted in zip(rows["a.png"][1], THINGS, strict=True):
        assert got["label"] == wanted["label"]
        assert got["box"] == pytest.approx(wanted["box"], abs=0.5 if write is as_voc else 0.011)
    found = guess(home, tmp_path)
    assert (found.inputs, found.output_kind, found.goal) == ({"image": "image"}, "boxes", "map50")


def test_a_folder_that_is_said_to_train_and_to_validate_is_read_once(tmp_path):
    """As in YOLO's own coco128.yaml: each picture is there once, and no split is given."""
    home = tmp_path / "set"
    as_yolo(home)
    said = (home / "data.yaml").read_text()
    (home / "data.yaml").write_text(f"val: images/train\n{said}", encoding="utf-8")
    rows, faults, warnings = read(home)
    assert ({name: split for name, (split, _) in rows.items()}, faults) == ({"a.png": "", "b.png": ""}, [])
    assert warnings == ["data.yaml: 'train' and 'val' are one folder: its pictures are read once, and parted here"]


def of_coco(folder, *annotations, **image):
    picture(folder / "a.png", orientation=image.pop("orientation", 0))
    found = [{"id": n, "image_id": 7, "category_id": 3, **each} for n, each in enumerate(annotations)]
    seen = {"id": 7, "file_name": "a.png", "width": 64, "height": 48, **image}
    content = {"images": [seen], "annotations": found, "categories": [{"id": 3, "name": "cat"}]}
    (folder / "boxes.json").write_text(json.dumps(content))
    return read(folder)


def test_polygons_run_lengths_and_crowds_are_read(tmp_path):
    """Runs go down the columns: 48 high, pixels 49-52 and 97-100 are rows 1-4 of columns 1 and 2."""
    runs = {"size": [48, 64], "counts": [49, 4, 44, 4, 2971]}
    rows, faults, _ = of_coco(
        tmp_path,
        {"segmentation": [[1, 2, 9, 2, 9, 8]]},
        {"segmentation": runs, "iscrowd": 1},
        {"segmentation": {"size": [48, 64], "counts": "a14P2"}},
    )
    assert not faults
    boxes = [each["box"] for each in rows["a.png"][1]]
    assert boxes[:2] == [[1, 2, 9, 8], [1, 1, 3, 5]]
    assert [each.get("crowd", False) for each in rows["a.png"][1]] == [False, True, False]
    assert boxes[2] == [1, 1, 2, 5], "49 zeros, 4 ones, as text"


@pytest.mark.parametrize(
    ("annotation", "image", "words"),
    [
        ({"bbox": [30, 20, 60, 40]}, {}, "taken for left, top, width, height"),
        ({"bbox": [1, 1, 5, 5], "category_id": 9}, {}, "category_id is 9"),
        ({"bbox": [1, 1, 5]}, {}, "no bbox of four numbers"),
        ({"bbox": [1, 1, 5, 5]}, {"file_name": "away.png"}, "does not exist"),
        ({"bbox": [1, 1, 5, 5]}, {"width": 640, "height": 480}, "expected the picture that they were drawn on"),
        ({"bbox": [1, 1, 5, 5]}, {"orientation": 6}, "before EXIF turned it upright"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(tmp_path, annotation, image, words):
    rows, faults, _ = of_coco(tmp_path, annotation, **image)
    assert not rows
    assert faults[0][0] == 1
    assert words in faults[0][1]


def test_slips_of_the_hand_are_mended_and_told(tmp_path):
    rows, _, warnings = of_coco(
        tmp_path, {"bbox": [60, 40, 6, 9]}, {"bbox": [5, 5, 0.4, 9]}, {"bbox": [70, 5, 5, 5]}, {"bbox": [1, 1, 5, 5]},
        {"bbox": [1, 1, 5, 5]}
    )  # fmt: skip
    assert [each["box"] for each in rows["a.png"][1]] == [[60, 40, 64, 48], [1, 1, 6, 6]]
    assert len(warnings) == 4
    assert all("row 1, a.png" in each for each in warnings)


def test_voc_and_yolo_say_what_is_wrong(tmp_path):
    as_voc(tmp_path / "voc")
    file = tmp_path / "voc" / "Annotations" / "a.xml"
    file.write_text(file.read_text(encoding="utf-8").replace("<xmax>33</xmax>", "<xmax>2</xmax>"), encoding="utf-8")
    (tmp_path / "voc" / "Annotations" / "b.xml").write_text("<!DOCTYPE x [<!ENTITY a 'b'>]><annotation/>")
    _, faults, _ = read(tmp_path / "voc")
    assert "is it left, top, width, height" in faults[0][1]
    assert "no plain XML" in faults[1][1]
    as_yolo(tmp_path / "yolo")
    (tmp_path / "yolo" / "labels" / "train" / "a.txt").write_text("5 0.5 0.5 0.1 0.1\n")
    _, faults, _ = read(tmp_path / "yolo")
    assert "class 5 has no name" in faults[0][1]


def test_a_picture_outside_the_folder_is_not_opened(tmp_path):
    """It comes to `collect`, which refuses it by its own rule."""
    picture(tmp_path / "secret.png")
    home = tmp_path / "set"
    home.mkdir()
    rows, faults, _ = of_coco(home, {"bbox": [1, 1, 500, 500]}, file_name="../secret.png")
    assert (list(rows), faults) == (["secret.png"], [])


def test_two_files_of_one_split_are_refused(tmp_path):
    as_coco(tmp_path)
    (tmp_path / "training.json").write_text((tmp_path / "train.json").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(DataError, match="expected one file a split"):
        read(tmp_path)


def of_boxes(folder, boxes_of):
    """Twelve pictures of 64 x 48 with the box of each, as the format's own numbers."""
    places = [(4 * n + 1, 3 * n + 1, min(64, 4 * n + 16), min(48, 3 * n + 14)) for n in range(12)]
    return [(f"{n}.png", boxes_of(*place)) for n, place in enumerate(places)]


@pytest.mark.parametrize("is_right", [True, False])
def test_a_coco_file_of_corners_is_refused_as_a_whole(tmp_path, is_right):
    """Half of its boxes would lie on their pictures, in the wrong place."""
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
    numbers = (lambda l, t, r, b: [l, t, r - l, b - t]) if is_right else lambda *corners: list(corners)  # noqa: E741
    for place, (name, box) in enumerate(of_boxes(tmp_path, numbers)):
        picture(tmp_path / name)
        content["images"].append({"id": place, "file_name": name, "width": 64, "height": 48})
        content["annotations"].append({"id": place, "image_id": place, "category_id": 1, "bbox": box})
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    rows, faults, _ = read(tmp_path)
    assert len(rows) == (12 if is_right else 0)
    words = "look like left, top, right, bottom, where the format has width and height"
    assert all(words in fault for _, fault in faults)


@pytest.mark.parametrize("is_right", [True, False])
def test_voc_of_widths_is_refused_as_a_whole(tmp_path, is_right):
    numbers = (lambda *corners: corners) if is_right else lambda l, t, r, b: (l, t, r - l, b - t)  # noqa: E741
    for name, box in of_boxes(tmp_path, numbers):
        picture(tmp_path / name)
        sides = "".join(f"<{side}>{value}</{side}>" for side, value in zip(voc.SIDES, box, strict=True))
        found = voc.written(Annotated(1, name, 64, 48, []))
        thing = f"<object><name>cat</name><bndbox>{sides}</bndbox></object></annotation>"
        (tmp_path / name).with_suffix(".xml").write_text(found.replace("</annotation>", thing))
    rows, faults, _ = read(tmp_path)
    assert len(rows) == (12 if is_right else 0)
    words = "look like left, top, width, height, where the format has right and bottom"
    assert all(words in fault for _, fault in faults)


def test_yolo_of_corners_is_refused_as_a_whole(tmp_path):
    as_yolo(tmp_path)
    for name, (left, top, right, bottom) in of_boxes(tmp_path, lambda *corners: corners):
        picture(tmp_path / "images" / "train" / name)
        line = f"0 {left / 64} {top / 48} {right / 64} {bottom / 48}\n"
        (tmp_path / "labels" / "train" / name).with_suffix(".txt").write_text(line)
    (tmp_path / "labels" / "train" / "a.txt").unlink()
    rows, faults, _ = read(tmp_path)
    assert (len(rows), len(faults)) == (0, 14)
    assert "where the format has width and height" in faults[0][1]
