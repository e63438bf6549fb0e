"""How the days of a column are written: year first and with a month's name by itself, other orders by an example."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from windlass.errors import SpecError, did_you_mean, expected

Order = Literal["day", "month", "year"]
COMPACT = "20261231"
EXAMPLES: dict[str, Order] = {
    **{f"31{mark}12{mark}{year}": "day" for year in ("2026", "26") for mark in "./-"},
    **{f"12{mark}31{mark}{year}": "month" for year in ("2026", "26") for mark in "./-"},
    COMPACT: "year",
}
"""An example of the last day of 2026 -> which number comes first."""
TIME = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){TIME}", re.ASCII
)
CHINESE = re.compile(rf"(?P<year>\d{{4}})年(?P<month>\d{{1,2}})月(?P<day>\d{{1,2}})日?{TIME}", re.ASCII)
NAMED = re.compile(
    r"(?:[A-Za-z]{3,9}, )?(?:(?P<day>\d{1,2})\.?[ -](?P<name>[A-Za-z]{3,9})\.?[ ,-]+"
    r"|(?P<name2>[A-Za-z]{3,9})\.? (?P<day2>\d{1,2}),? )"
    rf"(?P<year>\d{{4}}){TIME}",
    re.ASCII,
)
YEAR_LAST = re.compile(
    r"(?:(?P<first>\d{1,2})(?P<mark>[-/.])(?P<next>\d{1,2})(?P=mark)(?P<year>\d{4})"
    rf"|(?P<first2>\d{{1,2}})/(?P<next2>\d{{1,2}})/(?P<year2>\d{{2}})"
    rf"|(?P<first3>\d{{2}})(?P<mark3>[-.])(?P<next3>\d{{2}})(?P=mark3)(?P<year3>\d{{2}})){TIME}",
    re.ASCII,
)
"""Years of two digits come with days of two, or slashes: `1.2.30` is a version."""
EIGHT = re.compile(rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}}){TIME}", re.ASCII)
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
CENTURY = 69
"""Years of two digits from this one on belong to the century before, as POSIX has it."""


def known(word: str) -> datetime:
    """The moment that is written in a form that can be read in one way, without its time zone. Raises: ValueError."""
    try:
        return datetime.fromisoformat(word).replace(tzinfo=None)
    except ValueError:
        pass
    for pattern in (YEAR_FIRST, CHINESE):
        if found := pattern.fullmatch(word):
            return _moment(found, found["year"], found["month"], found["day"])
    if found := NAMED.fullmatch(word):
        month = _month(found["name"] or found["name2"])
        return _moment(found, found["year"], month, found["day"] or found["day2"])
    raise ValueError(word)


def written(word: str, example: str) -> datetime:
    """The moment that is written as the example says, or in a form that needs none. Raises: ValueError."""
    order = EXAMPLES[example]
    found = EIGHT.fullmatch(word) if order == "year" else YEAR_LAST.fullmatch(word)
    if found is None:
        return known(word)
    if order == "year":
        return _moment(found, found["year"], found["month"], found["day"])
    first, second, year, _ = _parts(found)
    if len(year) == 2 and example.endswith("2026"):
        raise ValueError(word)
    day, month = (first, second) if order == "day" else (second, first)
    return _moment(found, _year(year), month, day)


def _parts(found: re.Match[str]) -> tuple[str, str, str, str]:
    """First and second number, year and mark of a date with the year last."""
    for ending, mark in (("", found["mark"]), ("2", "/"), ("3", found["mark3"])):
        if found[f"year{ending}"]:
            return found[f"first{ending}"], found[f"next{ending}"], found[f"year{ending}"], mark
    raise ValueError(found.group())


def check(example: str) -> str:
    """The example. Raises: SpecError: it is none that is known."""
    if example not in EXAMPLES:
        raise SpecError(f"format is '{example[:80]}', expected {expected(EXAMPLES)}", did_you_mean(example, EXAMPLES))
    return example


def guesses(words: Sequence[str], least: float) -> list[str]:
    """The examples by which at least that share of these is read, the likelier first; two where days are up to 12.

    Of two the one by which the days stand in order comes first, else that with the day first.
    """
    found = [match for word in words if (match := YEAR_LAST.fullmatch(word))]
    if len(found) < least * max(1, len(words)):
        eight = [word for word in words if EIGHT.fullmatch(word) and word[:2] in ("19", "20")]
        return [COMPACT] if words and _share(eight, COMPACT, len(words)) >= least else []
    _, _, year, mark = _parts(found[0])
    year = "26" if len(year) == 2 else "2026"
    both = (f"31{mark}12{mark}{year}", f"12{mark}31{mark}{year}")
    fitting = [example for example in both if _share(words, example, len(words)) >= least]
    return sorted(fitting, key=lambda example: not _is_in_order(words, example))


def is_year_last(word: str) -> bool:
    """True for `03/04/2026` and the like, which two countries read in two ways."""
    return YEAR_LAST.fullmatch(word) is not None


def _share(words: Sequence[str], example: str, n_words: int) -> float:
    return sum(_read(word, example) is not None for word in words) / max(1, n_words)


def _read(word: str, example: str) -> datetime | None:
    try:
        return written(word, example)
    except ValueError:
        return None


def _is_in_order(words: Sequence[str], example: str) -> bool:
    days = [day for word in words if (day := _read(word, example))]
    return days == sorted(days) and len(set(days)) > 2


def _year(digits: str) -> int:
    number = int(digits)
    return number if len(digits) == 4 else number + (1900 if number >= CENTURY else 2000)


def _month(name: str) -> int:
    """Raises: ValueError: no month begins so."""
    near = [number for number, month in enumerate(MONTHS, 1) if month.startswith(name.lower()[:9])]
    if name.lower() == "sept":
        return 9
    if len(near) != 1:
        raise ValueError(name)
    return near[0]


def _moment(found: re.Match[str], year: str | int, month: str | int, day: str | int) -> datetime:
    """Raises: ValueError: there is no such day or time."""
    hour, half = int(found["hour"] or 0), (found["half"] or "")[:1].lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half == "p" else 0)
    return datetime(int(year), int(month), int(day), hour, int(found["minute"] or 0), int(found["second"] or 0))
