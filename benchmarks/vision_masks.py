"""What tells nuclei from what lies around them, on the shared set: the served artifact on its test pictures.

Usage: python benchmarks/vision_masks.py --data ../shared/data [--minutes 10] [--seeds 13]
       [--learner segmenter:any-side-up] [--keep FOLDER]
Trains on `train`, a part of which chooses weights and shares; measures on `test`, where nothing is tuned. The project
asks for Dice; instance AP is measured on the same answers. --keep: projects stay there, and are not trained again.
Writes rows of results/goals.json.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from goals import Goal, record

import windlass
from windlass.metrics.measures import bootstrap
from windlass.metrics.segmentation import BOUNDARY, DICE, INSTANCE_AP, IOU, MaskMarks
from windlass.outputs.contract import Held
from windlass.outputs.table import of
from windlass.predictors.table import load
from windlass.sources.prepared import read_splits
from windlass.store.files import write_text

ISSUE, SET, N_TIMED = "see", "segment-nuclei", 25
REACH = {"Dice": (DICE, 0.90), "instance AP": (INSTANCE_AP, 0.55)}


@contextmanager
def home(args: argparse.Namespace, seed: int) -> Iterator[Path]:
    """The folder of a seed's project, kept or not."""
    if args.keep:
        folder = args.keep / f"masks-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def trained(args: argparse.Namespace, folder: Path, seed: int) -> windlass.Project:
    """The product of the set, learned."""
    name, _, preset = args.learner.partition(":")
    learner = f"{{{name}: {preset}}}" if preset else name
    write_text(
        folder / "windlass.yaml",
        f"name: nuclei\ndata: {args.data.resolve() / SET}\ninputs: {{image: image}}\noutput: {{nuclei: masks}}\n"
        f"learners: [{learner}]\nminutes: {args.minutes:g}\nseed: {seed}\n",
    )
    project = windlass.Project(folder)
    project.run()
    return project


def measured(project: windlass.Project) -> tuple[MaskMarks, float]:
    """The chosen candidate's artifact, as it would be served, on the test pictures; and the median time of one, ms."""
    splits = read_splits(project.spec, project.store)
    predictor = load(project.store.run_folder(project.board.chosen) / "artifact")
    found = of(project.spec).marks(predictor, splits.test.to_dicts(), Held(project.spec, splits.root))
    assert isinstance(found, MaskMarks)
    times = []
    for row in splits.test.head(N_TIMED).select("image").to_dicts():
        started = time.perf_counter()
        predictor.answer([row], splits.root)
        times.append(1_000 * (time.perf_counter() - started))
    return found, float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[13])
    parser.add_argument("--learner", default="segmenter:any-side-up")
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    load_before, found, times, steps = os.getloadavg()[0], [], [], []
    for seed in args.seeds:
        with home(args, seed) as folder:
            project = trained(args, folder, seed)
            marks, median = measured(project)
            steps.append(int(project.store.read_record("train")["runs"][0]["curve"][-1]["step"]))
        found.append(marks)
        times.append(median)
    note = (
        f"{args.learner}, {args.minutes:g} minutes, seeds {args.seeds}, {steps} steps, {len(found[0])} test pictures; "
        f"load average {load_before:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
    )
    for words, (metric, least) in REACH.items():
        values = [each.value(metric) for each in found]
        mean, interval = float(np.mean(values)), bootstrap(found[0], metric)
        said = f"{mean:.3f} ({', '.join(f'{value:.3f}' for value in values)}; first seed {interval})"
        record(Goal(ISSUE, f"nuclei {words}, from scratch", f">= {least}", said, mean >= least, note))
    iou, apart = (float(np.mean([each.value(metric) for each in found])) for metric in (IOU, BOUNDARY))
    told = f"IoU {iou:.3f}, outlines off by {apart:.2f} pixels"
    record(Goal(ISSUE, "nuclei, IoU and outlines", "told", told, True, note))
    record(Goal(ISSUE, "nuclei, one picture, p50", "told", f"{np.median(times):.0f} ms", True, note))


if __name__ == "__main__":
    main()
