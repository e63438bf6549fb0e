"""Which candidate is taken: validation rows choose, test rows report.

A score that was looked at to choose is too good. So test rows are looked at once, for the candidate that was chosen;
where it misses the goal there, no other is taken in its place. With a number in the goal the cheapest that meets it is
taken. Else a tie goes to the cheap: the cheapest that is not measurably worse than the best.

Source: one standard error: Breiman et al. 1984, Classification and Regression Trees, section 3.4.3. Here it is that of
        the paired difference, by a bootstrap over rows: candidates that err on the same rows are told apart by fewer.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from windlass.evaluation.gate import LIMITED, is_trivial, limit_misses
from windlass.goals import Goal
from windlass.metrics.measures import (
    LOWER,
    Array,
    Estimate,
    Marks,
    doubtful_end,
    meets,
    paired_difference,
    paired_error,
    told,
)
from windlass.outputs.contract import Baseline, Validated
from windlass.records import Candidate
from windlass.spec import Limits

AS_CHEAP = 1.1
"""Times as long as the shortest p50 (as large as the smallest), within which nobody would tell two candidates apart on
another day."""
NOTICED_MS, NOTICED_MB = 0.5, 10.0
"""What breaks no tie: less than an answer costs over HTTP by itself, and than the process that gives it. Without this,
.66 ms had won over .75 ms (finance-phrasebank) and lost 2.7 points of macro-F1 on test rows."""
LEAST_REACHED = 0.5
"""Of the validation rows that another candidate was measured on; one of fewer is taken only in need."""
STANDARD_ERRORS = 1.0
"""How much worse than the best a cheaper candidate may be; 1.96 would be the cheapest whose 95 % interval holds 0.

