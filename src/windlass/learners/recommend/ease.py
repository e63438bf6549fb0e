"""EASE: the best linear map from everybody's items to themselves in which no item may speak for itself.

It has a closed form with one inverse, of items by items (primal) or, where there are fewer people, of users by users
(dual), which gives the same weights. The strongest weights of each item are served. Where both inverses are too large
it refuses: memory grows with the square of what is fewer.
Source: Steck 2019, Embarrassingly shallow autoencoders for sparse data, WWW, arXiv:1905.03375, eq. 8.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from windlass.errors import NotReady
from windlass.learners.recommend.interactions import Interactions
from windlass.learners.recommend.matrices import matrix, strongest
from windlass.predictors.recommend.neighbours import Neighbours
from windlass.predictors.recommend.taste import Taste

LAMBDAS = (30.0, 100.0, 300.0, 1000.0)
"""Penalties that are tried; more for more data."""
MOST_BYTES, MOST_SIDE = 1_200_000_000, 6_000
"""Memory that it may need, and rows of what is decomposed: a minute of one core."""
HALF_LIVES = (np.inf, 0.4)
"""Shares of the log's span that are tried."""
N_KEPT = 200
"""Weights of each item that are served."""
BLOCK = 512


def needs_bytes(n_users: int, n_items: int) -> int:
    """Of memory, by the cheaper of both forms: the inverse, its work space, and in the dual form users by items."""
    return min(12 * n_items * n_items, 12 * n_users * n_users + 8 * n_users * n_items)


@dataclass(frozen=True)
class Ease:
    """P = (X'X + lambda)^-1 in rows. rows(items) -> (b, n_items) float32 of P; diagonal: (n_items,)."""

    rows: Callable[[np.ndarray], np.ndarray]
    diagonal: np.ndarray

    def weights(self, items: np.ndarray) -> np.ndarray:
        """(b, n_items) float32: what each of these items says of all others."""
        found = -self.rows(items) / self.diagonal
        found[np.arange(len(items)), items] = 0.0
        return found


def recency(events: Interactions, half_life: float) -> np.ndarray:
    """(n_users,) how much each counts, 1 on average: whoever was here of late wants what is to be had now.

    Films by time, NDCG@10: .158 where all count alike, .166 with .4 of the span (docs/log.md).
    """
    times = events.times - (events.times.min() if len(events) else 0.0)
    last = np.zeros(events.n_users)
    np.maximum.at(last, events.users, times)
    span = float(times.max(initial=0.0))
    if not span > 0 or not np.isfinite(half_life):
        return np.ones(events.n_users)
    found = np.exp2((last - span) / (half_life * span))
    return np.asarray(found / found.mean())


class Solver:
    """Decomposes once what each penalty then needs. Raises: NotReady: it would need too much memory."""

    def __init__(self, events: Interactions, taste: Taste, half_life: float = np.inf) -> None:
        """half_life: share of the log's span before its end; whose latest event is so long ago counts half as much."""
        liked = matrix(events, taste)
        self.people = np.flatnonzero(np.diff(liked.indptr))  # who liked nothing tells nothing
        self.touched = np.flatnonzero(np.asarray(liked.sum(axis=0)).ravel())
        self.n_items = events.n_items
        size, side = needs_bytes(len(self.people), len(self.touched)), min(len(self.people), len(self.touched))
        if size > MOST_BYTES or side > MOST_SIDE:
            raise NotReady(
                f"{len(self.people):,} users and {len(self.touched):,} items would need {size / 1e9:.1f} GB and an "
                f"inverse of {side:,} rows, expected at most {MOST_BYTES / 1e9:.1f} GB and {MOST_SIDE:,}: `item-knn` "
                "and `als` do with less"
            )
        weights = np.sqrt(recency(events, half_life)[self.people])[:, None]
        self.matrix = liked[self.people][:, self.touched].multiply(weights).astype(np.float32).tocsr()
        self.is_dual = len(self.people) < len(self.touched)
        if self.is_dual:
            gram = (self.matrix @ self.matrix.T).toarray()
            self.dense = self.matrix.toarray()
        else:
            gram = (self.matrix.T @ self.matrix).toarray()
        self.values, self.vectors = np.linalg.eigh(gram)
        self.values = np.maximum(self.values, 0)

    def solved(self, penalty: float) -> Ease:
        """Of the items that somebody touched, by their place in `touched`."""
        inverse = 1 / (self.values + np.float32(penalty))
        if not self.is_dual:
            whole = (self.vectors * inverse) @ self.vectors.T
            return Ease(lambda items: whole[items], np.diagonal(whole).copy())
        turned = (self.vectors * inverse) @ (self.vectors.T @ self.dense)  # (u, i): K X
        columns = self.matrix.T.tocsr()
        diagonal = (1 - np.einsum("ui,ui->i", self.dense, turned)) / penalty

        def rows(items: np.ndarray) -> np.ndarray:
            found = np.asarray(-(columns[items] @ turned))
            found[np.arange(len(items)), items] += 1
            return found / np.float32(penalty)

        return Ease(rows, diagonal.astype(np.float32))

    def scored(self, penalty: float, histories: sparse.csr_matrix) -> np.ndarray:
        """(r, touched) float32 of histories (r, n_items), by all weights: to choose a penalty by."""
        part = histories[:, self.touched].astype(np.float32).tocsr()
        inverse = 1 / (self.values + np.float32(penalty))
        dense = part.toarray()
        if not self.is_dual:
            whole = (self.vectors * inverse) @ self.vectors.T
            return np.asarray(dense - (part @ whole) / np.diagonal(whole))
        turned = self.vectors.T @ self.dense  # (u, i)
        diagonal = (1 - inverse @ (turned * turned)) / np.float32(penalty)
        solved = (dense - (((part @ self.matrix.T) @ self.vectors) * inverse) @ turned) / np.float32(penalty)
        return np.asarray(dense - solved / diagonal)

    def neighbours(self, penalty: float, taste: Taste, n_kept: int = N_KEPT) -> Neighbours:
        """The strongest weights of each item, ready to serve."""
        ease, n_touched = self.solved(penalty), len(self.touched)

        def blocks() -> Iterator[np.ndarray]:
            for first in range(0, n_touched, BLOCK):
                yield ease.weights(np.arange(first, min(n_touched, first + BLOCK)))

        return strongest(blocks(), self.touched, self.n_items, n_kept, taste)
