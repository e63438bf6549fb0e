"""Does a network that goes on from its release learn late topics as well as one from scratch, and in what time?

Usage: python benchmarks/warm_start.py [--data FOLDER] [--seed 13] [--labels 30]
The first labels of banking77; a fifth of them come late, with some 20 rows each, beside 3 % of the others. A `cnn` is
trained without them, then on all rows: from its weights with replayed rows, and from scratch. Test rows are a fifth of
the train file. Processor seconds, since the machine may be busy; training time is not bounded. Writes
benchmarks/results/warm-start.json (one entry a seed, replaced when run again).
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import windlass
from windlass.learners.contract import Budget, Options
from windlass.learners.networks import cnn
from windlass.predictors.table import load_labeller
from windlass.records import Splits, WarmStart, silent
from windlass.registry import checkpoints as weights

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "warm-start.json"
LATE_ROWS, OTHER_SHARE, UNBOUNDED_S = 120, 0.03, 36_000.0


@dataclass(frozen=True)
class Rows:
    """old: what the release learns; new: what comes then. late: labels that are among the new rows alone."""

    old: pl.DataFrame
    new: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame
    late: list[str]


def cut(path: Path, n_labels: int, seed: int) -> Rows:
    rows = pl.read_csv(path)
    labels = sorted(rows["label"].unique())[:n_labels]
    late = labels[4::5]
    rows = rows.filter(pl.col("label").is_in(labels)).sample(fraction=1.0, shuffle=True, seed=seed)
    fifth, first = len(rows) // 5, len(rows) * 3 // 10
    test, validation, rest = rows[:fifth], rows[fifth:first], rows[first:]
    is_late = pl.col("label").is_in(late)
    known = rest.filter(~is_late)
    n_old = int((1 - OTHER_SHARE) * len(known))
    new = pl.concat([known[n_old:], rest.filter(is_late).head(LATE_ROWS)])
    return Rows(known[:n_old], new, validation.filter(~is_late), test, late)


def trained(rows: Rows, train: pl.DataFrame, options: Options) -> dict[str, Any]:
    """Processor seconds, and accuracy on the test rows of known and of late labels."""
    splits = Splits({"text": "text"}, {"label": "category"}, train, rows.validation, rows.test, options.folder)
    started = time.process_time()
    fitted = cnn.fit(splits, options, Budget(UNBOUNDED_S), silent)
    seconds = time.process_time() - started
    is_late = rows.test["label"].is_in(rows.late).to_numpy()
    predictor = load_labeller(fitted.artifact)
    said = np.array(predictor.labels, object)[predictor.probabilities(rows.test.select("text").to_dicts()).argmax(1)]
    right = said == rows.test["label"].to_numpy()
    return {
        "processor_seconds": round(seconds, 1),
        "epochs": len(fitted.curve),
        "known_labels": round(float(right[~is_late].mean()), 4),
        "late_labels": round(float(right[is_late].mean()), 4),
    }


def measured(rows: Rows, work: Path, seed: int) -> dict[str, Any]:
    found = {"release": trained(rows, rows.old, Options(work / "release", "accuracy", seed))}
    artifact, kept = work / "release" / "artifact", work / "release" / weights.FILE
    start = WarmStart("release", "cnn", "", str(artifact), str(kept), len(rows.new))
    both = pl.concat([rows.old, rows.new])
    for name, begins in (("warm", start), ("scratch", None)):
        found[name] = trained(rows, both, Options(work / name, "accuracy", seed, start=begins))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--labels", type=int, default=30)
    given = parser.parse_args()
    rows = cut(given.data / "intent-banking77" / "train.csv", given.labels, given.seed)
    with tempfile.TemporaryDirectory() as work:
        found = measured(rows, Path(work), given.seed)
    is_late = rows.test["label"].is_in(rows.late)
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "windlass": windlass.__version__,
        "labels": given.labels,
        "rows": {"old": len(rows.old), "new": len(rows.new), "test": len(rows.test), "test_late": int(is_late.sum())},
        **found,
    }
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    known[f"seed {given.seed}"] = entry
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
