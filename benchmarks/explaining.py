"""Are explanations faithful? Parts are taken away in the order of their weight, and what the model says is watched.

Usage: python benchmarks/explaining.py [--data FOLDER] [--work FOLDER] [--rows 60] [NAME ...]
Deletion: the mean probability of the explained label while parts leave, the strongest first; the lower, the more
faithful. Insertion: the same while they come back into an empty row; the higher, the more faithful (Petsiuk et al.
2018, arXiv:1806.07421). Both against random weights of the same row; `se` is the standard error over rows.
Writes benchmarks/results/explaining.json (one entry a name, replaced when run again). Values are no timings;
milliseconds are a side figure of a machine that may be busy.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

import windlass
from windlass.kinds import table as kinds
from windlass.outputs.contract import Why
from windlass.outputs.table import explain
from windlass.predictors.contract import Labeller
from windlass.predictors.table import load_labeller
from windlass.records import Explanation, Row
from windlass.sources.guess import write_guess

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "explaining.json"
STEPS = 10


@dataclass(frozen=True)
class Case:
    """A data set and a learner. is_opaque: the model is known by its answers alone, so that occlusion explains it."""

    data: str
    learner: str
    is_opaque: bool = False


CASES = {
    "phrasebank, linear, exact": Case("finance-phrasebank", "linear"),
    "phrasebank, linear, occlusion": Case("finance-phrasebank", "linear", True),
    "phrasebank, cnn, occlusion": Case("finance-phrasebank", "cnn", True),
    "shopping (Chinese), linear, exact": Case("sentiment-zh-shopping", "linear"),
    "shopping (Chinese), linear, occlusion": Case("sentiment-zh-shopping", "linear", True),
    "mnist, linear, exact": Case("image-mnist/mnist.npz", "linear"),
    "mnist, linear, occlusion": Case("image-mnist/mnist.npz", "linear", True),
    "mnist, cnn, occlusion": Case("image-mnist/mnist.npz", "cnn", True),
    "german credit, linear, exact": Case("tabular-german-credit", "linear"),
    "german credit, trees, TreeSHAP": Case("tabular-german-credit", "trees"),
    "german credit, trees, occlusion": Case("tabular-german-credit", "trees", True),
}


def trained(case: Case, data: Path, work: Path) -> tuple[Labeller, pl.DataFrame]:
    """The artifact of the case and the test rows; trained once in the folder `work`."""
    folder = work / f"{case.data.partition('/')[0]}-{case.learner}"
    if not (folder / "windlass.yaml").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_guess(data / case.data, folder, "", True)
        spec = folder / "windlass.yaml"
        text = spec.read_text(encoding="utf-8").replace("minutes: 10", "minutes: 4")
        spec.write_text(f"{text}learners: [{case.learner}]\n", encoding="utf-8")
    project = windlass.Project(folder)
    runs = project.train()
    if runs[0].status != "done":
        raise SystemExit(f"{folder.name}: {runs[0].status}, {runs[0].reason}")
    predictor = load_labeller(project.store.run_folder(case.learner) / "artifact")
    if case.is_opaque:
        whole = predictor
        predictor = Labeller(whole.manifest, lambda batches: whole.engine(batches))
    return predictor, pl.read_parquet(project.store.folder / "prepare" / "test.parquet")


def curves(predictor: Labeller, row: Row, found: Explanation, weights: np.ndarray) -> tuple[float, float]:
    """Deletion and insertion of parts in the order of these weights: mean probabilities of the label."""
    places = [number for number, part in enumerate(found.parts) if "lacks" not in part.words]
    order = [places[number] for number in np.argsort(-weights[places], kind="stable")]
    counts = np.unique(np.linspace(0, len(order), STEPS + 1).round().astype(int))
    left_out = [order[:count] for count in counts] + [order[count:] for count in counts]
    values = {column.name: kinds.get(column.kind).read(row[column.name], Path("/")) for column in columns(predictor)}
    rows = [without(predictor, values, found, numbers) for numbers in left_out]
    batches = [
        kinds.get(column.kind).encode([each[column.name] for each in rows], column.state)
        for column in predictor.manifest.inputs
    ]
    logits = predictor.engine(batches).astype(np.float64) / predictor.manifest.temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    said = (shares / shares.sum(axis=1, keepdims=True))[:, predictor.labels.index(found.label)]
    return float(said[: len(counts)].mean()), float(said[len(counts) :].mean())


def columns(predictor: Labeller) -> list:
    return list({column.name: column for column in predictor.manifest.inputs}.values())


def without(predictor: Labeller, values: Row, found: Explanation, numbers: Sequence[int]) -> dict:
    """The row without these parts: columns take the middle of what stands for the training rows."""
    row = dict(values)
    for column in columns(predictor):
        kind = kinds.get(column.kind)
        own = [found.parts[number] for number in numbers if found.parts[number].column == column.name]
        places = [place for part in own if (place := part.span or part.box)]
        if kind.parts is not None:
            row[column.name] = kind.parts.without(values[column.name], column.state, places)
        elif own:
            usual = sorted(kind.background(column.state), key=lambda pair: pair[1])
            is_even = usual[0][1] == usual[-1][1]
            row[column.name] = usual[len(usual) // 2 if is_even else -1][0]
    return row


def measured(case: Case, data: Path, work: Path, n_rows: int) -> dict:
    """Faithfulness of one case: gains over random weights with their standard errors."""
    predictor, test = trained(case, data, work)
    chance = np.random.default_rng(13)
    rows = test.sample(min(len(test), 2 * n_rows), seed=13).to_dicts()
    gains, own, spent, asked, gaps = [], [], [], [], []
    for row in rows:
        started = time.perf_counter()
        found = explain(predictor, [row], Why(Path("/")))[0]
        if len(found.parts) < 4 or len(gains) == n_rows:
            continue
        spent.append((time.perf_counter() - started) * 1000)
        asked.append(found.n_evaluations)
        weights = np.array([part.weight for part in found.parts])
        gaps.append(abs(found.base + weights.sum() - found.total))
        deletion, insertion = curves(predictor, row, found, weights)
        usual = [curves(predictor, row, found, chance.normal(size=len(weights))) for _ in range(3)]
        random_deletion, random_insertion = np.mean(usual, axis=0)
        gains.append((random_deletion - deletion, insertion - random_insertion))
        own.append((deletion, insertion, random_deletion, random_insertion))
    gain, error = np.mean(gains, axis=0), np.std(gains, axis=0, ddof=1) / np.sqrt(len(gains))
    means = np.mean(own, axis=0)
    return {
        "method": found.method,
        "rows": len(gains),
        **{
            curve: {
                "value": round(means[place], 4),
                "random": round(means[2 + place], 4),
                "gain_in_standard_errors": round(gain[place] / error[place], 1),
            }
            for place, curve in enumerate(("deletion", "insertion"))
        },
        "largest_gap_of_the_sum": float(f"{max(gaps):.2g}") if found.adds_up else None,
        "evaluations_mean": round(float(np.mean(asked)), 1),
        "ms_median_on_a_busy_machine": round(float(np.median(spent)), 1),
        "date": datetime.now(UTC).date().isoformat(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(CASES))
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, help="where models are trained and kept (none: a temporary folder)")
    parser.add_argument("--rows", type=int, default=60)
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names:
            results[name] = measured(CASES[name], options.data, options.work or Path(folder), options.rows)
            print(name, json.dumps(results[name]), flush=True)
            RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
