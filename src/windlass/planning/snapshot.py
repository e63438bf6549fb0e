"""What was measured and kept, as it was when the plan began: the one place of planning that reads the store."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass.database.backend import Database
from windlass.database.request_log import feedback_counts
from windlass.errors import NotReady, WindlassError
from windlass.goals import Goal
from windlass.improving import attempts
from windlass.improving.cycle import history
from windlass.improving.probation import PROMOTED
from windlass.outputs import table as outputs
from windlass.outputs.contract import Output
from windlass.planning import measured_file, promise_file
from windlass.planning.promise_file import Promises
from windlass.records import Board, Health, Improvement, Json, Prepared, Release, Splits
from windlass.registry import reference, releases
from windlass.registry.model_cards import BOARD
from windlass.sources.prepared import read_splits
from windlass.spec import Spec
from windlass.store.json_files import read_as
from windlass.store.store import Store

logger = logging.getLogger("windlass.planning")


@dataclass(frozen=True)
class Champion:
    """The release that is served, its folder, and what it remembers of its answers."""

    release: Release
    folder: Path
    remembered: Json


@dataclass(frozen=True)
class Snapshot:
    """One reading of the store; each file of it was opened once.

    goal: what decides between candidates. board, artifact: the leaderboard and the model that count today; artifacts:
    candidate -> its model, where it is kept. key: of what `evaluate` gave last. judged: the last word on each answer
    that users judged; judged_fault: why that could not be read. used: answers that were learned from, or judge what
    is. folder: where the plan keeps what it measures; measured: what it kept there before.
    """

    spec: Spec
    output: Output
    goal: Goal
    board: Board
    artifact: Path
    artifacts: Mapping[str, Path]
    key: str
    prepared: Prepared
    splits: Splits
    champion: Champion | None
    health: Health | None
    improvements: list[Improvement]
    judged: list[Json]
    judged_fault: str
    used: frozenset[str]
    folder: Path
    measured: Json
    promises: Promises


def take(spec: Spec, store: Store, database: Database) -> Snapshot:
    """Raises: NotReady: there is no leaderboard yet. DataError: a file is damaged. SpecError: the goal is wrong."""
    # 1. Which model counts today comes first: all that follows is measured of it, not of what was trained last.
    line = releases.lineage(store)
    improvements, champion = history(store, line), _champion(store, line)
    evaluated = store.read("evaluate", Board)
    board, artifact = _standing(store, evaluated, improvements, champion)
    prepared = store.read("prepare", Prepared)
    judged, fault = _judged(database)
    folder = store.stage("plan")
    # 2. Paths of models, not models: who scores one opens it.
    models = {each.name: store.folder / "train" / each.name / "artifact" for each in board.candidates}
    return Snapshot(
        spec=spec,
        output=outputs.of(spec),
        goal=outputs.goal(spec),
        board=board,
        artifact=artifact,
        artifacts={name: path for name, path in models.items() if path.is_dir()},
        key=evaluated.key,
        prepared=prepared,
        splits=read_splits(spec, store, prepared=prepared),
        champion=champion,
        health=store.read("watch", Health) if store.record("watch").is_file() else None,
        improvements=improvements,
        judged=judged,
        judged_fault=fault,
        used=frozenset(row.answer for row in attempts.used(store, line)),
        folder=folder,
        measured=measured_file.read(folder / measured_file.MEASURED),
        promises=promise_file.read(folder / promise_file.FILE),
    )


def _champion(store: Store, line: list[str]) -> Champion | None:
    """The release that is served; None where there is none, or its record is gone."""
    if not line:
        return None
    folder = releases.folder(store, line[0])
    try:
        release = releases.record(store, line[0])
    except NotReady:
        return None
    try:
        known = reference.read(folder)
    except WindlassError:
        logger.warning("the champion's reference cannot be read", exc_info=True)
        known = None
    return Champion(release, folder, known.answers if known is not None else {})


def _standing(
    store: Store, evaluated: Board, improvements: list[Improvement], champion: Champion | None
) -> tuple[Board, Path]:
    """The leaderboard and the model that count: the champion's where `improve` made it, else those of `evaluate`."""
    promoted = {made.challenger for made in improvements if made.verdict == PROMOTED}
    if champion is not None and champion.release.id in promoted and (champion.folder / BOARD).is_file():
        return read_as(champion.folder / BOARD, Board), champion.folder / releases.MODEL
    return evaluated, store.run_folder(evaluated.chosen) / "artifact"


def _judged(database: Database) -> tuple[list[Json], str]:
    try:
        return list({row["id"]: row for row in feedback_counts(database)}.values()), ""
    except WindlassError as error:
        return [], error.message
