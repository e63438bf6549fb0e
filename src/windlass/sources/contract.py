"""What a source is: a place that gives raw rows, each one whole or with the reason why it is not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from windlass.errors import DataError, NotReady

SPLITS = ("train", "validation", "test")
MOST_COLUMNS = 10_000
"""Of a table: each is looked at, read and measured by itself, so that more take hours."""


@dataclass(frozen=True)
class RawRow:
    """One row as it was found. `number` counts from 1 as a person would in that source (a line, a file, an image).

    group: rows of the same one belong together, such as the answers of a conversation; '' = the row stands for itself.
    """

    number: int
    values: dict[str, Any] | None
    fault: str = ""
    shown: str = ""
    group: str = ""


@dataclass(frozen=True)
class Names:
    """The columns that a source without a header (pictures in folders, arrays, conversations) fills.

    chat: the input that holds a conversation; '' when no input does. columns: those that together are the label.
    answers: the kind of the label; '' = told by what is found.
    """

    image: str = "image"
    label: str = "label"
    chat: str = ""
    columns: tuple[str, ...] = ()
    answers: str = ""


@dataclass
class Source:
    """A file or folder, the split that it was given as ('' = not said), and its reader."""

    path: Path
    split: str
    read: Callable[["Source"], Iterator[RawRow]]
    names: Names = field(default_factory=Names)
    scratch: Path | None = None  # where a reader may put pictures that it unpacks
    warnings: list[str] = field(default_factory=list)
    sheet: str = ""  # of a workbook; '' = the one that is filled
    version: str = ""  # changes when the rows do; '' = look at the files themselves
    answers: str = ""  # the kind of what its rows hold beside pictures; '' = a label, or told by the values

    packed: "Packed | None" = None

    root: Path = field(init=False)  # the folder that relative paths in its rows start from

    def __post_init__(self) -> None:
        self.root = self.path if self.path.is_dir() else self.path.parent

    @property
    def shown(self) -> str:
        """What messages call it."""
        return self.named(str(self.path))

    def named(self, words: str) -> str:
        """The words with places inside the archive in place of those where it was unpacked."""
        return words if self.packed is None else self.packed.named(words)

    def rows(self) -> Iterator[RawRow]:
        """Raises: DataError, NotReady: as its reader."""
        try:
            yield from map(self._joined, self.read(self))
        except (DataError, NotReady) as error:
            raise type(error)(self.named(error.message), self.named(error.hint)) from None

    def _joined(self, raw: RawRow) -> RawRow:
        """The row with the columns that are a label together as one value, where there are such."""
        names = self.names
        if raw.values is None or not names.columns or not all(name in raw.values for name in names.columns):
            return raw
        label = {name: raw.values[name] for name in names.columns}
        return replace(raw, values={**raw.values, names.label: label})


@dataclass(frozen=True)
class Packed:
    """An archive, and where it was unpacked: nobody has that place in mind."""

    archive: Path
    place: Path

    def named(self, words: str) -> str:
        """`data.zip: d/a.csv` where the words say where that was unpacked."""
        for place in (self.place, self.place.resolve()):
            words = words.replace(f"{place}/", f"{self.archive}: ").replace(str(place), str(self.archive))
        return words
