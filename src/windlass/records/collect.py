"""What `collect` found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Collected:
    """What `collect` took in: counts, and where the rows came from. `rows_in = accepted + rejected`, always."""

    rows_in: int
    accepted: int
    rejected: int
    reasons: dict[str, int]
    sources: list[str]
    splits: dict[str, int]
    warnings: list[str]
    key: str = ""
