"""Writes from counts of characters: an interpolated n-gram model that knows no question.

A model of order n is n levels of sorted integers. Level k lists the k-grams as `place of its first k - 1 symbols at
level k - 1` x `number of symbols` + `its last symbol`, so that what follows a context stands side by side. A character
that was never seen is the symbol UNKNOWN and one of all others of Unicode, each as likely: the probabilities of all
texts sum to one, and bits per byte mean what they say.
Source: Kneser & Ney 1995; Chen & Goodman 1999, eq. 17 (three discounts); characters as in Heafield 2011, KenLM.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from windlass.errors import DataError
from windlass.predictors.language.writing import OnText, Token, Writing, Written
from windlass.records import Manifest, Row
from windlass.store.files import write_bytes

FILE = "model.safetensors"
START, END, UNKNOWN, FIRST = 0, 1, 2, 3
UNKNOWN_SHARE = 0.5
"""Of what the shortest context leaves: an unseen character is likelier than any one that was seen."""
N_UNICODE = 0x110000 - 0x800
MAX_ORDER = 12


@dataclass(frozen=True)
class Level:
    """The k-grams: keys (m,) int64, ascending; counts (m,) int64, what each is worth (0: only begins others).

    discounts: (3,) float, what is taken from a gram worth 1, 2, and 3 or more.
    """

    keys: np.ndarray
    counts: np.ndarray
    discounts: np.ndarray

    def find(self, parents: np.ndarray, symbols: np.ndarray, n_symbols: int) -> np.ndarray:
        """Places of the grams (n,), -1 where there is none; parents may be -1."""
        keys = parents * n_symbols + symbols
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where((parents >= 0) & (self.keys[places] == keys), places, -1)

    @cached_property
    def taken(self) -> np.ndarray:
        """What is taken from each gram, (m,)."""
        return np.concatenate([[0.0], self.discounts])[np.minimum(self.counts, 3)]


@dataclass(frozen=True)
class Sums:
    """Of a level, for each context: what its grams are worth, and what is taken from them, (number of contexts,)."""

    worth: np.ndarray
    taken: np.ndarray

    @classmethod
    def of(cls, level: Level, n_contexts: int, n_symbols: int) -> "Sums":
        parents = level.keys // n_symbols
        return cls(*(np.bincount(parents, values, n_contexts) for values in (level.counts, level.taken)))


class Model:
    """Probabilities of characters after characters."""

    def __init__(self, characters: str, levels: Sequence[Level]) -> None:
        self.characters, self.levels, self.order = characters, tuple(levels), len(levels)
        self.symbols = {character: FIRST + number for number, character in enumerate(characters)}
        self.n_symbols = FIRST + len(characters)
        sizes = [1, *(len(level.keys) for level in levels)]
        self.sums = [Sums.of(level, size, self.n_symbols) for level, size in zip(levels, sizes, strict=False)]
        self.base = np.full(self.n_symbols, (1 - UNKNOWN_SHARE) / (self.n_symbols - 2))
        self.base[[START, UNKNOWN]] = 0.0, UNKNOWN_SHARE
        self.log_unseen = -math.log(N_UNICODE - len(characters))

    def encode(self, text: str) -> np.ndarray:
        """The text's symbols and END, after as many START as a context is long, (order + length,) int64."""
        known = [self.symbols.get(character, UNKNOWN) for character in text]
        return np.array([START] * (self.order - 1) + known + [END], np.int64)

    def nats(self, text: str) -> float:
        """Negative log-likelihood of the text and its end."""
        symbols = self.encode(text)
        shares = self.base[symbols]
        contexts = np.zeros(len(symbols), np.int64)  # places of the grams that end before each symbol
        for level, sums in zip(self.levels, self.sums, strict=True):
            places = level.find(contexts, symbols, self.n_symbols)
            worth = np.where(contexts >= 0, sums.worth[contexts], 0.0)
            own = np.where(places >= 0, level.counts[places] - level.taken[places], 0.0)
            seen = worth > 0
            shares[seen] = (own[seen] + sums.taken[contexts[seen]] * shares[seen]) / worth[seen]
            contexts = np.concatenate([[-1], places[:-1]])
        asked = slice(self.order - 1, None)
        unseen = int((symbols[asked] == UNKNOWN).sum())
        return float(-np.log(shares[asked]).sum() - unseen * self.log_unseen)

    def next(self, symbols: Sequence[int]) -> np.ndarray:
        """Probabilities (n_symbols,) of what follows the last `order - 1` symbols or more."""
        shares = self.base.copy()
        for length, (level, sums) in enumerate(zip(self.levels, self.sums, strict=True)):
            place = self._place(symbols[len(symbols) - length :])
            if place < 0 or not sums.worth[place]:
                break  # nor does a longer one exist
            shares *= sums.taken[place] / sums.worth[place]
            first, last = np.searchsorted(level.keys, [place * self.n_symbols, (place + 1) * self.n_symbols])
            follows = level.keys[first:last] - place * self.n_symbols
            shares[follows] += (level.counts[first:last] - level.taken[first:last]) / sums.worth[place]
        return shares

    def _place(self, symbols: Sequence[int]) -> int:
        """Where the gram stands at its level; the empty one at 0; -1: it was never seen."""
        place = 0
        for level, symbol in zip(self.levels, symbols, strict=False):
            key = place * self.n_symbols + symbol
            place = int(np.searchsorted(level.keys, key))
            if place == len(level.keys) or level.keys[place] != key:
                return -1
        return place


