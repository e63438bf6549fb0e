"""Self-attention over the attempts: the exercise that is asked looks for those before that tell of it.

Source: Pandey & Karypis 2019, arXiv:1907.06837 (SAKT); that attention fades with time, at a rate of each head: Ghosh et
al. 2020, arXiv:2007.12324 (AKT). One layer. Shapes: L learners, K attempts so far, M asked, D features, A heads.
"""

from dataclasses import dataclass

import numpy as np

from windlass.predictors.recommend.tracing.attempts import sigmoid


@dataclass
class Past:
    """given: (L, K) exercise + E * right, -1 where there is none; days: (L, K)."""

    given: np.ndarray
    days: np.ndarray


@dataclass(frozen=True)
class Attention:
    """asked (E, D); given (2 E, D); query, key, value (D, D); fading (A,) >= 0; first (F, 2 D), first_bias (F,), second
    (F,); offset (E,)."""

    asked: np.ndarray
    given: np.ndarray
    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    fading: np.ndarray
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    offset: np.ndarray

    def begin(self, n_learners: int) -> Past:
        return Past(np.zeros((n_learners, 0), int), np.zeros((n_learners, 0)))

    def chances(self, state: Past, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        asked = self.asked[exercises]
        context = self._context(state, days, asked)
        features = np.maximum(np.concatenate([context, asked], axis=2) @ self.first.T + self.first_bias, 0)
        return sigmoid(features @ self.second + self.offset[exercises])

    def tell(self, state: Past, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        number = np.where(exercises >= 0, exercises + len(self.offset) * right, -1)
        state.given = np.concatenate([state.given, number[:, None]], axis=1)
        state.days = np.concatenate([state.days, days[:, None]], axis=1)

    def _context(self, state: Past, days: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """(L, M, D): zeros where nothing came before."""
        n_heads, width = len(self.fading), asked.shape[-1]
        if not state.given.shape[1]:
            return np.zeros_like(asked)
        is_real = state.given >= 0
        given = self.given[state.given]
        keys, values, queries = ((each @ way.T).reshape(*each.shape[:2], n_heads, -1) for each, way in (
            (given, self.key), (given, self.value), (asked, self.query)))  # fmt: skip
        ago = np.log1p(np.maximum(days[:, None] - state.days, 0))
        scores = np.einsum("lmad,lkad->lamk", queries, keys) / np.sqrt(width / n_heads)
        scores -= self.fading[None, :, None, None] * ago[:, None, None, :]
        scores = np.where(is_real[:, None, None, :], scores, -1e9)
        weight = np.exp(scores - scores.max(axis=3, keepdims=True)) * is_real[:, None, None, :]
        weight /= np.maximum(weight.sum(axis=3, keepdims=True), 1e-9)
        return np.einsum("lamk,lkad->lmad", weight, values).reshape(asked.shape)
