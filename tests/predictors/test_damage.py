"""Artifacts that were cut, changed or crafted: refused in words, never answered from, never fatal to the process."""

import json
import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto

from tests.predictors import artifacts as made
from windlass.errors import DataError, GateRefused, NotReady
from windlass.predictors.table import load, replay

MAKERS = {
    "linear": (made.linear, "model.safetensors"),
    "onnx": (made.onnx, "model.onnx"),
    "trees": (made.trees, "model.txt"),
    "blend": (made.blend, "part-1/model.txt"),
}


def manifest_with(folder, change):
    """The artifact whose manifest this function has changed."""
    path = folder / "manifest.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    return folder


def state(values):
    return values["inputs"][0]["state"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.update(format=2), "has format 2, expected 1"),
        (lambda v: v.pop("format"), "has format None, expected 1"),
        (
            lambda v: v.update(predictor="pickle"),
            "asks for predictor 'pickle', expected one of 'linear', 'trees', 'chain', 'onnx', ",
        ),
        (lambda v: v.update(predictor=["linear"]), "predictor"),
        (lambda v: v.update(code="import os"), "is damaged"),
        (lambda v: v.pop("inputs"), "is damaged"),
        (lambda v: v.update(inputs=[]), "is damaged: it has no inputs"),
        (lambda v: v.update(inputs="abc"), "is damaged"),
        (lambda v: v.update(inputs=3), "is damaged"),
        (lambda v: v.update(output=None), "is damaged"),
        (lambda v: v["inputs"].append(v["inputs"][0]), "is damaged ('weights.3')"),
        (lambda v: v["inputs"][0].update(kind="sound"), "has kind 'sound', expected one of 'text', 'chat', 'image'"),
        (lambda v: v["inputs"][0].update(name=3), "is damaged: column 3"),
        (lambda v: v["inputs"][0].update(state=[]), "its state"),
        (
            lambda v: v["output"].update(kind="text"),
            "'text' by 'linear', expected one of 'category', 'anomaly', 'number', 'tags'",
        ),
        (lambda v: v["output"].update(kind="number"), "is damaged: output 'answer' has no finite mean and deviation"),
        (lambda v: v["output"].update(state={}), "has no labels"),
        (lambda v: v["output"]["state"].update(labels=[]), "has no labels"),
        (lambda v: v["output"]["state"].update(labels=["a", "a"]), "its labels are not different names"),
        (lambda v: v["output"]["state"].update(labels=["a", 3]), "its labels are not different names"),
        (lambda v: v.update(temperature=0), "temperature is 0, expected a number above 0"),
        (lambda v: v.update(temperature=-1), "temperature"),
        (lambda v: v.update(temperature="1"), "temperature"),
        (lambda v: v.update(temperature=float("nan")), "temperature is nan"),
        (lambda v: v.update(temperature=None), "temperature"),
        (lambda v: v.update(shift=[0.5]), "shift is (0.5,), expected a number a label"),
        (lambda v: v.update(shift=[0.5, float("inf")]), "shift"),
        (lambda v: v.update(shift=3), "is damaged"),
        (lambda v: v["output"]["state"].update(threshold={"maybe": 0.3}), "threshold is {'maybe': 0.3}"),
        (lambda v: v["output"]["state"].update(threshold={"yes": 1}), "expected one of two labels with a share"),
        (lambda v: v["output"]["state"].update(threshold=0.3), "threshold is 0.3"),
        (lambda v: state(v).pop("form"), "state of column 'message' is damaged"),
        (lambda v: state(v).update(terms=None), "state of column 'message' is damaged"),
        (
            lambda v: state(v).update(form="pieces", tokenizer="{}", length=4, pad=0),
            "state of column 'message' is damaged",
        ),
        (lambda v: state(v)["weights"].append(1.0), "has weights"),
        (lambda v: v["inputs"].reverse(), "has weights"),
        (lambda v: v.update(settings=[]), "no inputs, predictor or settings"),
        (lambda v: v.update(predictor="blend"), "is a blend whose parts read []"),
        (
            lambda v: v.update(predictor="blend", settings={"weights": "2"}),
            "is a blend with the weights 2, expected shares between 0 and 1",
        ),
        (lambda v: v.update(predictor="blend", settings={"weights": [0.5]}), "part-0 has no manifest.json"),
        (lambda v: v["output"]["state"]["labels"].append("maybe"), "has weights"),
    ],
)
def test_a_changed_manifest_is_refused(change, words, tmp_path):
    folder = manifest_with(made.linear(tmp_path / "a"), change)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "content", ["", "[]", "3", "{", "null", '{"format": 1}', "\ud800".encode("utf-8", "surrogatepass")]
)
def test_a_manifest_that_is_none_is_refused(content, tmp_path):
    folder = made.linear(tmp_path / "a")
    (folder / "manifest.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=r"manifest.json (is damaged|has format)"):
        load(folder)


def test_a_folder_without_a_manifest_is_no_artifact(tmp_path):
    with pytest.raises(DataError, match=r"has no manifest\.json, expected an artifact"):
        load(tmp_path)


@pytest.mark.parametrize(("maker", "file"), MAKERS.values(), ids=MAKERS)
def test_an_artifact_without_its_model_is_refused(maker, file, tmp_path):
    folder = maker(tmp_path / "a")
    (folder / file).unlink()
    with pytest.raises(DataError, match=rf"{file} is damaged"):
        load(folder)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"weights.0": np.zeros((3, 2), np.float32)}, "has weights"),
        ({"weights.0": np.zeros((2, 3), np.float32)}, "has weights"),
        ({"weights.1": np.zeros(4, np.float32)}, "has weights"),
        ({"bias": np.zeros(1, np.float32)}, r"bias \(1,\)"),
        ({"bias": np.zeros(2, np.float64)}, "expected finite float32"),
        ({"bias": np.array([0, np.nan], np.float32)}, "finite"),
        ({"weights.2": np.full((4, 2), np.inf, np.float32)}, "expected finite float32 weights"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tensors, words, tmp_path):
    with pytest.raises(DataError, match=words):
        load(made.linear(tmp_path / "a", **tensors))


