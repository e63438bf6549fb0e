"""Pictures are cut in parts with their classes, and their boxes are held against them."""

import json

import numpy as np
import polars as pl
from PIL import Image

from windlass.kinds import boxes
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
        Image.new("RGB", (20, 10), (number, 0, 0)).save(path)
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
