"""Documents that were forgotten: not read again under any name, and rows that rest on them are redacted.

What is kept of them is their path and hashes, never a word.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from windlass.kinds import cited
from windlass.records import Row, as_json
from windlass.store.json_files import fingerprint, read_json, reading, restored, write_json
from windlass.store.store import FOLDER, Store

FILE, TASKS, RECEIPT = "forgotten.json", "forget", "-receipt"
REDACTED = "(redacted: a document that was forgotten)"


@dataclass(frozen=True)
class Forgotten:
    """document: its path. at: when, as 2026-11-30T15:04:05+00:00. contents: SHA-256 of its files, and of its text with
    one space for all that is no word. emptied: fingerprints of rows whose right answer it held; dropped: of rows that
    quote it, that were written from it, or that were rejected."""

    document: str
    at: str
    contents: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def day(self) -> str:
        return self.at[:10]


def listed(store: Store) -> list[Forgotten]:
    """All of them, oldest first. Raises: DataError: the list is damaged."""
    path = store.project / FOLDER / FILE
    if not path.is_file():
        return []
    with reading(path, "documents that were forgotten", "restore it from a backup"):
        found = read_json(path)["documents"]
        return [replace(restored(Forgotten, each)) for each in found]


def pending(store: Store) -> list[str]:
    """Documents whose forgetting was begun and not ended: the champion may know them still. Raises: DataError."""
    found = []
    for path in sorted((store.folder / TASKS).glob("*.json")):
        if not path.stem.endswith(RECEIPT):
            with reading(path, "what is to be forgotten", "remove it, then `windlass forget` again"):
                found.append(str(read_json(path)["entry"]["document"]))
    return found


def keep(store: Store, forgotten: Forgotten) -> None:
    """Adds it to the list, in place of an earlier entry of this document and time."""
    others = [each for each in listed(store) if (each.document, each.at) != (forgotten.document, forgotten.at)]
    path = store.project / FOLDER / FILE
    write_json(path, {"documents": [as_json(each) for each in (*others, forgotten)]})


def reasons(store: Store) -> dict[str, str]:
    """Hash of a file or of a text -> why it is not read."""
    return {
        digest: f"was forgotten on {each.day}, expected another document"
        for each in listed(store) for digest in each.contents
    }  # fmt: skip


def text_digest(text: str) -> str:
    """The same of a file that was saved anew, or under another name or format."""
    return hashlib.sha256(plain(text).encode("utf-8", "surrogatepass")).hexdigest()


def plain(text: str) -> str:
    """With one space between words, so that lines may break anywhere."""
    return " ".join(text.split())


def row_digest(inputs: Row, right: str) -> str:
    return fingerprint([inputs, right])


def fates(
    forgotten: Sequence[Forgotten], rows: Sequence[Row], rights: Sequence[str], texts: Mapping[str, str]
) -> list[str | None]:
    """What becomes of the right answer of each row: the same, another one (`{}`: to refuse is right now), or None: the
    row is left out.

    rows: the inputs. rights: as rows keep them. texts: path of a document that is there -> its text.
    """
    if not forgotten:
        return list(rights)
    gone = {each.document for each in forgotten} - set(texts)
    emptied = {digest for each in forgotten for digest in each.emptied}
    dropped = {digest for each in forgotten for digest in each.dropped}
    found: list[str | None] = []
    for row, right in zip(rows, rights, strict=True):
        digest, parts = row_digest(row, right), cited.read(right, None) or {}
        if digest in dropped or (parts.get("document") in gone and parts.get(cited.SYNTHETIC)):
            found.append(None)
        elif digest in emptied or parts.get("document") in gone:
            found.append(_without_document(parts, texts))
        else:
            found.append(right)
    return found


def _without_document(parts: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """What is still right: the sentence, where another document has it to the letter; else that nothing answers."""
    quote = plain(str(parts.get("quote") or ""))
    if quote and any(quote in plain(text) for text in texts.values()):
        return cited.kept({name: parts[name] for name in ("text", "quote") if parts.get(name)})
    return cited.kept({})


def shown(forgotten: Sequence[Forgotten], words: str) -> str:
    """What a reject shows of its row; nothing of a row that names or quotes what was forgotten."""
    dropped = {digest for each in forgotten for digest in each.dropped}
    names = {json.dumps(each.document, ensure_ascii=False)[1:-1] for each in forgotten}
    return REDACTED if fingerprint(words) in dropped or any(name in words for name in names) else words
