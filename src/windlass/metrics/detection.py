"""Boxes beside the right ones: average precision as COCO measures it, and what is found from a threshold on.

Of each class, boxes are taken by falling score; one is right when its overlap with a right box that no better one has
taken is large enough. Boxes of a crowd (several things that nobody told apart) are neither right nor wrong.
Source: Lin et al. 2014, arXiv:1405.0312; cocoapi's `cocoeval.py`, 101 recalls, at most 100 boxes a picture.
Shapes: (n,) of pictures; D found and R right boxes, all pictures together; T overlaps; boxes (n, 4), xyxy in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from windlass.metrics import counting
from windlass.metrics.costs import COST, BoxCosts
from windlass.metrics.measures import Array, Estimate

MAP50, MAP, BOX_F1, BOX_PRECISION, BOX_RECALL, COUNT_ERROR = (
    "map50", "map50_95", "box_f1", "box_precision", "box_recall", "count_error",
)  # fmt: skip
BOX_METRICS = (MAP50, MAP, BOX_F1, BOX_PRECISION, BOX_RECALL, COUNT_ERROR)
OVERLAPS = np.linspace(0.5, 0.95, 10)
"""Of which the first decides in every metric but `map50_95`, their mean."""
RECALLS = np.linspace(0.0, 1.0, 101)
MOST_FOUND = 100
"""Boxes of a picture that are measured, the surest of each class."""
EXACT = 1 - 1e-10
SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""Square pixels of a box, as COCO parts them: what lies outside is neither right nor wrong."""
N_BINS = 15


class Found(NamedTuple):
    """What is on a picture, found or right. boxes: (n, 4); classes: (n,) int; scores: (n,), or of right ones whether it
    is a crowd, 0 or 1."""

    boxes: Array
    classes: Array
    scores: Array


NOTHING = Found(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0))


def overlaps(found: Array, right: Array, is_crowd: Array | None = None) -> Array:
    """(n, m) intersection over union of boxes (n, 4) and (m, 4); beside a crowd, over the found box's own area."""
    corner = np.minimum(found[:, None, 2:], right[None, :, 2:]) - np.maximum(found[:, None, :2], right[None, :, :2])
    shared = np.clip(corner, 0, None).prod(axis=2)
    own, other = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (found, right))
    union = own[:, None] + other[None, :] - shared
    if is_crowd is not None and is_crowd.any():
        union = np.where(is_crowd[None, :], own[:, None], union)
    return shared / np.maximum(union, 1e-12)


def matched(likeness: Array, is_crowd: Array, least: Array, is_beside: Array | None = None) -> tuple[Array, Array]:
    """Which right box each found one takes, (T, n) int, -1 = none; and whether it is neither right nor wrong, (T, n).

    Args: likeness: (n, m) overlaps, found boxes by falling score. is_crowd: (m,) bool. least: (T,) overlaps.
          is_beside: (m,) bool, right boxes that do not count but are taken once like others, such as those of another
          size; None: there are none.
    """
    is_idle = is_crowd if is_beside is None else is_crowd | is_beside
    n_found, n_right = likeness.shape
    takes, ignored = np.full((len(least), n_found), -1), np.zeros((len(least), n_found), bool)
    for number, bound in enumerate(least):
        taken = np.zeros(n_right, bool)
        for place in range(n_found if n_right else 0):
            free = np.where(taken & ~is_crowd, -1.0, likeness[place])
            own = np.where(is_idle, -1.0, free)
            best = int(own.argmax()) if own.max() >= min(bound, EXACT) else int(np.where(is_idle, free, -1.0).argmax())
            if free[best] >= min(bound, EXACT) and (not taken[best] or is_crowd[best]):
                takes[number, place], taken[best] = best, True
                ignored[number, place] = is_idle[best]
    return takes, ignored


