"""`linear`: which strength, which weight of each input, on toys whose truth is known."""

import numpy as np
import polars as pl
import pytest
from PIL import Image

from windlass.learners.classic import linear
from windlass.learners.classic.linear import best_of, inputs_together
from windlass.learners.contract import Budget, Options
from windlass.learners.rows import Encoded
from windlass.predictors import table as predictors
from windlass.records import Column, Splits, silent

GOOD, BAD = ("good", "fine", "lovely"), ("bad", "poor", "broken")


def rows(n_rows, said_by, folder, random):
    """The label stands in the text, in the picture, or in both, each then right in 8 of 10 rows; the rest is noise."""
    found = []
    for number in range(n_rows):
        label = random.random() < 0.5
        told = {name: label if random.random() < (0.8 if len(said_by) > 1 else 1) else not label for name in said_by}
        text, picture = (told.get(name, random.random() < 0.5) for name in ("text", "picture"))
        words = [*(f"word{place}" for place in random.integers(0, 200, 6)), random.choice(GOOD if text else BAD)]
        pixels = random.integers(60, 196, (12, 12, 3))
        pixels[4:8, 4:8] += 50 if picture else -50
        name = f"{n_rows}-{number}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
        found.append({"text": " ".join(words), "picture": name, "noise": random.normal(), "label": str(label)})
    return pl.DataFrame(found)


def splits(said_by, folder, **inputs):
    random = np.random.default_rng(5)
    parts = [rows(n_rows, said_by, folder, random) for n_rows in (300, 101, 301)]
    return Splits(inputs, {"label": "category"}, *parts, folder)


def reached(given, folder, name):
    """Accuracy on the test rows, and the settings."""
    fitted = linear.fit(given, Options(folder / name, "accuracy"), Budget(120), silent)
    predictor = predictors.load(fitted.artifact)
    predictors.replay(predictor, fitted.artifact)
    marks = predictor.marks(given.test.to_dicts(), given.test["label"].to_list(), given.root)
    return marks.value("accuracy"), predictor.manifest.settings


@pytest.mark.parametrize("said_by", ["text", "picture"])
def test_an_input_of_noise_does_not_drown_the_one_that_tells(tmp_path, said_by):
    """1,728 pixels weigh forty times a text's terms; side by side as they are, accuracy was .45 to .58 here."""
    given = splits([said_by], tmp_path, text="text", picture="image")
    assert reached(given, tmp_path, "both")[0] >= 0.97


def test_two_inputs_that_tell_are_worth_no_less_than_either(tmp_path):
    found = {
        name: reached(splits(["text", "picture"], tmp_path, **inputs), tmp_path, name)
        for name, inputs in {
            "text": {"text": "text"},
            "picture": {"picture": "image"},
            "both": {"text": "text", "picture": "image", "noise": "number"},
        }.items()
    }
    assert found["both"][0] >= max(found["text"][0], found["picture"][0]) - 0.03
    assert set(found["both"][1]["scales"]) == {"text", "picture", "noise"}
    assert set(found["text"][1]) == {"strength"}


def test_texts_and_pictures_have_a_weight_each_and_the_columns_of_a_table_one():
    kinds = ("number", "text", "image", "category", "text", "date")
    columns = [Column(str(place), kind) for place, kind in enumerate(kinds)]
    assert inputs_together(columns) == [[1], [4], [0, 3, 5], [2]]


def tried(logits):
    return linear.Tried((1.0,), 1.0, [], np.empty(0), np.asarray(logits))


def test_log_loss_decides_between_rankings_that_rows_cannot_tell_apart():
    """Both rank 40 rows nearly alike; the first, a hair better, says 'yes' to nearly all of them."""
    random = np.random.default_rng(0)
    truth = np.arange(40) % 2
    z = 4 * truth - 2 + random.normal(0, 1.5, 40)
    swapped = z.copy()
    swapped[np.argsort(z)[[19, 20]]] = swapped[np.argsort(z)[[20, 19]]]
    state = {"form": "label", "labels": ["no", "yes"], "counts": [20, 20]}
    encoded = Encoded((), Column("label", "category", state), [], truth, [], truth)
    first, second = (tried(np.stack([-each / 2, each / 2], axis=1)) for each in (z + 6, swapped))
    for metric in ("roc_auc", "pr_auc", "macro_f1"):
        assert best_of(metric, encoded, [first, second]) is second
    hopeless = tried(random.normal(0, 1, (40, 2)))
    assert best_of("roc_auc", encoded, [first, hopeless]) is first
