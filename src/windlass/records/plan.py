"""What `plan` proposes: items, risks, the roadmap."""

from dataclasses import dataclass, field

from windlass.metrics.measures import Estimate
from windlass.records.contract import Json


@dataclass(frozen=True)
class Item:
    """One thing to do: what, why, how much, how sure, by when.

    gain: in the goal's metric; money: a month, in the product's currency; null where it cannot be told; benefit: what
    it is good for then. chance: that the gain is above 0 (of a forecast: above half a point). sure: measured (in a
    trial), forecast (by a stated method), rough (by a rule of thumb), fact (nothing is estimated).
    cost: what is paid to others once; monthly: from then on, a month; hours: of the team; days: that pass in any case,
    beside the hours; rows: labelled rows that it asks for, which are labelled one item after another.
    how: what to type or to do first.
    after: items that come first. instead_of: of items that share this word, one at most is chosen.
    measure, bound: done as soon as that measure is at least the bound (at most, when `at_most`).
    starts, finishes: ISO dates, empty when it is left out; left_out: why then.
    """

    id: str
    what: str
    why: str
    evidence: str
    method: str
    gain: Estimate | None
    money: Estimate | None
    chance: float | None
    sure: str
    cost: float
    hours: float
    days: float
    acceptance: str
    measure: str
    bound: float
    at_most: bool = False
    rows: int = 0
    benefit: str = ""
    how: str = ""
    monthly: float = 0.0
    after: tuple[str, ...] = ()
    instead_of: str = ""
    starts: str = ""
    finishes: str = ""
    critical: bool = False
    left_out: str = ""


@dataclass(frozen=True)
class Risk:
    """What may go wrong. severity: high, medium, low; evidence: what was measured; answer: what is done about it."""

    name: str
    severity: str
    evidence: str
    answer: str


@dataclass(frozen=True)
class Roadmap:
    """What a plan says. made: ISO date; gaps: what stands between today and the goal, each name, today, goal, words.

    items: chosen ones in the order of their start, then those left out. milestones: date, words, measure, bound.
    curve, handover: what their pictures draw; service, money: figures; assumptions: name, value, source, meaning.
    missing: what was not measured, and the command that would. promises: what was promised against what came.
    changes: against the plan without what was asked for ("what if").
    """

    product: str
    made: str
    currency: str
    headline: str
    today: Estimate | None
    goal: float | None
    candidate: str
    summary: list[str]
    gaps: list[Json]
    items: list[Item]
    milestones: list[Json]
    risks: list[Risk]
    curve: Json
    handover: Json
    service: Json
    money: Json
    assumptions: list[Json]
    missing: list[Json]
    promises: Json
    what_if: str = ""
    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    key: str = ""

    @property
    def chosen(self) -> list[Item]:
        return [item for item in self.items if item.starts]
