"""Everything measured that there is, read from the store; what is missing is named with its command."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from windlass.database.backend import Database
from windlass.database.request_log import feedback_counts
from windlass.errors import GateRefused, NotReady, WindlassError
from windlass.improving import attempts
from windlass.improving.cycle import PROMOTED, history
from windlass.kinds import table as kinds
from windlass.metrics.measures import Estimate, LabelMarks, bootstrap, paired_difference
from windlass.outputs import table as outputs
from windlass.outputs.contract import Output, Scored
from windlass.outputs.labels.measures import label_marks_of
from windlass.planning.evidence import compression, curves, label_noise, probing, rule_trial
from windlass.planning.evidence.serving_trial import request_seconds
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest
from windlass.predictors.writer import writer_of
from windlass.records import (
    Board,
    Candidate,
    Health,
    Improvement,
    Json,
    Prepared,
    Progress,
    Run,
    Splits,
    Trained,
    silent,
)
from windlass.registry import reference, releases
from windlass.registry.model_cards import model_cards
from windlass.sources.prepared import read_splits
from windlass.spec import Spec
from windlass.store import Store, fingerprint, read_json, write_json

logger = logging.getLogger("windlass.planning")
MEASURED = "measured.json"
FORMAT = 3
"""Of `measured.json`: what is measured anew when this changes."""
CURVE_S, LABELS_S, COLUMNS_S, RULES_S = 60.0, 90.0, 40.0, 20.0
"""Processor seconds that the small trainings may take: learning curve, label check, columns, rules."""
MOST_COLUMNS, LEAST_VALIDATION = 20, 20
REFITTED = frozenset({"linear", "trees"})
N_OTHERS = 3
N_ASKED = 100


@dataclass(frozen=True)
class Evidence:
    """What is known. scored: the chosen candidate's answers on the test rows, as the plan measures them; marks: the
    same where they are labels; curve, doubts, columns: from small trainings; others: candidate -> how much better than
    the chosen one; compressed: what 8-bit weights did; rules: what plain rules before the model would do; missing: what
    is not known."""

    spec: Spec
    board: Board
    prepared: Prepared
    runs: list[Run]
    splits: Splits
    scored: Scored | None
    marks: LabelMarks | None
    released: Json | None
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
        champion = self.released["id"] if self.released else ""
        return next((each for each in self.improvements if champion and each.challenger == champion), None)

    @property
    def today(self) -> Estimate | None:
        """The score on the test rows."""
        if self.scored is None or self.metric == self.board.headline:
            return self.best.metrics.get(self.metric)
        return bootstrap(self.scored.marks, self.metric, self.spec.seed)

    @property
    def state(self) -> str:
        """Changes when the leaderboard or the champion does."""
        return fingerprint([self.board.key, self.released["id"] if self.released else ""])

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


def gather(spec: Spec, store: Store, database: Database, progress: Progress = silent) -> Evidence:
    """Reads the records, and makes the small trainings that nobody made before for these rows.

    Raises: NotReady: there is no leaderboard yet.
    """
    missing: list[Json] = []
    # 1. Which model counts today comes first: all that follows is measured of it, not of what was trained last.
    improvements, released = _improvements(store, missing), _released(store, missing)
    board, artifact = _standing(store, improvements)
    prepared = store.read("prepare", Prepared)
    splits = read_splits(spec, store)
    # 2. What takes training is kept between plans; the answers on test rows are given anew, since they are cheap.
    measured = _measured(spec, store, board, splits, progress)
    scored, others = _answers(store, board, artifact, splits)
    marks = label_marks_of(scored.marks) if scored is not None else None
    points, said = measured["points"], _said(database, missing)
    output = outputs.of(spec)
    # 3. What is not known is told with what would tell it: an item that is not proposed must not look like "no need".
    unfit = output.proposals
    if unfit is not None:
        missing.append(_missing("label noise, weak parts and the value of handing over", unfit.why))
    elif measured["fault"] or len(points) < curves.LEAST_POINTS:
        missing.append(_missing("what more rows bring", measured["fault"] or "too few rows to train on parts of them"))
    return Evidence(
        spec=spec,
        board=board,
        prepared=prepared,
        runs=store.read("train", Trained).runs,
        splits=splits,
        scored=scored,
        marks=marks,
        released=released,
        health=_health(store, missing),
        improvements=improvements,
        feedback=_feedback(said, _used(store), output, partial(_is_right, output, _remembered(store)))
        | _live(said, released["id"] if released else "", prepared.labels.get("train", {})),
        points=points,
        learner=measured["learner"],
        curve=curves.fit(probing.points(points), spec.seed) if len(points) >= curves.LEAST_POINTS else None,
        doubts=measured["doubts"],
        columns=measured["columns"],
        validation=measured["validation"],
        request_s=_request_seconds(store, board, splits, measured),
        others=others,
        compressed=_compressed(store, board, (artifact, splits), measured, missing),
        rules=measured["rules"],
        missing=missing,
    )


def _missing(what: str, command: str) -> Json:
    return {"what": what, "command": command}


def _measured(spec: Spec, store: Store, board: Board, splits: Splits, progress: Progress) -> Json:
    """The small trainings of these rows, kept beside the plan: they do not change with prices or deadlines."""
    # 1. The key holds all that decides what is measured; prices, deadlines and traffic are not of it.
    learner = probing.learner_for(splits, board.candidate(board.chosen).learner)
    key = fingerprint([FORMAT, splits.fingerprint, learner, board.headline, spec.seed])
    path = store.stage("plan") / MEASURED
    known = read_json(path) if path.is_file() else None
    if isinstance(known, dict) and known.get("key") == key:
        return known
    found: Json = {
        "key": key,
        "learner": learner,
        "points": [],
        "doubts": {},
        "columns": [],
        "rules": {},
        "fault": "",
        "validation": {},
    }
    if learner and len(splits.validation) < LEAST_VALIDATION:
        found["fault"] = f"it needs {LEAST_VALIDATION} validation rows, there are {len(splits.validation)}"
    elif learner:
        # 2. The curve comes first: its last point tells what a training takes, so that the others keep to their time.
        probe = probing.Probe(splits, learner, board.headline, spec)
        try:
            found["validation"] = probing.validation_rows(probe)
            for point in probing.learning_points(probe, probing.SHARES, CURVE_S, progress):
                found["points"].append(point)
            found["columns"] = _columns(probe, found["points"], progress)
            if found["validation"]["labels"]:
                found["doubts"] = _doubts(probe, found["points"], progress)
                found["rules"] = _rules(probe, found["points"])
        except probing.FAILURES as error:
            found["fault"] = str(error)[:300]
    # 3. A fault is kept, too: the same rows would fail again.
    progress("plan", 1, 1, "")
    write_json(path, found)
    return found


def _doubts(probe: probing.Probe, points: list[Json], progress: Progress) -> Json:
    """How many training labels are doubted, and what leaving those rows out changes on the validation rows."""
    if len(probe.splits.train) > probing.MOST_ROWS or points[-1]["seconds"] * (probing.N_FOLDS + 2) > LABELS_S:
        return {}
    seen = probing.out_of_sample(probe, progress)
    found = label_noise.suspects(seen.targets, seen.probabilities, seen.labels)
    if not len(found.rows):
        return {"count": 0, "share": vars(found.share), "by_label": {}, "rows": [], "gain": None}
    rows = probe.splits.train
    kept = np.ones(len(rows), bool)
    kept[found.rows] = False
    whole = probing.fitted(probe, rows)
    output = probe.splits.output_column
    without = rows.filter(kept.tolist())
    gain = None
    if without[output].n_unique() == rows[output].n_unique():
        other = probing.fitted(probe, without)
        gain = vars(paired_difference(whole.metric, other.marks, whole.marks, probe.seed))
    said = [seen.labels[place] for place in found.said]
    return {
        "count": len(found.rows),
        "share": vars(found.share),
        "by_label": found.by_label,
        "rows": [{"row": int(row), "label": str(rows[output][int(row)]), "rather": rather}
                 for row, rather in zip(found.rows[:20].tolist(), said, strict=False)],
        "gain": gain,
    }  # fmt: skip


def _rules(probe: probing.Probe, points: list[Json]) -> Json:
    """What plain rules before the model would do."""
    if len(probe.splits.train) > probing.MOST_ROWS or points[-1]["seconds"] > RULES_S:
        return {}
    return rule_trial.tried(probe, probing.fitted(probe, probe.splits.train))


def _columns(probe: probing.Probe, points: list[Json], progress: Progress) -> list[Json]:
    """What each column adds: the score with it less the score without it, on the validation rows."""
    inputs = probe.splits.inputs
    if not 1 < len(inputs) <= MOST_COLUMNS or points[-1]["seconds"] * len(inputs) > COLUMNS_S:
        return []
    whole = probing.fitted(probe, probe.splits.train)
    found = []
    for number, name in enumerate(inputs):
        progress("plan columns", number, len(inputs), name)
        rest = {other: kind for other, kind in inputs.items() if other != name}
        splits = probing.replace(probe.splits, inputs=rest)
        without = probing.fitted(probing.replace(probe, splits=splits), splits.train)
        gain = paired_difference(whole.metric, whole.marks, without.marks, probe.seed)
        found.append({"column": name, "adds": vars(gain)})
    return found


def _standing(store: Store, improvements: list[Improvement]) -> tuple[Board, Path]:
    """The leaderboard and the model that count today: the champion's where `improve` made it, else those of `evaluate`.

    Raises: NotReady: there is no leaderboard yet.
    """
    board = store.read("evaluate", Board)
    promoted = {made.challenger for made in improvements if made.verdict == PROMOTED}
    champion = releases.champion_id(store) if promoted else ""
    improved = model_cards(store, champion).board if champion in promoted else None
    if improved is None:
        return board, store.run_folder(board.chosen) / "artifact"
    return improved, releases.folder(store, champion) / releases.MODEL


def _answers(
    store: Store, board: Board, artifact: Path, splits: Splits
) -> tuple[Scored | None, dict[str, Estimate]]:
    """The chosen candidate's answers on the test rows, and how much better the best others are on the same rows."""
    rows = splits.test.to_dicts()
    truth = [row[splits.output_column] for row in rows]
    output = outputs.get(splits.output[splits.output_column])
    if output.proposals is not None:
        return None, {}
    mine = output.scored(predictors.load(artifact).marks(rows, truth, splits.root), board.headline, splits)
    others = {}
    for other in _worth_comparing(board):
        model = store.run_folder(other.name) / "artifact"
        if model.is_dir():
            found = output.scored(predictors.load(model).marks(rows, truth, splits.root), board.headline, splits)
            others[other.name] = paired_difference(mine.metric, found.marks, mine.marks)
    return mine, others


