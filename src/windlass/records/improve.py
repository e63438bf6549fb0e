"""What `improve` did with what was taught."""

from dataclasses import dataclass, field

from windlass.records.contract import Json


@dataclass(frozen=True)
class Improvement:
    """What `improve` gives: one attempt at a better champion, and why it was promoted or not.

    verdict: promoted, canary, refused, waiting (too little to learn from), or rolled back. rows: what became of the
    feedback: learned, set aside (by reason), waiting. evidence: every test that was made, with its numbers.
    """

    id: str
    at: str
    trigger: str
    champion: str
    challenger: str
    verdict: str
    why: str
    rows: Json = field(default_factory=dict)
    evidence: Json = field(default_factory=dict)
