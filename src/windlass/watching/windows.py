"""Answers of the request log gathered into windows of time, in bounded memory whatever their number.

Of each window a sample of profiles is kept, those whose ids have the smallest hashes: it is the same whoever reads the
log, and however often it is read.
"""

import heapq
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from windlass.durations import DAY_S, read_duration
from windlass.kinds.sketch import place_of
from windlass.records import Json

SAMPLE = 1_000
MOST_LABELS, MOST_RELEASES = 200, 4
STEP = 1.05
"""Latencies are counted in bins of 5 %."""
OTHER = "…"


class Seen(NamedTuple):
    """A sampled answer. place: hash of its id, negated. profile: as JSON. value: empty where each is its own. at: when
    it was given, seconds since 1970; 0 where an older release of `watch` kept it."""

    place: int
    profile: str
    confidence: float | None
    value: str
    at: float = 0.0


class Sum(NamedTuple):
    """The sum of `n` numbers."""

    total: float
    n: int


class Requests(NamedTuple):
    """Requests of a window, as the service counted them."""

    answered: int
    refused: int
    failed: int


@dataclass
class Part:
    """What one release answered in a window. confidence: of the answers where it is known."""

    n: int = 0
    latency: Counter[int] = field(default_factory=Counter)
    confidence: Sum = field(default_factory=lambda: Sum(0.0, 0))
    low: int = 0
    mix: Counter[str] = field(default_factory=Counter)
    profiled: int = 0
    sample: list[Seen] = field(default_factory=list)

    def add(self, row: Mapping[str, Any], value: str, low_below: float) -> None:
        """An answer of the log. value: as it is counted; empty where each is its own, and is not kept."""
        self.n += 1
        self.latency[_latency_bin(row["latency_ms"])] += 1
        confidence = row["confidence"]
        if confidence is not None:
            self.confidence = Sum(self.confidence.total + confidence, self.confidence.n + 1)
            self.low += confidence < low_below
        if value:
            self.mix[value if value in self.mix or len(self.mix) < MOST_LABELS else OTHER] += 1
        self.profiled += row["profile"] is not None
        self._sample(Seen(-place_of(row["id"]), row["profile"] or "", confidence, value, row["at"]))

    def _sample(self, seen: Seen) -> None:
        """Keeps the smallest hashes: the heap's first is the largest of them, its hash negated."""
        if len(self.sample) < SAMPLE:
            heapq.heappush(self.sample, seen)
        elif seen.place > self.sample[0].place:
            heapq.heapreplace(self.sample, seen)

    def after(self, before: "Part") -> "Part":
        """This with the sampled answers of the window before: where there are few, they are judged together."""
        return replace(self, sample=[*before.sample, *self.sample])

    def latency_ms(self, share: float) -> float | None:
        """The quantile of the latencies, within 5 %."""
        wanted, seen = share * self.n, 0
        for place in sorted(self.latency):
            seen += self.latency[place]
            if seen >= wanted:
                return round(STEP**place, 3)
        return None

    def as_json(self) -> Json:
        return {
            "n": self.n,
            "latency": sorted(self.latency.items()),
            "confidence": list(self.confidence),
            "low": self.low,
            "mix": dict(self.mix),
            "profiled": self.profiled,
            "sample": self.sample,
        }

    @classmethod
    def from_json(cls, values: Json) -> "Part":
        sample = [
            Seen(int(place), str(profile), sure, str(value), *map(float, at))
            for place, profile, sure, value, *at in values["sample"]
        ]
        heapq.heapify(sample)
        return cls(
            int(values["n"]),
            Counter({int(place): int(count) for place, count in values["latency"]}),
            Sum(float(values["confidence"][0]), int(values["confidence"][1])),
            int(values["low"]),
            Counter(values["mix"]),
            int(values["profiled"]),
            sample,
        )


def _latency_bin(latency_ms: float) -> int:
    return math.ceil(math.log(max(latency_ms, 1e-3)) / math.log(STEP))


@dataclass
class Window:
    """What was answered between two times (seconds since 1970), by release."""

    since: float
    until: float
    parts: dict[str, Part] = field(default_factory=dict)
    requests: Requests = field(default_factory=lambda: Requests(0, 0, 0))
    """Known when the window ends."""

    @property
    def n(self) -> int:
        return sum(part.n for part in self.parts.values())

    @property
    def release(self) -> str:
        """The release that gave most answers; empty for none."""
        return max(self.parts, key=lambda release: self.parts[release].n, default="")

    @property
    def main(self) -> Part:
        return self.parts.get(self.release) or Part()

    def add(self, row: Mapping[str, Any], value: str, low_below: float) -> None:
        known = row["release"] in self.parts or len(self.parts) < MOST_RELEASES
        self.parts.setdefault(row["release"] if known else OTHER, Part()).add(row, value, low_below)

    def as_json(self) -> Json:
        parts = {release: part.as_json() for release, part in self.parts.items()}
        return {"since": self.since, "until": self.until, "parts": parts}

    @classmethod
    def from_json(cls, values: Json) -> "Window":
        parts = {release: Part.from_json(part) for release, part in values["parts"].items()}
        return cls(float(values["since"]), float(values["until"]), parts)


def seconds(window: str) -> float:
    """`15m`, `1h` or `1d` in seconds; `auto` is a day: what is asked by night differs from what is asked by day."""
    return DAY_S if window == "auto" else read_duration(window, "window", "'15m', '1h' or '1d'", least_s=1.0)


def begin(at: float, length_s: float) -> Window:
    """The window of this length that the time lies in; lengths are counted from 1970, UTC."""
    since = math.floor(at / length_s) * length_s
    return Window(since, since + length_s)
