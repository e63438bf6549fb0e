"""The ordered table of stages, and the walk through them."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.database.backend import Database
    from windlass.improving.cycle import ImproveRequest
    from windlass.improving.retrain_schedule import Turn
    from windlass.planning.schedule.changes import WhatIf
    from windlass.records import Board, Health, Improvement, Json, Progress, Release, Roadmap
    from windlass.spec import Spec
    from windlass.store.store import Store


@dataclass(frozen=True)
class Step:
    """What a walk needs of a stage: the key that its result follows from, and the stage itself."""

    key_of: "Callable[[Spec, Store], str]"
    run: "Callable[[Spec, Store, Progress], object]"

    def is_current(self, word: str, spec: "Spec", store: "Store") -> bool:
        """True when the stage's last result still follows from the spec and the stages before it."""
        return store.record(word).is_file() and store.is_current(word, self.key_of(spec, store))


@dataclass(frozen=True)
class Stage:
    """One step of the product's life. Its word is its module, command, store folder and heading in the docs."""

    word: str
    gives: str
    guarantees: str
    step: Callable[[], Step] | None = None
    """Imports the stage when it is needed, for `--help` must stay quick; None: it is no part of a walk."""


# Each stage with what it reads: the records of the stages before it, which raise NotReady where they are missing.


def _collect() -> Step:
    from windlass.stages.collect import collect, key_of

    return Step(key_of, collect)


def _prepare() -> Step:
    from windlass.improving import attempts
    from windlass.store.stage_keys import prepare_key

    def run(spec: "Spec", store: "Store", progress: "Progress") -> object:
        from windlass.stages.prepare import Learned, prepare

        judging = [row for rows in attempts.judging(store).values() for row in rows]
        return prepare(spec, store, progress, Learned(attempts.learned(store), judging))

    def key_of(spec: "Spec", store: "Store") -> str:
        return prepare_key(spec, store, [(row.answer, row.label) for row in attempts.learned(store)])

    return Step(key_of, run)


def _train() -> Step:
    from windlass.sources.prepared import read_splits
    from windlass.stages.train import key_of, train

    return Step(key_of, lambda spec, store, progress: train(spec, store, read_splits(spec, store), progress))


def _compress() -> Step:
    from windlass.store.stage_keys import compress_key

    def run(spec: "Spec", store: "Store", progress: "Progress") -> object:
        from windlass.sources.prepared import read_splits
        from windlass.stages.compress import compress

        return compress(spec, store, lambda: read_splits(spec, store), progress)

    return Step(compress_key, run)


def _evaluate() -> Step:
    from windlass.store.stage_keys import evaluate_key

    def run(spec: "Spec", store: "Store", progress: "Progress") -> object:
        from windlass.sources.prepared import read_splits
        from windlass.stages.evaluate import evaluate

        return evaluate(spec, store, read_splits(spec, store), progress)

    return Step(evaluate_key, run)


def _explain() -> Step:
    from windlass.store.stage_keys import explain_key

    def run(spec: "Spec", store: "Store", progress: "Progress") -> object:
        from windlass.sources.prepared import read_splits
        from windlass.stages.explain import explain

        return explain(spec, store, read_splits(spec, store), read_board(store), progress)

    return Step(explain_key, run)


def _release() -> Step:
    from windlass.store.stage_keys import release_key

    return Step(release_key, release)


STAGES = (
    Stage("collect", "rows and rejects", "rows in = accepted + rejected, each reject with its reason", _collect),
    Stage("prepare", "splits and a data card", "no row of test in train; what was taken out is counted", _prepare),
    Stage("train", "runs, one a candidate", "a baseline always runs; goes on after kill -9; stays in the minutes",
          _train),
    Stage("compress", "smaller, faster copies", "made where limits ask for it; one that answers otherwise is refused",
          _compress),
    Stage("evaluate", "a leaderboard and a report", "scores the artifact that would be served, with intervals",
          _evaluate),
    Stage("explain", "why a row was answered so", "exact for linear models and trees, else by occlusion; bounded",
          _explain),
    Stage("release", "an immutable release", "refused unless goal, limits and golden answers hold; no mere baseline",
          _release),
    Stage("serve", "an HTTP service", "bounded, measured, answers like the model that was trained"),
    Stage("watch", "health, drift and alarms", "keeps no user text; false alarms have a budget"),
    Stage("improve", "a better champion, or why not", "nothing promoted without evidence or lost unseen"),
    Stage("plan", "a roadmap", "each item names its evidence, gain with interval, cost and day"),
)  # fmt: skip
STEPS = {stage.word: stage.step for stage in STAGES if stage.step is not None}
ORDER = tuple(STEPS)


def run(
    spec: "Spec", store: "Store", progress: "Progress", told: Callable[[str, bool], None], until: str = "release"
) -> None:
    """Walks the stages in order up to and with `until`, skipping what is up to date.

    `told(word, skipped)` is called when a stage is done. Raises: what the stages raise. SpecError: a goal that this
    output does not have, before any stage is run.
    """
    from windlass.store import stage_times

    check(spec)
    for word in ORDER[: ORDER.index(until) + 1]:
        step = STEPS[word]()
        current = step.is_current(word, spec, store)
        if not current:
            with store.lock():
                began = time.monotonic()
                step.run(spec, store, progress)
                stage_times.note(store, word, time.monotonic() - began)
        told(word, current)


