"""How `watch` does where a row is a day: numbers and forecasts of forty years of weather, with shifts put in.

Of NOAA's days at Offutt AFB (row number is the day, dates from 2000-01-01 on) the first ten years are learned from and
released; the others pass one a day through what `watch` looks with, once a day, what came true told a day later (of
forecasts after their horizon). Two products:
    numbers     the temperature, told from the day and seven other columns of it
    series      the temperature of the next seven days, foreseen from the last 1,100
An alarm where nothing was put in is false, unless the year after it differs: the station changed its instruments
several times (`is_real` says by how much); all alarms are counted beside. Shifts are put
in at several days, each from what `watch` remembered on that day; found is what is not raised without the shift.

Usage: python benchmarks/drift_numbers.py [--data FOLDER] [--dates 8] [--only numbers]
Writes benchmarks/results/drift_numbers.json and the rows of results/goals.json.
"""

import argparse
import copy
import csv
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from goals import Goal, record

from windlass.kinds.points.reading import Series
from windlass.kinds.points.time_step import TimeStep
from windlass.outputs import table as outputs
from windlass.project import Project
from windlass.records import Answer
from windlass.stages.evaluate import machine
from windlass.store.files import write_text
from windlass.watching import check
from windlass.watching.judgement import judge_feedback
from windlass.watching.state import Memory

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "drift_numbers.json"
COLUMNS = ("temperature", "dew_point", "pressure", "visibility", "wind", "gust", "warmest", "coldest")
TARGET = COLUMNS[0]
LEARNED, CONTEXT, HORIZON, WITHIN = 3_650, 1_100, 7, 60
DAY_S, YEAR = 86_400.0, 365.25
FIRST = date(2000, 1, 1)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
BATCH = 64
REAL, RIGHT, FEWER = 0.3, 0.9, 0.05
"""What a real change is: deviations of a column's yearly mean; less than so many answers right, by so much."""
SEED = 13
"""Of the days on which shifts begin: one in each of equal parts of the years."""
COMMON = "name: weather\ndata: rows.csv\ngoal: mae\nminutes: {minutes:g}\nwatch: {{false_alarms: 0.08}}\n"
SPECS = {
    "numbers": "inputs: {{day: date, "
    + ", ".join(f"{name}: number" for name in COLUMNS[1:])
    + "}}\noutput: {{temperature: number}}\nlearners: [linear, trees]\n",
    "series": "inputs: {{history: series}}\noutput: {{temperature: forecast}}\nseries: {{time: day, horizon: 7}}\n",
}
Shift = Callable[[np.ndarray], np.ndarray]
Raised = tuple[str, str, float]


def celsius(fahrenheit: np.ndarray) -> np.ndarray:
    return (fahrenheit - 32) / 1.8


@dataclass(frozen=True)
class Case:
    """A shift of one column. change: its numbers from that day on -> what is measured then."""

    product: str
    name: str
    column: str
    change: Shift
    is_goal: bool = True


def cases(values: np.ndarray) -> list[Case]:
    spread = dict(zip(COLUMNS, values[:LEARNED].std(axis=0), strict=True))

    def higher(product: str, column: str) -> Case:
        by = spread[column]
        return Case(product, f"{column} higher by a deviation ({by:.3g})", column, lambda days: days + by)

    warmer: Shift = lambda days: days + 5.4  # noqa: E731
    return [
        higher("numbers", "dew_point"),
        higher("numbers", "visibility"),
        higher("numbers", "wind"),
        Case("numbers", "warmest in °C", "warmest", celsius),
        Case("numbers", "what is right higher by 3 °C", TARGET, warmer),
        higher("series", TARGET),
        Case("series", "temperature in °C", TARGET, celsius),
        Case("series", "temperature stuck", TARGET, lambda days: np.full_like(days, days[:1].mean())),
        Case("series", "temperature higher by 3 °C", TARGET, warmer, False),
    ]


class Days:
    """What is asked on each day and what came true, by a release."""

    def __init__(self, project: Project, product: str) -> None:
        self.product, self.release = product, project.champion
        self.output = outputs.of(project.spec)

    def asked(self, values: np.ndarray, day: int) -> dict[str, Any]:
        if self.product == "numbers":
            return {"day": str(FIRST + timedelta(day)), **dict(zip(COLUMNS[1:], values[day, 1:].tolist(), strict=True))}
        first = max(0, day - CONTEXT)
        start = np.datetime64(FIRST + timedelta(first), "s")
        return {"history": Series({TARGET: values[first:day, 0].tolist()}, start, TimeStep(1, "d"))}

    def told(self, values: np.ndarray, day: int) -> tuple[int, Any]:
        """The day on which it is told what came true, and that."""
        if self.product == "numbers":
            return day + 1, float(values[day, 0])
        return day + HORIZON, values[day : day + HORIZON, 0].tolist()

    def answers(self, values: np.ndarray, first: int, end: int) -> Iterator[tuple[int, dict[str, Any], Answer]]:
        for start in range(first, end, BATCH):
            days = range(start, min(end, start + BATCH))
            rows = [self.asked(values, day) for day in days]
            found = self.release.predictor.answer(rows)
            yield from zip(days, rows, found, strict=True)


