"""What is tried for a plan, each trial made once for the same rows and kept in `measured.json`: small trainings, the
time of a request, 8-bit weights. And the answers on test rows, which are given anew, since they are cheap."""

import logging
from dataclasses import replace

import numpy as np

from windlass.errors import GateRefused, NotReady
from windlass.kinds import table as kinds
from windlass.metrics.measures import Estimate, paired_difference
from windlass.outputs.contract import Scored
from windlass.planning.evidence import compression, freshness, label_noise, probing, rule_trial
from windlass.planning.evidence.serving_trial import request_seconds
from windlass.planning.measured_file import MEASURED
from windlass.planning.snapshot import Snapshot
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest
from windlass.predictors.writer import writer_of
from windlass.records import Board, Candidate, Json, Progress
from windlass.registry import releases
from windlass.store.json_files import fingerprint, write_json

logger = logging.getLogger("windlass.planning")
FORMAT = 4
"""Of `measured.json`: what is measured anew when this changes."""
CURVE_S, LABELS_S, COLUMNS_S, RULES_S = 60.0, 90.0, 40.0, 20.0
"""Processor seconds that the small trainings may take: learning curve, label check, columns, rules."""
MOST_COLUMNS, LEAST_VALIDATION = 20, 20
N_OTHERS = 3
N_ASKED = 100


def trainings(found: Snapshot, progress: Progress) -> Json:
    """The small trainings of these rows, as they were kept or made now: they do not change with prices or deadlines."""
    board, splits = found.board, found.splits
    # 1. The key holds all that decides what is measured; prices, deadlines and traffic are not of it.
    learner = probing.learner_for(splits, board.candidate(board.chosen).learner)
    key = fingerprint([FORMAT, splits.fingerprint, learner, board.headline, found.spec.seed])
    if found.measured.get("key") == key:
        return dict(found.measured)
    made: Json = {
        "key": key,
        "learner": learner,
        "points": [],
        "doubts": {},
        "columns": [],
        "rules": {},
        "freshness": {},
        "fault": "",
        "validation": {},
    }
    if learner and len(splits.validation) < LEAST_VALIDATION:
        made["fault"] = f"it needs {LEAST_VALIDATION} validation rows, there are {len(splits.validation)}"
    elif learner:
        # 2. The curve comes first: its last point tells what a training takes, so that the others keep to their time.
        probe = probing.Probe(splits, learner, board.headline, found.spec)
        try:
            made["validation"] = probing.validation_rows(probe)
            for point in probing.learning_points(probe, probing.SHARES, CURVE_S, progress):
                made["points"].append(point)
            made["columns"] = _columns(probe, made["points"], progress)
            made["freshness"] = freshness.tried(probe)
            if made["validation"]["labels"]:
                made["doubts"] = _doubts(probe, made["points"], progress)
                made["rules"] = _rules(probe, made["points"])
        except probing.FAILURES as error:
            made["fault"] = str(error)[:300]
    # 3. A fault is kept, too: the same rows would fail again.
    progress("plan", 1, 1, "")
    write_json(found.folder / MEASURED, made)
    return made


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
        splits = replace(probe.splits, inputs=rest)
        without = probing.fitted(replace(probe, splits=splits), splits.train)
        gain = paired_difference(whole.metric, whole.marks, without.marks, probe.seed)
        found.append({"column": name, "adds": vars(gain)})
    return found


def scored(found: Snapshot) -> tuple[Scored | None, dict[str, Estimate]]:
    """The chosen candidate's answers on the test rows, and how much better the best others are on the same rows."""
    board, splits = found.board, found.splits
    rows = splits.test.to_dicts()
    truth = [row[splits.output_column] for row in rows]
    output = found.output
    if output.proposals is not None:
        return None, {}
    mine = output.scored(predictors.load(found.artifact).marks(rows, truth, splits.root), board.headline, splits)
    others = {}
    for other in _worth_comparing(board):
        if other.name in found.artifacts:
            marks = predictors.load(found.artifacts[other.name]).marks(rows, truth, splits.root)
            theirs = output.scored(marks, board.headline, splits)
            others[other.name] = paired_difference(mine.metric, theirs.marks, mine.marks)
    return mine, others


def _worth_comparing(board: Board) -> list[Candidate]:
    """The best few other candidates, and those that are as good but cheaper."""
    mine = board.candidate(board.chosen)
    others = [each for each in board.candidates if each.name != board.chosen and each.learner != "majority"]
    cheaper = [each for each in others if each.as_good_as_chosen and each.latency_p50_ms < mine.latency_p50_ms]
    return others[:N_OTHERS] + [each for each in cheaper if each not in others[:N_OTHERS]]


def seconds_of_request(found: Snapshot, measured: Json) -> float | None:
    """Processor seconds of one answer of the champion over HTTP, measured once; None when there is none, or when it is
    another candidate than the chosen one."""
    if found.champion is None:
        return None
    release, splits = found.champion.release, found.splits
    try:
        predictor = releases.proven(found.champion.folder, release)
    except NotReady:
        return None
    except GateRefused:
        logger.warning("the champion cannot be opened: its answers are not timed", exc_info=True)
        return None
    if release.candidate != found.board.chosen or writer_of(predictor) is not None:
        return None
    if measured.get("request", {}).get("release") == release.id:
        return float(measured["request"]["seconds"])
    head = splits.test.head(N_ASKED).select(list(splits.inputs)).to_dicts()
    rows = [
        {name: kinds.get(kind).portable(row[name], splits.root) for name, kind in splits.inputs.items()} for row in head
    ]
    seconds = request_seconds(release, predictor, rows)
    if seconds is not None:
        measured["request"] = {"release": release.id, "seconds": seconds}
        write_json(found.folder / MEASURED, measured)
    return seconds


def compressed(found: Snapshot, measured: Json) -> Json:
    """What a copy of the chosen model with 8-bit weights did, tried once."""
    board, splits = found.board, found.splits
    has_labels = bool(read_manifest(found.artifact).output.state.get("labels"))
    if not has_labels or len(splits.validation) < LEAST_VALIDATION:
        return {}
    key = fingerprint([FORMAT, board.key, board.chosen, str(found.artifact)])
    if measured.get("compressed", {}).get("key") != key:
        tried = compression.tried(found.artifact, splits, board.headline, found.folder / compression.FOLDER)
        measured["compressed"] = {**tried, "key": key}
        write_json(found.folder / MEASURED, measured)
    return {name: value for name, value in measured["compressed"].items() if name != "key"}
