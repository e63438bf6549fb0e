"""Genres of films from title and what viewers called them: the chosen candidate beside a one-vs-rest linear model.

MovieLens (small), a row a film, a fifth of the films for test. The peer is scikit-learn's: TF-IDF of words and of
characters, a logistic regression a genre, its strength chosen on our validation rows, then fitted on train and
validation. Films with '(no genres listed)' have none.
Usage: python benchmarks/tags.py [--data FOLDER] [--minutes 10] [--learners NAMES] [--work FOLDER]
"""

import argparse
import csv
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
from goals import Goal, record
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline

from windlass.kinds import tags as kind
from windlass.metrics.measures import paired_difference
from windlass.metrics.tags import MAP, TagMarks
from windlass.outputs import table as outputs
from windlass.outputs.contract import Held
from windlass.outputs.tags.measures import tag_marks_of
from windlass.predictors import table as predictors
from windlass.project import Project
from windlass.records import Splits
from windlass.sources.guess import write_guess
from windlass.sources.prepared import read_splits
from windlass.store.files import rewrite_text

HERE = Path(__file__).resolve().parent
SEED, TEST_SHARE = 13, 0.2
COLUMNS = ("title", "said", "genres")
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)


def films(folder: Path) -> list[tuple[str, str, str]]:
    """Title, all that viewers called it, and the genres as the file writes them."""
    said: dict[str, list[str]] = defaultdict(list)
    with (folder / "tags.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            said[row["movieId"]].append(row["tag"])
    with (folder / "movies.csv").open(encoding="utf-8", newline="") as file:
        return [
            (row["title"], ", ".join(dict.fromkeys(said[row["movieId"]])), row["genres"])
            for row in csv.DictReader(file)
        ]


def write_files(found: list[tuple[str, str, str]], home: Path) -> None:
    """train.csv and test.csv, a film in one of the two."""
    order = np.random.default_rng(SEED).permutation(len(found))
    n_test = round(TEST_SHARE * len(found))
    for name, places in (("test", order[:n_test]), ("train", order[n_test:])):
        with (home / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *(found[place] for place in places)])


def peer(splits: Splits, labels: tuple[str, ...]) -> tuple[np.ndarray, float]:
    """Its probabilities for the test rows (n, k), and the strength that was best on the validation rows."""

    def texts(rows: pl.DataFrame) -> list[str]:
        return [f"{title} {said or ''}" for title, said in rows.select("title", "said").iter_rows()]

    def right(rows: pl.DataFrame) -> np.ndarray:
        return kind.encode([kind.read(value, None) for value in rows["genres"]], {"labels": labels})

    def fitted(rows: pl.DataFrame, strength: float) -> object:
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        signs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        model = OneVsRestClassifier(LogisticRegression(C=strength, solver="liblinear", dual=True, max_iter=1_000))
        return make_pipeline(FeatureUnion([("words", words), ("signs", signs)]), model).fit(texts(rows), right(rows))

    reached = {}
    for strength in STRENGTHS:
        given = fitted(splits.train, strength).predict_proba(texts(splits.validation))
        marks = TagMarks(right(splits.validation) > 0, given, np.full(len(labels), 0.5), labels)
        reached[strength] = marks.value(MAP)
    best = max(reached, key=lambda strength: reached[strength])
    model = fitted(pl.concat([splits.train, splits.validation]), best)
    return np.asarray(model.predict_proba(texts(splits.test))), best


def measured(data: Path, minutes: float, home: Path, learners: str = "") -> Goal:
    """The product as `windlass init` guesses it, run and measured beside the peer."""
    if not (home / "data").exists():
        (home / "data").mkdir(parents=True)
        write_files(films(data), home / "data")
        found, path = write_guess(home / "data", home, "genres")
        print("\n".join(found.reasons), flush=True)
        named = f"\nlearners: [{learners}]" if learners else ""
        said = path.read_text("utf-8").replace("minutes: 10", f"minutes: {minutes:g}{named}")
        rewrite_text(path, said.replace("goal: micro_f1\n", "goal: map\n"))
    project = Project(home)
    board = project.run()
    for each in board.candidates:
        print(
            each.name, {name: str(value) for name, value in each.metrics.items()}, f"{each.seconds:.0f} s", flush=True
        )
    print(board.not_trained, flush=True)
    splits = read_splits(project.spec, project.store)
    rows = splits.test.to_dicts()
    predictor = predictors.load(project.store.run_folder(board.chosen) / "artifact")
    ours = tag_marks_of(outputs.of(project.spec).marks(predictor, rows, Held(project.spec, splits.root)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        given, strength = peer(splits, ours.labels)
    theirs = TagMarks(ours.targets, given, np.full(len(ours.labels), 0.5), ours.labels)
    gain = paired_difference(MAP, ours, theirs)
    is_equal = gain.low <= 0 <= gain.high
    return Goal(
        "numbers",
        "tags: MovieLens mAP",
        "above a one-vs-rest linear model's outside the paired interval, or the board says equal",
        f"mAP {ours.value(MAP):.3f} ({board.chosen}) against {theirs.value(MAP):.3f}: better by {gain.value:+.3f} "
        f"[{gain.low:+.3f}, {gain.high:+.3f}]{', equal' if is_equal else ''}",
        gain.high >= 0,
        f"{len(rows):,} test films, {len(ours.labels)} genres, {minutes:g} minutes, "
        f"{learners or 'all learners'}; the peer with C = {strength:g}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared/data/recsys-movielens-small")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--learners", default="", help="only these, such as 'majority, linear, chain'")
    parser.add_argument("--work", type=Path, help="keeps the product there, so that a run that was stopped goes on")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        record(measured(arguments.data, arguments.minutes, arguments.work or Path(home), arguments.learners))


if __name__ == "__main__":
    main()
