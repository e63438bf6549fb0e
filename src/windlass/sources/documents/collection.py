"""A folder of documents becomes passages; what is known and has not changed is not read again."""

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from windlass.errors import DataError, NotReady, expected
from windlass.records import Progress, silent
from windlass.sources.documents import validity
from windlass.sources.documents.characters import language_of, one_line, visible
from windlass.sources.documents.confined import Reading
from windlass.sources.documents.contract import (
    READER_VERSION,
    Document,
    DocumentSet,
    Limits,
    Parsed,
    ReadDocument,
    RejectedDocument,
)
from windlass.sources.documents.forgotten import text_digest
from windlass.sources.documents.formats import READERS
from windlass.sources.documents.passages import Chunker, text_of
from windlass.sources.documents.pdf import ocr
from windlass.sources.readers.system_files import is_system
from windlass.store.json_files import fingerprint

CHUNK = 1024 * 1024
LONGEST_TITLE = 200
MANY = 4
Result = ReadDocument | RejectedDocument


def read_documents(
    place: Path,
    known: Mapping[str, ReadDocument] | None = None,
    limits: Limits | None = None,
    apart: Collection[Path] = (),
    progress: Progress = silent,
    forgotten: Mapping[str, str] | None = None,
) -> DocumentSet:
    """The documents of a file or a folder, by path; those below it too, links not followed.

    known: path -> what an earlier call gave. A document whose content and reader are the same is that one, not read.
    forgotten: SHA-256 of a file or of a text (`forgotten.text_digest`) -> why it is not read.
    apart: files and folders that may lie there and are no documents: questions with their answers, the specification.
    Raises: DataError: there is no such place, it holds no file, or more than the limits say.
    """
    known, limits = known or {}, limits or Limits()
    files, rejected = _found(place, limits, apart)
    version = version_of(limits)
    read: list[ReadDocument] = []
    n_kept = 0
    with Reading(limits) as reading:
        for number, (path, file) in enumerate(files):
            progress("collect", number, len(files), path)
            results, is_kept = _one(path, file, known.get(path), version, reading)
            results = [_remembered(each, forgotten) for each in results] if forgotten else results
            n_kept += is_kept
            read += [each for each in results if isinstance(each, ReadDocument)]
            rejected += [each for each in results if isinstance(each, RejectedDocument)]
    present = {path for path, _ in files}
    return DocumentSet(
        tuple(read),
        tuple(sorted(rejected, key=lambda each: (each.path, each.row))),
        tuple(_said_together(read)),
        len(read) + sum(not each.row for each in rejected),
        n_kept,
        tuple(sorted(set(known) - present)),
    )


def version_of(limits: Limits) -> str:
    """Changes with the reader, and with what makes other passages of the same file."""
    also = fingerprint([asdict(limits.sizes), limits.text_layers, ocr.is_there()])
    return f"{READER_VERSION}-{also[:12]}"


def _found(
    place: Path, limits: Limits, apart: Collection[Path]
) -> tuple[list[tuple[str, Path]], list[RejectedDocument]]:
    """(path, file) of what can be opened, and what is refused by what it is. Raises: DataError."""
    if place.is_file():
        return [(place.name, place)], []
    if not place.is_dir():
        raise DataError(f"{place} does not exist, expected a document or a folder of documents")
    files: list[tuple[str, Path]] = []
    rejected: list[RejectedDocument] = []
    size = 0
    for path, file in sorted(walk(place, apart)):
        if len(files) + len(rejected) >= limits.files:
            raise DataError(f"{place} holds more than {limits.files:,} files, expected at most that")
        if why := _why_not(path, file):
            rejected.append(RejectedDocument(path.encode("utf-8", "replace").decode(), why))
            continue
        size += file.stat().st_size
        files.append((path, file))
    if size > limits.folder_bytes:
        raise DataError(f"{place} holds {size:,} bytes, expected at most {limits.folder_bytes:,}")
    if not files and not rejected:
        raise DataError(
            f"{place} holds no file, expected documents", f"put files there that end in {expected(READERS)}"
        )
    return files, rejected


def walk(place: Path, apart: Collection[Path] = ()) -> Iterator[tuple[str, Path]]:
    """(path below the place, file or link) of all that may be documents: no system files, none that is kept apart."""
    closed = {each.resolve() for each in apart}
    for folder, folders, names in os.walk(place, followlinks=False):
        here = Path(folder).resolve()
        folders[:] = [name for name in folders if not is_system(name) and here / name not in closed]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*names, *links):
            if not is_system(name) and here / name not in closed:
                file = Path(folder, name)
                yield file.relative_to(place).as_posix(), file


