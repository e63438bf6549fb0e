"""Pictures are cut in parts with their classes, and their boxes are held against them."""

import json
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from windlass.kinds import boxes
from windlass.outputs.boxes.report import data_sections
from windlass.outputs.boxes.split import counts, split, warn
from windlass.outputs.splitting import Cleaning
from windlass.sources.prepared import SPLIT
from windlass.spec import from_values

SPEC = from_values(
    {"name": "toy", "data": "toy", "inputs": {"image": "image"}, "output": {"things": "boxes"}}, "toy"
)  # fmt: skip


def rows(folder, count=40):
    """Every fourth with a rare class; one box over the border, one beside the picture."""
    found = []
    for number in range(count):
        path = folder / f"{number}.png"
        pixels = np.random.default_rng(number).integers(0, 255, (3, 5, 3))
        Image.fromarray(pixels.astype(np.uint8)).resize((20, 10)).save(path)
        things = [{"label": "rare" if number % 4 == 0 else "usual", "box": [1, 1, 9, 9]}]
        things += [{"label": "usual", "box": [15, 2, 25, 8]}] if number == 1 else []
        things += [{"label": "usual", "box": [30, 2, 35, 8]}] if number == 2 else []
        found.append({"image": str(path), "things": boxes.kept(things), SPLIT: ""})
    return pl.DataFrame(found)


def test_boxes_are_cut_to_their_pictures_and_rare_classes_are_in_every_part(tmp_path):
    cleaning = Cleaning()
    made = split(rows(tmp_path), SPEC, cleaning, np.random.default_rng(1))
    every = [thing for part in made.values() for value in part["things"] for thing in boxes.truth(value)]
    assert len(every) == 41
    assert [15, 2, 20, 8] in [thing["box"] for thing in every]
    assert cleaning.warnings == [
        "1 boxes were partly beside the picture: cut to what lies on it",
        "1 boxes were beside the picture: taken out",
    ]
    assert all(found["rare"] for found in counts(made, "things").values())


def test_few_boxes_and_no_empty_picture_are_told(tmp_path):
    cleaning, train = Cleaning(), rows(tmp_path, 12)
    warn(train, SPEC, cleaning)
    assert any("'rare' has 3 train boxes" in each for each in cleaning.warnings)
    assert any("no train picture is empty" in each for each in cleaning.warnings)
    empty = train.with_columns(pl.lit(json.dumps([])).alias("things")).head(1)
    told = Cleaning()
    warn(pl.concat([train, empty]), SPEC, told)
    assert not any("is empty" in each for each in told.warnings)


def with_copies(folder, splits):
    """The rows, with the first picture three times more, packed again: as rows of these splits, the rest of none."""
    found = rows(folder)
    first = found.row(0, named=True)
    copies = []
    for number, given in enumerate(splits):
        Image.open(first["image"]).resize((40, 20)).save(folder / f"copy{number}.png")
        things = [{"label": "rare", "box": [2, 2, 18, 18]}]
        copies.append({"image": str(folder / f"copy{number}.png"), "things": boxes.kept(things), SPLIT: given})
    return pl.concat([found, pl.DataFrame(copies)])


def test_near_pictures_are_never_in_two_splits(tmp_path):
    """Of no split: together; beside a test file: out of train, with the reason."""
    cleaning = Cleaning()
    made = split(with_copies(tmp_path, ["", "", ""]), SPEC, cleaning, np.random.default_rng(1))
    holding = [{Path(each).stem for each in part["image"]} & {"0", "copy0", "copy1", "copy2"} for part in made.values()]
    assert sorted(map(len, holding)) == [0, 0, 4]
    assert "4 pictures are nearly the same as another one (first: 0.png and copy0.png)" in cleaning.warnings[-1]
    told = Cleaning()
    made = split(with_copies(tmp_path, ["test", "test", "validation"]), SPEC, told, np.random.default_rng(1))
    assert told.removed == {
        "train picture that nearly is a test picture": 1, "validation picture that nearly is a test picture": 1
    }  # fmt: skip
    assert {Path(each).stem for each in made["test"]["image"]} == {"copy0", "copy1"}


def test_a_camera_that_stands_still_sees_other_pictures(tmp_path):
    """Control: the same ground with things in other places, and with none."""
    found = with_copies(tmp_path, ["test", "test", "test"])
    elsewhere = boxes.kept([{"label": "rare", "box": [30, 12, 38, 18]}])
    moved = pl.when(pl.col(SPLIT) == "test").then(pl.lit(elsewhere)).otherwise(pl.col("things"))
    cleaning = Cleaning()
    split(found.with_columns(moved.alias("things")), SPEC, cleaning, np.random.default_rng(1))
    assert not cleaning.removed


def test_a_class_that_stands_in_test_alone_is_told(tmp_path):
    found = rows(tmp_path, 20).with_columns(pl.Series(SPLIT, [""] * 15 + ["test"] * 5))
    new = boxes.kept([{"label": "new", "box": [1, 1, 5, 5]}])
    found = found.with_columns(pl.when(pl.col(SPLIT) == "test").then(pl.lit(new)).otherwise("things").alias("things"))
    cleaning = Cleaning()
    split(found, SPEC, cleaning, np.random.default_rng(1))
    assert "'new' is on test pictures only (5 times): it cannot be learned, only missed" in cleaning.warnings


def test_sixteen_pictures_stand_in_the_data_report_the_rarest_class_among_them(tmp_path):
    every = rows(tmp_path).with_columns(
        pl.when(pl.int_range(pl.len()) == 33).then(pl.lit(boxes.kept([{"label": "<b>", "box": [1, 1, 5, 5]}])))
        .when(pl.int_range(pl.len()) == 29).then(pl.lit("[]")).otherwise("things").alias("things")
    )  # fmt: skip
    (section,) = data_sections({"train": every.to_dicts()}, SPEC)
    assert section.body.count('<svg class="seen"') == section.body.count("<figcaption>") == 16
    assert "16 of 40 pictures" in section.body
    assert all(name in section.body for name in (">33.png<", ">29.png<", "nothing", "1 &lt;b&gt;"))
