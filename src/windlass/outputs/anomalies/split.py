"""Rows that say whether something is wrong, in three parts; good examples alone can be learned from."""

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.kinds.anomaly import NO, YES
from windlass.outputs.splitting import Cleaning, SplitMethod, train_validation_test
from windlass.spec import Spec


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Train, validation and test, without shared inputs or groups. Raises: DataError: no good example."""
    output = spec.output_column
    if NO not in set(rows[output]):
        raise DataError(
            f"column '{output}' never says that nothing is wrong, expected good examples",
            "'no', 'none', 'normal', 'ok' or '正常' say so",
        )
    parts = train_validation_test(rows, SplitMethod(spec, output), cleaning, random)
    for name in ("validation", "test"):
        if YES not in set(parts[name][output]):
            cleaning.warnings.append(f"no fault is in the {name} rows: whether faults are found is not measured there")
    return parts


def warn(train: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> None:
    """What is learned from."""
    n_faulty = int((train[spec.output_column] == YES).sum())
    if n_faulty:
        cleaning.warnings.append(f"{n_faulty:,} train rows where something is wrong are not learned from")
