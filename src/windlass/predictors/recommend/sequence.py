"""Scores items by the order of a history: self-attention over the latest items that were wanted, in numpy alone.

Source: Kang & McAuley 2018, ICDM, arXiv:1808.09781 (SASRec), with norms before each part and a bias of each item.
Shapes: n items, M events, D features, B blocks, A heads.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from windlass.errors import DataError
from windlass.predictors.recommend.arrays import read_arrays, write_arrays
from windlass.records import Json

FILE = "sequence.safetensors"
N_HEADS, TINY = 2, 1e-5
"""TINY: of a norm, as torch has it."""


@dataclass(frozen=True)
class Sequence:
    """All float32. items (n, D), bias (n,); is_known (n,), 1 of items that somebody wanted in training; positions
    (L, D), the last is that of the latest event. Of each block: queries, keys, values, joined, first, second (B, D, D);
    first_bias, second_bias (B, D); norms (B, 2, 2, D): before attention and before the layers, scale and shift; norm
    (2, D) at the end."""

    items: np.ndarray
    bias: np.ndarray
    is_known: np.ndarray
    positions: np.ndarray
    queries: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    joined: np.ndarray
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray
    norms: np.ndarray
    norm: np.ndarray

    def scores(self, history: np.ndarray, weights: np.ndarray, times: np.ndarray, now: float) -> np.ndarray:
        """(n_items,) float32: the logit of each to be wanted next; items of no event in training as low as any."""
        wanted = history[(weights > 0) & (self.is_known[history] > 0)][-len(self.positions) :]
        if not len(wanted):
            return np.zeros(len(self.items), np.float32)
        found = self.items @ self.state(wanted) + self.bias
        return np.where(self.is_known > 0, found, found.min()).astype(np.float32)

    def state(self, wanted: np.ndarray) -> np.ndarray:
        """(D,) after the latest of these items (M,), M > 0."""
        states = self.items[wanted] * np.sqrt(np.float32(self.items.shape[1])) + self.positions[-len(wanted) :]
        for block in range(len(self.norms)):
            states = states + self._attended(states, block)
            inner = np.maximum(_normed(states, self.norms[block, 1]) @ self.first[block].T + self.first_bias[block], 0)
            states = states + inner @ self.second[block].T + self.second_bias[block]
        return _normed(states[-1:], self.norm)[0]

    def _attended(self, states: np.ndarray, block: int) -> np.ndarray:
        """(M, D): each event looks at those up to itself."""
        n_events, width = states.shape
        normed = _normed(states, self.norms[block, 0])
        query, key, value = (
            (normed @ way[block].T).reshape(n_events, N_HEADS, -1).transpose(1, 0, 2)
            for way in (self.queries, self.keys, self.values)
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(width / N_HEADS))
        scores = np.where(np.tri(n_events, dtype=bool), scores, -np.inf)
        weight = np.exp(scores - scores.max(axis=2, keepdims=True))
        weight /= weight.sum(axis=2, keepdims=True)
        return np.asarray((weight @ value).transpose(1, 0, 2).reshape(n_events, width) @ self.joined[block].T)

    def save(self, folder: Path) -> None:
        write_arrays(folder / FILE, {each.name: getattr(self, each.name) for each in fields(self)})


def _normed(states: np.ndarray, norm: np.ndarray) -> np.ndarray:
    """norm: (2, D) scale and shift."""
    apart = states - states.mean(axis=-1, keepdims=True)
    spread = np.sqrt((apart * apart).mean(axis=-1, keepdims=True) + TINY)
    return np.asarray(apart / spread * norm[0] + norm[1])


def load(folder: Path, settings: Json) -> Sequence:
    """Raises: DataError: its arrays are damaged."""
    names = [each.name for each in fields(Sequence)]
    found = read_arrays(folder / FILE, *names)
    n_items, width = found["items"].shape if found["items"].ndim == 2 else (0, 0)
    n_blocks = len(found["norms"])
    square, flat = (n_blocks, width, width), (n_blocks, width)
    wanted = {
        **dict.fromkeys(("bias", "is_known"), (n_items,)),
        "positions": (len(found["positions"]), width),
        **dict.fromkeys(("queries", "keys", "values", "joined", "first", "second"), square),
        **dict.fromkeys(("first_bias", "second_bias"), flat),
        "norms": (n_blocks, 2, 2, width),
        "norm": (2, width),
    }
    wrong = next((name for name, shape in wanted.items() if found[name].shape != shape), "")
    if wrong or not width or width % N_HEADS or not len(found["positions"]):
        raise DataError(f"{folder / FILE} is damaged ('{wrong or 'items'}'), expected the weights of a network")
    return Sequence(**{name: found[name] for name in names})