@dataclass(frozen=True)
class Ngram:
    """Writes texts of its own accord; what a row holds it does not read."""

    model: Model
    is_generating = True

    def write(self, rows: Sequence[Row], how: Writing, hear: OnText) -> list[Written]:
        """One text a row; the texts differ where there is chance. Raises: DataError: `how` asks for more."""
        if how.schema is not None or how.beams > 1 or how.repetition_penalty != 1:
            raise DataError("an n-gram model writes without 'schema', 'beams' and 'repetition_penalty', expected none")
        return [self._one(number, how, hear) for number in range(len(rows))]

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray | None:
        """(n,) negative log-likelihood of each text and its end, in nats."""
        return np.array([self.model.nats(text) for text in texts])

    def _one(self, number: int, how: Writing, hear: OnText) -> Written:
        random = np.random.default_rng([how.seed, number])
        symbols, tokens, text, heard, finish = [START] * (self.model.order - 1), list[Token](), "", 0, ""
        while not finish:
            shares = self.model.next(symbols)
            symbols.append(_chosen(shares, how, random))
            tokens.append(self._token(symbols[-1], shares, how.n_logprobs))
            text += tokens[-1].text
            stop = next((stop for stop in how.stop if text.endswith(stop)), "")
            if stop or symbols[-1] == END:
                text, finish = text.removesuffix(stop), "stop"
            elif len(tokens) == how.max_tokens:
                finish = "length"
            until = len(text) if finish else len(text) - held(text, how.stop)
            if heard < until and not hear(number, text[heard:until]):
                finish = finish or "cancelled"
            heard = max(heard, until)
        logprob = sum(token.logprob for token in tokens)
        return Written(text, finish, 0, len(tokens), logprob, tuple(tokens) if how.n_logprobs is not None else ())

    def _token(self, symbol: int, shares: np.ndarray, n_others: int | None) -> Token:
        likeliest = np.argsort(-shares, kind="stable")[: n_others or 0]
        others = tuple((self._text(int(other)), float(np.log(shares[other]))) for other in likeliest if shares[other])
        return Token(self._text(symbol), float(np.log(shares[symbol])), others)

    def _text(self, symbol: int) -> str:
        return self.model.characters[symbol - FIRST] if symbol >= FIRST else ""


