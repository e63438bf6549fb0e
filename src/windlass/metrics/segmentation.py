"""Masks beside the right ones: pixels of each class, things that are told apart, and how far outlines lie.

Dice: 2 |A and B| / (|A| + |B|) of each class that is there or given, their mean, mean of the pictures; a picture where
nothing is there and nothing given counts as 1. IoU: of each class over the pixels of all pictures, mean of the classes.
Instance AP: of each picture hits / (hits + wrong + missed) at overlaps beyond .50, .55 ... .95, their mean; mean of the
pictures (Data Science Bowl 2018: Caicedo et al. 2019, Nature Methods 16). Boundary error: the mean distance in pixels
from the outline of the one to that of the other and back, of classes that both have. Pixels of nobody knows what
(`VOID`) count nowhere; a crowd counts by pixels and is no thing.
Shapes: n pictures, k classes, H and W of a picture, T overlaps, m things.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from windlass.metrics.measures import Array, Estimate

DICE, IOU, INSTANCE_AP, BOUNDARY = "mask_dice", "mask_iou", "instance_ap", "boundary_error"
MASK_METRICS = (DICE, IOU, INSTANCE_AP, BOUNDARY)
OVERLAPS = np.linspace(0.5, 0.95, 10)
NOBODY_KNOWS = -1
"""The class of pixels that count nowhere."""


class Segments(NamedTuple):
    """What is on a picture, found or right. numbers: (H, W) int, 0 where nothing is, else a thing's number from 1;
    classes: (m,) int of the things, `NOBODY_KNOWS` for those that count nowhere; is_crowd: (m,) bool."""

    numbers: Array
    classes: Array
    is_crowd: Array

    @property
    def by_pixel(self) -> Array:
        """(H, W) int: the class counted from 1, 0 where nothing is."""
        return np.concatenate([[0], self.classes + 1])[self.numbers]


class Measured(NamedTuple):
    """Of one picture. shared, given, right: (k,) pixels; hits, wrong, missed: (k, T) things; apart: (k,) pixels."""

    shared: Array
    given: Array
    right: Array
    hits: Array
    wrong: Array
    missed: Array
    apart: Array


def measured(given: Segments, right: Segments, n_classes: int, has_outlines: bool = True) -> Measured:
    """Both of the same picture. has_outlines: how far they are apart is measured, too, with scipy."""
    unknown = np.concatenate([[False], right.classes == NOBODY_KNOWS])[right.numbers]
    given = given._replace(numbers=np.where(unknown, 0, given.numbers))
    right = right._replace(numbers=np.where(unknown, 0, right.numbers))
    one, other = given.by_pixel, right.by_pixel
    apart = _apart(one, other, n_classes) if has_outlines else np.full(n_classes, np.nan)
    shared, mine, theirs = (_areas(each, n_classes) for each in (np.where(one == other, one, 0), one, other))
    return Measured(shared, mine, theirs, *_things(given, right, n_classes), apart)


def _areas(by_pixel: Array, n_classes: int) -> Array:
    return np.bincount(by_pixel.ravel(), minlength=n_classes + 1)[1:].astype(float)


def _things(given: Segments, right: Segments, n_classes: int) -> tuple[Array, Array, Array]:
    """Hits, wrong and missed things of each class, (k, T). A thing that lies mostly in a crowd of its class is
    neither."""
    n_given, n_right = len(given.classes), len(right.classes)
    both = np.bincount(given.numbers.ravel() * (n_right + 1) + right.numbers.ravel(),
                       minlength=(n_given + 1) * (n_right + 1)).reshape(n_given + 1, n_right + 1)  # fmt: skip
    own, theirs = both.sum(axis=1)[1:], both.sum(axis=0)[1:]
    same = given.classes[:, None] == right.classes[None, :]
    shared = both[1:, 1:] * same
    in_crowd = (shared * right.is_crowd).sum(axis=1) > own / 2
    likeness = shared / np.maximum(own[:, None] + theirs[None, :] - shared, 1)
    likeness[:, right.is_crowd] = 0
    counts = np.zeros((3, n_classes, len(OVERLAPS)))
    for place, least in enumerate(OVERLAPS):
        is_hit = likeness > least  # a pixel has one thing, so that more than a half of both is had by one pair alone
        found, met = is_hit.any(axis=1), is_hit.any(axis=0)
        np.add.at(counts[0, :, place], given.classes[found], 1)
        np.add.at(counts[1, :, place], given.classes[~found & ~in_crowd & (own > 0)], 1)
        lost = ~met & ~right.is_crowd & (right.classes >= 0) & (theirs > 0)
        np.add.at(counts[2, :, place], right.classes[lost], 1)
    return counts[0], counts[1], counts[2]


def _apart(one: Array, other: Array, n_classes: int) -> Array:
    """Mean distance of the outlines of each class, NaN where one of both has none."""
    found = np.full(n_classes, np.nan)
    for number in range(1, n_classes + 1):
        lines = [outline(each == number) for each in (one, other)]
        if lines[0].any() and lines[1].any():
            there, back = _distances(*lines), _distances(*lines[::-1])
            found[number - 1] = (there.sum() + back.sum()) / (len(there) + len(back))
    return found


def outline(mask: Array) -> Array:
    """(H, W) bool: pixels of the mask beside one that is not of it, or at the picture's border."""
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(mask & ~inside)


