"""Draws the sample data of the tutor blueprint: a course with skills that build on each other, and learners who try it.

Source: invented for this project, Apache-2.0. The law below is the truth; the policies at the end are what knowing it
is worth (`oracle`), and what a plain order is worth (`fixed_order`). Both were fixed before any learner was tried.
"""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from tutor_texts import NEEDS, SKILLS, exercise_rows

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/tutor/data"
START = datetime(2025, 9, 1, 16)
N_LEVELS = 8  # exercises of a skill, from easy to hard
N_LEARNERS, N_SESSIONS, N_A_SESSION = 100, 12, 10  # of the sample
DAYS_BETWEEN, DAYS_TO_EXAM = 2.0, 7.0
MINUTES_BETWEEN = 2.0
COURSE_SESSIONS = 18  # of the trial of policies
GUESS, SLIP = 0.04, 0.03
LEARNED_WRONG = 0.5  # of what a right answer teaches
BEST_ODDS, WIDTH = 0.6, 0.9  # logit at which one learns most, and how wide that is: right two times of three
RATE = 0.42  # logits a try at best
SPACED = 0.5  # how much a half-life grows where all was forgotten
LOOK_AHEAD = (
    5.0  # how much the oracle counts what a skill opens; the best of 0, .5, 1, 1.5, 2, 3, 5 with seeds 101 to 103
)


@dataclass(frozen=True)
class Course:
    """skill, difficulty: (exercises,), difficulty in logits; needs: (skills, skills) True where the row needs the
    column."""

    skill: np.ndarray
    difficulty: np.ndarray
    needs: np.ndarray


@dataclass(frozen=True)
class Learners:
    """Truth of n learners: speed, half-life in days (n,), and knowledge without teaching (n, skills) in logits."""

    speed: np.ndarray
    half_life: np.ndarray
    floor: np.ndarray


@dataclass
class Minds:
    """What n learners know now: (n, skills) logits, half-lives in days, and the day of the last try."""

    known: np.ndarray
    half_life: np.ndarray
    last: np.ndarray


@dataclass
class Log:
    """What a policy may see: (n, tries) so far. exercises int, right bool; days: (tries,) the same for all."""

    exercises: np.ndarray
    right: np.ndarray
    days: np.ndarray


@dataclass(frozen=True)
class Moment:
    """left: tries that are still to come, this one with them; day: now; exam: its day."""

    day: float
    left: int
    exam: float


Policy = Callable[[Log, Moment, np.random.Generator], np.ndarray]
"""(what was seen, when) -> (n,) the next exercise of each."""


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def course() -> Course:
    """Twelve skills of eight exercises. Each needs what its list names; levels are 0.4 logits apart, with some noise
    of the text that no level tells."""
    rng = np.random.default_rng(SEED)
    names = list(SKILLS)
    skill = np.repeat(np.arange(len(names)), N_LEVELS)
    levels = np.tile(0.4 * (np.arange(N_LEVELS) - (N_LEVELS - 1) / 2), len(names))
    needs = np.array([[other in NEEDS[name] for other in names] for name in names])
    return Course(skill, levels + rng.normal(0, 0.3, len(skill)), needs)


def learners(n: int, of: Course, rng: np.random.Generator) -> Learners:
    """Able learners know more at the start and of everything; late skills are known least."""
    ability = rng.normal(0, 0.7, n)[:, None]
    depth = depths(of.needs)
    floor = -0.9 - 0.35 * depth + ability + rng.normal(0, 0.6, (n, len(depth)))
    return Learners(rng.lognormal(0, 0.3, n), rng.lognormal(np.log(9), 0.3, n), floor)


def depths(needs: np.ndarray) -> np.ndarray:
    """(skills,) how many skills stand below each, on its longest way; skills are listed after what they need."""
    found = np.zeros(len(needs))
    for place, row in enumerate(needs):
        found[place] = 1 + found[row].max() if row.any() else 0
    return found


def begun(who: Learners) -> Minds:
    half_life = np.tile(who.half_life[:, None], (1, who.floor.shape[1]))
    return Minds(who.floor.copy(), half_life, np.zeros_like(who.floor))


def kept(minds: Minds, day: float | np.ndarray) -> np.ndarray:
    """(n, skills) the share that is not forgotten by then."""
    return 0.5 ** ((day - minds.last) / minds.half_life)


