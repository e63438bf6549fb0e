"""A tracer as a learner of the house: rows of histories become attempts, and what was learned an artifact.

A row is a history, the exercise that was tried then, and whether that was right. Attempts of one learner are put
together from the longest history and its row, so that each counts once.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.items import History, How
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.objectives import objective_of
from windlass.learners.recommend.tracing import bkt, counting, growth, irt
from windlass.learners.rows import Encoded, finish, targets
from windlass.predictors.artifact import N_GOLDEN
from windlass.predictors.recommend.tracing import artifact, labeller
from windlass.predictors.recommend.tracing.attempts import Attempts, Course, Tracer, sigmoid
from windlass.predictors.recommend.tracing.classroom import Classroom
from windlass.predictors.recommend.tracing.features import Trees
from windlass.records import Catalogue, Column, Progress, Splits

if TYPE_CHECKING:
    import polars as pl

SKILLS, NEEDS = ("skill", "topic", "技能", "知识点"), ("needs", "prerequisites", "先修")
"""Names of the columns of the table of exercises that say what each practises, and what that needs."""
CHUNK = 256
Made = Callable[["Lesson", Options, Budget, Progress], tuple[Tracer, str]]
"""(what there is to learn from, ...) -> the tracer, and of trees their text."""


@dataclass(frozen=True)
class Lesson:
    """exercises: their names by number; skills: names. right: the label that says so."""

    attempts: Attempts
    course: Course
    exercises: tuple[str, ...]
    skills: tuple[str, ...]
    right: str


@dataclass(frozen=True)
class Asked:
    """Rows of a split: what came before, what was tried, and the answer."""

    histories: list[History]
    exercises: list[str]
    answers: list[str]

    @classmethod
    def of(cls, splits: Splits, rows: "pl.DataFrame") -> "Asked":
        history, exercise = columns(splits)
        read = kinds.of(history).read
        return cls(
            [read(value, None) for value in rows[history.name].to_list()],
            [str(value) for value in rows[exercise.name].to_list()],
            [str(value) for value in rows[splits.output_column].to_list()],
        )


def columns(splits: Splits) -> tuple[Column, Column]:
    """The history, and what is asked."""
    made = [kinds.with_format(Column(name, kind), splits.written.get(name)) for name, kind in splits.inputs.items()]
    history = next(each for each in made if kinds.get(each.kind).has_events)
    return history, next(each for each in made if each is not history)


def refuse(splits: Splits, variant: str) -> str:
    """Why tracers cannot learn from these rows."""
    if len(splits.inputs) != 2 or sum(kinds.get(kind).has_events for kind in splits.inputs.values()) != 1:
        return "traces one history and one exercise, expected these two inputs"
    labels = sorted(set(splits.train[splits.output_column].to_list()))
    if len(labels) != 2:
        return f"tells right from wrong, expected two answers and not {len(labels)}"
    try:
        right_label(splits, labels)
    except DataError as error:
        return error.message
    return ""


def right_label(splits: Splits, labels: Sequence[str]) -> str:
    """The label that `items: counts` weighs. Raises: DataError: not exactly one."""
    counts = How(**(splits.written.get(columns(splits)[0].name) or {})).counts
    found = [label for label in labels if (counts or {}).get(label, 0) > 0]
    if len(found) != 1:
        raise DataError(
            "`items: counts` weighs " + (", ".join(found) or "no answer") + ", expected the one that is right to be 1 "
            "and the other 0"
        )
    return found[0]


def lesson(splits: Splits) -> Lesson:
    rows = Asked.of(splits, _latest(splits, splits.train))
    right = right_label(splits, sorted(set(splits.train[splits.output_column].to_list())))
    listed = splits.catalogue.ids if splits.catalogue is not None else ()
    tried = [*rows.exercises, *(item for each in rows.histories for item in each.items)]
    exercises = tuple(dict.fromkeys([*listed, *sorted(set(tried))]))
    skills, course = course_of(exercises, splits.catalogue)
    return Lesson(
        attempts_of(rows, right, {name: n for n, name in enumerate(exercises)}), course, exercises, skills, right
    )


def course_of(exercises: Sequence[str], catalogue: Catalogue | None) -> tuple[tuple[str, ...], Course]:
    """Skills by name and what is needed, as the table of exercises says; without one all is one skill."""
    of = {name: _cell(catalogue, name, SKILLS) for name in exercises}
    skills = tuple(dict.fromkeys(of.values()))
    place = {name: number for number, name in enumerate(skills)}
    needs = np.zeros((len(skills), len(skills)), bool)
    for name in exercises:
        for needed in _cell(catalogue, name, NEEDS).replace(",", " ").split():
            if needed in place and needed != of[name]:
                needs[place[of[name]], place[needed]] = True
    return skills, Course(np.array([place[of[name]] for name in exercises], int), needs)


def _cell(catalogue: Catalogue | None, item: str, names: Sequence[str]) -> str:
    if catalogue is None or item not in catalogue.places:
        return ""
    named = {name.strip().lower(): name for name in catalogue.columns}
    column = next((named[name] for name in names if name in named), "")
    return catalogue.columns[column][catalogue.places[item]] if column else ""


def _latest(splits: Splits, rows: "pl.DataFrame") -> "pl.DataFrame":
    """Of each learner the row that holds all others; rows of nobody are learners of their own. Only these are read
    whole: a row's history is read in milliseconds, and each learner has hundreds."""
    longest: dict[Any, tuple[tuple[float, int], int]] = {}
    for number, text in enumerate(rows[columns(splits)[0].name].to_list()):
        found = json.loads(text) if text else {}
        order = (float(found.get("now") or 0), len(found.get("items") or ()))
        key = found.get("user") or number
        if key not in longest or order > longest[key][0]:
            longest[key] = order, number
    return rows[[number for _, number in longest.values()]]


