"""Things from shares of pixels: which class each pixel is of, and which pixels are of the same thing.

Source: a network that tells bodies, borders and middles apart, and a watershed from the middles: the winners of Data
Science Bowl 2018: Caicedo et al. 2019, Nature Methods 16.
Shapes: H, W of the picture as it is looked at; k classes; m things.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from windlass.kinds.masks import APART, MOST_MASKS, PIXEL, SEED, SMALLEST
from windlass.metrics.measures import Array
from windlass.metrics.segmentation import Segments
from windlass.predictors.segmentation.flooding import flooded, parts

N_APART = 2
"""Maps behind those of the classes where things are told apart: how near a pixel is to a border between two, and to
the middle of its thing."""


@dataclass(frozen=True)
class Decisions:
    """pixel: share of all classes from which on a pixel is of a thing; seed: of middles from which on it is inside;
    smallest: pixels of a thing at least; apart: things of a class are told apart."""

    pixel: float = 0.5
    seed: float = 0.5
    smallest: int = 1
    apart: bool = False

    def as_state(self) -> dict[str, Any]:
        return {PIXEL: round(self.pixel, 4), SEED: round(self.seed, 4), SMALLEST: self.smallest}


def decisions_of(state: Mapping[str, Any]) -> Decisions:
    usual = Decisions()
    return Decisions(
        float(state.get(PIXEL, usual.pixel)),
        float(state.get(SEED, usual.seed)),
        int(state.get(SMALLEST, usual.smallest)),
        bool(state.get(APART, False)),
    )


class Seen(NamedTuple):
    """numbers: (H, W) int32, 0 where nothing is, else a thing's number from 1; classes, scores: (m,) of things."""

    numbers: Array
    classes: Array
    scores: Array

    @property
    def segments(self) -> Segments:
        """As it is measured."""
        return Segments(self.numbers, self.classes, np.zeros(len(self.classes), bool))


def shares_of(logits: Array, n_classes: int) -> Array:
    """(n, C, S, S) of the network -> shares: of nothing and of each class, 1 together, and of each map behind."""
    first = logits[:, : n_classes + 1].astype(np.float32)
    powers = np.exp(first - first.max(axis=1, keepdims=True))
    behind = 1 / (1 + np.exp(-logits[:, n_classes + 1 :].astype(np.float32)))
    return np.concatenate([powers / powers.sum(axis=1, keepdims=True), behind], axis=1)


def things(shares: Array, n_classes: int, decided: Decisions) -> Seen:
    """Of shares (C, H, W). Things are numbered from the surest on, `MOST_MASKS` at most."""
    of_class, body = shares[1 : n_classes + 1], 1 - shares[0]
    is_body = body >= decided.pixel
    if decided.apart:
        numbers = _apart(shares[n_classes + 1 :], is_body, decided.seed)
    else:
        numbers = np.where(is_body, of_class.argmax(axis=0) + 1, 0).astype(np.int32)
    count = int(numbers.max(initial=0)) + 1
    flat = numbers.ravel()
    area = np.bincount(flat, minlength=count)
    sums = np.stack([np.bincount(flat, weights=each.ravel(), minlength=count) for each in of_class])
    classes = sums.argmax(axis=0) if decided.apart else np.maximum(np.arange(count) - 1, 0)
    scores = np.bincount(flat, weights=body.ravel(), minlength=count) / np.maximum(area, 1)
    kept = np.flatnonzero((area >= max(1, decided.smallest)) & (np.arange(count) > 0))
    kept = kept[np.argsort(-scores[kept], kind="stable")][:MOST_MASKS]
    new = np.zeros(count, np.int32)
    new[kept] = np.arange(len(kept)) + 1
    return Seen(new[numbers], classes[kept], scores[kept])


def _apart(behind: Array, is_body: Array, least: float) -> Array:
    """Numbers of things: grown from their insides; a body without one is a thing by itself."""
    inside = behind[1] * (1 - behind[0])
    numbers = flooded(parts(is_body & (inside >= least)), inside, is_body)
    left = parts(is_body & (numbers == 0))
    return np.where(left > 0, left + numbers.max(initial=0), numbers)


def whole(numbers: Array, size: tuple[int, int]) -> Array:
    """The map (H, W) at a picture's height and width, each pixel as the one that it lies in."""
    if numbers.shape == size:
        return numbers
    rows, columns = (
        np.minimum(((np.arange(length) + 0.5) * old / length).astype(int), old - 1)
        for length, old in zip(size, numbers.shape, strict=True)
    )
    return np.asarray(numbers[rows[:, None], columns[None, :]])
