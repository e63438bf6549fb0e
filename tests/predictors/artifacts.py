"""Artifacts made by hand: every number in them is chosen here, none is trained."""

from pathlib import Path

import lightgbm
import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper
from safetensors.numpy import save_file

from windlass.predictors.artifact import write_golden, write_manifest
from windlass.records import Column, Json, Manifest

LABELS = ["no", "yes"]
NUMBER = Column("size", "number", {"form": "scaled", "median": 10.0, "mean": 10.0, "deviation": 2.0, "edges": []})
COLOUR = Column("colour", "category", {"form": "onehot", "levels": ["blue", "red"]})
TEXT = Column("message", "text", {"form": "terms", "terms": ["card", "lost"], "weights": [1.0, 1.0]})
IDS = Column("message", "text", {"form": "ids", "tokens": ["card", "lost"], "length": 8, "pad": 0})
RAW = Column("size", "number", {"form": "raw"})
ROWS = [{"message": "card", "size": 12, "colour": "red"}, {"message": "lost", "size": None, "colour": "green"}]


def manifest(predictor: str, *inputs: Column, labels: list[str] | None = None, **changes: object) -> Manifest:
    names = labels or LABELS
    output = Column("answer", "category", {"form": "label", "labels": names, "counts": [1] * len(names)})
    return Manifest(**{"predictor": predictor, "learner": "by hand", "inputs": inputs, "output": output, **changes})


def write(folder: Path, made: Manifest, rows: list[Json], probabilities: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, made)
    write_golden(folder, rows, np.array(probabilities))
    return folder


WEIGHTS = {
    "weights.0": np.array([[0, 1], [2, 0]], np.float32),  # card says yes, lost says no
    "weights.1": np.array([[0, 3], [0, 0.5]], np.float32),  # a deviation more: yes; missing: a little
    "weights.2": np.array([[0, 0], [1, 0], [0, 0.25], [0, 0]], np.float32),  # blue, red, other, missing
    "bias": np.array([0.5, -0.5], np.float32),
}
LINEAR_LOGITS = np.array(
    [
        [0.5 + 0 + 0 + 1, -0.5 + 1 + 3 + 0],  # card; (12 - 10) / 2 = 1 deviation; red
        [0.5 + 2 + 0 + 0, -0.5 + 0 + 0.5 + 0.25],  # lost; missing: the median, which is the mean; other
    ]
)


def shares(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """exp(logit / temperature), divided by the sum of the row."""
    raised = np.exp(np.array(logits, float) / temperature)
    return raised / raised.sum(axis=1, keepdims=True)


def linear(folder: Path, temperature: float = 2.0, **tensors: np.ndarray) -> Path:
    write(
        folder,
        manifest("linear", TEXT, NUMBER, COLOUR, temperature=temperature),
        ROWS,
        shares(LINEAR_LOGITS, temperature),
    )
    save_file({**WEIGHTS, **tensors}, folder / "model.safetensors")
    return folder


ONNX_LOGITS = np.array([[0.0, 3.0], [0.0, 6.0]])


def graph(element: int = TensorProto.INT64, source: str = "input_0", result: str = "logits", width: int = 2) -> bytes:
    """logits = [0 ..., sum of the ids], as an ONNX graph."""
    column = numpy_helper.from_array(np.eye(width, dtype=np.float32)[-1:], "column")
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    nodes = [
        helper.make_node("Cast", [source], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats", "axes"], ["sum"], keepdims=1),
        helper.make_node("MatMul", ["sum", "column"], [result]),
    ]
    made = helper.make_graph(
        nodes,
        "sum",
        [helper.make_tensor_value_info(source, element, ["n", "length"])],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, ["n", width])],
        [column, axes],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    checker.check_model(model)
    return model.SerializeToString()


def onnx(folder: Path, content: bytes | None = None) -> Path:
    """Ids of 'card' are 2 and of 'lost' 3, unknown 1: 'card zzz' sums to 3 and 'lost lost' to 6."""
    rows = [{"message": "card zzz"}, {"message": "lost lost"}]
    write(folder, manifest("onnx", IDS), rows, shares(ONNX_LOGITS))
    (folder / "model.onnx").write_bytes(content if content is not None else graph())
    return folder


def booster(n_classes: int = 2, seed: int = 0) -> tuple[str, np.ndarray, np.ndarray]:
    """LightGBM's own text of a small model, 40 rows of two numbers with gaps, and its own raw scores of them."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(400, 2))
    features[random.random(features.shape) < 0.1] = np.nan
    features[:, 1] = np.where(random.random(400) < 0.9, random.integers(0, 12, 400), np.nan)
    targets = (np.nan_to_num(features[:, 0]) * 2 + np.nan_to_num(features[:, 1]) % 3).astype(int) % n_classes
    objective = {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
    parameters = {
        **objective,
        "verbosity": -1,
        "num_threads": 1,
        "num_leaves": 7,
        "min_data_per_group": 5,
        "cat_smooth": 1,
        "max_cat_to_onehot": 2,
        "seed": 1,
    }
    model = lightgbm.train(parameters, lightgbm.Dataset(features, targets, categorical_feature=[1]), 8)
    rows = features[:40].astype(np.float32)
    return model.model_to_string(), rows, np.asarray(model.predict(rows, raw_score=True))


STUMP = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=0
objective=binary sigmoid:1
feature_names=Column_0
feature_infos=[0:20]
tree_sizes=300

Tree=0
num_leaves=2
num_cat=0
split_feature=0
split_gain=1
threshold=10.5
decision_type=8
left_child=-1
right_child=-2
leaf_value=-1.5 2.5
leaf_weight=1 1
leaf_count=1 1
internal_value=0
internal_weight=2
internal_count=2
is_linear=0
shrinkage=1


end of trees

feature_importances:
Column_0=1

parameters:
end of parameters

pandas_categorical:null
"""


def trees(folder: Path, content: str = STUMP) -> Path:
    """One split: up to 10.5 gives -1.5, above 2.5; missing (decision type 8 = NaN is missing, to the right) 2.5."""
    rows = [{"size": 3}, {"size": 12}, {"size": None}]
    write(folder, manifest("trees", RAW), rows, shares([[0, -1.5], [0, 2.5], [0, 2.5]]))
    (folder / "model.txt").write_text(content, encoding="utf-8")
    return folder


def blend(folder: Path) -> Path:
    """The mean of the linear model's shares and of the stump's, which reads the same number as another column."""
    first, second = linear(folder / "part-0"), trees(folder / "part-1")
    assert first.parent == second.parent
    rows = ROWS
    mixed = (shares(LINEAR_LOGITS, 2.0) + shares([[0, 2.5], [0, 2.5]])) / 2  # 12 and missing go to the right leaf
    return write(folder, manifest("blend", TEXT, NUMBER, COLOUR, RAW, settings={"weights": [0.5, 0.5]}), rows, mixed)
