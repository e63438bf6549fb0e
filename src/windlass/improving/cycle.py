"""One attempt at a better champion, step by step; each step is written down when it is done, so that a killed attempt
goes on where it stood.

gather: what was taught becomes rows that are learned, or not, each with its reason. challenge: candidates are trained
on all rows, old and new, and measured. judge: champion against challenger. publish: the challenger passes the gate of
every release. promote: it becomes the champion, or goes on trial.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from windlass.database.backend import Database
from windlass.database.people_answers import people_answers
from windlass.errors import NotReady, WindlassError
from windlass.improving import attempts, experiment, people, selection, training_feedback
from windlass.improving.attempts import WORD, Attempt
from windlass.improving.gathering import Gathering, labelled_pairs
from windlass.improving.probation import CANARY, PROMOTED, RECORD, REFUSED, conclude_trial
from windlass.improving.verdict import JudgedRows, Verdict, judge
from windlass.kinds import table as kinds
from windlass.learners.table import LEARNERS
from windlass.outputs import table as outputs
from windlass.outputs.labelled_row import ASIDE, JUDGING, LEARNED, LabelledRow
from windlass.pages.html.improvements import improvements_page
from windlass.pages.text.doubling import in_both
from windlass.predictors import table as predictors
from windlass.predictors.artifact import MANIFEST, read_manifest
from windlass.predictors.contract import Predictor
from windlass.records import Board, Improvement, Json, Progress, Release, Row, as_json
from windlass.registry import canaries as trials
from windlass.registry import releases
from windlass.registry.audit_log import Why
from windlass.sources.outgoing import TAUGHT, as_csv, free_names
from windlass.sources.prepared import read_splits
from windlass.spec import Spec
from windlass.store.files import write_text
from windlass.store.json_files import read_as, write_json
from windlass.store.store import Store

CHEAP = frozenset({"majority", "linear", "trees", "copy", "retrieve"})
"""Learners that are tried beside the champion's: they take seconds."""
SCANT, BACK = "waiting", "rolled back"


@dataclass(frozen=True)
class ImproveRequest:
    """What is asked for. file: of newly labelled rows. canary: share of the requests for a trial; 0: promote at once.
    trigger: who or what asked, such as 'windlass improve' or an alarm."""

    file: Path | None = None
    canary: float = 0.0
    trigger: str = "windlass improve"


@dataclass(frozen=True)
class ProjectAccess:
    """What the stages lend. log: where feedback is. challenge(spec, workspace) -> the leaderboard, trained there;
    publish(spec, workspace, board) -> the chosen candidate as a release of the project, through the gate.
    most_read: feedback that is read, the last of it."""

    log: Database
    challenge: Callable[[Spec, Store], Board]
    publish: Callable[[Spec, Store, Board], Release]
    most_read: int = training_feedback.MOST_READ


def improve(spec: Spec, store: Store, access: ProjectAccess, order: ImproveRequest, progress: Progress) -> Improvement:
    """Goes on with the attempt that was begun, or settles a trial; without these, or with a file, begins one.

    Raises: SpecError: answers that feedback cannot judge. DataError: the log, or the file. NotReady: no release, one on
            trial while a file is given, or another process is at it.
    """
    outputs.of(spec).improves(spec)
    with attempts.locked(store):
        if spec.keep_days is not None:
            attempts.expire(store, spec.keep_days)
        begun = _unfinished(spec, store)
        if begun is not None:
            made: Improvement | None = _Cycle(spec, store, access, begun, progress).run()
        else:
            made = conclude_trial(spec, store, access.log)
        if made is not None and order.file is None:
            return made
        if made is not None and made.verdict == CANARY:
            raise NotReady(
                f"release '{made.challenger}' is on trial, expected its end before new rows are learned",
                "`windlass canary --stop` ends it",
            )
        return _Cycle(spec, store, access, _begin(spec, store, order), progress).run()


def _unfinished(spec: Spec, store: Store) -> Attempt | None:
    """The attempt to go on with. One whose product has got other columns since then cannot be taken up."""
    attempt = attempts.unfinished(store)
    if attempt is None or attempt.journal["columns"] == {**spec.inputs, **spec.output}:
        return attempt
    attempt.end("abandoned")
    return None


def _begin(spec: Spec, store: Store, order: ImproveRequest) -> Attempt:
    champion = releases.champion_id(store)
    store.read_record("prepare")
    file = str(order.file.resolve()) if order.file is not None else ""
    facts = {"champion": champion, "trigger": order.trigger, "file": file, "canary": order.canary}
    return attempts.begin(store, {**facts, "columns": {**spec.inputs, **spec.output}})


