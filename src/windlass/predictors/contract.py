"""What answers from an artifact: rows in, calibrated answers out, without torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch, Sparse
from windlass.metrics import softmax
from windlass.records import Answer, Manifest, Row

Engine = Callable[[Sequence[Batch]], np.ndarray]
"""One encoded batch an input, in the manifest's order -> logits (n, k) float."""

CHUNK = 256


@dataclass(frozen=True)
class Predictor:
    """Answers rows with what the manifest says and the engine computes."""

    manifest: Manifest
    engine: Engine

    def probabilities(self, rows: Sequence[Row], root: Path | None = None) -> np.ndarray:
        """(n, k) calibrated probabilities. `root` is given when rows hold file paths instead of their content.

        Raises: DataError: a column is missing or a value cannot be read; the message names row and column.
        """
        parts = [self._logits(rows[start : start + CHUNK], start, root) for start in range(0, len(rows), CHUNK)]
        if not parts:
            return np.zeros((0, len(self.manifest.output.state["labels"])))
        return softmax(np.concatenate(parts).astype(np.float64) / self.manifest.temperature)

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row, in order. Raises: as `probabilities`."""
        decode = kinds.get(self.manifest.output.kind).decode
        assert decode is not None
        return decode(self.probabilities(rows, root), self.manifest.output.state)

    def _logits(self, rows: Sequence[Row], first: int, root: Path | None) -> np.ndarray:
        batches = []
        for column in self.manifest.inputs:
            kind = kinds.get(column.kind)
            values = [_read(kind.read, row, column.name, number, root) for number, row in enumerate(rows, first)]
            batches.append(kind.encode(values, column.state))
        return self.engine(batches)


def empty_batches(manifest: Manifest) -> list[Batch]:
    """A batch of no rows for each input: the shapes that an engine must read. Raises: DataError: a state is damaged."""
    batches = []
    for column in manifest.inputs:
        try:
            batches.append(kinds.get(column.kind).encode([], column.state))
        except Exception as error:  # noqa: BLE001  any state can stand in a damaged file; tokenizers raise Exception
            raise DataError(
                f"manifest.json: state of column '{column.name}' is damaged ({str(error)[:100]}), "
                f"expected what '{column.kind}' was fitted with"
            ) from None
    return batches


def width(batch: Batch) -> int:
    """Features of one row."""
    return batch.width if isinstance(batch, Sparse) else int(np.prod(batch.shape[1:]))


def _read(read: Callable[[Any, Path | None], Any], row: Row, column: str, number: int, root: Path | None) -> Any:
    if column not in row:
        raise DataError(
            f"row {number} has no '{column}', expected it; it has {expected(row) if row else 'nothing'}",
            did_you_mean(column, row),
        )
    try:
        return read(row[column], root)
    except DataError as error:
        raise DataError(f"row {number}, column '{column}': {error.message}", error.hint) from None
