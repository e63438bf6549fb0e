"""Answers with the part of a text that a reading network points at: ONNX Runtime, numpy, tokenizers.

Shapes: B rows, T words read, Q words asked, P pieces of an encoder.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, NotReady, expected
from windlass.kinds import table as kinds
from windlass.kinds.text import pad
from windlass.predictors.language.reading import N_TRAITS, PAD, Reading, Vocabulary, read
from windlass.predictors.language.writing import OnText, Writing, Written
from windlass.predictors.networks.graph import open_graph
from windlass.records import Manifest, Row
from windlass.store.json_files import read_json

FILE, VOCABULARY, TOKENIZER = "model.onnx", "vocabulary.json", "tokenizer.json"
MOST_ROWS, LEAST_PIECES = 16, 8
Run = Callable[[Sequence[np.ndarray]], np.ndarray]
"""What `SpanEncoder.arrays` gives -> logits (B, 2, T) of where an answer starts and ends."""


@dataclass(frozen=True)
class SpanEncoder:
    """How readings become arrays: the vocabulary, and, with an encoder, its tokenizer and what it pads with."""

    vocabulary: Vocabulary
    tokenizer: Any = None
    padding: int = PAD

    def arrays(self, readings: Sequence[Reading]) -> list[np.ndarray]:
        """int64, padded on the right: words (B, T), traits (B, T, N_TRAITS), question (B, Q).

        With an encoder also pieces (B, P) of question and text, and of each word the place of its first piece (B, T).
        """
        words = pad([self.vocabulary.numbers(reading.words.forms) for reading in readings], PAD)
        traits = np.zeros((*words.shape, N_TRAITS), np.int64)
        for row, reading in enumerate(readings):
            traits[row, : len(reading.words)] = reading.traits
        question = pad([self.vocabulary.numbers(reading.question.forms) for reading in readings], PAD)
        if self.tokenizer is None:
            return [words, traits, question]
        pairs = [(list(reading.question.shown), list(reading.words.shown)) for reading in readings]
        found = self.tokenizer.encode_batch(pairs, is_pretokenized=True)
        places = np.zeros_like(words)
        for row, encoding in enumerate(found):
            for place in reversed(range(len(encoding.ids))):
                if encoding.sequence_ids[place] == 1:
                    places[row, encoding.word_ids[place]] = place
        return [words, traits, question, pad([encoding.ids for encoding in found], self.padding), places]


def open_tokenizer(text: str, length: int) -> Any:
    """The tokenizer of a tokenizer.json for pairs of at most so many pieces. Raises: DataError: it is damaged."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # noqa: BLE001  tokenizers raises Exception itself
        raise DataError(f"{TOKENIZER} is damaged ({str(error)[:100]}), expected a tokenizer") from None
    tokenizer.no_padding()
    tokenizer.enable_truncation(length, strategy="longest_first")
    return tokenizer


@dataclass(frozen=True)
class Span:
    """Reads the text column and points at the answer to the other text columns.

    longest: words of an answer at most.
    """

    run: Run
    eyes: SpanEncoder
    column: str
    others: tuple[str, ...]
    longest: int
    temperature: float = 1.0
    is_generating = False

    def readings(self, rows: Sequence[Row]) -> list[Reading]:
        asked = ["\n".join(row[name] for name in self.others) for row in rows]
        return [
            read(row[self.column], question, self.eyes.vocabulary) for row, question in zip(rows, asked, strict=True)
        ]

    def write(self, rows: Sequence[Row], how: Writing, hear: OnText) -> list[Written]:
        """One part of the text a row, as one token; it is there at once, so nothing of `how` applies."""
        found = answers(self.run, self.eyes, self.readings(rows), self.longest, self.temperature)
        return [
            Written(text, "stop" if hear(number, text) else "cancelled", 0, 1, logprob)
            for number, (text, logprob) in enumerate(found)
        ]

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray | None:
        """Not known: what stands nowhere in the text would be impossible."""
        return None


def answers(
    run: Run, eyes: SpanEncoder, readings: Sequence[Reading], longest: int, temperature: float
) -> list[tuple[str, float | None]]:
    """The text of each answer and its log-probability; nothing, with none, where there is nothing to read.

    Args: longest: words of an answer at most. temperature: of the probabilities.
    """
    found: list[tuple[str, float | None]] = [("", None)] * len(readings)
    order = sorted(
        (row for row, reading in enumerate(readings) if len(reading.words)), key=lambda row: len(readings[row].words)
    )
    for start in range(0, len(order), MOST_ROWS):
        rows = order[start : start + MOST_ROWS]
        logits = run(eyes.arrays([readings[row] for row in rows]))
        for row, logits_2T in zip(rows, logits, strict=True):
            reading = readings[row]
            first, last, logprob = best_span(logits_2T[:, : len(reading.words)], reading.numbers, longest, temperature)
            found[row] = (reading.text(first, last), logprob)
    return found