def held(text: str, stops: Sequence[str]) -> int:
    """Characters at the end of the text that may be the beginning of a stop text."""
    longest = max((len(stop) for stop in stops), default=1) - 1
    sizes = range(min(longest, len(text)), 0, -1)
    return next((size for size in sizes if any(stop.startswith(text[-size:]) for stop in stops)), 0)


def _chosen(shares: np.ndarray, how: Writing, random: np.random.Generator) -> int:
    """The likeliest symbol at temperature 0, else one by chance; never one that cannot be written."""
    shares = shares.copy()
    shares[UNKNOWN] = 0.0
    if how.temperature == 0:
        return int(shares.argmax())
    order = np.argsort(-shares, kind="stable")
    sums = np.cumsum((shares[order] / shares.max()) ** (1 / how.temperature))
    n_kept = int(np.searchsorted(sums, how.top_p * sums[-1])) + 1
    return int(order[min(np.searchsorted(sums, random.random() * sums[n_kept - 1], side="right"), n_kept - 1)])


def write_model(folder: Path, model: Model) -> None:
    """The levels that `load` reads; the characters belong into the manifest's settings."""
    tensors = {}
    for number, level in enumerate(model.levels, 1):
        tensors[f"keys.{number}"] = level.keys.astype(np.int64)
        tensors[f"counts.{number}"] = level.counts.astype(np.int32)
        tensors[f"discounts.{number}"] = level.discounts.astype(np.float64)
    write_bytes(folder / FILE, save(tensors))


def load(folder: Path, manifest: Manifest) -> Ngram:
    """`characters` and `order` of the settings, and the levels. Raises: DataError when damaged."""
    characters, order = manifest.settings.get("characters"), manifest.settings.get("order")
    if not isinstance(characters, str) or len(set(characters)) != len(characters):
        raise DataError(f"{folder / 'manifest.json'} has no characters, expected each once")
    if not isinstance(order, int) or not 1 <= order <= MAX_ORDER:
        raise DataError(f"{folder / 'manifest.json'} has order {order!r}, expected 1 to {MAX_ORDER}")
    try:
        tensors = load_file(folder / FILE)
        levels = [
            Level(tensors[f"keys.{number}"], tensors[f"counts.{number}"], tensors[f"discounts.{number}"])
            for number in range(1, order + 1)
        ]
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(f"{folder / FILE} is damaged ({error}), expected counts of an n-gram model") from None
    n_contexts = 1
    for number, level in enumerate(levels, 1):
        fault = _fault(level, n_contexts, FIRST + len(characters))
        if fault:
            raise DataError(f"{folder / FILE} is damaged: level {number} {fault}")
        n_contexts = len(level.keys)
    return Ngram(
        Model(characters, [Level(level.keys, level.counts.astype(np.int64), level.discounts) for level in levels])
    )


def _fault(level: Level, n_contexts: int, n_symbols: int) -> str:
    """What is wrong with a level; empty when nothing is."""
    keys, counts, discounts = level.keys, level.counts, level.discounts
    if keys.dtype != np.int64 or keys.ndim != 1 or not len(keys) or counts.shape != keys.shape:
        return f"has {keys.dtype} keys {keys.shape} and counts {counts.shape}, expected as many of both"
    if keys[0] < 0 or keys[-1] >= n_contexts * n_symbols or not (np.diff(keys) > 0).all():
        return "has keys that are not in order, or of contexts that are not there"
    if counts.dtype != np.int32 or counts.min() < 0 or counts[keys % n_symbols == START].any():
        return f"has counts of {counts.dtype} from {counts.min()}, expected int32 from 0, and 0 for the start"
    limits = np.arange(1, 4)
    if discounts.dtype != np.float64 or discounts.shape != (3,) or not ((discounts >= 0) & (discounts <= limits)).all():
        return "has other discounts than three between 0 and 1, 2, 3"
    return ""
