"""Rows whose answers are labels, in three parts: by label, groups as a whole; what is wrong with the labels is said."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.kinds import category
from windlass.outputs.splitting import Cleaning, SplitMethod, given_splits, train_validation_test, without_duplicates
from windlass.spec import Spec

MAX_LABELS = 1_000
N_PARTS, TELLS_ALL = 50, 0.98
N_NAMED = 5
VALUE, COUNT = "\x00value", "\x00count"


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Train, validation and test in proportion to the labels, without shared inputs or groups.

    Raises: DataError: fewer than two labels, every label on one row, or too many labels.
    """
    output, given = spec.output_column, given_splits(rows)
    train = without_duplicates(given["train"], Cleaning())
    _check_labels(train, output, cleaning)
    _name_variants(Counter(rows[output].to_list()), cleaning)
    for name in ("test", "validation"):
        _check_meeting(train, given[name], output, name)

    def known(part: pl.DataFrame, train: pl.DataFrame, name: str) -> pl.DataFrame:
        return _with_known_labels(part, train, output, f"{name} row whose label is not in train", cleaning)

    return train_validation_test(rows, SplitMethod(spec, output, known), cleaning, random)


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


def counts(splits: Mapping[str, pl.DataFrame], output: str) -> dict[str, dict[str, int]]:
    """Rows of each label in each split, the commonest first."""
    return {name: dict(Counter(part[output].to_list()).most_common()) for name, part in splits.items()}


def warn(train: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> None:
    """Of a column that alone tells the label, and of inputs that stand there with different labels."""
    for name in spec.inputs:
        if _tells_all(train, name, spec.output_column):
            cleaning.warnings.append(
                f"column '{name}' alone tells '{spec.output_column}' nearly always: "
                "is it known when the question is asked, or only afterwards?"
            )
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