def best_span(
    logits_2T: np.ndarray, numbers: np.ndarray, longest: int, temperature: float = 1.0
) -> tuple[int, int, float]:
    """First and last word of the likeliest span of neighbouring words, and its log-probability: start times end."""
    starts, ends = _log_shares(logits_2T.astype(np.float64) / temperature)
    best = (0, 0, -math.inf)
    for more in range(min(longest, len(starts))):
        together = numbers[more:] - numbers[: len(numbers) - more] == more
        scores = np.where(together, starts[: len(starts) - more] + ends[more:], -np.inf)
        place = int(scores.argmax())
        if scores[place] > best[2]:
            best = (place, place + more, float(scores[place]))
    return best


def _log_shares(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the softmax along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def load(folder: Path, manifest: Manifest) -> Span:
    """`column`, `longest` and `encoder` (pieces at most and padding, or null) of the settings.

    Raises: DataError: a part is damaged.
    """
    texts = kinds.prose({column.name: column.kind for column in manifest.inputs})
    column, longest = manifest.settings.get("column"), manifest.settings.get("longest")
    encoder = manifest.settings.get("encoder")
    if column not in texts:
        raise DataError(f"{folder / 'manifest.json'} has column {column!r}, expected {expected(texts)}")
    if not isinstance(longest, int) or longest < 1:
        raise DataError(f"{folder / 'manifest.json'} has longest {longest!r}, expected a number from 1")
    vocabulary = _vocabulary(folder)
    eyes = SpanEncoder(vocabulary) if encoder is None else SpanEncoder(vocabulary, *_tokenizer(folder, encoder))
    others = tuple(name for name in texts if name != column)
    return Span(_open(folder / FILE, eyes), eyes, str(column), others, longest, manifest.temperature)


def _vocabulary(folder: Path) -> Vocabulary:
    try:
        values = read_json(folder / VOCABULARY)
        words, weights, unseen = tuple(values["words"]), tuple(values["weights"]), values["unseen"]
        is_right = all(isinstance(word, str) for word in words) and len(set(words)) == len(words) == len(weights)
        is_right = is_right and bool(np.isfinite(np.array([*weights, unseen], np.float64)).all())
    except (KeyError, TypeError, ValueError, NotReady):
        is_right = False
    if not is_right:
        raise DataError(f"{folder / VOCABULARY} is damaged, expected different words, each with its weight")
    return Vocabulary(words, weights, unseen)


def _tokenizer(folder: Path, encoder: Any) -> tuple[Any, int]:
    """The tokenizer, and what it pads with."""
    try:
        length, padding = int(encoder["length"]), int(encoder["pad"])
        content = (folder / TOKENIZER).read_text(encoding="utf-8")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder / TOKENIZER} is damaged ({str(error)[:100]}), expected that of an encoder") from None
    if length < LEAST_PIECES or padding < 0:
        raise DataError(f"{folder / 'manifest.json'} has encoder {encoder!r}, expected its length and padding")
    return open_tokenizer(content, length), padding


def _open(path: Path, eyes: SpanEncoder) -> Run:
    """The graph as a function, tried on a word of the vocabulary. Raises: DataError: it is not ours or damaged."""
    last = eyes.vocabulary.words[-1] if eyes.vocabulary.words else "?"
    sample = eyes.arrays([read(f"{last} {last}", last, eyes.vocabulary)])

    def first_row(session: Any) -> dict[str, np.ndarray]:
        names = [item.name for item in session.get_outputs()]
        if "logits" not in names:
            raise DataError(f"{path} gives {names}, expected 'logits'")
        return _named(sample)

    session = open_graph(path, first_row)
    shape = session.run(["logits"], _named(sample))[0].shape
    if shape != (1, 2, sample[0].shape[1]):
        raise DataError(f"{path} gives logits {shape}, expected (1, 2, {sample[0].shape[1]})")
    return lambda arrays: np.asarray(session.run(["logits"], _named(arrays))[0])


def _named(arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"input_{number}": array for number, array in enumerate(arrays)}
