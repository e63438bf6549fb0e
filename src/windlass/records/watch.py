"""What `watch` found: alarms, and how the service does."""

from dataclasses import dataclass, field

from windlass.metrics.measures import Estimate
from windlass.records.contract import Json


@dataclass(frozen=True)
class Alarm:
    """What a person, or `improve`, should look at.

    name: errors, latency, drift, concept, quality, data, traffic, refusals, documents. subject: a column, a label, or
    empty: all of it.
    since: seconds since 1970, UTC. words: what was seen, as a sentence. evidence: what was measured.
    """

    name: str
    subject: str
    since: float
    words: str
    evidence: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """What `watch` gives: how the service did between two times (seconds since 1970, UTC).

    estimated: its quality by what it thinks of its own answers; measured: by feedback; null where nothing is known.
    mix: answer -> its share. drift: of each column what was measured. windows: what pages draw, oldest first.
    documents: where answers cite: how many were refused, what that asks for, and which documents are stale.
    """

    product: str
    release: str
    since: float
    until: float
    answers: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    confidence: float | None
    handed_over: float | None
    estimated: Estimate | None
    measured: Estimate | None
    feedback: int
    mix: dict[str, float]
    drift: list[Json]
    alarms: list[Alarm]
    windows: list[Json] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    documents: Json = field(default_factory=dict)
