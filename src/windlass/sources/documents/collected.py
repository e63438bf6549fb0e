"""The documents of a product in its store: what was read, passage by passage; only what has changed is read again."""

import json
from collections import Counter
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

import polars as pl

from windlass.errors import DataError
from windlass.kinds import cited
from windlass.records import Json, Passage, Progress, Row, as_json, silent
from windlass.sources.documents import forgotten
from windlass.sources.documents.access import with_access
from windlass.sources.documents.collection import read_documents, version_of, walk
from windlass.sources.documents.contract import Document, Limits, ReadDocument
from windlass.sources.prepared import DOCUMENTS, PASSAGE, read_frame, read_passages, write_frame, write_passages
from windlass.spec import FILE_NAME, Spec
from windlass.store.json_files import read_json, write_json
from windlass.store.store import Store

REJECTED = "rejected_documents.json"
MOST_TOLD = 5


def collect_documents(
    spec: Spec, store: Store, rights: Sequence[Any] = (), progress: Progress = silent
) -> tuple[dict[str, int], list[str]]:
    """Reads the documents of the spec; gives how many there are, and what a person should know of them.

    rights: right answers as collected rows keep them; those that name a document which is not there are told.

    Raises: DataError: there is no such folder, or nothing in it can be read.
    """
    found = read_documents(
        store.project / spec.documents, _known(store), None, _apart(spec, store), progress, forgotten.reasons(store)
    )
    unread = [*(each.path for each in found.rejected), *(each.document for each in forgotten.listed(store))]
    passages, of_access = with_access(found.documents, spec.access, spec.documents, unread)
    if not passages:
        raise DataError(
            f"{spec.documents} has no document with text: {found.n_files:,} files, {len(found.rejected):,} rejected"
            + (f", the first because {found.rejected[0].reason}" if found.rejected else ""),
            found.rejected[0].hint if found.rejected else "PDF, DOCX, HTML, Markdown, text, CSV or JSONL are read",
        )
    failed = [each for each in found.rejected if not each.row and not each.is_forgotten]
    if (lost := len(failed)) > spec.max_rejected * found.n_files:
        first = failed[0]
        insist = "`max_rejected: 1` in windlass.yaml goes on without these documents"
        raise DataError(
            f"{lost:,} of {found.n_files:,} documents of {spec.documents} were rejected, expected at most "
            f"{spec.max_rejected:.0%}; the first, {first.path}: {first.reason}",
            "; ".join(filter(None, [first.hint, insist])),
        )
    write_passages(store, passages)
    rows = [
        {**as_json(each.document), "hidden": json.dumps(each.document.hidden), "warnings": list(each.document.warnings),
         "access": json.dumps(each.document.access), "version": each.version} for each in found.documents
    ]  # fmt: skip
    write_frame(store.stage("collect") / DOCUMENTS, pl.DataFrame(rows))
    rejected = [as_json(each) for each in found.rejected]
    write_json(store.stage("collect") / REJECTED, {"rejected": rejected})
    counts = {"documents": len(found.documents), "passages": len(passages), "rejected": len(found.rejected),
              "unchanged": found.n_kept, "removed": len(found.removed)}  # fmt: skip
    told = [f"document {each.path}: {each.reason}" + (f"; {each.hint}" if each.hint else "") for each in found.rejected]
    more = [f"{len(told) - MOST_TOLD:,} more documents were rejected (all: .windlass/collect/{REJECTED})"]
    hidden = [
        f"document {each.document.path} holds hidden text, left out: {_hidden(each.document)}"
        for each in found.documents if each.document.hidden
    ]  # fmt: skip
    told = [*told[:MOST_TOLD], *(more if len(told) > MOST_TOLD else []), *hidden[:MOST_TOLD], *found.warnings]
    return counts, [*of_access, *told, *_stale(rights, {each.document.path for each in found.documents})]


def _hidden(document: Document) -> str:
    return ", ".join(f"{count:,} characters ({why})" for why, count in document.hidden.items())


