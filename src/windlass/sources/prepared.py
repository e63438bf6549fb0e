"""Rows as the stages left them in the store: collected ones, and prepared splits."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from windlass.errors import DataError, NotReady
from windlass.kinds import table as kinds
from windlass.records import (
    Catalogue,
    IndexedDocument,
    Json,
    Passage,
    Prepared,
    Recent,
    Row,
    Splits,
    WarmStart,
    as_json,
)
from windlass.sources.contract import SPLITS
from windlass.spec import Spec
from windlass.store.files import aside
from windlass.store.json_files import read_json, reading, restored, write_json
from windlass.store.store import Store

SPLIT = "_split"
"""The column of collected rows that says as which split a row was given ('' = not said)."""
GROUP = "_group"
"""The column that says which rows belong together ('' = the row stands for itself); there only where some do."""
CHECKS = "_checks"
"""The column of tests that an answer must pass ('' = none); there only where some rows have them."""

ITEM = "_item"
"""The column of ids in the table of the items."""
DOCUMENTS, PASSAGES, ITEMS = "documents.parquet", "passages.parquet", "items.parquet"
PASSAGE: dict[str, Any] = {
    "document": pl.String,
    "headings": pl.List(pl.String),
    "page": pl.Int64,
    "start": pl.Int64,
    "end": pl.Int64,
    "text": pl.String,
    "context": pl.String,
    "title": pl.String,
    "access": pl.List(pl.String),
}
"""The columns of passages."""
PREPARED_AGAIN = "remove it, then `windlass prepare --again`"
LEARNED, JUDGING, ASKED, STARTS = "learned.parquet", "judging.parquet", "asked.json", "starts.json"


def write_frame(path: Path, rows: pl.DataFrame) -> None:
    """The rows as Parquet, whole or not at all."""
    with aside(path) as made, made.open("wb") as file:
        rows.write_parquet(file)


def read_frame(path: Path, word: str, columns: Iterable[str] = ()) -> pl.DataFrame:
    """The rows that the stage left there. Raises: NotReady: none. DataError: damaged, or without one of the columns."""
    hint = f"remove it, then `windlass {word} --again`"
    if not path.is_file():
        raise NotReady(f"{path} does not exist, expected it from stage '{word}'", f"`windlass {word} --again`")
    try:
        rows = pl.read_parquet(path, glob=False)  # a folder may be called `shop[1]`
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:100]
        raise DataError(f"{path} is damaged ({reason}), expected rows as Parquet", hint) from None
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise DataError(f"{path} has no column '{missing[0]}', expected the columns of the product", hint)
    return rows


def rows_path(store: Store) -> Path:
    """Where collected rows are kept."""
    return store.folder / "collect" / "rows.parquet"


def write_collected(store: Store, rows: pl.DataFrame) -> None:
    store.stage("collect")
    write_frame(rows_path(store), rows)


def read_collected(store: Store) -> pl.DataFrame:
    """Raises: NotReady: `collect` has not run. DataError: what it left is damaged."""
    store.read_record("collect")
    return read_frame(rows_path(store), "collect")


def write_passages(store: Store, passages: Sequence[Passage]) -> None:
    """Keeps the passages of the documents beside the rows."""
    columns = {name: [getattr(passage, name) for passage in passages] for name in PASSAGE}
    write_frame(store.stage("collect") / PASSAGES, pl.DataFrame(columns, PASSAGE))


def read_passages(spec: Spec, store: Store) -> list[Passage] | None:
    """The passages that `collect` found; None where the product has no documents. Raises: NotReady, DataError."""
    if not spec.documents:
        return None
    frame = read_frame(store.folder / "collect" / PASSAGES, "collect", PASSAGE)
    return [Passage.from_json(row) for row in frame.to_dicts()]


def read_documents(spec: Spec, store: Store) -> list[IndexedDocument]:
    """The documents that `collect` found; none where the product has none, or it is not told. Raises: DataError."""
    path = store.folder / "collect" / DOCUMENTS
    if not spec.documents or not path.is_file():
        return []
    frame = read_frame(path, "collect", ("path", "sha256", "version"))
    return [IndexedDocument(*row) for row in frame.select("path", "sha256", "version").iter_rows()]


def write_catalogue(store: Store, catalogue: Catalogue) -> None:
    """Keeps the table of the items beside the rows: the ids, then its columns."""
    values = [catalogue.ids, *catalogue.columns.values()]
    names = [ITEM, *catalogue.columns]
    columns = [pl.Series(name, each, dtype=pl.String) for name, each in zip(names, values, strict=True)]
    write_frame(store.stage("collect") / ITEMS, pl.DataFrame(columns))


def read_catalogue(spec: Spec, store: Store) -> Catalogue | None:
    """The items that `collect` found; None where the product has no table of them. Raises: NotReady, DataError."""
    if spec.items is None or not spec.items.catalogue:
        return None
    frame = read_frame(store.folder / "collect" / ITEMS, "collect", [ITEM])
    columns = {name: tuple(frame[name].to_list()) for name in frame.columns}
    return Catalogue(columns.pop(ITEM), columns)


def write_splits(store: Store, splits: dict[str, pl.DataFrame]) -> None:
    for name, rows in splits.items():
        write_frame(store.stage("prepare") / f"{name}.parquet", rows)


def write_learned(store: Store, rows: pl.DataFrame | None) -> None:
    """Keeps the rows that `improve` adds to train beside the splits, which stay what they were; None: no rows."""
    _write_beside(store, LEARNED, rows)


def write_recent(store: Store, judging: pl.DataFrame, asked: Sequence[Row] = ()) -> None:
    """Keeps beside them what else came in use."""
    _write_beside(store, JUDGING, judging)
    write_json(store.stage("prepare") / ASKED, {"rows": list(asked)})


def _write_beside(store: Store, name: str, rows: pl.DataFrame | None) -> None:
    path = store.stage("prepare") / name
    path.unlink(missing_ok=True)
    if rows is not None and len(rows):
        write_frame(path, rows)


def read_recent(store: Store) -> Recent | None:
    """What came in use; None where nothing was learned from it. Raises: DataError: it is damaged."""
    home = store.folder / "prepare"
    if not (home / LEARNED).is_file() or not (home / ASKED).is_file():
        return None
    kept = [home / name for name in (LEARNED, JUDGING)]
    learned, judging = (read_frame(path, "prepare").to_dicts() if path.is_file() else [] for path in kept)
    with reading(home / ASKED, "rows that were asked", PREPARED_AGAIN):
        return Recent(learned, judging, restored(list[Json], read_json(home / ASKED)["rows"]))


def read_splits(spec: Spec, store: Store, with_learned: bool = True, prepared: Prepared | None = None) -> Splits:
    """prepared: the record of `prepare`, where it was read. Raises: NotReady: `prepare` has not run. DataError: what
    it left is damaged."""
    prepared, home = prepared or store.read("prepare", Prepared), store.folder / "prepare"
    parts = {name: read_frame(home / f"{name}.parquet", "prepare", spec.columns) for name in SPLITS}
    if with_learned and (home / LEARNED).is_file():
        more = read_frame(home / LEARNED, "prepare", spec.columns)
        with reading(home / LEARNED, "columns like those of train", PREPARED_AGAIN):
            parts["train"] = pl.concat([parts["train"], more], how="diagonal")
    root, ways, mark = store.project, kinds.ways(spec), prepared.fingerprint
    train, validation, test = (parts[name] for name in ("train", "validation", "test"))
    return Splits(
        spec.inputs,
        spec.output,
        train,
        validation,
        test,
        root,
        fingerprint=mark,
        written=ways,
        passages=read_passages(spec, store),
        taught=prepared.taught,
        documents=read_documents(spec, store),
        catalogue=read_catalogue(spec, store),
    )


def write_starts(store: Store, starts: Iterable[WarmStart]) -> None:
    """Keeps beside the splits which networks of the champion a challenger may begin with."""
    write_json(store.stage("prepare") / STARTS, {"starts": [as_json(start) for start in starts]})


def read_starts(store: Store) -> list[WarmStart]:
    """Those that `write_starts` kept; none in a project."""
    path = store.folder / "prepare" / STARTS
    if not path.is_file():
        return []
    with reading(path, "networks to begin with", PREPARED_AGAIN):
        return list(restored(list[WarmStart], read_json(path)["starts"]))
