"""What `release` published."""

from dataclasses import dataclass, field

from windlass.metrics.measures import Estimate


@dataclass(frozen=True)
class Release:
    """An immutable, hashed model with what proved it. insisted: what spoke against it, where the user insisted."""

    id: str
    product: str
    candidate: str
    headline: str
    score: Estimate
    created: str
    fingerprint: str
    files: dict[str, str]
    size_mb: float
    insisted: list[str] = field(default_factory=list)