def _stale(rights: Sequence[Any], there: Set[str]) -> list[str]:
    """What a person should know of right answers that name none of these documents."""
    named = [(cited.read(right, None) or {}).get("document", "") for right in rights]
    gone = Counter(name for name in named if name and name not in there)
    if not gone:
        return []
    shown = ", ".join(f"'{name[:60]}'" for name, _ in gone.most_common(MOST_TOLD))
    return [
        f"{gone.total():,} of {len(named):,} questions have their answer in a document that is not there ({shown}): "
        "they count as not found; take them out, or make their answer {}"
    ]


def _apart(spec: Spec, store: Store) -> list[Path]:
    """Of the project what is no document where its folder is that of the documents: the questions hold the answers."""
    data = [spec.data] if isinstance(spec.data, str) else list(spec.data.values())
    return [store.project / each for each in (*data, FILE_NAME)]


def _known(store: Store) -> dict[str, ReadDocument]:
    """What was read before; nothing where there is none, or it is damaged."""
    home = store.folder / "collect"
    if not (home / DOCUMENTS).is_file():
        return {}
    try:
        rows = read_frame(home / DOCUMENTS, "collect").to_dicts()
        pieces: dict[str, list[Passage]] = {}
        for row in read_frame(home / "passages.parquet", "collect", PASSAGE).to_dicts():
            pieces.setdefault(row["document"], []).append(Passage.from_json(row))
        return {row["path"]: _document(row, pieces.get(row["path"], [])) for row in rows}
    except (DataError, KeyError, TypeError, ValueError):
        return {}


def _document(row: Json, passages: list[Passage]) -> ReadDocument:
    version = row.pop("version")
    row["hidden"] = json.loads(row["hidden"])
    row["warnings"] = tuple(row["warnings"])
    groups = json.loads(row["access"])
    row["access"] = None if groups is None else tuple(groups)
    return ReadDocument(Document(**row), tuple(passages), version)


def digests(store: Store) -> dict[str, tuple[str, ...]]:
    """Path of a document that was read -> SHA-256 of its file and of its text (`forgotten.text_digest`)."""
    path = store.folder / "collect" / DOCUMENTS
    rows = read_frame(path, "collect", ("path", "sha256", "text")).iter_rows(named=True) if path.is_file() else ()
    return {row["path"]: (row["sha256"], forgotten.text_digest(row["text"])) for row in rows}


def rejected(store: Store) -> list[str]:
    """Paths of files that lie there and are not read, since they were forgotten."""
    path = store.folder / "collect" / REJECTED
    found = read_json(path)["rejected"] if path.is_file() else []
    return [each["path"] for each in found if each.get("is_forgotten")]


def redact(spec: Spec, store: Store, rows: Sequence[Row], rights: Sequence[str]) -> list[str | None]:
    """What becomes of each right answer, as some rest on documents that were forgotten (`forgotten.fates`)."""
    gone = forgotten.listed(store)
    if not gone:
        return list(rights)
    texts: dict[str, str] = {}
    for passage in read_passages(spec, store) or []:
        texts[passage.document] = f"{texts.get(passage.document, '')}\n{passage.text}"
    return forgotten.fates(gone, rows, rights, texts)


def stamps(spec: Spec, store: Store) -> list[Any]:
    """What changes when a document does, or how it is read: the reader; names, sizes and times of the files."""
    if not spec.documents:
        return []
    root: Path = store.project / spec.documents
    below = sorted(file for _, file in walk(root, _apart(spec, store)))
    files = [root] if root.is_file() else [file for file in below if file.is_file()]
    gone = [each.at for each in forgotten.listed(store)]
    also = [*([spec.access] if spec.access else []), *([gone] if gone else [])]
    return [
        version_of(Limits()),
        *also,
        *([path.as_posix(), path.stat().st_size, path.stat().st_mtime_ns] for path in files),
    ]
