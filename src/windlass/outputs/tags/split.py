"""Rows whose answers are tags, in three parts: each row counts for its rarest tag, so that rare ones come into each.

Source: Sechidis, Tsoumakas & Vlahavas 2011, On the stratification of multi-label data: the rarest tag is dealt out
        first; here all at once, which is the same for each row's rarest tag.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import polars as pl

from windlass.errors import DataError
from windlass.kinds import category
from windlass.kinds import table as kinds
from windlass.kinds.formats.tags_format import MARKS
from windlass.outputs.splitting import STRATUM, Cleaning, SplitMethod, train_validation_test
from windlass.spec import Spec

MOST_TAGS = 2_000
FEW_ROWS = 5
N_NAMED = 5


def read_tags(rows: pl.DataFrame, output: str) -> list[list[str]]:
    """The tags of each row; kept ones have one form."""
    read = kinds.get("tags").read
    return [read(value, None) or [] for value in rows[output]]


def rarest(found: list[list[str]], counts: Mapping[str, int]) -> list[str]:
    """The rarest tag of each row; '' where it has none."""
    return [min(tags, key=lambda tag: (counts[tag], tag), default="") for tags in found]


def split(rows: pl.DataFrame, spec: Spec, cleaning: Cleaning, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Train, validation and test in proportion to the rarest tags, without shared inputs or groups.

    Raises: DataError: no row has a tag, or there are too many different ones.
    """
    output = spec.output_column
    found = read_tags(rows, output)
    counts = Counter(tag for tags in found for tag in tags)
    if not counts:
        raise DataError(f"column '{output}' has no tag in any row, expected some rows with tags")
    if len(counts) > MOST_TAGS:
        raise DataError(
            f"column '{output}' has {len(counts):,} different tags, expected at most {MOST_TAGS:,}",
            "is it text, or written with another mark between tags? `formats:` names it, such as 'a;b'",
        )
    if max(map(len, found)) < 2:
        cleaning.warnings.append(f"no row has two tags: `output: {{{output}: category}}` gives exactly one label a row")
    _name_variants(counts, cleaning)
    _name_lists(counts, cleaning)
    cut = rows.with_columns(pl.Series(STRATUM, rarest(found, counts), dtype=pl.String))
    made = train_validation_test(cut, SplitMethod(spec, STRATUM), cleaning, random)
    parts = {name: part.drop(STRATUM) for name, part in made.items()}
    _warn_of_rare(parts, output, cleaning)
    return parts


def _warn_of_rare(parts: Mapping[str, pl.DataFrame], output: str, cleaning: Cleaning) -> None:
    """Tags that hardly can be learned, and tags that cannot be known, as no training row has them."""
    seen = {name: Counter(tag for tags in read_tags(part, output) for tag in tags) for name, part in parts.items()}
    rare = sorted(tag for tag, count in seen["train"].items() if count < FEW_ROWS)
    if rare:
        cleaning.warnings.append(
            f"{len(rare)} tags have fewer than {FEW_ROWS} train rows and are hardly learnt or measured: {_quoted(rare)}"
        )
    for name in ("validation", "test"):
        new = sorted(set(seen[name]) - set(seen["train"]))
        if new:
            cleaning.warnings.append(
                f"{len(new)} tags of {name} rows occur in no train row, so that they are always missed: {_quoted(new)}"
            )
    unmeasured = sorted(set(seen["train"]) - set(seen["test"]) - set(rare))
    if unmeasured and len(parts["test"]):
        cleaning.warnings.append(f"{len(unmeasured)} tags are in no test row and not measured: {_quoted(unmeasured)}")


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:N_NAMED]) + (" ..." if len(names) > N_NAMED else "")


def _name_variants(counts: Counter[str], cleaning: Cleaning) -> None:
    """Warns of tags that are probably one."""
    for name, into in list(category.variants(counts).items())[:N_NAMED]:
        cleaning.warnings.append(
            f"tag '{into}' is also written '{name}': `labels: {{merge: {{'{name}': '{into}'}}}}` in windlass.yaml "
            "makes them one"
        )


def _name_lists(counts: Counter[str], cleaning: Cleaning) -> None:
    """Warns of a tag that consists of others: some rows are written with another mark than the others."""
    for name in counts:
        mark = next((each for each in MARKS if each in name), "")
        parts = [part.strip() for part in name.split(mark)] if mark else []
        if len(parts) > 1 and all(part in counts for part in parts):
            cleaning.warnings.append(
                f"tag '{name}' is a tag of its own on {counts[name]:,} rows, though {_quoted(parts)} are tags, too: "
                f"rows are written with another mark there than '{mark}'"
            )


def counts(splits: Mapping[str, pl.DataFrame], output: str) -> dict[str, dict[str, int]]:
    """Rows of each tag in each split, the commonest first."""
    return {
        name: dict(Counter(tag for tags in read_tags(part, output) for tag in tags).most_common())
        for name, part in splits.items()
    }