@dataclass(frozen=True)
class ClassMatches:
    """Of one class in all pictures. scores: (D,); pictures: (D,) int; hits, ignored: (T, D) bool; n_right: (n,)."""

    scores: Array
    pictures: Array
    hits: Array
    ignored: Array
    n_right: Array

    @cached_property
    def order(self) -> Array:
        return np.argsort(-self.scores, kind="mergesort")

    def average_precision(self, weights: Array, n_overlaps: int) -> float:
        """Over the first so many overlaps; NaN where there is nothing to find. weights: (n,) how often a picture
        counts."""
        total = float((self.n_right * weights).sum())
        if not total:
            return float("nan")
        weight = weights[self.pictures[self.order]]
        hits = np.cumsum(self.hits[:n_overlaps, self.order] * weight, axis=1)
        wrong = ~self.hits[:n_overlaps] & ~self.ignored[:n_overlaps]
        misses = np.cumsum(wrong[:, self.order] * weight, axis=1)
        precision = hits / np.maximum(hits + misses, 1e-12)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        return float(np.mean([_at_recalls(rows / total, each) for rows, each in zip(hits, best, strict=True)]))

    def counts(self, threshold: float, weights: Array) -> tuple[float, float, float]:
        """Right and wrong boxes from this score on, and right boxes that are there, at the first overlap."""
        given = self.scores >= threshold
        weight = weights[self.pictures] * given
        hits = float((self.hits[0] * weight).sum())
        wrong = float((~self.hits[0] & ~self.ignored[0]) @ weight)
        return hits, wrong, float((self.n_right * weights).sum())


def _at_recalls(recall: Array, precision: Array) -> float:
    places = np.searchsorted(recall, RECALLS, side="left")
    padded = np.append(precision, 0.0)
    return float(padded[np.minimum(places, len(precision))].mean())


