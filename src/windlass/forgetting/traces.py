"""Where in the store of a project words of a document stand: every file is read, whatever it is."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl

from windlass.forgetting.words import Words, unescaped
from windlass.registry import destroyed
from windlass.sources.documents import forgotten
from windlass.sources.documents.forgotten import plain

PIECE = 8 * 1024 * 1024
"""Characters that are looked through at once."""
WITHOUT_TEXT = frozenset({".npy", ".npz", ".onnx", ".bin"})
"""Numbers alone."""
LISTS = frozenset({forgotten.FILE, destroyed.FILE})
"""They say which document was forgotten, by its name."""


def traces(folder: Path, words: Words, apart: tuple[str, ...] = ()) -> tuple[list[str], int]:
    """Paths below the folder that quote the document or name it in a citation, and how many files were read.

    apart: folders below it that are not looked at.
    """
    found, n_read = [], 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or name.split("/")[0] in apart or path.suffix in WITHOUT_TEXT:
            continue
        n_read += 1
        document = "" if path.name in LISTS else words.document
        if any(_holds(plain(unescaped(text)), words, document) for text in texts_of(path)):
            found.append(name)
    return found, n_read


def _holds(text: str, words: Words, document: str) -> bool:
    """It quotes; or a citation, a passage or a row of a table of documents in it names the document."""
    if words.held_by(text):
        return True
    if not document:
        return False
    said = {json.dumps(document), json.dumps(document, ensure_ascii=False)}
    return any(f'"document":{space}{name}' in text for name in said for space in ("", " "))


def texts_of(path: Path) -> Iterator[str]:
    """What a file says, in pieces that overlap by more than a sentence."""
    if path.suffix == ".parquet":
        yield from _pieces(pl.read_parquet(path, glob=False).write_ndjson())
        return
    content = path.read_bytes()
    if content.startswith(b"SQLite format 3\0"):
        yield from _of_tables(path)
    yield from _pieces(content.decode("utf-8", "ignore"))


def _pieces(text: str, overlap: int = 4_000) -> Iterator[str]:
    for start in range(0, max(len(text), 1), PIECE):
        yield text[max(0, start - overlap) : start + PIECE]


def _of_tables(path: Path) -> Iterator[str]:
    """Every text of every table: in the file itself a long one may lie in two parts."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        for name in names:
            rows = connection.execute(f'select * from "{name}"')
            yield from _pieces("\n".join(str(value) for row in rows for value in row if isinstance(value, str)))