class Log:
    """The log of a service, in memory: what `watch` reads of it."""

    def __init__(self) -> None:
        self.answers: dict[int, dict[str, Any]] = {}
        self.feedback: dict[int, list[tuple[int, str]]] = {}

    def fill(self, days: Days, known: Any, values: np.ndarray, first: int, end: int) -> None:
        """The days from `first` to before `end`, as they were answered."""
        for day, row, answer in days.answers(values, first, end):
            self.answers[day] = {
                "id": f"day-{day}", "at": at_noon(day), "release": days.release.record.id,
                "value": days.output.kept_as(answer.value), "confidence": answer.confidence, "latency_ms": 1.0,
                "profile": known.profile(row, answer),
            }  # fmt: skip
            on, right = days.told(values, day)
            self.feedback.setdefault(on, []).append((day, days.output.kept_as(right)))

    def right(self, days: Days, known: Any) -> dict[int, bool]:
        """Of each day whether its answer was right, as feedback has it."""
        return {
            day: days.output.is_right(days.output.value_of(self.answers[day]["value"]),
                                      days.output.value_of(correct), known.answers)
            for found in self.feedback.values() for day, correct in found
        }  # fmt: skip

    def changed(self, log: "Log", first: int) -> "Log":
        """This log with another's days from `first` on."""
        made = Log()
        made.answers = {**self.answers, **log.answers}
        made.feedback = {
            on: [each for each in found if each[0] < first] + log.feedback.get(on, [])
            for on, found in self.feedback.items()
        }
        return made


def at_noon(day: int) -> float:
    return EPOCH + (day + 0.5) * DAY_S


class Look(check.Watcher):
    """A look as `watch` makes it, that reads a log in memory, of one day, and keeps what it remembers there too."""

    def at(self, day: int, log: Log, kept: Memory) -> set[Raised]:
        """What is raised at the end of a day."""
        self.now, self.day, self.log = EPOCH + (day + 1) * DAY_S, day, log
        self._read_feedback(kept)
        self._read_answers(kept)
        if release := check._newest(kept):
            judge_feedback(kept, release, self.reference(release), self.spec, self.now)
        return {(alarm.name, alarm.subject, alarm.since) for alarm in kept.alarms.raised()}

    def _rows(self, query: str, values: tuple[Any, ...]) -> Iterator[Mapping[str, Any]]:
        if query == check.ANSWERS:
            return iter([self.log.answers[self.day]])
        if query == check.FEEDBACK:
            return iter([self._feedback(*each) for each in self.log.feedback.get(self.day, ())])
        return iter(())

    def _feedback(self, day: int, correct: str) -> dict[str, Any]:
        given = self.log.answers.get(day, {})
        return {"number": day, "at": at_noon(self.day), "release": given.get("release", ""), "correct": correct,
                "value": given.get("value", correct)}  # fmt: skip


@dataclass
class Passed:
    """What was raised on each day, and what was remembered before some."""

    raised: dict[int, set[Raised]]
    kept: dict[int, Memory]


def passed(look: Look, log: Log, first: int, end: int, stops: list[int]) -> Passed:
    memory, found = Memory(), Passed({}, {})
    for day in range(first, end):
        if day in stops:
            found.kept[day] = copy.deepcopy(memory)
        found.raised[day] = look.at(day, log, memory)
    return found


def delay(look: Look, log: Log, found: Passed, start: int) -> tuple[int | None, str]:
    """Days until something is raised that is not raised without the shift; and what."""
    memory = copy.deepcopy(found.kept[start])
    for day in range(start, start + WITHIN):
        usual = {each[:2] for each in found.raised[day]}
        new = sorted({each[:2] for each in look.at(day, log, memory)} - usual)
        if new:
            return day - start + 1, ":".join(new[0])
    return None, ""


def is_real(event: tuple[int, str, str], values: np.ndarray, right: Mapping[int, bool]) -> bool:
    """In the year after the alarm the column lay elsewhere than in the years that were learned from by `REAL`
    deviations, or so many fewer answers were right than nine in ten: the station changed, nothing is to be put in."""
    day, _, column = event
    if column in COLUMNS and day + YEAR < len(values):
        now, before = values[day : day + 365, COLUMNS.index(column)], values[:LEARNED, COLUMNS.index(column)]
        return bool(abs(now.mean() - before.mean()) >= REAL * before.std())
    told = [is_right for on, is_right in right.items() if day <= on < day + YEAR]
    return len(told) > YEAR / 2 and float(np.mean(told)) < RIGHT - FEWER


def events(found: Passed) -> list[tuple[int, str, str]]:
    """Day, name and subject of each alarm as it is raised."""
    seen: set[Raised] = set()
    made = []
    for day, raised in found.raised.items():
        made += [(day, name, subject) for name, subject, since in sorted(raised - seen)]
        seen = raised
    return made