@pytest.mark.parametrize("name", sorted(made.WEIGHTS))
def test_a_missing_tensor_is_refused(name, tmp_path):
    folder = made.linear(tmp_path / "a")
    made.save_file({key: value for key, value in made.WEIGHTS.items() if key != name}, folder / "model.safetensors")
    with pytest.raises(DataError, match=rf"is damaged \('{name}'\), expected weights of a linear model"):
        load(folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (made.graph(source="input_1"), r"reads \['input_1'\], expected \['input_0'\]"),
        (made.graph(source="x"), "reads"),
        (made.graph(TensorProto.FLOAT), r"reads tensor\(float\)"),
        (made.graph(TensorProto.INT32), r"reads tensor\(int32\)"),
        (made.graph(result="answers"), "gives no 'logits' of 2 numbers a row"),
        (made.graph(width=3), "gives no 'logits' of 2 numbers a row"),
        (b"", "is damaged"),
        (b"\x80\x04cos\nsystem\n", "is damaged"),
        (made.graph()[:-200], "is damaged"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(content, words, tmp_path):
    with pytest.raises(DataError, match=words):
        load(made.onnx(tmp_path / "a", content))


def test_a_graph_for_another_width_is_refused(tmp_path):
    """The graph reads as many numbers as the manifest's column gives."""
    folder = made.onnx(tmp_path / "a", made.graph(TensorProto.FLOAT))
    made.write_manifest(folder, made.manifest("onnx", made.NUMBER))
    assert load(folder)
    made.write_manifest(folder, made.manifest("onnx", made.Column("message", "text", made.TEXT.state)))
    with pytest.raises(DataError, match="expected what the manifest's column gives"):
        load(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max_feature_idx=0", "max_feature_idx=9"),
        ("num_class=1", "num_class=3"),
        ("num_tree_per_iteration=1", ""),
        ("label_index=0", "average_output"),
        ("Tree=0", "Tree=1"),
        ("Tree=0", "Leaf=0"),
        ("end of trees", ""),
        ("num_leaves=2", "num_leaves=0"),
        ("num_leaves=2", "num_leaves=-1"),
        ("num_leaves=2", "num_leaves=9999999999"),
        ("num_leaves=2", "num_leaves=3"),
        ("num_leaves=2", ""),
        ("split_feature=0", "split_feature=1"),
        ("split_feature=0", "split_feature=-1"),
        ("split_feature=0", "split_feature=0 0"),
        ("threshold=10.5", "threshold=nan"),
        ("threshold=10.5", "threshold=ten"),
        ("threshold=10.5", ""),
        ("decision_type=8", "decision_type=9"),
        ("decision_type=8", "decision_type=99"),
        ("left_child=-1", "left_child=0"),
        ("left_child=-1", "left_child=-2"),
        ("left_child=-1", "left_child=5"),
        ("left_child=-1", "left_child=-99999999999999999999"),
        ("is_linear=0", "is_linear=1"),
        ("leaf_value=-1.5 2.5", "leaf_value=-1.5"),
        ("leaf_value=-1.5 2.5", "leaf_value=inf 2.5"),
        ("num_cat=0", "num_cat=1"),
        ("num_cat=0", "num_cat=1\ncat_boundaries=0 9\ncat_threshold=1"),
        ("num_cat=0", "num_cat=1\ncat_boundaries=0 1\ncat_threshold=-1"),
    ],
)
def test_trees_that_cannot_be_are_refused(old, new, tmp_path):
    assert old in made.STUMP
    with pytest.raises(DataError, match=r"model.txt is damaged \(.*\), expected a LightGBM model"):
        load(made.trees(tmp_path / "a", made.STUMP.replace(old, new, 1)))


def damaged(content: bytes, turn: int) -> bytes:
    """The content with its end cut off, or with one to three bytes changed."""
    random = np.random.default_rng(turn)
    if turn % 3 == 0:
        return content[: random.integers(0, len(content))]
    changed = bytearray(content)
    for _ in range(1 + turn % 3):
        changed[random.integers(0, len(content))] ^= 1 << int(random.integers(0, 8))
    return bytes(changed)


@pytest.mark.parametrize(
    ("maker", "file"),
    [*MAKERS.values(), *((maker, "manifest.json") for maker, _ in MAKERS.values()), (made.linear, "golden.json")],
)
def test_no_damage_gives_a_wrong_answer(maker, file, tmp_path):
    """150 damaged files each: refused, or every golden row is answered as before. A rate over 2 % would show."""
    folder = maker(tmp_path / "a")
    rows = json.loads((folder / "golden.json").read_text())["rows"]
    right, content = load(folder).probabilities(rows), (folder / file).read_bytes()
    refused = 0
    for turn in range(150):
        (folder / file).write_bytes(damaged(content, turn))
        try:
            predictor = load(folder)
            replay(predictor, folder)
            assert np.abs(predictor.probabilities(rows) - right).max() <= 4e-3
        except (DataError, GateRefused, NotReady):
            refused += 1
    assert refused > 20


def test_a_real_model_of_trees_survives_damage(tmp_path):
    """With several trees and sets of levels, half of such files killed the process before they were checked."""
    text, features, _ = made.booster()
    columns = [made.Column(name, "number", {"form": "raw"}) for name in ("a", "b")]
    made.write(tmp_path / "a", made.manifest("trees", *columns), [], np.zeros((0, 2)))
    refused = 0
    for turn in range(150):
        (tmp_path / "a" / "model.txt").write_bytes(damaged(text.encode(), turn))
        try:
            predictor = load(tmp_path / "a")
        except DataError:
            refused += 1
            continue
        rows = [{"a": float(a), "b": float(b)} for a, b in features]
        assert np.isfinite(predictor.probabilities(rows)).all()
    assert 50 < refused < 150


CONTROL = """
import sys, lightgbm, numpy
model = lightgbm.Booster(model_str=open(sys.argv[1], encoding="utf-8").read())
model.predict(numpy.zeros((1, 2)))
"""


def test_lightgbm_alone_dies_of_such_a_file(tmp_path):
    """Control: the reason why the text is checked first. A signal shows as a negative return code."""
    text = made.booster()[0]
    (tmp_path / "m.txt").write_text(text[: int(len(text) * 0.4)])
    result = subprocess.run(
        [sys.executable, "-c", CONTROL, tmp_path / "m.txt"], capture_output=True, timeout=60, check=False
    )
    assert result.returncode < 0


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        "3",
        '{"rows": []}',
        '{"rows": 3, "answers": []}',
        '{"rows": [3], "answers": [[1, 0]]}',
        '{"rows": [{}], "answers": [[1], [1, 2]]}',
        '{"rows": [{}], "answers": [["a", "b"]]}',
        '{"rows": [{"message": "a", "size": 1, "colour": "a"}], "answers": [[1, 0, 0]]}',
        '{"rows": [{"message": "a", "size": 1, "colour": "a"}], "answers": [1]}',
        '{"rows": [{"message": "a"}], "answers": [[1, 0]]}',
    ],
)
def test_damaged_golden_rows_are_refused(content, tmp_path):
    folder = made.linear(tmp_path / "a")
    (folder / "golden.json").write_text(content)
    with pytest.raises(DataError):
        replay(load(folder), folder)


def test_golden_rows_with_no_numbers_are_refused(tmp_path):
    """NaN compares as false with everything; it must not pass."""
    folder = made.linear(tmp_path / "a")
    golden = json.loads((folder / "golden.json").read_text())
    golden["answers"][0] = [float("nan")] * 2
    (folder / "golden.json").write_text(json.dumps(golden))
    with pytest.raises(DataError, match=r"golden\.json is damaged"):
        replay(load(folder), folder)


def test_an_artifact_without_golden_rows_is_not_ready(tmp_path):
    folder = made.linear(tmp_path / "a")
    (folder / "golden.json").unlink()
    with pytest.raises(NotReady, match=r"golden\.json does not exist"):
        replay(load(folder), folder)
