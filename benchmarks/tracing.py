"""Following learners: who fails a course at the Open University (OULAD), tracing by its assessments, and the next
exercise on a course whose truth is known.

Usage: python benchmarks/tracing.py [--data FOLDER] [--parts oulad assessments course] [--minutes 2]
Writes the rows of results/goals.json and, a part a key, results/tracing.json.

oulad: rows of registrations as they stood at day 30 and 60: the cut-off is made before anything is joined, so that no
    assessment due or handed in later is seen. The day on which somebody withdrew is not in these files: who left before
    the cut-off is among the rows, and what was not handed in then partly is the label. A product of existing kinds
    (table -> category) learns them; test.csv is the test. By presentation: those of 2014J from all earlier ones.
assessments: one event is one assessment of a student, counted once: is its score 70 or more? Banked ones are left out.
    A fifth of the students are the test. A tracer is told what was handed in on earlier days, nothing of the same day.
course: tools/make_tutor.py with other seeds than the blueprint's; the policy has seen the blueprint's log, no truth.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from goals import Goal, record

from windlass.errors import GateRefused
from windlass.learners.contract import Budget, Options
from windlass.learners.recommend.tracing import bkt, counting, growth, irt, networks, trees
from windlass.metrics.measures import expected_calibration_error, roc_auc
from windlass.predictors.recommend.tracing.attempts import Attempts, Course, Tracer, trace
from windlass.predictors.recommend.tracing.growth import Growth
from windlass.predictors.recommend.tracing.next_exercise import Aim, advise
from windlass.project import Project
from windlass.sources.prepared import read_splits
from windlass.stages.evaluate import machine

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))
import make_tutor as law  # noqa: E402

ISSUE, TARGET = "recommend", HERE / "results" / "tracing.json"
KEY = ["code_module", "code_presentation", "id_student"]
ORDER = {"2013B": 0, "2013J": 1, "2014B": 2, "2014J": 3}
CUTS = {30: 0.835, 60: 0.89}
MOST_ECE, LEAST_SHARE = 0.03, 0.8
GOOD_SCORE = 70
N_LEARNERS, SEEDS = 100, (201, 202, 203, 204)
N_DRAWS = 1_000
Found = dict[str, Any]


# OULAD: who will not pass ---------------------------------------------------------------------------------------------


def registrations(data: Path) -> pl.DataFrame:
    rows = [pl.read_csv(data / f"{part}.csv").with_columns(pl.lit(part).alias("part")) for part in ("train", "test")]
    at_risk = pl.col("final_result").is_in(["Fail", "Withdrawn"])
    answer = pl.when(at_risk).then(pl.lit("yes")).otherwise(pl.lit("no")).alias("at_risk")
    return pl.concat(rows).with_columns(answer).drop("final_result")


def known_at(data: Path, day: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Assessments due, and what was handed in, by that day of their presentation: the cut-off, before any join."""
    due = pl.read_csv(data / "assessments.csv").filter(pl.col("date") <= day)
    handed_in = pl.read_csv(data / "student_assessment.csv").filter(pl.col("date_submitted") <= day)
    return due, handed_in


def table_at(data: Path, day: int) -> pl.DataFrame:
    """A row a registration, with what was known of it at that day."""
    due, handed_in = known_at(data, day)
    places = pl.read_csv(data / "assessments.csv").select(
        "id_assessment", *KEY[:2], "assessment_type", "weight", "date"
    )
    done = handed_in.join(places, on="id_assessment").sort("date_submitted", maintain_order=True)
    done = done.with_columns(
        (pl.col("score") - pl.col("score").mean().over("id_assessment")).alias("above"),
        (pl.col("date") - pl.col("date_submitted")).alias("early"),
    )
    own = pl.col("is_banked") == 0
    per_row = done.group_by(KEY).agg(
        own.sum().alias("handed_in"),
        (~own).sum().alias("banked"),
        pl.col("score").filter(own).mean().alias("score"),
        pl.col("score").filter(own).min().alias("lowest"),
        pl.col("score").filter(own).last().alias("latest"),
        pl.col("above").filter(own).mean(),
        pl.col("score").filter(own & (pl.col("assessment_type") == "TMA")).mean().alias("tutor_score"),
        pl.col("score").filter(own & (pl.col("assessment_type") == "CMA")).mean().alias("computer_score"),
        pl.col("early").filter(own).mean(),
        pl.col("early").filter(own).min().alias("latest_of_all"),
        (pl.col("early").filter(own) < 0).sum().alias("n_late"),
        pl.col("date_submitted").filter(own).max().alias("last_day"),
        (pl.col("weight") * (pl.col("date") <= day)).filter(own).sum().alias("weight_done"),
        (own & (pl.col("date") <= day)).sum().alias("done_of_due"),
        (own & (pl.col("date") > day)).sum().alias("done_ahead"),
    )
    asked = due.group_by(KEY[:2]).agg(
        pl.len().alias("due"), pl.col("weight").sum().alias("weight_due"), pl.col("date").max().alias("last_due")
    )
    rows = registrations(data).join(asked, on=KEY[:2], how="left").join(per_row, on=KEY, how="left")
    rows = rows.join(pl.read_csv(data / "courses.csv"), on=KEY[:2], how="left")
    rows = rows.with_columns(pl.col("due", "handed_in", "done_of_due", "weight_done", "banked").fill_null(0))
    rows = rows.with_columns(
        (pl.col("due") - pl.col("done_of_due")).alias("missing"),
        (day - pl.col("last_day")).alias("days_silent"),
        pl.concat_str([pl.col("code_module"), pl.col("code_presentation")], separator=" ").alias("presentation"),
        (pl.col("score") * pl.col("done_of_due") / pl.col("due").clip(1)).alias("score_of_due"),
    )
    return _beside(rows, _earlier(data)).join(_result_before(data), on=KEY, how="left")


