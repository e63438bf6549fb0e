"""What the ways of splitting share: rows given as a split, duplicates, what two splits may not share, and the cut."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.sources.prepared import CHECKS, GROUP, SPLIT
from windlass.spec import Spec

SMALL = 2_000
TEST_SHARE = 0.2
LEAST_TEST, ENOUGH_TEST = 2, 5
"""Test rows: on one alone nothing can be ranked or told apart; of fewer than five even answers that are all right,
beside wrong ones, are chance (sign test: 1 / 2**5 < 5 %), and no release is made."""
MAX_VALIDATION = 3_000
STRATUM = "\x00stratum"
"""A column that is cut in proportion where the answers themselves are not labels."""


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


@dataclass(frozen=True)
class SplitMethod:
    """How rows are cut. stratum: the column whose values each part has in proportion.

    known(part, train, name) -> the rows of a part that can be judged by who learned from train.
    """

    spec: Spec
    stratum: str
    known: Callable[[pl.DataFrame, pl.DataFrame, str], pl.DataFrame] = lambda part, train, name: part


def train_validation_test(
    rows: pl.DataFrame, way: SplitMethod, cleaning: Cleaning, random: np.random.Generator
) -> dict[str, pl.DataFrame]:
    """Train, validation and test in proportion to the strata, without shared inputs or groups.

    Raises: DataError: too few rows for a test split that can measure anything.
    """
    inputs, given, is_grouped = list(way.spec.inputs), given_splits(rows), GROUP in rows.columns
    train, test, validation = without_duplicates(given["train"], cleaning), given["test"], given["validation"]
    if not len(test):
        train, test = cut(train, inputs, way.stratum, round(TEST_SHARE * len(train)), random)
    if len(given["test"]) or is_grouped:
        train = apart(train, test, inputs, "train", "test", cleaning)
        test = way.known(test, train, "test")
    if not len(validation):
        train, validation = cut_validation(train, inputs, way.stratum, random)
    if len(given["validation"]) or is_grouped:
        validation = apart(validation, test, inputs, "validation", "test", cleaning)
        train = apart(train, validation, inputs, "train", "validation", cleaning)
        validation = way.known(validation, train, "validation")
    check_test(test, rows, len(given["test"]))
    return {"train": train[random.permutation(len(train))], "validation": validation, "test": test}


def given_splits(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows as they were given; those of which nothing was said are for training."""
    given = {split: rows.filter(pl.col(SPLIT) == split).drop(SPLIT) for split in ("train", "validation", "test")}
    given["train"] = pl.concat([given["train"], rows.filter(pl.col(SPLIT) == "").drop(SPLIT)])
    return given


def check_test(test: pl.DataFrame, rows: pl.DataFrame, n_given: int) -> None:
    """Raises: DataError: the test rows, of all rows, can measure nothing. n_given: those that were given as such."""
    if len(test) >= (1 if n_given else LEAST_TEST):
        return
    if n_given:
        raise DataError(f"none of the {n_given:,} test rows can be used, expected some with known labels")
    if GROUP not in rows.columns:
        enough = round(ENOUGH_TEST / TEST_SHARE)
        raise DataError(
            f"data has {len(rows):,} rows, too few for a test split: {len(test):,} of them would test, expected at "
            f"least {LEAST_TEST}",
            f"a release needs {ENOUGH_TEST} test rows, a fifth of about {enough} different ones; or give a test file",
        )
    n_groups = rows[GROUP].n_unique()
    raise DataError(
        f"data has {n_groups:,} groups in {len(rows):,} rows, too few for a test split, expected each label in several",
        "rows of a group stay together: give a test file of its own, or group by something smaller",
    )


def cut_validation(
    train: pl.DataFrame, inputs: list[str], output: str, random: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train and validation rows that share no inputs or groups; train keeps every label, validation may be empty."""
    share = 0.2 if len(train) < SMALL else 0.1
    return cut(train, inputs, output, min(MAX_VALIDATION, round(share * len(train))), random)


def without_duplicates(train: pl.DataFrame, cleaning: Cleaning) -> pl.DataFrame:
    told = [name for name in train.columns if name not in (GROUP, CHECKS)]
    distinct = train.unique(subset=told, keep="first", maintain_order=True)
    if len(distinct) < len(train):
        cleaning.removed["exact duplicate"] += len(train) - len(distinct)
    return distinct


def apart(
    rows: pl.DataFrame, others: pl.DataFrame, inputs: list[str], own: str, other: str, cleaning: Cleaning
) -> pl.DataFrame:
    """The rows of a split that share neither inputs nor a group with those of another; own, other: their names."""
    if GROUP in rows.columns:
        rows = without(rows, others, [GROUP], f"{own} row of the group of a {other} row", cleaning)
    return without(rows, others, inputs, f"{own} row with the inputs of a {other} row", cleaning)


def without(
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


def cut(
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
