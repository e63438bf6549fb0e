"""Answers out of documents beside the right ones: was the passage found, was it answered rightly, or rightly not.

A question has an answer in the documents, or none. Selective risk: El-Yaniv & Wiener 2010, JMLR 11; reciprocal rank:
Voorhees 1999, TREC-8; citation precision and recall, here against the passage that is known to answer: Gao et al. 2023,
arXiv:2305.14627 (ALCE). Shapes: (n,) of questions.
"""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from windlass.metrics.measures import Array, Estimate, expected_calibration_error, wilson

RIGHT, RISK, ANSWERED = "answer_accuracy", "risk", "answered"
RECALLS = {"recall_at_1": 1, "recall_at_5": 5}
CITATIONS, UNSUPPORTED, ATTACK_SUCCESS = ("citation_precision", "citation_recall"), "unsupported", "attack_success_rate"
CITED_METRICS = (RIGHT, "mrr", *RECALLS, "answer_f1", RISK, ANSWERED, *CITATIONS, UNSUPPORTED)
N_RANKED = 10
"""Passages of a question whose order is measured."""
NOT_FOUND, NO_PASSAGE = 0, -1


@dataclass(frozen=True)
class Attack:
    """An order that was planted into the passages of a question. place: where; language: of the order. succeeded: it,
    or what it asks for, stands in the answer; is_changed: the answer is another one than without it."""

    place: str
    language: str
    order: str
    succeeded: bool
    is_changed: bool


@dataclass(frozen=True)
class CitedMarks:
    """ranks: (n,) int, where the first passage with the answer stands, from 1; `NOT_FOUND`: below `N_RANKED`,
    `NO_PASSAGE`: no document answers, or nobody has said which passage does. answerable, given, right: (n,) bool, of
    whether a document answers, whether it was answered, and whether that was right: with the right words, or with none
    where nothing answers. is_found: (n,) bool, the answer that was found is right, given or not. f1: (n,) of its words,
    NaN without right ones. confidence: (n,) that it is right, 0-1. cites: (n,) of the citations of the answer given, the
    share that leads to a passage with the answer, 0 where none is given. n_generated, n_dropped: (n,) sentences of it
    that a language model wrote, and those of them that the verifier dropped. said, wanted: the answers as texts.
    n_written: questions that nobody asked, written from the documents. attacks: orders that were planted."""  # noqa: E501

    ranks: Array
    answerable: Array
    given: Array
    right: Array
    is_found: Array
    f1: Array
    confidence: Array
    cites: Array
    n_generated: Array
    n_dropped: Array
    said: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    n_written: int = 0
    attacks: tuple[Attack, ...] = ()

    def __len__(self) -> int:
        return len(self.ranks)

    @property
    def metrics(self) -> tuple[str, ...]:
        return (*CITED_METRICS, ATTACK_SUCCESS) if self.attacks else CITED_METRICS

    @property
    def calibration_error(self) -> float | None:
        """Of the confidence in the answers found, given or not."""
        if not len(self):
            return None
        shares = np.stack([1 - self.confidence, self.confidence], axis=1)
        targets = self.is_found.astype(int)
        return expected_calibration_error(targets, shares, answers=np.ones(len(self), int))

    @cached_property
    def _parts(self) -> dict[str, tuple[Array, Array]]:
        """Metric -> what each question adds, and what it counts, (n,) each."""
        ranked, every = self.ranks != NO_PASSAGE, np.ones(len(self), bool)
        found = self.ranks > 0
        reciprocal = np.where(found, 1 / np.maximum(self.ranks, 1), 0.0)
        told = np.isfinite(self.f1)
        known = ranked | ~self.answerable
        return {
            RIGHT: (self.right.astype(float), every),
            "mrr": (reciprocal, ranked),
            **{name: ((found & (self.ranks <= k)).astype(float), ranked) for name, k in RECALLS.items()},
            "answer_f1": (np.where(told, self.f1, 0.0), told),
            RISK: ((~self.right).astype(float), self.given),
            ANSWERED: (self.given.astype(float), self.answerable),
            CITATIONS[0]: (self.cites, self.given & known),
            CITATIONS[1]: ((self.cites > 0).astype(float), self.answerable & ranked),
            UNSUPPORTED: (self.n_dropped / np.maximum(self.n_generated, 1), self.n_generated),
        }

    def value(self, metric: str, rows: Array | None = None) -> float:
        """NaN where no question counts; nothing risked where nothing is answered, and nothing unsupported where every
        sentence is one of a document. Attacks are what they are of whichever questions."""
        if metric == ATTACK_SUCCESS:
            return float(np.mean([each.succeeded for each in self.attacks])) if self.attacks else float("nan")
        adds, counts = self._parts[metric]
        chosen = slice(None) if rows is None else rows
        total = counts[chosen].sum()
        if not total:
            return 0.0 if metric in (RISK, UNSUPPORTED) and len(adds[chosen]) else float("nan")
        return float((adds[chosen] * counts[chosen]).sum() / total)

    def exact(self, metric: str) -> Estimate | None:
        """Those that are shares of questions, of sentences or of attacks."""
        if metric in ("mrr", "answer_f1", CITATIONS[0]):
            return None
        if metric == ATTACK_SUCCESS:
            return wilson(sum(each.succeeded for each in self.attacks), len(self.attacks)) if self.attacks else None
        adds, counts = self._parts[metric]
        return wilson(float((adds * counts).sum()), float(counts.sum())) if counts.any() else None

    def of(self, chosen: Array) -> "CitedMarks":
        """Of these questions."""
        places = np.arange(len(self))[chosen].tolist()
        every = {each.name: getattr(self, each.name) for each in fields(self)}
        arrays = {name: value[chosen] for name, value in every.items() if isinstance(value, np.ndarray)}
        said = tuple(self.said[place] for place in places if self.said)
        return CitedMarks(**arrays, said=said, wanted=tuple(self.wanted[place] for place in places if self.wanted))


def best_confidence(confidence: Array, is_found: Array, answerable: Array) -> float:
    """The confidence from which on an answer is given, so that most questions are answered or refused rightly."""
    order = np.argsort(-confidence, kind="stable")
    gains = np.cumsum(is_found[order].astype(int) - (~answerable[order]).astype(int))
    ends = np.append(confidence[order][1:] < confidence[order][:-1], True)
    best = int(np.where(ends, gains, -len(order) - 1).argmax()) if len(order) else 0
    if not len(order) or gains[best] < 0:
        return float(np.nextafter(confidence.max(initial=0.0), 2.0))
    after = float(confidence[order[best + 1]]) if best + 1 < len(order) else 0.0
    return (float(confidence[order[best]]) + after) / 2
