"""What `collect` found."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Collected:
    """What `collect` took in: counts, and where the rows came from. `rows_in = accepted + rejected`, always.

    documents: how many were read, how many passages they have, and what became of the others; empty: there are none.
    """

    rows_in: int
    accepted: int
    rejected: int
    reasons: dict[str, int]
    sources: list[str]
    splits: dict[str, int]
    warnings: list[str]
    key: str = ""
    documents: dict[str, int] = field(default_factory=dict)
