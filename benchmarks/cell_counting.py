"""How often the number of cells lies in the interval that the cell-counter gives for it, on pictures drawn anew.

The blueprint as it is shipped is learned (or one that has learned is opened), and asked pictures that its generator
draws with another seed. Its interval is told by few validation pictures, so that how often it holds differs from one
training to the next by several points; so it is also told anew by as many of the drawn pictures, a hundred times, and
judged on the others. The goal is held to the mean of these.

Usage: python benchmarks/cell_counting.py [--project FOLDER | --minutes 1] [--pictures 1000]
Writes rows of results/goals.json.
"""

import argparse
import base64
import importlib.util
import io
import shutil
import tempfile
from pathlib import Path

import numpy as np
from goals import Goal, record

import windlass
from windlass.blueprints.catalogue import copy
from windlass.metrics import counting
from windlass.outputs import table as outputs
from windlass.outputs.contract import Held
from windlass.predictors import table as predictors
from windlass.sources.prepared import read_splits

ISSUE, SEED, DRAWS = "see", 2_026, 100
LEAST, MOST = 0.88, 0.92
GENERATOR = Path(__file__).resolve().parent.parent / "tools" / "make_cell_counter.py"


def drawn(count: int) -> list[tuple[dict[str, str], list[dict[str, object]]]]:
    """So many pictures of the committed generator, with what is on them."""
    place = importlib.util.spec_from_file_location("make_cell_counter", GENERATOR)
    assert place is not None
    assert place.loader is not None
    made = importlib.util.module_from_spec(place)
    place.loader.exec_module(made)
    random, found = np.random.default_rng(SEED), []
    for _ in range(count):
        picture, cells = made.draw(random)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=88)
        uri = f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
        found.append(({"image": uri}, [{"label": name, "box": list(box)} for name, box in cells]))
    return found


def opened(args: argparse.Namespace, folder: Path) -> windlass.Project:
    """The product, learned."""
    if args.project:
        shutil.copytree(args.project, folder / "cells")
        return windlass.Project(folder / "cells")
    copy("cell-counter", folder / "cells")
    spec = folder / "cells" / "windlass.yaml"
    spec.write_text(spec.read_text().replace("minutes: 8", f"minutes: {args.minutes:g}"))
    project = windlass.Project(folder / "cells")
    project.run()
    return project


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--pictures", type=int, default=1_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        project = opened(args, Path(name))
        measure(project, args.pictures)


def measure(project: windlass.Project, count: int) -> None:
    spec = project.spec
    output, splits = outputs.of(spec), read_splits(spec, project.store)
    run = project.store.run_folder(project.board.chosen)
    output.tune_decision(run, splits, spec, project.board.headline)
    predictor = predictors.load(run / "artifact")
    rows = [{**row, spec.output_column: things} for row, things in drawn(count)]
    marks = output.marks(predictor, rows, Held(spec, splits.root))
    there, given = (each.sum(axis=1) for each in (marks.n_there, marks.n_given))
    shipped = float(marks.count_inside.mean())
    random, n_told, shares, widths = np.random.default_rng(SEED), len(splits.validation), [], []
    for _ in range(DRAWS):
        order = random.permutation(count)
        told, judged = order[:n_told], order[n_told:]
        wide = counting.factor((there - given)[told], marks.count_doubts[told])
        ends = np.array([counting.interval(given[n], marks.count_doubts[n], wide)[:2] for n in judged])
        shares.append(float(((ends[:, 0] <= there[judged]) & (there[judged] <= ends[:, 1])).mean()))
        widths.append(float((ends[:, 1] - ends[:, 0]).mean()))
    mean = float(np.mean(shares))
    note = (
        f"{count:,} drawn pictures, {there.mean():.1f} cells on one, {np.mean(there == given):.1%} counted rightly; "
        f"told by {n_told} of them and judged on the others, {DRAWS} times (deviation {np.std(shares):.1%}), width "
        f"{np.mean(widths):.2f}; told by the {n_told} validation pictures of the blueprint: {shipped:.1%}"
    )
    record(Goal(ISSUE, "cell-counter, count within its 90 % interval", f"{LEAST:.0%}-{MOST:.0%} of pictures",
                f"{mean:.1%}", LEAST <= mean <= MOST, note))  # fmt: skip


if __name__ == "__main__":
    main()
