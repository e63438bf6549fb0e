"""Rows whose answers are numbers, in three parts: each with as many low and high ones; what is odd is said."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.outputs.splitting import STRATUM, Cleaning, SplitMethod, train_validation_test
from windlass.spec import Spec

N_PARTS = 10
FAR, N_NAMED = 10.0, 5
"""A number lies far off from so many interquartile ranges outside the quartiles on; so many are named."""
ALL_BUT_THE_SAME = 0.999
"""Rank correlation from which on a column is the answer by another name."""
HEAVY = 0.3
"""Of the numbers, from which on one of them is worth a word."""


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Train, validation and test in proportion to ten parts from the lowest to the highest numbers, without shared
    inputs or groups.

    Raises: DataError: the same number everywhere, or too few rows for a test split.
    """
    output = spec.output_column
    if rows[output].n_unique() < 2:
        only = f"{rows[output][0]:,.6g} in every row" if len(rows) else "no rows"
        raise DataError(f"column '{output}' has {only}, expected numbers that differ: there is nothing to learn")
    given = rows.with_columns(deciles(rows[output]).alias(STRATUM))
    parts = train_validation_test(given, SplitMethod(spec, STRATUM), cleaning, random)
    return {name: part.drop(STRATUM) for name, part in parts.items()}


def deciles(numbers: pl.Series) -> pl.Series:
    """Which tenth each number is in, as text; numbers that are the same are in the same one."""
    edges = np.unique(np.quantile(numbers.to_numpy(), np.linspace(0, 1, N_PARTS + 1)[1:-1]))
    return pl.Series(np.searchsorted(edges, numbers.to_numpy(), side="left").astype(str))


def counts(splits: Mapping[str, pl.DataFrame], output: str) -> dict[str, dict[str, int]]:
    """Numbers are not counted: each is its own."""
    return {}


def warn(train: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> None:
    """Of numbers that lie far off, of one that very many rows have, and of a column that holds the same numbers."""
    output = spec.output_column
    numbers = train[output].to_numpy()
    _warn_of_far_ones(output, numbers, cleaning)
    values, found = np.unique(numbers, return_counts=True)
    share = float(found.max()) / max(1, len(numbers))
    if share >= HEAVY:
        value = float(values[found.argmax()])
        cleaning.warnings.append(
            f"column '{output}' is {value:,.6g} in {100 * share:.0f} % of the train rows: is that a number like the "
            "others, or does it stand for something else, such as 'none' or 'not known'?"
        )
    for name in spec.inputs:
        if train[name].dtype.is_float() and _tells_all(train[name].to_numpy(), numbers):
            cleaning.warnings.append(
                f"column '{name}' alone tells '{output}' nearly always: "
                "is it known when the question is asked, or only afterwards?"
            )


def _warn_of_far_ones(output: str, numbers: np.ndarray, cleaning: Cleaning) -> None:
    first, third = np.quantile(numbers, [0.25, 0.75])
    room = FAR * (third - first)
    far = numbers[(numbers < first - room) | (numbers > third + room)]
    if not room or not len(far):
        return
    named = ", ".join(f"{value:,.6g}" for value in sorted(set(far.tolist()), key=abs, reverse=True)[:N_NAMED])
    cleaning.warnings.append(
        f"column '{output}' has {len(far):,} numbers very far from the others ({named}"
        f"{' ...' if len(set(far.tolist())) > N_NAMED else ''}; half of all lie from {first:,.6g} to {third:,.6g}): "
        "are they right? They weigh much where errors are squared"
    )


def _tells_all(column: np.ndarray, numbers: np.ndarray) -> bool:
    """True where both rank the rows nearly alike, or turned around (Spearman 1904)."""
    there = np.isfinite(column)
    if there.sum() < N_PARTS or len(np.unique(column[there])) < N_PARTS:
        return False
    one, other = (pl.Series(each[there]).rank().to_numpy() for each in (column, numbers))
    return bool(abs(np.corrcoef(one, other)[0, 1]) > ALL_BUT_THE_SAME)
