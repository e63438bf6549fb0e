"""What products that write reach on real data: text continued, translated, summarised, answered.

Usage: python benchmarks/language.py [--data FOLDER] [NAME ...]
Each product is a windlass.yaml that is walked by the command line as a user would; CPU minutes are those of the whole
walk with its baselines. Writes benchmarks/results/language.json (one entry a name, replaced when run again) and
language.md.
"""

import argparse
import json
import lzma
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
Rows = list[dict]


@dataclass(frozen=True)
class Product:
    """One line of the table. files: split -> file; rows: turns a file's objects into rows of the product."""

    data: str
    files: dict[str, str]
    inputs: dict[str, str]
    output: str
    metric: str
    minutes: float
    goal: str
    learners: list = field(default_factory=list)
    rows: Callable[[dict], dict] | None = None


def poem(row: dict) -> dict:
    return {"title": row["title"], "author": row["author"], "text": row["text"]}


def paper(row: dict) -> dict:
    return {"source": row["source"], "target": row.get("targets") or [row["target"]]}


def question(row: dict) -> dict:
    answers = [each["text"] if isinstance(each, dict) else each for each in row["answers"]]
    return {"context": row["context"], "question": row["question"], "answer": list(dict.fromkeys(answers))}


PRODUCTS = {
    "shakespeare": Product(
        "corpus-tinyshakespeare",
        {"train": "train.txt", "test": "val.txt"},
        {"before": "text"},
        "text",
        "bits_per_byte",
        15,
        "1.60 nats a character in 30 CPU minutes (10 M parameters on a GPU: 1.47)",
    ),
    "zh-poetry": Product(
        "corpus-zh-poetry",
        {"train": "train.jsonl", "test": "val.jsonl"},
        {"before": "text"},
        "text",
        "bits_per_byte",
        15,
        "below xz and the 5-gram",
        rows=lambda row: {"before": "", "text": row["text"]},
    ),
    "en-novels": Product(
        "corpus-en-novels", {"all": "texts"}, {"before": "text"}, "text", "bits_per_byte", 15, "below xz and the 5-gram"
    ),
    "multi30k": Product(
        "translation-en-de-multi30k",
        {"train": "train.csv", "validation": "val.csv", "test": "test.csv"},
        {"en": "text"},
        "de",
        "bleu",
        29,
        "BLEU 25 in 60 CPU minutes (published small Transformers: 35-40)",
    ),
    "tatoeba": Product(
        "translation-en-zh-tatoeba",
        {"train": "train.csv", "test": "test.csv"},
        {"en": "text"},
        "zh",
        "chrf",
        15,
        "10 chrF above retrieval",
    ),
    "scitldr": Product(
        "summary-scitldr",
        {"train": "train.jsonl", "validation": "dev.jsonl", "test": "test.jsonl"},
        {"source": "text"},
        "target",
        "rouge1",
        10,
        "above the first sentence",
        rows=paper,
    ),
    "xquad": Product(
        "qa-en-xquad",
        {"train": "train.jsonl", "test": "test.jsonl"},
        {"context": "text", "question": "text"},
        "answer",
        "token_f1",
        10,
        "above the best sentence",
        ["copy", "retrieve", "extract"],
        question,
    ),
    "cmrc2018": Product(
        "qa-zh-cmrc2018",
        {"train": "train.jsonl", "test": "test.jsonl"},
        {"context": "text", "question": "text"},
        "answer",
        "token_f1",
        10,
        "above the best sentence",
        ["copy", "retrieve", "extract"],
        question,
    ),
}