def measured(project: Project, product: str, values: np.ndarray, n_dates: int, years: float) -> dict[str, Any]:
    began = time.process_time()
    days, end = Days(project, product), len(values) - 2 * HORIZON
    if years:
        end = min(end, LEARNED + round(years * YEAR))
    look = Look(project.spec, project.store, None, 0.0)  # type: ignore[arg-type]
    known = look.reference(days.release.record.id)
    log = Log()
    log.fill(days, known, values, LEARNED, end)
    edges = np.linspace(LEARNED + YEAR, end - WITHIN, n_dates + 1)
    stops = np.random.default_rng(SEED).uniform(edges[:-1], edges[1:]).astype(int).tolist()
    usual = passed(look, log, LEARNED, end, stops)
    rows = []
    for case in [case for case in cases(values) if case.product == product]:
        found = [_case(case, look, days, known, values, (log, usual), start) for start in stops]
        rows.append({"shift": case.name, "is_goal": case.is_goal, "days": [each[0] for each in found],
                     "by": [each[1] for each in found]})  # fmt: skip
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    right = log.right(days, known)
    alarms = [{"day": event[0], "name": event[1], "subject": event[2], "is_real": is_real(event, values, right)}
              for event in events(usual)]  # fmt: skip
    years = (end - LEARNED) / YEAR
    false = sum(not alarm["is_real"] for alarm in alarms)
    return {"product": product, "candidate": days.release.record.candidate, "years": round(years, 1), "alarms": alarms,
            "alarms_a_year": round(len(alarms) / years, 2), "false_alarms_a_year": round(false / years, 2),
            "from_days": stops, "shifts": rows,
            "cpu_s": round(time.process_time() - began)}  # fmt: skip


def _case(
    case: Case, look: Look, days: Days, known: Any, values: np.ndarray, usual: tuple[Log, Passed], start: int
) -> tuple[int | None, str]:
    log, found = usual
    shifted, place = values.copy(), COLUMNS.index(case.column)
    shifted[start:, place] = case.change(shifted[start:, place])
    new = Log()
    first = start - HORIZON + 1 if days.product == "series" else start
    new.fill(days, known, shifted, first, start + WITHIN)
    return delay(look, log.changed(new, first), found, start)


def goal(row: dict[str, Any]) -> Goal:
    delays = [days for shift in row["shifts"] if shift["is_goal"] for days in shift["days"]]
    there = [days for days in delays if days is not None]
    said = "; ".join(f"{shift['shift']}: {', '.join(str(days or '-') for days in shift['days'])}"
                     for shift in row["shifts"])  # fmt: skip
    missed = len(delays) - len(there)
    value = f"{row['false_alarms_a_year']:g} false alarms a year; shift found after {median(there or [WITHIN]):g} days"
    value += f" (median), {max(there, default=0)} at most" + (f", {missed} of {len(delays)} not" if missed else "")
    return Goal(
        "numbers",
        f"drift-weather as {row['product']}",
        "false alarms <= 1 a year; an injected shift found within 60 days",
        value,
        row["false_alarms_a_year"] <= 1 and not missed,
        f"{row['years']:g} years after 10 that are learned from ({row['candidate']}), {row['alarms_a_year']:g} alarms "
        f"a year with those of real changes (a column's mean of the next year {REAL:g} deviations off, or "
        f"right answers {100 * FEWER:g} points fewer); days until found, on {len(row['from_days'])} dates: {said}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--dates", type=int, default=8)
    parser.add_argument("--years", type=float, default=0.0, help="that are watched; 0: all, about 40")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--only", choices=list(SPECS), nargs="+", default=list(SPECS))
    parser.add_argument("--homes", type=Path, help="where products that were released are kept, to be used again")
    parser.add_argument("--no-record", action="store_true")
    given = parser.parse_args()
    with (given.data / "drift-weather" / "data.csv").open(newline="", encoding="utf-8") as file:
        values = np.array([list(row.values())[: len(COLUMNS)] for row in csv.DictReader(file)], np.float64)
    with tempfile.TemporaryDirectory() as temporary:
        rows = [
            measured(released((given.homes or Path(temporary)) / name, name, values, given.minutes), name, values,
                     given.dates, given.years)
            for name in given.only
        ]  # fmt: skip
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))
    if not given.no_record:
        write(rows)
        record(*(goal(row) for row in rows))


def write(rows: list[dict[str, Any]]) -> None:
    """The results, beside those of a product that was not measured now."""
    run = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    write_text(RESULTS, json.dumps(known | {row["product"]: row | run for row in rows}, indent=1) + "\n")


def released(home: Path, product: str, values: np.ndarray, minutes: float) -> Project:
    """The product of the first ten years."""
    if not (home / "windlass.yaml").exists():
        home.mkdir(parents=True)
        names = COLUMNS if product == "numbers" else (TARGET,)
        with (home / "rows.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["day", *names])
            for day in range(LEARNED):
                table.writerow([FIRST + timedelta(day), *values[day, : len(names)].tolist()])
        write_text(home / "windlass.yaml", (COMMON + SPECS[product]).format(minutes=minutes))
    project = Project(home)
    project.release(anyway=True)
    return project


if __name__ == "__main__":
    main()
