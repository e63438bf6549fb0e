"""What documents and passages are, what a reader of a format gives, and what none of them may exceed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from windlass.records import Passage

READER_VERSION = 4
"""Changes when the same file would give other passages: what is known by an older one is read again."""

BlockKind = Literal["heading", "paragraph", "header", "row", "pair"]
"""`header` is the first row of a table and begins it; `pair` is a question with its answer."""


@dataclass(frozen=True)
class Document:
    """A file as it was read. Spans of its passages count characters of `text`.

    path: from the folder that was read, with `/`: what it is known by, so that two files of one name are two documents.
    language: two letters, '' = not told. n_pages: 0 = its format has none. valid_from, valid_until: as 2026-03-31, ''
    = not said. hidden: why -> characters that no reader of the file sees, left out. format: its ending without the dot.
    access: groups that the file itself says may see it; None: it says nothing.
    """

    path: str
    name: str
    title: str
    sha256: str
    language: str
    format: str
    n_pages: int
    text: str
    valid_from: str = ""
    valid_until: str = ""
    hidden: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    access: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ReadDocument:
    """A document with its passages. version: the `READER_VERSION` and the limits that they were made with."""

    document: Document
    passages: tuple[Passage, ...]
    version: str


@dataclass(frozen=True)
class RejectedDocument:
    """A file that was not read, or a row of a file of pairs (`row` counts from 1; 0 = the whole file), and why.

    is_forgotten: a person asked that it be forgotten, so that nothing is wrong with it.
    """

    path: str
    reason: str
    hint: str = ""
    row: int = 0
    is_forgotten: bool = False


@dataclass(frozen=True)
class DocumentSet:
    """What a folder gave. files = documents + whole-file rejects, always.

    n_kept: documents that were known and have not changed, whose passages are the ones that were known.
    removed: paths that were known and are not there any more.
    """

    documents: tuple[ReadDocument, ...]
    rejected: tuple[RejectedDocument, ...]
    warnings: tuple[str, ...]
    n_files: int
    n_kept: int
    removed: tuple[str, ...]


@dataclass(frozen=True)
class PassageSizes:
    """most: words of a passage (1.7 Chinese or Japanese characters count as one); a longer sentence or row stays whole.

    least: a shorter rest of a section goes with the passage before it. longest: characters after which what has no end
    is cut where a clause or word ends, and told: a run of words without a full stop is no sentence.
    """

    most: int = 160
    least: int = 24
    longest: int = 2_000


@dataclass(frozen=True)
class Limits:
    """What a folder and a file may need, and how passages are cut.

    text_layers: what lies invisibly over the picture of a scanned page is believed. Nobody sees it, so by default it
    is hidden text as any other.
    """

    file_bytes: int = 200 * 1024**2
    folder_bytes: int = 20 * 1024**3
    files: int = 200_000
    unpacked_bytes: int = 512 * 1024**2
    pages: int = 5_000
    characters: int = 20_000_000
    seconds: float = 600.0
    memory_mb: int = 2_048
    text_layers: bool = False
    sizes: PassageSizes = field(default_factory=PassageSizes)


@dataclass(frozen=True)
class Block:
    """What a reader gives, in order: a heading, a paragraph, a row of a table (cells parted by ` | `) or a pair.

    level: of a heading, from 1. header: of a row, its table's header in one line; of a header itself.
    turns: (place in text, page) where a later page begins inside it.
    """

    kind: BlockKind
    text: str
    page: int = 0
    level: int = 0
    header: str = ""
    turns: tuple[tuple[int, int], ...] = ()


@dataclass
class Parsed:
    """A file taken apart by the reader of its format. rejected_rows: (row, why) of a file of pairs."""

    blocks: list[Block] = field(default_factory=list)
    title: str = ""
    language: str = ""
    n_pages: int = 0
    valid_from: str = ""
    valid_until: str = ""
    hidden: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    rejected_rows: list[tuple[int, str]] = field(default_factory=list)
    access: tuple[str, ...] | None = None


Reader = Callable[[Path, Limits], Parsed]
"""Raises: DataError: it cannot be read. NotReady: a package is not installed."""
