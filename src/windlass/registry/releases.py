"""Releases on disk: which one is the champion, and opening one, hashes verified and golden rows replayed."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from windlass.errors import DataError, NotReady, SpecError, did_you_mean
from windlass.kinds.decoding import give_back_memory
from windlass.predictors.artifact import read_golden
from windlass.predictors.contract import Predictor
from windlass.predictors.table import load, replay
from windlass.records import Json, Release, as_json
from windlass.registry import audit_log as trail
from windlass.registry import destroyed
from windlass.registry.audit_log import Why
from windlass.store.files import hash_folder
from windlass.store.json_files import read_as, read_json, write_json
from windlass.store.store import Store

logger = logging.getLogger("windlass.registry")
CHAMPION, RECORD, MODEL = trail.POINTER, "release.json", "model"
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


def folder(store: Store, id: str) -> Path:
    """Where the release lies, whether it is there or not. Raises: SpecError: not an id."""
    if not ID.match(id):
        raise SpecError(f"release is '{id[:80]}', expected an id of a-z, 0-9 and '-'")
    return store.folder / "release" / id


def champion_id(store: Store) -> str:
    """The id of the release that is served. Raises: NotReady when nothing was released."""
    return _pointer(store)[0]


def pointer_mark(store: Store) -> tuple[int, int, int] | None:
    """What changes whenever the champion does: inode, time and size of the pointer; nothing when there is none."""
    try:
        found = (_home(store) / CHAMPION).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def lineage(store: Store) -> list[str]:
    """The champion and those before it, newest first; none when nothing was released."""
    try:
        champion, older = _pointer(store)
    except NotReady:
        return []
    return [champion, *older]


def history(store: Store) -> list[str]:
    """The champions before this one, newest first; the first is the one to roll back to."""
    return _pointer(store)[1]


def _pointer(store: Store) -> tuple[str, list[str]]:
    path = store.folder / "release" / CHAMPION
    if not path.is_file():
        raise NotReady(
            f"{store.project} has no release, expected one", "`windlass run` makes one, or says what is missing"
        )
    values = read_json(path)
    if not isinstance(values, dict) or not isinstance(values.get("release"), str):
        raise DataError(f"{path} is damaged, expected the id of a release", "`windlass release` writes it again")
    older = values.get("history", [])
    if not isinstance(older, list) or not all(isinstance(id, str) for id in older):
        raise DataError(f"{path} has a damaged history, expected a list of ids", "`windlass release` writes it again")
    return values["release"], older


def _last_known(store: Store) -> tuple[str, list[str], bool]:
    """The champion, those before it, and whether that is what the trail says, since the pointer is damaged."""
    if not (_home(store) / CHAMPION).is_file():
        return "", [], False
    try:
        return *_pointer(store), False
    except DataError:
        logger.warning("pointer to the champion is damaged: the trail says which it was", exc_info=True)
        return *_told_champion(store), True


def _told_champion(store: Store) -> tuple[str, list[str]]:
    """The champion and those before it as the trail has them, of the releases that are still there."""
    current, older = "", list[str]()
    for entry in trail.entries(_home(store)):
        if entry["event"] in MOVES and (folder(store, entry["to"]) / RECORD).is_file():
            before = [current] if current and entry["event"] == MOVES[0] else []
            current, older = entry["to"], [name for name in before + older if name != entry["to"]]
    return current, older


MOVES = ("promote", "rollback")
"""Events of the trail after which another release is the champion."""
PROMOTED = Why("promote", "windlass release", "goal, limits and golden answers hold")
WENT_BACK = Why("rollback", "windlass rollback", "asked for")


def point_to(store: Store, id: str, why: Why = PROMOTED) -> None:
    """Makes this release the champion, at once or not at all; the old one becomes the newest of the history.

    Raises: NotReady: there is no such release.
    """
    release = record(store, id)
    with trail.locked(_home(store)):
        current, older, is_damaged = _last_known(store)
        if current == id and not is_damaged:
            return
        older = [name for name in ([current] if current else []) + older if name != id]
        _move(store, release, current, older, why)


def rollback(store: Store, why: Why = WENT_BACK, champion: str = "") -> str:
    """Makes the champion before this one champion again; gives its id. champion: the one that is meant, if it matters.

    Raises: NotReady: there is no older one, or another one is champion by now. DataError, GateRefused: it is not what
            was released; nothing changes then.
    """
    with trail.locked(_home(store)):
        current, older = _pointer(store)
        if champion and current != champion:
            raise NotReady(f"champion is '{current}' by now, expected '{champion}' to go back from")
        if not older and (gone := destroyed.listed(store)):
            last = list(gone)[-1]
            raise NotReady(f"release '{last}' {destroyed.why(store, last)}, expected an older one to go back to")
        if not older:
            raise NotReady("no older release to go back to, expected at least two", "`windlass releases` lists them")
        release, _ = open_release(store, older[0])
        _move(store, release, current, older[1:], why)
    return older[0]


def destroy(store: Store, ids: Sequence[str], document: str, at: str) -> None:
    """Takes these releases away for good, since the document in them was forgotten. The champion may be one of them:
    then nothing is served until there is another one."""
    home = _home(store)
    with trail.locked(home):
        current, older, _ = _last_known(store)
        destroyed.note(store, ids, document, at, [current, *older])
        if current in ids:
            (home / CHAMPION).unlink(missing_ok=True)
        elif current and set(older) & set(ids):
            values = read_json(home / CHAMPION)
            write_json(home / CHAMPION, {**values, "history": [id for id in older if id not in ids]})
        destroyed.remove(store, ids)
        for id in ids:
            trail.add(home, trail.next_entry(home, Why("destroyed", "windlass forget", f"'{document}' was forgotten"),
                                             id, ""))  # fmt: skip


def note(store: Store, why: Why, id: str) -> None:
    """Adds to the trail what changed nothing about the champion, such as a canary that was stopped."""
    home = _home(store)
    with trail.locked(home):
        trail.add(home, trail.next_entry(home, why, champion_id(store), id))


def _move(store: Store, release: Release, current: str, older: list[str], why: Why) -> None:
    """The one place where the champion changes. To be called under the lock of the trail."""
    home = _home(store)
    evidence = {**_evidence(release), **({"before": _evidence(record(store, current))} if current else {})}
    entry = trail.next_entry(home, replace(why, evidence={**evidence, **why.evidence}), current, release.id)
    write_json(home / CHAMPION, {"release": release.id, "history": older, "entry": entry})
    trail.add(home, entry)


def _evidence(release: Release) -> Json:
    return {"candidate": release.candidate, "metric": release.headline, **as_json(release.score)}


def _home(store: Store) -> Path:
    return store.folder / "release"


def listing(store: Store) -> list[Json]:
    """Every release as JSON, newest first, with `champion` true for the one that is served."""
    home = store.folder / "release"
    found = [as_json(record(store, path.parent.name)) for path in home.glob(f"*/{RECORD}")]
    champion = champion_id(store) if (home / CHAMPION).is_file() else ""
    return [
        {**release, "champion": release["id"] == champion}
        for release in sorted(found, key=lambda release: release["created"], reverse=True)
    ]


def told(store: Store) -> list[Json]:
    """The audit trail, oldest first. Raises: DataError: a line of it is damaged."""
    return trail.entries(_home(store))


def improvement(store: Store, id: str) -> str:
    """The attempt of `windlass improve` that made this release the champion last; empty: somebody else did."""
    last = next((entry for entry in reversed(told(store)) if entry["to"] == id), {})
    return str(last.get("evidence", {}).get("improvement", ""))


def open_release(store: Store, id: str, replays: bool = True) -> tuple[Release, Predictor]:
    """The release and what answers from it, after its files were verified and its golden rows replayed.

    replays: False where the golden rows are answered right afterwards, behind a server that answers nobody before.
    Raises: NotReady: not there. DataError: a file differs from what was released. GateRefused: an answer differs.
    """
    release = record(store, id)
    return release, proven(folder(store, id), release, replays)


def proven(where: Path, release: Release, replays: bool = True) -> Predictor:
    """What answers from the release in this folder. Raises: as `open_release`."""
    verify(where, release)
    predictor = load(where / MODEL)
    if replays:
        replay(predictor, where / MODEL)
    give_back_memory()
    return predictor


def golden(store: Store, id: str) -> tuple[list[Json], list[Any]]:
    """The golden rows of the release, and what the trained model gave for them."""
    return read_golden(folder(store, id) / MODEL)


def verify(where: Path, release: Release) -> None:
    """Raises: DataError that names the first file that is missing, changed or was not released."""
    found = hash_folder(where)
    found.pop(RECORD, None)
    for name, digest in sorted(release.files.items()):
        if name not in found:
            raise DataError(f"release '{release.id}' has no file '{name}', expected it", _MEND)
        if found[name] != digest:
            raise DataError(
                f"release '{release.id}' has a changed file '{name}', expected SHA-256 {digest[:12]}...", _MEND
            )
    strange = sorted(set(found) - set(release.files))
    if strange:
        raise DataError(
            f"release '{release.id}' has the file '{strange[0]}' that was not released, expected none", _MEND
        )


_MEND = "`windlass release` makes a new one; a changed release is never served"


def record(store: Store, id: str) -> Release:
    """What the release says of itself. Raises: NotReady: there is none of this id. DataError: it is damaged."""
    path = folder(store, id) / RECORD
    if gone := destroyed.why(store, id):
        raise NotReady(f"release '{id}' {gone}, expected another one", "`windlass releases` lists them")
    if not path.is_file():
        others = [child.name for child in sorted(path.parent.parent.glob("*/")) if (child / RECORD).is_file()]
        raise NotReady(f"release '{id}' does not exist in {store.project}", did_you_mean(id, others))
    release = read_record(path.parent)
    if release.id != id:
        raise DataError(f"{path} is the record of '{release.id}', expected '{id}' and its files", _MEND)
    return release


def read_record(where: Path) -> Release:
    """What the release in this folder says of itself, wherever it lies. Raises: DataError: it is damaged."""
    return read_as(where / RECORD, Release, _MEND)
