"""Which columns can be what a product answers: a set of names, or a text; and what is said of those that cannot."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import is_missing
from windlass.sources.columns import is_clock, is_date, is_number, is_quantity, numbers_of, readable, word_of

MOST_LABELS, LABEL_LETTERS = 1_000, 60
WRITTEN, REPEATED = 0.95, 0.3
MARKS, SEVERAL, PART_LETTERS = ";|", 0.1, 40
SOON = "an output is a category or a text until numbers come"


def could_be_labels(values: Sequence[Any]) -> bool:
    """True for few different short names, each on several rows."""
    present = readable(values)
    different = len(set(present))
    mean_length = sum(map(len, present)) / max(len(present), 1)
    few = 2 <= different <= max(2, min(MOST_LABELS, len(present) // 2))
    return few and mean_length < LABEL_LETTERS and not is_quantity(values)


def could_be_written(values: Sequence[Any]) -> bool:
    """True for texts, or lists of them, that hardly repeat."""
    present = [value for value in values if not is_missing(value)]
    texts = sum(isinstance(value, str | list) and not is_number(value) and not is_date(value) for value in present)
    is_text = texts > WRITTEN * max(1, len(present)) and not is_quantity(values) and not is_moment(values)
    return is_text and len(set(map(word_of, present))) > REPEATED * len(present)


def is_moment(values: Sequence[Any]) -> bool:
    """True for dates and times of day."""
    present = [value for value in values if not is_missing(value)]
    return bool(present) and sum(is_date(value) or is_clock(value) for value in present) > WRITTEN * len(present)


def output_kind(name: str, values: Sequence[Any], reasons: list[str]) -> str:
    """The kind of an output column; what it is taken for is added to the reasons where that is not plain.

    Raises: DataError: it holds numbers, or moments, that are no labels.
    """
    claimed = kinds.claimed([value for value in values if not is_missing(value)])
    if claimed:
        return claimed
    if is_quantity(values):
        raise DataError(f"column '{name}' holds numbers; {SOON}", _bands(values))
    different = len(set(readable(values)))
    if is_moment(values):
        if different > MOST_LABELS or different * 2 > len(values):
            raise DataError(
                f"column '{name}' holds dates or times; {SOON}",
                "make a column of what is asked of them, such as the weekday, or 'late' and 'on time'",
            )
        reasons.append(f"output '{name}' holds dates or times: each of the {different} is taken as a label")
    if not could_be_labels(values):
        return "text"
    several = _several(readable(values))
    if several:
        reasons.append(
            f"output '{name}': {several} is taken as one label; several labels of a row are not told apart yet, so "
            "keep the first one, or give each a product of its own"
        )
    return "category"


def not_an_output(columns: Mapping[str, Sequence[Any]], names: Collection[str]) -> str:
    """Why the last column, or one with the name of an answer, was not taken, where it holds numbers; else ''."""
    last = list(columns)[-1]
    for name, values in columns.items():
        if (name == last or name.strip().lower() in names) and is_quantity(values):
            return f"'{name}' holds numbers; {SOON}: {_bands(values)}"
    return ""


def _bands(values: Sequence[Any]) -> str:
    low, high = (f"{float(f'{edge:.3g}'):,.10g}" for edge in np.quantile(numbers_of(values), [1 / 3, 2 / 3]))
    return (
        f"make a column of bands, such as 'below {low}', '{low} to {high}' and 'above {high}' (a third of the rows "
        "each), and name it with `--output`"
    )


def _several(labels: Sequence[str]) -> str:
    """The commonest of labels that are lists of others, such as 'a;b', quoted; '' where there are hardly any."""
    for mark in MARKS:
        lists = [label for label in labels if mark in label]
        parts = {part.strip() for label in lists for part in label.split(mark)}
        shared = len(parts) < len(set(lists)) or bool(parts & set(labels))
        if len(lists) > SEVERAL * len(labels) and shared and max(map(len, parts)) < PART_LETTERS:
            return f"'{Counter(lists).most_common(1)[0][0]}'"
    return ""
