"""What makes one set of tags better than another: several labels a row, each with a probability of its own.

All take `targets` (n, k) bool, one column a tag, beside `answers` (n, k) bool or `probabilities` (n, k) float.
Where nothing is right and nothing is said, all is right: F1 and its means are 1. A tag that is neither right nor said
takes no part in `macro_f1`, one that is never right none in `map`.
Source: Tsoumakas, Katakis & Vlahavas 2010, Mining multi-label data (micro and macro averages, Hamming loss, subset
        accuracy).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windlass.metrics.measures import Array, Estimate, expected_calibration_error, wilson

MICRO_F1, MACRO_F1, MAP, SUBSET_ACCURACY, HAMMING = "micro_f1", "macro_f1", "map", "subset_accuracy", "hamming"
TAG_METRICS = (MICRO_F1, MACRO_F1, MAP, SUBSET_ACCURACY, HAMMING)
NEARNESS = "nearness"
"""One less the Hamming loss: the share of yes and no that is right."""


def f1_of(hits: Array, said: Array, right: Array) -> Array:
    """Harmonic mean of precision and recall of counts of any one shape; 1 where nothing is said and nothing right."""
    total = np.asarray(said + right, np.float64)
    return np.divide(2.0 * hits, total, out=np.ones_like(total), where=total > 0)


@dataclass(frozen=True)
class TagMarks:
    """A candidate's answers on rows whose tags are known.

    targets: (n, k) bool; probabilities: (n, k) float; thresholds: (k,) the probability from which on a tag is said.
    confidence: (n,) how likely the whole answer is right, None: not known. labels: the tags, in the order of columns.
    """

    targets: Array
    probabilities: Array
    thresholds: Array
    labels: tuple[str, ...] = ()
    confidence: Array | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def metrics(self) -> tuple[str, ...]:
        return TAG_METRICS

    @property
    def calibration_error(self) -> float | None:
        """Of the confidence that the whole answer is right."""
        if self.confidence is None or not len(self):
            return None
        shares = np.stack([1 - self.confidence, self.confidence], axis=1)
        return expected_calibration_error(self.right.astype(int), shares, answers=np.ones(len(self), int))

    @cached_property
    def answers(self) -> Array:
        """The tags that each row is answered with, (n, k) bool."""
        return np.asarray(self.probabilities >= self.thresholds)

    @cached_property
    def right(self) -> Array:
        """Rows whose answer has all right tags and no other, (n,) bool."""
        return np.asarray((self.answers == self.targets).all(axis=1))

    @cached_property
    def row_f1(self) -> Array:
        """(n,) F1 of each row's own tags."""
        hits, said, right = self._counts
        return f1_of(hits, said, right)

    def value(self, metric: str, rows: Array | None = None) -> float:
        """The metric of all rows, or of these (a row may be named several times)."""
        weights = np.ones(len(self)) if rows is None else np.bincount(rows, minlength=len(self)).astype(np.float64)
        return float(_VALUES[metric](self, weights))

    def exact(self, metric: str) -> Estimate | None:
        """Subset accuracy is a share. Where all is right, so many rows may yet hide one that is not: it would cost no
        more than itself."""
        if metric == SUBSET_ACCURACY:
            return wilson(float(self.right.sum()), len(self))
        if not len(self) or not self.right.all():
            return None
        least = wilson(len(self), len(self)).low
        if metric == HAMMING:
            return Estimate(0.0, 0.0, 1 - least)
        return Estimate(1.0, least, 1.0) if self.value(metric) >= 1 else None

    @cached_property
    def _counts(self) -> tuple[Array, Array, Array]:
        """Tags that are right and said, said, and right, of each row: (n,) float."""
        hits = (self.answers & self.targets).sum(axis=1)
        return hits.astype(float), self.answers.sum(axis=1).astype(float), self.targets.sum(axis=1).astype(float)

    @cached_property
    def _columns(self) -> tuple[Array, Array, Array]:
        """The same of each tag, not yet summed: (n, k) float."""
        return (self.answers & self.targets).astype(float), self.answers.astype(float), self.targets.astype(float)

    @cached_property
    def _ranks(self) -> tuple[Array, Array, Array]:
        """Rows by falling probability of each tag (n, k); the place where the run of equal ones ends (n, k); the
        targets in that order."""
        order = np.argsort(-self.probabilities, axis=0, kind="stable")
        scores = np.take_along_axis(self.probabilities, order, axis=0)
        last = np.ones(scores.shape, bool)
        last[:-1] = scores[:-1] != scores[1:]
        places = np.where(last, np.arange(len(scores))[:, None], len(scores))
        ends = np.minimum.accumulate(places[::-1], axis=0)[::-1]
        return order, ends, np.take_along_axis(self.targets, order, axis=0).astype(float)

    def _micro_f1(self, weights: Array) -> float:
        hits, said, right = (float(weights @ each) for each in self._counts)
        return float(f1_of(np.array(hits), np.array(said), np.array(right)))

    def _macro_f1(self, weights: Array) -> float:
        hits, said, right = (weights @ each for each in self._columns)
        seen = said + right > 0
        return float(f1_of(hits[seen], said[seen], right[seen]).mean()) if seen.any() else 1.0

    def _map(self, weights: Array) -> float:
        return mean_average_precision(self.average_precisions(weights))

    def average_precisions(self, weights: Array | None = None) -> Array:
        """(k,) mean precision at each recall step of a tag, tied probabilities taken together; NaN where it is never
        right. weights: (n,) how often each row counts."""
        if not len(self):
            return np.full(self.targets.shape[1], np.nan)
        order, ends, right = self._ranks
        counts = (np.ones(len(self)) if weights is None else weights)[order]
        hits, seen = np.cumsum(counts * right, axis=0), np.cumsum(counts, axis=0)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        gained = (counts * right * np.take_along_axis(precision, ends, axis=0)).sum(axis=0)
        return np.divide(gained, hits[-1], out=np.full(len(gained), np.nan), where=hits[-1] > 0)

    def _subset_accuracy(self, weights: Array) -> float:
        return float(weights @ self.right / weights.sum())

    def _nearness(self, weights: Array) -> float:
        return 1 - self._hamming(weights)

    def _hamming(self, weights: Array) -> float:
        wrong = (self.answers != self.targets).mean(axis=1)
        return float(weights @ wrong / weights.sum())


