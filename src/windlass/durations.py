"""How a length of time and a count in a period are written, wherever a person writes one: `7d`, `100/min`.

duration = number unit        number = 1 to 9 digits     unit = s | m | min | h | d | w | y
rate     = number "/" period  period = one of those that the place allows
"""

import re
from collections.abc import Collection

from windlass.errors import SpecError

DAY_S = 86_400.0
UNITS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": DAY_S, "w": 7 * DAY_S, "y": 365 * DAY_S}
"""Unit -> its seconds. A rate says `min`: a lone m would be a minute here and a month there."""
CENTURY_S = 36_500 * DAY_S
PATTERN = rf"([0-9]{{1,9}})({'|'.join(UNITS_S)})"
"""Of a duration, also for schemas."""
DURATION = re.compile(PATTERN)
RATE = re.compile(r"([0-9]{1,13})/([a-z]+)")
MOST_SHOWN = 80
"""Characters of a wrong text that a message shows."""


def duration_s(text: str) -> float | None:
    """The seconds of a duration such as `15m`; None where the text is none."""
    match = DURATION.fullmatch(text)
    return int(match[1]) * UNITS_S[match[2]] if match else None


def read_duration(text: str, subject: str, example: str, least_s: float = 0.0, most_s: float = CENTURY_S) -> float:
    """The seconds of a duration.

    Args:   subject, example: what a refusal calls the text, and what it would take instead, in quotes.
    Raises: SpecError: no duration, or one out of the bounds.
    """
    found = duration_s(text)
    if found is None or not least_s <= found <= most_s:
        raise _refusal(text, subject, example)
    return found


def read_rate(text: str, subject: str, example: str, periods: Collection[str], most: int) -> tuple[int, str]:
    """How many, from 1 to `most`, and in which of the periods. Raises: SpecError: no rate, or one out of the bounds."""
    match = RATE.fullmatch(text)
    if match is None or match[2] not in periods or not 1 <= int(match[1]) <= most:
        raise _refusal(text, subject, example)
    return int(match[1]), match[2]


def _refusal(text: str, subject: str, example: str) -> SpecError:
    return SpecError(f"{subject} is '{text[:MOST_SHOWN]}', expected such as {example}")
