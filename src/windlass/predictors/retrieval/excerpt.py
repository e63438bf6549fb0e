"""Answers with a part of the input as it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windlass.errors import DataError, expected
from windlass.kinds import table as kinds
from windlass.predictors.language.sentences import overlaps, sentences
from windlass.predictors.language.writing import OnText, Writing, Written
from windlass.records import Manifest, Row


def _nearest(text: str, others: Sequence[str]) -> str:
    """The sentence that shares most with the other columns; the first of equals."""
    found = sentences(text)
    shares = overlaps(found, "\n".join(others))
    return found[shares.index(max(shares))] if found else ""


Way = Callable[[str, Sequence[str]], str]
WAYS: dict[str, Way] = {
    "copy": lambda text, others: text,
    "lead 1": lambda text, others: _joined(sentences(text)[:1]),
    "lead 2": lambda text, others: _joined(sentences(text)[:2]),
    "lead 3": lambda text, others: _joined(sentences(text)[:3]),
    "last sentence": lambda text, others: _joined(sentences(text)[-1:]),
    "nearest sentence": _nearest,
}
"""A column's text and the other text columns' -> a part of it."""


def _joined(found: Sequence[str]) -> str:
    """Sentences as one text: a space between them where the first does not end in a full-width mark."""
    return "".join(text if text[-1] in "。！？”’」』）】" else f"{text} " for text in found).strip()


@dataclass(frozen=True)
class Excerpt:
    """Gives the part of a column; `others` are the text columns beside it."""

    way: str
    column: str
    others: tuple[str, ...]
    is_generating = False

    def write(self, rows: Sequence[Row], how: Writing, hear: OnText) -> list[Written]:
        """One part a row; it is there at once, so nothing of `how` applies."""
        texts = [WAYS[self.way](row[self.column], [row[name] for name in self.others]) for row in rows]
        return [Written(text, "stop" if hear(number, text) else "cancelled") for number, text in enumerate(texts)]

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray | None:
        """Not known: a part is taken, not weighed."""
        return None


def make(way: str, column: str, inputs: Mapping[str, str]) -> Excerpt:
    """The engine for inputs of these kinds."""
    return Excerpt(way, column, tuple(name for name in kinds.prose(inputs) if name != column))


def load(folder: Path, manifest: Manifest) -> Excerpt:
    """`way` and `column` of the settings. Raises: DataError: they name none of ours, or no text column."""
    inputs = {column.name: column.kind for column in manifest.inputs}
    texts = kinds.prose(inputs)
    way, column = manifest.settings.get("way"), manifest.settings.get("column")
    for name, value, allowed in (("way", way, list(WAYS)), ("column", column, texts)):
        if value not in allowed:
            raise DataError(f"{folder / 'manifest.json'} has {name} {value!r}, expected {expected(allowed)}")
    return make(str(way), str(column), inputs)
