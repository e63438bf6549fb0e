"""Which pixels hang together, and how they are shared out among seeds, without scipy: a service loads none.

Source: watershed by immersion, level by level: Vincent & Soille 1991, IEEE PAMI 13(6); parts by runs of rows: He et al.
2017, Pattern Recognition 70.
Shapes: H rows and W columns.
"""

import numpy as np

from windlass.metrics.measures import Array

N_LEVELS = 16


def parts(mask: Array) -> Array:
    """(H, W) int32: the number, from 1, of the part that each pixel of a bool mask is of; pixels beside each other are
    of one. Numbers rise as the first pixels of the parts are met, row by row."""
    height, width = mask.shape
    turns = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, first = np.nonzero(turns == 1)
    last = np.nonzero(turns == -1)[1]
    step = width + 2
    # runs of the next row that begin before this one ends, and end behind its beginning
    low = np.searchsorted(rows * step + last, (rows + 1) * step + first, side="right")
    high = np.searchsorted(rows * step + first, (rows + 1) * step + last, side="left")
    counts = np.maximum(high - low, 0)
    above = np.repeat(np.arange(len(rows)), counts)
    below = np.repeat(low - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    owner = _joined(len(rows), above, below)
    numbers = np.unique(owner, return_inverse=True)[1] + 1
    found = np.zeros(height * width, np.int32)
    lengths = last - first
    pixels = np.repeat(rows * width + first - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    found[pixels] = np.repeat(numbers, lengths)
    return found.reshape(height, width)


def _joined(count: int, one: Array, other: Array) -> Array:
    """(count,) int: the lowest number that each is joined to, by the pairs."""
    owner = np.arange(count)
    while True:
        low = np.minimum(owner[one], owner[other])
        before = owner.copy()
        for ends in (owner[one], owner[other], one, other):
            np.minimum.at(owner, ends, low)
        owner = owner[owner]
        if np.array_equal(owner, before):
            return owner


def flooded(seeds: Array, height: Array, mask: Array) -> Array:
    """(H, W) int32: seeds (numbers from 1, 0 = none) grown over the mask, from where it is high to where it is low.

    Args: height: (H, W) float, 0-1. Pixels of the mask that touch no grown seed stay 0.
    """
    wide = mask.shape[1] + 2
    numbers = np.pad(np.where(mask, seeds, 0), 1).ravel().astype(np.int32)
    is_free, level = np.pad(mask, 1).ravel(), np.pad(height, 1).ravel()
    steps = np.array([-wide, -1, 1, wide])
    waiting = np.flatnonzero(is_free & (numbers == 0))
    for least in np.linspace(1, 0, N_LEVELS + 1)[1:]:
        open_ = waiting[level[waiting] >= least]
        while len(open_):
            reached = numbers[open_[:, None] + steps].max(axis=1)
            is_met = reached > 0
            if not is_met.any():
                break
            numbers[open_[is_met]] = reached[is_met]
            open_ = open_[~is_met]
        waiting = waiting[numbers[waiting] == 0]
    return numbers.reshape(mask.shape[0] + 2, wide)[1:-1, 1:-1]
