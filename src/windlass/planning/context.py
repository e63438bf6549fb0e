"""What every proposal is made from: the evidence, the product, the prices, and what follows from them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windlass.metrics.measures import LOWER
from windlass.planning.evidence.gathering import Evidence
from windlass.planning.evidence.slices import FairnessGap, Slice, parts, unequal, weak_slices
from windlass.planning.product import Prices, Product, label_cost
from windlass.planning.schedule.capacity import BUSIEST, REQUEST_S, Capacity
from windlass.planning.schedule.economics import AnswerValue, Comparison, characters, compare, costs, running, worth
from windlass.planning.schedule.handover import Handover, handover
from windlass.records import Candidate

MOST_READ = 500
"""Rows whose length is measured for what an API would cost."""


@dataclass(frozen=True)
class Setting:
    """Evidence and assumptions; what is derived from them is worked out once, when it is first asked for."""

    evidence: Evidence
    product: Product
    prices: Prices

    @property
    def label_cost(self) -> float:
        return label_cost(self.product, self.prices)

    @property
    def n_labels(self) -> int:
        return len(self.evidence.marks.labels) if self.evidence.marks is not None else 0

    @property
    def goal(self) -> float | None:
        return self.evidence.goal

    @property
    def missing_points(self) -> float:
        """What the score lacks to the goal; 0 or less when it is met, or nothing is asked for."""
        today = self.evidence.today
        if self.goal is None or today is None or self.evidence.metric in LOWER:
            return 0.0
        return self.goal - today.value

    @cached_property
    def worth(self) -> AnswerValue:
        return worth(self.product, self.evidence.points, self.evidence.validation)

    def gains(self, won: np.ndarray) -> np.ndarray:
        """What a share of the mistakes that is spared adds to today's score, which is itself known only so well."""
        today = self.evidence.today
        if today is None:
            return won * 0.0
        random = np.random.default_rng(self.evidence.spec.seed)
        spread = (today.high - today.low) / 3.92
        return won * np.clip(1.0 - today.value - spread * random.standard_normal(len(won)), 0.0, 1.0)

    @cached_property
    def handover(self) -> Handover | None:
        marks = self.evidence.marks
        return None if marks is None else handover(marks, costs(self.product, marks), self.evidence.spec.seed)

    def seconds_of(self, candidate: Candidate) -> float:
        """Processor seconds of one answer over HTTP: of the champion measured, of others by how their models differ."""
        base = self.evidence.request_s or self.evidence.best.latency_p50_ms / 1000 + REQUEST_S
        return max(base + (candidate.latency_p50_ms - self.evidence.best.latency_p50_ms) / 1000, base / 10)

    @property
    def request_s(self) -> float:
        """Processor seconds of one answer of the chosen candidate over HTTP."""
        return self.seconds_of(self.evidence.best)

    @property
    def cores_in_use(self) -> int:
        """Of the machines that serve today: a process keeps one busy."""
        return self.product.machines * self.product.workers

    @property
    def carried(self) -> float:
        """Answers a second that what runs today gives at most."""
        return self.cores_in_use / self.request_s

    @property
    def asked_for(self) -> float:
        """Answers a second that there must be, so that the peak stays below `BUSIEST` of them."""
        return self.product.peak / BUSIEST

    def running_with(self, more_ms: float) -> tuple[Capacity, float]:
        """Machines and their cost a month, if an answer took so many milliseconds of a processor more."""
        return running(max(self.request_s + more_ms / 1000, self.request_s / 10), self.product, self.prices)

    def running(self, candidate: Candidate) -> tuple[Capacity, float]:
        """The machines that a candidate needs at the peak, and what they cost a month."""
        return running(self.seconds_of(candidate), self.product, self.prices)

    @cached_property
    def comparison(self) -> Comparison:
        rows = self.evidence.splits.test.head(MOST_READ).to_dicts()
        return compare(self.request_s, self.product, self.prices, characters(rows, self.evidence.spec.inputs))

    @cached_property
    def right(self) -> np.ndarray:
        """(n,) whether each test row was answered right."""
        assert self.evidence.marks is not None
        return self.evidence.marks.right

    @cached_property
    def weak(self) -> list[Slice]:
        if self.evidence.marks is None:
            return []
        splits = self.evidence.splits
        return weak_slices(splits.test.to_dicts(), splits.train.to_dicts(), self.evidence.spec.inputs, self.right)

    def gap_of(self, words: str) -> float | None:
        """How many more of the answers are wrong where these words hold than elsewhere; None when nothing is so."""
        if self.evidence.marks is None:
            return None
        splits = self.evidence.splits
        found = parts(splits.test.to_dicts(), splits.train.to_dicts(), self.evidence.spec.inputs)
        mask = next((mask for _, name, mask in found if name == words), np.zeros(len(self.right), bool))
        return float(self.right[~mask].mean() - self.right[mask].mean()) if 0 < mask.sum() < len(mask) else None

    @cached_property
    def unequal(self) -> list[FairnessGap]:
        marks = self.evidence.marks
        if marks is None:
            return []
        marked = {name: self.evidence.spec.inputs[name] for name in self.product.sensitive}
        rows = self.evidence.splits.test.to_dicts()
        return unequal(rows, marked, marks.targets, marks.answers, marks.labels)
