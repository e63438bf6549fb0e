"""A row that somebody labelled: feedback on an answer, or a row from a file; it knows where it comes from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from windlass.records import Json, Row
from windlass.spec import Spec

if TYPE_CHECKING:
    import polars as pl

FEEDBACK, FILE = "feedback", "file"
REFUSED = "refused by a person"
LEARNED, JUDGING, ASIDE, WAITING = "learned", "judging", "set aside", "waiting"
KEYLESS = "without a key"
Pairs = Sequence[tuple[Row, Any]]
"""Rows with what is right."""


@dataclass(frozen=True)
class LabelledRow:
    """A row with what somebody said is right.

    values: the inputs as collected rows keep them. label: what is right. source: FEEDBACK or FILE. answer: id of the
    answer that it is about; of a row from a file that, its line and what it holds. caller: id of the API key, empty
    without one. at: seconds since 1970, UTC. said: what had been answered. fate: what becomes of it; empty: open.
    surprise: of the label, in nats, when it was believed. is_vouched: a person has looked at it and accepted it.
    """

    values: Json = field(default_factory=dict)
    label: Any = ""
    source: str = FEEDBACK
    answer: str = ""
    caller: str = ""
    at: float = 0.0
    release: str = ""
    said: Any = ""
    fate: str = ""
    reason: str = ""
    surprise: float = 0.0
    is_vouched: bool = False

    @property
    def who(self) -> str:
        """The caller as people read it; a file is vouched for by whoever names it, a row by whoever accepts it."""
        return FILE if self.source == FILE or self.is_vouched else self.caller or KEYLESS

    def becomes(self, fate: str, reason: str = "") -> "LabelledRow":
        return replace(self, fate=fate, reason=reason)

    def as_json(self) -> Json:
        return asdict(self)


def learned_frame(rows: Sequence[LabelledRow], like: "pl.DataFrame", spec: Spec) -> "pl.DataFrame":
    """The rows as train rows: the columns of the product, with the types that train has."""
    import polars as pl  # here, as a service that was shipped has none

    schema = {name: like.schema[name] for name in spec.columns}
    values = [{**row.values, spec.output_column: row.label} for row in rows]
    return pl.DataFrame([{name: value.get(name) for name in schema} for value in values], schema=schema)
