"""How near an encoder sees sentences to a question: the vectors of all sentences that can be answered with are kept, so
that a question costs one vector.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.passages.encoders import Encoder
from windlass.predictors.passages.tensors import read_tensors, write_tensors

FILE = "sentences.safetensors"


@dataclass(frozen=True)
class SentenceVectors:
    """keys: (n,) uint64 ascending, of the sentences' texts; rows: (n, D) float16 of length 1; heard: questions whose
    vectors are known."""

    encoder: Encoder
    keys: np.ndarray
    rows: np.ndarray
    heard: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)

    def near(self, question: str, sentences: Sequence[str]) -> np.ndarray:
        """(n,) float32, the cosine of each sentence with the question; one that is not kept is encoded now."""
        keys = keys_of(sentences)
        places = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        known = self.keys[places] == keys if len(self.keys) else np.zeros(len(keys), bool)
        found = np.zeros(len(keys), np.float32)
        vector = self._vector(question)
        if known.any():
            found[known] = self.rows[places[known]].astype(np.float32) @ vector
        if not known.all():
            new = [text for text, is_known in zip(sentences, known, strict=True) if not is_known]
            found[~known] = self.encoder.passages(new).astype(np.float16).astype(np.float32) @ vector
        return found

    def _vector(self, question: str) -> np.ndarray:
        vector = self.heard.get(question)
        return self.encoder.questions([question])[0] if vector is None else vector

    def hearing(self, questions: Sequence[str]) -> "SentenceVectors":
        """The same, with these questions encoded together: many are learned from."""
        return replace(self, heard=dict(zip(questions, self.encoder.questions(questions), strict=True)))

    def renewed(self, sentences: Sequence[str]) -> "SentenceVectors":
        """Those of these sentences alone: known vectors are kept, and new sentences encoded."""
        keys = keys_of(different := list(dict.fromkeys(sentences)))
        known = dict(zip(self.keys.tolist(), self.rows, strict=True))
        new = [text for text, key in zip(different, keys.tolist(), strict=True) if key not in known]
        found = build(self.encoder, new)
        known.update(zip(found.keys.tolist(), found.rows, strict=True))
        ordered = np.sort(keys)
        rows = np.array([known[key] for key in ordered.tolist()], np.float16).reshape(len(ordered), -1)
        return SentenceVectors(self.encoder, ordered, rows)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_tensors(folder / FILE, {"keys": self.keys, "rows": self.rows})


def keys_of(texts: Sequence[str]) -> np.ndarray:
    """(n,) uint64: the first 8 bytes of BLAKE2b of each."""
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, np.uint64)


def build(encoder: Encoder, sentences: Sequence[str]) -> SentenceVectors:
    """The vectors of these sentences, each once."""
    different = list(dict.fromkeys(sentences))
    keys = keys_of(different)
    order = np.argsort(keys, kind="stable")
    rows = encoder.passages(different).astype(np.float16) if different else np.zeros((0, 1), np.float16)
    return SentenceVectors(encoder, keys[order], np.ascontiguousarray(rows[order]))


def load(folder: Path, encoder: Encoder) -> SentenceVectors:
    """Raises: NotReady: they are not there. DataError: they are damaged."""
    found = read_tensors(folder / FILE, {"keys", "rows"})[0]
    keys, rows = found["keys"], found["rows"]
    if keys.ndim != 1 or keys.dtype != np.uint64 or rows.shape[:1] != keys.shape or rows.dtype != np.float16:
        raise DataError(f"{folder / FILE} is damaged, expected a vector for each sentence")
    if not np.isfinite(rows).all() or bool((keys[1:] <= keys[:-1]).any()):
        raise DataError(f"{folder / FILE} is damaged, expected finite vectors in the order of their keys")
    return SentenceVectors(encoder, keys, rows)