def _why_not(path: str, file: Path) -> str:
    """Why the file is not opened at all; '' where it is."""
    try:
        path.encode("utf-8")
        found = file.lstat()
    except UnicodeEncodeError:
        return "has a name that is no text, expected one in UTF-8"
    except OSError as error:
        return f"cannot be opened ({error.strerror}), expected a file"
    if stat.S_ISLNK(found.st_mode):
        return "is a link, expected a file: links are not followed"
    return "" if stat.S_ISREG(found.st_mode) else "is no regular file, expected one"


def _one(
    path: str, file: Path, before: ReadDocument | None, version: str, reading: Reading
) -> tuple[list[Result], bool]:
    """The document or why there is none, the rows of it that are rejected; and whether it was known."""
    try:
        digest = _digest(file, reading.limits.file_bytes)
        if before is not None and before.document.sha256 == digest and before.version == version:
            return [before], True
        parsed = reading.parse(file)
    except (DataError, NotReady) as error:
        return [RejectedDocument(path, error.message, error.hint)], False
    except OSError as error:
        return [RejectedDocument(path, f"{file.name} cannot be read ({error.strerror}), expected a file")], False
    rows = [RejectedDocument(path, why, row=row) for row, why in parsed.rejected_rows]
    return [document_of(path, digest, parsed, reading.limits, version), *rows], False


def _remembered(result: Result, forgotten: Mapping[str, str]) -> Result:
    """What was read, or that it was forgotten."""
    if isinstance(result, RejectedDocument):
        return result
    document = result.document
    why = forgotten.get(document.sha256) or forgotten.get(text_digest(document.text))
    return result if why is None else RejectedDocument(document.path, f"{document.name} {why}", is_forgotten=True)


def _digest(file: Path, most_bytes: int) -> str:
    """SHA-256 of what is read at most: a larger file is refused anyway."""
    digest = hashlib.sha256()
    left = most_bytes + 1
    with file.open("rb") as opened:
        while left > 0 and (part := opened.read(min(CHUNK, left))):
            digest.update(part)
            left -= len(part)
    return digest.hexdigest()


def document_of(path: str, digest: str, parsed: Parsed, limits: Limits, version: str) -> Result:
    """The document with its passages; a reject where the file holds no text that somebody sees."""
    blocks = [block for block in parsed.blocks if block.text.strip()]
    text, starts = text_of(blocks)
    name = path.rpartition("/")[2]
    if not text.strip():
        hidden = f" ({sum(parsed.hidden.values()):,} characters that nobody sees)" if parsed.hidden.total() else ""
        return RejectedDocument(path, f"{name} holds no text{hidden}, expected some")
    if len(text) > limits.characters:
        return RejectedDocument(
            path,
            f"{name} holds {len(text):,} characters, expected at most {limits.characters:,}",
            "split it into parts",
        )
    begin, end = validity.of_text(text)
    chunker = Chunker(limits.sizes)
    found = tuple(chunker.passages(path, blocks, text, starts))
    warnings = list(parsed.warnings)
    if chunker.n_cut:
        warnings.append(f"{chunker.n_cut} runs of text without an end were cut at {limits.sizes.longest:,} characters")
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    title = one_line(visible(parsed.title, parsed.hidden)) or first or Path(name).stem
    shown = one_line(visible(name, parsed.hidden))
    title = title[:LONGEST_TITLE]
    document = Document(
        path,
        shown,
        title,
        digest,
        parsed.language or language_of(text),
        Path(name).suffix.lower().lstrip("."),
        parsed.n_pages,
        text,
        parsed.valid_from or begin,
        parsed.valid_until or end,
        {why: count for why, count in sorted(parsed.hidden.items()) if count},
        tuple(warnings),
        parsed.access,
    )
    return ReadDocument(document, tuple(replace(each, title=title) for each in found), version)


def _said_together(read: Sequence[ReadDocument]) -> Iterator[str]:
    """What several documents have in common that somebody should know."""
    names: dict[str, list[str]] = defaultdict(list)
    contents: dict[str, list[str]] = defaultdict(list)
    for each in read:
        names[each.document.name.casefold()].append(each.document.path)
        contents[each.document.sha256].append(each.document.path)
    for paths in names.values():
        if len(paths) > 1:
            yield f"{_listed(paths)} have one name: each is kept, by its path"
    for paths in contents.values():
        if len(paths) > 1:
            yield f"{_listed(paths)} have the same content: each is kept"


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(f"'{path[:80]}'" for path in paths[:MANY])
    return shown + (f" ... ({len(paths)} in all)" if len(paths) > MANY else "")
