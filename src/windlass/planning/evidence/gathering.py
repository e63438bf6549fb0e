"""Everything known that a plan rests on: what was kept, what was tried for it; what is missing, with its command."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from windlass.improving.probation import REFUSED
from windlass.improving.verdict import is_changed
from windlass.metrics.measures import Estimate, LabelMarks, bootstrap
from windlass.outputs.contract import Scored
from windlass.outputs.labels.measures import label_marks_of
from windlass.planning.evidence import curves, judged_answers, probing, trials
from windlass.planning.snapshot import Snapshot
from windlass.records import Board, Candidate, Health, Improvement, Json, Prepared, Progress, Release, Splits, silent
from windlass.spec import Spec
from windlass.store.json_files import fingerprint

REFITTED = frozenset({"linear", "trees"})


@dataclass(frozen=True)
class Evidence:
    """What is known. goal: the number that is asked for, as the plan measures answers; scored: the chosen candidate's
    answers on the test rows, measured so; marks: the same where they are labels; curve, doubts, columns: from small
    trainings; others: candidate -> how much better than the chosen one; compressed: what 8-bit weights did; rules: what
    plain rules before the model would do; freshness: what later events brought; missing: what is not known."""

    spec: Spec
    goal: float | None
    board: Board
    prepared: Prepared
    splits: Splits
    scored: Scored | None
    marks: LabelMarks | None
    released: Release | None
    health: Health | None
    improvements: list[Improvement]
    feedback: Json
    points: list[Json]
    learner: str
    curve: curves.Curve | None
    doubts: Json
    columns: list[Json]
    validation: Json
    request_s: float | None
    others: dict[str, Estimate]
    compressed: Json = field(default_factory=dict)
    rules: Json = field(default_factory=dict)
    freshness: Json = field(default_factory=dict)
    missing: list[Json] = field(default_factory=list)

    @property
    def best(self) -> Candidate:
        """The chosen candidate."""
        return self.board.candidate(self.board.chosen)

    @property
    def metric(self) -> str:
        return self.scored.metric if self.scored is not None else self.board.headline

    @property
    def promoted(self) -> Improvement | None:
        """The improvement that made the champion, if one did."""
        champion = self.released.id if self.released else ""
        return next((each for each in self.improvements if champion and each.challenger == champion), None)

    @property
    def is_world_changed(self) -> bool:
        """The last attempt at a better champion was refused because old rows got worse while recent ones got better."""
        last = self.improvements[-1] if self.improvements else None
        return bool(
            last
            and self.released
            and last.champion == self.released.id
            and last.verdict == REFUSED
            and is_changed(last.evidence)
        )

    @property
    def today(self) -> Estimate | None:
        """The score on the test rows."""
        if self.scored is None or self.metric == self.board.headline:
            return self.best.metrics.get(self.metric)
        return bootstrap(self.scored.marks, self.metric, self.spec.seed)

    @property
    def state(self) -> str:
        """Changes when the leaderboard or the champion does."""
        return fingerprint([self.board.key, self.released.id if self.released else ""])

    @property
    def accuracy(self) -> Estimate | None:
        return self.best.metrics.get("accuracy")

    @property
    def n_rows(self) -> int:
        """Rows to learn from and to choose on: all but the test's, and those that `improve` learned from."""
        learned = self.promoted.rows.get("learned", 0) if self.promoted is not None else 0
        more = learned if isinstance(learned, int) else 0
        return self.prepared.rows["train"] + self.prepared.rows["validation"] + more

    @property
    def n_fitted(self) -> int:
        """Rows that the chosen candidate was fitted on; those that learn once more on all rows know the
        validation's."""
        return self.n_rows if self.best.learner in REFITTED else self.prepared.rows["train"]


def gather(found: Snapshot, progress: Progress = silent) -> Evidence:
    """What was kept, and the trials that nobody made before for these rows."""
    measured = trials.trainings(found, progress)
    scored, others = trials.scored(found)
    bound, points = found.goal.bound, measured["points"]
    request_s, compressed = trials.seconds_of_request(found, measured), trials.compressed(found, measured)
    return Evidence(
        spec=found.spec,
        goal=bound if bound is None or scored is None else scored.bound(bound),
        board=found.board,
        prepared=found.prepared,
        splits=found.splits,
        scored=scored,
        marks=label_marks_of(scored.marks) if scored is not None else None,
        released=found.champion.release if found.champion is not None else None,
        health=found.health,
        improvements=found.improvements,
        feedback=judged_answers.counted(found),
        points=points,
        learner=measured["learner"],
        curve=curves.fit(probing.points(points), found.spec.seed) if len(points) >= curves.LEAST_POINTS else None,
        doubts=measured["doubts"],
        columns=measured["columns"],
        validation=measured["validation"],
        request_s=request_s,
        others=others,
        compressed=compressed,
        rules=measured["rules"],
        freshness=measured["freshness"],
        missing=[{"what": what, "command": command} for what, command in _missing(found, measured, compressed)],
    )


def _missing(found: Snapshot, measured: Json, compressed: Json) -> Iterator[tuple[str, str]]:
    """What is not known, and what would tell it: an item that is not proposed must not look like "no need"."""
    if not found.improvements:
        yield "what learning from feedback brings", "`windlass improve`"
    if found.champion is None:
        yield "a release", "`windlass release`"
    if found.judged_fault:
        yield "feedback", found.judged_fault
    if not found.judged:
        yield "what users say was right", "`windlass serve` takes it at /v1/feedback"
    unfit = found.output.proposals
    if unfit is not None:
        yield "label noise, weak parts and the value of handing over", unfit.why
    elif measured["fault"] or len(measured["points"]) < curves.LEAST_POINTS:
        yield "what more rows bring", measured["fault"] or "too few rows to train on parts of them"
    if found.health is None:
        yield "drift, live quality and real traffic", "`windlass serve`, then `windlass watch`"
    if compressed.get("fault"):
        yield "what 8-bit weights bring", compressed["fault"]
