"""Pictures in three parts, rare classes in each of them; masks must be of their picture's size."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.kinds import image, masks
from windlass.kinds.boxes import elements
from windlass.outputs.boxes.split import FEW, marked, of_class, warn_of_unknown
from windlass.outputs.splitting import STRATUM, Cleaning, SplitMethod, train_validation_test
from windlass.spec import Spec

OTHER_SIZE = "masks of another size than the picture"


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Raises: DataError: too few pictures."""
    output, picture = spec.output_column, next(iter(spec.inputs))
    fits = pl.Series(
        [_fits(value, seen) for value, seen in zip(rows[output], rows[picture], strict=True)], dtype=pl.Boolean
    )
    fitting = cleaning.keep(rows, fits, OTHER_SIZE)
    found = train_validation_test(marked(fitting, output), SplitMethod(spec, STRATUM), cleaning, random)
    parts = {name: part.drop(STRATUM) for name, part in found.items()}
    warn_of_unknown(parts, output, cleaning)
    return parts


def _fits(value: Any, picture: Any) -> bool:
    things = elements(value) or []
    try:
        return not things or masks.size_of(things[0]) == image.upright_size(picture, Path())[::-1]
    except DataError:  # `collect` has read it: it lies elsewhere now, and who learns says so
        return True


def warn(train: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> None:
    """Classes on few pictures."""
    for label in of_class(train, spec.output_column):
        count = sum(label in (thing["label"] for thing in elements(value) or ()) for value in train[spec.output_column])
        if count < FEW:
            words = f"'{label[:40]}' is on {count} train pictures: little can be learnt of it"
            cleaning.warnings.append(words)