class _Cycle:
    """The steps of an attempt."""

    def __init__(self, spec: Spec, store: Store, access: ProjectAccess, attempt: Attempt, progress: Progress) -> None:
        self.spec, self.store, self.access, self.attempt = spec, store, access, attempt
        self.progress = progress
        self.journal = attempt.journal
        self.champion: str = self.journal["champion"]

    def run(self) -> Improvement:
        """What came of it, written down. Raises: WindlassError: what is given cannot be read."""
        try:
            improvement = self._steps()
        except WindlassError as error:
            if self.attempt.done("gather") is None:  # such as a file that is not there: nothing was begun
                shutil.rmtree(self.attempt.folder)
                raise
            improvement = self._result(REFUSED, error.message)
        return self._end(improvement)

    def _steps(self) -> Improvement:
        gathered = self._step("gather", self._gather)
        if not gathered["enough"]:
            return self._result(SCANT, gathered["why"])
        self._step("challenge", lambda: as_json(self.access.challenge(self._challenge_spec(), self.attempt.space)))
        verdict = self._step("judge", self._judge)
        if not verdict["is_better"]:
            return self._result(REFUSED, verdict["why"])
        release = self._step("publish", self._publish)["release"]
        return self._step_promote(release, verdict)

    def _step(self, name: str, work: Callable[[], Json]) -> Json:
        """What the step gave, when it was done before; else it is done now."""
        found = self.attempt.done(name)
        self.progress("improve", STEPS.index(name), len(STEPS), name)
        return found if found is not None else self.attempt.note(name, work())

    def _gather(self) -> Json:
        predictor = self._open(self.champion)
        most = self.access.most_read
        return Gathering(self.spec, self.store, self.access.log, self.attempt, predictor, most).gather()

    def _challenge_spec(self) -> Spec:
        """The champion's learner and the cheap ones; those of a blend, when it is one."""
        model = releases.folder(self.store, self.champion) / releases.MODEL
        wanted = CHEAP | {read_manifest(path.parent).learner for path in model.rglob(MANIFEST)}
        output = self.spec.output[self.spec.output_column]
        every = [
            learner.name
            for learner in LEARNERS.values()
            if learner.reads(self.spec.inputs, output) and not learner.on_request
        ]
        named = self.spec.learners or every
        chosen = [item for item in named if (item if isinstance(item, str) else next(iter(item))) in wanted]
        return self.spec.model_copy(update={"learners": chosen or named})

    def _judge(self) -> Json:
        splits = read_splits(self.spec, self.attempt.space)
        board = self.attempt.space.read("evaluate", Board)
        challenger = predictors.load(self.attempt.space.run_folder(board.chosen) / "artifact")
        exam = JudgedRows(
            test=labelled_pairs(splits.test, self.spec),
            recent=[row for row in self.attempt.rows() if row.fate == JUDGING],
            earlier=attempts.judging(self.store),
            golden=releases.golden(self.store, self.champion)[0],
            inputs=self.spec.inputs,
            metric=outputs.goal(self.spec).metric,
            root=splits.root,
            output=outputs.of(self.spec),
            answered=self._people_tests(),
            documents=(self.attempt.done("gather") or {}).get("documents", ()),
        )
        verdict: Verdict = judge(self._open(self.champion), challenger, exam)
        facts = {"candidate": board.chosen, "is_better": verdict.is_better, "why": verdict.why}
        return {**facts, "evidence": verdict.as_json()}

    def _people_tests(self) -> list[tuple[Row, str]]:
        output = outputs.of(self.spec)
        return people.tests_of(people_answers(self.access.log), self.spec, output) if output.cites else []

    def _publish(self) -> Json:
        """Raises: GateRefused: goal, limits or parity do not hold."""
        board = self.attempt.space.read("evaluate", Board)
        return {"release": self.access.publish(self.spec, self.attempt.space, board).id}

    def _step_promote(self, release: str, verdict: Json) -> Improvement:
        """Makes the release the champion, or starts its trial; once, also when it was killed in between."""
        why = Why(
            "promote",
            self.journal["trigger"],
            verdict["why"],
            {"improvement": self.attempt.id, "rows": self._rows()[LEARNED]},
        )
        if self.attempt.done("promote") is None and not self._was_promoted(release):
            if releases.champion_id(self.store) != self.champion:
                return self._result(REFUSED, "another release became the champion meanwhile")
            if self.journal["canary"]:
                trial = trials.start(self.store, release, self.journal["canary"])
                counted = experiment.of(self.spec, self.access.log, trial)
                return self._result(CANARY, verdict["why"] + (f"; {counted.plan}" if counted is not None else ""))
            releases.point_to(self.store, release, why)
        self._step("promote", lambda: {"release": release})
        return self._result(PROMOTED, verdict["why"])

    def _was_promoted(self, release: str) -> bool:
        """The trail tells it, and is written with the pointer: a rollback since then is not undone."""
        return any(
            entry["to"] == release and entry["evidence"].get("improvement") == self.attempt.id
            for entry in releases.told(self.store)
        )

    def _rows(self) -> Json:
        found = self.attempt.done("gather")
        return found["rows"] if found is not None else {}

    def _result(self, verdict: str, why: str) -> Improvement:
        judged, published = self.attempt.done("judge"), self.attempt.done("publish")
        return Improvement(
            id=self.attempt.id,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            trigger=self.journal["trigger"],
            champion=self.champion,
            challenger=published["release"] if published else judged["candidate"] if judged else "",
            verdict=verdict,
            why=why,
            rows=self._rows(),
            evidence=judged["evidence"] if judged else {},
        )

    def _end(self, improvement: Improvement) -> Improvement:
        """Writes the record, and says of the rows what is so now; then the attempt is over.

        An attempt that learned nothing leaves no folder: its counts are in the record of the stage.
        """
        if improvement.verdict == SCANT:
            attempts.keep_waiting(self.store, self.attempt.rows())
            write_set_aside(self.attempt.rows(), self.spec, self.store)
            write_json(self.store.record(WORD), as_json(replace(improvement, id="")))
            shutil.rmtree(self.attempt.folder)
            return replace(improvement, id="")
        if improvement.verdict == REFUSED:
            rows = selection.back_to_waiting(self.attempt.rows(), "the challenger was refused")
            self.attempt.write_rows(rows)
            improvement = replace(improvement, rows={**improvement.rows, **selection.counts(rows)})
        attempts.keep_waiting(self.store, self.attempt.rows())
        write_set_aside(self.attempt.rows(), self.spec, self.store)
        write_json(self.attempt.folder / RECORD, as_json(improvement))
        write_json(self.store.record(WORD), as_json(improvement))
        self.attempt.end(improvement.verdict)
        self.progress("improve", len(STEPS), len(STEPS), improvement.verdict)
        return improvement

    def _open(self, id: str) -> Predictor:
        return releases.open_release(self.store, id)[1]