def _earlier(data: Path) -> pl.DataFrame:
    """Of each student and presentation: what was handed in there, to be read by later ones alone."""
    places = pl.read_csv(data / "assessments.csv").select("id_assessment", *KEY[:2])
    done = (
        pl.read_csv(data / "student_assessment.csv").filter(pl.col("is_banked") == 0).join(places, on="id_assessment")
    )
    asked = places.group_by(KEY[:2]).agg(pl.len().alias("n_asked"))
    found = done.group_by(KEY).agg(pl.len().alias("n_done"), pl.col("score").mean().alias("its_score"))
    found = found.join(asked, on=KEY[:2])
    return found.with_columns((pl.col("n_done") / pl.col("n_asked")).alias("its_share"))


def _result_before(data: Path) -> pl.DataFrame:
    """How the student's latest presentation ended that began at least a year before, where train.csv tells it."""
    order = pl.col("code_presentation").replace_strict(ORDER)
    rows = pl.concat([pl.read_csv(data / f"{part}.csv").select(KEY) for part in ("train", "test")])
    ended = pl.read_csv(data / "train.csv").select("id_student", order.alias("then"), "final_result")
    both = (
        rows.with_columns(order.alias("now")).join(ended, on="id_student").filter(pl.col("then") + 2 <= pl.col("now"))
    )
    return both.sort("then").group_by(KEY).agg(pl.col("final_result").last().alias("result_before"))