@dataclass(frozen=True)
class BoxMarks:
    """given: what is found, of all scores; right: what is there; classes: names; thresholds: (k,) of scores from which
    on a box is given; sizes: (n, 2) width and height of the pictures; costs: of mistakes, where known;
    boxes with a score in the band of their class have been looked at; count_factor: how wide intervals of counts are,
    None: that is not known."""

    given: tuple[Found, ...]
    right: tuple[Found, ...]
    classes: tuple[str, ...]
    thresholds: Array
    sizes: Array
    costs: BoxCosts | None = None
    count_factor: float | None = None

    def __len__(self) -> int:
        return len(self.right)

    @property
    def metrics(self) -> tuple[str, ...]:
        return BOX_METRICS if self.costs is None else (*BOX_METRICS, COST)

    @property
    def calibration_error(self) -> float | None:
        """Mean gap between the scores of the boxes that are given and the share of them that is right, over equal bins,
        weighted by boxes; None where none is given.

        Source: Küppers et al. 2020, arXiv:2004.13546 (D-ECE, by confidence alone).
        """
        scores, hits = (np.concatenate(each) for each in zip(*self._judged(), strict=True))
        bins = np.minimum((scores * N_BINS).astype(int), N_BINS - 1)
        gaps = np.bincount(bins, weights=hits - scores, minlength=N_BINS)
        return float(np.abs(gaps).sum() / len(scores)) if len(scores) else None

    def _judged(self) -> list[tuple[Array, Array]]:
        """Score and whether it is right, of the boxes of each class that are given."""
        found = []
        for each, least in zip(self.by_class, self.thresholds, strict=True):
            kept = (each.scores >= least) & ~each.ignored[0]
            found.append((each.scores[kept], each.hits[0][kept]))
        return found

    @cached_property
    def by_class(self) -> tuple[ClassMatches, ...]:
        return tuple(self._matches(number) for number in range(len(self.classes)))

    @cached_property
    def by_size(self) -> dict[str, tuple[ClassMatches, ...]]:
        """The same of things of each size alone."""
        every = range(len(self.classes))
        return {name: tuple(self._matches(number, area) for number in every) for name, area in SIZES.items()}

    def _matches(self, number: int, area: tuple[float, float] = (0.0, np.inf)) -> ClassMatches:
        """area: square pixels; what has less or more is neither right nor wrong."""
        parts, n_right = [], np.zeros(len(self))
        for picture, (found, right) in enumerate(zip(self.given, self.right, strict=True)):
            mine, theirs = found.classes == number, right.classes == number
            is_crowd, is_beside = right.scores[theirs] > 0, _outside(right.boxes[theirs], area)
            n_right[picture] = (~is_crowd & ~is_beside).sum()
            if not mine.any():
                continue
            order = np.argsort(-found.scores[mine], kind="mergesort")[:MOST_FOUND]
            boxes, scores = found.boxes[mine][order], found.scores[mine][order]
            likeness = overlaps(boxes, right.boxes[theirs], is_crowd)
            takes, ignored = matched(likeness, is_crowd, OVERLAPS, is_beside)
            ignored |= (takes < 0) & _outside(boxes, area)
            parts.append((scores, np.full(len(scores), picture), (takes >= 0) & ~ignored, ignored))
        if not parts:
            none = np.zeros((len(OVERLAPS), 0), bool)
            return ClassMatches(np.zeros(0), np.zeros(0, int), none, none, n_right)
        scores, pictures, hits, ignored = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
        return ClassMatches(scores, pictures, hits, ignored, n_right)

    @cached_property
    def n_given(self) -> Array:
        """(n, k) boxes of each class that are given."""
        return self._counted(self.given, lambda found: found.scores >= self.thresholds[found.classes])

    @cached_property
    def n_there(self) -> Array:
        """(n, k) right boxes of each class, crowds not counted."""
        return self._counted(self.right, lambda right: right.scores == 0)

    @cached_property
    def count_doubts(self) -> Array:
        """(n,) how doubtful each picture's count is, as `counting` has it."""
        return np.array([counting.doubt(found.scores, self.thresholds[found.classes]) for found in self.given])

    @cached_property
    def count_inside(self) -> Array | None:
        """(n,) whether each picture's count of all classes lies in its interval."""
        if self.count_factor is None:
            return None
        given, there = (each.sum(axis=1).tolist() for each in (self.n_given, self.n_there))
        return counting.inside(given, there, self.count_doubts.tolist(), self.count_factor)

    def _counted(self, things: Sequence[Found], counts: object) -> Array:
        assert callable(counts)
        k = len(self.classes)
        return np.array([np.bincount(each.classes[counts(each)], minlength=k)[:k] for each in things]).reshape(-1, k)

    def weights(self, rows: Array | None) -> Array:
        """How often each picture is among these rows, (n,)."""
        return np.ones(len(self)) if rows is None else np.bincount(rows, minlength=len(self)).astype(float)

    def value(self, metric: str, rows: Array | None = None) -> float:
        """NaN where nothing is there to be found; `count_error` is in boxes a picture."""
        if metric == COUNT_ERROR:
            off = np.abs(self.n_given - self.n_there).sum(axis=1)
            return float((off if rows is None else off[rows]).mean())
        if metric == COST:
            return float((self.picture_costs if rows is None else self.picture_costs[rows]).mean())
        weights = self.weights(rows)
        if metric in (MAP50, MAP):
            scores = [self.average_precision(number, metric, weights) for number in range(len(self.classes))]
            known = [score for score in scores if score == score]
            return float(np.mean(known)) if known else float("nan")
        counts = [each.counts(least, weights) for each, least in zip(self.by_class, self.thresholds, strict=True)]
        return _share(metric, *np.sum(counts, axis=0))

    def average_precision(
        self, number: int, metric: str = MAP50, weights: Array | None = None, size: str = ""
    ) -> float:
        """Of one class; size: of `SIZES`, or of things of any."""
        weights = np.ones(len(self)) if weights is None else weights
        matches = self.by_size[size][number] if size else self.by_class[number]
        return matches.average_precision(weights, 1 if metric == MAP50 else len(OVERLAPS))

    @cached_property
    def picture_costs(self) -> Array:
        """(n,) what the mistakes on each picture have cost, and the looks of people; NaN where costs are not known."""
        if self.costs is None:
            return np.full(len(self), np.nan)
        return np.sum([self.class_costs(number, *band) for number, band in enumerate(self.costs.bands)], axis=0)

    def class_costs(self, number: int, low: float, high: float) -> Array:
        """(n,) the same of one class, were this its band."""
        assert self.costs is not None
        matches = self.by_class[number]
        counted = (matches.scores >= low) & ~matches.ignored[0]
        is_looked_at = counted & (matches.scores < high)

        def a_picture(chosen: Array) -> Array:
            return np.bincount(matches.pictures[chosen], minlength=len(self))

        wrong = a_picture(counted & ~is_looked_at & ~matches.hits[0])
        missed = matches.n_right - a_picture(counted & matches.hits[0])
        return self.costs.of(number, wrong, a_picture(is_looked_at), missed)

    def exact(self, metric: str) -> Estimate | None:
        return None

    def only(self, number: int) -> "BoxMarks":
        """Of one class."""

        def mine(things: Found) -> Found:
            kept = things.classes == number
            return Found(things.boxes[kept], np.zeros(int(kept.sum()), int), things.scores[kept])

        given, right = (tuple(map(mine, each)) for each in (self.given, self.right))
        names, least = self.classes[number : number + 1], self.thresholds[number : number + 1]
        return replace(self, given=given, right=right, classes=names, thresholds=least, costs=None)

    def of(self, chosen: Array) -> "BoxMarks":
        """Of these pictures."""
        places = np.arange(len(self))[chosen].tolist()
        return replace(
            self,
            given=tuple(self.given[n] for n in places),
            right=tuple(self.right[n] for n in places),
            sizes=self.sizes[places],
        )

    @cached_property
    def each(self) -> Array:
        """(n,) F1 of the boxes that are given on each picture; 1 where nothing is there and nothing given."""
        return np.array([self._f1(picture) for picture in range(len(self))])

    def _f1(self, picture: int) -> float:
        hits = wrong = there = 0.0
        for matches, least in zip(self.by_class, self.thresholds, strict=True):
            given = (matches.pictures == picture) & (matches.scores >= least)
            hits += float(matches.hits[0][given].sum())
            wrong += float((~matches.hits[0] & ~matches.ignored[0])[given].sum())
            there += float(matches.n_right[picture])
        return 1.0 if not hits + wrong + there else 2 * hits / (hits + wrong + there)

    def best_thresholds(self) -> list[float]:
        """For each class the score from which on F1 is best; 0.5 where nothing tells it."""
        return [_best_threshold(matches) for matches in self.by_class]