Nine shared data sets, 40 draws of 50 of their validation rows: the best by score loses .31 points on test rows and
takes 1.8 ms, one standard error .22 points and .7 ms, 1.96 of them .21 and .5. Where dear candidates are truly better
(simulated, 100 rows) the three lose .8, 1.4 and 2.2 points, and take one that is dearer than it need be in 23, 7 and 1
of 100 cases: 1.96 throws quality away (docs/log.md, "choice and gate")."""


@dataclass(frozen=True)
class ChoiceEvidence:
    """What the choice looks at: candidates by name, on rows that they had not seen.

    baseline: what costs no model, and what it reaches on these rows. is_test: validation rows tell nothing, of which
    there are n_validation.
    """

    metric: str
    judged: Mapping[str, Validated]
    baseline: Baseline | None = None
    is_test: bool = False
    n_validation: int = 0

    @property
    def tells(self) -> bool:
        """Any candidate can be measured on these rows."""
        return any(each.value(self.metric) is not None for each in self.judged.values())

    @property
    def marks(self) -> dict[str, Marks]:
        """By name, those of the most rows first."""
        names = sorted(self.judged, key=lambda name: -len(self.judged[name].rows))
        return {name: self.judged[name].marks for name in names}

    def value(self, name: str, metric: str = "") -> float | None:
        """None: not measured, or on too few rows."""
        found = self.judged.get(name)
        most = max(len(each.rows) for each in self.judged.values())
        if found is None or len(found.rows) < LEAST_REACHED * most:
            return None
        return found.value(metric or self.metric)

    def quality(self, name: str) -> float:
        """The metric so that more is better; what is not measured comes last."""
        found = self.value(name)
        return -math.inf if found is None else _upward(self.metric, found)

    def is_worth_something(self, name: str) -> bool:
        """It solves something, and more than what costs no model."""
        found = self.value(name)
        return found is not None and not is_trivial(self.metric, found, self.baseline)

    def is_tie(self, best: str, other: str) -> bool:
        """The other is not measurably worse, on the rows that both were measured on."""
        if self.value(other) is None:
            return False
        first, second = self.judged[best], self.judged[other]
        _, ours, theirs = np.intersect1d(first.rows, second.rows, return_indices=True)
        if not len(ours):
            return False
        difference, error = paired_error(self.metric, _Part(first.marks, ours), _Part(second.marks, theirs))
        return difference <= STANDARD_ERRORS * error


@dataclass(frozen=True)
class _Part:
    """Some of the rows of other marks, (m,) int."""

    marks: Marks
    rows: Array

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def metrics(self) -> tuple[str, ...]:
        return self.marks.metrics

    @property
    def calibration_error(self) -> float | None:
        return None

    def value(self, metric: str, rows: Array | None = None) -> float:
        return self.marks.value(metric, self.rows if rows is None else self.rows[rows])

    def exact(self, metric: str) -> Estimate | None:
        return None


def basis(
    metric: str, found: Mapping[str, Validated | None], marks: Mapping[str, Marks], n_validation: int = 0
) -> ChoiceEvidence:
    """What validation rows say; where they say nothing, or there are none, what test rows (`marks`) say."""
    judged = {name: each for name, each in found.items() if each is not None and each.value(metric) is not None}
    if judged:
        return ChoiceEvidence(metric, judged, n_validation=n_validation)
    tested = {name: Validated(each, np.arange(len(each))) for name, each in marks.items()}
    return ChoiceEvidence(metric, tested, is_test=True, n_validation=n_validation)


@dataclass(frozen=True)
class Choice:
    """The candidate that is taken, and of which.

    best: the one with the best score. among: names of those that meet the goal; without a number in it, of those that
    are not measurably worse than the best. fits: it keeps the limits. is_smallest: of those that lose no more than
    `limits: {loss:}` allows.
    """

    name: str
    best: str
    among: tuple[str, ...]
    fits: bool = True
    is_smallest: bool = False


def choose(candidates: Sequence[Candidate], basis: ChoiceEvidence, goal: Goal, limits: Limits) -> Choice:
    """With a number in the goal: the cheapest (by p50) that meets goal and limits, of those as cheap the best; the best
    where none does. Else the cheapest of those that keep the limits and are not measurably worse than the best of them.
    What is worth nothing, or breaks a limit, is taken only in need."""
    fitting = [each for each in candidates if keeps_limits(each, basis, limits)]
    pool = fitting or list(candidates)
    pool = [each for each in pool if basis.is_worth_something(each.name)] or pool
    best = _best(pool, basis)
    near = [] if limits.loss is None else _near(candidates, pool, basis, goal, limits.loss)
    if near and fitting:
        names = tuple(each.name for each in near)
        smallest = min(near, key=lambda each: (each.size_mb, each.latency_p50_ms))
        return Choice(smallest.name, _best(candidates, basis).name, names, is_smallest=True)
    if goal.bound is None:
        equal = [each for each in pool if each is best or basis.is_tie(best.name, each.name)]
        return Choice(_cheapest(equal, basis).name, best.name, tuple(each.name for each in equal), bool(fitting))
    meeting = [each for each in pool if fitting and _meets(basis.value(each.name), goal)]
    taken = _best(_least(meeting, lambda each: each.latency_p50_ms), basis) if meeting else best
    return Choice(taken.name, best.name, tuple(each.name for each in meeting), bool(fitting))


def _near(
    candidates: Sequence[Candidate], pool: Sequence[Candidate], basis: ChoiceEvidence, goal: Goal, loss: float
) -> list[Candidate]:
    """Those of the pool that lose no more than this against the best of all; where some meet the goal, they alone."""
    top = max(basis.quality(each.name) for each in candidates)
    near = [each for each in pool if top - basis.quality(each.name) <= loss + 1e-9]
    return [each for each in near if _meets(basis.value(each.name), goal)] or near


def keeps_limits(candidate: Candidate, basis: ChoiceEvidence, limits: Limits) -> bool:
    """By what was measured of its cost, and on the rows of the basis."""
    known = {metric: basis.value(candidate.name, metric) for metric in LIMITED}
    metrics = {metric: Estimate(value, value, value) for metric, value in known.items() if value is not None}
    return not limit_misses(limits, candidate.latency_p95_ms, candidate.size_mb, metrics)


def _meets(value: float | None, goal: Goal) -> bool:
    return value is not None and goal.bound is not None and meets(goal.metric, value, goal.bound)


def _best(candidates: Sequence[Candidate], basis: ChoiceEvidence) -> Candidate:
    return max(candidates, key=lambda each: (basis.quality(each.name), -each.latency_p50_ms))


def _cheapest(candidates: Sequence[Candidate], basis: ChoiceEvidence) -> Candidate:
    """By p50, of those as fast by size, of those as small the best."""
    fast = _least(candidates, lambda each: each.latency_p50_ms, NOTICED_MS)
    return _best(_least(fast, lambda each: each.size_mb, NOTICED_MB), basis)


def _least(
    candidates: Sequence[Candidate], cost: Callable[[Candidate], float], noticed: float = 0.0
) -> list[Candidate]:
    """Those of the least cost, and those as cheap."""
    least = min(map(cost, candidates))
    return [each for each in candidates if cost(each) <= max(AS_CHEAP * least, least + noticed)]


def _upward(metric: str, value: float) -> float:
    """The value so that more is better."""
    return -value if metric in LOWER else value


def ranked(candidates: Sequence[Candidate], chosen: str, marks: Mapping[str, Marks], metric: str) -> list[Candidate]:
    """The candidates, best first by the test rows, each marked when these cannot tell it from the chosen one."""

    def quality(candidate: Candidate) -> float:
        found = candidate.metrics.get(metric)
        return -math.inf if found is None or math.isnan(found.value) else _upward(metric, found.value)

    marked = [
        replace(each, as_good_as_chosen=paired_difference(metric, marks[chosen], marks[each.name]).low <= 0)
        if each.name != chosen
        else each
        for each in candidates
    ]
    return sorted(marked, key=lambda each: -quality(each))


def why(choice: Choice, board: Sequence[Candidate], basis: ChoiceEvidence, goal: Goal, limits: Limits) -> str:
    """In a few sentences: why this candidate, and what of that is not certain. board: as `ranked` gives them."""
    chosen = next(each for each in board if each.name == choice.name)
    words = [_taken(choice, chosen, board, basis, goal, limits)]
    if basis.tells and choice.among and choice.fits and chosen.misses:
        words.append(f"On test rows it misses that: {'; '.join(chosen.misses)}. Test rows report, and choose no other.")
    score = chosen.metrics.get(goal.metric)
    end = doubtful_end(goal.metric, score, goal.bound) if score and goal.bound is not None else None
    if end is not None:
        words.append(f"The goal is met, though not for certain: the 95 % interval reaches to {told(end)}.")
    if basis.is_test and basis.tells:
        words.append(f"{_no_validation(basis)}: test rows have chosen, and its score on them is a little too good.")
    if chosen.worthless:
        words.append(f"A release of it is refused unless you insist (`windlass release --anyway`): {chosen.worthless}.")
    cheaper = [each.name for each in board if each.as_good_as_chosen and each.latency_p50_ms < chosen.latency_p50_ms]
    if cheaper:
        words.append(f"Cheaper and not measurably worse on these test rows: {', '.join(cheaper)}.")
    return " ".join(words)


def _no_validation(basis: ChoiceEvidence) -> str:
    """Why validation rows have not chosen."""
    if not basis.n_validation:
        return "There are no validation rows"
    rows = "validation row does" if basis.n_validation == 1 else "validation rows do"
    return f"The {basis.n_validation:,} {rows} not tell {basis.metric}"


def _taken(
    choice: Choice, chosen: Candidate, board: Sequence[Candidate], basis: ChoiceEvidence, goal: Goal, limits: Limits
) -> str:
    asked = bool(limits.model_dump(exclude_none=True))
    rows, within = "test" if basis.is_test else "validation", " within the limits" if asked else ""
    score = f"{chosen.metrics.get(goal.metric, 'not measured')}{goal.unit and ' '}{goal.unit} on test rows"
    if not basis.is_test:
        score = f"{_share(basis.value(choice.name))} there, {score}"
    cost = f"{chosen.latency_p50_ms:.1f} ms an answer"
    if not basis.tells:
        of = "" if choice.fits else " It breaks a limit, as all do."
        return (
            f"No candidate is better than another: {goal.metric} cannot be measured on the {rows} rows. "
            f"{choice.name} is shown as the quickest of them.{of}"
        )
    n_among = len(choice.among)
    if choice.is_smallest:
        best = next(each for each in board if each.name == choice.best)
        return (
            f"{choice.name} is the smallest of {n_among} candidates that lose at most {limits.loss:g} of {rows} "
            f"{goal.metric} against the best ({choice.best}: {_share(basis.value(choice.best))}, {best.size_mb:.1f} MB)"
            f": {score}, {chosen.size_mb:.1f} MB, {cost}."
        )
    if goal.bound is not None:
        meet = f"{goal.words}{' and the limits' if asked else ''} on {rows} rows"
        of = "the only candidate that meets" if n_among == 1 else f"the cheapest of {n_among} candidates that meet"
        if choice.among:
            return f"{choice.name} is {of} {meet}: {score}, {cost}."
        return f"No candidate meets {meet}; {choice.name} comes nearest: {'; '.join(chosen.misses) or score}."
    if not choice.fits:
        return f"No candidate keeps the limits; {choice.name} comes nearest: {'; '.join(chosen.misses)}."
    if choice.name == choice.best:
        return f"{choice.name} is the best by {rows} {goal.metric}{within}: {score}."
    best = next(each for each in board if each.name == choice.best)
    return (
        f"{choice.name} is the cheapest of {n_among} candidates that are not measurably worse than the best by {rows} "
        f"{goal.metric}{within} ({choice.best}: {_share(basis.value(choice.best))}, {best.latency_p50_ms:.1f} ms): "
        f"{score}, {cost}."
    )


def _share(value: float | None) -> str:
    return "not measured" if value is None else told(value)