def is_current(spec: "Spec", store: "Store") -> bool:
    """True when a walk would find nothing to do, and files of the project alone decide it."""
    from windlass.stages.collect import is_within

    plain = spec.learners is None or all(isinstance(each, str) for each in spec.learners)
    return plain and is_within(spec, store) and all(STEPS[word]().is_current(word, spec, store) for word in ORDER)


def check(spec: "Spec") -> None:
    """What can be told before any stage is run. Raises: SpecError: a kind, a learner or a goal that there is not."""
    from windlass.kinds import table as kinds
    from windlass.outputs import table as outputs
    from windlass.stages.train import entries

    kinds.check(spec)
    outputs.goal(spec)
    entries(spec)


def read_board(store: "Store") -> "Board":
    """The last leaderboard. Raises: NotReady."""
    from windlass.records import Board

    return store.read("evaluate", Board)


def shown(store: "Store", word: str) -> str:
    """The last result of a stage as text for a terminal; of a stage without such text, the board. Raises: NotReady."""
    from windlass.pages.text import listing, terminal
    from windlass.records import Collected, Prepared, Trained

    texts: dict[str, Callable[[], str]] = {
        "collect": lambda: terminal.collected_text(store.read("collect", Collected)),
        "prepare": lambda: (
            f"{terminal.prepared_text(store.read('prepare', Prepared))}  {store.stage('prepare') / 'data.html'}\n"
        ),
        "train": lambda: listing.runs_text(store.read("train", Trained).runs),
        "compress": lambda: listing.runs_text(store.read("compress", Trained).runs),
        "evaluate": lambda: terminal.board_text(read_board(store)),
        "explain": lambda: listing.stage_line("explain", False, store.read_record("explain")),
    }
    return texts.get(word, texts["evaluate"])()


def release(spec: "Spec", store: "Store", progress: "Progress", candidate: str = "", anyway: bool = False) -> "Release":
    """Publishes the chosen candidate or the named one. Raises: NotReady, and as the stage."""
    from windlass.stages import release as stage

    return stage.release(spec, store, read_board(store), progress, candidate, anyway)


def watch(spec: "Spec", store: "Store", now: float | None = None, every: str = "") -> "Iterator[Health]":
    """Looks at the service: one, and with `every` (such as 60s) one after the other. Raises: as the stage."""
    from windlass.stages.watch import looks

    return looks(spec, store, os.environ.get("WINDLASS_DATABASE", ""), now, every)


def improve(spec: "Spec", store: "Store", order: "ImproveRequest", progress: "Progress") -> "Improvement":
    """One attempt at a better champion, with what the other stages lend. Raises: as the stage."""
    from windlass.improving.cycle import ProjectAccess
    from windlass.stages.improve import improve as attempt
    from windlass.stages.release import publish_release

    def challenge(challenger: "Spec", space: "Store") -> "Board":
        for word in ("train", "compress", "evaluate"):
            step = STEPS[word]()
            if not step.is_current(word, challenger, space):
                step.run(challenger, space, progress)
        return read_board(space)

    def publish(released: "Spec", space: "Store", board: "Board") -> "Release":
        return publish_release(released, store, space, board, progress)

    return attempt(spec, store, ProjectAccess(memory(store), challenge, publish), order, progress)


def export(spec: "Spec", store: "Store", folder: Path, form: str) -> "Json":
    """The labelled rows, corrections among them, as other programs read them; gives what was written.

    Raises: DataError: the folder is not empty. SpecError: no such format, or no program has such answers.
    """
    from windlass.errors import DataError, SpecError
    from windlass.improving.corrected import labelled
    from windlass.outputs import table as outputs

    write = outputs.of(spec).export
    if write is None:
        raise SpecError(f"output '{spec.output_column}' is no annotation of pictures, expected one to export")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is not empty, expected a new folder")
    return write(folder.resolve(), form, labelled(spec, store, memory(store)))


def keep_improving(
    spec: "Spec", store: "Store", once: "Callable[[str], Improvement]", every: str, on_alarm: bool
) -> "Iterator[Turn]":
    """Attempts by a schedule such as '1d', empty: none, or on alarms; before each, a champion that fell is rolled back.

    once(trigger) -> an attempt. Raises: SpecError: no such period. NotReady: as `memory`.
    """
    from windlass.improving import live
    from windlass.improving.retrain_schedule import RetrainSchedule, read_period

    guard = partial(live.guard, spec, store, memory(store), "windlass improve")
    return RetrainSchedule(store, once, guard, read_period(every) if every else 0.0, on_alarm).turns()


def plan(spec: "Spec", store: "Store", wish: "WhatIf", progress: "Progress") -> "Roadmap":
    """The roadmap from what was measured, and from the service's log where there is one. Raises: as the stage."""
    from windlass.stages import plan as stage

    with store.lock():
        order = stage.PlanRequest(wish, database=os.environ.get("WINDLASS_DATABASE", ""))
        return stage.plan(spec, store, order, progress)


def memory(store: "Store") -> "Database":
    """Where the service keeps its log. Raises: NotReady, SpecError: as `serve`."""
    from windlass.database.location import memory as open_memory

    return open_memory(store, os.environ.get("WINDLASS_DATABASE", ""))