def _beside(rows: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """With what the student did in presentations that began at least a year before, which were over by then; and
    with how the other courses of the same presentation stand at the same day."""
    order = pl.col("code_presentation").replace_strict(ORDER)
    now = rows.select(*KEY, order.alias("now"))
    then = earlier.with_columns(order.alias("then")).drop(KEY[:2])
    before = now.join(then, on="id_student").filter(pl.col("then") + 2 <= pl.col("now"))
    history = before.group_by(KEY).agg(
        pl.col("its_share").mean().alias("share_before"), pl.col("its_score").mean().alias("score_before")
    )
    same = rows.select("id_student", "code_presentation", "code_module", "handed_in", "score", "missing")
    pairs = same.join(same, on=["id_student", "code_presentation"], suffix="_other")
    pairs = pairs.filter(pl.col("code_module") != pl.col("code_module_other"))
    others = pairs.group_by(KEY).agg(
        pl.len().alias("other_courses"), pl.col("missing_other").sum(), pl.col("score_other").mean()
    )
    return rows.join(history, on=KEY, how="left").join(others, on=KEY, how="left")


def learned(table: pl.DataFrame, test: pl.Series, minutes: float) -> Found:
    """The product on these rows. test: which are asked. Returns: what it answered, beside the truth."""
    numbers = {name for name, kind in table.schema.items() if kind.is_numeric()} - {"id_student"}
    names = {name for name, kind in table.schema.items() if kind == pl.String} - {"at_risk", "part"}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        parts = {"train": table.filter(~test), "test": table.filter(test)}
        for part, rows in parts.items():
            rows.drop("part").write_csv(home / f"{part}.csv")
        spec = {
            "name": "at-risk",
            "data": {part: f"{part}.csv" for part in parts},
            "inputs": {**dict.fromkeys(sorted(names), "category"), **dict.fromkeys(sorted(numbers), "number")},
            "output": {"at_risk": "category"},
            "goal": "roc_auc",
            "learners": ["linear", "trees", "blend"],
            "minutes": minutes,
        }
        (home / "windlass.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
        project = Project(home)
        project.run()
        try:
            release = project.release()
        except GateRefused:
            release = project.release(anyway=True)
        splits = read_splits(project.spec, project.store)
        marks = release.predictor.marks(splits.test.to_dicts(), splits.test["at_risk"].to_list())
        kept = (len(splits.train) + len(splits.validation), len(splits.test))
        place = marks.labels.index("yes")
        return {"chosen": project.board.chosen, "rows": kept, "chances": marks.probabilities[:, place],
                "right": marks.targets == place}  # fmt: skip


def judged(chances: np.ndarray, right: np.ndarray, groups: np.ndarray | None = None) -> Found:
    """AUC with the interval of a bootstrap over rows, or over groups (n,) where rows of one hold together; ECE."""
    both, truth = np.stack([1 - chances, chances], 1), right.astype(int)
    value = roc_auc(truth, both)
    draws = [roc_auc(truth[rows], both[rows]) for rows in drawn(len(right), groups)]
    low, high = np.quantile(draws, [0.025, 0.975])
    ece = expected_calibration_error(truth, both)
    return {"auc": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4), "ece": round(ece, 4)}


def drawn(n_rows: int, groups: np.ndarray | None, n_draws: int = 200) -> list[np.ndarray]:
    rng = np.random.default_rng(13)
    if groups is None:
        return [rng.integers(0, n_rows, n_rows) for _ in range(n_draws)]
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    parts = np.split(order, starts[1:])
    return [np.concatenate([parts[each] for each in rng.integers(0, len(parts), len(parts))]) for _ in range(n_draws)]


def oulad(data: Path, minutes: float) -> tuple[Found, list[Goal]]:
    found: Found = {}
    rows: list[Goal] = []
    for day, goal in CUTS.items():
        table = table_at(data / "education-oulad", day)
        random = learned(table, table["part"] == "test", minutes)
        later = learned(table, table["code_presentation"] == "2014J", minutes)
        score, by_time = (judged(each["chances"], each["right"]) for each in (random, later))
        found[f"day {day}"] = {
            "test.csv": score | {"chosen": random["chosen"]}, "2014J": by_time | {"chosen": later["chosen"]}
        }  # fmt: skip
        rows.append(
            Goal(
                ISSUE,
                f"OULAD, fail or withdrawn at day {day}",
                f"AUC >= {goal}, ECE <= {MOST_ECE}",
                f"AUC {score['auc']:.3f} [{score['low']:.3f}, {score['high']:.3f}], ECE {score['ece']:.3f}; by time ("
                f"2014J from the earlier ones) AUC {by_time['auc']:.3f} [{by_time['low']:.3f}, {by_time['high']:.3f}], "
                f"ECE {by_time['ece']:.3f}",
                bool(score["auc"] >= goal and score["ece"] <= MOST_ECE),
                f"{random['rows'][1]:,} test rows of {sum(random['rows']):,}; {random['chosen']}, {minutes:g} minutes; "
                f"2014J has {later['rows'][1]:,}; "
                "the day of withdrawal is not in the data: who had left before is among the rows, so that what was not "
                "handed in partly is the label; assessments after the cut-off are taken out before any join; as in the "
                "figure by hand a student of test.csv may have another registration in train.csv",
            )
        )
    return found, rows


# OULAD: assessments as attempts ---------------------------------------------------------------------------------------


def assessment_attempts(data: Path) -> tuple[Attempts, Course]:
    """Each score as an attempt at its assessment; a skill is a module and a type. Days are since the first of all."""
    first = {"2013B": 0, "2013J": 243, "2014B": 365, "2014J": 608}
    places = pl.read_csv(data / "assessments.csv").sort("id_assessment").with_row_index("exercise")
    rows = (
        pl.read_csv(data / "student_assessment.csv")
        .filter(pl.col("is_banked") == 0)
        .drop_nulls("score")
        .unique(["id_student", "id_assessment"])
        .join(places, on="id_assessment")
        .with_columns(
            (pl.col("date_submitted") + pl.col("code_presentation").replace_strict(first)).alias("day"),
            pl.col("id_student").rank("dense").alias("learner"),
        )
        .sort("learner", "day", "exercise")
    )
    kinds = places.select(pl.concat_str("code_module", "assessment_type").rank("dense") - 1).to_series().to_numpy()
    kinds = kinds.astype(int)
    attempts = Attempts(
        rows["learner"].to_numpy().astype(int) - 1,
        rows["exercise"].to_numpy().astype(int),
        rows["score"].to_numpy() >= GOOD_SCORE,
        rows["day"].to_numpy().astype(float),
    )
    return attempts, Course(kinds, np.zeros((kinds.max() + 1,) * 2, bool))


class Share:
    """The floor: how often each assessment is done well, whoever asks."""

    def __init__(self, attempts: Attempts, course: Course) -> None:
        self.share = 1 / (1 + np.exp(-counting.of_exercises(attempts, course)))

    def begin(self, n_learners: int) -> None:
        return None

    def chances(self, state: None, days: np.ndarray, exercises: np.ndarray) -> np.ndarray:
        return self.share[exercises]

    def tell(self, state: None, days: np.ndarray, exercises: np.ndarray, right: np.ndarray) -> None:
        return None


def network(fit: Callable[..., Tracer], minutes: float) -> Callable[[Attempts, Course], Tracer]:
    def fitted(attempts: Attempts, course: Course) -> Tracer:
        with tempfile.TemporaryDirectory() as folder:
            return fit(attempts, course, Options(Path(folder)), Budget(60 * minutes), lambda *said: None)

    return fitted


def board(train: Attempts, test: Attempts, course: Course, minutes: float) -> Found:
    """Each tracer's AUC, log loss and ECE on learners that it has not seen, and its AUC beside the best one's."""
    fits: dict[str, Callable[[Attempts, Course], Tracer]] = {
        "share of each exercise": Share,
        "IRT": irt.fit,
        "BKT": bkt.fit,
        "trees on eleven features": trees.fit,
        "growth": growth.fit,
        "LSTM (DKT)": network(networks.fit_recurrent, minutes),
        "attention (SAKT)": network(networks.fit_attention, minutes),
    }
    chances, found = {}, {}
    for name, fit in fits.items():
        began = time.process_time()
        chances[name] = trace(fit(train, course), test)
        found[name] = judged(chances[name], test.right, test.learners) | {
            "log_loss": round(growth.lost(chances[name], test.right) / len(test), 4),
            "processor seconds": round(time.process_time() - began, 1),
        }
        print(name, found[name], flush=True)
    best = max(found, key=lambda name: found[name]["auc"])
    for name, one in found.items():
        gaps = [
            _auc(chances[best][rows], test.right[rows]) - _auc(chances[name][rows], test.right[rows])
            for rows in drawn(len(test), test.learners)
        ]
        one["below the best"] = [round(float(each), 4) for each in np.quantile(gaps, [0.025, 0.975])]
    return found


def _auc(chances: np.ndarray, right: np.ndarray) -> float:
    return roc_auc(right.astype(int), np.stack([1 - chances, chances], 1))


def assessments(data: Path, minutes: float) -> tuple[Found, list[Goal]]:
    attempts, course = assessment_attempts(data / "education-oulad")
    is_test = np.random.default_rng(13).permutation(attempts.n_learners) < attempts.n_learners // 5
    train, test = attempts.of(~is_test), attempts.of(is_test)
    found = board(train, test, course, minutes)
    order = sorted(found, key=lambda name: -found[name]["auc"])
    told = "; ".join(
        f"{name} {found[name]['auc']:.3f} [{found[name]['low']:.3f}, {found[name]['high']:.3f}]" for name in order
    )
    note = (
        f"{len(train):,} attempts of {train.n_learners:,} students, {len(test):,} of {test.n_learners:,} asked; "
        f"{test.right.mean():.1%} right (score >= {GOOD_SCORE}); one assessment is one event, nothing of the same "
        "day or later is told; intervals: students drawn again; below the best, paired: "
        + "; ".join(f"{name} {found[name]['below the best']}" for name in order[1:])
    )
    goal = "attention, LSTM, trees and IRT compared honestly, with intervals"
    return found, [Goal(ISSUE, "OULAD assessments as knowledge tracing", goal, f"AUC: {told}", True, note)]


# the generated course -------------------------------------------------------------------------------------------------


def flat(log: law.Log) -> Attempts:
    n, length = log.exercises.shape
    learners = np.repeat(np.arange(n), length)
    return Attempts(learners, log.exercises.ravel(), log.right.ravel(), np.tile(log.days, n))


def adaptive(tracer: Growth, aim: Aim) -> law.Policy:
    """What the product asks next, told answers alone."""
    minds: list[Any] = []

    def choose(log: law.Log, moment: law.Moment, rng: np.random.Generator) -> np.ndarray:
        n, done = log.exercises.shape
        if not done:
            minds[:] = [tracer.begin(n)]
        else:
            tracer.tell(minds[0], np.full(n, log.days[-1]), log.exercises[:, -1], log.right[:, -1])
        wanted = replace(aim, days_ahead=moment.exam - moment.day)
        return advise(tracer, minds[0], np.full(n, moment.day), wanted, log.exercises).best()

    return choose


def course(data: Path, minutes: float) -> tuple[Found, list[Goal]]:
    of = law.course()
    known = Course(of.skill, of.needs)
    log = flat(law.sample())
    began = time.process_time()
    tracer = growth.fit(log, known)
    seconds = time.process_time() - began
    plain = {"by chance": law.by_chance, "fixed order": law.fixed_order, "next exercise": adaptive(tracer, Aim())}
    exams: dict[str, list[np.ndarray]] = {name: [] for name in (*plain, "oracle")}
    for seed in SEEDS:
        for name, policy in plain.items():
            exams[name].append(law.trial(law.plain(policy), N_LEARNERS, seed).after)
        exams["oracle"].append(law.trial(law.oracle, N_LEARNERS, seed).after)
        print(seed, {name: round(float(each[-1].mean()), 4) for name, each in exams.items()}, flush=True)
    after = {name: np.concatenate(each) for name, each in exams.items()}
    chosen = np.random.default_rng(13).integers(0, len(after["oracle"]), (N_DRAWS, len(after["oracle"])))
    draws = {name: each[chosen].mean(axis=1) for name, each in after.items()}
    share = _share_of(*(after[name].mean() for name in ("next exercise", "by chance", "oracle")))
    ends = np.quantile(_share_of(draws["next exercise"], draws["by chance"], draws["oracle"]), [0.025, 0.975])
    above = np.quantile(draws["next exercise"] - draws["fixed order"], [0.025, 0.975])
    tested = board(log, flat(law.sample(100, seed=301)), known, minutes)
    fitted = {name: round(value, 3) for name, value in vars(tracer.laws).items()}
    found = {
        "exam": {name: round(float(each.mean()), 4) for name, each in after.items()},
        "share": [round(float(each), 4) for each in (share, *ends)],
        "above fixed order": [round(float(each), 4) for each in above],
        "law": fitted,
        "board": tested,
    }
    order = sorted(tested, key=lambda name: -tested[name]["auc"])
    told = "; ".join(f"{name} {tested[name]['auc']:.3f}" for name in order)
    return found, [
        Goal(
            ISSUE,
            "generated course: next exercise",
            f">= {LEAST_SHARE:.0%} of the oracle's gain over any exercise; above fixed order outside the interval",
            f"{share:.1%} [{ends[0]:.1%}, {ends[1]:.1%}]; above fixed order by {100 * above[0]:.1f} to "
            f"{100 * above[1]:.1f} points of the exam",
            bool(share >= LEAST_SHARE and above[0] > 0),
            f"{len(after['oracle'])} learners of {len(SEEDS)} seeds, {len(law.times(law.COURSE_SESSIONS))} tries each; "
            f"exam {', '.join(f'{name} {each.mean():.3f}' for name, each in after.items())}; learned from "
            f"{len(log):,} logged attempts in {seconds:.0f} s of the processor; the tracer's form (ability, practice, "
            "needs, half-lives) is like the generator's, its numbers are fitted: a real course need not be so kind",
        ),
        Goal(
            ISSUE,
            "generated course: knowledge tracing",
            "the board compares honestly, with intervals",
            f"AUC: {told}",
            True,
            "12,000 attempts of 100 learners learned, as many asked; "
            + "; ".join(f"{name} below the best by {tested[name]['below the best']}" for name in order[1:]),
        ),
    ]  # fmt: skip


def _share_of(policy: Any, floor: Any, best: Any) -> Any:
    return (policy - floor) / (best - floor)


PARTS = {"oulad": oulad, "assessments": assessments, "course": course}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--minutes", type=float, default=2)
    arguments = parser.parse_args()
    for part in arguments.parts:
        found, goals = PARTS[part](arguments.data, arguments.minutes)
        kept = json.loads(TARGET.read_text("utf-8")) if TARGET.exists() else {}
        when = {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
        kept[part] = found | when
        TARGET.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        record(*goals)


if __name__ == "__main__":
    main()
