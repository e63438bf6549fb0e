"""Masks as run lengths: how many pixels in turn lie outside and inside, column by column, as COCO writes them.

Source: cocoapi's `maskApi.c` (`rleToString`, `rleFrString`).
Shapes: H rows and W columns of a picture.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from windlass.metrics.measures import Array

MOST_BITS = 40
"""Of a run length: more is no picture."""


def runs_of(mask: Array) -> list[int]:
    """Of a bool mask (H, W); the first run lies outside, and may be 0."""
    flat = mask.ravel(order="F")
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    ends = np.concatenate([[0], turns, [len(flat)]]) if len(flat) and flat[0] else np.append(turns, len(flat))
    return [int(run) for run in np.diff(ends, prepend=0)]


def mask_of(runs: Sequence[int], height: int, width: int) -> Array:
    """(H, W) bool. Raises: ValueError: the runs are of another number of pixels."""
    if sum(runs) != height * width:
        raise ValueError("runs of another number of pixels")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape((height, width), order="F")


def each_of(numbers: Array) -> Iterator[tuple[int, list[int]]]:
    """Each number above 0 of a map (H, W) of whole numbers, ascending, with the runs of its pixels."""
    flat = numbers.ravel(order="F")
    first = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1]) if len(flat) else np.zeros(0, int)
    ends, owner = np.append(first[1:], len(flat)), flat[first]
    order = np.argsort(owner, kind="stable")
    cuts = np.flatnonzero(np.diff(owner[order])) + 1
    for places in np.split(order, cuts):
        if len(places) and owner[places[0]] > 0:
            turns = np.column_stack([first[places], ends[places]]).ravel()
            runs = [int(run) for run in np.diff(turns, prepend=0)]
            rest = len(flat) - int(turns[-1])
            yield int(owner[places[0]]), [*runs, rest] if rest else runs


def area(runs: Sequence[int]) -> int:
    """Pixels inside."""
    return int(sum(runs[1::2]))


def bounds(runs: Sequence[int], height: int) -> list[float]:
    """Left, top, right, bottom of the box around the pixels inside; of none, four zeros."""
    ends = np.cumsum(runs)
    first, last = ends[:-1:2], ends[1::2] - 1
    is_filled = last >= first
    first, last = first[is_filled], last[is_filled]
    if not len(first):
        return [0.0] * 4
    is_within = first // height == last // height
    top = np.where(is_within, first % height, 0).min()
    foot = np.where(is_within, last % height, height - 1).max()
    return [float(first.min() // height), float(top), float(last.max() // height + 1), float(foot + 1)]


def packed(runs: Sequence[int]) -> str:
    """As COCO's text: six bits a sign; from the fourth run on the difference to the one before the last."""
    signs = []
    for place, run in enumerate(runs):
        value, is_open = run - (runs[place - 2] if place > 2 else 0), True
        while is_open:
            bits = value & 31
            value >>= 5
            is_open = value != (-1 if bits & 16 else 0)
            signs.append(chr((bits | 32 if is_open else bits) + 48))
    return "".join(signs)


def unpacked(text: str) -> list[int]:
    """Raises: ValueError: it is no such text, or a run is below 0."""
    runs: list[int] = []
    value = shift = 0
    for sign in text:
        bits = ord(sign) - 48
        if not 0 <= bits < 64 or shift > MOST_BITS:
            raise ValueError("no run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift or any(run < 0 for run in runs):
        raise ValueError("no run lengths")
    return runs
