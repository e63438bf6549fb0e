"""Where learners stand and what they should try next, with the words of the content file; and the same of a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from windlass.errors import NotReady
from windlass.kinds.items import History
from windlass.predictors.contract import Predictor
from windlass.predictors.recommend.tracing.growth import Growth
from windlass.predictors.recommend.tracing.labeller import Replay as Told
from windlass.predictors.recommend.tracing.labeller import TracedLabeller
from windlass.predictors.recommend.tracing.next_exercise import Aim, Mastery, advise, mastery
from windlass.records import Catalogue
from windlass.records.tutoring import LearnerState, Replay, SkillState, Suggestion, Wording

N_SUGGESTED = 3
USUAL = Aim()


@dataclass(frozen=True)
class Tutor:
    """tracer: of the champion. exercises: by number; skills: by number; content: of the exercises. known: what each
    learner had tried when the release was made."""

    tracer: Growth
    exercises: tuple[str, ...]
    skills: tuple[str, ...]
    content: Catalogue | None = None
    aim: Aim = USUAL
    known: Mapping[str, History] = field(default_factory=dict)

    @classmethod
    def of(cls, predictor: Predictor, content: Catalogue | None = None) -> "Tutor":
        """content: None = as the release has it. Raises: NotReady: the champion does not tell what a try teaches."""
        tracer = predictor.tracer if isinstance(predictor, TracedLabeller) else None
        if not isinstance(tracer, Growth):
            raise NotReady(
                f"the champion is '{predictor.manifest.learner}', expected 'growth', which tells what a try teaches",
                "`learners: [growth]` in windlass.yaml, then `windlass run`",
            )
        assert isinstance(predictor, TracedLabeller)
        settings, own = predictor.manifest.settings, predictor.classroom
        exercises = tuple(settings["exercises"])
        skills, known = tuple(settings["skills"]), own.histories(exercises)
        return cls(tracer, exercises, skills, content or own.content, USUAL, known)

    def states(self, histories: Mapping[str, History], now: float | None) -> list[LearnerState]:
        """Of each learner by name. now: seconds since 1970; None: each at the moment of the last try."""
        places = {name: number for number, name in enumerate(self.exercises)}
        asked = [each if now is None else replace(each, now=now) for each in histories.values()]
        told = Told.of(asked, places, 0.0)
        mind = told.told(self.tracer)
        known = mastery(self.tracer, mind, told.now)
        advice = advise(self.tracer, mind, told.now, self.aim, told.exercises)
        found = []
        for row, (learner, history) in enumerate(histories.items()):
            skills = tuple(self._skill(told, row, number, known) for number in range(len(self.skills)))
            right = sum(weight > 0 for weight in history.weights) / max(1, len(history))
            best = [number for number in advice.order()[row].tolist() if advice.is_open[row, number]]
            chosen = self._apart(best or advice.order()[row].tolist())
            suggested = tuple(
                self._suggestion(number, float(advice.chance[row, number]), float(advice.gain[row, number]))
                for number in chosen
            )
            found.append(LearnerState(learner, len(history), right, skills, suggested))
        return found

    def _apart(self, order: Sequence[int]) -> list[int]:
        """The first few of different skills, so that there is a choice."""
        first: dict[int, int] = {}
        for number in order:
            first.setdefault(int(self.tracer.skill[number]), number)
        return list(first.values())[:N_SUGGESTED]

    def _skill(self, told: Told, row: int, number: int, known: Mastery) -> SkillState:
        share, low, high = known.share, known.low, known.high
        mine = (told.exercises[row] >= 0) & (self.tracer.skill[told.exercises[row]] == number)
        needs = self.tracer.needs[number]
        days = float(told.now[row] - told.days[row][mine].max()) if mine.any() else -1.0
        first = self.exercises[int(np.flatnonzero(self.tracer.skill == number)[0])]
        name = self._words(first, "skill_name")
        return SkillState(
            self.skills[number] or "all exercises",
            name if name.en or name.zh else Wording(self.skills[number], self.skills[number]),
            float(share[row, number]),
            float(low[row, number]),
            float(high[row, number]),
            int(mine.sum()),
            days,
            tuple(self.skills[each] for each in np.flatnonzero(needs).tolist()),
            bool((share[row, needs] >= self.aim.needed).all()),
        )

    def _suggestion(self, number: int, chance: float, gain: float) -> Suggestion:
        name = self.exercises[number]
        words = [self._words(name, each) for each in ("text", "hint", "example")]
        skill = self.skills[int(self.tracer.skill[number])]
        return Suggestion(name, skill, chance, gain, words[0], self.answer(name), words[1], words[2])

    def answer(self, exercise: str) -> str:
        """The right one, of the content file; '' = it tells none."""
        return self._cell(exercise, "answer")

    def _words(self, exercise: str, column: str) -> Wording:
        english, chinese = self._cell(exercise, column), self._cell(exercise, f"{column}_zh")
        return Wording(english or chinese, chinese or english)

    def _cell(self, exercise: str, column: str) -> str:
        if self.content is None or exercise not in self.content.places or column not in self.content.columns:
            return ""
        return self.content.columns[column][self.content.places[exercise]]


def replayed(tutor: Tutor, histories: Sequence[History]) -> tuple[Replay, Replay]:
    """The log walked through: tries that would have been open to suggestion at their moment, and the others. What
    follows each is compared with what was expected before; nobody drew these tries by chance: it is no effect."""
    tracer = tutor.tracer
    told = Told.of(histories, {name: number for number, name in enumerate(tutor.exercises)}, 0.0)
    mind = tracer.begin(len(histories))
    rows = np.arange(len(histories))
    n_skills = len(tutor.skills)
    waiting = np.full((len(histories), n_skills), -1)
    sums = np.zeros((2, 5))  # tries, right; followed, right then, expected then; of others, of suggested
    for place in range(told.exercises.shape[1]):
        exercise, days = told.exercises[:, place], told.days[:, place]
        there = exercise >= 0
        advice = advise(tracer, mind, days, tutor.aim, told.exercises[:, max(0, place - tutor.aim.rest) : place])
        skill = tracer.skill[exercise]
        open_now = advice.is_open[rows, exercise].astype(int)
        right = told.right[:, place].astype(float)
        before = waiting[rows, skill]
        for group in (0, 1):
            now, then = there & (open_now == group), there & (before == group)
            chance = advice.chance[rows, exercise]
            sums[group] += [now.sum(), right[now].sum(), then.sum(), right[then].sum(), chance[then].sum()]
        waiting[rows[there], skill[there]] = open_now[there]
        tracer.tell(mind, days, exercise, told.right[:, place])
    return _replay(True, sums[1]), _replay(False, sums[0])


def _replay(is_suggested: bool, sums: np.ndarray) -> Replay:
    tries, right, followed, right_then, expected = sums.tolist()
    n_then = max(1.0, followed)
    return Replay(is_suggested, int(tries), right / max(1.0, tries), right_then / n_then, expected / n_then)
