"""Users by items as sparse matrices, and the strongest entries of items by items, as they are served."""

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from windlass.learners.recommend.interactions import Interactions
from windlass.predictors.recommend.neighbours import Neighbours
from windlass.predictors.recommend.taste import Taste, strength

ROBOT = 2_000
"""Latest items of a user that are learned from: what robots did would cost the square of it and tell little."""


def matrix(events: Interactions, taste: Taste, n_latest: int = ROBOT) -> sparse.csr_matrix:
    """(n_users, n_items) float32: what each pair counts, as a history of the same events would. n_latest: items of a
    user, the latest ones, that are looked at."""
    pairs = events.pairs
    values = np.where(pairs.weights > 0, strength(pairs.weights), taste.seen).astype(np.float32)
    from_end = pairs.starts[1:][pairs.users] - 1 - np.arange(len(pairs))
    kept = (values > 0) & (from_end < n_latest)
    places = (pairs.users[kept], pairs.items[kept])
    return sparse.csr_matrix((values[kept], places), shape=(events.n_users, events.n_items))


def strongest(blocks: Iterable[np.ndarray], touched: np.ndarray, n_items: int, n_kept: int, taste: Taste) -> Neighbours:
    """The entries of each row that are furthest from 0. blocks: rows (b, t) in the order of touched (t,), the numbers
    of the items that have any."""
    sizes, others, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for block in blocks:
        k = min(n_kept, block.shape[1])
        size = np.abs(block)
        found = np.sort(np.argpartition(size, block.shape[1] - k, axis=1)[:, block.shape[1] - k :], axis=1)
        chosen = np.take_along_axis(block, found, axis=1)
        there = chosen != 0
        sizes.append(there.sum(axis=1))
        others.append(touched[found[there]].astype(np.int32))
        values.append(chosen[there].astype(np.float32))
    starts = np.zeros(n_items + 1, np.int64)
    starts[touched + 1] = np.concatenate(sizes)
    return Neighbours(np.cumsum(starts), np.concatenate(others), np.concatenate(values), taste)
