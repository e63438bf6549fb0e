"""What a window says against the release that answered in it: drift of inputs and answers, quality, data, latency.

Every test of a window belongs to one family: their p-values are adjusted together (Holm), so that a product of forty
columns has no more false alarms than one of two.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import numpy as np

from windlass.kinds.sketch import NO_SEASON, Shift, Sketch, Trait, alike, shift
from windlass.metrics.drift import holm, independent_share, more_often, surely_below
from windlass.metrics.measures import Estimate, wilson
from windlass.metrics.proportions import Proportion
from windlass.records import Json
from windlass.registry.reference import Profiles, Reference, answer_sketch, sketch_of
from windlass.watching.windows import Part

LEAST, LEAST_NOW = 50, 25
"""Rows of the reference, and of a window, that must be there before they are compared."""
LEAST_TOLD, LEAST_TOLD_BEFORE = 20, 50
MOST_DROP = 0.05
"""Of right answers, a share, from which on it matters."""
LEAST_RIGHT = 5
"""Feedback that calls answers right, below which it is taken for complaints alone."""
REFUSED = "refused"
"""The trait of answers that say that there is none."""
ESTIMATED, MEASURED, TESTED = "estimated", "measured", "tested"


@dataclass(frozen=True)
class Finding:
    """One measured thing. name, subject: of the alarm that it would be; trait: what of the subject.

    effect: how large, `limit` from where it matters; p: by chance alone, adjusted for all that was looked at.
    before, now: what people compare, where there are such numbers; unit: of these.
    """

    name: str
    subject: str
    trait: str
    effect: float
    limit: float
    p: float
    before: float | None = None
    now: float | None = None
    unit: str = "share"

    @property
    def is_large(self) -> bool:
        return self.effect >= self.limit

    def as_json(self) -> Json:
        shown = {
            name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in asdict(self).items()
        }
        return {**shown, "large": self.is_large}


class Told(NamedTuple):
    """Answers that feedback calls right, and wrong. share: of them that tells something of its own; feedback on
    forecasts that overlap says the same again."""

    right: int
    wrong: int
    share: float = 1.0

    @classmethod
    def of(cls, right: Sequence[bool]) -> "Told":
        """Of feedback in its order."""
        hits = sum(right)
        return cls(hits, len(right) - hits, independent_share(np.array(right, np.float64)))

    @property
    def n(self) -> int:
        return self.right + self.wrong

    def own(self, share: float) -> Proportion:
        """Wrong ones, where such a share of them tells something of its own."""
        return Proportion(round(share * self.wrong), round(share * self.n))


def findings(parts: Sequence[Part], reference: Reference, output: str, told: Told, told_before: Told) -> list[Finding]:
    """All that was compared, p-values adjusted together.

    Args: parts: the window, and where it has few rows the same with the window before. output: the column that is
          answered. told, told_before: of this window, and of those before.
    """
    part, profiled = parts[0], [_Profiled(part, reference) for part in parts]
    found = [
        *(finding for known in profiled for finding in [*_columns(known), *_written(known)]),
        *_answers(part, reference, output),
        *_sureness(part, reference),
        *_feedback(told, told_before),
    ]
    adjusted = holm([finding.p for finding in found])
    return [replace(finding, p=p) for finding, p in zip(found, adjusted, strict=True)]


class _Profiled:
    """Profiles of a window in the order of time, and those of the reference that are of its time of the year."""

    def __init__(self, part: Part, reference: Reference) -> None:
        seen = sorted((each for each in part.sample if each.profile), key=lambda each: each.at)
        self.rows, self.reference = [json.loads(each.profile) for each in seen], reference
        self.weeks: tuple[np.ndarray, np.ndarray] | None = None
        for place, column in enumerate(reference.columns):
            week = sketch_of(column).season(column.state)
            if week != NO_SEASON and len(now := self.now(place)):
                self.weeks = reference.profiles[place][:, week], now[:, week]
        self.alike = alike(*self.weeks) if self.weeks else np.ones(reference.n_rows, bool)
        self.of_week: dict[int, np.ndarray] = {}
        if self.weeks:
            before, weeks = self.weeks[0], set(self.weeks[1].tolist())
            self.of_week = {week: np.flatnonzero(alike(before, np.array([week]), LEAST_NOW)) for week in weeks}

    def now(self, place: int) -> np.ndarray:
        """(n, k) of the column at this place; (0,) where none is known."""
        found = [row[place] for row in self.rows if len(row) > place and row[place] is not None]
        return np.array(found, np.int32)

    def before(self, profiles: np.ndarray) -> np.ndarray:
        """Of the reference's profiles those to compare with."""
        return profiles[self.alike] if len(profiles) == len(self.alike) else profiles

    def usual(self, profiles: np.ndarray) -> np.ndarray | None:
        """(n, k): what was usual in the week of each row; None: no week is known."""
        if self.weeks is None or len(profiles) != len(self.alike) or len(self.rows) != len(self.weeks[1]):
            return None
        means = {week: profiles[rows].mean(axis=0) for week, rows in self.of_week.items()}
        return np.array([means[week] for week in self.weeks[1].tolist()])


def _columns(known: _Profiled) -> list[Finding]:
    return [
        finding
        for place, column in enumerate(known.reference.columns)
        for finding in _drift(known, place, Profiles(column, known.reference.profiles[place]), sketch_of(column))
    ]


def _written(known: _Profiled) -> list[Finding]:
    """Answers against those that the release gave when it was made: their profiles come after those of the inputs."""
    written = known.reference.written
    if written is None:
        return []
    return _drift(known, len(known.reference.columns), written, answer_sketch(written.column))


