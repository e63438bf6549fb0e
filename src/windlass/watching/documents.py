"""What answers out of documents need beside drift: how much is refused and what that asks for, and which documents are
no longer what was read."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from windlass.database.backend import Database
from windlass.database.people_answers import DOCUMENT, answers_since, people_answers, refused_questions, waits
from windlass.durations import DAY_S
from windlass.errors import DataError, NotReady
from windlass.outputs.contract import Output
from windlass.predictors.passages.questions import ABOUT, grouped
from windlass.records import Json
from windlass.sources.documents.collection import walk
from windlass.sources.prepared import DOCUMENTS, read_frame
from windlass.spec import Spec
from windlass.store.store import Store

NAME = "documents"
DAYS = 30.0
MOST_GROUPS, MOST_STALE = 12, 50
PAST, CHANGED, REMOVED, NEW = "past", "changed", "removed", "new"


def look(spec: Spec, store: Store, place: Database, output: Output, now: float) -> Json:
    """Counts of the last `DAYS`; groups of what waits, named; stale documents. {} where answers cite nothing.

    Raises: DataError: the log, or what `collect` left, is damaged.
    """
    if not output.cites:
        return {}
    values = [output.value_of(value) for value in answers_since(place, now - DAYS * DAY_S)]
    left = waits(refused_questions(place, lambda value: output.refuses(output.value_of(value))), people_answers(place))
    return {
        "days": DAYS,
        "answers": len(values),
        "refused": sum(map(output.refuses, values)),
        "dropped": sum(map(output.dropped, values)),
        "waiting": len(left),
        "groups": unanswered(["\n".join(map(str, each.inputs.values())) for each in left]),
        "stale": list(stale(spec, store, now))[:MOST_STALE],
    }


def unanswered(texts: Sequence[str]) -> list[Json]:
    """What refused questions are about: name, how many different ones, how often they were asked; the largest first."""
    found = [
        {"name": group.name, "questions": len({texts[place] for place in group.places}), "times": len(group.places)}
        for group in grouped(texts, ABOUT)
    ]
    return found[:MOST_GROUPS]


def stale(spec: Spec, store: Store, now: float) -> Iterator[Json]:
    """Documents past their date, and files that are not what `collect` read: document, reason, until (a date or '').

    A file that is younger than what `collect` left is read and compared; others are taken for what they were.
    """
    kept, root = store.folder / "collect" / DOCUMENTS, store.project / spec.documents
    if not kept.is_file() or not root.is_dir():
        return
    try:
        known = {row["path"]: row for row in read_frame(kept, "collect", ("path", "sha256", "valid_until")).to_dicts()}
    except NotReady:
        return
    read_at, today = kept.stat().st_mtime, datetime.fromtimestamp(now, UTC).date().isoformat()
    there = {path: file for path, file in walk(root) if path != DOCUMENT}
    for path, row in sorted(known.items()):
        until = str(row["valid_until"] or "")
        if path != DOCUMENT and path not in there:
            yield {"document": path, "reason": REMOVED, "until": ""}
        elif until and until < today:
            yield {"document": path, "reason": PAST, "until": until}
        elif path in there and _is_other(there[path], row["sha256"], read_at):
            yield {"document": path, "reason": CHANGED, "until": ""}
    for path, file in sorted(there.items()):
        if path not in known and _is_younger(file, read_at):
            yield {"document": path, "reason": NEW, "until": ""}


def _is_younger(file: Path, read_at: float) -> bool:
    try:
        return file.is_file() and not file.is_symlink() and file.lstat().st_mtime > read_at
    except OSError:
        return False


def _is_other(file: Path, sha256: str, read_at: float) -> bool:
    if not _is_younger(file, read_at):
        return False
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() != sha256
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}), expected a document") from None


def evidence_of(found: Json) -> Json:
    """What an alarm about stale documents says."""
    n_stale = len(found.get("stale", ()))
    return {"name": NAME, "subject": "", "trait": "stale", "effect": float(n_stale), "limit": 0.0, "p": 0.0,
            "before": 0, "now": n_stale, "unit": "count"}  # fmt: skip
