"""Releases that were destroyed because a document in them was forgotten: nobody goes back to one, and it says why.

The word comes first: it is written before the first file goes, so that a kill in between leaves no release that looks
whole and is not.
"""

import shutil
from collections.abc import Sequence

from windlass.records import Json
from windlass.store.files import sync_folder
from windlass.store.json_files import read_json, write_json
from windlass.store.store import Store

FILE = "destroyed.json"


def why(store: Store, id: str) -> str:
    """Why the release is not there any more; '' where it was not destroyed. Raises: DataError: the list is damaged."""
    found = listed(store).get(id)
    return f"was destroyed because '{found['document']}' was forgotten on {found['at'][:10]}" if found else ""


def listed(store: Store) -> dict[str, Json]:
    """Id -> document and time, oldest first."""
    path = store.folder / "release" / FILE
    return dict(read_json(path)) if path.is_file() else {}


def because_of(store: Store, document: str, at: str) -> list[str]:
    """Ids of those that were destroyed when this document was forgotten at this time, by all attempts."""
    return [id for id, said in listed(store).items() if (said["document"], said["at"]) == (document, at)]


def note(store: Store, ids: Sequence[str], document: str, at: str, line: Sequence[str]) -> None:
    """Says that they are destroyed. To be called before they are. line: the champion and those before it."""
    known = listed(store)
    new = {id: {"document": document, "at": at, "in_line": id in line} for id in ids if id not in known}
    write_json(store.stage("release") / FILE, known | new)


def in_line(store: Store) -> list[str]:
    """Those that were the champion, or led to it: what they had learned, their successor has learned, too."""
    return [id for id, said in listed(store).items() if said["in_line"]]


def remove(store: Store, ids: Sequence[str]) -> None:
    """Takes away their files, and what was kept of their training."""
    for id in ids:
        for home in ("release", "weights"):
            shutil.rmtree(store.folder / home / id, ignore_errors=True)
    sync_folder(store.stage("release"))
