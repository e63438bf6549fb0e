"""Weights beside releases: of the very network that was released, none of long ago, none when damaged."""

import json

import numpy as np
from safetensors.numpy import save_file

from windlass.metrics.measures import Estimate
from windlass.records import Release, as_json
from windlass.registry import checkpoints as weights
from windlass.registry import releases
from windlass.store.files import hash_folder
from windlass.store.json_files import write_json
from windlass.store.store import Store


def released(store: Store, id: str, graph: bytes) -> Release:
    folder = releases.folder(store, id)
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.onnx").write_bytes(graph)
    score = Estimate(0.9, 0.8, 1.0)
    made = Release(id, "desk", "cnn", "accuracy", score, "2026-01-01", "f" * 64, hash_folder(folder), 0.1)
    write_json(folder / releases.RECORD, as_json(made))
    return made


def trained(store: Store, name: str, release: Release) -> None:
    """A run folder with the weights of what this release holds."""
    header = {"learner": "cnn", "variant": "essay", "graph": release.files["model/model.onnx"]}
    path = store.run_folder(name) / weights.FILE
    save_file({"head.bias": np.zeros(3, np.float32)}, path, metadata={weights.HEADER: json.dumps(header)})


def test_a_challenger_begins_with_the_weights_of_what_was_released_and_of_nothing_else(tmp_path):
    store = Store(tmp_path)
    first, other = released(store, "first", b"one graph"), released(store, "other", b"another graph")
    trained(store, "cnn-essay", first)
    weights.keep(store, other, store.stage("train"))
    assert list(weights.starts(store, "other", 5)) == []
    weights.keep(store, first, store.stage("train"))
    (start,) = weights.starts(store, "first", 5)
    assert (start.release, start.learner, start.variant, start.n_new) == ("first", "cnn", "essay", 5)
    assert start.artifact == str(releases.folder(store, "first") / "model")
    releases.verify(releases.folder(store, "first"), first)  # they are no part of what is served and shipped
    (tmp_path / ".windlass" / "weights" / "first" / "cnn-essay.safetensors").write_bytes(b"damaged")
    assert list(weights.starts(store, "first", 5)) == []


def test_those_of_the_champion_of_the_one_before_it_and_of_the_latest_stay(tmp_path):
    store = Store(tmp_path)
    for number in range(4):
        release = released(store, f"r{number}", b"graph %d" % number)
        trained(store, "cnn", release)
        weights.keep(store, release, store.stage("train"))
        if number < 3:
            releases.point_to(store, release.id)
    assert {path.name for path in (store.folder / "weights").iterdir()} == {"r1", "r2", "r3"}
