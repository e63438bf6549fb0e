"""What copies of a model lose and gain: the served artifacts on test rows that chose nothing, side by side in one run.

Usage: python benchmarks/compress.py --data ../shared/data --keep FOLDER [--parts banking77 agnews boxes masks]
       [--minutes 4] [--learner frozen]
Texts: an encoder of the size of MiniLM (the starter; --learner pretrained: fine-tuned) and its copies. The smallest
within .005 of the validation score is taken (`limits: {loss:}`), as a user would have it; test rows tell what it lost.
Pictures: a detector of blood cells and a segmenter of nuclei, trained for --minutes each, and their copies.
Time is processor time of one row at a time, in turns, the least of several rounds: a ratio holds on a busy machine.
--keep: projects stay there, and are not trained again (a part then takes a minute or two on two quiet cores).
Writes rows of results/goals.json.
"""

import argparse
from pathlib import Path

from goals import Goal, record

import windlass
from windlass.kinds import table as kinds
from windlass.metrics.measures import paired_difference
from windlass.outputs.contract import Held
from windlass.outputs.table import of
from windlass.planning.evidence.compression import answer_seconds
from windlass.predictors.table import load
from windlass.sources.prepared import read_splits
from windlass.store.files import size_mb, write_text

ISSUE = "speed"
TEXTS = {"banking77": "intent-banking77", "agnews": "topics-agnews"}
LARGEST_MB, LEAST_FASTER, MOST_POINTS = 25.0, 2.0, 0.5
PICTURES = {"boxes": ("map50", 0.01), "masks": ("mask_dice", 0.005)}
"""Part -> the metric, and what a copy may lose of it."""
N_TIMED, ROUNDS = 40, 6


def specification(part: str, data: Path, args: argparse.Namespace) -> str:
    if part in TEXTS:
        home = data / TEXTS[part]
        return (
            f"name: {part}\ndata: {{train: {home}/train.csv, test: {home}/test.csv}}\ninputs: {{text: text}}\n"
            f"output: {{label: category}}\ngoal: accuracy\nlearners: [{args.learner}]\nlimits: {{loss: 0.005}}\n"
        )
    if part == "boxes":
        home = data / "detect-bccd"
        return (
            f"name: cells\ndata: {{train: {home}/train.json, validation: {home}/val.json, test: {home}/test.json}}\n"
            "inputs: {image: image}\noutput: {cells: boxes}\ngoal: map50\n"
            "learners: [detector]\ncompress: [half, int8]\n"
        )
    return (
        f"name: nuclei\ndata: {data}/segment-nuclei\ninputs: {{image: image}}\noutput: {{nuclei: masks}}\n"
        "learners: [segmenter]\ncompress: [half, int8]\n"
    )


def project(part: str, args: argparse.Namespace) -> windlass.Project:
    """The product of a part with its copies, from `--keep` where it is up to date."""
    folder = args.keep / f"{part}-{args.learner}" if part in TEXTS else args.keep / part
    folder.mkdir(parents=True, exist_ok=True)
    write_text(
        folder / "windlass.yaml", specification(part, args.data.resolve(), args) + f"minutes: {args.minutes:g}\n"
    )
    made = windlass.Project(folder)
    made.run()
    return made


class Pair:
    """A copy beside the model that it was made of."""

    def __init__(self, made: windlass.Project, name: str) -> None:
        self.told = made.board.candidate(name).compressed
        self.spec, self.splits = made.spec, read_splits(made.spec, made.store)
        self.folders = [made.store.run_folder(each) / "artifact" for each in (self.told["of"], name)]
        self.models = [load(folder) for folder in self.folders]

    def lost(self, metric: str) -> tuple[float, str]:
        """Of the metric on test rows, and in words with its interval."""
        rows = self.splits.test.to_dicts()
        held = Held(self.spec, self.splits.root)
        one, other = (of(self.spec).marks(model, rows, held) for model in self.models)
        if one.exact(metric) is None and len(rows) > 1:
            found = paired_difference(metric, one, other)
            said = f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]"
            return found.value, f"{one.value(metric):.4f} -> {other.value(metric):.4f}, lost {said}"
        return one.value(metric) - other.value(metric), f"{one.value(metric):.4f} -> {other.value(metric):.4f}"

    def times(self) -> list[float]:
        head = self.splits.test.head(N_TIMED).select(list(self.splits.inputs)).to_dicts()
        rows = [
            {name: kinds.get(kind).portable(row[name], self.splits.root) for name, kind in self.splits.inputs.items()}
            for row in head
        ]
        return [1_000 * each for each in answer_seconds(self.models, rows, ROUNDS)]

    def note(self) -> str:
        """What else the copy is."""
        how = self.models[1].manifest.settings["compressed"]
        return (
            f"by {how['method']}; products in 8 bits {how.get('products', 0)}, floats {len(how.get('floats', []))}; "
            f"{self.told['changed']} of {self.told['rows']} validation answers are others; a process with it holds "
            f"{self.told['memory_mb']:.0f} MB instead of {self.told['memory_mb_of']:.0f}; processor time, one row"
        )


def texts(part: str, args: argparse.Namespace) -> None:
    made = project(part, args)
    board = made.board
    copies = [each.name for each in board.candidates if each.compressed]
    print(
        part, board.why, *(f"{each.name}: {each.size_mb:.1f} MB" for each in board.candidates), sep="\n  ", flush=True
    )
    name = board.chosen if board.chosen in copies else min(copies, key=lambda each: board.candidate(each).size_mb)
    pair = Pair(made, name)
    lost, words = pair.lost("accuracy")
    slow, fast = pair.times()
    large, size = map(size_mb, pair.folders)
    met = size <= LARGEST_MB and slow / fast >= LEAST_FASTER and 100 * lost <= MOST_POINTS
    record(
        Goal(
            ISSUE,
            f"compress, MiniLM type on {part} ({args.learner})",
            f"<= {LARGEST_MB:g} MB, >= {LEAST_FASTER:g} x faster, <= {MOST_POINTS} points lost",
            f"{size:.1f} MB of {large:.1f}, {slow / fast:.2f} x faster ({slow:.2f} -> {fast:.2f} ms), "
            f"{100 * lost:.2f} points lost",
            met,
            f"accuracy {words}; {pair.note()}",
        )
    )


def pictures(part: str, args: argparse.Namespace) -> None:
    made, (metric, most) = project(part, args), PICTURES[part]
    names = [each.name for each in made.board.candidates if each.compressed.get("method") == "int8"]
    if not names:
        print(part, *(f"{each['name']}: {each['reason']}" for each in made.board.not_trained), sep="\n  ", flush=True)
        return
    pair = Pair(made, names[0])
    lost, words = pair.lost(metric)
    slow, fast = pair.times()
    record(
        Goal(
            ISSUE,
            f"compress, {part} in 8 bits",
            f"<= {most:g} {metric} lost",
            f"{lost:.4f} lost; {size_mb(pair.folders[1]):.1f} MB of {size_mb(pair.folders[0]):.1f}",
            lost <= most,
            f"{metric} {words}; {slow:.1f} -> {fast:.1f} ms; {pair.note()}",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=[*TEXTS, *PICTURES], default=[*TEXTS, *PICTURES])
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--learner", choices=["frozen", "pretrained"], default="frozen")
    args = parser.parse_args()
    for part in args.parts:
        (texts if part in TEXTS else pictures)(part, args)


if __name__ == "__main__":
    main()
