"""When a request over HTTP is asked again, and after how long: one policy for all that asks. It knows no library.

Source: exponential backoff with equal jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/;
Retry-After, RFC 9110, section 10.2.3.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

UNREACHED = 503
"""What an attempt without any answer counts as: nobody there, hung up, too late."""
NOT_DONE = frozenset({429, 502, 503, 504})
"""The server has not done the work: asking again is safe and may help."""
PASSING = NOT_DONE | {408, 425, 500}
"""Of servers that are not ours, whose 500 is often a moment of too little memory; ours is a fault that stays."""
MOST_ASKED_S = 100_000.0


@dataclass(frozen=True)
class Retry:
    """A policy. statuses: that are asked again. first_s: about what is waited after the first attempt, then twice as
    long each time, up to most_s. most_asked_s: of what a server asks for, so much is waited."""

    statuses: frozenset[int] = NOT_DONE
    first_s: float = 0.1
    most_s: float = 5.0
    most_asked_s: float = MOST_ASKED_S

    def is_passing(self, status: int) -> bool:
        """True when it is worth asking again after this status."""
        return status in self.statuses

    def wait_s(self, attempt: int, asked_s: float = 0.0, chance: Callable[[], float] = random.random) -> float:
        """Seconds to wait after this attempt (1: the first): what the server asked for or a step, and by chance up to a
        step more, so that those who failed together do not come back together."""
        step = min(self.most_s / 2, self.first_s * 2 ** (min(attempt, 32) - 1))
        return max(min(asked_s, self.most_asked_s), step) + step * chance()


def asked_s(header: str | None, clock: Callable[[], float] = time.time) -> float:
    """Seconds that a Retry-After asks for, as a number or a date; 0 where there is none, or none that makes sense."""
    if not header:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        seconds = _until(header, clock)
    return seconds if 0 <= seconds < MOST_ASKED_S else 0.0


def _until(date: str, clock: Callable[[], float]) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - clock()
    except (ValueError, OverflowError):
        return 0.0