def _worth_comparing(board: Board) -> list[Candidate]:
    """The best few other candidates, and those that are as good but cheaper."""
    mine = board.candidate(board.chosen)
    others = [each for each in board.candidates if each.name != board.chosen and each.learner != "majority"]
    cheaper = [each for each in others if each.as_good_as_chosen and each.latency_p50_ms < mine.latency_p50_ms]
    return others[:N_OTHERS] + [each for each in cheaper if each not in others[:N_OTHERS]]


def _released(store: Store, missing: list[Json]) -> Json | None:
    try:
        return next(each for each in releases.listing(store) if each["champion"])
    except (NotReady, StopIteration):
        missing.append(_missing("a release", "`windlass release`"))
        return None


def _request_seconds(store: Store, board: Board, splits: Splits, measured: Json) -> float | None:
    """Processor seconds of one answer of the champion over HTTP, measured once; None when there is none, or when it is
    another candidate than the chosen one."""
    try:
        release, predictor = releases.open_release(store, releases.champion_id(store))
    except NotReady:
        return None
    except GateRefused:
        logger.warning("the champion cannot be opened: its answers are not timed", exc_info=True)
        return None
    if release.candidate != board.chosen or writer_of(predictor) is not None:
        return None
    if measured.get("request", {}).get("release") == release.id:
        return float(measured["request"]["seconds"])
    head = splits.test.head(N_ASKED).select(list(splits.inputs)).to_dicts()
    rows = [
        {name: kinds.get(kind).portable(row[name], splits.root) for name, kind in splits.inputs.items()} for row in head
    ]
    found = request_seconds(release, predictor, rows)
    if found is not None:
        measured["request"] = {"release": release.id, "seconds": found}
        write_json(store.stage("plan") / MEASURED, measured)
    return found


