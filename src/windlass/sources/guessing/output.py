"""Which column is the answer, by names and values, and which other one could be."""

import re
from collections.abc import Sequence
from typing import Any

from windlass.errors import DataError, expected
from windlass.sources.answers import (
    INPUT_NUMBERS,
    LABEL_NAMES,
    QUANTITY_NAMES,
    QUANTITY_WORD,
    TEXT_NAMES,
    could_be_labels,
    could_be_tags,
    could_be_written,
    is_moment,
    named,
)
from windlass.sources.columns import ID_NAME, is_quantity, look, readable
from windlass.sources.guessing.record import Guess, Reading
from windlass.sources.guessing.windows import may_be_watched

WHERE_OR_WHEN = re.compile(
    r"(^|_)(timestamp|time|datetime|year|lat|lon|lng|latitude|longitude|zip|zipcode|phone)(_|$)|时间|年份|经度|纬度|电话",
    re.IGNORECASE,
)
"""Names of numbers that are told and not asked for."""
LEAST_ALIKE, LONGEST_LABEL = 20, 100


def output_of(columns: dict[str, list[Any]], found: Guess) -> str:
    """The column to answer: by its name, else the last one, where it holds few different values or says how much."""
    fitting = [name for name, values in columns.items() if could_be_labels(values) or could_be_tags(values)]
    written = [name for name, values in columns.items() if could_be_written(values) and not ID_NAME.search(name)]
    numbers = [name for name, values in columns.items() if _says_how_much(name, values)]
    fitting_numbers = numbers if len(columns) > 1 else []
    for names, among, what in (
        (LABEL_NAMES, fitting, "by its name"),
        (TEXT_NAMES, written if len(columns) > 1 else [], "a text to be written, by its name"),
        (_last_first(columns, QUANTITY_NAMES), fitting_numbers, "a number, by its name"),
    ):
        if name := named({each: columns[each] for each in among}, names, lambda name: True):
            found.reasons.append(f"output '{name}': {what}")
            return name
    if any(is_moment(values) for values in columns.values()) and (name := _watched(columns)):
        found.reasons.append(f"output '{name}': says what is wrong, by its name and values")
        return name
    fitting = [name for name in fitting if not ID_NAME.search(name) and not is_moment(columns[name])]
    last = list(columns)[-1]
    if last in fitting_numbers and (fitting or len(written) < 2):
        found.reasons.append(f"output '{last}': a number, the last column")
        if fitting:
            found.close(Reading(fitting[-1], "category", f"'{last}'", f"'{fitting[-1]}', which could be labels"))
        return last
    if not fitting and (name := named(columns, INPUT_NUMBERS, lambda name: name in fitting_numbers)):
        found.reasons.append(f"output '{name}': a number, by its name, where nothing else looks like an answer")
        return name
    if not fitting and len(written) > 1:
        found.reasons.append(f"output '{written[-1]}': a text to be written, the last one")
        return written[-1]
    if not fitting:
        if one := named(columns, LABEL_NAMES, lambda name: True):
            check_alike(one, columns[one], found.data)
        raise DataError(
            f"no column of {found.data} looks like an answer: it has {expected(columns)}",
            "say which: `windlass init DATA --output COLUMN`",
        )
    n_values = len(set(readable(columns[fitting[-1]])))
    found.reasons.append(f"output '{fitting[-1]}': the last column with few different values ({n_values})")
    if asked := [name for name in fitting_numbers if QUANTITY_WORD.search(name)]:
        found.close(Reading(asked[-1], "number", f"'{fitting[-1]}'", f"'{asked[-1]}', a number by its name"))
    return fitting[-1]


def check_alike(name: str, values: Sequence[Any], source: str) -> None:
    """Raises: DataError: every row answers the same."""
    words = readable(values)
    if len(words) >= LEAST_ALIKE and len(set(words)) == 1 and len(words[0]) <= LONGEST_LABEL:
        raise DataError(
            f"column '{name}' of {source} is '{words[0]}' in every row that was read, expected at least 2 answers",
            "the first part of a file in the order of its labels has but one of them: take rows from all over it",
        )


def _watched(columns: dict[str, list[Any]]) -> str:
    """The last column that says what is wrong; '' where none does."""
    return next((name for name, values in reversed(list(columns.items())) if may_be_watched(name, values)), "")


def _last_first(columns: dict[str, list[Any]], names: Sequence[str]) -> tuple[str, ...]:
    """The names, led by that of the last column where it is among them: what is asked for often stands there."""
    last = list(columns)[-1].strip().lower()
    return tuple(sorted(names, key=lambda name: name != last))


def _says_how_much(name: str, values: Sequence[Any]) -> bool:
    """True for a number that could be asked for: no key, and no place or time."""
    is_told = ID_NAME.search(name) or WHERE_OR_WHEN.search(name) or is_moment(values)
    return not is_told and is_quantity(values) and bool(look(name, values).kind)
