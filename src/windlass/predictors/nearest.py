"""Answers with the text that was given to the nearest known row: cosine of sparse features, scipy's product."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from windlass.errors import DataError, NotReady
from windlass.kinds import table as kinds
from windlass.kinds.contract import Sparse
from windlass.predictors.contract import empty_batches, width
from windlass.predictors.writing import Hear, Writing, Written
from windlass.records import Column, Manifest, Row
from windlass.store import read_json, write_bytes, write_json

FILE, ANSWERS = "model.safetensors", "answers.json"
CHUNK = 64
"""Rows compared at once: 8 MB of similarities to 30,000 known rows."""


@dataclass(frozen=True)
class Nearest:
    """features: scipy CSR (width, n) float32, one column of unit length a known row; answers: their n texts.

    otherwise: the answer's number where nothing is alike.
    """

    columns: tuple[Column, ...]
    features: Any
    answers: Sequence[str]
    otherwise: int
    is_generating = False

    def write(self, rows: Sequence[Row], how: Writing, hear: Hear) -> list[Written]:
        """The text of the nearest row, of the first of equals; it is there at once: nothing of `how` applies."""
        texts: list[str] = []
        for start in range(0, len(rows), CHUNK):
            alike = (features(self.columns, rows[start : start + CHUNK]) @ self.features).toarray()
            nearest = np.where(alike.max(axis=1) > 0, alike.argmax(axis=1), self.otherwise)
            texts.extend(self.answers[number] for number in nearest)
        return [Written(text, "stop" if hear(number, text) else "cancelled") for number, text in enumerate(texts)]

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray | None:
        """Not known: a text is found, not weighed."""
        return None


def features(columns: Sequence[Column], rows: Sequence[Row]) -> Any:
    """All inputs of rows that were read side by side, each row of unit length: scipy CSR (n, width) float32."""
    from scipy import sparse

    parts = []
    for column in columns:
        batch = kinds.get(column.kind).encode([row[column.name] for row in rows], column.state)
        parts.append(
            sparse.csr_matrix((batch.values, batch.places, batch.starts), (len(rows), batch.width))
            if isinstance(batch, Sparse)
            else sparse.csr_matrix(batch.reshape(len(rows), width(batch)))
        )
    joined = sparse.hstack(parts, format="csr", dtype=np.float32)
    lengths = np.sqrt(joined.multiply(joined).sum(axis=1)).A1 if len(rows) else np.zeros(0)
    return sparse.diags_array(1 / np.maximum(lengths, 1e-12)).astype(np.float32) @ joined


def write_known(folder: Path, known: Any, answers: Sequence[str]) -> None:
    """Writes what `load` reads: the features (n, width) of the known rows, and their answers."""
    tensors = {
        "starts": known.indptr.astype(np.int64),
        "places": known.indices.astype(np.int32),
        "values": known.data.astype(np.float32),
    }
    write_bytes(folder / FILE, save(tensors))
    write_json(folder / ANSWERS, list(answers))


def load(folder: Path, manifest: Manifest) -> Nearest:
    """Raises: DataError: features or answers are damaged or not the manifest's."""
    from scipy import sparse

    try:
        tensors = load_file(folder / FILE)
        starts, places, values = (tensors[name] for name in ("starts", "places", "values"))
        answers = read_json(folder / ANSWERS)
    except (OSError, SafetensorError, KeyError, NotReady) as error:
        raise DataError(f"{folder / FILE} or {ANSWERS} is damaged ({error}), expected known rows") from None
    if not isinstance(answers, list) or not answers or not all(isinstance(text, str) for text in answers):
        raise DataError(f"{folder / ANSWERS} is damaged, expected a list of texts")
    n_features = sum(width(batch) for batch in empty_batches(manifest))
    fault = _fault(starts, places, values, (len(answers), n_features))
    if fault:
        raise DataError(f"{folder / FILE} {fault}")
    otherwise = manifest.settings.get("otherwise")
    if not isinstance(otherwise, int) or not 0 <= otherwise < len(answers):
        raise DataError(f"{folder / 'manifest.json'} has otherwise {otherwise!r}, expected the number of an answer")
    known = sparse.csr_matrix((values, places, starts), (len(answers), n_features))
    return Nearest(manifest.inputs, known.T.tocsr(), answers, otherwise)


def _fault(starts: np.ndarray, places: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> str:
    """What is wrong with the features of `shape` (n, width); empty when nothing is."""
    kinds_found = (starts.dtype, places.dtype, values.dtype)
    if kinds_found != (np.int64, np.int32, np.float32) or starts.shape != (shape[0] + 1,) or starts.ndim != 1:
        return f"has rows {starts.shape} of {kinds_found}, expected int64, int32, float32 of {shape[0]} answers"
    if starts[0] != 0 or (np.diff(starts) < 0).any() or not (starts[-1],) == places.shape == values.shape:
        return "is damaged, expected rows one after the other"
    if len(places) and not 0 <= places.min() <= places.max() < shape[1]:
        return f"names features from {places.min()} to {places.max()}, expected 0 to {shape[1] - 1}"
    return "" if np.isfinite(values).all() else "is damaged, expected finite values"
