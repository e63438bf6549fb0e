"""Questions in three parts, those without an answer in proportion."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from windlass.kinds import cited
from windlass.outputs.splitting import STRATUM, Cleaning, SplitMethod, train_validation_test
from windlass.spec import Spec

ANSWERED, REFUSED = "answered", "refused"


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Raises: DataError: too few questions."""
    found = train_validation_test(_marked(rows, spec.output_column), SplitMethod(spec, STRATUM), cleaning, random)
    return {name: part.drop(STRATUM) for name, part in found.items()}


def _marked(rows: pl.DataFrame, output: str) -> pl.DataFrame:
    named = [REFUSED if cited.is_refusal(cited.read(value, None) or {}) else ANSWERED for value in rows[output]]
    return rows.with_columns(pl.Series(STRATUM, named, dtype=pl.String))


def counts(splits: Mapping[str, pl.DataFrame], output: str) -> dict[str, dict[str, int]]:
    """Answers are not counted: each is its own."""
    return {}


def warn(train: pl.DataFrame, spec: Spec, cleaning: Cleaning) -> None:
    """Questions that nobody has asked, and a product that never learned to refuse."""
    rights = [cited.read(value, None) or {} for value in train[spec.output_column]]
    written = sum(bool(right.get(cited.SYNTHETIC)) for right in rights)
    if written:
        cleaning.warnings.append(
            f"{written:,} of {len(rights):,} train questions were written from the documents (synthetic): people ask "
            "in other words; add questions of theirs"
        )
    if not any(cited.is_refusal(right) for right in rights):
        cleaning.warnings.append(
            "no train question is one that the documents do not answer: questions with their passage taken away stand "
            "in for them"
        )
