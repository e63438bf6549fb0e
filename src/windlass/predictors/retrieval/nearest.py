"""Answers with the text that was given to the nearest known row: cosine of sparse features, numpy alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from windlass.errors import DataError, NotReady
from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch, Sparse
from windlass.predictors.contract import empty_batches, width
from windlass.predictors.language.writing import OnText, Writing, Written
from windlass.records import Column, Manifest, Row
from windlass.store.files import write_bytes
from windlass.store.json_files import read_json, write_json

FILE, ANSWERS = "model.safetensors", "answers.json"


@dataclass(frozen=True)
class Nearest:
    """index: of each feature the known rows that have it, as `by_feature` gives them; answers: the rows' texts.

    otherwise: the answer's number where nothing is alike.
    """

    columns: tuple[Column, ...]
    index: Sparse
    answers: Sequence[str]
    otherwise: int
    is_generating = False

    def write(self, rows: Sequence[Row], how: Writing, hear: OnText) -> list[Written]:
        """The text of the nearest row, of the first of equals; it is there at once: nothing of `how` applies."""
        asked = features(self.columns, rows)
        texts = [self.answers[self.nearest(asked, number)] for number in range(len(rows))]
        return [Written(text, "stop" if hear(number, text) else "cancelled") for number, text in enumerate(texts)]

    def nearest(self, asked: Sparse, number: int) -> int:
        """The known row with the largest cosine to a row of `features`."""
        alike, index = np.zeros(self.index.width, np.float32), self.index
        here = slice(*asked.starts[number : number + 2])
        for place, value in zip(asked.places[here], asked.values[here], strict=True):
            have = slice(*index.starts[place : place + 2])
            alike[index.places[have]] += value * index.values[have]
        best = int(alike.argmax())
        return best if alike[best] > 0 else self.otherwise

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray | None:
        """Not known: a text is found, not weighed."""
        return None


def features(columns: Sequence[Column], rows: Sequence[Row]) -> Sparse:
    """All inputs of rows that were read side by side, each row of unit length."""
    batches = [kinds.get(column.kind).encode([row[column.name] for row in rows], column.state) for column in columns]
    parts = [_sparse(batch) for batch in batches]
    firsts = np.cumsum([0, *(part.width for part in parts)])
    of_row = np.concatenate([_rows_of(part) for part in parts])
    places = np.concatenate([part.places + first for part, first in zip(parts, firsts, strict=False)])
    values = np.concatenate([part.values for part in parts])
    lengths = np.sqrt(np.bincount(of_row, values.astype(np.float64) ** 2, len(rows)))
    values = values / np.maximum(lengths, 1e-12)[of_row]
    return _grouped(of_row, places, values, (len(rows), int(firsts[-1])))


def by_feature(known: Sparse) -> Sparse:
    """The same the other way round: of each feature the rows that have it, in order."""
    return _grouped(known.places, _rows_of(known), known.values, (known.width, len(known.starts) - 1))


def joined(parts: Sequence[Sparse]) -> Sparse:
    """Batches of one width, one after the other."""
    firsts = np.cumsum([0, *(len(part.values) for part in parts)])
    starts = [part.starts[:-1] + first for part, first in zip(parts, firsts, strict=False)]
    return Sparse(
        np.concatenate([*starts, firsts[-1:]]),
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.values for part in parts]),
        parts[0].width,
    )


def _grouped(rows: np.ndarray, places: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> Sparse:
    """Single values, each with its row and its place, as a batch of `shape` (rows, width)."""
    order = np.argsort(rows, kind="stable")
    starts = np.cumsum([0, *np.bincount(rows, minlength=shape[0])], dtype=np.int64)
    return Sparse(starts, places[order].astype(np.int32), values[order].astype(np.float32), shape[1])


def _rows_of(batch: Sparse) -> np.ndarray:
    """The row of each value."""
    return np.repeat(np.arange(len(batch.starts) - 1), np.diff(batch.starts))


def _sparse(batch: Batch) -> Sparse:
    if isinstance(batch, Sparse):
        return batch
    flat = batch.reshape(len(batch), width(batch))
    rows, places = np.nonzero(flat)
    return _grouped(rows, places, flat[rows, places], (len(flat), flat.shape[1]))


def write_known(folder: Path, known: Sparse, answers: Sequence[str]) -> None:
    """Writes what `load` reads: the features (n, width) of the known rows, and their answers."""
    tensors = {"starts": known.starts, "places": known.places, "values": known.values}
    write_bytes(folder / FILE, save(tensors))
    write_json(folder / ANSWERS, list(answers))


def load(folder: Path, manifest: Manifest) -> Nearest:
    """Raises: DataError: features or answers are damaged or not the manifest's."""
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
    return Nearest(manifest.inputs, by_feature(Sparse(starts, places, values, n_features)), answers, otherwise)


def _fault(starts: np.ndarray, places: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> str:
    """What is wrong with the features of `shape` (n, width); empty when nothing is."""
    kinds_found = (starts.dtype, places.dtype, values.dtype)
    if (
        kinds_found != (np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.float32))
        or starts.shape != (shape[0] + 1,)
        or starts.ndim != 1
    ):
        return f"has rows {starts.shape} of {kinds_found}, expected int64, int32, float32 of {shape[0]} answers"
    if starts[0] != 0 or (np.diff(starts) < 0).any() or not (starts[-1],) == places.shape == values.shape:
        return "is damaged, expected rows one after the other"
    if len(places) and not 0 <= places.min() <= places.max() < shape[1]:
        return f"names features from {places.min()} to {places.max()}, expected 0 to {shape[1] - 1}"
    return "" if np.isfinite(values).all() else "is damaged, expected finite values"
