"""Rows as the stages left them in the store: collected ones, and prepared splits."""

from collections.abc import Iterable, Sequence

import polars as pl

from windlass.kinds import table as kinds
from windlass.records import Recent, Row, Splits, WarmStart, as_json
from windlass.sources.contract import SPLITS
from windlass.spec import Spec
from windlass.store import Store, read_json, write_json

SPLIT = "_split"
"""The column of collected rows that says as which split a row was given ('' = not said)."""
GROUP = "_group"
"""The column that says which rows belong together ('' = the row stands for itself); there only where some do."""
CHECKS = "_checks"
"""The column of tests that an answer must pass ('' = none); there only where some rows have them."""

LEARNED, JUDGING, ASKED, STARTS = "learned.parquet", "judging.parquet", "asked.json", "starts.json"


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
    _write_beside(store, LEARNED, rows)


def write_recent(store: Store, judging: pl.DataFrame, asked: Sequence[Row] = ()) -> None:
    """Keeps beside them what else came in use."""
    _write_beside(store, JUDGING, judging)
    write_json(store.stage("prepare") / ASKED, {"rows": list(asked)})


def _write_beside(store: Store, name: str, rows: pl.DataFrame | None) -> None:
    path = store.stage("prepare") / name
    path.unlink(missing_ok=True)
    if rows is not None and len(rows):
        rows.write_parquet(path)


def read_recent(store: Store) -> Recent | None:
    """What came in use; None where nothing was learned from it."""
    home = store.folder / "prepare"
    if not (home / LEARNED).is_file() or not (home / ASKED).is_file():
        return None
    learned, judging = (pl.read_parquet(path).to_dicts() if path.is_file() else [] for path in (home / LEARNED,
                                                                                                  home / JUDGING))
    return Recent(learned, judging, read_json(home / ASKED)["rows"])


def read_splits(spec: Spec, store: Store, with_learned: bool = True) -> Splits:
    """Raises: NotReady: `prepare` has not run."""
    fingerprint = store.read_record("prepare")["fingerprint"]
    parts = {name: pl.read_parquet(store.stage("prepare") / f"{name}.parquet") for name in SPLITS}
    path = store.stage("prepare") / LEARNED
    if with_learned and path.is_file():
        parts["train"] = pl.concat([parts["train"], pl.read_parquet(path)], how="diagonal")
    root, ways = store.project, kinds.ways(spec)
    return Splits(spec.inputs, spec.output, **parts, root=root, fingerprint=fingerprint, written=ways)


def write_starts(store: Store, starts: Iterable[WarmStart]) -> None:
    """Keeps beside the splits which networks of the champion a challenger may begin with."""
    write_json(store.stage("prepare") / STARTS, {"starts": [as_json(start) for start in starts]})


def read_starts(store: Store) -> list[WarmStart]:
    """Those that `write_starts` kept; none in a project."""
    path = store.folder / "prepare" / STARTS
    return [WarmStart(**values) for values in read_json(path)["starts"]] if path.is_file() else []