def _outside(boxes: Array, area: tuple[float, float]) -> Array:
    """(n,) bool, of boxes (n, 4)."""
    found = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray((found < area[0]) | (found > area[1]))


def agree(one: Found, other: Found) -> bool:
    """The same classes lie at the same places: each box overlaps one of the other side by more than a half."""
    if len(one.classes) != len(other.classes):
        return False
    likeness = overlaps(one.boxes, other.boxes) * (one.classes[:, None] == other.classes[None, :])
    takes, _ = matched(likeness, np.zeros(len(other.classes), bool), OVERLAPS[:1])
    return bool((takes >= 0).all())


def _share(metric: str, hits: float, wrong: float, there: float) -> float:
    if metric == BOX_PRECISION:
        return (
            hits / (hits + wrong) if hits + wrong else 0.0 if there else float("nan")
        )  # nothing found, as scikit-learn
    if metric == BOX_RECALL:
        return hits / there if there else float("nan")
    return 2 * hits / (hits + wrong + there) if hits + wrong + there else float("nan")


UNKNOWN = 0.5


def _best_threshold(matches: ClassMatches) -> float:
    if not matches.hits[0].any():
        return UNKNOWN
    order, total = matches.order, matches.n_right.sum()
    hits = np.cumsum(matches.hits[0][order])
    wrong = np.cumsum((~matches.hits[0] & ~matches.ignored[0])[order])
    best = int((2 * hits / (hits + wrong + total)).argmax())
    scores = matches.scores[order]
    after = scores[best + 1] if best + 1 < len(scores) else 0.0
    return float((scores[best] + after) / 2)
