"""Raw rows -> splits with a fingerprint, and the data card: no row of test in train."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.improving import attempts
from windlass.improving.likeness import near
from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.pages.card import data_card
from windlass.records import Collected, Prepared, Progress, as_json, silent
from windlass.sources.prepared import CHECKS, GROUP, SPLIT, read_collected, write_learned, write_recent, write_splits
from windlass.spec import Spec
from windlass.store import Store, fingerprint, write_json, write_text

MAX_LABELS = 1_000
SMALL = 2_000
TEST_SHARE = 0.2
TEXT_SHARE = 0.05
"""Of the rows for validation when an answer is a text: its measures need fewer rows, and learning wants all."""
MAX_VALIDATION = 3_000
N_EXAMPLES = 3
N_PARTS, TELLS_ALL = 50, 0.98
N_NAMED = 5
ASKED, LABEL, VALUE, COUNT = "\x00asked", "\x00label", "\x00value", "\x00count"


@dataclass
class Cleaning:
    """What was taken out, by reason, and what a person should know."""

    removed: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    def keep(self, rows: pl.DataFrame, mask: pl.Series, reason: str) -> pl.DataFrame:
        """The rows where the mask holds; the others are counted."""
        n_gone = len(rows) - int(mask.sum())
        if n_gone:
            self.removed[reason] += n_gone
        return rows.filter(mask)


def key_of(spec: Spec, store: Store) -> str:
    learned = [[row.answer, row.label] for row in attempts.learned(store)]
    return fingerprint([store.key("collect"), spec.seed, spec.columns, *([learned] if learned else [])])


def prepare(spec: Spec, store: Store, progress: Progress = silent) -> Prepared:
    """Takes out duplicates and what train shares with test, splits (by label where there are labels; groups as a
    whole), writes the card.

    Raises: DataError: fewer than two labels, every label on one row, or too many labels.
    """
    collected = store.read("collect", Collected)
    cleaning = Cleaning()
    splits = split_rows(read_collected(store), spec, cleaning)
    groups = {name: part[GROUP].n_unique() for name, part in splits.items() if GROUP in part.columns}
    splits = {name: part.drop(GROUP, strict=False) for name, part in splits.items()}
    write_splits(store, splits)
    splits["train"] = _with_learned(splits, spec, store, cleaning)
    _warn_of_columns(splits["train"], spec, cleaning)
    progress("prepare", collected.accepted, collected.accepted, "")
    output = spec.output_column
    record = Prepared(
        fingerprint=fingerprint([part.rows() for part in splits.values()]),
        rows={name: len(part) for name, part in splits.items()},
        removed=dict(cleaning.removed.most_common()),
        labels={name: dict(Counter(part[output].to_list()).most_common()) for name, part in splits.items()}
        if _has_labels(spec)
        else {},
        columns=[
            _describe(splits["train"], name, kind, name == output)
            for name, kind in {**spec.inputs, **spec.output}.items()
        ],
        warnings=cleaning.warnings,
        key=key_of(spec, store),
        groups=groups,
    )
    write_text(store.stage("prepare") / "data_card.md", data_card(record, collected))
    write_json(store.record("prepare"), as_json(record))
    return record


def _with_learned(splits: dict[str, pl.DataFrame], spec: Spec, store: Store, cleaning: Cleaning) -> pl.DataFrame:
    """Train with the rows that `improve` has learned, kept beside it: which rows are test does not depend on them."""
    rows = attempts.learned(store)
    held = [*splits["validation"].to_dicts(), *splits["test"].to_dicts()]
    copies = near([row.values for row in rows], held, spec.inputs) >= 0
    kept = [row for row, is_copy in zip(rows, copies, strict=True) if not is_copy]
    learned = attempts.learned_frame(kept, splits["train"], spec)
    write_learned(store, learned)
    judging = [row for rows in attempts.judging(store).values() for row in rows]
    write_recent(store, attempts.learned_frame(judging, splits["train"], spec))
    if len(kept) < len(rows):
        cleaning.removed["learned row that is nearly a test or validation row"] += len(rows) - len(kept)
    if kept:
        cleaning.warnings.append(f"{len(kept):,} of the train rows were learned by `windlass improve`")
    return pl.concat([splits["train"], learned], how="diagonal")


def _has_labels(spec: Spec) -> bool:
    """True when an answer is one of a set of names."""
    return kinds.get(spec.output[spec.output_column]).decode is not None


def split_rows(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> dict[str, pl.DataFrame]:
    """Train, validation and test without shared inputs or groups, each in a random but fixed order."""
    random = np.random.default_rng(spec.seed)
    rows = _with_own_groups(rows, spec, cleaning)
    if not _has_labels(spec):
        return _split_texts(rows, spec, cleaning, random)
    inputs, output = list(spec.inputs), spec.output_column
    given = _given(rows)
    train = _without_duplicates(given["train"], cleaning)
    _check_labels(train, output, cleaning)
    _name_variants(Counter(rows[output].to_list()), cleaning)
    for split in ("test", "validation"):
        _check_meeting(train, given[split], output, split)
    is_grouped = GROUP in rows.columns
    test = given["test"]
    if not len(test):
        train, test = _cut(train, inputs, output, round(TEST_SHARE * len(train)), random)
    if len(given["test"]) or is_grouped:
        train = _apart(train, test, inputs, ("train", "test"), cleaning)
        test = _with_known_labels(test, train, output, "test row whose label is not in train", cleaning)
    validation = given["validation"]
    if not len(validation):
        train, validation = cut_validation(train, inputs, output, random)
    if len(given["validation"]) or is_grouped:
        validation = _apart(validation, test, inputs, ("validation", "test"), cleaning)
        train = _apart(train, validation, inputs, ("train", "validation"), cleaning)
        reason = "validation row whose label is not in train"
        validation = _with_known_labels(validation, train, output, reason, cleaning)
    if not len(test):
        raise _too_few(rows, "two rows a label")
    return {"train": train[random.permutation(len(train))], "validation": validation, "test": test}


def _given(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows as they were given; those of which nothing was said are for training."""
    given = {split: rows.filter(pl.col(SPLIT) == split).drop(SPLIT) for split in ("train", "validation", "test")}
    given["train"] = pl.concat([given["train"], rows.filter(pl.col(SPLIT) == "").drop(SPLIT)])
    return given


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


