"""Takes out of a text encoder what its rows never use: tokens of its tokenizer with their rows of the embedding table.

What stays is read exactly as before. A word whose token is gone is read in its pieces, as the tokenizer does with any
word that it does not know: characters stay, so that there always are some (WordPiece, Unigram). Byte-pair merges make
tokens of each other, so those tokenizers are left as they are.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from windlass.records import Json

TRIMMED = ("WordPiece", "Unigram")
"""Models of `tokenizers` whose tokens do not depend on each other."""


def used(texts: Sequence[str], tokenizer: str) -> set[int]:
    """Numbers of the tokens that these texts are read as, of whatever length."""
    from tokenizers import Tokenizer

    reader = Tokenizer.from_str(tokenizer)
    reader.no_padding()
    reader.no_truncation()
    return {number for encoding in reader.encode_batch_fast(list(texts)) for number in encoding.ids}


def can_trim(tokenizer: str) -> bool:
    return json.loads(tokenizer).get("model", {}).get("type") in TRIMMED


def trimmed(tokenizer: str, seen: Collection[int]) -> tuple[str, np.ndarray]:
    """The text of the smaller tokenizer.json, and the old numbers of its tokens, (V,) int64, ascending.

    Special tokens, single characters and what was seen stay. Raises: ValueError: tokens depend on each other.
    """
    values: Json = json.loads(tokenizer)
    model = values["model"]
    if model.get("type") not in TRIMMED:
        raise ValueError(f"a tokenizer of the model '{model.get('type')}'")
    is_pieces = model["type"] == "Unigram"
    words = {number: piece for number, (piece, _) in enumerate(model["vocab"])} if is_pieces else {
        number: word for word, number in model["vocab"].items()}  # fmt: skip
    special = {token["id"] for token in values.get("added_tokens", [])}
    prefix = "" if is_pieces else model.get("continuing_subword_prefix", "##")
    unknown = model.get("unk_id") if is_pieces else model["vocab"].get(model.get("unk_token"))
    kept = np.array(sorted(
        number for number, word in words.items()
        if number in seen or number in special or number == unknown or len(word.removeprefix(prefix)) <= 1
    ), np.int64)  # fmt: skip
    places = {int(old): new for new, old in enumerate(kept)}
    if is_pieces:
        model["vocab"] = [model["vocab"][old] for old in kept]
        model["unk_id"] = None if unknown is None else places[unknown]
    else:
        model["vocab"] = {words[int(old)]: new for new, old in enumerate(kept)}
    for token in values.get("added_tokens", []):
        token["id"] = places.get(token["id"], token["id"])
    _renumber(values.get("post_processor"), places)
    return json.dumps(values, ensure_ascii=False), kept


def _renumber(post: Any, places: dict[int, int]) -> None:
    """Numbers of special tokens in the part that puts them around a text."""
    if not isinstance(post, dict):
        return
    for each in post.get("processors", []):
        _renumber(each, places)
    for name in ("sep", "cls"):
        if isinstance(post.get(name), list):
            post[name][1] = places[post[name][1]]
    special = post.get("special_tokens")
    for token in special.values() if isinstance(special, dict) else []:
        token["ids"] = [places[old] for old in token["ids"]]


def cut(model: Any, inputs: Sequence[str], kept: np.ndarray) -> Any:
    """A copy of the graph whose tables, that these inputs look up, have only the kept rows.

    Raises: ValueError: it reads an input in another way than by a table and by comparing it with what fills up.
    """
    import onnx
    from onnx import numpy_helper

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    tables = {node.input[0] for node in copy.graph.node if node.op_type == "Gather" and node.input[1] in inputs}
    found = [tensor for tensor in copy.graph.initializer if tensor.name in tables and len(tensor.dims) == 2
             and tensor.dims[0] > kept.max()]  # fmt: skip
    if not found or len(found) != len(tables):
        raise ValueError("a network that does not look its tokens up in a table")
    for tensor in found:
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(numpy_helper.to_array(tensor)[kept]), tensor.name))
    return copy
