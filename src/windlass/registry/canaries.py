"""A release on trial beside the champion: as canary it answers a share of the requests, as shadow it only listens.

A file in the store says so; every running service picks it up, and takes it away when the trial fails.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from windlass.errors import NotReady, SpecError
from windlass.registry import releases
from windlass.registry.audit_log import Why
from windlass.store.files import sync_folder
from windlass.store.json_files import read_as, write_json
from windlass.store.store import Store

FILE = "canary.json"


@dataclass(frozen=True)
class CanaryTrial:
    """share: of the requests, 0-1. against: the champion beside which it runs; another one ends it."""

    release: str
    share: float
    is_shadow: bool
    against: str
    started: str

    def __str__(self) -> str:
        return f"{'shadow' if self.is_shadow else 'canary'} '{self.release}', {self.share:.0%} of the requests"


def start(store: Store, release: str, share: float, is_shadow: bool = False) -> CanaryTrial:
    """Begins a trial; it replaces one that runs. Raises: SpecError: a share outside 0-1, or the champion itself.

    Raises: NotReady, DataError, GateRefused: the release is not there, or not what was released.
    """
    if not 0 < share <= 1:
        raise SpecError(f"share is {share:g}, expected above 0 and at most 1")
    champion = releases.champion_id(store)
    if release == champion:
        raise SpecError(f"release '{release}' is the champion, expected another one")
    releases.open_release(store, release)
    trial = CanaryTrial(release, share, is_shadow, champion, datetime.now(UTC).isoformat())
    write_json(_path(store), asdict(trial))
    releases.note(store, Why(f"{_word(trial)} started", "windlass canary", str(trial)), release)
    return trial


def running(store: Store) -> CanaryTrial | None:
    """The trial beside the present champion, if there is one. Raises: DataError: its file is damaged."""
    path = _path(store)
    if not path.is_file():
        return None
    try:
        trial = read_as(path, CanaryTrial, "`windlass canary --stop` removes it")
    except NotReady:
        return None
    return trial if trial.against == releases.champion_id(store) else None


def stop(store: Store, command: str, reason: str) -> None:
    """Ends the trial and says why in the trail. Raises: NotReady: there is none."""
    trial = running(store)
    if trial is None:
        _path(store).unlink(missing_ok=True)
        raise NotReady("no release is on trial, expected one", "`windlass canary RELEASE` begins a trial")
    _path(store).unlink(missing_ok=True)
    sync_folder(_path(store).parent)
    releases.note(store, Why(f"{_word(trial)} stopped", command, reason), trial.release)


def _word(trial: CanaryTrial) -> str:
    return "shadow" if trial.is_shadow else "canary"


def _path(store: Store) -> Path:
    return store.folder / "release" / FILE
