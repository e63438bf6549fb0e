"""The ordered table of stages, and the walk through them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windlass.records import Progress
    from windlass.spec import Spec
    from windlass.store import Store


@dataclass(frozen=True)
class Stage:
    """One step of the product's life. Its word is its module, command, store folder and heading in the docs."""

    word: str
    gives: str
    guarantees: str
    in_run: bool = True
    reads: "tuple[Callable[[Spec, Store], Any], ...]" = ()
    """What it is called with beside spec and store: the records of the stages before it."""


def read_splits(spec: "Spec", store: "Store") -> Any:
    """The splits of `prepare`. Raises: NotReady."""
    from windlass.sources import prepared

    return prepared.read_splits(spec, store)


def read_board(spec: "Spec", store: "Store") -> Any:
    """The last leaderboard. Raises: NotReady."""
    from windlass.records import Board

    return store.read("evaluate", Board)


STAGES = (
    Stage("collect", "rows and rejects", "rows in = accepted + rejected, each reject with its reason"),
    Stage("prepare", "splits and a data card", "no row of test in train; what was taken out is counted"),
    Stage(
        "train",
        "runs, one a candidate",
        "a baseline always runs; goes on after kill -9; stays in the minutes",
        reads=(read_splits,),
    ),
    Stage(
        "evaluate",
        "a leaderboard and a report",
        "scores the artifact that would be served, with intervals",
        reads=(read_splits,),
    ),
    Stage(
        "explain",
        "why a row was answered so",
        "exact for linear models and trees, else by occlusion; bounded",
        reads=(read_splits, read_board),
    ),
    Stage(
        "release",
        "an immutable release",
        "refused unless goal, limits and golden answers hold; no mere baseline",
        reads=(read_board,),
    ),
    Stage("serve", "an HTTP service", "bounded, measured, answers like the model that was trained", in_run=False),
    Stage("watch", "health, drift and alarms", "keeps no user text; false alarms have a budget", in_run=False),
    Stage("improve", "a better champion, or why not", "nothing promoted without evidence or lost unseen", in_run=False),
    Stage("plan", "a roadmap", "each item names its evidence, gain with interval, cost and day", in_run=False),
)
ORDER = tuple(stage.word for stage in STAGES if stage.in_run)


def module(word: str) -> Any:
    """The stage's module, imported when it is needed: `--help` must stay quick."""
    return import_module(f"windlass.stages.{word}")


def arguments(word: str, spec: "Spec", store: "Store") -> list[Any]:
    """What a stage reads beside spec and store. Raises: NotReady."""
    return [read(spec, store) for stage in STAGES if stage.word == word for read in stage.reads]


def is_current(word: str, spec: "Spec", store: "Store") -> bool:
    """True when the stage's last result still follows from the spec and the stages before it."""
    return store.record(word).is_file() and store.is_current(word, module(word).key_of(spec, store))


def run_stage(word: str, spec: "Spec", store: "Store", progress: "Progress", **choices: Any) -> Any:
    """Runs one stage; the stages before it must be there. Raises: NotReady and what the stage raises."""
    with store.lock():
        return getattr(module(word), word)(spec, store, *arguments(word, spec, store), progress=progress, **choices)


def run(
    spec: "Spec", store: "Store", progress: "Progress", told: Callable[[str, bool], None], until: str = "release"
) -> None:
    """Walks the stages in order up to and with `until`, skipping what is up to date.

    `told(word, skipped)` is called when a stage is done.
    """
    for word in ORDER[: ORDER.index(until) + 1]:
        current = is_current(word, spec, store)
        if not current:
            run_stage(word, spec, store, progress)
        told(word, current)


def watch(spec: "Spec", store: "Store", now: float | None = None, every: str = "") -> Any:
    """Looks at the service: one, and with `every` (such as 60s) one after the other. Raises: as the stage."""
    return module("watch").looks(spec, store, os.environ.get("WINDLASS_DATABASE", ""), now, every)


def improve(spec: "Spec", store: "Store", order: Any, progress: "Progress") -> Any:
    """One attempt at a better champion, with what the other stages lend. Raises: as the stage."""
    from windlass.improving.cycle import Workshop

    def challenge(challenger: "Spec", space: "Store") -> Any:
        for word in ("train", "evaluate"):
            if not is_current(word, challenger, space):
                getattr(module(word), word)(challenger, space, *arguments(word, challenger, space), progress=progress)
        return read_board(challenger, space)

    def publish(released: "Spec", space: "Store", board: Any) -> Any:
        return module("release").publish_release(released, store, space, board, progress)

    return module("improve").improve(spec, store, Workshop(memory(store), challenge, publish), order, progress)


def memory(store: "Store") -> Any:
    """Where the service keeps its log. Raises: NotReady, SpecError: as `serve`."""
    from windlass.database.location import memory as open_memory

    return open_memory(store, os.environ.get("WINDLASS_DATABASE", ""))
