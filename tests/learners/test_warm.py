"""A network that goes on where a release ended: what it knew it knows, what is new it learns, killed or not."""

import dataclasses
import json
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.learners import toys
from windlass.errors import DataError, NotReady
from windlass.learners.contract import Budget, Options
from windlass.learners.networks import cnn, network, warm
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import answers
from windlass.predictors.table import load
from windlass.records import Splits, WarmStart, silent
from windlass.registry import checkpoints as weights
from windlass.store.files import hash_folder

QUICK = dataclasses.replace(
    cnn.DEFAULT, settings=Settings(lr=5e-3, batch=16, epochs=6, patience=6, checkpoint_seconds=0.0)
)
PROUD = pl.DataFrame([{"text": f"so proud of {word} today", "mood": "proud"} for word in toys.FILLER])
FORMS = (QUICK.forms, {"text": {}})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A champion of three moods, and where a challenger begins. Not to be changed."""
    folder = tmp_path_factory.mktemp("champion")
    splits = toys.text_splits(folder, n_rows=180)
    network.fit_network(QUICK, splits, Options(folder, "accuracy"), Budget(3_600), silent)
    start = WarmStart("r1", "cnn", "", str(folder / "artifact"), str(folder / weights.FILE), len(PROUD))
    return splits, start


def grown(splits: Splits) -> Splits:
    """The same rows, and after them those of a mood that the champion does not know."""
    train = pl.concat([splits.train, PROUD], how="diagonal")
    return dataclasses.replace(splits, train=train)


def begun(trained, inherits: bool = True):
    splits, start = trained
    encoded = warm.encode(grown(splits), start, *FORMS, 13)
    joined = network.build(QUICK, encoded.inputs, encoded.train, encoded.n_scores)
    if inherits:
        warm.inherit(joined, start, encoded)
    return joined.eval(), encoded


@pytest.mark.parametrize("inherits", [True, False], ids=["as it is", "control"])
def test_before_its_first_step_it_answers_as_the_release_does(trained, inherits):
    """ONNX Runtime gives the release's logits; labels and words have other numbers by now. Control: by chance."""
    joined, encoded = begun(trained, inherits)
    before = load(Path(trained[1].artifact))
    now = answers(joined, network.arrays(encoded.inputs, encoded.validation), 8)
    labels = encoded.output.state["labels"]
    assert labels == ["calm", "glad", "proud", "sad"]
    assert encoded.inputs[0].state["tokens"] != before.manifest.inputs[0].state["tokens"]
    known = now[:, [labels.index(label) for label in before.labels]]
    rows = trained[0].validation.select("text").to_dicts()
    told = np.log(before.probabilities(rows)) * before.manifest.temperature
    distance = float(np.abs((known - known.mean(1, keepdims=True)) - (told - told.mean(1, keepdims=True))).max())
    assert (distance < 1e-3) is inherits


def test_one_epoch_is_enough_where_it_is_not_from_scratch(trained, tmp_path):
    """What the release knew is kept; after all epochs the new mood is learned, which no validation row has."""
    splits, start = grown(trained[0]), trained[1]
    brief = dataclasses.replace(QUICK, settings=dataclasses.replace(QUICK.settings, epochs=1))
    scores = []
    for number, begins in enumerate((start, None)):
        options = Options(tmp_path / str(number), "accuracy", start=begins)
        fitted = network.fit_network(brief, splits, options, Budget(3_600), silent)
        scores.append(toys.answers_alike(splits, fitted.artifact))
    assert scores[0] > 0.9 > scores[1] + 0.2
    predictor = load(tmp_path / "0" / "artifact")
    assert predictor.manifest.settings["warm_start"] == "r1"
    options = Options(tmp_path / "longer", "accuracy", start=start)
    predictor = load(network.fit_network(QUICK, splits, options, Budget(3_600), silent).artifact)
    assert predictor.answer([{"text": "so proud of her today"}])[0].value == "proud"


def test_killed_it_goes_on_to_the_same_weights_as_undisturbed(trained, tmp_path):
    splits = grown(trained[0])

    def fit(name, progress=silent):
        options = Options(tmp_path / name, "accuracy", start=trained[1])
        ticking = Budget(3_600, 30, map(float, count()).__next__)  # so that each step is reported
        return network.fit_network(QUICK, splits, options, ticking, progress)

    def dies(task, done, total, note=""):
        if done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit("killed", dies)
    assert (tmp_path / "killed" / "checkpoint.safetensors").is_file()
    graphs = [hash_folder(fit(name).artifact)["model.onnx"] for name in ("killed", "whole")]
    assert graphs[0] == graphs[1]


def test_new_rows_come_with_four_known_ones_each_and_ten_of_every_label(tmp_path):
    labels = ["often"] * 200 + ["seldom"] * 30 + ["new"] * 20
    rows = pl.DataFrame({"text": [f"t{number}" for number in range(250)], "mood": labels})
    splits = Splits({"text": "text"}, {"mood": "category"}, rows, rows.clear(), rows.clear(), tmp_path)
    found = warm.replayed(splits, 20, 13)
    counts = dict(found["mood"].value_counts().iter_rows())
    assert found["text"].to_list()[-20:] == rows["text"].to_list()[-20:]
    assert counts["new"] == 20
    assert counts["seldom"] >= 10
    assert 80 <= counts["often"] + counts["seldom"] <= 90
    assert found.equals(warm.replayed(splits, 20, 13))
    assert not found.equals(warm.replayed(splits, 20, 14))
    assert len(warm.replayed(splits, 100, 13)) == 250


def test_weights_of_another_network_or_damaged_ones_are_refused(trained, tmp_path):
    splits, start = grown(trained[0]), trained[1]
    wider = dataclasses.replace(QUICK, text=lambda state: cnn.TextConvolution(state, cnn.TextSettings(channels=9)))
    options = Options(tmp_path, start=start)
    with pytest.raises(NotReady, match="is another network"):
        network.fit_network(wider, splits, options, Budget(9), silent)
    aged = dataclasses.replace(splits, inputs={"text": "text", "age": "number"})
    with pytest.raises(NotReady, match="reads other columns, expected text, age"):
        network.fit_network(QUICK, aged, options, Budget(9), silent)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no weights")
    with pytest.raises(DataError, match="damaged or gone"):
        network.fit_network(
            QUICK, splits, Options(tmp_path, start=dataclasses.replace(start, weights=str(damaged))), Budget(9), silent
        )


def test_pictures_and_tables_go_on_as_well(tmp_path):
    """Batch normalisation counts its batches in a number without rows; other columns are read as before."""
    splits = toys.picture_splits(tmp_path)
    first = network.fit_network(QUICK, splits, Options(tmp_path / "first"), Budget(3_600), silent)
    start = WarmStart("r1", "cnn", "", str(first.artifact), str(tmp_path / "first" / weights.FILE), 8)
    again = network.fit_network(QUICK, splits, Options(tmp_path / "again", start=start), Budget(3_600), silent)
    states = [json.loads((fitted.artifact / "manifest.json").read_text())["inputs"] for fitted in (first, again)]
    assert states[0] == states[1]
    assert again.validation == 1.0
