"""The only module that knows paths: where each stage of a project keeps its things."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from windlass.errors import DataError, NotReady, WindlassError
from windlass.store.diagnostics import log_unexpected
from windlass.store.files import own_file
from windlass.store.json_files import read_json, reading, restored

FOLDER = ".windlass"
MOST_REASON = 400
Record = TypeVar("Record")


class Store:
    """The folder `.windlass` of a project: one folder a stage, named by the stage's word.

    folder: another place for the same, such as the workspace in which `improve` tries something.
    """

    def __init__(self, project: Path, folder: Path | None = None) -> None:
        self.project = project
        self.folder = folder or project / FOLDER

    def stage(self, word: str) -> Path:
        """The folder of a stage, made when it is not there."""
        folder = self.folder / word
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def record(self, word: str) -> Path:
        return self.folder / word / f"{word}.json"

    def read(self, word: str, kind: type[Record]) -> Record:
        """What the stage gave last, as a record. Raises: NotReady, naming the command that makes it. DataError."""
        values = self.read_record(word)
        with reading(self.record(word), f"the result of '{word}'", f"remove it, then `windlass {word}`"):
            record: Record = restored(kind, values)
        return record

    def read_record(self, word: str) -> dict[str, Any]:
        """What the stage gave last. Raises: NotReady, naming the command that makes it."""
        path = self.record(word)
        if not path.is_file():
            raise NotReady(
                f"stage '{word}' has not run in {self.project}, expected its result",
                f"`windlass {word}` or `windlass run`",
            )
        values = read_json(path)
        if not isinstance(values, dict):
            raise DataError(f"{path} is damaged, expected a mapping", f"remove it, then `windlass {word}`")
        return values

    def key(self, word: str) -> str:
        """What the stage's last result was made from. Raises: NotReady, DataError: as `read`."""
        values = self.read_record(word)
        with reading(self.record(word), f"the result of '{word}'", f"remove it, then `windlass {word}`"):
            return str(restored(str, values["key"], "key"))

    def is_current(self, word: str, key: str) -> bool:
        """True when the stage's last result was made from exactly this key."""
        path = self.record(word)
        if not path.is_file():
            return False
        values = read_json(path)
        return isinstance(values, dict) and values.get("key") == key

    def forget(self, word: str) -> None:
        """The stage counts as out of date; for `train`, so do its candidates, and the copies of them."""
        self.record(word).unlink(missing_ok=True)
        if word == "train":
            self.record("compress").unlink(missing_ok=True)
            shutil.rmtree(self.folder / "train", ignore_errors=True)

    def reason(self, doing: str, error: Exception) -> str:
        """Why something failed, with what to do, on one line; an unforeseen error's line names the log with its
        traceback: the project's, also where this is a workspace that goes away."""
        if isinstance(error, WindlassError):
            return "; ".join(filter(None, (error.message, error.hint)))[:MOST_REASON]
        words = f"{type(error).__name__}: {' '.join(str(error).split())}"[:MOST_REASON]
        id, path = log_unexpected(self.project / FOLDER, error, doing)
        return f"{words} (traceback {id} in {path})" if path else f"{words} (its traceback could not be written)"

    def run_folder(self, candidate: str) -> Path:
        """Where a candidate trains; its checkpoint, curve and artifact live here."""
        folder = self.folder / "train" / candidate
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One writer a store. Raises: NotReady when another process holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with own_file(self.folder / "lock") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotReady(
                    f"{self.project} is in use by another `windlass` command, expected one at a time",
                    "wait until it is done",
                ) from None
            yield
