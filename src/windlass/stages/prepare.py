"""Raw rows -> splits with a fingerprint, and the data card: no row of test in train."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from windlass.improving.people import amended_by_document
from windlass.kinds import table as kinds
from windlass.language.rendering import in_chinese
from windlass.outputs import table as outputs
from windlass.outputs.labelled_row import LabelledRow, learned_frame
from windlass.outputs.splitting import Cleaning
from windlass.pages.html.data_report import data_report
from windlass.pages.text.card import data_card
from windlass.pages.text.doubling import in_both
from windlass.records import Collected, Passage, Prepared, Progress, as_json, silent
from windlass.sources.near_duplicates import near
from windlass.sources.prepared import (
    GROUP,
    read_catalogue,
    read_collected,
    read_passages,
    write_learned,
    write_recent,
    write_splits,
)
from windlass.spec import Spec
from windlass.store.files import write_text
from windlass.store.json_files import fingerprint, write_json
from windlass.store.stage_keys import prepare_key
from windlass.store.store import Store

N_EXAMPLES, REPORT = 3, "data.html"


@dataclass(frozen=True)
class Learned:
    """What `improve` has learned since: rows that are trained on, and rows that only judge."""

    rows: Sequence[LabelledRow] = ()
    judging: Sequence[LabelledRow] = ()


NOTHING = Learned()


def prepare(spec: Spec, store: Store, progress: Progress = silent, learned: Learned = NOTHING) -> Prepared:
    """Takes out duplicates and what train shares with test, splits as the output says, writes the card.

    Raises: DataError: too few rows, or answers that nobody can learn to tell apart.
    """
    collected = store.read("collect", Collected)
    cleaning = Cleaning()
    go_on = outputs.of(spec).continued
    if go_on is not None and learned.rows:
        splits, learned_apart = go_on(read_collected(store), learned.rows, spec, cleaning), NOTHING
    else:
        splits, learned_apart = split_rows(read_collected(store), spec, cleaning), learned
    groups = {name: part[GROUP].n_unique() for name, part in splits.items() if GROUP in part.columns}
    splits = {name: part.drop(GROUP, strict=False) for name, part in splits.items()}
    passages = read_passages(spec, store)
    splits = _amended(splits, passages or (), spec, cleaning)
    write_splits(store, splits)
    splits["train"] = _with_learned(splits, learned_apart, spec, store, cleaning)
    _warn_of_columns(splits["train"], spec, cleaning)
    outputs.of(spec).warn(splits["train"], spec, cleaning)
    progress("prepare", collected.accepted, collected.accepted, "")
    output = spec.output_column
    kept = [[passage.as_json() for passage in passages]] if passages else []
    catalogue = read_catalogue(spec, store)
    told = [[list(catalogue.ids), *map(list, catalogue.columns.items())]] if catalogue is not None else []
    parts = [part.rows() for part in splits.values()]
    is_public = all(passage.access is None for passage in passages or ())  # cards are read by whoever sees the page
    record = Prepared(
        fingerprint=fingerprint([*parts, *kept, *told]),
        rows={name: len(part) for name, part in splits.items()},
        removed=dict(cleaning.removed.most_common()),
        labels=outputs.of(spec).counts(splits, output),
        columns=[
            {**_describe(splits["train"], name, kind, name == output), **({} if is_public else {"examples": []})}
            for name, kind in {**spec.inputs, **spec.output}.items()
        ],
        warnings=cleaning.warnings,
        key=prepare_key(spec, store, [(row.answer, row.label) for row in learned.rows]),
        groups=groups,
        taught=fingerprint(parts) if spec.documents else "",
    )
    card = data_card(record, collected)
    write_text(store.stage("prepare") / "data_card.md", card)
    write_text(store.stage("prepare") / "data_card.zh.md", in_chinese(card))
    drawn = outputs.of(spec).data_sections({name: part.to_dicts() for name, part in splits.items()}, spec)
    write_text(store.stage("prepare") / REPORT, in_both(data_report(spec.shown_name, record, collected, drawn)))
    write_json(store.record("prepare"), as_json(record))
    return record


def _amended(
    splits: dict[str, pl.DataFrame], passages: Sequence[Passage], spec: Spec, cleaning: Cleaning
) -> dict[str, pl.DataFrame]:
    """The splits; questions without an answer that people have answered since have it."""
    found = {name: amended_by_document(part, passages, spec) for name, part in splits.items()}
    if changed := sum(count for _, count in found.values()):
        cleaning.warnings.append(f"{changed:,} questions without an answer have one now: people gave it")
    return {name: part for name, (part, _) in found.items()}


def _with_learned(
    splits: dict[str, pl.DataFrame], learned: Learned, spec: Spec, store: Store, cleaning: Cleaning
) -> pl.DataFrame:
    """Train with the rows that `improve` has learned, kept beside it: which rows are test does not depend on them."""
    held = [*splits["validation"].to_dicts(), *splits["test"].to_dicts()]
    copies = near([row.values for row in learned.rows], held, spec.inputs) >= 0
    kept = [row for row, is_copy in zip(learned.rows, copies, strict=True) if not is_copy]
    frame = learned_frame(kept, splits["train"], spec)
    write_learned(store, frame)
    write_recent(store, learned_frame(learned.judging, splits["train"], spec))
    if len(kept) < len(learned.rows):
        cleaning.removed["learned row that is nearly a test or validation row"] += len(learned.rows) - len(kept)
    if kept:
        cleaning.warnings.append(f"{len(kept):,} of the train rows were learned by `windlass improve`")
    return pl.concat([splits["train"], frame], how="diagonal")


def split_rows(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> dict[str, pl.DataFrame]:
    """Train, validation and test without shared inputs or groups, each in a random but fixed order."""
    random = np.random.default_rng(spec.seed)
    rows = _with_own_groups(rows, spec, cleaning)
    return outputs.of(spec).split(rows, spec, cleaning, random)


def _with_own_groups(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> pl.DataFrame:
    """Rows that belong to nothing have a group of their own, where there are groups."""
    if GROUP not in rows.columns:
        return rows
    alone = pl.col(GROUP) == ""
    n_alone = rows.select(alone.sum()).item()
    if n_alone and spec.group:
        cleaning.warnings.append(f"column '{spec.group}' is missing in {n_alone:,} rows: each is a group of its own")
    own = pl.format("\x00{}", pl.int_range(pl.len()))
    return rows.with_columns(pl.when(alone).then(own).otherwise(pl.col(GROUP)).alias(GROUP))


def _warn_of_columns(train: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> None:
    for name, kind in spec.inputs.items():
        if kinds.get(kind).has_points or kinds.get(kind).has_events:  # one row holds all of a series, or of a user
            continue
        column = train[name].drop_nulls().drop_nans() if train[name].dtype.is_float() else train[name].drop_nulls()
        values = column.filter(column != "") if column.dtype == pl.String else column
        if not len(values):
            cleaning.warnings.append(f"column '{name}' is missing in every train row: nothing can be learnt from it")
        elif values.n_unique() == 1:
            cleaning.warnings.append(
                f"column '{name}' is constant ({str(values[0])[:40]!r}): nothing can be learnt from it"
            )


def _describe(train: pl.DataFrame, name: str, kind: str, is_output: bool) -> dict[str, Any]:
    """One column of the data card."""
    column = train[name]
    missing = column.is_null() | (column.is_nan() if column.dtype.is_float() else column == "")
    present = column.filter(~missing.fill_null(True))
    summary: dict[str, Any] = {}
    if column.dtype.is_float() and len(present):
        summary = {"min": present.min(), "median": present.median(), "max": present.max()}
    elif kinds.get(kind).is_prose and len(present):
        lengths = present.str.len_chars()
        summary = {"characters_median": lengths.median(), "characters_max": lengths.max()}
    return {
        "name": name,
        "kind": kind,
        "role": "output" if is_output else "input",
        "missing_share": int(missing.fill_null(True).sum()) / max(1, len(column)),
        "distinct": present.n_unique(),
        "examples": [kinds.get(kind).brief(value)[:80] for value in present.head(N_EXAMPLES).to_list()],
        "summary": summary,
    }
