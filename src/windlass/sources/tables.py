"""Rows from Parquet files and from numpy archives of pictures; both measured before they are unpacked."""

import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.sources.contract import RawRow, Source

MAX_CELLS = 200_000_000
MAX_BYTES = 2 * 1024**3
MAX_MEMBERS = 10_000
BATCH = 10_000
ARRAYS = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels")),
    "validation": (("x_val", "y_val"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
    "": (("x", "y"), ("images", "labels")),
}


def read_parquet(source: Source) -> Iterator[RawRow]:
    """Rows of a Parquet file. Raises: DataError: damaged, or more than 2e8 cells by its own header."""
    import polars as pl

    try:
        lazy = pl.scan_parquet(source.path)
        n_columns = len(lazy.collect_schema())
        n_rows = lazy.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{source.path} cannot be read ({str(error)[:120]}), expected a Parquet file") from None
    if n_rows * n_columns > MAX_CELLS:
        raise DataError(
            f"{source.path} holds {n_rows:,} rows x {n_columns} columns, expected at most {MAX_CELLS:,} cells",
            "split it, or take a sample",
        )
    for start in range(0, n_rows, BATCH):
        for number, values in enumerate(lazy.slice(start, BATCH).collect().iter_rows(named=True), start + 1):
            yield RawRow(number, values)


def splits_of_npz(source: Source) -> list[str]:
    """The splits whose arrays the archive holds ('' = one pair of arrays, not split)."""
    names = {name.removesuffix(".npy") for name in _members(source)}
    found = [split for split, pairs in ARRAYS.items() if any(set(pair) <= names for pair in pairs)]
    if not found:
        known = " or ".join(f"'{x}' and '{y}'" for pairs in ARRAYS.values() for x, y in pairs[:1])
        raise DataError(f"{source.path} holds {sorted(names)[:6]}, expected arrays {known}")
    return found


def _members(source: Source) -> list[str]:
    try:
        with zipfile.ZipFile(source.path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError):
        raise DataError(f"{source.path} cannot be read, expected a numpy archive (.npz)") from None
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES or len(members) > MAX_MEMBERS:
        raise DataError(
            f"{source.path} unpacks to {total:,} bytes in {len(members):,} parts, "
            f"expected at most {MAX_BYTES:,} bytes in {MAX_MEMBERS:,}"
        )
    return [member.filename for member in members]


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
    _members(source)
    with np.load(source.path, allow_pickle=False) as archive:
        pair = next(pair for pair in ARRAYS[source.split] if set(pair) <= set(archive.files))
        try:
            pictures, labels = archive[pair[0]], archive[pair[1]]
        except (ValueError, zipfile.BadZipFile, OSError) as error:
            raise DataError(f"{source.path} is damaged ({error}), expected plain arrays") from None
    colour = pictures.ndim == 4 and pictures.shape[-1] in (1, 3)
    if pictures.dtype != np.uint8 or not (pictures.ndim == 3 or colour) or len(labels) != len(pictures):
        raise DataError(
            f"{source.path} holds '{pair[0]}' {pictures.dtype} {pictures.shape} with {len(labels)} labels, "
            "expected uint8 (n, height, width) or (n, height, width, 3), and n labels"
        )
    if colour and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    return pictures, labels.reshape(len(pictures), -1)[:, 0].tolist()


def labels_of_npz(source: Source) -> list[Any]:
    """The labels of the source's split, without unpacking its pictures."""
    _members(source)
    with np.load(source.path, allow_pickle=False) as archive:
        pair = next(pair for pair in ARRAYS[source.split] if set(pair) <= set(archive.files))
        return archive[pair[1]].ravel().tolist()
