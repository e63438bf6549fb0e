"""What finds things in pictures, on the shared set of blood cells: the served artifact on its test pictures.

Usage: python benchmarks/vision.py --data ../shared/data [--minutes 10] [--seeds 13] [--learner detector:any-side-up]
Trains on `train.json`, chooses weights and thresholds on `val.json`, measures on `test.json`; tunes nothing there.
Writes rows of results/goals.json.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from goals import Goal, record

import windlass
from windlass.metrics.detection import MAP, MAP50, BoxMarks
from windlass.outputs.contract import Held
from windlass.outputs.table import of
from windlass.sources.prepared import read_splits
from windlass.store.files import write_text

ISSUE, N_TIMED = "see", 30
RARE = "Platelets"
REACH = {"AP50": 0.92, RARE: 0.90}


def trained(data: Path, folder: Path, args: argparse.Namespace, seed: int) -> windlass.Project:
    """The product of the set, learned."""
    name, _, preset = args.learner.partition(":")
    home = data / "detect-bccd"
    learner = f"{{{name}: {preset}}}" if preset else name
    write_text(
        folder / "windlass.yaml",
        f"name: cells\ndata: {{train: {home}/train.json, validation: {home}/val.json, test: {home}/test.json}}\n"
        f"inputs: {{image: image}}\noutput: {{cells: boxes}}\nlearners: [{learner}]\n"
        f"minutes: {args.minutes:g}\nseed: {seed}\n",
    )
    project = windlass.Project(folder)
    project.run()
    return project


def measured(project: windlass.Project) -> BoxMarks:
    """The chosen candidate's artifact, as it would be served, on the test pictures."""
    from windlass.predictors.table import load

    splits = read_splits(project.spec, project.store)
    predictor = load(project.store.run_folder(project.board.chosen) / "artifact")
    found = of(project.spec).marks(predictor, splits.test.to_dicts(), Held(project.spec, splits.root))
    assert isinstance(found, BoxMarks)
    return found


def latency_ms(project: windlass.Project) -> float:
    """The median of one picture, from its file to its boxes."""
    from windlass.predictors.table import load

    splits = read_splits(project.spec, project.store)
    predictor = load(project.store.run_folder(project.board.chosen) / "artifact")
    times = []
    for row in splits.test.head(N_TIMED).select("image").to_dicts():
        started = time.perf_counter()
        predictor.answer([row], splits.root)
        times.append(1_000 * (time.perf_counter() - started))
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[13])
    parser.add_argument("--learner", default="detector:any-side-up")
    args = parser.parse_args()
    found, latency, steps = [], [], []
    load_before = os.getloadavg()[0]
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as name:
            project = trained(args.data.resolve(), Path(name), args, seed)
            found.append(measured(project))
            latency.append(latency_ms(project))
            curve = project.store.read_record("train")["runs"][0]["curve"]
            steps.append(int(curve[-1]["step"]))
    note = (
        f"{args.learner}, {args.minutes:g} minutes, seeds {args.seeds}, {steps} steps; load average {load_before:.1f} "
        f"at the start, {os.getloadavg()[0]:.1f} at the end"
    )
    for words, goal in REACH.items():
        values = [_value(each, words) for each in found]
        said = f"{np.mean(values):.3f} ({', '.join(f'{value:.3f}' for value in values)})"
        record(Goal(ISSUE, f"BCCD {words}, from scratch", f">= {goal}", said, float(np.mean(values)) >= goal, note))
    wide = np.mean([each.value(MAP) for each in found])
    record(Goal(ISSUE, "BCCD AP50-95, from scratch", "told", f"{wide:.3f}", True, note))
    middle = float(np.median(latency))
    record(Goal(ISSUE, "one picture, p50", "<= 60 ms", f"{middle:.1f} ms", middle <= 60, note))
    for number, label in enumerate(found[0].classes):
        print(label, [round(each.average_precision(number), 3) for each in found])


def _value(marks: BoxMarks, words: str) -> float:
    return marks.value(MAP50) if words == "AP50" else marks.average_precision(list(marks.classes).index(words))


if __name__ == "__main__":
    main()
