"""A release on trial under real requests, measured against the champion, and stopped when it is worse.

A trial is judged again and again, so that chance gets many tries: a difference counts only beyond three standard errors
(one-sided, 0.13 % at one look), and only after a minimal number of requests.
"""

import hashlib
import math
from collections import deque
from dataclasses import dataclass, field

from windlass.metrics.proportions import Proportion
from windlass.registry.canaries import CanaryTrial
from windlass.serving.runtime.replica import Replica

LEAST_ERRORS, LEAST_TIMES, LEAST_FEEDBACK, LEAST_COMPARED = 20, 100, 30, 100
"""Requests of each arm before it is judged by errors, by latency, by feedback, and by disagreement."""
LIMIT = 3.0
SLOWER, SLACK_MS = 1.5, 5.0
"""The 95th percentile of the latency may be this many times the champion's, and this much more."""
MOST_DISAGREEMENT = 0.2
KEPT_TIMES = 1_000


@dataclass
class Arm:
    """What was seen of one of the two releases. times_ms: of its last answers."""

    answered: int = 0
    failed: int = 0
    right: int = 0
    wrong: int = 0
    times_ms: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_TIMES))

    def count(self, took_ms: float, failed: bool) -> None:
        self.answered += 1
        self.failed += failed
        if not failed:
            self.times_ms.append(took_ms)

    @property
    def p95_ms(self) -> float:
        return sorted(self.times_ms)[math.ceil(0.95 * len(self.times_ms)) - 1]


@dataclass
class Canary:
    """The trial and both arms. compared, differing: answers of a shadow beside the champion's."""

    trial: CanaryTrial
    replica: Replica
    champion: Arm = field(default_factory=Arm)
    tried: Arm = field(default_factory=Arm)
    compared: int = 0
    differing: int = 0

    def takes(self, key: str) -> bool:
        """True for a share of the keys, always the same ones: who has a session stays on one release."""
        digest = hashlib.sha256(f"{self.trial.release}:{key}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8]) < self.trial.share * 2**64

    def told(self, release: str, right: bool) -> None:
        """Feedback on an answer of this release."""
        arm = {self.trial.release: self.tried, self.trial.against: self.champion}.get(release)
        if arm is not None:
            arm.right += right
            arm.wrong += not right

    def verdict(self) -> str:
        """Why the trial must stop; empty while nothing speaks against it."""
        tried, champion = self.tried, self.champion
        if tried.answered >= LEAST_ERRORS and is_more(
            Proportion(tried.failed, tried.answered), Proportion(champion.failed, champion.answered)
        ):
            return (
                f"{tried.failed} of {tried.answered} requests failed, "
                f"of the champion's {champion.failed} of {champion.answered}"
            )
        if min(len(tried.times_ms), len(champion.times_ms)) >= LEAST_TIMES:
            most = SLOWER * champion.p95_ms + SLACK_MS
            if tried.p95_ms > most:
                return f"p95 is {tried.p95_ms:.1f} ms, expected at most {most:.1f} (champion {champion.p95_ms:.1f})"
        told, told_champion = tried.right + tried.wrong, champion.right + champion.wrong
        if min(told, told_champion) >= LEAST_FEEDBACK and is_more(
            Proportion(tried.wrong, told), Proportion(champion.wrong, told_champion)
        ):
            return f"{tried.wrong} of {told} answers were wrong, of the champion's {champion.wrong} of {told_champion}"
        return self._disagreement()

    def _disagreement(self) -> str:
        if self.compared < LEAST_COMPARED:
            return ""
        share = self.differing / self.compared
        error = math.sqrt(MOST_DISAGREEMENT * (1 - MOST_DISAGREEMENT) / self.compared)
        if share <= MOST_DISAGREEMENT + LIMIT * error:
            return ""
        return f"{share:.0%} of {self.compared} answers differ from the champion's, expected {MOST_DISAGREEMENT:.0%}"


def is_more(one: Proportion, other: Proportion) -> bool:
    """True when the share of the one exceeds the other's beyond chance.

    Source: two-proportion z-test with the pooled variance.
    """
    if not one.n or not other.n:
        return False
    pooled = (one.hits + other.hits) / (one.n + other.n)
    error = math.sqrt(pooled * (1 - pooled) * (1 / one.n + 1 / other.n))
    return error > 0 and (one.hits / one.n - other.hits / other.n) / error > LIMIT
