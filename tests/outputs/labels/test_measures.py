"""What is measured of labels on validation rows."""

import math

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from windlass.outputs.labels.measures import validated
from windlass.predictors.artifact import VALIDATION, write_manifest
from windlass.predictors.contract import Labeller
from windlass.records import Column, Manifest, Splits


def splits(values, kind, tmp_path, **columns):
    frame = pl.DataFrame({"text": [f"row {number}" for number in range(len(values))], "answer": values, **columns})
    return Splits({"text": "text"}, {"answer": kind}, frame, frame, frame.head(0), tmp_path)


def test_labels_are_judged_by_what_was_kept_in_training_and_by_the_threshold(tmp_path):
    """The manifest's temperature of 2 was fitted on these rows, and is left out: logits (0, 1) are e / (1 + e) = .731
    for 'yes', below a threshold of .8. The third row was not reached."""
    state = {"labels": ["no", "yes"], "counts": [2, 1], "form": "label", "threshold": {"yes": 0.8}}
    output = Column("answer", "category", state)
    (tmp_path / "artifact").mkdir()
    inputs = (Column("text", "text", {"form": "terms"}),)
    manifest = Manifest("linear", "linear", inputs, output, temperature=2.0)
    write_manifest(tmp_path / "artifact", manifest)
    model = Labeller(manifest, lambda batches: np.empty(0))
    kept = np.array([[0, 1], [0, 3], [np.nan, np.nan]], np.float32)
    save_file({"logits": 2 * kept, "calibrated": kept}, tmp_path / VALIDATION)
    found = validated(model, tmp_path, splits(["no", "yes", "no"], "category", tmp_path), None)
    assert found.rows.tolist() == [0, 1]
    assert found.marks.probabilities[0] == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])
    assert found.value("accuracy") == 1  # .731 is a no, .953 a yes
    (tmp_path / VALIDATION).unlink()
    assert validated(model, tmp_path, splits(["no"], "category", tmp_path), None) is None
