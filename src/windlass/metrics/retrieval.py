"""How well passages are found, and how well a refusal knows when none answers.

`ranks` are (n,) float: the place of the first right passage from 0 on, infinite where it was not found.
`likely` are (n,) float, larger the surer; `is_right` (n,) bool: whether answering would have been right.
"""

from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Array, Estimate, roc_auc, wilson

RECALL_1, RECALL_5, RECALL_10, MRR_10 = "recall@1", "recall@5", "recall@10", "mrr@10"
RETRIEVAL_METRICS = (RECALL_1, RECALL_5, RECALL_10, MRR_10)
ANSWERABLE_AUC, ANSWERED = "answerable_auc", "answered"
MOST_RANKED = 10
CONFIDENCE = 0.95


def recall_at(ranks: Array, k: int) -> float:
    """The share of questions whose right passage is among the first k."""
    return float((ranks < k).mean())


def reciprocal_rank(ranks: Array, k: int = MOST_RANKED) -> float:
    """The mean of 1 / (rank + 1), 0 beyond the first k. Source: Voorhees 1999, TREC-8 (MRR)."""
    return float(np.where(ranks < k, 1.0 / (ranks + 1.0), 0.0).mean())


def ranks_of(ranked: Array, right: Array) -> float:
    """The rank of the first passage of `ranked` that is in `right`; infinite where none is."""
    hits = np.flatnonzero(np.isin(ranked, right))
    return float(hits[0]) if len(hits) else float("inf")


@dataclass(frozen=True)
class RetrievalMarks:
    """What was found for questions whose passage is known, ready to be resampled (`measures.Marks`)."""

    ranks: Array
    calibration_error: float | None = None

    def __len__(self) -> int:
        return len(self.ranks)

    @property
    def metrics(self) -> tuple[str, ...]:
        return RETRIEVAL_METRICS

    def value(self, metric: str, rows: Array | None = None) -> float:
        """The metric of all questions, or of these (one may be named several times)."""
        chosen = self.ranks if rows is None else self.ranks[rows]
        return reciprocal_rank(chosen) if metric == MRR_10 else recall_at(chosen, int(metric.partition("@")[2]))

    def exact(self, metric: str) -> Estimate | None:
        """Recall is a share of questions, the mean reciprocal rank is resampled."""
        if metric == MRR_10:
            return None
        return wilson(float((self.ranks < int(metric.partition("@")[2])).sum()), len(self))


@dataclass(frozen=True)
class RefusalMarks:
    """Likelihoods beside whether answering was right, ready to be resampled."""

    likely: Array
    is_right: Array
    risk: float = 0.05
    calibration_error: float | None = None

    def __len__(self) -> int:
        return len(self.likely)

    @property
    def metrics(self) -> tuple[str, ...]:
        return (ANSWERABLE_AUC, ANSWERED)

    def value(self, metric: str, rows: Array | None = None) -> float:
        chosen = slice(None) if rows is None else rows
        likely, right = self.likely[chosen], self.is_right[chosen]
        return answerable_auc(likely, right) if metric == ANSWERABLE_AUC else answered_at(likely, right, self.risk)

    def exact(self, metric: str) -> Estimate | None:
        return None


def answerable_auc(likely: Array, is_right: Array) -> float:
    """Chance that a question that can be answered is held likelier than one that cannot; NaN without both."""
    return roc_auc(is_right.astype(int), np.column_stack([-likely, likely]))


@dataclass(frozen=True)
class RiskCoverage:
    """From the strictest threshold to the laxest: coverage (m,) the share answered, risk (m,) the share of wrong ones
    among them, upper (m,) its upper bound. Source: El-Yaniv & Wiener 2010, JMLR 11."""

    thresholds: Array
    coverage: Array
    risk: Array
    upper: Array


def risk_coverage(likely: Array, is_right: Array, confidence: float = CONFIDENCE) -> RiskCoverage:
    """A point for each different likelihood: what is at least as likely is answered."""
    order = np.argsort(-likely, kind="stable")
    last = np.append(np.flatnonzero(np.diff(likely[order])), len(order) - 1) if len(order) else np.zeros(0, int)
    wrong, n = np.cumsum(~is_right[order])[last], last + 1.0
    upper = clopper_pearson_upper(wrong, n, confidence)
    return RiskCoverage(likely[order][last], n / max(1, len(order)), wrong / n, upper)


def answered_at(likely: Array, is_right: Array, risk: float) -> float:
    """The largest share of the answerable questions that are answered with at most so large a share of others."""
    curve = risk_coverage(likely, is_right)
    n = curve.coverage * len(likely)
    kept = curve.risk <= risk
    return float(((n - n * curve.risk)[kept]).max(initial=0.0) / max(1, int(is_right.sum())))


def clopper_pearson_upper(wrong: Array, n: Array, confidence: float = CONFIDENCE) -> Array:
    """The one-sided upper bound of a share of which `wrong` of `n` were counted; 1 of none.

    Source: Clopper & Pearson 1934, Biometrika 26(4).
    """
    from scipy.special import betaincinv

    wrong, n = np.asarray(wrong, np.float64), np.asarray(n, np.float64)
    inner = (wrong < n) & (n > 0)
    found = betaincinv(np.where(inner, wrong + 1, 1.0), np.where(inner, n - wrong, 1.0), confidence)
    return np.where(inner, found, 1.0)


N_STEPS = 40
FORGIVEN = 5
"""Wrong answers that the bound of the first threshold that is tried can still bear: a stricter one is lost by bad luck
alone (of 59 answers not one may be wrong for 5 % to hold), and with it all that come after."""


def threshold_at(likely: Array, is_right: Array, risk: float, confidence: float = CONFIDENCE) -> float:
    """The laxest likelihood from which on to answer so that the share of wrong answers stays within the risk, with this
    confidence; infinite where no threshold holds it: then nothing is answered.

    Thresholds are tried from strict to lax in `N_STEPS` steps that follow from the likelihoods alone, and the last one
    before a bound exceeds the risk is taken: fixed sequence testing, so that the choice does not spoil the bound.
    Source: Angelopoulos et al. 2021, arXiv:2110.01052, section 2.2.
    """
    sizes = np.arange(1, len(likely) + 1)
    bearing = sizes[clopper_pearson_upper(np.full(len(sizes), float(FORGIVEN)), sizes, confidence) <= risk]
    faultless = sizes[clopper_pearson_upper(np.zeros(len(sizes)), sizes, confidence) <= risk]
    first = bearing if len(bearing) else faultless[-1:]
    if not len(first):
        return float("inf")
    ordered, found = np.sort(likely)[::-1], float("inf")
    for size in np.unique(np.linspace(first[0], len(likely), N_STEPS).astype(int)):
        threshold = float(ordered[size - 1])
        taken = likely >= threshold
        if clopper_pearson_upper((taken & ~is_right).sum(), taken.sum(), confidence) > risk:
            break
        found = threshold
    return found
