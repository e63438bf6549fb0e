"""Numbers on four real tables: error beside scikit-learn's gradient boosting and AutoGluon, and what intervals cover.

All learn the same train and validation rows and answer the same test rows once. Windlass goes through its project and
its release, scikit-learn's boosting stops early by a tenth of its rows, with each of two losses, the better of which
on the test rows counts; AutoGluon has as many minutes, in an environment of its own. (As `numbers.py` this file would
hide a module of Python's own.)
Usage: python benchmarks/number_tables.py [--data FOLDER] [--minutes 4] [--autogluon PYTHON] [--only NAME ...]
"""

import argparse
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import yaml
from goals import Goal, record
from regression import matrices
from scipy.stats import binom
from sklearn.ensemble import HistGradientBoostingRegressor

from windlass.errors import GateRefused
from windlass.metrics.measures import Estimate, paired_difference
from windlass.metrics.numbers import NumberMarks
from windlass.project import Project, Release
from windlass.records import Splits
from windlass.sources.prepared import read_splits

HERE = Path(__file__).resolve().parent
ISSUE = "numbers"
LOSSES = ("squared_error", "absolute_error")
LEAST, MOST, SHARE = 0.88, 0.92, 0.9
LEAST_SLICE, N_PARTS = 400, 5
SURE = 0.05
"""Of all slices together, that chance alone puts one outside of its bound (Bonferroni)."""


@dataclass(frozen=True)
class Table:
    """Rows by split, the column that is answered, and what rows belong together by."""

    rows: dict[str, pl.DataFrame]
    output: str
    group: str = ""


def adult(data: Path) -> Table:
    return Table(_files(data / "tabular-adult"), "hours_per_week")


def bank(data: Path) -> Table:
    return Table(_files(data / "tabular-bank-marketing"), "balance")


def _files(folder: Path) -> dict[str, pl.DataFrame]:
    return {part: pl.read_csv(folder / f"{part}.csv") for part in ("train", "test")}


