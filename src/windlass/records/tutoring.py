"""What is known of learners, and what each should try next: shares are 0 to 1, with the ends of 90 %."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """Words of a content file, in English and Chinese; '' where it has none."""

    en: str
    zh: str


@dataclass(frozen=True)
class SkillState:
    """share: of the skill's exercises that would be right now, low to high with 90 %; needs: skills to know before;
    is_open: these are known well enough. days: since the last try, -1 = none yet."""

    skill: str
    name: Wording
    share: float
    low: float
    high: float
    tries: int
    days: float
    needs: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True)
class Suggestion:
    """An exercise to try: how probably it would be right, and how many exercises more would be on the day that counts,
    as the model expects; no causal claim. answer, hint and example: of the content file."""

    exercise: str
    skill: str
    chance: float
    gain: float
    text: Wording
    answer: str
    hint: Wording
    example: Wording


@dataclass(frozen=True)
class LearnerState:
    """A learner now. tried: exercises; right: share of them; skills in the order of the course."""

    learner: str
    tried: int
    right: float
    skills: tuple[SkillState, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def share(self) -> float:
        """Of all exercises, skill by skill."""
        return sum(each.share for each in self.skills) / max(1, len(self.skills))


@dataclass(frozen=True)
class Replay:
    """What the log says of tries that would have been suggested, and of others: how many, how many were right, and of
    how many the next try of the skill was right, beside what was expected of it before. Observed, not caused."""

    is_suggested: bool
    tries: int
    right: float
    next_right: float
    next_expected: float


@dataclass(frozen=True)
class ClassState:
    """product: its name; learners by name; replay: of the log, suggested first; empty where nothing was replayed.
    links: where the page of each learner is; empty: nowhere."""

    product: str
    learners: tuple[LearnerState, ...]
    replay: tuple[Replay, ...] = ()
    links: tuple[str, ...] = ()
