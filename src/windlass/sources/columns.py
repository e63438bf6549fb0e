"""What a column holds, by its values: its kind, how they are written, and what of them is strange."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date as Day
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import category, date, image, number
from windlass.kinds import table as kinds
from windlass.kinds.contract import is_missing, shown
from windlass.kinds.formats import date_format, number_format
from windlass.kinds.text import CJK

LEAST = 0.9
"""Share of the values that must be of a kind; the others are said, counted, and left to `collect` to refuse."""
LEAST_IN_ONE_FORM = 0.5
"""The same of numbers that are written in several ways, of which only one is read."""
FEW_VALUES, FEW_STRANGE = 20, 0.02
"""Among so few different numbers, more strange words than this are names of a category: 1, 2, 3, 'more'."""
N_LOOKED_AT, MOST_LETTERS, N_NAMED = 1_000, 400, 3
TEXT_WORDS, TEXT_SHARE, TEXT_VALUES = 3, 0.3, 200
LONG_WORDS, FEW_LONG = 25, 20
"""Words on average that no name of a category has, and different ones anyway: a paragraph with several questions."""
KEY_SHARE, KEY_VALUES, KEY_DIGITS, CODE_DIGITS = 0.9, 50, 8, 4
ID_NAME = re.compile(r"(^|_)(id|uuid|guid|index|row)(_|$)|(?-i:[a-z]I[dD]$)|编号$|序号$", re.IGNORECASE)
CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s?[AaPp]\.?[Mm]\.?)?", re.ASCII)
CODE = re.compile(r"0?\d+", re.ASCII)
ONE_CJK = re.compile(f"[{CJK}]")
SIMPLE = (str, int, float, Decimal, np.generic, Day)
"""Types of values that some kind reads from a column; dates and times of day are among the days."""


@dataclass(frozen=True)
class Look:
    """What a column holds.

    kind: '' = better left out, and then `why` says why. format: for `formats:` of the spec; '' = the usual form.
    notes: what a person should know, one sentence each. is_quantity: its values say how much.
    """

    kind: str
    why: str = ""
    format: str = ""
    notes: tuple[str, ...] = ()
    is_quantity: bool = False


@dataclass(frozen=True)
class _Values:
    """Values that are there, at least one. words: of those that are text, evenly taken. different: how many."""

    all: Sequence[Any]
    words: Sequence[str]
    different: int

    def share(self, holds: Callable[[Any], bool]) -> float:
        sample = self.all[:: max(1, len(self.all) // N_LOOKED_AT)]
        return sum(bool(holds(value)) for value in sample) / len(sample)


def look(name: str, values: Sequence[Any]) -> Look:
    """What the column of that name holds; never raises, whatever stands in it."""
    found = _values(values)
    if found is None:
        return Look("", "no values")
    if found.different == 1:
        return Look("", "always the same")
    claimed = kinds.claimed(found.all)
    if claimed:
        return Look(claimed)
    if found.share(lambda value: isinstance(value, SIMPLE)) < LEAST:
        return Look("", f"holds values such as {shown(found.all[0])}, which no kind reads from a column")
    if found.share(is_picture_path) > LEAST:
        return Look("image")
    if found.share(_is_truth) >= LEAST:
        return Look("category")
    return _as_date(found) or _as_number(name, found) or _as_words(name, found)


def word_of(value: Any) -> str:
    """The value as text that can be compared."""
    try:
        return str(value)
    except ValueError:  # a whole number of more than 4,300 digits
        return shown(value)


def is_picture_path(value: Any) -> bool:
    return isinstance(value, str) and len(value) < 4_096 and Path(value).suffix.lower() in image.SUFFIXES


def is_number(value: Any) -> bool:
    return number.is_plain(value)


def is_date(value: Any) -> bool:
    return isinstance(value, Day) or (isinstance(value, str) and len(value) >= 8 and date.check(value) is None)


def is_clock(value: Any) -> bool:
    return isinstance(value, str) and CLOCK.fullmatch(value.strip()) is not None


def is_quantity(values: Sequence[Any]) -> bool:
    """True for numbers that say how much: broken ones, or too many different whole ones to be names of classes."""
    found = _values(values)
    if found is None or found.share(lambda value: isinstance(value, SIMPLE)) < LEAST:
        return False
    guessed = _as_number("", found)
    if guessed is None or not guessed.is_quantity:
        return False
    numbers = _numbers(found.all, guessed.format)
    different = len(set(numbers))
    if any(not each.is_integer() for each in numbers):
        return different > 10
    return different > 100 or (different > FEW_VALUES and len(numbers) < 10 * different)


def numbers_of(values: Sequence[Any]) -> list[float]:
    """The numbers among these, in the form in which most are written."""
    found = _values(values)
    return [] if found is None else _numbers(found.all, _number_format(found))


def _values(values: Sequence[Any]) -> _Values | None:
    present = [value for value in values if not is_missing(value) and not (isinstance(value, str) and value.isspace())]
    if not present:
        return None
    words = [value.strip() for value in present if isinstance(value, str)]
    return _Values(present, words[:: max(1, len(words) // N_LOOKED_AT)], len(set(map(word_of, present))))


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool | np.bool_) or (isinstance(value, str) and value.strip().lower() in category.TRUTH)


# dates ----------------------------------------------------------------------------------------------------------------


def _as_date(found: _Values) -> Look | None:
    if found.share(is_clock) >= LEAST and found.different > FEW_VALUES:
        return Look("", "times of day, which no kind reads yet; hours can be a number, in a column of their own")
    if found.share(is_date) >= LEAST and not _is_compact(found):
        return Look("date", notes=_strange(found.all, date.check, "date"))
    words = found.words if len(found.words) >= LEAST * len(found.all[:N_LOOKED_AT]) else _as_digits(found)
    examples = date_format.guesses([word for word in words if word.lower() not in number.MISSING_WORDS], LEAST)
    if not examples:
        return None
    check = date.as_written({"format": examples[0]}).check
    notes = _strange(found.all, check, "date")
    if len(examples) > 1:
        notes = (*notes, _two_readings(found.words, examples))
    return Look("date", format=examples[0], notes=notes)


def _is_compact(found: _Values) -> bool:
    """True for `20210930`, which is a number to whoever reads JSON or Parquet."""
    return found.share(lambda value: not isinstance(value, Day) and len(word_of(value).strip()) == 8) >= LEAST


def _as_digits(found: _Values) -> list[str]:
    """Whole numbers as they are written."""
    sample = found.all[:N_LOOKED_AT]
    whole = [value for value in sample if isinstance(value, int | float | np.number) and not isinstance(value, bool)]
    numbers = map(float, filter(_is_small, whole))
    return [f"{value:.0f}" for value in numbers if value.is_integer()]


def _is_small(value: Any) -> bool:
    return -number.EXACT < value < number.EXACT


def _two_readings(words: Sequence[str], examples: Sequence[str]) -> str:
    word = next((word for word in words if date_format.is_year_last(word)), words[0])
    readings = [date_format.written(word, example).date().isoformat() for example in examples]
    return f"'{word}' is read as {readings[0]}; were it {readings[1]}, say '{examples[1]}' in `formats`"


# numbers --------------------------------------------------------------------------------------------------------------


def _as_number(name: str, found: _Values) -> Look | None:
    example = _number_format(found)
    check = number.as_written({"format": example}).check if example else number.check
    holds = _reads(check) if example else number.is_plain
    share = found.share(lambda value: not isinstance(value, Day) and holds(value))
    if share < LEAST and not (example and share >= LEAST_IN_ONE_FORM and _in_some_form(found)):
        return None
    if share < 1 - FEW_STRANGE and found.different <= FEW_VALUES:
        return None
    if any(map(number.is_inexact, found.all)):
        return _as_codes(found, "whole numbers beyond 2^53, which a number cannot tell apart")
    if _are_codes(found):
        return _as_codes(found, "digits of one length with zeros in front, as codes have them")
    numbers = _numbers(found.all, example)
    if all(each.is_integer() for each in numbers):
        all_different = len(set(numbers)) == len(numbers) > 20
        if ID_NAME.search(name) or (all_different and _is_counting(numbers)):
            return Look("", "numbers the rows")
        lengths = {len(f"{abs(each):.0f}") for each in numbers}
        if all_different and len(lengths) == 1 and min(lengths) >= KEY_DIGITS:
            return Look("", "a code of its own on every row")
    notes = (*_as_read(found, example), *_strange(found.all, check, "number in that form" if example else "number"))
    return Look("number", format=example, notes=notes, is_quantity=True)


def _reads(check: Callable[[Any], str | None]) -> Callable[[Any], bool]:
    return lambda value: check(value) is None


def _number_format(found: _Values) -> str:
    words = [word for word in found.words if word.lower() not in number.MISSING_WORDS]
    return number_format.guess([word for word in words if len(word) <= number.MOST_WRITTEN])


def _numbers(values: Sequence[Any], example: str) -> list[float]:
    kind = number.as_written({"format": example}) if example else number.KIND
    holds = _reads(kind.check) if example else number.is_plain
    read = [kind.read(value, None) for value in values if holds(value)]
    return [each for each in read if each == each]


def _as_read(found: _Values, example: str) -> tuple[str, ...]:
    """The form that was found, and how one of the values that need it is read."""
    if not example:
        return ()
    how = number_format.parse(example)
    check = number.as_written({"format": example}).check
    read = [word for word in found.words if word.lower() not in number.MISSING_WORDS and check(word) is None]
    word = next((word for word in read if any(mark and mark in word for mark in (how.thousands, how.point))), read[0])
    as_number = number.as_written({"format": example}).read(word, None)
    return (f"written like '{example}': numbers such as '{word[:40]}' are read as {as_number:.15g}",)


def _in_some_form(found: _Values) -> bool:
    """Nearly all values are numbers, though not all are written in one form."""
    return found.share(lambda value: not isinstance(value, Day) and is_number_in_some_form(value)) >= LEAST


def is_number_in_some_form(value: Any) -> bool:
    is_short = isinstance(value, str) and len(value) <= number.MOST_WRITTEN
    return is_number(value) or (is_short and bool(number_format.guess([value.strip()])))


def _are_codes(found: _Values) -> bool:
    """True for digits of one length, some with a zero in front, as postcodes have it."""
    if not found.words or len(found.words) < LEAST * len(found.all[:N_LOOKED_AT]):
        return False
    lengths = {len(word) for word in found.words}
    has_zero = any(word.startswith("0") for word in found.words)
    return len(lengths) == 1 and min(lengths) >= CODE_DIGITS and has_zero and all(map(CODE.fullmatch, found.words))


def _as_codes(found: _Values, what: str) -> Look:
    if _is_key(found):
        return Look("", f"{what}, and nearly every row has its own")
    return Look("category", notes=(what,))


def _is_counting(numbers: Sequence[float]) -> bool:
    """True when the numbers go up by the same step all the way."""
    steps = {second - first for first, second in pairwise(numbers)}
    return len(steps) == 1 and steps.pop() > 0


def _strange(values: Sequence[Any], check: Callable[[Any], str | None], kind: str) -> tuple[str, ...]:
    """What of the values is of another kind, counted."""
    strange = Counter(shown(value) for value in values if check(value) is not None)
    words = (value.strip() for value in values if isinstance(value, str))
    missing = Counter(shown(word) for word in words if word.lower() in number.MISSING_WORDS)
    said = (f"{missing.total()} hold {_named(missing)}, read as missing",) if missing else ()
    if not strange:
        return said
    refused = f"{strange.total()} of {len(values)} rows looked at hold no {kind} ({_named(strange)})"
    return (*said, f"{refused}: `collect` will refuse them")


def _named(counts: Counter[str]) -> str:
    return ", ".join(name for name, _ in counts.most_common(N_NAMED)) + (" ..." if len(counts) > N_NAMED else "")


# words ----------------------------------------------------------------------------------------------------------------


def _as_words(name: str, found: _Values) -> Look:
    if found.share(lambda value: category.check(value) is None or isinstance(value, str)) < LEAST:
        return Look("", f"holds values such as {shown(found.all[0])}, which no kind reads from a column")
    mean_words = sum(map(n_words, found.words)) / max(1, len(found.words))
    distinct_share = found.different / len(found.all)
    if mean_words >= TEXT_WORDS and (distinct_share > TEXT_SHARE or found.different > TEXT_VALUES):
        return Look("text")
    if mean_words >= LONG_WORDS and found.different > FEW_LONG:
        return Look("text")
    if _is_key(found) or (ID_NAME.search(name) and found.different > KEY_VALUES):
        return Look("", "a name or key of its own on nearly every row")
    return Look("category")


def n_words(value: str) -> int:
    """Words between spaces, marks left out; each CJK character is one."""
    chunks = value[:MOST_LETTERS].split()
    single = len(ONE_CJK.findall(value[:MOST_LETTERS]))
    return single + sum(any(sign.isalnum() and not ONE_CJK.match(sign) for sign in chunk) for chunk in chunks)


def _is_key(found: _Values) -> bool:
    return found.different > KEY_SHARE * len(found.all) and found.different > KEY_VALUES


def readable(values: Sequence[Any]) -> list[str]:
    """The values as labels, those left out that are missing or cannot be one."""
    names = []
    for value in values:
        try:
            name = category.named(value)
        except DataError:
            continue
        names += [name] if name else []
    return names
