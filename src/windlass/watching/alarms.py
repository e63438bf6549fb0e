"""From findings to alarms: raised by strong or repeated evidence, ended only when it is clearly over.

A month's false alarms are a budget that is spent over the month's looks: half of it on looks that speak alone, half on
two windows of three that speak together, whose chances multiply (2 a² a window).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from windlass.durations import DAY_S
from windlass.records import Alarm, Json
from windlass.watching.evidence import Finding

Level = Literal["strong", "weak", "none", "clear"]
Key = tuple[str, str]
"""Name and subject of an alarm."""
MONTH_S = 30 * DAY_S
LARGEST_WEAK = 0.01
"""All windows are compared with the one reference: an unlucky one repeats itself, whatever the number of windows."""
REPEATED, RECENT, OVER = 2, 3, 2
"""Windows that must speak of the last so many; windows in a row that must be clear before an alarm ends."""
CLEAR_P, CLEAR_SHARE = 0.05, 0.5
"""Clear is what chance would bring this often, or what is this small a part of the limit."""


@dataclass(frozen=True)
class Levels:
    """p-values, adjusted within a window, from which on it speaks alone, and together with another."""

    strong: float
    weak: float


def levels(false_alarms: float, look_s: float, window_s: float) -> Levels:
    """What a look may spend of so many false alarms a month: one each `look_s`, at windows that grow to `window_s`."""
    looks, windows = (max(1.0, MONTH_S / length_s) for length_s in (look_s, window_s))
    return Levels(false_alarms / 4 / looks, min(LARGEST_WEAK, math.sqrt(false_alarms / 4 / windows)))


def level(found: Iterable[Finding], spend: Levels) -> Level:
    """What findings of one alarm say together."""
    given = list(found)
    large = min((finding.p for finding in given if finding.is_large), default=1.0)
    if large <= spend.strong:
        return "strong"
    if large <= spend.weak:
        return "weak"
    is_clear = all(finding.p > CLEAR_P or finding.effect < CLEAR_SHARE * finding.limit for finding in given)
    return "clear" if is_clear else "none"


@dataclass
class Trace:
    """What the last windows said about one alarm. since: of the alarm while it is raised."""

    recent: list[Level] = field(default_factory=list)
    since: float | None = None
    words: str = ""
    evidence: Json = field(default_factory=dict)

    def hear(self, said: Level, at: float) -> None:
        """One more window; `at` is its end."""
        self.recent = [*self.recent, said][-RECENT:]
        speaking = sum(each in ("strong", "weak") for each in self.recent)
        if self.since is None and (said == "strong" or (said == "weak" and speaking >= REPEATED)):
            self.since = at
        elif self.since is not None and self.recent[-OVER:] == ["clear"] * OVER:
            self.since = None

    def as_json(self) -> Json:
        return {"recent": self.recent, "since": self.since, "words": self.words, "evidence": self.evidence}


class Alarms:
    """All alarms of a product, raised or not."""

    def __init__(self, traces: Mapping[Key, Trace] | None = None) -> None:
        self.traces: dict[Key, Trace] = dict(traces or {})

    def hear(self, key: Key, said: Level, at: float, words: str, evidence: Json) -> None:
        """What a window said. words, evidence: kept from the last window that spoke against the release."""
        trace = self.traces.setdefault(key, Trace())
        trace.hear(said, at)
        if trace.since is not None and (said in ("strong", "weak") or not trace.words):
            trace.words, trace.evidence = words, evidence
        if trace.since is None and not set(trace.recent) - {"clear", "none"}:
            del self.traces[key]

    def forget(self, names: Sequence[str]) -> None:
        """Ends all alarms of these names: another release answers now."""
        self.traces = {key: trace for key, trace in self.traces.items() if key[0] not in names}

    def raised(self) -> list[Alarm]:
        """Those that are raised, oldest first."""
        found = [
            Alarm(name, subject, trace.since, trace.words, trace.evidence)
            for (name, subject), trace in self.traces.items()
            if trace.since is not None
        ]
        return sorted(found, key=lambda alarm: alarm.since)

    def as_json(self) -> list[Json]:
        return [{"name": name, "subject": subject, **trace.as_json()} for (name, subject), trace in self.traces.items()]

    @classmethod
    def from_json(cls, values: Sequence[Json]) -> "Alarms":
        return cls(
            {
                (str(each["name"]), str(each["subject"])): Trace(
                    list(each["recent"]), each["since"], str(each["words"]), dict(each["evidence"])
                )
                for each in values
            }
        )