def _distances(lines: Array, other: Array) -> Array:
    """Of each pixel of the first to the nearest of the second."""
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(~other)[lines])


@dataclass(frozen=True)
class MaskMarks:
    """each: what was measured of each picture; given, right: the things themselves, as answers say them; classes:
    names; sizes: (n, 2) width and height of the pictures."""

    measures: tuple[Measured, ...]
    given: tuple[Sequence[Mapping[str, Any]], ...]
    right: tuple[Sequence[Mapping[str, Any]], ...]
    classes: tuple[str, ...]
    sizes: Array

    def __len__(self) -> int:
        return len(self.measures)

    @property
    def metrics(self) -> tuple[str, ...]:
        return MASK_METRICS

    @property
    def calibration_error(self) -> float | None:
        return None

    @cached_property
    def pixels(self) -> Array:
        """(n, 3, k) of those that are shared, given, right."""
        k = len(self.classes)
        return np.array([np.stack(each[:3]) for each in self.measures]).reshape(-1, 3, k)

    @cached_property
    def things(self) -> Array:
        """(n, 3, k, T) hits, wrong and missed ones."""
        shape = (-1, 3, len(self.classes), len(OVERLAPS))
        return np.array([np.stack(each[3:6]) for each in self.measures]).reshape(shape)

    @cached_property
    def n_there(self) -> Array:
        """(n, k) right things of each class, crowds not counted."""
        return np.asarray(self.things[:, 0, :, 0] + self.things[:, 2, :, 0])

    @cached_property
    def each(self) -> Array:
        """(n,) Dice of each picture."""
        whole = self.pixels[:, 1] + self.pixels[:, 2]
        dice = np.where(whole > 0, 2 * self.pixels[:, 0] / np.maximum(whole, 1), 0.0)
        n_seen = (whole > 0).sum(axis=1)
        return np.where(n_seen > 0, dice.sum(axis=1) / np.maximum(n_seen, 1), 1.0)

    @cached_property
    def each_ap(self) -> Array:
        """(n,) instance AP of each picture; 1 where no thing is there and none given."""
        counts = self.things.sum(axis=2)
        total = counts.sum(axis=1)
        shares = np.where(total > 0, counts[:, 0] / np.maximum(total, 1), 1.0)
        return np.asarray(shares.mean(axis=1))

    def value(self, metric: str, rows: Array | None = None) -> float:
        """NaN where nothing of it is there; `boundary_error` is in pixels."""
        chosen = np.arange(len(self)) if rows is None else rows
        if not len(chosen):
            return float("nan")
        if metric == IOU:
            return _mean(self.iou(chosen))
        if metric == BOUNDARY:
            apart = np.array([self.measures[place].apart for place in chosen.tolist()])
            return _mean(apart)
        return float((self.each if metric == DICE else self.each_ap)[chosen].mean())

    def iou(self, rows: Array | None = None) -> Array:
        """(k,) of each class over all pixels, NaN where it is neither there nor given."""
        shared, given, right = self.pixels.sum(axis=0) if rows is None else self.pixels[rows].sum(axis=0)
        union = given + right - shared
        return np.where(union > 0, shared / np.maximum(union, 1), np.nan)

    def dice(self) -> Array:
        """(k,) mean Dice of each class over the pictures where it is there or given, NaN where it is on none."""
        shared, given, right = self.pixels.transpose(1, 0, 2)
        whole = given + right
        found = np.where(whole > 0, 2 * shared / np.maximum(whole, 1), 0.0).sum(axis=0)
        n_seen = (whole > 0).sum(axis=0)
        return np.where(n_seen > 0, found / np.maximum(n_seen, 1), np.nan)

    def exact(self, metric: str) -> Estimate | None:
        return None

    def of(self, chosen: Array) -> "MaskMarks":
        """Of these pictures."""
        places = np.arange(len(self))[chosen].tolist()
        parts = ([each[place] for place in places] for each in (self.measures, self.given, self.right))
        measures, given, right = map(tuple, parts)
        return replace(self, measures=measures, given=given, right=right, sizes=self.sizes[places])


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
