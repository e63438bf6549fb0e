"""The attempts of `improve`, each in a workspace of its own, with a journal of what was done.

What is learned is not written twice: it is the rows of those attempts that made a release which is the champion, or
which the champion followed. A rollback thereby takes the rows back with the release. A journal is replaced atomically,
so an attempt that was killed is found where it stood.
"""

import fcntl
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from windlass.durations import DAY_S
from windlass.errors import DataError, NotReady
from windlass.outputs.labelled_row import FILE, JUDGING, LEARNED, WAITING, LabelledRow
from windlass.records import Json
from windlass.registry import destroyed, releases
from windlass.store.files import own_file, write_text
from windlass.store.json_files import read_json, write_json
from windlass.store.store import Store

WORD, JOURNAL, ROWS, WAITING_FILE = "improve", "journal.json", "rows.jsonl", "waiting.jsonl"
ASIDE_FILE, DECIDED = "aside.csv", "decided.json"
ID = re.compile(r"\d{4,}\Z")


@dataclass(frozen=True)
class Attempt:
    """One attempt. store: of the project; space: the workspace, in which stages run as in a project."""

    store: Store
    id: str

    @property
    def folder(self) -> Path:
        return self.store.folder / WORD / self.id

    @property
    def space(self) -> Store:
        return Store(self.store.project, self.folder)

    @property
    def journal(self) -> Json:
        values = read_json(self.folder / JOURNAL)
        if not isinstance(values, dict) or not isinstance(values.get("steps"), dict):
            raise DataError(f"{self.folder / JOURNAL} is damaged, expected steps of an attempt", "remove its folder")
        return values

    def done(self, step: str) -> Json | None:
        """What the step gave; None when it was not done."""
        found = self.journal["steps"].get(step)
        return found if isinstance(found, dict) else None

    def note(self, step: str, facts: Json) -> Json:
        """The step is done, and what it gave is on disk when this returns."""
        journal = self.journal
        journal["steps"][step] = {"at": time.time(), **facts}
        write_json(self.folder / JOURNAL, journal)
        return facts

    def end(self, verdict: str) -> None:
        """Nothing more is to be done here. What was trained is removed: a release has its own copy."""
        write_json(self.folder / JOURNAL, {**self.journal, "ended": verdict})
        for name in ("train", "prepare", "collect"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def rows(self) -> list[LabelledRow]:
        """Raises: DataError: the file is damaged."""
        path = self.folder / ROWS
        if path.is_file() and not path.stat().st_size:
            raise DataError(f"{path} is damaged (it is empty), expected rows as JSON", "restore it from a backup")
        return _read_rows(path)

    def write_rows(self, rows: Sequence[LabelledRow]) -> None:
        _write_rows(self.folder / ROWS, rows)


def _read_rows(path: Path) -> list[LabelledRow]:
    if not path.is_file():
        return []
    try:
        return [LabelledRow(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (ValueError, TypeError):
        raise DataError(f"{path} is damaged, expected rows as JSON", "restore it from a backup") from None


def _write_rows(path: Path, rows: Sequence[LabelledRow]) -> None:
    lines = [json.dumps(row.as_json(), ensure_ascii=False) for row in rows]
    write_text(path, "".join(f"{line}\n" for line in lines or [""]))


def waiting(store: Store) -> list[LabelledRow]:
    """Rows of files that were given before and wait for an attempt; feedback that waits is in the log."""
    return [row.becomes("") for row in _read_rows(store.folder / WORD / WAITING_FILE)]


def keep_waiting(store: Store, rows: Sequence[LabelledRow]) -> None:
    """Keeps those of the rows that come from a file and wait."""
    _write_rows(store.stage(WORD) / WAITING_FILE, [row for row in rows if row.source == FILE and row.fate == WAITING])


def aside(store: Store) -> list[Json]:
    """What the last attempt set aside, and no person has refused: id, inputs, label, answered, caller and reason, as
    text. Rows of files are not among them: their file is to be corrected."""
    path = store.stage(WORD) / ASIDE_FILE
    if not path.is_file():
        return []
    refused = {id for id, each in decided(store).items() if not each["is_accepted"]}
    rows = pl.read_csv(path, infer_schema=False).to_dicts()
    return [row for row in rows if row["caller"] != FILE and row["id"] not in refused]


def decided(store: Store) -> dict[str, Json]:
    """Id of an answer -> what a person decided about its feedback: is_accepted, and at, seconds since 1970."""
    path = store.folder / WORD / DECIDED
    return dict(read_json(path)) if path.is_file() else {}


def decide(store: Store, ids: Sequence[str], is_accepted: bool) -> None:
    """Keeps what a person decided about rows that were set aside; the next attempt goes by it.

    Raises: DataError: no such row was set aside. NotReady: another process improves.
    """
    with locked(store):
        known = {row["id"] for row in aside(store)}
        unknown = [id for id in ids if id not in known]
        if unknown:
            raise DataError(
                f"row '{unknown[0][:64]}' is not set aside, expected the id of one that is",
                "`windlass improve --doubts` lists them",
            )
        now = {id: {"is_accepted": is_accepted, "at": time.time()} for id in ids}
        write_json(store.stage(WORD) / DECIDED, decided(store) | now)


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """One `improve` a store. Raises: NotReady: another process is at it."""
    with own_file(store.stage(WORD) / ".lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReady(
                f"{store.project} is being improved by another process, expected one at a time", "wait until it is done"
            ) from None
        yield


def attempts(store: Store) -> list[Attempt]:
    """All of them, oldest first."""
    home = store.folder / WORD
    found = [path.parent.name for path in home.glob(f"*/{JOURNAL}") if ID.match(path.parent.name)]
    return [Attempt(store, id) for id in sorted(found, key=int)]


def begin(store: Store, facts: Json) -> Attempt:
    """A new attempt."""
    home = store.stage(WORD)
    numbers = [int(path.name) for path in home.iterdir() if path.is_dir() and ID.match(path.name)]
    attempt = Attempt(store, f"{max(numbers, default=0) + 1:04d}")
    write_json(attempt.folder / JOURNAL, {"id": attempt.id, "began": time.time(), **facts, "steps": {}})
    return attempt


def unfinished(store: Store) -> Attempt | None:
    """The attempt that was killed or still runs, if there is one."""
    return next((attempt for attempt in attempts(store) if "ended" not in attempt.journal), None)


def in_use(store: Store, line: Sequence[str] | None = None) -> list[Attempt]:
    """The attempts whose release is, or led to, the champion; oldest first. line: of releases, where it was read."""
    line = [*releases.lineage(store), *destroyed.in_line(store)] if line is None else line
    return [attempt for attempt in attempts(store) if (attempt.done("promote") or {}).get("release") in line]


def learned(store: Store) -> list[LabelledRow]:
    """The rows that the product has learned, a later correction of an answer in place of an earlier one."""
    rows = [row for attempt in in_use(store) for row in attempt.rows() if row.fate == LEARNED]
    return list({row.answer: row for row in rows}.values())


def used(store: Store, line: Sequence[str]) -> list[LabelledRow]:
    """The rows of attempts in use that were learned, or that judge."""
    return [row for attempt in in_use(store, line) for row in attempt.rows() if row.fate in (LEARNED, JUDGING)]


def withdrawn(store: Store) -> set[str]:
    """Answers that a release learned from which was rolled back."""
    used = {attempt.id for attempt in in_use(store)}
    back = [attempt for attempt in attempts(store) if attempt.done("promote") and attempt.id not in used]
    return {row.answer for attempt in back for row in attempt.rows() if row.fate == LEARNED}


def judging(store: Store) -> dict[str, list[LabelledRow]]:
    """Id of an attempt in use -> the rows of it that only judge."""
    return {attempt.id: [row for row in attempt.rows() if row.fate == JUDGING] for attempt in in_use(store)}


def forget(store: Store, ids: Sequence[str]) -> int:
    """Deletes the rows that come from these answers; how many. A release that has learned from them stays as it is."""
    return _keep_those(store, lambda row: row.answer not in set(ids))


def forget_where(store: Store, quotes: Callable[[str], bool]) -> int:
    """Deletes the rows that quote something, as JSON, also those that wait or were set aside; how many. An attempt that
    was not ended is: it would go on with them."""
    if (begun := unfinished(store)) is not None:
        begun.end("stopped: a document was forgotten")
    kept = waiting(store)
    left = [row for row in kept if not _quotes(row, quotes)]
    if len(left) < len(kept):
        _write_rows(store.folder / WORD / WAITING_FILE, left)
    path = store.folder / WORD / ASIDE_FILE
    n_aside = 0
    if path.is_file():
        rows = pl.read_csv(path, infer_schema=False)
        stays = [not any(quotes(value) for value in row if value) for row in rows.iter_rows()]
        n_aside = len(rows) - sum(stays)
        if n_aside:
            write_text(path, rows.filter(pl.Series(stays, dtype=pl.Boolean)).write_csv())
    n_rows = _keep_those(store, lambda row: not _quotes(row, quotes))
    return n_rows + n_aside + len(kept) - len(left)


def _quotes(row: LabelledRow, quotes: Callable[[str], bool]) -> bool:
    """Any of its texts does: what was asked, what was answered, and what is right."""
    parts = row.as_json()
    return any(isinstance(each, str) and quotes(each) for each in (*parts.values(), *row.values.values()))


def expire(store: Store, keep_days: float) -> None:
    """Deletes rows that are older: what the log may not keep is not kept here."""
    since = time.time() - keep_days * DAY_S
    _keep_those(store, lambda row: row.source == FILE or row.at >= since)


def _keep_those(store: Store, stays: Callable[[LabelledRow], bool]) -> int:
    """Deletes the others; how many they were."""
    n_gone = 0
    for attempt in attempts(store):
        rows = attempt.rows()
        left = [row for row in rows if stays(row)]
        n_gone += len(rows) - len(left)
        if len(left) < len(rows):
            attempt.write_rows(left)
    return n_gone