def windlass(*arguments: str) -> str:
    """Runs the command line as a user would; its standard output. Raises: CalledProcessError."""
    return subprocess.run(
        [sys.executable, "-m", "windlass.cli", *arguments], check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def novels(folder: Path, to: Path) -> dict[str, str]:
    """Every tenth novel is for testing."""
    texts = sorted((folder / "texts").glob("*.txt"))
    for split, chosen in (("test", texts[::10]), ("train", [text for n, text in enumerate(texts) if n % 10])):
        (to / f"{split}.txt").write_text("\n".join(text.read_text("utf-8") for text in chosen), encoding="utf-8")
    return {split: str(to / f"{split}.txt") for split in ("train", "test")}


def files(product: Product, data: Path, to: Path) -> dict[str, str]:
    """The splits of a product as files that Windlass reads."""
    folder = data / product.data
    if "all" in product.files:
        return novels(folder, to)
    found = {}
    for split, name in product.files.items():
        found[split] = str(folder / name)
        if product.rows is not None:
            rows = [product.rows(json.loads(line)) for line in (folder / name).read_text("utf-8").splitlines() if line]
            found[split] = str(to / f"{split}.jsonl")
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            Path(found[split]).write_text(lines, encoding="utf-8")
    return found


def measure(name: str, product: Product, data: Path, minutes: float | None) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        splits = files(product, data, Path(folder))
        spec = {
            "name": name,
            "data": splits,
            "inputs": product.inputs,
            "output": {product.output: "text"},
            "goal": product.metric,
            "minutes": minutes or product.minutes,
            **({"learners": product.learners} if product.learners else {}),
        }
        Path(folder, "windlass.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
        started, used = time.monotonic(), cpu_seconds()
        board = json.loads(windlass("evaluate", "--project", folder, "--json"))
        wall, cpu = time.monotonic() - started, cpu_seconds() - used
        samples = written(folder, board["chosen"], splits["test"])
        extra = compressed(splits) if product.metric == "bits_per_byte" else {}
    candidates = {item["name"]: item for item in board["candidates"]}
    return {
        "goal": product.goal,
        "metric": product.metric,
        "chosen": board["chosen"],
        "wall_seconds": round(wall),
        "cpu_minutes": round(cpu / 60, 1),
        "minutes": minutes or product.minutes,
        "n_test": board["n_test"],
        "candidates": {key: item["metrics"] for key, item in candidates.items()},
        "train_seconds": {key: round(item["seconds"]) for key, item in candidates.items()},
        "not_trained": board["not_trained"],
        "machine": board["machine"],
        **extra,
        "samples": samples,
        "date": datetime.now(UTC).date().isoformat(),
    }


def cpu_seconds() -> float:
    """Of the commands that were run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compressed(splits: dict[str, str]) -> dict:
    """Bits per byte of the test text by xz, which has read the training text first; and characters a byte."""
    train, test = (text_of(splits[split]) for split in ("train", "test"))
    both, alone = (len(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)) for text in (train + test, train))
    return {
        "xz_bits_per_byte": round(8 * (both - alone) / len(test.encode()), 4),
        "bytes_per_character": round(len(test.encode()) / len(test), 4),
    }


def text_of(path: str) -> str:
    content = Path(path).read_text("utf-8")
    if path.endswith(".txt"):
        return content
    return "\n".join(json.loads(line)["text"] for line in content.splitlines())


def written(folder: str, chosen: str, test: str) -> list[str]:
    """What the chosen candidate writes: by chance where nothing is asked, else for the first test rows."""
    from windlass.predictors import table
    from windlass.predictors.language.writing import Writing

    writer = table.load(Path(folder, ".windlass", "train", chosen, "artifact"))
    rows = Path(test).read_text("utf-8").splitlines()[:6]
    if [column.name for column in writer.manifest.inputs] == ["before"]:
        how = Writing(max_tokens=200, temperature=0.8, seed=1)
        return [each.text for each in writer.write([{"before": ""}, {"before": ""}], how)]
    if test.endswith(".csv"):
        import polars as pl

        asked = pl.read_csv(test, n_rows=5).to_dicts()
    else:
        asked = [json.loads(row) for row in rows[:5]]
    names = [column.name for column in writer.manifest.inputs]
    return [each.text for each in writer.write([{name: row[name] for name in names} for row in asked])]


def table_of(found: dict) -> str:
    """The results as Markdown."""
    lines = [
        "# Products that write, on real data",
        "",
        "Each is a `windlass.yaml` with `minutes`, walked by `windlass evaluate`; scores are on held-out test rows, "
        "with 95 % bootstrap intervals. chrF, BLEU, ROUGE and F1 are shares 0-1.",
        "",
        "| product | metric | goal | candidates | CPU min |",
        "|---|---|---|---|---:|",
    ]
    for name in [name for name in PRODUCTS if name in found]:
        item = found[name]
        cells = []
        for key, metrics in item["candidates"].items():
            value = metrics.get(item["metric"])
            if value is not None:
                mark = "**" if key == item["chosen"] else ""
                cells.append(f"{mark}{key} {value['value']:.4f} [{value['low']:.3f}, {value['high']:.3f}]{mark}")
        if "xz_bits_per_byte" in item:
            own = item["candidates"][item["chosen"]]["bits_per_byte"]["value"]
            nats = own * math.log(2) * item["bytes_per_character"]
            cells += [f"xz {item['xz_bits_per_byte']:.4f}", f"chosen: {nats:.3f} nats a character"]
        lines.append(f"| {name} | {item['metric']} | {item['goal']} | {'; '.join(cells)} | {item['cpu_minutes']} |")
    runs = sorted({f"{item['date']}, {item['machine']}" for item in found.values()})
    return "\n".join([*lines, "", *[f"Measured {run}." for run in runs], ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(PRODUCTS))
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--minutes", type=float)
    options = parser.parse_args()
    path = RESULTS / "language.json"
    for name in options.names:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        found[name] = measure(name, PRODUCTS[name], options.data, options.minutes)
        print(name, found[name]["chosen"], found[name]["candidates"][found[name]["chosen"]], flush=True)
        RESULTS.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (RESULTS / "language.md").write_text(table_of(found), encoding="utf-8")


if __name__ == "__main__":
    main()
