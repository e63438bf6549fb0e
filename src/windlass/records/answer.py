"""One answer of a predictor."""

from dataclasses import dataclass
from typing import Any

from windlass.records.contract import Json

INTERVAL = ("low", "high", "share")
"""What the three numbers of an answer's interval are called in JSON."""


@dataclass(frozen=True)
class Answer:
    """One answer: the value, how sure (calibrated, 0-1; null: not known), what else it could be, what it rests on.

    is_cut: a text that met a limit before it ended; a client hears of it in OpenAI's forms alone.
    hand_over: a person's look is cheaper than this answer is expected to be.
    interval: of a number (low, high, share): between which two the right one lies, for this share (0-1) of all answers.
    """

    value: Any
    confidence: float | None
    alternatives: tuple[tuple[Any, float], ...] = ()
    evidence: tuple[str, ...] = ()
    is_cut: bool = False
    interval: tuple[float, float, float] | None = None
    hand_over: bool = False

    def as_json(self) -> Json:
        return {
            "value": self.value,
            "confidence": None if self.confidence is None else round(self.confidence, 6),
            "alternatives": [{"value": value, "confidence": round(share, 6)} for value, share in self.alternatives],
            **({"evidence": list(self.evidence)} if self.evidence else {}),
            **({"hand_over": True} if self.hand_over else {}),
            **({"interval": dict(zip(INTERVAL, self.interval, strict=True))} if self.interval else {}),
        }
