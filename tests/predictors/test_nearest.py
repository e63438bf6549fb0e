"""Answers of the nearest known row: similarities by hand, and damage refused."""

import json

import numpy as np
import pytest
from scipy import sparse

from windlass.errors import DataError
from windlass.kinds.contract import Sparse
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.contract import dense
from windlass.predictors.language.writing import Writing
from windlass.predictors.retrieval import nearest
from windlass.predictors.table import load, replay
from windlass.records import Column, Manifest

TEXT = Column("message", "text", {"form": "terms", "terms": ["card", "lost", "pay"], "weights": [1.0, 1.0, 2.0]})
COLOUR = Column("colour", "category", {"form": "onehot", "levels": ["blue", "red"]})
KNOWN = [
    {"message": "card", "colour": "red"},
    {"message": "card lost", "colour": "blue"},
    {"message": "pay", "colour": "blue"},
]
ANSWERS = ["look for it", "call us", "here is how"]


def artifact(folder, inputs=(TEXT, COLOUR), known=KNOWN, **settings):
    folder.mkdir()
    features = nearest.features(inputs, known)
    nearest.write_known(folder, features, ANSWERS)
    made = {"otherwise": 2, **settings}
    write_manifest(folder, Manifest("nearest", "retrieve", inputs, Column("answer", "text"), settings=made))
    write_golden(folder, KNOWN, ANSWERS)
    return folder


def written(folder, rows):
    return [text.value for text in load(folder).answer(rows)]


def test_features_of_a_row_have_length_one():
    """Two terms of weight 1, each 1 / sqrt(2), beside a level: all three divided by sqrt(2)."""
    found = dense(nearest.features((TEXT, COLOUR), KNOWN[1:2]))
    assert found[:3] == pytest.approx([0.5, 0.5, 0])
    assert sorted(found[3:]) == pytest.approx([0, 0, 0, np.sqrt(0.5)])


def test_the_nearest_row_answers(tmp_path):
    """'lost card' in red: 0.5 / sqrt(2) + 0.5 = 0.85 like the first row, 0.5 like the second."""
    rows = [
        {"message": "lost card", "colour": "red"},
        {"message": "lost", "colour": "blue"},
        {"message": "pay pay", "colour": "red"},
    ]
    assert written(artifact(tmp_path / "a"), rows) == ["look for it", "call us", "look for it"]
    words_alone = artifact(tmp_path / "b", (TEXT,))
    assert written(words_alone, rows) == ["call us", "call us", "here is how"]


def test_what_is_like_nothing_gets_the_commonest_answer(tmp_path):
    folder = artifact(tmp_path / "a", (TEXT,))
    assert written(folder, [{"message": "未知"}, {"message": ""}, {"message": None}]) == ["here is how"] * 3


def test_of_equals_the_first_answers(tmp_path):
    folder = artifact(tmp_path / "a", (TEXT,), [KNOWN[2], KNOWN[2], KNOWN[2]])
    assert written(folder, [{"message": "pay"}]) == ["look for it"]


def test_many_rows_are_answered_as_each_alone(tmp_path):
    folder = artifact(tmp_path / "a")
    rows = [KNOWN[number % 3] for number in range(50)]
    assert written(folder, rows) == [ANSWERS[number % 3] for number in range(len(rows))]
    assert written(folder, []) == []


def test_golden_rows_are_answered_as_they_were(tmp_path):
    folder = artifact(tmp_path / "a")
    assert replay(load(folder), folder) == 0


def test_who_listens_may_stop_it(tmp_path):
    engine = load(artifact(tmp_path / "a")).engine
    assert engine.write([dict(KNOWN[0])], Writing(), lambda row, piece: False)[0].finish == "cancelled"
    assert engine.nats([], []) is None


def _file(folder, **changes):
    from safetensors.numpy import load_file, save_file

    tensors = {**load_file(folder / nearest.FILE), **changes}
    save_file({name: value for name, value in tensors.items() if value is not None}, folder / nearest.FILE)


DAMAGE = {
    "no file": lambda folder: (folder / nearest.FILE).unlink(),
    "half a file": lambda folder: (folder / nearest.FILE).write_bytes((folder / nearest.FILE).read_bytes()[:50]),
    "no values": lambda folder: _file(folder, values=None),
    "not finite": lambda folder: _file(folder, values=np.full(7, np.nan, np.float32)),
    "other numbers": lambda folder: _file(folder, values=np.ones(7, np.float64)),
    "fewer values": lambda folder: _file(folder, values=np.ones(6, np.float32)),
    "places beyond": lambda folder: _file(folder, places=np.full(7, 99, np.int32)),
    "places below": lambda folder: _file(folder, places=np.full(7, -1, np.int32)),
    "rows that go back": lambda folder: _file(folder, starts=np.array([0, 5, 4, 7], np.int64)),
    "another start": lambda folder: _file(folder, starts=np.array([1, 2, 5, 7], np.int64)),
    "fewer rows": lambda folder: _file(folder, starts=np.array([0, 2, 7], np.int64)),
    "rows that are a number": lambda folder: _file(folder, starts=np.array(0, np.int64)),
    "no answers": lambda folder: (folder / nearest.ANSWERS).unlink(),
    "half the answers": lambda folder: (folder / nearest.ANSWERS).write_text('["a", "b'),
    "fewer answers": lambda folder: (folder / nearest.ANSWERS).write_text('["a", "b"]'),
    "answers that are no texts": lambda folder: (folder / nearest.ANSWERS).write_text("[1, 2, 3]"),
    "answers that are no list": lambda folder: (folder / nearest.ANSWERS).write_text('{"a": 1}'),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_artifact_is_refused(damage, tmp_path):
    folder = artifact(tmp_path / "a")
    damage(folder)
    with pytest.raises(DataError):
        load(folder)


@pytest.mark.parametrize("otherwise", [None, -1, 3, "0", 1.0])
def test_an_answer_that_is_not_there_is_refused(otherwise, tmp_path):
    with pytest.raises(DataError, match="has otherwise"):
        load(artifact(tmp_path / "a", otherwise=otherwise))


def test_columns_that_do_not_fit_the_features_are_refused(tmp_path):
    folder = artifact(tmp_path / "a")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["inputs"] = manifest["inputs"][:1]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="names features from 0 to"):
        load(folder)


@pytest.mark.slow
def test_thirty_thousand_known_rows_are_compared_quickly(tmp_path):
    """Slow only in making the rows: 64 questions against 30,000 known rows of 40 terms in under a second."""
    import time

    chance = np.random.default_rng(1)
    known = sparse.random_array((30_000, 20_000), density=0.002, format="csr", rng=chance, dtype=np.float32)
    rows = Sparse(known.indptr.astype(np.int64), known.indices, known.data, 20_000)
    engine = nearest.Nearest((TEXT,), nearest.by_feature(rows), ["a"] * 30_000, 0)
    started = time.process_time()
    found = [engine.nearest(rows, number) for number in range(64)]
    assert time.process_time() - started < 1
    assert found == (known[:64] @ known.T).toarray().argmax(axis=1).tolist(), "as scipy's product has it"