def classroom_of(splits: Splits, learned: Lesson) -> Classroom:
    """All that each learner with a name has tried, also in test rows: to look up, not to learn from."""
    found: dict[str, History] = {}
    for part in (splits.train, splits.validation, splits.test):
        asked = Asked.of(splits, _latest(splits, part))
        for past, exercise, answer in zip(asked.histories, asked.exercises, asked.answers, strict=True):
            if past.user and len(past) >= len(found.get(past.user, ())):
                found[past.user] = replace(
                    past,
                    items=(*past.items, exercise),
                    times=(*past.times, past.now),
                    weights=(*past.weights, float(answer == learned.right)),
                )
    return Classroom.of(splits.catalogue, list(found.values()), {name: n for n, name in enumerate(learned.exercises)})


def attempts_of(rows: Asked, right: str, places: dict[str, int]) -> Attempts:
    """Of each row its history and what followed it."""
    replay = labeller.Replay.of(rows.histories, places, 0.0)
    last = np.array([places[each] for each in rows.exercises], int)
    was_right = np.array([each == right for each in rows.answers], bool)
    exercises = np.concatenate([replay.exercises, last[:, None]], axis=1)
    is_right = np.concatenate([replay.right, was_right[:, None]], axis=1)
    days = np.concatenate([replay.days, replay.now[:, None]], axis=1)
    learners = np.tile(np.arange(len(last))[:, None], (1, exercises.shape[1]))
    there = exercises >= 0
    return Attempts(learners[there], exercises[there], is_right[there], days[there])


def _fit(name: str, made: Made, splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    learned = lesson(splits)
    tracer, model = made(learned, options, budget, progress)
    artifact.write(options.artifact, name, tracer, model)
    classroom_of(splits, learned).save(options.artifact)
    output = objective_of(splits).fit_output(splits)
    inputs = tuple(_with_state(each) for each in (columns(splits) if _history_first(splits) else columns(splits)[::-1]))
    served = artifact.load(options.artifact, name, learned.exercises)
    asked = Asked.of(splits, splits.validation)
    place = output.state["labels"].index(learned.right)
    scores = _scores(served, asked, learned, place)
    encoded = Encoded(inputs, output, [], targets(output, splits.train), [], targets(output, splits.validation))
    settings = {
        "tracer": name,
        "right": learned.right,
        "exercises": list(learned.exercises),
        "skills": list(learned.skills),
        "skill_of": learned.course.skill.tolist(),
    }
    manifest = {"predictor": "tracer", "learner": name, "settings": settings}
    return finish(options, manifest, encoded, splits, scores, scores[:N_GOLDEN])


def _history_first(splits: Splits) -> bool:
    return kinds.get(next(iter(splits.inputs.values()))).has_events


def _with_state(column: Column) -> Column:
    """A history has no state of its own; of what is asked names are told by the manifest."""
    return (
        column
        if kinds.get(column.kind).has_events
        else replace(column, state={"form": "index", "levels": [], "shares": [], **column.state})
    )


def _scores(tracer: Tracer, asked: Asked, learned: Lesson, place: int) -> np.ndarray:
    """(n, 2) logits, as the served labeller gives them."""
    numbers = {name: number for number, name in enumerate(learned.exercises)}
    parts = [np.zeros((0, 2))]
    for start in range(0, len(asked.answers), CHUNK):
        some = slice(start, start + CHUNK)
        replay = labeller.Replay.of(asked.histories[some], numbers, 0.0)
        tried = np.array([numbers.get(each, -1) for each in asked.exercises[some]], int)
        found = labeller.chances(tracer, replay, tried)
        if (tried < 0).any():
            found = np.where(tried < 0, labeller.mean_chances(tracer, replay, len(numbers)), found)
        parts.append(labeller.logits(found, place))
    return np.concatenate(parts)


def fit_share(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    def made(of: Lesson, *_: Any) -> tuple[Tracer, str]:
        return artifact.Shares(sigmoid(counting.of_exercises(of.attempts, of.course))), ""

    return _fit("exercise-share", made, splits, options, budget, progress)


def fit_irt(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    return _fit("irt", lambda of, *_: (irt.fit(of.attempts, of.course), ""), splits, options, budget, progress)


def fit_bkt(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    return _fit("bkt", lambda of, *_: (bkt.fit(of.attempts, of.course), ""), splits, options, budget, progress)


def fit_growth(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    def made(of: Lesson, *_: Any) -> tuple[Tracer, str]:
        return growth.fit(of.attempts, of.course, options.seed, budget), ""

    return _fit("growth", made, splits, options, budget, progress)


def fit_trees(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    def made(of: Lesson, *_: Any) -> tuple[Tracer, str]:
        from windlass.learners.recommend.tracing import trees

        booster = trees.boosted(of.attempts, of.course, options.seed)
        return Trees(trees.features_of(of.attempts, of.course), lambda rows: rows[:, 0]), booster.model_to_string()

    return _fit("tracing-trees", made, splits, options, budget, progress)


def fit_dkt(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    def made(of: Lesson, *rest: Any) -> tuple[Tracer, str]:
        from windlass.learners.recommend.tracing import networks

        return networks.fit_recurrent(of.attempts, of.course, *rest), ""

    return _fit("dkt", made, splits, options, budget, progress)


def fit_sakt(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    def made(of: Lesson, *rest: Any) -> tuple[Tracer, str]:
        from windlass.learners.recommend.tracing import networks

        return networks.fit_attention(of.attempts, of.course, *rest), ""

    return _fit("sakt", made, splits, options, budget, progress)