def _too_few(rows: pl.DataFrame, wanted: str) -> DataError:
    if GROUP not in rows.columns:
        return DataError(f"data has {len(rows):,} rows, too few for a test split, expected at least {wanted}")
    n_groups = rows[GROUP].n_unique()
    return DataError(
        f"data has {n_groups:,} groups in {len(rows):,} rows, too few for a test split, expected each label in several",
        "rows of a group stay together: give a test file of its own, or group by something smaller",
    )


def _split_texts(
    rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator
) -> dict[str, pl.DataFrame]:
    """Without labels there is nothing to split by. Rows without any input are told apart by what is written."""
    asked = pl.concat_str([pl.col(list(spec.inputs)).cast(pl.String).fill_null("")], separator="\x1f")
    own = pl.when(asked.str.replace_all("\x1f", "") == "").then(pl.col(spec.output_column)).otherwise(asked)
    given = _given(rows.with_columns(own.alias(ASKED), pl.lit("").alias(LABEL)))
    train, test, validation = _without_duplicates(given["train"], cleaning), given["test"], given["validation"]
    if not len(test):
        train, test = _cut(train, [ASKED], LABEL, round(min(TEST_SHARE * len(train), MAX_VALIDATION)), random)
    train = _apart(train, test, [ASKED], ("train", "test"), cleaning)
    if not len(validation):
        wanted = max(1, min(MAX_VALIDATION, round(TEXT_SHARE * len(train))))
        train, validation = _cut(train, [ASKED], LABEL, wanted, random)
    validation = _apart(validation, test, [ASKED], ("validation", "test"), cleaning)
    train = _apart(train, validation, [ASKED], ("train", "validation"), cleaning)
    if not len(train) or not len(test):
        raise _too_few(rows, "two different ones")
    is_asked = bool((train[ASKED] != train[spec.output_column]).any())
    order = random.permutation(len(train)) if is_asked else np.arange(len(train))  # passages of a text stay in order
    return {
        name: part.drop(ASKED, LABEL)
        for name, part in {"train": train[order], "validation": validation, "test": test}.items()
    }


