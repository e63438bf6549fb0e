"""Are the plan's forecasts true? Learning curves fitted on a quarter of the rows against the score with all of them.

Usage: python benchmarks/planning.py curves [SET ...]
Scores are those of the validation rows that a curve is measured on; "last value" is the naive forecast that more rows
change nothing. The prior of the curve (windlass.planning.curves) was chosen on the sets marked "tuned on", not on the
six that count.
"""

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from windlass.planning import curves, probing
from windlass.records import Splits
from windlass.stages.evaluate import machine

DATA = Path("/work/shared/data")
RESULTS = Path(__file__).parent / "results"
SHARES = (0.05, 0.08, 0.12, 0.18, 0.25)
COUNTED = {
    "intent-banking77": ("linear", "macro_f1"),
    "topics-agnews": ("linear", "macro_f1"),
    "sentiment-en-mr": ("linear", "macro_f1"),
    "sentiment-zh-shopping": ("linear", "macro_f1"),
    "tabular-adult": ("trees", "roc_auc"),
    "tabular-bank-marketing": ("trees", "roc_auc"),
}
TUNED_ON = {
    "finance-phrasebank": ("linear", "macro_f1"),
    "spam-sms": ("linear", "macro_f1"),
    "sentiment-en-domains": ("linear", "macro_f1"),
    "support-multidogo": ("linear", "macro_f1"),
    "education-oulad": ("trees", "macro_f1"),
}
NO_INPUT = frozenset({"agreement", "conversation", "turn", "slots", "id_student", "domain"})
SEED, MOST_ROWS, MOST_VALIDATION = 13, 12_000, 2_500


def splits_of(name: str) -> Splits:
    """The rows of train.csv: at most 12,000 for training, up to 2,500 held out to score on."""
    rows = pl.read_csv(DATA / name / "train.csv", infer_schema_length=50_000)
    output = "label" if "label" in rows.columns else rows.columns[-1]
    rows = rows.filter(pl.col(output).is_not_null()).with_columns(pl.col(output).cast(pl.String))
    inputs = {
        column: "text" if column == "text" else "number" if kind.is_numeric() else "category"
        for column, kind in rows.schema.items()
        if column != output and column not in NO_INPUT
    }
    rows = rows.sample(fraction=1.0, shuffle=True, seed=SEED)
    common = rows[output].value_counts().filter(pl.col("count") >= 30)[output].to_list()
    rows = rows.filter(pl.col(output).is_in(common)).head(MOST_ROWS + MOST_VALIDATION)
    held = min(MOST_VALIDATION, len(rows) // 5)
    return Splits(inputs, {output: "category"}, rows[held:], rows[:held], rows[:0], DATA / name)


def curve_of(name: str, learner: str, metric: str) -> dict:
    """The scores at 5 to 25 % of the rows (three seeds each) and at all of them."""
    probe = probing.Probe(splits_of(name), learner, metric, SEED)
    started = time.process_time()
    measured = list(probing.learning_points(probe, SHARES, 1e9))
    whole = probing.fitted(probe, probe.splits.train)
    estimate = whole.marks.value(metric)
    return {
        "set": name,
        "learner": learner,
        "metric": metric,
        "points": measured,
        "rows": whole.rows,
        "truth": estimate,
        "validation_rows": len(probe.splits.validation),
        "seconds": round(time.process_time() - started, 1),
        "seconds_at_all": round(whole.seconds, 2),
    }


def judged(found: dict) -> dict:
    """The forecast at all rows beside what came, in points (hundredths)."""
    curve = curves.fit(probing.points(found["points"]), SEED)
    forecast = curve.score(found["rows"])
    last = float(np.mean(found["points"][-1]["scores"]))
    return {
        "set": found["set"],
        "learner": found["learner"],
        "metric": found["metric"],
        "fitted_rows": found["points"][-1]["rows"],
        "rows": found["rows"],
        "forecast": round(forecast.value, 4),
        "low": round(forecast.low, 4),
        "high": round(forecast.high, 4),
        "came": round(found["truth"], 4),
        "error_points": round(100 * (forecast.value - found["truth"]), 2),
        "naive_error_points": round(100 * (last - found["truth"]), 2),
        "inside": forecast.low <= found["truth"] <= forecast.high,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["curves"])
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/windlass-curves.json"), help="measured scores")
    options = parser.parse_args()
    known = json.loads(options.cache.read_text()) if options.cache.is_file() else {}
    for name, (learner, metric) in {**TUNED_ON, **COUNTED}.items():
        if (options.sets and name not in options.sets) or name in known:
            continue
        known[name] = curve_of(name, learner, metric)
        options.cache.write_text(json.dumps(known))
        print(name, known[name]["truth"], known[name]["seconds"], flush=True)
    for name, found in known.items():
        print(json.dumps(judged(found)), "tuned on" if name in TUNED_ON else "")
    print(datetime.now(UTC).date(), machine())


if __name__ == "__main__":
    main()
