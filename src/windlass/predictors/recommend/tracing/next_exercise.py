"""The exercise that comes next: what is expected to teach most for a later day, within what is neither too easy nor too
hard, once what it needs is known; and what a learner has mastered, with an interval.

The expected gain counts what is left of it on that day (a repetition that comes when half is forgotten keeps longer, so
that spacing follows by itself), and what a skill opens: how much readier those above it become. An exercise that was
tried within the last minutes is not asked again at once. It is what the fitted law expects, and no causal claim: logs
that nobody drew by chance cannot tell what else would have happened.

Source: difficulty bands: Wilson et al. 2019, Nature Communications 10 (right some 85 % of the time); zone of proximal
development as success near two thirds: Clement et al. 2015, JEDM 7(2).
"""

from dataclasses import dataclass

import numpy as np

from windlass.predictors.recommend.tracing.attempts import sigmoid
from windlass.predictors.recommend.tracing.growth import READY_SLOPE, Z_90, Growth, Mind, averaged

MASTERED = 0.8
"""Share of a skill's exercises that somebody would do right who has mastered it."""


@dataclass(frozen=True)
class Aim:
    """lowest, highest: how probably right an exercise may be that is asked. needed: the share of a needed skill's
    exercises from which on it counts as known. ahead: how much what a skill opens counts beside what it is worth.
    days_ahead: on which day from now what was learned is to be there; rest: tries before an exercise comes again."""

    lowest: float = 0.3
    highest: float = 0.9
    needed: float = 0.25
    ahead: float = 2.0
    days_ahead: float = 14.0
    rest: int = 5


@dataclass(frozen=True)
class Advice:
    """Of L learners and E exercises: gain (L, E), expected marks; chance (L, E) of being right; is_open (L, E) False
    where the band, a need or the rest forbids it."""

    gain: np.ndarray
    chance: np.ndarray
    is_open: np.ndarray

    def best(self) -> np.ndarray:
        """(L,) the next exercise; where none is open the one of most gain."""
        value = np.where(self.is_open, self.gain, self.gain - 1e6)
        return value.argmax(axis=1)

    def order(self) -> np.ndarray:
        """(L, E) from the first to the last choice."""
        return np.argsort(-np.where(self.is_open, self.gain, self.gain - 1e6), axis=1, kind="stable")


@dataclass(frozen=True)
class Mastery:
    """(L, skills) the share of the skill's exercises that each would do right, with the ends of 90 %."""

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def advise(tracer: Growth, mind: Mind, days: np.ndarray, aim: Aim, recent: np.ndarray | None = None) -> Advice:
    """days: (L,) now; recent: (L, k) the latest exercises, which rest, -1 none."""
    law, skill = tracer.laws, tracer.skill
    known, width = tracer.knowledge(mind, days), tracer.variance(mind)
    chance = averaged(known[:, skill] - tracer.difficulty, width[:, skill])
    ready = law.ready + (1 - law.ready) * tracer.readiness(known)
    effect = chance + law.wrong * (1 - chance)
    added = effect * law.gain * 4 * chance * (1 - chance) * ready[:, skill]
    # 1. What is left of it on that day, the half-life being longer by then.
    kept = tracer.kept(mind, days)
    longer = mind.half_life * (1 + law.spaced * (1 - kept))
    learned_now = mind.learned * kept
    after = (learned_now[:, skill] + added) * 0.5 ** (aim.days_ahead / longer[:, skill])
    before = (learned_now * 0.5 ** (aim.days_ahead / mind.half_life))[:, skill]
    later = mind.mean[:, skill]
    # 2. In marks of its skill, and of the skills that it opens.
    gain = _marks(tracer, later + after, width) - _marks(tracer, later + before, width)
    room = 1 - sigmoid(known)
    opens = room @ tracer.needs.astype(float)
    opened = sigmoid(READY_SLOPE * (known[:, skill] + added)) - sigmoid(READY_SLOPE * known[:, skill])
    gain = gain + aim.ahead * law.gain * opened * opens[:, skill]
    share = mastery(tracer, mind, days).share
    missing = (share < aim.needed).astype(float) @ tracer.needs.T.astype(float) > 0
    is_open = (chance >= aim.lowest) & (chance <= aim.highest) & ~missing[:, skill]
    if recent is not None:
        for column in recent[:, -aim.rest :].T:
            is_open[np.flatnonzero(column >= 0), column[column >= 0]] = False
    return Advice(gain, chance, is_open)


def mastery(tracer: Growth, mind: Mind, days: np.ndarray) -> Mastery:
    known, width = tracer.knowledge(mind, days), tracer.variance(mind)
    spread = Z_90 * np.sqrt(width)
    ends = [_share(tracer, known, width), _share(tracer, known - spread), _share(tracer, known + spread)]
    return Mastery(*ends)


def _share(tracer: Growth, known: np.ndarray, width: np.ndarray | None = None) -> np.ndarray:
    """(L, skills) mean chance over the skill's exercises."""
    skill = tracer.skill
    there = np.zeros_like(known) if width is None else width
    chance = averaged(known[:, skill] - tracer.difficulty, there[:, skill])
    member = np.eye(len(tracer.level))[skill]
    return chance @ member / np.maximum(member.sum(axis=0), 1)


def _marks(tracer: Growth, known: np.ndarray, width: np.ndarray) -> np.ndarray:
    """(L, E) of knowledge (L, E) of each exercise's skill: how many of that skill's exercises would be right."""
    skill = tracer.skill
    total = np.zeros_like(known)
    for number in range(len(tracer.level)):
        mine = skill == number
        odds = averaged(known[:, mine, None] - tracer.difficulty[mine], width[:, number, None, None])
        total[:, mine] = odds.sum(axis=2)
    return total
