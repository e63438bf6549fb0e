"""What `train` did: runs, and where they began."""

from dataclasses import dataclass, field

from windlass.records.contract import Json


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
    """One candidate that was trained, or the reason why it was not.

    taught: its key but for the documents, '' = there are none. renewed: only its index was made anew, since documents
    have changed. compressed: of a copy that `compress` made, what it was made of and how (see `stages/compress.py`).
    """

    name: str
    learner: str
    status: str  # done, unavailable, failed, out of time
    seconds: float = 0.0
    reason: str = ""
    validation: float | None = None
    curve: list[Json] = field(default_factory=list)
    key: str = ""
    taught: str = ""
    renewed: bool = False
    compressed: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """What `train` gives: a run a candidate."""

    runs: list[Run]
    key: str = ""