def knowledge(who: Learners, minds: Minds, day: float | np.ndarray) -> np.ndarray:
    """(n, skills) logits at that day: what was learned fades towards the floor."""
    return who.floor + (minds.known - who.floor) * kept(minds, day)


def chance(known: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
    return GUESS + (1 - GUESS - SLIP) * sigmoid(known - difficulty)


def readiness(of: Course, now: np.ndarray) -> np.ndarray:
    """(n, skills) 0 to 1: how much of a lesson gets through, by the weakest skill that it needs."""
    ready = np.ones_like(now)
    for place, row in enumerate(of.needs):
        if row.any():
            ready[:, place] = sigmoid(2.5 * now[:, row].min(axis=1))
    return ready


def taught(who: Learners, now: np.ndarray, ready: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
    """Logits that a right answer adds; all of one shape, or (n, 1) beside it."""
    zone = np.exp(-((now - difficulty - BEST_ODDS) ** 2) / (2 * WIDTH**2))
    return RATE * who.speed[:, None] * (0.1 + 0.9 * ready) * zone


def practise(of: Course, who: Learners, minds: Minds, chosen: np.ndarray, day: float, luck: np.ndarray) -> np.ndarray:
    """Each learner tries the chosen exercise; changes the minds. luck: (n,) uniform. Returns: (n,) who is right."""
    rows, skill = np.arange(len(chosen)), of.skill[chosen]
    now, share = knowledge(who, minds, day), kept(minds, day)
    difficulty = of.difficulty[chosen]
    right = luck < chance(now[rows, skill], difficulty)
    added = taught(who, now[rows, skill][:, None], readiness(of, now)[rows, skill][:, None], difficulty[:, None])[:, 0]
    minds.known[rows, skill] = now[rows, skill] + added * np.where(right, 1, LEARNED_WRONG)
    minds.half_life[rows, skill] *= 1 + SPACED * (1 - share[rows, skill]) + 0.02
    minds.last[rows, skill] = day
    return right


def exam(of: Course, who: Learners, minds: Minds, day: float) -> np.ndarray:
    """(n,) the share of all exercises that each would do right on that day; an expectation, without luck."""
    return chance(knowledge(who, minds, day)[:, of.skill], of.difficulty).mean(axis=1)


# policies -------------------------------------------------------------------------------------------------------------


def fixed_order(log: Log, moment: Moment, rng: np.random.Generator) -> np.ndarray:
    """The naive model: the course from its first exercise to its last, the same for all, and from the start again."""
    n, done = log.exercises.shape
    return np.full(n, done % (len(SKILLS) * N_LEVELS))


def by_chance(log: Log, moment: Moment, rng: np.random.Generator) -> np.ndarray:
    """The floor: any exercise."""
    return rng.integers(0, len(SKILLS) * N_LEVELS, len(log.exercises))


def oracle(of: Course, who: Learners, minds: Minds) -> Policy:
    """Knows the law and what each learner knows at every moment; not who will be right.

    Takes what adds most to the exam, counting what it opens: how much readier the skills above become, while there is
    time to learn them. Greedy, so that a better policy may exist: its gain is a lower bound of the best one.
    """
    children = of.needs.T.astype(float)

    def choose(log: Log, moment: Moment, rng: np.random.Generator) -> np.ndarray:
        now, share = knowledge(who, minds, moment.day), kept(minds, moment.day)
        ready = readiness(of, now)
        here = now[:, of.skill]
        odds = chance(here, of.difficulty)
        effect = odds + LEARNED_WRONG * (1 - odds)
        added = effect * taught(who, here, ready[:, of.skill], of.difficulty)
        longer = (minds.half_life * (1 + SPACED * (1 - share) + 0.02))[:, of.skill]
        lasting = 0.5 ** ((moment.exam - moment.day) / longer)
        floor = who.floor[:, of.skill]
        then = knowledge(who, minds, moment.exam)[:, of.skill]
        learned = floor + (here + added - floor) * lasting
        later = marks_of(of, learned) - marks_of(of, then)
        room = 1 - sigmoid(now)
        opened = (sigmoid(2.5 * (here + added)) - sigmoid(2.5 * here)) * (room @ children.T)[:, of.skill]
        value = later + LOOK_AHEAD * opened * RATE * min(1.0, moment.left / 60)
        return value.argmax(axis=1)

    return choose


def marks_of(of: Course, known: np.ndarray) -> np.ndarray:
    """(n, exercises) of knowledge of each exercise's skill: the exercises of a skill that would be right, by a logistic
    curve through their middle."""
    return N_LEVELS * sigmoid(0.8 * known)


# trials ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """before, after: (n,) exam of each learner without and with the course; log: what happened."""

    before: np.ndarray
    after: np.ndarray
    log: Log


Make = Callable[[Course, Learners, Minds], Policy]


def plain(policy: Policy) -> Make:
    """A policy that knows nothing of the truth."""
    return lambda of, who, minds: policy


def trial(make: Make, n: int, seed: int, sessions: int = COURSE_SESSIONS) -> Trial:
    """n learners go through the course, each asked what the policy chooses. The same seed gives the same learners and
    the same luck to every policy."""
    of, (nature, chances, choices) = course(), (np.random.default_rng([seed, each]) for each in range(3))
    who = learners(n, of, nature)
    minds = begun(who)
    days = times(sessions)
    last_day = days[-1] + DAYS_TO_EXAM
    before = exam(of, who, begun(who), last_day)
    policy = make(of, who, minds)
    log = Log(np.zeros((n, 0), int), np.zeros((n, 0), bool), np.zeros(0))
    for place, day in enumerate(days):
        chosen = np.asarray(policy(log, Moment(float(day), len(days) - place, last_day), choices))
        right = practise(of, who, minds, chosen, float(day), chances.random(n))
        log = Log(np.c_[log.exercises, chosen], np.c_[log.right, right], days[: place + 1])
    return Trial(before, exam(of, who, minds, last_day), log)


def times(sessions: int) -> np.ndarray:
    """(tries,) days since the start of each."""
    within = np.arange(N_A_SESSION) * MINUTES_BETWEEN / 60 / 24
    return (np.arange(sessions)[:, None] * DAYS_BETWEEN + within).ravel()


def scores(n: int = 400, seed: int = SEED) -> dict[str, float]:
    """The mean exam of each known policy, and what the naive one has of the oracle's gain over the floor."""
    found = {
        "oracle": trial(oracle, n, seed).after.mean(),
        "fixed_order": trial(plain(fixed_order), n, seed).after.mean(),
        "by_chance": trial(plain(by_chance), n, seed).after.mean(),
        "no_course": trial(plain(by_chance), n, seed).before.mean(),
    }
    share = (found["fixed_order"] - found["by_chance"]) / (found["oracle"] - found["by_chance"])
    return {name: float(value) for name, value in found.items()} | {"naive_share_of_gain": float(share)}


# the sample: what learners of a school did whose teacher mostly keeps the order of the book ---------------------------


def teacher(log: Log, moment: Moment, rng: np.random.Generator) -> np.ndarray:
    """Half of the tries the next in the order, which each learner walks at an own pace, half any exercise up to a
    little beyond it: logs without any chance in them tell no difficulty."""
    n, done = log.exercises.shape
    pace = 0.5 + np.arange(n) % 5 * 0.15
    place = np.minimum((done * pace).astype(int), len(SKILLS) * N_LEVELS - 1)
    free = (rng.random(n) * np.minimum(place + 2 * N_LEVELS, len(SKILLS) * N_LEVELS)).astype(int)
    return np.where(rng.random(n) < 0.5, place, free)


def sample(n: int = N_LEARNERS, seed: int = SEED, sessions: int = N_SESSIONS) -> Log:
    return trial(plain(teacher), n, seed, sessions).log


def attempt_rows(log: Log) -> list[list[str]]:
    """learner, time, exercise, right: one row a try, by learner and time. Learners begin on different days."""
    names = [row[0] for row in exercise_rows()[1:]]
    rows = [["learner", "time", "exercise", "right"]]
    for learner, (exercises, right) in enumerate(zip(log.exercises, log.right, strict=True)):
        begin = START + timedelta(days=learner % 20)
        for exercise, is_right, day in zip(exercises, right, log.days, strict=True):
            time = (begin + timedelta(days=float(day))).isoformat(timespec="minutes")
            rows.append([f"n{learner + 1:03d}", time, names[exercise], "yes" if is_right else "no"])
    return rows


def main(target: Path = TARGET) -> None:
    """Write the files and say what the truth behind them allows."""
    target.mkdir(parents=True, exist_ok=True)
    tables = {"attempts": attempt_rows(sample()), "exercises": exercise_rows()}
    for name, rows in tables.items():
        with (target / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        print(f"{target / name}.csv: {len(rows) - 1} rows")
    print(json.dumps(scores(), indent=1))


if __name__ == "__main__":
    main()
