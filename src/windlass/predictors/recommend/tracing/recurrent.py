"""Deep knowledge tracing: a gated recurrent network reads the attempts; numpy alone computes it.

Source: Piech et al. 2015, arXiv:1506.05908; Hochreiter & Schmidhuber 1997. Gates in the order of torch: input, forget,
cell, output. Beside the attempt it reads how long ago the one before was; a head asks how long ago the last one was.
"""

from dataclasses import dataclass

import numpy as np

from windlass.predictors.recommend.tracing.attempts import sigmoid


@dataclass
class Memory:
    hidden: np.ndarray
    cell: np.ndarray
    day: np.ndarray


@dataclass(frozen=True)
class Recurrent:
    """given: (2 E, D) of an exercise done wrong, then right; from_input (4 H, D + 1), from_hidden (4 H, H),
    bias (4 H,); head (D, H + 1), asked (E, D), offset (E,)."""

    given: np.ndarray
    from_input: np.ndarray
    from_hidden: np.ndarray
    bias: np.ndarray
    head: np.ndarray
    asked: np.ndarray
    offset: np.ndarray

    def begin(self, n_learners: int) -> Memory:
        hidden = np.zeros((n_learners, self.from_hidden.shape[1]), np.float32)
        return Memory(hidden, hidden.copy(), np.full(n_learners, np.nan))

    def chances(self, state: Memory, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        read = np.concatenate([state.hidden, since(days, state.day)[:, None]], axis=1)
        features = np.tanh(read @ self.head.T)
        logits = (features[:, None] * self.asked[exercises]).sum(axis=2) + self.offset[exercises]
        return sigmoid(logits)

    def tell(self, state: Memory, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        rows = np.flatnonzero(exercises >= 0)
        number = exercises[rows] + len(self.offset) * right[rows]
        gap = since(days[rows], state.day[rows])[:, None]
        read = np.concatenate([self.given[number], gap], axis=1) @ self.from_input.T
        gates = read + state.hidden[rows] @ self.from_hidden.T + self.bias
        taken, left, new, shown = np.split(gates, 4, axis=1)
        cell = sigmoid(left) * state.cell[rows] + sigmoid(taken) * np.tanh(new)
        state.cell[rows] = cell
        state.hidden[rows] = sigmoid(shown) * np.tanh(cell)
        state.day[rows] = days[rows]


def since(days: np.ndarray, before: np.ndarray) -> np.ndarray:
    """log(1 + days since), 0 where nothing came before; float32."""
    return np.log1p(np.maximum(np.nan_to_num(days - before), 0)).astype(np.float32)
