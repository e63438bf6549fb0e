"""Item-knn: items are alike when the same people want them; the cosine, shrunk where few people tell.

Source: Sarwar et al. 2001, WWW (item-based neighbours); shrinkage: Bell & Koren 2007, ICDM; in comparisons it holds
its own: Ferrari Dacrema et al. 2019, RecSys, arXiv:1907.06902.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from windlass.learners.recommend.interactions import Interactions
from windlass.learners.recommend.matrices import matrix
from windlass.predictors.recommend.neighbours import Neighbours
from windlass.predictors.recommend.taste import PLAIN, Taste

N_NEIGHBOURS, SHRINKAGES = 100, (5.0, 30.0)
N_PEOPLE = 300
"""Latest items of a user that make neighbours: pairs grow with the square of a history, and the cost with it."""
BLOCK = 2_048


def neighbours(events: Interactions, shrinkage: float, taste: Taste = PLAIN, n_kept: int = N_NEIGHBOURS) -> Neighbours:
    """Of each item the nearest ones, by blocks of rows that fit in memory."""
    liked = matrix(events, taste, N_PEOPLE)
    norms = np.sqrt(np.asarray(liked.multiply(liked).sum(axis=0)).ravel() + shrinkage)
    scaled = (liked @ sparse.diags((1 / norms).astype(np.float32))).tocsr()
    columns = scaled.T.tocsr()

    def rows() -> Iterator[sparse.csr_matrix]:
        for first in range(0, events.n_items, BLOCK):
            yield (columns[first : first + BLOCK] @ scaled).tocsr()

    sizes, others, values = [], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for number, block in enumerate(rows()):
        kept = nearest(block, number * BLOCK, n_kept)
        sizes.append(np.bincount(kept[0], minlength=block.shape[0]))
        others.append(kept[1])
        values.append(kept[2])
    starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))]) if sizes else np.zeros(1)
    return Neighbours(starts.astype(np.int64), np.concatenate(others), np.concatenate(values), taste)


def nearest(block: sparse.csr_matrix, first: int, n_kept: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, column and value of the n largest entries of each row, rows and columns rising; an item is no neighbour of
    itself. first: the number of the item of the first row."""
    rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    there = block.indices != rows + first
    rows, columns, values = rows[there], block.indices[there], block.data[there]
    order = np.lexsort((-values, rows))
    starts = np.searchsorted(rows, np.arange(block.shape[0]))
    kept = order[np.arange(len(rows)) - starts[rows] < n_kept]
    kept = kept[np.lexsort((columns[kept], rows[kept]))]
    return rows[kept], columns[kept].astype(np.int32), values[kept].astype(np.float32)
