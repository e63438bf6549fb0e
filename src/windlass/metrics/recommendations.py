"""Ranked lists beside what was liked afterwards: among all items, none of which is left out by a sample.

A row is a user. ndcg: Järvelin & Kekäläinen 2002, ACM TOIS 20(4), with gains of 0 and 1; reciprocal rank: Voorhees
1999, TREC-8; why no sampled metric: Krichene & Rendle 2020, KDD. Shapes: n rows, m items.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from windlass.metrics.measures import Array, Estimate, wilson

N_RANKED = 10
NDCG, RECALL, RECIPROCAL, HIT = "ndcg_at_10", "recall_at_10", "mrr", "hit_rate_at_10"
EACH = (NDCG, RECALL, RECIPROCAL, HIT)
"""Metrics that are means of rows."""
COVERAGE, GINI, TAIL = "coverage", "gini", "tail_share"
ITEM_METRICS = (*EACH, COVERAGE, GINI, TAIL)
HEAD = 0.2
"""Share of the items, the most popular ones, that are the head; the others are the tail."""
FEW = 5
"""Events of a history from which on a user counts as warm."""


@dataclass(frozen=True)
class RankedMarks:
    """shown: (n, N_RANKED) int, numbers of items, -1 where a list is shorter. each: of `EACH` the value of each row,
    (n,), NaN where nothing was liked. events: (m,) of training, of each item. n_events: (n,) of each history. n_right,
    n_unseen: (n,) items that were liked, and those of them that training has no event of. popular: what recommending
    what is popular would have reached; None: that is not known. facts: how it was measured, in words by name.
    """

    shown: Array
    each: Mapping[str, Array]
    events: Array
    n_events: Array
    n_right: Array
    n_unseen: Array
    popular: "RankedMarks | None" = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.shown)

    @property
    def metrics(self) -> tuple[str, ...]:
        return ITEM_METRICS

    @property
    def calibration_error(self) -> float | None:
        """None: a score is no probability."""
        return None

    def value(self, metric: str, rows: Array | None = None) -> float:
        """NaN where no row counts."""
        chosen = slice(None) if rows is None else rows
        if metric in self.each:
            known = self.each[metric][chosen]
            known = known[np.isfinite(known)]
            return float(known.mean()) if len(known) else float("nan")
        counts = self.exposure(chosen)
        if metric == COVERAGE:
            return float((counts > 0).mean()) if len(counts) else float("nan")
        return gini(counts) if metric == GINI else _share(counts[~self.is_head].sum(), counts.sum())

    def exposure(self, rows: Array | slice) -> Array:
        """(m,) in how many of these lists each item stands."""
        shown = self.shown[rows]
        return np.bincount(shown[shown >= 0], minlength=len(self.events))

    @cached_property
    def is_head(self) -> Array:
        """(m,) bool, the items that most events are of."""
        found = np.zeros(len(self.events), bool)
        found[np.argsort(-self.events, kind="stable")[: max(1, round(HEAD * len(self.events)))]] = True
        return found

    @property
    def is_cold(self) -> Array:
        """(n,) bool, users of whom little is known."""
        return self.n_events < FEW

    @property
    def novelty(self) -> float:
        """Bits: how unlikely the shown items are among the events of training, on average; Laplace's rule of zeros."""
        shown = self.shown[self.shown >= 0]
        shares = (self.events + 1) / (self.events.sum() + len(self.events))
        return float(-np.log2(shares[shown]).mean()) if len(shown) else float("nan")

    def exact(self, metric: str) -> Estimate | None:
        """A hit is a share of rows; where nothing is missed what may yet be is told by the number of rows."""
        known = self.each[metric][np.isfinite(self.each[metric])] if metric in self.each else np.zeros(0)
        if not len(known) or (metric != HIT and not known.min() >= 1 - 1e-12):
            return None
        return wilson(float(known.sum()), len(known))

    def of(self, chosen: Array) -> "RankedMarks":
        """Of these rows."""
        return RankedMarks(
            self.shown[chosen],
            {name: values[chosen] for name, values in self.each.items()},
            self.events,
            self.n_events[chosen],
            self.n_right[chosen],
            self.n_unseen[chosen],
            None if self.popular is None else self.popular.of(chosen),
            self.facts,
        )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def gini(counts: Array) -> float:
    """How unequally counts (m,) are spread: 0 = alike, nearly 1 = all on one.

    Source: Gini 1912; computed by ranks, as Dorfman 1979, Review of Economics and Statistics 61(1).
    """
    total, size = float(counts.sum()), len(counts)
    if not total:
        return float("nan")
    ranks = np.arange(1, size + 1)
    return float(2 * (ranks * np.sort(counts)).sum() / (size * total) - (size + 1) / size)


DISCOUNTS = 1 / np.log2(np.arange(2, N_RANKED + 2))


def of_list(ranks: Array) -> dict[str, float]:
    """Each of `EACH` of one row. ranks: (r,) int, where each of the items that were liked stands among all, from 1; r
    is at least 1; a large number where it is not recommended at all."""
    inside = np.sort(ranks[ranks <= N_RANKED])
    best = DISCOUNTS[: min(len(ranks), N_RANKED)].sum()
    return {
        NDCG: float(DISCOUNTS[inside - 1].sum() / best),
        RECALL: len(inside) / len(ranks),
        RECIPROCAL: 1 / float(ranks.min()),
        HIT: float(len(inside) > 0),
    }
