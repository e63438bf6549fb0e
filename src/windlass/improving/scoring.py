"""How answers of each kind are judged, from the rows that somebody corrected to the verdict: one record a kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.errors import SpecError, expected
from windlass.improving import new_labels, text_trust, trust
from windlass.improving.sheets import LabelSheet, Pairs, Sheet, TextSheet
from windlass.improving.taught import Taught, is_choice
from windlass.improving.text_trust import Train
from windlass.improving.trust import Known, Opinion
from windlass.kinds import table as kinds
from windlass.predictors.contract import Labeller, Predictor
from windlass.spec import Spec
from windlass.text_metrics import TEXT_METRICS

MOST_WRITTEN = 500
"""Of the test rows so many judge, evenly spread, where an answer is a text: writing takes its time."""


@dataclass(frozen=True)
class Scoring:
    """How one kind of answer is judged.

    is_same(one, other) -> both say the same. unfit(rows, train, spec) -> the rows, those set aside, or left waiting,
    whose answer is none that the product gives. opinion(rows, champion, known, spec) -> how much the rows
    contradict what is known. compare(pair, pairs, metric, root) -> champion and challenger on these rows.
    most_tested: rows of test that judge; None: all.
    """

    is_same: Callable[[str, str], bool]
    unfit: Callable[[Sequence[Taught], Train, Spec], list[Taught]]
    opinion: Callable[[Sequence[Taught], Predictor, Known, Spec], Opinion]
    compare: Callable[[tuple[Predictor, Predictor], Pairs, str, Path], Sheet]
    most_tested: int | None = None


def _labels_opinion(rows: Sequence[Taught], champion: Predictor, known: Known, spec: Spec) -> Opinion:
    return trust.opinion(_labeller(champion), rows, known.tested, known.root)


def _labels_compared(pair: tuple[Predictor, Predictor], pairs: Pairs, metric: str, root: Path) -> Sheet:
    return LabelSheet((_labeller(pair[0]), _labeller(pair[1])), pairs, root)


def _labeller(predictor: Predictor) -> Labeller:
    assert isinstance(predictor, Labeller)
    return predictor


def _texts_opinion(rows: Sequence[Taught], champion: Predictor, known: Known, spec: Spec) -> Opinion:
    return text_trust.opinion(rows, known.train, spec.inputs)


LABELS = Scoring(lambda one, other: one == other, new_labels.fit_to_learn, _labels_opinion, _labels_compared)
TEXTS = Scoring(text_trust.is_same, text_trust.unfit, _texts_opinion, TextSheet, MOST_WRITTEN)


def of(spec: Spec) -> Scoring:
    """Raises: SpecError: answers that feedback cannot judge."""
    if is_choice(spec):
        return LABELS
    metric = kinds.goal(spec).metric
    if spec.checks:
        raise SpecError(
            f"'checks' is '{spec.checks}', expected none: `improve` cannot run tests that feedback does not have",
            "rows with their tests belong into the data; `windlass run` learns from them",
        )
    if metric not in TEXT_METRICS:
        raise SpecError(
            f"goal asks for '{metric}', expected {expected(TEXT_METRICS)}: `improve` judges answers by right ones"
        )
    return TEXTS
