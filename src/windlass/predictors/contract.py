"""What answers from an artifact: rows in, calibrated answers out, without torch wherever that is possible."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from windlass.errors import DataError, wrong_names
from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.kinds.contract import Batch, Sparse
from windlass.metrics import costs
from windlass.metrics.measures import LabelMarks, Marks, answered, softmax
from windlass.records import Answer, Json, Manifest, Row

Engine = Callable[[Sequence[Batch]], np.ndarray]
"""One encoded batch an input, in the manifest's order -> logits (n, k) float."""

CHUNK = 256
Names = frozenset[str] | None
"""Groups of who asks, each as access lists name it; None: may see all that there is."""
PUBLIC: frozenset[str] = frozenset()
"""Of somebody of whom nothing is known."""


class Predictor(Protocol):
    """What answers, whatever the output kind: a `Labeller` names categories, an `Estimator` tells numbers, a `Writer`
    writes texts."""

    @property
    def manifest(self) -> Manifest: ...

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row, in order. Raises: DataError: a column is missing or a value cannot be read."""
        ...

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> Marks:
        """Its answers beside the right ones, ready to be measured."""
        ...

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """How far its answers are from those that the trained model gave; see `artifact.TOLERANCE`."""
        ...

    def gap(self, answer: Json, wanted: Any) -> float:
        """The same of one answer as the server gives it; infinite when it is not an answer."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """A predictor that gives embeddings as well."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) float, one row a text. Raises: DataError: a text cannot be read."""
        ...


@runtime_checkable
class Guarded(Protocol):
    """A predictor whose answers depend on who asks; as it is, it answers as for everybody."""

    def seen_by(self, names: Names) -> Predictor:
        """The same as somebody with these names sees it."""
        ...


def seen_by(predictor: Predictor, names: Names) -> Predictor:
    """What answers somebody with these names; of a predictor that tells everybody the same, itself."""
    return predictor.seen_by(names) if isinstance(predictor, Guarded) else predictor


@runtime_checkable
class Listed(Protocol):
    """A predictor that knows which groups its access lists name."""

    @property
    def groups(self) -> frozenset[str]: ...


def groups_of(predictor: Predictor) -> frozenset[str]:
    """The groups that its access lists name; none of a predictor without lists."""
    return predictor.groups if isinstance(predictor, Listed) else frozenset()


@runtime_checkable
class Additive(Protocol):
    """An engine whose logits are known as sums over features. is_from_zero: what a feature adds is told against the
    feature being 0; else against the training rows."""

    is_from_zero: bool

    def contributions(self, batches: Sequence[Batch], labels: np.ndarray) -> tuple[list[np.ndarray], float]:
        """Of one encoded row: what each feature (width of its input,) adds to `logits @ labels`, and what is there
        without any; labels: (k,) float. Together they are that sum."""
        ...


@dataclass(frozen=True)
class Scorer:
    """Scores rows by what the manifest says and the engine computes; what scores mean is told by its heirs."""

    manifest: Manifest
    engine: Engine

    def scores(self, rows: Sequence[Row], root: Path | None) -> tuple[np.ndarray, dict[int, tuple[str, ...]]]:
        """(n, k) as the engine gives them; and number of a row -> what of it training did not know.

        Raises: DataError: a column is missing or a value cannot be read; the message names row and column.
        """
        parts, unknown = [], {}
        for start in range(0, len(rows), CHUNK):
            values = self._values(rows[start : start + CHUNK], start, root)
            parts.append(self._encoded(values))
            unknown.update({start + number: said for number, said in self._unknown(values).items()})
        return np.concatenate(parts) if parts else np.zeros((0, n_scores(self.manifest))), unknown

    def golden(self, rows: Sequence[Row]) -> Any:
        """What is kept of golden rows, as it answers them."""
        return self.scores(rows, None)[0]

    def said(self, scores: np.ndarray) -> list[Any]:
        """What scores (n, k) say, so that two predictors can be told apart: to a 25th of their unit."""
        return [tuple(row) for row in np.round(scores * 25).tolist()]

    def _values(self, rows: Sequence[Row], first: int, root: Path | None) -> list[list[Any]]:
        """What each input reads from the rows; the parts of a blend that share a column read it once."""
        found: dict[str, list[Any]] = {}
        names = list(dict.fromkeys(column.name for column in self.manifest.inputs))
        for number, row in enumerate(rows, first):
            check_row(row, names, number)
        for column in self.manifest.inputs:
            if column.name not in found:
                read, name = kinds.of(column).read, column.name
                found[name] = [read_value(read, row, name, number, root) for number, row in enumerate(rows, first)]
        return [found[column.name] for column in self.manifest.inputs]

    def _encoded(self, values: Sequence[list[Any]]) -> np.ndarray:
        return self.engine([
            kinds.get(column.kind).encode(read, column.state)
            for column, read in zip(self.manifest.inputs, values, strict=True)
        ])  # fmt: skip

    def _unknown(self, values: Sequence[list[Any]]) -> dict[int, tuple[str, ...]]:
        found: dict[int, dict[str, str]] = {}
        for column, read in zip(self.manifest.inputs, values, strict=True):
            for number, said in kinds.get(column.kind).unknown(read, column.state).items():
                found.setdefault(number, {})[column.name] = f"'{column.name}' {said}"
        return {number: tuple(said.values()) for number, said in found.items()}


