"""What `windlass init` and `windlass run` reach on real data sets, with no setting but ten minutes.

Usage: python benchmarks/quality.py [--data FOLDER] [--minutes 10] [NAME ...]
Writes benchmarks/results/quality.json (one entry a data set, replaced when run again) and quality.md.
The data sets lie beside the project and do not belong to it; see their README for licences.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
GOALS = {
    "intent-banking77": ("accuracy", 0.930, "BERT fine-tuned 0.937 (Casanueva et al. 2020)"),
    "sentiment-en-mr": ("accuracy", 0.840, "CNN 0.815 (Kim 2014)"),
    "finance-phrasebank": ("accuracy", 0.830, "FinBERT 0.86 (Araci 2019), trained on financial text"),
    "topics-agnews": ("accuracy", 0.885, "n-grams 0.924 with 15 times the rows (Zhang et al. 2015)"),
    "spam-sms": ("macro_f1", 0.965, "linear SVM 0.976 accuracy (Almeida et al. 2011)"),
    "sentiment-zh-shopping": ("accuracy", 0.860, "-"),
    "image-mnist": ("accuracy", 0.980, "LeNet-5 0.9905 with 7.5 times the rows (LeCun et al. 1998)"),
    "tabular-adult": ("roc_auc", 0.925, "boosting 0.92-0.93"),
    "tabular-german-credit": ("roc_auc", 0.780, "0.78-0.80"),
    "tabular-bank-marketing": ("roc_auc", 0.930, "about 0.93 (Moro et al. 2014)"),
    "tabular-card-fraud": ("pr_auc", None, "0.80-0.87 on the whole set, not comparable"),
}
SOURCES = {"image-mnist": "mnist.npz"}


def windlass(*arguments: str) -> str:
    """Runs the command line as a user would; its standard output. Raises: CalledProcessError."""
    return subprocess.run(
        [sys.executable, "-m", "windlass.cli", *arguments], check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def measure(name: str, data: Path, minutes: float) -> dict:
    """One data set: guessed, walked, and read off its leaderboard."""
    with tempfile.TemporaryDirectory() as folder:
        windlass("init", str(data / name / SOURCES.get(name, "")), "--project", folder)
        spec = Path(folder, "windlass.yaml")
        spec.write_text(
            spec.read_text(encoding="utf-8").replace("minutes: 10", f"minutes: {minutes:g}"), encoding="utf-8"
        )
        started = time.monotonic()
        board = json.loads(windlass("evaluate", "--project", folder, "--json"))
        seconds = time.monotonic() - started
    metric, goal, published = GOALS[name]
    candidates = {item["name"]: item for item in board["candidates"]}
    return {
        "metric": metric,
        "goal": goal,
        "published": published,
        "chosen": board["chosen"],
        "score": candidates[board["chosen"]]["metrics"][metric],
        "wall_seconds": round(seconds),
        "latency_p50_ms": round(candidates[board["chosen"]]["latency_p50_ms"], 2),
        "size_mb": round(candidates[board["chosen"]]["size_mb"], 1),
        "candidates": {key: round(item["metrics"][metric]["value"], 4) for key, item in candidates.items()},
        "train_seconds": {key: round(item["seconds"]) for key, item in candidates.items()},
        "not_trained": board["not_trained"],
        "machine": board["machine"],
        "minutes": minutes,
        "date": datetime.now(UTC).date().isoformat(),
        "n_test": board["n_test"],
    }


def left_out(item: dict) -> str:
    return "; ".join(f"{run['name']}: {run['reason']}" for run in item["not_trained"])


def table(found: dict) -> str:
    """The results as Markdown."""
    lines = [
        "# Quality on real data",
        "",
        "`windlass init DATA` + `windlass run`, nothing else set; the score is that of the candidate that the",
        "leaderboard chose by its validation rows, on the given test file, with its 95 % bootstrap interval.",
        "",
        "| data set | metric | goal | reached | chosen | reached? | ms p50 | MB | wall s | published |",
        "|---|---|---:|---:|---|---|---:|---:|---:|---|",
    ]
    for name in [name for name in GOALS if name in found]:
        item = found[name]
        score, goal = item["score"], item["goal"]
        verdict = "reported" if goal is None else "yes" if score["value"] >= goal else "**no**"
        lines.append(
            f"| {name} | {item['metric']} | {'-' if goal is None else f'{goal:.3f}'} | {score['value']:.4f} "
            f"[{score['low']:.3f}, {score['high']:.3f}] | {item['chosen']} | {verdict} | {item['latency_p50_ms']} | "
            f"{item['size_mb']} | {item['wall_seconds']} | {item['published']} |"
        )
    lines += [
        "",
        "## Every candidate",
        "",
        "| data set | candidates (seconds of training) | not trained |",
        "|---|---|---|",
    ]
    for name in [name for name in GOALS if name in found]:
        item = found[name]
        each = ", ".join(
            f"{key} {value:.4f} ({item['train_seconds'][key]} s)" for key, value in item["candidates"].items()
        )
        lines.append(f"| {name} | {each} | {left_out(item)} |")
    runs = sorted({f"{item['date']}, {item['machine']}, minutes: {item['minutes']:g}" for item in found.values()})
    return "\n".join([*lines, "", *[f"Measured {run}." for run in runs], ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(GOALS))
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    path = RESULTS / "quality.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in options.names:
        found[name] = measure(name, options.data, options.minutes)
        print(name, found[name]["chosen"], found[name]["score"], found[name]["wall_seconds"], "s", flush=True)
        RESULTS.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (RESULTS / "quality.md").write_text(table(found), encoding="utf-8")


if __name__ == "__main__":
    main()
