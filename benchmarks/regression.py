"""Numbers on tables: the chosen candidate beside scikit-learn's gradient boosting, and what its intervals cover.

The peer learns the same train and validation rows, categories as such, with squared and with absolute errors; the
better of the two on the test rows counts, which favours it.
Usage: python benchmarks/regression.py [--data FOLDER] [--minutes 10]
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from goals import Goal, record
from sklearn.ensemble import HistGradientBoostingRegressor

from windlass.metrics.measures import paired_difference
from windlass.metrics.numbers import COVERAGE, NumberMarks
from windlass.outputs import table as outputs
from windlass.outputs.contract import Held
from windlass.predictors import table as predictors
from windlass.project import Project
from windlass.records import Splits
from windlass.sources.guess import write_guess
from windlass.sources.prepared import read_splits
from windlass.store.files import rewrite_text

HERE = Path(__file__).resolve().parent
LOSSES = ("squared_error", "absolute_error")
LEAST, MOST = 0.88, 0.92


@dataclass(frozen=True)
class Case:
    """A shared table, and the column that is answered."""

    name: str
    folder: str
    output: str


CASES = (Case("adult", "tabular-adult", "hours_per_week"), Case("bank", "tabular-bank-marketing", "balance"))


def matrices(splits: Splits) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[bool]]:
    """As scikit-learn reads them: rows to learn from, their numbers (n,), test rows, and which columns are names."""
    learned = pl.concat([splits.train, splits.validation])
    known = {name: sorted(learned[name].unique().to_list()) for name, kind in splits.inputs.items() if kind != "number"}

    def matrix(rows: pl.DataFrame) -> np.ndarray:
        columns = [
            np.array([known[name].index(value) if value in known[name] else np.nan for value in rows[name]])
            if name in known
            else rows[name].to_numpy()
            for name in splits.inputs
        ]
        return np.stack(columns, axis=1).astype(float)

    few = [name in known and len(known[name]) <= 255 for name in splits.inputs]
    return matrix(learned), learned[splits.output_column].to_numpy(), matrix(splits.test), few


def peer(splits: Splits, loss: str) -> np.ndarray:
    """Its answers to the test rows (n,)."""
    learned, right, tested, few = matrices(splits)
    model = HistGradientBoostingRegressor(loss=loss, categorical_features=few, random_state=13)
    return np.asarray(model.fit(learned, right).predict(tested))


def measured(case: Case, data: Path, minutes: float, home: Path) -> list[Goal]:
    """The product as `windlass init` guesses it, run and measured beside the peer."""
    _, path = write_guess(data / case.folder, home, case.output)
    rewrite_text(path, path.read_text("utf-8").replace("minutes: 10", f"minutes: {minutes:g}"))
    project = Project(home)
    board = project.run()
    splits = read_splits(project.spec, project.store)
    predictor = predictors.load(project.store.run_folder(board.chosen) / "artifact")
    rows = splits.test.to_dicts()
    ours = outputs.of(project.spec).marks(predictor, rows, Held(project.spec, splits.root))
    truth = splits.test[splits.output_column].to_numpy()
    theirs = {loss: NumberMarks(truth, peer(splits, loss)) for loss in LOSSES}
    loss = min(theirs, key=lambda name: theirs[name].value("mae"))
    gain = paired_difference("mae", ours, theirs[loss])
    covered = ours.value(COVERAGE)
    value, other = ours.value("mae"), theirs[loss].value("mae")
    return [
        Goal(
            "outputs",
            f"number: {case.output} of {case.name}, error",
            "MAE <= scikit-learn's HistGradientBoostingRegressor, or inside the paired interval",
            f"MAE {value:.4g} ({board.chosen}) against {other:.4g} ({loss}): better by {gain.value:.3g} "
            f"[{gain.low:.3g}, {gain.high:.3g}]",
            gain.high >= 0,
            f"{len(rows):,} test rows, {project.spec.minutes:g} minutes",
        ),
        Goal(
            "outputs",
            f"number: {case.output} of {case.name}, coverage",
            f"{100 * LEAST:g}-{100 * MOST:g} % of right numbers inside the 90 % intervals",
            f"{100 * covered:.1f} %",
            LEAST <= covered <= MOST,
            f"{len(rows):,} test rows; split conformal prediction on {len(splits.validation):,} validation rows",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--minutes", type=float, default=10.0)
    arguments = parser.parse_args()
    for case in CASES:
        with tempfile.TemporaryDirectory() as home:
            record(*measured(case, arguments.data, arguments.minutes, Path(home)))


if __name__ == "__main__":
    main()