def _compressed(
    store: Store, board: Board, chosen: tuple[Path, Splits], measured: Json, missing: list[Json]
) -> Json:
    """What a copy of the chosen model with 8-bit weights did, tried once. chosen: its artifact, and the rows."""
    artifact, splits = chosen
    has_labels = bool(read_manifest(artifact).output.state.get("labels"))
    if not has_labels or len(splits.validation) < LEAST_VALIDATION:
        return {}
    key = fingerprint([FORMAT, board.key, board.chosen, str(artifact)])
    if measured.get("compressed", {}).get("key") != key:
        found = compression.tried(artifact, splits, board.headline, store.stage("plan") / compression.FOLDER)
        measured["compressed"] = {**found, "key": key}
        write_json(store.stage("plan") / MEASURED, measured)
    known: Json = {name: value for name, value in measured["compressed"].items() if name != "key"}
    if known.get("fault"):
        missing.append(_missing("what 8-bit weights bring", known["fault"]))
    return known


def _health(store: Store, missing: list[Json]) -> Health | None:
    path = store.record("watch")
    if not path.is_file():
        missing.append(_missing("drift, live quality and real traffic", "`windlass serve`, then `windlass watch`"))
        return None
    return store.read("watch", Health)


def _improvements(store: Store, missing: list[Json]) -> list[Improvement]:
    """The attempts at a better champion, oldest first."""
    found = history(store)
    if not found:
        missing.append(_missing("what learning from feedback brings", "`windlass improve`"))
    return found