STEPS = ("gather", "challenge", "judge", "publish", "promote")


def write_set_aside(rows: Sequence[LabelledRow], spec: Spec, store: Store) -> None:
    """The rows that were set aside as CSV: corrected by a person, they come back by `windlass improve --rows`."""
    names = free_names(TAUGHT, spec.columns)
    told = [
        {
            **kinds.spelt(spec, row.values),
            names["id"]: row.answer,
            spec.output_column: row.label,
            names["answered"]: row.said,
            names["caller"]: row.who,
            names["reason"]: row.reason,
        }
        for row in rows
        if row.fate == ASIDE
    ]
    columns = [names["id"], *spec.columns, *(names[word] for word in ("answered", "caller", "reason"))]
    write_text(store.stage(WORD) / attempts.ASIDE_FILE, as_csv(columns, told))


def history(store: Store, line: Sequence[str] | None = None) -> list[Improvement]:
    """All attempts that ended, oldest first; one whose release was rolled back says so. line: of releases, if known."""
    line = releases.lineage(store) if line is None else line
    found = []
    for attempt in attempts.attempts(store):
        path = attempt.folder / RECORD
        if not path.is_file():
            continue
        improvement = read_as(path, Improvement, "remove its folder")
        if improvement.verdict == PROMOTED and improvement.challenger not in line:
            improvement = replace(improvement, verdict=BACK)
        found.append(improvement)
    return found


def write_history(spec: Spec, store: Store) -> list[Improvement]:
    """Writes all attempts, and the feedback that the last one set aside, as a page; gives the attempts as `history`."""
    found = history(store)
    write_text(
        store.stage(WORD) / "history.html", in_both(improvements_page(spec.shown_name, found, attempts.aside(store)))
    )
    return found
