"""A release on trial as an experiment: how many answers it needs is told before, and each look may end it.

Answers that came to something are counted, also those of which nobody said a word. Each answer counts for itself: where
few people ask often, the interval is surer than it should be.
"""

from dataclasses import dataclass
from datetime import datetime

from windlass.database.backend import Database
from windlass.metrics.experiments import SequentialTest, answers_needed
from windlass.metrics.proportions import Proportion
from windlass.outputs import table as outputs
from windlass.pages.text.words import percent
from windlass.records import Json
from windlass.registry.canaries import CanaryTrial
from windlass.spec import Spec

HOPED, LEAST_HOPED = 0.1, 0.01
"""The gain that is looked for: this share of today's rate, and no less than a hundredth."""


@dataclass(frozen=True)
class Experiment:
    """new, old: what came of the answers of both since the trial began. rate: the champion's before it."""

    new: Proportion
    old: Proportion
    rate: float

    @property
    def gain(self) -> float:
        return min(max(LEAST_HOPED, HOPED * self.rate), (1 - self.rate) / 2)

    @property
    def needed(self) -> int:
        """Answers of each side, as computed before."""
        return answers_needed(self.rate, self.gain)

    @property
    def is_complete(self) -> bool:
        return min(self.new.n, self.old.n) >= self.needed

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `open`."""
        return SequentialTest(self.gain).verdict(self.new, self.old)

    @property
    def plan(self) -> str:
        """What was computed before."""
        return (
            f"{self.needed:,} lists of each are needed to tell {percent(self.rate + self.gain)} clicked ones from the "
            f"champion's {percent(self.rate)}"
        )

    @property
    def words(self) -> str:
        found = SequentialTest(self.gain).difference(self.new, self.old)
        counted = (
            f"clicked were {self.new.hits:,} of {self.new.n:,} lists, of the champion's {self.old.hits:,} of "
            f"{self.old.n:,}"
        )
        if abs(found.low) == float("inf"):
            return f"{counted}; {self.plan}"
        points = f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
        return f"{counted}: {points}, whenever one looks; {self.plan}"

    def as_json(self) -> Json:
        return {"new": list(self.new), "old": list(self.old), "rate": self.rate, "needed": self.needed}


def of(spec: Spec, place: Database, trial: CanaryTrial) -> Experiment | None:
    """None: answers are not clicked, and feedback decides. Raises: DataError: the log cannot be read."""
    count = outputs.of(spec).came_to
    if count is None:
        return None
    began = datetime.fromisoformat(trial.started).timestamp()
    before = count(place, trial.against, 0.0, began)
    rate = (before.hits + 1) / (before.n + 2)  # Laplace: a log that is new has a rate, too
    return Experiment(count(place, trial.release, began), count(place, trial.against, began), rate)
