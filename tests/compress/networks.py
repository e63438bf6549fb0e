"""A small text encoder as a graph, made by hand of random weights: embeddings, two products, a mean, a head."""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.predictors import artifacts as made
from windlass.predictors.artifact import write_golden
from windlass.predictors.table import load
from windlass.records import Column

WORDS = ["card", "lost", "refund", "please", "my", "where", "is", "the", "parcel", "late"]
WIDTH, LABELS = 32, ["no", "yes", "maybe"]
ROWS = [{"message": f"{one} {other} {third}"} for one in WORDS for other in WORDS[:4] for third in WORDS[5:8]]


def tokenizer(words=WORDS, extra=()):
    """A WordPiece tokenizer.json that knows these words, the letters, and pieces of them."""
    letters = sorted(set("abcdefghijklmnopqrstuvwxyz"))
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *extra, *words, *letters, *(f"##{each}" for each in letters)]
    special = [{"id": place, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for place, name in enumerate(names[:4])]  # fmt: skip
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"}, "decoder": None,
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {name: place for place, name in enumerate(names)}},
    })  # fmt: skip


def graph(n_tokens, seed=0, n_labels=len(LABELS)):
    """tanh(table[ids] A) B, the mean over the tokens, then the head."""
    random = np.random.default_rng(seed)

    def weight(name, *shape):
        return numpy_helper.from_array(random.normal(0, 1 / np.sqrt(shape[0]), shape).astype(np.float32), name)

    table = numpy_helper.from_array(random.normal(0, 1, (n_tokens, WIDTH)).astype(np.float32), "table")
    nodes = [
        helper.make_node("Gather", ["table", "input_0"], ["words"], axis=0),
        helper.make_node("MatMul", ["words", "one"], ["wide"]),
        helper.make_node("Tanh", ["wide"], ["bent"]),
        helper.make_node("MatMul", ["bent", "two"], ["states"]),
        helper.make_node("ReduceMean", ["states", "axes"], ["text"], keepdims=0),
        helper.make_node("Gemm", ["text", "head"], ["logits"]),
    ]
    made_graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("input_0", TensorProto.INT64, ["n", "length"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", n_labels])],
        [table, weight("one", WIDTH, 64), weight("two", 64, WIDTH), weight("head", WIDTH, n_labels),
         numpy_helper.from_array(np.array([1], np.int64), "axes")],
    )  # fmt: skip
    return helper.make_model(made_graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def encoder(folder: Path, model=None, text: str = "") -> Path:
    """An artifact around the graph, with golden answers of its own."""
    text = text or tokenizer()
    n_tokens = len(json.loads(text)["model"]["vocab"])
    column = Column("message", "text", {"form": "pieces", "tokenizer": text, "length": 16, "pad": 0})
    made.write(folder, made.manifest("onnx", column, labels=LABELS), [], np.zeros((0, 3)))
    (folder / "model.onnx").write_bytes((model or graph(n_tokens)).SerializeToString())
    write_golden(folder, ROWS[:4], load(folder).probabilities(ROWS[:4]))
    return folder
