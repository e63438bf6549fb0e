"""What passes between stages: plain records that turn into JSON and back."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from windlass.metrics.measures import Estimate

if TYPE_CHECKING:
    import polars as pl

Row = Mapping[str, Any]
Json = dict[str, Any]
Progress = Callable[[str, float, float, str], None]
"""Called as progress(task, done, total, note); total 0 means unknown."""


INTERVAL = ("low", "high", "share")
"""What the three numbers of an answer's interval are called in JSON."""


def silent(task: str, done: float, total: float, note: str = "") -> None:
    """A progress that shows nothing."""


@dataclass(frozen=True)
class Answer:
    """One answer: the value, how sure (calibrated, 0-1; null: not known), what else it could be, what it rests on.

    is_cut: a text that met a limit before it ended; a client hears of it in OpenAI's forms alone.
    interval: of a number (low, high, share): between which two the right one lies, for this share (0-1) of all answers.
    """

    value: Any
    confidence: float | None
    alternatives: tuple[tuple[Any, float], ...] = ()
    evidence: tuple[str, ...] = ()
    is_cut: bool = False
    interval: tuple[float, float, float] | None = None

    def as_json(self) -> Json:
        return {
            "value": self.value,
            "confidence": None if self.confidence is None else round(self.confidence, 6),
            "alternatives": [{"value": value, "confidence": round(share, 6)} for value, share in self.alternatives],
            **({"evidence": list(self.evidence)} if self.evidence else {}),
            **({"interval": dict(zip(INTERVAL, self.interval, strict=True))} if self.interval else {}),
        }


@dataclass(frozen=True)
class Column:
    """A column of the product: its name, its kind and, in an artifact, how the kind encodes it."""

    name: str
    kind: str
    state: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What an artifact is: who made it, who answers from it, and the columns that it reads and gives.

    temperature, shift: of labels; how scores become probabilities, see `metrics.best_calibration`.
    """

    predictor: str
    learner: str
    inputs: tuple[Column, ...]
    output: Column
    temperature: float = 1.0
    settings: Json = field(default_factory=dict)
    format: int = 1
    shift: tuple[float, ...] = ()

    def calibrated(self, logits: np.ndarray) -> np.ndarray:
        """Logits (n, k) as the engine gives them -> those whose softmax is calibrated, float64."""
        scaled = logits.astype(np.float64) / self.temperature
        return scaled + np.asarray(self.shift) if self.shift else scaled

    def as_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Json) -> "Manifest":
        return cls(
            **{
                **values,
                "inputs": tuple(Column(**column) for column in values["inputs"]),
                "output": Column(**values["output"]),
                "shift": tuple(values.get("shift", ())),
            }
        )


@dataclass(frozen=True)
class Part:
    """A part of a row, and what it is worth for the answer that is explained.

    weight: above 0 it speaks for the answer, below 0 against it; in the explanation's unit. words: the part itself, or
    why it counts. span: characters (start, end) of the column's text; box: left, top, right, bottom as shares of the
    picture; neither: the whole column, or what the column does not hold.
    """

    column: str
    words: str
    weight: float
    span: tuple[int, int] | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a row was answered so: what each part of it is worth.

    label: the answer that is explained; confidence: 0-1, null where it is not known. unit: of weights, base and total.
    base: where nothing of the row is known; total: of the row as it is. adds_up: base and weights sum to the total.
    texts: the texts that spans count in; pictures: column -> data: URI of what boxes lie on, for people, not in JSON.
    sides: words for what weights above and below 0 do, for people, too.
    """

    label: str
    confidence: float | None
    method: str
    unit: str
    base: float
    total: float
    adds_up: bool
    n_evaluations: int
    parts: tuple[Part, ...]
    texts: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    sides: tuple[str, str] = ("speaks for it", "speaks against it")

    def as_json(self) -> Json:
        """Parts in the order of the row; `share` is a part's of all weights, sign left out, 0-1."""
        whole = sum(abs(part.weight) for part in self.parts) or 1.0
        parts = [
            {
                "column": part.column,
                "words": part.words,
                "weight": round(part.weight, 6),
                "share": round(abs(part.weight) / whole, 4),
                **({"span": list(part.span)} if part.span else {}),
                **({"box": [round(side, 4) for side in part.box]} if part.box else {}),
            }
            for part in self.parts
        ]
        values = {name: value for name, value in asdict(self).items() if name not in ("pictures", "sides")}
        return {**values, "base": round(self.base, 6), "total": round(self.total, 6), "parts": parts}


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


@dataclass(frozen=True)
class Prepared:
    """The data card: what is in each split, what was taken out and why, and the fingerprint of it all.

    groups: of each split, where rows belong together and no group is in two splits; else empty.
    """

    fingerprint: str
    rows: dict[str, int]
    removed: dict[str, int]
    labels: dict[str, dict[str, int]]
    columns: list[Json]
    warnings: list[str]
    key: str = ""
    groups: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Splits:
    """The rows that learners see. `test` is for `evaluate` alone. written: column -> how raw values of it are written.

    weight: the column of train and validation that says how much each row counts; empty: all the same.
    """

    inputs: dict[str, str]
    output: dict[str, str]
    train: "pl.DataFrame"
    validation: "pl.DataFrame"
    test: "pl.DataFrame"
    root: Path
    fingerprint: str = ""
    written: Mapping[str, Json] = field(default_factory=dict)
    weight: str = ""

    @property
    def output_column(self) -> str:
        return next(iter(self.output))


@dataclass(frozen=True)
class Recent:
    """What came in use. learned, judging: rows with their labels that train has, and that no training ever sees.

    asked: rows as clients sent them last, whose labels nobody has told.
    """

    learned: Sequence[Row]
    judging: Sequence[Row]
    asked: Sequence[Row]


@dataclass(frozen=True)
class WarmStart:
    """The trained network of a release that a challenger begins with.

    learner, variant: what was trained. artifact: its folder in the release. weights: its safetensors file. n_new: so
    many train rows, the last ones, are new to it.
    """

    release: str
    learner: str
    variant: str
    artifact: str
    weights: str
    n_new: int


@dataclass(frozen=True)
class Run:
    """One candidate that was trained, or the reason why it was not."""

    name: str
    learner: str
    status: str  # done, unavailable, failed, out of time
    seconds: float = 0.0
    reason: str = ""
    validation: float | None = None
    curve: list[Json] = field(default_factory=list)
    key: str = ""


@dataclass(frozen=True)
class Trained:
    """What `train` gives: a run a candidate."""

    runs: list[Run]
    key: str = ""


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

    def candidate(self, name: str) -> Candidate:
        return next(candidate for candidate in self.candidates if candidate.name == name)

    def as_json(self) -> Json:
        return _finite(asdict(self))


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


@dataclass(frozen=True)
class Alarm:
    """What a person, or `improve`, should look at.

    name: errors, latency, drift, concept, quality, data, traffic. subject: a column, a label, or empty: all of it.
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


def as_json(record: Any) -> Json:
    """A record as plain JSON values: NaN becomes null, since JSON has no NaN."""
    return _finite(asdict(record))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