def cut_validation(
    train: pl.DataFrame, inputs: list[str], output: str, random: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train and validation rows that share no inputs or groups; train keeps every label, validation may be empty."""
    share = 0.2 if len(train) < SMALL else 0.1
    return _cut(train, inputs, output, min(MAX_VALIDATION, round(share * len(train))), random)


def _without_duplicates(train: pl.DataFrame, cleaning: Cleaning) -> pl.DataFrame:
    told = [name for name in train.columns if name not in (GROUP, CHECKS)]
    distinct = train.unique(subset=told, keep="first", maintain_order=True)
    if len(distinct) < len(train):
        cleaning.removed["exact duplicate"] += len(train) - len(distinct)
    return distinct


def _apart(
    rows: pl.DataFrame, others: pl.DataFrame, inputs: list[str], splits: tuple[str, str], cleaning: Cleaning
) -> pl.DataFrame:
    """The rows of the first split that share neither inputs nor a group with those of the second."""
    own, other = splits
    if GROUP in rows.columns:
        rows = _without(rows, others, [GROUP], f"{own} row of the group of a {other} row", cleaning)
    return _without(rows, others, inputs, f"{own} row with the inputs of a {other} row", cleaning)


def _without(
    rows: pl.DataFrame, others: pl.DataFrame, inputs: list[str], reason: str, cleaning: Cleaning
) -> pl.DataFrame:
    """The rows whose inputs occur in none of the others."""
    if not len(rows) or not len(others):
        return rows
    taken = set(_places(others, inputs))
    return cleaning.keep(
        rows, pl.Series([place not in taken for place in _places(rows, inputs)], dtype=pl.Boolean), reason
    )


def _places(rows: pl.DataFrame, inputs: list[str]) -> list[tuple[Any, ...]]:
    return rows.select(pl.col(inputs).cast(pl.String)).rows()


def _with_known_labels(
    rows: pl.DataFrame, train: pl.DataFrame, output: str, reason: str, cleaning: Cleaning
) -> pl.DataFrame:
    known = rows[output].is_in(train[output].unique().to_list())
    unknown = sorted(rows.filter(~known)[output].unique().to_list())
    if unknown:
        cleaning.warnings.append(
            f"{len(unknown)} labels occur in no train row and were left out: {', '.join(unknown[:N_NAMED])}"
        )
    return cleaning.keep(rows, known, reason)


def _check_labels(train: pl.DataFrame, output: str, cleaning: Cleaning) -> None:
    counts = Counter(train[output].to_list())
    if len(counts) < 2:
        only = f"the one label '{next(iter(counts))}'" if counts else "no rows"
        raise DataError(f"column '{output}' has {only}, expected at least two labels to tell apart")
    if len(counts) > MAX_LABELS:
        raise DataError(
            f"column '{output}' has {len(counts):,} labels, expected at most {MAX_LABELS:,}",
            "is it an identifier or free text rather than a category?",
        )
    if max(counts.values()) == 1:
        raise DataError(f"column '{output}' has {len(counts)} labels on one row each, expected several rows a label")
    single = sorted(label for label, count in counts.items() if count < 3)
    if single:
        cleaning.warnings.append(
            f"{len(single)} labels have fewer than 3 rows and are hardly learnt or measured: "
            f"{', '.join(single[:N_NAMED])}"
        )


def _name_variants(counts: Counter[str], cleaning: Cleaning) -> None:
    """Warns of labels that are probably one."""
    by_name: dict[str, list[str]] = {}
    for name, into in category.variants(counts).items():
        by_name.setdefault(into, []).append(name)
    for into, names in list(by_name.items())[:N_NAMED]:
        cleaning.warnings.append(f"label '{into}' is also written {_quoted(names)}: {_merging(names, into)}")
    for name, into in list(category.slips(counts).items())[:N_NAMED]:
        cleaning.warnings.append(
            f"label '{name}' ({counts[name]:,} rows) is nearly '{into}' ({counts[into]:,} rows), a slip of the pen? "
            f"{_merging([name], into)}"
        )


def _merging(names: list[str], into: str) -> str:
    pairs = ", ".join(f"'{name}': '{into}'" for name in names)
    return f"`labels: {{merge: {{{pairs}}}}}` in windlass.yaml makes them one"


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:N_NAMED]) + (" ..." if len(names) > N_NAMED else "")


def _check_meeting(train: pl.DataFrame, others: pl.DataFrame, output: str, split: str) -> None:
    """Raises: DataError: rows were given as this split, and train has none of their labels."""
    known, found = (sorted(rows[output].unique().to_list()) for rows in (train, others))
    if not found or set(known) & set(found):
        return
    counts = {**dict.fromkeys(found, 0), **dict.fromkeys(known, 1)}
    merges = {name: into for name, into in category.variants(counts).items() if into in known}
    raise DataError(
        f"no label of the {split} rows ({_quoted(found)}) occurs in the train rows ({_quoted(known)}), "
        "expected the same names",
        "; ".join(_merging([name], into) for name, into in list(merges.items())[:N_NAMED]),
    )


def _cut(
    rows: pl.DataFrame, inputs: list[str], output: str, n_wanted: int, random: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows in two parts, the second of about `n_wanted`, in proportion to the labels.

    Rows with the same inputs (or else of a group) stay together, and the first part keeps a row of every label.
    """
    if GROUP in rows.columns:
        return _cut_groups(rows, output, n_wanted, random)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, place in enumerate(_places(rows, inputs)):
        groups.setdefault(place, []).append(number)
    labels = rows[output].to_list()
    by_label: dict[str, list[list[int]]] = {}
    for members in groups.values():
        by_label.setdefault(labels[members[0]], []).append(members)
    share = n_wanted / max(1, len(rows))
    taken: list[list[int]] = []
    for label in sorted(by_label):
        found = by_label[label]
        n_cut = min(
            round(share * len(found) + random.uniform(-0.5, 0.5) * (len(found) < 1 / max(share, 1e-9))), len(found) - 1
        )
        for place in random.permutation(len(found))[: max(n_cut, 0)]:
            taken.append(found[place])
    mask = np.zeros(len(rows), bool)
    mask[[number for group in taken for number in group]] = True
    lost = set(labels) - {labels[number] for number in np.flatnonzero(~mask)}
    for group in taken if lost else ():  # all rows of a label stood beside another label's, with the same inputs
        mask[group] = lost.isdisjoint(labels[number] for number in group)
    return rows.filter(~pl.Series(mask)), rows.filter(pl.Series(mask))


def _cut_groups(
    rows: pl.DataFrame, output: str, n_wanted: int, random: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """As `_cut`, of whole groups: in a random order each that brings the labels nearer to their shares, else the
    smallest that can be taken."""
    labels, groups = rows[output].to_list(), rows[GROUP].to_list()
    held: dict[str, Counter[Any]] = {}
    for group, label in zip(groups, labels, strict=True):
        held.setdefault(group, Counter())[label] += 1
    left = Counter(labels)
    wanted = {label: found * n_wanted / len(rows) for label, found in left.items()}
    names, taken = list(held), set[str]()

    def can_leave(group: str) -> bool:
        return all(left[label] > found for label, found in held[group].items())

    for place in random.permutation(len(names)):
        group = names[place]
        gain = sum(abs(wanted[label]) - abs(wanted[label] - found) for label, found in held[group].items())
        if gain > 0 and can_leave(group):
            taken.add(group)
            for label, found in held[group].items():
                left[label] -= found
                wanted[label] -= found
    if not taken and n_wanted:
        smallest = sorted(filter(can_leave, names), key=lambda name: held[name].total())
        taken = set(smallest[:1])
    mask = pl.Series([group in taken for group in groups], dtype=pl.Boolean)
    return rows.filter(~mask), rows.filter(mask)


def _warn_of_columns(train: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> None:
    for name in spec.inputs:
        column = train[name].drop_nulls().drop_nans() if train[name].dtype.is_float() else train[name].drop_nulls()
        values = column.filter(column != "") if column.dtype == pl.String else column
        if not len(values):
            cleaning.warnings.append(f"column '{name}' is missing in every train row: nothing can be learnt from it")
        elif values.n_unique() == 1:
            cleaning.warnings.append(
                f"column '{name}' is constant ({str(values[0])[:40]!r}): nothing can be learnt from it"
            )
        if _has_labels(spec) and _tells_all(train, name, spec.output_column):
            cleaning.warnings.append(
                f"column '{name}' alone tells '{spec.output_column}' nearly always: "
                "is it known when the question is asked, or only afterwards?"
            )
    if not _has_labels(spec):
        return
    groups = train.group_by(list(spec.inputs)).agg(pl.col(spec.output_column).n_unique().alias(COUNT))
    n_conflicts = int((groups[COUNT] > 1).sum())
    if n_conflicts:
        cleaning.warnings.append(
            f"{n_conflicts} inputs stand in train with different labels: look for label errors among them"
        )


def _tells_all(train: pl.DataFrame, name: str, output: str) -> bool:
    """True when the commonest label of each value (or 50th part of the numbers) is right on 98 % of rows."""
    column = train[name].rank("dense") if train[name].dtype.is_float() else train[name]
    if column.dtype.is_numeric() and column.n_unique() > N_PARTS:
        column = (train[name].rank("ordinal") * N_PARTS / len(train)).floor()
    if column.n_unique() > max(2, len(train) // 10):
        return False
    pairs = train.select(output).with_columns(column.alias(VALUE)).group_by(VALUE, output).len(COUNT)
    right = pairs.group_by(VALUE).agg(pl.col(COUNT).max())[COUNT].sum()
    commonest = Counter(train[output].to_list()).most_common(1)[0][1]
    return bool(right >= TELLS_ALL * len(train)) and commonest < 0.95 * len(train)


def _describe(train: pl.DataFrame, name: str, kind: str, is_output: bool) -> dict[str, Any]:
    """One column of the data card."""
    column = train[name]
    missing = column.is_null() | (column.is_nan() if column.dtype.is_float() else column == "")
    present = column.filter(~missing.fill_null(True))
    summary: dict[str, Any] = {}
    if column.dtype.is_float() and len(present):
        summary = {"min": present.min(), "median": present.median(), "max": present.max()}
    elif kind == "text" and len(present):
        lengths = present.str.len_chars()
        summary = {"characters_median": lengths.median(), "characters_max": lengths.max()}
    return {
        "name": name,
        "kind": kind,
        "role": "output" if is_output else "input",
        "missing_share": int(missing.fill_null(True).sum()) / max(1, len(column)),
        "distinct": present.n_unique(),
        "examples": [str(value)[:80] for value in present.head(N_EXAMPLES).to_list()],
        "summary": summary,
    }
