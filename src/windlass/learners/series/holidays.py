"""The table of public holidays that an artifact keeps, by the package `holidays`, which computes them offline.

Source: https://pypi.org/project/holidays (MIT); days that were moved are in it, of years ahead as far as is known.
"""

import re
import warnings
from collections.abc import Sequence

from windlass.errors import NotReady, SpecError, pip_install
from windlass.kinds.points.reading import Series
from windlass.predictors.series.holidays import HOLIDAY, names_of

YEARS_AHEAD = 10
DETAIL = re.compile(r"\s*\([^)]*\)")
"""Of a name, such as '(observed)' or '(substituted from 01/04/2026)': the days of one holiday are alike."""


def table(codes: Sequence[str], series: Sequence[Series]) -> dict[str, str]:
    """Day -> name in English, from the first training year to ten years after the last; none of no codes.

    Args:   codes: countries, such as CN, or their parts, such as DE-BY.
    Raises: NotReady: the package is not here. SpecError: there is no such country, or points have no moments.
    """
    if not codes:
        return {}
    starts = [each.times() for each in series]
    moments = [part for part in starts if part is not None and len(part)]
    if not moments:
        raise SpecError("holidays are asked for, but points have no moment", "name its column: `series: {time: ...}`")
    first = min(int(str(each[0])[:4]) for each in moments)
    last = max(int(str(each[-1])[:4]) for each in moments)
    found: dict[str, set[str]] = {}
    for code in codes:
        for day, name in _of_country(code, range(first, last + YEARS_AHEAD + 1)).items():
            found.setdefault(day, set()).add(name)
    return {day: "; ".join(sorted(names)) for day, names in sorted(found.items())}


def _of_country(code: str, years: range) -> dict[str, str]:
    try:
        import holidays
    except ModuleNotFoundError:
        raise NotReady("'holidays' is not installed, expected it for `series: {holidays: ...}`",
                       pip_install("series")) from None  # fmt: skip
    country, _, part = code.partition("-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of years that it does not know: they have none
        try:
            days = holidays.country_holidays(country, subdiv=part or None, years=years, language="en_US")
        except NotImplementedError:
            message = f"holidays are of '{code}', expected a country such as CN, or a part such as DE-BY"
            raise SpecError(
                message, "`python -c 'import holidays; print(holidays.list_supported_countries())'`"
            ) from None
    return {str(day): DETAIL.sub("", name.split("; ")[0]) for day, name in days.items()}


def seen(days: dict[str, str], series: Sequence[Series], most: int) -> dict[str, list[str]]:
    """The covariate's words: of the holidays of the training series the commonest; none where there is no table."""
    if not days:
        return {}
    counts: dict[str, int] = {}
    for each in series:
        for word in names_of(each.times(), days, len(each)):
            if word:
                counts[word] = counts.get(word, 0) + 1
    return {HOLIDAY: sorted(sorted(counts, key=lambda word: (-counts[word], word))[:most])}
