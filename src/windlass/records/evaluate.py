"""What `evaluate` measured: candidates on a board."""

from dataclasses import asdict, dataclass, field

from windlass.metrics.measures import Estimate
from windlass.records.contract import Json, _finite


@dataclass(frozen=True)
class Candidate:
    """One row of the leaderboard: a run, measured on the test rows through the predictor that would serve it."""

    name: str
    learner: str
    metrics: dict[str, Estimate]
    validation: float | None
    calibration_error: float | None
    latency_p50_ms: float
    latency_p95_ms: float
    answers_per_second: float
    size_mb: float
    seconds: float
    meets_goal: bool
    misses: list[str]
    as_good_as_chosen: bool = False
    notes: list[str] = field(default_factory=list)  # what is not as one might expect, of how it was trained
    worthless: str = ""  # why a release would be worth nothing: it solves nothing, or is no better than the baseline
    threshold: Json = field(default_factory=dict)  # of two labels {one: the probability from which on it is the answer}
    compressed: Json = field(default_factory=dict)  # of a copy that `compress` made: of what, how, and what it changed


@dataclass(frozen=True)
class Board:
    """The leaderboard. `chosen` is the cheapest that meets goal and limits on validation rows; without a number in the
    goal, the cheapest within one standard error of the best."""

    product: str
    headline: str
    goal: str
    limits: Json
    chosen: str
    why: str
    candidates: list[Candidate]
    not_trained: list[Json]
    n_test: int
    machine: str
    key: str = ""
    units: dict[str, str] = field(default_factory=dict)  # metric -> its unit, of those that have one, such as EUR
    warnings: list[str] = field(default_factory=list)  # what makes the goal's metric say less than one might think
    details: Json = field(default_factory=dict)  # what the output tells of the chosen one's answers beside metrics

    def candidate(self, name: str) -> Candidate:
        return next(candidate for candidate in self.candidates if candidate.name == name)

    def as_json(self) -> Json:
        return _finite(asdict(self))
