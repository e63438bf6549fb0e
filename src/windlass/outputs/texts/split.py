"""Rows whose answers are texts, in three parts: there is nothing to split by but what is asked."""

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.outputs.splitting import (
    MAX_VALIDATION,
    STRATUM,
    TEST_SHARE,
    Cleaning,
    apart,
    check_test,
    cut,
    given_splits,
    without_duplicates,
)
from windlass.spec import Spec

TEXT_SHARE = 0.05
"""Of the rows for validation: the measures of texts need fewer rows, and learning wants all."""
ASKED = "\x00asked"


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Without labels there is nothing to split by. Rows without any input are told apart by what is written."""
    asked = pl.concat_str([pl.col(list(spec.inputs)).cast(pl.String).fill_null("")], separator="\x1f")
    own = pl.when(asked.str.replace_all("\x1f", "") == "").then(pl.col(spec.output_column)).otherwise(asked)
    given = given_splits(rows.with_columns(own.alias(ASKED), pl.lit("").alias(STRATUM)))
    train, test, validation = without_duplicates(given["train"], cleaning), given["test"], given["validation"]
    if not len(test):
        train, test = cut(train, [ASKED], STRATUM, round(min(TEST_SHARE * len(train), MAX_VALIDATION)), random)
    train = apart(train, test, [ASKED], "train", "test", cleaning)
    if not len(validation):
        wanted = max(1, min(MAX_VALIDATION, round(TEXT_SHARE * len(train))))
        train, validation = cut(train, [ASKED], STRATUM, wanted, random)
    validation = apart(validation, test, [ASKED], "validation", "test", cleaning)
    train = apart(train, validation, [ASKED], "train", "validation", cleaning)
    check_test(test, rows, len(given["test"]))
    if not len(train):
        raise DataError(f"data has {len(rows):,} rows, none of them for training, expected some that no test row is")
    is_asked = bool((train[ASKED] != train[spec.output_column]).any())
    order = random.permutation(len(train)) if is_asked else np.arange(len(train))  # passages of a text stay in order
    return {
        name: part.drop(ASKED, STRATUM)
        for name, part in {"train": train[order], "validation": validation, "test": test}.items()
    }