def _drift(known: _Profiled, place: int, of: Profiles, sketch: Sketch) -> list[Finding]:
    """What is said of the profiles at this place. of: those of the reference."""
    column, now, before = of.column, known.now(place), known.before(of.profiles)
    if len(now) < LEAST_NOW or len(before) < LEAST or now.ndim != 2 or now.shape[1] != before.shape[1]:
        return []
    moves = sketch.drift(column.state, before, now, known.usual(of.profiles))
    return [_moved(alarm_of(moved), column.name, moved) for moved in moves]


def alarm_of(moved: Shift) -> str:
    """The alarm that a shift would be. More refusals have a name of their own; fewer are a shift like any other."""
    is_more = moved.before is not None and moved.now is not None and moved.now > moved.before
    return "refusals" if moved.trait == REFUSED and is_more else "data" if moved.form == "rate" else "drift"


def _moved(name: str, subject: str, moved: Shift) -> Finding:
    unit = "share" if moved.form == "rate" else "median" if moved.now is not None else moved.form
    return Finding(name, subject, moved.trait, moved.effect, moved.limit, moved.p, moved.before, moved.now, unit)


def _answers(part: Part, reference: Reference, output: str) -> list[Finding]:
    """The mix of the answers against that of the reference."""
    given = [seen.value for seen in part.sample if seen.value]
    labels = sorted({*reference.mix, *given})
    code = {label: place + 1 for place, label in enumerate(labels)}
    before = [code[label] for label, count in reference.mix.items() for _ in range(count)]
    if min(len(before), len(given)) < LEAST:
        return []
    trait = Trait("answers", "names", 0, len(labels) + 1)
    moved = shift(trait, np.array(before)[:, None], np.array([code[value] for value in given])[:, None])
    return [_moved("drift", output, moved)]


def threshold(reference: Reference) -> float | None:
    """The confidence above which as many answers lie as were right, of rows whose right answer was known.

    Source: Garg et al. 2022, "Leveraging unlabeled data to predict out-of-distribution performance" (ATC), with the
    largest probability as score. It assumes that what makes an answer unsure makes it wrong as often as it did then.
    """
    if min(len(reference.right), len(reference.confidence)) < LEAST:
        return None
    wrong = 1 - float(reference.right.mean())
    return float(np.quantile(reference.confidence, wrong, method="higher"))


def _sureness(part: Part, reference: Reference) -> list[Finding]:
    """More unsure answers than the reference had: the estimated quality falls; and how sure answers are at all."""
    limit = threshold(reference)
    sure = np.array([seen.confidence for seen in part.sample if seen.confidence is not None])
    if limit is None or len(sure) < LEAST:
        return []
    low, low_now = int((reference.confidence < limit).sum()), int((sure < limit).sum())
    test = more_often(Proportion(low, len(reference.confidence)), Proportion(low_now, len(sure)))
    before, now = 1 - low / len(reference.confidence), 1 - low_now / len(sure)
    return [Finding("quality", ESTIMATED, "right answers", test.distance, MOST_DROP, test.p, before, now)]


def estimated(part: Part, reference: Reference | None) -> Estimate | None:
    """The share of right answers as the confidence of the answers tells it, with its 95 % interval."""
    limit = threshold(reference) if reference is not None else None
    sure = [seen.confidence for seen in part.sample if seen.confidence is not None]
    if limit is None or len(sure) < LEAST:
        return None
    hits = sum(confidence >= limit for confidence in sure)
    return wilson(hits, len(sure))


def measured(right: int, wrong: int) -> Estimate | None:
    """The share of right answers among those that somebody spoke of, with its 95 % interval.

    Who is wronged speaks more often: it is compared with itself over time, and with a test score by `against_test`.
    """
    told = right + wrong
    return wilson(right, told) if told else None


def heard(right: int, wrong: int, answers: int) -> tuple[int, int]:
    """Right answers, and of how many, as feedback has it. Where hardly anybody calls an answer right, only complaints
    come in: then all the other answers count as right."""
    told = right + wrong
    return (right, told) if right >= LEAST_RIGHT else (max(right, answers - wrong), max(answers, told))


def below(hits: int, n: int, tested: Estimate) -> float:
    """p that as large a share is right by feedback as was tested, less `MOST_DROP`; 1 while there is too little of it.

    Who is wronged speaks more often, so it must fall short of the lower end of what was tested by more than that.
    """
    bound = tested.low - MOST_DROP
    return surely_below(hits, n, bound) if n >= LEAST_TOLD and 0 < bound < 1 else 1.0


def against_test(right: int, wrong: int, answers: int, reference: Reference) -> Finding | None:
    """All feedback on a release against the rows that it was tested on. answers: how many it gave in all."""
    if not len(reference.right) or right + wrong < LEAST_TOLD:
        return None
    tested = wilson(int(reference.right.sum()), len(reference.right))
    hits, n = heard(right, wrong, answers)
    p, now = below(hits, n, tested), hits / n
    return Finding("quality", TESTED, "right answers", tested.value - now, MOST_DROP, p, tested.value, now)


def _feedback(told: Told, told_before: Told) -> list[Finding]:
    now, before = told.n, told_before.n
    if now < LEAST_TOLD or before < LEAST_TOLD_BEFORE:
        return []
    share = told_before.share  # of now would be low where it is half before and half after a change
    test = more_often(told_before.own(share), told.own(share))
    return [
        Finding(
            "quality",
            MEASURED,
            "right answers",
            told.wrong / now - told_before.wrong / before,
            MOST_DROP,
            test.p,
            told_before.right / before,
            told.right / now,
        )
    ]