@dataclass(frozen=True)
class Labeller(Scorer):
    """Answers rows with labels: scores are logits, whose softmax is calibrated as the manifest says."""

    def probabilities(self, rows: Sequence[Row], root: Path | None = None) -> np.ndarray:
        """(n, k) calibrated probabilities. `root` is given when rows hold file paths instead of their content.

        Raises: DataError: a column is missing or a value cannot be read; the message names row and column.
        """
        return self._answered(rows, root)[0]

    def golden(self, rows: Sequence[Row]) -> np.ndarray:
        return self.probabilities(rows)

    def said(self, scores: np.ndarray) -> list[Any]:
        shares = np.nan_to_num(softmax(self.manifest.calibrated(scores)))
        return [self.labels[place] for place in self.answers(shares)]

    def answers(self, probabilities: np.ndarray) -> np.ndarray:
        """The class number that each row is answered with (n,) int, of its probabilities (n, k)."""
        table = costs.table_of(self.manifest.output.state)
        if table is not None:
            return table.answers(probabilities)
        return answered(probabilities, category.threshold(self.manifest.output.state))

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row, in order; its evidence names what training did not know. Raises: as `probabilities`."""
        probabilities, unknown = self._answered(rows, root)
        answers = category.decode(probabilities, self.manifest.output.state)
        for number, said in unknown.items():
            answers[number] = replace(answers[number], evidence=(*answers[number].evidence, *said))
        return answers

    def _answered(self, rows: Sequence[Row], root: Path | None) -> tuple[np.ndarray, dict[int, tuple[str, ...]]]:
        """Probabilities, and number of a row -> what of it training did not know."""
        scores, unknown = self.scores(rows, root)
        return softmax(self.manifest.calibrated(scores)) if len(scores) else scores, unknown

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> LabelMarks:
        """Raises: DataError: as `probabilities`, or a label that the artifact does not know."""
        state = self.manifest.output.state
        targets = kinds.encode_column(self.manifest.output, truth, None)
        assert isinstance(targets, np.ndarray)
        return LabelMarks(
            targets,
            self.probabilities(rows, root),
            category.positive(state),
            tuple(self.labels),
            category.threshold(state),
            costs.table_of(state),
        )

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """The largest difference of a probability from `wanted` (n, k). Raises: DataError: another shape."""
        right = np.array(wanted, np.float64)
        if rows and right.shape != (len(rows), len(self.labels)):
            raise DataError(f"golden answers have the shape {right.shape}, expected one probability a label")
        return float(np.abs(self.probabilities(rows) - right).max()) if rows else 0.0

    def gap(self, answer: Json, wanted: Any) -> float:
        """The largest difference over the labels that the answer names."""
        try:
            said = [(answer["value"], answer["confidence"])]
            said += [(other["value"], other["confidence"]) for other in answer["alternatives"]]
            return max(abs(share - wanted[self.labels.index(label)]) for label, share in said)
        except (KeyError, IndexError, TypeError, ValueError):
            return float("inf")

    @property
    def labels(self) -> list[str]:
        return self.manifest.output.state["labels"]


def n_scores(manifest: Manifest) -> int:
    """Numbers a row that an engine gives for this output. Raises: DataError: engines give none for its kind."""
    found = kinds.get(manifest.output.kind).n_scores
    if found is None:
        raise DataError(f"output '{manifest.output.name}' is '{manifest.output.kind}', expected one that is scored")
    return found(manifest.output.state)


def empty_batches(manifest: Manifest) -> list[Batch]:
    """A batch of no rows for each input: the shapes that an engine must read. Raises: DataError: a state is damaged."""
    batches = []
    for column in manifest.inputs:
        try:
            batches.append(kinds.of(column).encode([], column.state))
        except ModuleNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001  any state can stand in a damaged file; tokenizers raise Exception
            raise DataError(
                f"manifest.json: state of column '{column.name}' is damaged ({str(error)[:100]}), "
                f"expected what '{column.kind}' was fitted with"
            ) from None
    return batches


def width(batch: Batch) -> int:
    """Features of one row."""
    return batch.width if isinstance(batch, Sparse) else int(np.prod(batch.shape[1:]))


def dense(batch: Batch) -> np.ndarray:
    """The features of the first row, (width,) float64."""
    if not isinstance(batch, Sparse):
        return batch[0].reshape(-1).astype(np.float64)
    row = np.zeros(batch.width)
    row[batch.places[: batch.starts[1]]] = batch.values[: batch.starts[1]]
    return row


def check_row(row: Row, columns: Collection[str], number: int) -> None:
    """Raises: DataError: columns are missing; names all of them, and those that are unknown."""
    if all(name in row for name in columns):
        return
    fault, hint = wrong_names(row, columns)
    raise DataError(f"row {number} {fault}", hint)


def read_value(read: Callable[[Any, Path | None], Any], row: Row, column: str, number: int, root: Path | None) -> Any:
    """The value of a column in a row. Raises: DataError that names row and column."""
    try:
        return read(row[column], root)
    except DataError as error:
        raise DataError(f"row {number}, column '{column}': {error.message}", error.hint) from None