_VALUES = {
    MICRO_F1: TagMarks._micro_f1,
    MACRO_F1: TagMarks._macro_f1,
    MAP: TagMarks._map,
    SUBSET_ACCURACY: TagMarks._subset_accuracy,
    HAMMING: TagMarks._hamming,
    NEARNESS: TagMarks._nearness,
}


def mean_average_precision(values: Array) -> float:
    """The mean over tags that are right somewhere; NaN where none is."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


SHARES = np.round(np.arange(0.02, 0.985, 0.01), 2)
"""Thresholds that are tried."""
SAID_ALONE = 0.5
"""The threshold with which each yes and no is right as often as can be."""


def best_thresholds(metric: str, targets: Array, probabilities: Array) -> Array:
    """(k,) the probability from which on each tag is said, so that the metric is expected to be best.

    `macro_f1`: each tag its own, half of the F1 that it can reach: by calibrated probabilities, which is steadier than
    counting a few rows. `hamming`, `subset_accuracy`: what is likelier than not. `micro_f1`, and rankings, which hold
    at any: one for all tags, half of the F1 that they reach together; of expectation and rows the mean decides.
    Args:   targets, probabilities: (n, k), calibrated by other rows.
    Source: Lipton, Elkan & Naryanaswamy 2014, arXiv:1402.1892, theorem 1 and corollary 1.
    """
    n_tags = probabilities.shape[1]
    if metric in (HAMMING, SUBSET_ACCURACY) or not len(probabilities):
        return np.full(n_tags, SAID_ALONE)
    hits, said, seen = (_above(probabilities, each) for each in (probabilities, np.ones_like(probabilities), targets))
    right = probabilities.sum(axis=0)
    if metric == MACRO_F1:
        return np.asarray(SHARES[f1_of(hits, said, np.tile(right, (len(SHARES), 1))).argmax(axis=0)])
    every = np.full(len(SHARES), right.sum()), np.full(len(SHARES), float(targets.sum()))
    expected, counted = (
        f1_of(found.sum(axis=1), said.sum(axis=1), total) for found, total in zip((hits, seen), every, strict=True)
    )
    return np.full(n_tags, SHARES[(expected + counted).argmax()])


def _above(probabilities: Array, weights: Array) -> Array:
    """(97, k) the weights (n, k) of each tag's rows whose probability is at least each of `SHARES`, summed."""
    n_tags, n_bins = probabilities.shape[1], len(SHARES) + 1
    places = np.searchsorted(SHARES, probabilities, side="right") + n_bins * np.arange(n_tags)
    found = np.bincount(places.ravel(), weights.ravel().astype(float), minlength=n_bins * n_tags)
    return np.asarray(np.cumsum(found.reshape(n_tags, n_bins)[:, ::-1], axis=1)[:, ::-1][:, 1:].T)