def oulad(data: Path) -> Table:
    """Scores of assessments with what is known of student and assessment; a fifth of the students are the test."""
    folder = data / "education-oulad"
    students = pl.concat([pl.read_csv(folder / f"{part}.csv") for part in ("train", "test")]).drop("final_result")
    rows = (
        pl.read_csv(folder / "student_assessment.csv")
        .drop_nulls("score")
        .join(pl.read_csv(folder / "assessments.csv").rename({"date": "due"}), on="id_assessment")
        .join(students, on=["code_module", "code_presentation", "id_student"])
        .with_columns(pl.format("a{}", "id_assessment").alias("id_assessment"))
    )
    known = rows["id_student"].unique().sort().to_numpy()
    tested = np.random.default_rng(13).permutation(known)[: len(known) // 5]
    is_test = pl.col("id_student").is_in(tested.tolist())
    return Table({"train": rows.filter(~is_test), "test": rows.filter(is_test)}, "score", "id_student")


def etth1(data: Path) -> Table:
    """Oil temperature from the six loads and the calendar: sixteen months, of which each side holds out rows as it
    does by default, then four. (The four months before those as given validation rows: docs/decisions.md, 117.)"""
    rows = pl.read_csv(data / "timeseries-etth1" / "ETTh1.csv", try_parse_dates=True)
    hours = 30 * 24  # a month, as in the papers
    rows = rows.with_columns(
        pl.col("date").dt.hour().alias("hour"),
        pl.col("date").dt.weekday().alias("weekday"),
        pl.col("date").dt.ordinal_day().alias("day_of_year"),
    ).drop("date")
    ends = {"train": (0, 16), "test": (16, 20)}
    return Table({part: rows[hours * start : hours * end] for part, (start, end) in ends.items()}, "OT")


CASES: dict[str, Callable[[Path], Table]] = {
    "adult hours": adult,
    "bank balance": bank,
    "OULAD scores": oulad,
    "ETTh1 as a table": etth1,
}


def product(table: Table, home: Path, minutes: float) -> tuple[Project, Release]:
    """Ours: trained within the minutes and released, although a gate may refuse."""
    for part, rows in table.rows.items():
        rows.write_csv(home / f"{part}.csv")
    train = table.rows["train"]
    kinds = {name: "category" if train[name].dtype == pl.String else "number" for name in train.columns}
    spec = {
        "name": "numbers",
        "data": {part: f"{part}.csv" for part in table.rows},
        "inputs": {name: kind for name, kind in kinds.items() if name not in (table.output, table.group)},
        "output": {table.output: "number"},
        "goal": "mae",
        "minutes": minutes,
        **({"group": table.group} if table.group else {}),
    }
    (home / "windlass.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
    project = Project(home)
    project.run()
    try:
        return project, project.release()
    except GateRefused:
        return project, project.release(anyway=True)


def boosting(splits: Splits, loss: str) -> np.ndarray:
    """scikit-learn's answers to the test rows (n,)."""
    learned, right, tested, few = matrices(splits)
    model = HistGradientBoostingRegressor(
        loss=loss,
        learning_rate=0.05,
        max_iter=1_000,
        early_stopping=True,
        n_iter_no_change=30,
        categorical_features=few,
        random_state=13,
    )
    return np.asarray(model.fit(learned, right).predict(tested))


def autogluon(splits: Splits, python: Path, minutes: float, home: Path) -> np.ndarray:
    """AutoGluon's answers to the test rows (n,), by its own interpreter."""
    pl.concat([splits.train, splits.validation]).select([*splits.inputs, splits.output_column]).write_csv(
        home / "l.csv"
    )
    splits.test.select(list(splits.inputs)).write_csv(home / "t.csv")
    program = HERE / "autogluon_peer.py"
    order = [python, program, home, splits.output_column, f"{minutes * 60:g}"]
    subprocess.run([str(each) for each in order], check=True, capture_output=True)
    return np.loadtxt(home / "answers.txt", ndmin=1)


def slices(rows: pl.DataFrame, inputs: dict[str, str]) -> list[tuple[str, np.ndarray]]:
    """The name and the places of each slice of enough rows: each name of a category, each fifth of a number."""
    found = []
    for column, kind in inputs.items():
        values = rows[column].to_numpy()
        if kind == "number":
            edges = np.unique(np.nanquantile(values, np.linspace(0, 1, N_PARTS + 1)[1:-1]))
            values = np.searchsorted(edges, values, side="left")
        words = np.array([str(value) for value in values])
        for word in np.unique(words):
            places = np.flatnonzero(words == word)
            if LEAST_SLICE <= len(places) < len(words):
                found.append((f"{column} {word}", places))
    return found


def outside(inside: np.ndarray, parts: list[tuple[str, np.ndarray]]) -> list[str]:
    """Slices of which chance would not put so many, or so few, inside their intervals."""
    found, each = [], SURE / max(len(parts), 1)
    for name, places in parts:
        n_rows, hits = len(places), int(inside[places].sum())
        low, high = binom.ppf([each / 2, 1 - each / 2], n_rows, SHARE)
        if not low <= hits <= high:
            found.append(f"{name} ({100 * hits / n_rows:.1f} % of {n_rows:,})")
    return found


def measured(name: str, table: Table, arguments: argparse.Namespace, home: Path) -> list[Goal]:
    """One table: ours released and asked, beside the peers."""
    project, release = product(table, home, arguments.minutes)
    splits = read_splits(project.spec, project.store)
    rows = splits.test.select(list(splits.inputs)).to_dicts()
    answers = release.predict(rows)
    truth = splits.test[table.output].to_numpy()
    ours = NumberMarks(truth, np.array([answer.value for answer in answers]))
    peers = {f"HistGradientBoosting ({loss})": NumberMarks(truth, boosting(splits, loss)) for loss in LOSSES}
    best = min(peers, key=lambda peer: peers[peer].value("mae"))
    theirs = {best: peers[best]}
    missing = "AutoGluon not asked for (--autogluon)"
    if arguments.autogluon:
        version = _version(arguments.autogluon)
        theirs[f"AutoGluon {version}"] = NumberMarks(
            truth, autogluon(splits, arguments.autogluon, arguments.minutes, home)
        )
        missing = f"AutoGluon {version}, its default preset, {arguments.minutes:g} minutes"
    gains = {peer: paired_difference("mae", ours, marks) for peer, marks in theirs.items()}
    ends = np.array([answer.interval[:2] if answer.interval else (-np.inf, np.inf) for answer in answers])
    inside = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    parts = slices(splits.test, dict(splits.inputs))
    out, covered = outside(inside, parts), float(inside.mean())
    told = f"{len(rows):,} test rows, {project.spec.minutes:g} minutes"
    return [
        Goal(
            ISSUE,
            f"number: {name}, error",
            "MAE <= HistGradientBoosting and AutoGluon, or inside the paired interval of both",
            f"MAE {ours.value('mae'):.4g} ({project.board.chosen}); " + "; ".join(
                f"{peer} {theirs[peer].value('mae'):.4g}, ours better by {_interval(gain)}"
                for peer, gain in gains.items()
            ),
            len(gains) > 1 and all(gain.high >= 0 for gain in gains.values()),
            f"{told}; {missing}",
        ),
        Goal(
            ISSUE,
            f"number: {name}, coverage",
            f"{100 * LEAST:g}-{100 * MOST:g} % of right numbers inside the 90 % intervals, each slice of >= "
            f"{LEAST_SLICE} rows inside the binomial bound (Bonferroni)",
            f"{100 * covered:.1f} %, mean width {float(np.diff(ends, axis=1).mean()):.4g}; {len(parts) - len(out)} of "
            f"{len(parts)} slices" + (f"; outside: {', '.join(out[:6])}" if out else ""),
            LEAST <= covered <= MOST and not out,
            f"{told}; slices: names of categories and fifths of numbers, of the inputs",
        ),
    ]  # fmt: skip


def _interval(gain: Estimate) -> str:
    return f"{gain.value:.3g} [{gain.low:.3g}, {gain.high:.3g}]"


def _version(python: Path) -> str:
    code = "from importlib.metadata import version; print(version('autogluon.tabular'))"
    return subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _case(word: str) -> str:
    """The table that a word begins, in whatever case; the word itself where none does."""
    return next((name for name in CASES if name.lower().startswith(word.lower())), word)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--autogluon", type=Path, help="a Python that has autogluon.tabular")
    parser.add_argument("--only", nargs="*", choices=CASES, type=_case, default=list(CASES), help="such as oulad")
    arguments = parser.parse_args()
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as home:
            record(*measured(name, CASES[name](arguments.data), arguments, Path(home)))


if __name__ == "__main__":
    main()
