"""Rows from Parquet files, Excel files and numpy archives of pictures; all measured before they are unpacked."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, NotReady, did_you_mean, expected, pip_install
from windlass.sources.contract import MOST_COLUMNS, RawRow, Source
from windlass.sources.readers import grid
from windlass.sources.readers.archives import check_zip

MAX_CELLS = 200_000_000
MAX_SHEET_CELLS = 50_000_000
MAX_EXCEL_BYTES = 512 * 1024**2
"""Of an Excel file unpacked: it is held in memory several times over while it is read."""
CELL = re.compile(rb"""\sr\s*=\s*["']([A-Z]{0,3})(\d{1,7})["']""", re.IGNORECASE)
"""The place of a cell, such as `r="AB12"`, or the number of a row."""
BATCH = 10_000
ARRAYS = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels")),
    "validation": (("x_val", "y_val"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
    "": (("x", "y"), ("images", "labels")),
}


@contextmanager
def told(path: Path, wanted: str) -> Iterator[None]:
    """What a library raises at a damaged file as DataError; some in Rust panic, which is no Exception."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        words = (str(error) or type(error).__name__).partition("\n")[0][:120]
        raise DataError(f"{path} cannot be read ({words}), expected {wanted}") from None


def read_parquet(source: Source, most_cells: int = MAX_CELLS) -> Iterator[RawRow]:
    """Rows of a Parquet file. Raises: DataError: damaged, or more than 2e8 cells by its own header."""
    import polars as pl

    with told(source.path, "a Parquet file"):
        lazy = pl.scan_parquet(source.path, glob=False)
        n_columns = len(lazy.collect_schema())
        n_rows = lazy.select(pl.len()).collect().item()
    if n_columns > MOST_COLUMNS:
        raise DataError(f"{source.path} has {n_columns:,} columns, expected at most {MOST_COLUMNS:,}")
    if n_rows * n_columns > most_cells:
        raise DataError(
            f"{source.path} holds {n_rows:,} rows x {n_columns} columns, expected at most {most_cells:,} cells",
            "split it, or take a sample",
        )
    for start in range(0, n_rows, BATCH):
        with told(source.path, "a Parquet file"):
            batch = list(lazy.slice(start, BATCH).collect().iter_rows(named=True))
        yield from (RawRow(number, values) for number, values in enumerate(batch, start + 1))


def read_excel(source: Source) -> Iterator[RawRow]:
    """Rows of the sheet of an Excel file that is named, or the one that is filled: its cells as text, as a CSV of it.

    Raises: DataError: damaged, too large, no header, no such sheet, or none named of several.
    NotReady: fastexcel is not installed.
    """
    try:
        import fastexcel
    except ImportError:
        raise NotReady(
            f"{source.path} is an Excel file, expected the package 'fastexcel' to read it",
            f"`{pip_install('excel')}`, or save it as CSV (UTF-8)",
        ) from None
    check_zip(source.path, MAX_EXCEL_BYTES)
    _check_sheets(source.path)
    with told(source.path, "an Excel file"):
        book = fastexcel.read_excel(source.path.read_bytes())
        wanted = [name for name in book.sheet_names if not source.sheet or name == source.sheet]
        sheets = [book.load_sheet(name, header_row=None, dtypes="string") for name in wanted]
        filled = [sheet for sheet in sheets if sheet.width and sheet.height]
        frame = filled[0].to_polars() if len(filled) == 1 else None
    if frame is None:
        raise _not_one(source, list(book.sheet_names), [sheet.name for sheet in filled])
    cells = ([cell or "" for cell in row] for row in frame.iter_rows())
    yield from grid.rows((grid.Record(line, row) for line, row in enumerate(cells, 1) if any(row)), source)


def _not_one(source: Source, every: list[str], filled: list[str]) -> DataError:
    """Why no one sheet can be read, and how one is named."""
    if source.sheet and source.sheet not in every:
        message = f"{source.path} has no sheet '{source.sheet[:80]}', expected {expected(every)}"
        return DataError(message, did_you_mean(source.sheet[:80], every))
    if not filled:
        return DataError(f"{source.path} is empty{' in that sheet' * bool(source.sheet)}, expected a sheet with rows")
    return DataError(
        f"{source.path} has {len(filled)} sheets that are filled, expected the name of one: {expected(filled)}",
        f"name it behind the file: `{source.path.name}#{filled[0]}`",
    )


def _check_sheets(path: Path) -> None:
    """Raises: DataError: a sheet spans more cells than can be held; a cell far away makes all between them."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            with told(path, "an Excel file"):
                content = archive.read(name)
            n_rows = n_columns = 1
            for found in CELL.finditer(content):
                n_rows, n_columns = max(n_rows, int(found[2])), max(n_columns, _column(found[1]))
            if n_rows * n_columns > MAX_SHEET_CELLS:
                raise DataError(
                    f"{path} spans {n_rows:,} rows x {n_columns:,} columns, expected at most {MAX_SHEET_CELLS:,} cells",
                    "save it as CSV (UTF-8)",
                )


def _column(letters: bytes) -> int:
    """The number of the column that letters name: A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number


def splits_of_npz(source: Source) -> list[str]:
    """The splits whose arrays the archive holds ('' = one pair of arrays, not split)."""
    names = {name.removesuffix(".npy") for name in _members(source)}
    found = [split for split, pairs in ARRAYS.items() if any(set(pair) <= names for pair in pairs)]
    if not found:
        known = " or ".join(f"'{x}' and '{y}'" for pairs in ARRAYS.values() for x, y in pairs[:1])
        raise DataError(f"{source.path} holds {sorted(names)[:6]}, expected arrays {known}")
    return found


def _members(source: Source) -> list[str]:
    check_zip(source.path)
    with zipfile.ZipFile(source.path) as archive:
        return archive.namelist()


def read_npz(source: Source) -> Iterator[RawRow]:
    """Pictures and labels of the source's split, each picture written as PNG into the source's scratch folder."""
    pictures, labels = _arrays(source)
    assert source.scratch is not None
    folder = source.scratch / (source.split or "all")
    folder.mkdir(parents=True, exist_ok=True)
    from PIL import Image

    for number, (pixels, label) in enumerate(zip(pictures, labels, strict=True), 1):
        path = folder / f"{number:07d}.png"
        Image.fromarray(pixels).save(path, compress_level=1)
        yield RawRow(number, {source.names.image: str(path), source.names.label: label})


def _arrays(source: Source) -> tuple[np.ndarray, list[Any]]:
    pictures, labels = (_array(source, place) for place in (0, 1))
    colour = pictures.ndim == 4 and pictures.shape[-1] in (1, 3)
    if pictures.dtype != np.uint8 or not (pictures.ndim == 3 or colour) or len(labels) != len(pictures):
        raise DataError(
            f"{source.path} holds pictures {pictures.dtype} {pictures.shape} with {len(labels)} labels, "
            "expected uint8 (n, height, width) or (n, height, width, 3), and n labels"
        )
    if colour and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    return pictures, labels.reshape(len(pictures), -1)[:, 0].tolist()


def _array(source: Source, place: int) -> np.ndarray:
    """The pictures (0) or the labels (1) of the source's split; at least one dimension."""
    _members(source)
    with told(source.path, "plain arrays"), np.load(source.path, allow_pickle=False) as archive:
        pair = next(pair for pair in ARRAYS[source.split] if set(pair) <= set(archive.files))
        return np.atleast_1d(archive[pair[place]])


def labels_of_npz(source: Source) -> list[Any]:
    """The labels of the source's split, without unpacking its pictures."""
    return _array(source, 1).ravel().tolist()
