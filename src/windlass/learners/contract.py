"""What a learner is: a plain function that turns splits into an artifact, within a budget."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from windlass.errors import NotReady, pip_install
from windlass.records import Json, Progress, Splits, WarmStart
from windlass.spec import Language

MOST_KEPT = 0.7
"""Share of what is left that may be kept for what follows the training: a model that hardly trained is no candidate."""


class OutOfTime(NotReady):
    """The minutes do not reach for this candidate."""


class Budget:
    """Seconds that a candidate may use.

    steps: a network does exactly so many on one thread, whatever the pace of this machine: the same weights
    each time; None: as many as fit. clock: what tells the time, in seconds.
    """

    def __init__(self, seconds: float, steps: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.steps, self.clock = seconds, steps, clock
        self._started = clock()

    def spent(self) -> float:
        return self.clock() - self._started

    def left(self) -> float:
        return max(0.0, self.seconds - self.spent())

    def short_of(self, seconds: float) -> "Budget":
        """What is left but for so many seconds, from now on. Raises: OutOfTime: most of it would be gone."""
        left = self.left()
        if self.steps is None and seconds > MOST_KEPT * left:
            raise OutOfTime(
                f"too little of the minutes is left ({left:.0f} s, while what follows training takes {seconds:.0f} s): "
                "`minutes:` gives more"
            )
        return Budget(left - seconds, self.steps, self.clock)

    def part(self, share: float) -> "Budget":
        """A share of what is left, from now on."""
        return Budget(share * self.left(), self.steps, self.clock)


@dataclass(frozen=True)
class Options:
    """How to train. `folder` is the candidate's own: checkpoints go there, the artifact to `folder/artifact`."""

    folder: Path
    metric: str = "macro_f1"
    seed: int = 13
    variant: str = ""  # a preset of the learner, or for `pretrained` a hub name or path
    optimizer: str = "adamw"
    precision: str = "auto"
    runs: Mapping[str, Path] = field(default_factory=dict)  # folders of the candidates trained so far, for `blend`
    language: Language = field(default_factory=Language)  # for `llm`, and how long an answer may become
    monotone: Mapping[str, str] = field(default_factory=dict)  # input -> `increasing` or `decreasing`, for `trees`
    level: float | None = (
        None  # of numbers, which quantile is answered, where errors cost more on one side; for `trees`
    )
    start: WarmStart | None = None  # for learners that warm-start: where they begin, instead of by chance

    @property
    def artifact(self) -> Path:
        return self.folder / "artifact"


@dataclass(frozen=True)
class Fitted:
    """An artifact that was written, its headline metric on the validation rows, and its learning curve."""

    artifact: Path
    validation: float
    curve: list[Json] = field(default_factory=list)


EXTRAS = {"peft": "llm", "torch": "train", "implicit": "recommend"}
"""Module -> the extra that brings it; who needs several takes the first."""
Fit = Callable[[Splits, Options, Budget, Progress], Fitted]
Refresh = Callable[[Splits, Options, Budget, Progress], Fitted | None]
"""(rows, options, ...) -> the artifact in `options.artifact` as it is for changed documents, all else being the same;
None: so much of them has changed that it is to be learned anew."""
Refuse = Callable[[Splits, str], str]
"""(rows, variant) -> why it cannot learn from these rows, seen at once; empty when it can."""


def never(splits: Splits, variant: str) -> str:
    """Refuses no rows."""
    return ""


@dataclass(frozen=True)
class Learner:
    """One row of the table.

    inputs: the kinds that it can read; output: the kinds that it can give.
    suits: it is a candidate only when one of the inputs is of these kinds (none given: always).
    needs: modules that must be installed. cost: its share of the minutes, relative to the others; 0 = none.
    presets: variants that `learners:` in windlass.yaml can name. on_request: not a candidate unless asked for.
    refuse: asked before the minutes are shared, so that who cannot learn gets none of them.
    of_runs: it is made of the candidates before it, and so trained anew when they are others.
    warm_starts: it can begin with the weights of a release that it trained before (`Options.start`).
    leans: it heeds which quantile of a number is answered (`Options.level`).
    weighs: it heeds how much each row counts (`Splits.weight`).
    may_begin: it may begin with weights of others, whose licence holds for what is made of them, too.
    refresh: keeps what was trained where only documents have changed; None: it is trained anew.
    """

    name: str
    summary: str
    inputs: frozenset[str]
    output: frozenset[str]
    fit: Fit
    needs: tuple[str, ...] = ()
    cost: float = 0.0
    suits: frozenset[str] = frozenset()
    presets: tuple[str, ...] = ()
    on_request: bool = False
    refuse: Refuse = never
    of_runs: bool = False
    warm_starts: bool = False
    leans: bool = False
    weighs: bool = False
    may_begin: bool = False
    refresh: Refresh | None = None

    def missing(self) -> str:
        """What to install before this learner can run; empty when nothing is missing."""
        absent = [module for module in self.needs if find_spec(module) is None]
        return f"needs {', '.join(absent)}: {pip_install(self.extra or 'train')}" if absent else ""

    @property
    def extra(self) -> str:
        """The extra of Windlass that brings what it needs; '' = none."""
        return next((extra for module, extra in EXTRAS.items() if module in self.needs), "")

    def reads(self, inputs: dict[str, str], output: str) -> bool:
        """True when it can learn this mapping of kinds."""
        kinds = set(inputs.values())
        return kinds <= self.inputs and output in self.output and (not self.suits or bool(kinds & self.suits))
