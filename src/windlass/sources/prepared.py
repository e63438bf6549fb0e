"""Rows as the stages left them in the store: collected ones, and prepared splits."""

import polars as pl

from windlass.records import Splits
from windlass.sources.contract import SPLITS
from windlass.spec import Spec
from windlass.store import Store

SPLIT = "_split"
"""The column of collected rows that says as which split a row was given ('' = not said)."""
GROUP = "_group"
"""The column that says which rows belong together ('' = the row stands for itself); there only where some do."""
CHECKS = "_checks"
"""The column of tests that an answer must pass ('' = none); there only where some rows have them."""

LEARNED = "learned.parquet"


def write_collected(store: Store, rows: pl.DataFrame) -> None:
    rows.write_parquet(store.stage("collect") / "rows.parquet")


def read_collected(store: Store) -> pl.DataFrame:
    """Raises: NotReady: `collect` has not run."""
    store.read_record("collect")
    return pl.read_parquet(store.stage("collect") / "rows.parquet")


def write_splits(store: Store, splits: dict[str, pl.DataFrame]) -> None:
    for name, rows in splits.items():
        rows.write_parquet(store.stage("prepare") / f"{name}.parquet")


def write_learned(store: Store, rows: pl.DataFrame | None) -> None:
    """Keeps the rows that `improve` adds to train beside the splits, which stay what they were; None: no rows."""
    path = store.stage("prepare") / LEARNED
    path.unlink(missing_ok=True)
    if rows is not None and len(rows):
        rows.write_parquet(path)


def read_splits(spec: Spec, store: Store, with_learned: bool = True) -> Splits:
    """Raises: NotReady: `prepare` has not run."""
    fingerprint = store.read_record("prepare")["fingerprint"]
    parts = {name: pl.read_parquet(store.stage("prepare") / f"{name}.parquet") for name in SPLITS}
    path = store.stage("prepare") / LEARNED
    if with_learned and path.is_file():
        parts["train"] = pl.concat([parts["train"], pl.read_parquet(path)], how="diagonal")
    return Splits(inputs=spec.inputs, output=spec.output, root=store.project, fingerprint=fingerprint, **parts)
