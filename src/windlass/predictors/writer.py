"""Answers rows with texts, whatever writes them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds import text
from windlass.metrics.texts import References, TextMarks
from windlass.predictors.contract import Embeds, Predictor, check_row, read_value
from windlass.predictors.language.writing import MAX_PROMPT, Engine, OnText, Writing, Written, silent_hear
from windlass.records import Answer, Json, Manifest, Row

WHOLE = frozenset({"stop", "cancelled"})
"""Why a text ended, when no limit ended it."""
UNEQUAL = 1.0
"""Of texts, the same or not is all there is: one that differs exceeds any tolerance."""


@dataclass(frozen=True)
class Writer:
    """Answers rows with the texts that the engine writes, as the manifest's `writing` says."""

    manifest: Manifest
    engine: Engine

    @property
    def writing(self) -> Writing:
        """How it writes unless it is asked otherwise."""
        said = self.manifest.settings.get("writing", {})
        return Writing(**{**said, "stop": tuple(said.get("stop", ()))})

    def write(self, rows: Sequence[Row], how: Writing | None = None, hear: OnText = silent_hear) -> list[Written]:
        """One text a row, in order. Raises: DataError: a row cannot be read or is too long."""
        return self.engine.write(self.read(rows), how or self.writing, hear)

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """One answer a row, in order; the confidence is the mean probability of its tokens, null where unknown."""
        written = self.engine.write(self.read(rows, root), self.writing, silent_hear)
        return answers(written)

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> TextMarks:
        """Its answers, and where it gives one the likelihood of the right ones."""
        asked = self.read(rows, root)
        rights = [_rights(value) for value in truth]
        nats = self.engine.nats(asked, [right[0] for right in rights])
        if not any(any(row.values()) for row in asked):  # nothing was asked, so there is no right answer
            return TextMarks([""] * len(rights), rights, nats, written=False)
        texts = [each.text for each in self.engine.write(asked, self.writing, silent_hear)]
        return TextMarks(texts, rights, nats)

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """0 when every text is the one that the trained model wrote."""
        texts = [each.text for each in self.write(rows)]
        return 0.0 if texts == list(wanted) else UNEQUAL

    def gap(self, answer: Json, wanted: Any) -> float:
        return 0.0 if answer.get("value") == wanted else math.inf

    def read(self, rows: Sequence[Row], root: Path | None = None) -> list[Row]:
        """The rows as the engine takes them. Raises: DataError: a value cannot be read, or a row is too long."""
        readers = {column.name: kinds.of(column).read for column in self.manifest.inputs}
        for number, row in enumerate(rows):
            check_row(row, readers, number)
        found: list[Row] = [
            {name: read_value(reader, row, name, number, root) for name, reader in readers.items()}
            for number, row in enumerate(rows)
        ]
        for number, row in enumerate(found):
            check_length(sum(len(value) for value in row.values() if isinstance(value, str)), f"row {number}")
        return found


@dataclass(frozen=True)
class EmbeddingWriter(Writer):
    """A writer whose engine gives embeddings as well."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """As `contract.Embeds`."""
        assert isinstance(self.engine, Embeds)
        return self.engine.embed(texts)


def writer_of(predictor: Predictor) -> Writer | None:
    """What writes an answer piece by piece, as one may ask it to; None: answers are given whole."""
    return predictor if isinstance(predictor, Writer) else None


def check_length(n_characters: int, what: str = "prompt") -> None:
    """Raises: DataError: more than is read of one row."""
    if n_characters > MAX_PROMPT:
        raise DataError(f"{what} has {n_characters:,} characters, expected at most {MAX_PROMPT:,}")


def answers(written: Sequence[Written]) -> list[Answer]:
    """Texts as answers: the confidence is the mean probability of the tokens, null where it is not known."""
    return [
        Answer(each.text, confidence(each), evidence=_evidence(each), is_cut=each.finish not in WHOLE)
        for each in written
    ]


def _rights(value: Any) -> References:
    """The right answers of a row: a text, or several."""
    return text.several(str(value or ""))


def confidence(written: Written) -> float | None:
    """The geometric mean of the probabilities of the tokens, 0-1."""
    if written.logprob is None or not written.n_tokens:
        return None
    return min(1.0, math.exp(written.logprob / max(1, written.n_tokens)))


def _evidence(written: Written) -> tuple[str, ...]:
    return (f"{written.n_cut:,} tokens of what was asked did not fit and were left out",) if written.n_cut else ()