def _used(store: Store) -> set[str]:
    """Answers that the champion has learned from, or that are kept to judge by."""
    judging = [row for rows in attempts.judging(store).values() for row in rows]
    return {row.answer for row in [*attempts.learned(store), *judging]}


def _remembered(store: Store) -> Json:
    """What the champion remembers of its answers."""
    try:
        found = reference.read(releases.folder(store, releases.champion_id(store)))
    except NotReady:
        return {}
    except WindlassError:
        logger.warning("the champion's reference cannot be read", exc_info=True)
        return {}
    return found.answers if found is not None else {}


def _is_right(output: Output, remembered: Json, row: Json) -> bool:
    if row["value"] == row["correct"] or not row["correct"]:
        return bool(row["value"] == row["correct"])
    return output.is_right(output.value_of(row["value"]), output.value_of(row["correct"]), remembered)


def _said(database: Database, missing: list[Json]) -> list[Json]:
    """The last word on each answer that users judged."""
    try:
        found = {row["id"]: row for row in feedback_counts(database)}
    except WindlassError as error:
        found = {}
        missing.append(_missing("feedback", error.message))
    if not found:
        missing.append(_missing("what users say was right", "`windlass serve` takes it at /v1/feedback"))
    return list(found.values())


def _feedback(said: list[Json], used: set[str], output: Output, is_right: Callable[[Json], bool]) -> Json:
    """How many answers people judged, how many of them were wrong, and the same of those that were not used: the
    latest word on each answer counts; of each answer by itself, where answers are few."""
    unused = [row for row in said if row["id"] not in used]
    return {
        "count": len(said),
        "wrong": sum(not is_right(row) for row in said),
        "unused": len(unused),
        "unused_wrong": sum(not is_right(row) for row in unused),
        "by_answer": _by_answer([row for row in unused if output.named(output.value_of(row["value"]))]),
    }


def _live(said: list[Json], champion: str, labels: Json) -> Json:
    """What users said of the champion's answers: right, wrong, and how often labels that training does not know."""
    own = [row for row in said if row["release"] == champion]
    right = sum(row["correct"] == row["value"] for row in own)
    new = Counter(row["correct"] for row in own if row["correct"] and row["correct"] not in labels)
    return {"live_right": right, "live_wrong": len(own) - right, "new": dict(new.most_common()) if labels else {}}


def _by_answer(rows: list[Json]) -> Json:
    """Of each answer how often it was judged and called wrong, and what was said instead, the most frequent first."""
    judged = Counter(row["value"] for row in rows)
    wrong = [row for row in rows if row["correct"] != row["value"]]
    n_wrong = Counter(row["value"] for row in wrong)
    instead: dict[str, Counter[str]] = defaultdict(Counter)
    for row in wrong:
        instead[row["value"]].update([row["correct"]] if row["correct"] else [])
    return {
        name: {
            "count": number,
            "wrong": n_wrong[name],
            "instead": dict(instead[name].most_common()),
        }
        for name, number in judged.items()
    }


def goal_bound(evidence: Evidence) -> float | None:
    """The number in the goal, if there is one, as the plan measures answers."""
    bound = outputs.goal(evidence.spec).bound
    return bound if bound is None or evidence.scored is None else evidence.scored.bound(bound)
