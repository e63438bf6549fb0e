"""The tables printed in the founding essays, measured on shared data: five networks, training and held-out figures.

Usage: python benchmarks/essays.py [--data ../shared/data] [--parts cnn lstm-rows lstm-spam transformer gpt2]
Each network is a preset of its learner, built and trained by the learners' own parts, one thread (`gpt2`: as many as
are soonest). A tenth of the training rows, drawn with seed 13, is for validation: it says which epoch is kept, and
which baseline stands beside it. The test rows are answered once, by the kept network and by that baseline.
Writes results/essays.json (one entry a network, replaced when run again) and results/goals.json.
"""

import argparse
import base64
import io
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from goals import Goal, record
from PIL import Image
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC
from torch import nn
from torch.nn import functional

from windlass.learners.contract import Budget, Options
from windlass.learners.language import gpt, ngram
from windlass.learners.networks import cnn, recurrent, transformer
from windlass.learners.networks.network import Design, Features, Network, arrays, build
from windlass.learners.networks.training import loop, probe
from windlass.learners.networks.training.task import Data, Verdict, answers, tensors
from windlass.learners.rows import Encoded, encode, encode_inputs, targets
from windlass.metrics.measures import LabelMarks, paired_difference
from windlass.predictors.language import decoding
from windlass.records import Json, Splits
from windlass.stages.evaluate import machine
from windlass.store.files import write_text

FILE = Path(__file__).resolve().parent / "results" / "essays.json"
SEED, VALIDATION = 13, 0.1
SECONDS = 7_200.0
"""So many that no epoch is cut: the essays count epochs, not seconds."""
STEPS_OF_60_000 = 5 * 60_000 // 32
"""Steps of five epochs of the whole MNIST in batches of 32; the shared cut has 8,000 of its 60,000 pictures."""
GOAL = "held-out >= best equally cheap baseline, or why not"


@dataclass(frozen=True)
class Essay:
    """A row of the essays' tables. printed: metric -> what is printed after the first and after the last epoch.

    metric: what is compared with the baseline.
    """

    name: str
    data: str
    design: Design
    metric: str = "accuracy"
    printed: dict[str, list[float]] = field(default_factory=dict)


class SeriesOfRows(Features):
    """Pictures (B, C, H, W) as H steps of C W numbers -> the state at the last one, (B, 64): LSTM over LSTM."""

    def __init__(self, state: Json) -> None:
        super().__init__()
        self.width = 64
        self.layers = nn.LSTM(state["channels"] * state["size"], self.width, num_layers=2, batch_first=True)

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        return self.layers(pixels_BCHW.transpose(1, 2).flatten(2))[0][:, -1]


FIVE = {"epochs": 5, "patience": 5}
CNN = cnn.PRESETS["essay"]
ESSAYS = {
    "cnn": Essay(
        "CNN 32@3x3, pool, dense 10, on 28x28",
        "image-mnist",
        replace(CNN, settings=replace(CNN.settings, **FIVE)),
        printed={"train_loss": [0.3521, 0.0164], "train_accuracy": [0.8782, 1.0]},
    ),
    "lstm-rows": Essay(
        "LSTM 64 + LSTM 64 + dense 10, rows of MNIST as a series",
        "image-mnist",
        Design("lstm", replace(CNN.settings, **FIVE), image=SeriesOfRows, dropout=0.0),
        printed={"train_loss": [0.1868, 0.0052], "train_accuracy": [0.9535, 1.0]},
    ),
    "lstm-spam": Essay("Embedding + LSTM 128 + dense, spam", "spam-sms", recurrent.LSTM["essay-spam"], "macro_f1"),
    "transformer": Essay("Transformer 512, 8 heads, dff 512, 10,000 words, length 32, reviews", "sentiment-en-mr",
                         transformer.PRESETS["essay"]),
}  # fmt: skip
GPT2 = "gpt2"
GPT2_NAME = "GPT-2 type, reviews, ten epochs"
GPT2_PRINTED = {"train_loss": [2.345, 0.436], "test_loss": [0.424]}
GPT2_SHAPE = gpt.Shape(width=128, layers=4, heads=4, family="gpt2")
GPT2_SETTINGS = replace(gpt.SETTINGS, epochs=10, patience=10)


# Rows -----------------------------------------------------------------------------------------------------------------


def splits_of(data: Path) -> Splits:
    """Train, validation and test of a shared set, one input and a category, or for texts both."""
    name, kind, whole, test = _pictures(data) if (data / "mnist.npz").exists() else _texts(data)
    train, validation = train_test_split(
        np.arange(len(whole)), test_size=VALIDATION, random_state=SEED, stratify=whole["label"].to_list()
    )
    return Splits({name: kind}, {"label": "category"}, whole[train], whole[validation], test, data)


def _texts(data: Path) -> tuple[str, str, pl.DataFrame, pl.DataFrame]:
    return "text", "text", pl.read_csv(data / "train.csv"), pl.read_csv(data / "test.csv")


def _pictures(data: Path) -> tuple[str, str, pl.DataFrame, pl.DataFrame]:
    with np.load(data / "mnist.npz") as held:
        frames = [
            pl.DataFrame({"image": [_uri(pixels) for pixels in held[f"x_{part}"]],
                          "label": [str(digit) for digit in held[f"y_{part}"]]})
            for part in ("train", "test")
        ]  # fmt: skip
    return "image", "image", frames[0], frames[1]


def _uri(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


# Networks that answer with a category ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched(Data):
    """Data whose epochs are told as Keras prints them: means over the epoch's steps, and held-out figures after it.

    known: (n,) targets of the validation rows. steps: (rows, loss, hits) of each step since the last epoch.
    """

    known: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    steps: list[tuple[int, float, int]] = field(default_factory=list)
    epochs: list[Json] = field(default_factory=list)

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        logits = model(*tensors(self.train, rows)).float()
        wanted = torch.from_numpy(self.targets[rows]).to(probe.device())
        plain = functional.cross_entropy(logits, wanted)
        hits = int((logits.argmax(dim=1) == wanted).sum())
        self.steps.append((len(rows), float(plain.item()), hits))
        return functional.cross_entropy(logits, wanted, label_smoothing=smoothing) if smoothing else plain

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        logits = answers(model, self.validation, batch, precision)
        n_rows, losses, hits = (np.array(column, float) for column in zip(*self.steps, strict=True))
        found = {
            "train_loss": float(n_rows @ losses / n_rows.sum()),
            "train_accuracy": float(hits.sum() / n_rows.sum()),
        }
        self.epochs.append({"epoch": len(self.epochs) + 1, **found, **held_out(logits, self.known, "validation")})
        self.steps.clear()
        print("  " + "  ".join(f"{name} {value:.4g}" for name, value in self.epochs[-1].items()), flush=True)
        return Verdict(self.score(logits))


def held_out(logits: np.ndarray, truth: np.ndarray, part: str) -> Json:
    """Loss in nats, accuracy and macro F1 of logits (n, k), the likeliest class being the answer."""
    loss = float(functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(truth)))
    marks = marks_of(logits.argmax(axis=1), truth, logits.shape[1])
    return {f"{part}_loss": loss, **{f"{part}_{name}": marks.value(name) for name in ("accuracy", "macro_f1")}}


def marks_of(answered: np.ndarray, truth: np.ndarray, n_classes: int) -> LabelMarks:
    return LabelMarks(truth, np.eye(n_classes)[answered])


@dataclass(frozen=True)
class Trained:
    """network: with the weights of the kept epoch. cpu_s: of the training with its validations."""

    network: Network
    epochs: list[Json]
    cpu_s: float


def trained(essay: Essay, encoded: Encoded, n_steps: int = 0) -> Trained:
    """What `fit_network` does up to the export, its epochs watched. n_steps: 0: the epochs of the settings."""
    torch.manual_seed(SEED)
    train, validation = (arrays(encoded.inputs, batches) for batches in (encoded.train, encoded.validation))
    network = build(essay.design, encoded.inputs, list(train.arrays), encoded.n_scores)
    settings, known = essay.design.settings, encoded.validation_targets

    def score(logits: np.ndarray) -> float:
        return marks_of(logits.argmax(axis=1), known, encoded.n_scores).value(essay.metric)

    task = Watched(train, encoded.train_targets, validation, score, essay.metric, known)
    n_batches = -(-len(train) // settings.batch)
    if n_steps:
        settings = replace(settings, epochs=-(-n_steps // n_batches), patience=10**6)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        options = Options(Path(folder), essay.metric, SEED)
        loop.train(network, task, settings, options, Budget(SECONDS, n_steps or settings.epochs * n_batches), silent)
    return Trained(network, task.epochs, time.process_time() - started)


def silent(*told: Any) -> None:
    """The epochs are printed instead."""


def measured(essay: Essay, data: Path) -> Json:
    """The entry of a network that answers with a category."""
    splits = splits_of(data / essay.data)
    encoded = encode(splits, essay.design.forms, {"text": essay.design.text_options})
    truth = targets(encoded.output, splits.test)
    kept = trained(essay, encoded)
    baselines = tried(splits, encoded, essay.metric)
    cheap = {name: each for name, each in baselines.items() if each.cpu_s <= kept.cpu_s}
    name = max(cheap or baselines, key=lambda name: baselines[name].validation)
    asked = arrays(encoded.inputs, encode_inputs(encoded.inputs, splits.test, splits))
    logits = answers(kept.network, asked, essay.design.settings.batch)
    ours = marks_of(logits.argmax(axis=1), truth, encoded.n_scores)
    theirs = marks_of(baselines[name].answer(splits.test), truth, encoded.n_scores)
    return {
        "name": essay.name,
        "data": f"{essay.data}: {len(splits.train)} train, {len(splits.validation)} validation, {len(truth)} test",
        "unit": "nats a row",
        "metric": essay.metric,
        "settings": asdict(essay.design.settings),
        "parameters": sum(value.numel() for value in kept.network.parameters()),
        "printed": essay.printed,
        "epochs": kept.epochs,
        "kept_epoch": max(kept.epochs, key=lambda epoch: epoch[f"validation_{essay.metric}"])["epoch"],
        "test": held_out(logits, truth, "test"),
        "cpu_s": kept.cpu_s,
        "baselines": {each: {"validation": made.validation, "cpu_s": made.cpu_s} for each, made in baselines.items()},
        "baseline": {"name": name, "test": theirs.value(essay.metric), "is_cheap": name in cheap},
        "gain": list(asdict(paired_difference(essay.metric, ours, theirs, SEED)).values()),
    }


def longer(essay: Essay, data: Path) -> Json:
    """The same network after more steps, told by its epochs alone: the test rows are not answered again."""
    encoded = encode(splits_of(data / essay.data), essay.design.forms, {"text": essay.design.text_options})
    more = trained(essay, encoded, STEPS_OF_60_000)
    return {"steps": STEPS_OF_60_000, "epochs": more.epochs, "cpu_s": more.cpu_s}


# Baselines ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Baseline:
    """answer(rows) -> class numbers. validation: its metric there; cpu_s: of its fit and of answering those rows."""

    answer: Callable[[pl.DataFrame], np.ndarray]
    validation: float
    cpu_s: float


def tried(splits: Splits, encoded: Encoded, metric: str) -> dict[str, Baseline]:
    """Each baseline on the training rows that the network had. Pictures: pixels 0-1; texts: TF-IDF."""
    name, kind = next(iter(splits.inputs.items()))
    read = {"image": _pixels, "text": list}[kind]
    found = {}
    for title, model in {"image": _of_pixels, "text": _of_words}[kind]().items():

        def answer(rows: pl.DataFrame, model: Any = model) -> np.ndarray:
            return model.predict(read(rows[name].to_list()))

        started = time.process_time()
        model.fit(read(splits.train[name].to_list()), encoded.train_targets)
        marks = marks_of(answer(splits.validation), encoded.validation_targets, encoded.n_scores)
        found[title] = Baseline(answer, marks.value(metric), time.process_time() - started)
        print(f"  {title}: validation {metric} {marks.value(metric):.4f}, {found[title].cpu_s:.1f} CPU s", flush=True)
    return found


def _pixels(uris: Sequence[str]) -> np.ndarray:
    pictures = [Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) for uri in uris]
    return np.stack([np.asarray(picture, np.float32).ravel() / 255 for picture in pictures])


def _of_pixels() -> dict[str, Any]:
    return {
        "pixels, logistic regression": LogisticRegression(max_iter=200),
        "pixels, 3 nearest": KNeighborsClassifier(3),
        "pixels, RBF SVM": SVC(C=5.0, gamma="scale"),
    }


def _of_words() -> dict[str, Any]:
    words = {"ngram_range": (1, 2), "sublinear_tf": True}
    return {
        "TF-IDF words 1-2, logistic regression": make_pipeline(TfidfVectorizer(**words), LogisticRegression(C=10.0)),
        "TF-IDF words 1-2, linear SVM": make_pipeline(TfidfVectorizer(**words), LinearSVC()),
        "TF-IDF characters 2-5, linear SVM": make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True), LinearSVC()
        ),
    }


# The network that writes ----------------------------------------------------------------------------------------------

FIRST_LETTER = 0x3400
"""Token ids become letters from here on, so that the counts of characters count tokens; below the surrogates."""


class Told:
    """Prints where a run is, once a minute."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self, stage: str, done: int, total: int, words: str) -> None:
        if time.monotonic() - self.at >= 60:
            self.at = time.monotonic()
            print(f"  {stage} {done} of {total}: {words}", flush=True)


def written(data: Path, work: Path) -> Json:
    """The entry of the GPT-2 type: `gpt` as it learns reviews of which nothing is asked."""
    rows = splits_of(data / "sentiment-en-mr")
    parts = [
        frame.select(pl.lit("").alias("before"), pl.col("text")) for frame in (rows.train, rows.validation, rows.test)
    ]
    splits = Splits({"before": "text"}, {"text": "text"}, *parts, rows.root)
    recipe = gpt.Recipe({GPT2: GPT2_SHAPE}, GPT2_SETTINGS)
    started = time.process_time()
    options = Options(work, "bits_per_byte", SEED, variant=GPT2)
    model = gpt.train(splits, options, Budget(SECONDS), Told(), recipe)
    cpu_s = time.process_time() - started
    for epoch in model.curve:
        print("  " + "  ".join(f"{name} {value}" for name, value in epoch.items()), flush=True)
    ids = [[model.prompts.text(text) for text in part["text"].to_list()] for part in parts]
    end = model.prompts.template.end[:1]
    decoder = decoding.TorchDecoder(model.model.cpu(), end)
    nats = decoder.nats([end] * len(ids[2]), [[*review, *end] for review in ids[2]])
    n_tokens = np.array([len(review) + 1 for review in ids[2]])
    counts, name, theirs = counted(ids)
    characters = sum(len(text) for text in parts[2]["text"].to_list())
    return {
        "name": GPT2_NAME,
        "data": f"sentiment-en-mr: {' , '.join(str(len(part)) for part in parts)} train, validation, test reviews",
        "unit": f"nats a token; byte-level BPE of {model.settings['tokens']} tokens made from the training reviews, "
        f"{characters / n_tokens.sum():.2f} characters a token, ends of reviews among them",
        "metric": "loss",
        "settings": {**model.settings["shape"], **asdict(GPT2_SETTINGS)},
        "parameters": sum(value.numel() for value in model.model.parameters()),
        "printed": GPT2_PRINTED,
        "epochs": model.curve,
        "kept_epoch": min(model.curve, key=lambda epoch: epoch["validation_loss"])["epoch"],
        "test": {
            "test_loss": float(nats.sum() / n_tokens.sum()),
            "test_nats_a_character": float(nats.sum()) / characters,
        },
        "cpu_s": cpu_s,
        "baselines": counts,
        "baseline": {"name": name, "test": float(theirs.sum() / n_tokens.sum()), "is_cheap": True},
        "gain": _gain(theirs - nats, n_tokens),
    }  # fmt: skip


def counted(ids: Sequence[Sequence[list[int]]]) -> tuple[Json, str, np.ndarray]:
    """n-gram models of the same tokens by their validation nats a token; the best one, and its nats of test reviews."""
    train, validation, test = (
        ["".join(chr(FIRST_LETTER + token) for token in review) for review in part] for part in ids
    )
    n_tokens = sum(len(review) + 1 for review in validation)
    found, models = {}, {}
    for order in (1, 2, 3, 4, 5):
        name, started = f"Kneser-Ney, {order}-gram of the same tokens", time.process_time()
        models[name] = ngram.count(train, order)
        nats = sum(models[name].nats(review) for review in validation) / n_tokens
        found[name] = {"validation": nats, "cpu_s": time.process_time() - started}
        print(f"  {name}: validation {nats:.4f} nats a token", flush=True)
    best = min(found, key=lambda name: found[name]["validation"])
    return found, best, np.array([models[best].nats(review) for review in test])


def _gain(nats: np.ndarray, n_tokens: np.ndarray) -> list[float]:
    """Nats a token that are saved, with the 95 % interval over resampled reviews."""
    random = np.random.default_rng(SEED)
    draws = [random.integers(0, len(nats), len(nats)) for _ in range(500)]
    low, high = np.percentile([nats[rows].sum() / n_tokens[rows].sum() for rows in draws], [2.5, 97.5])
    return [float(nats.sum() / n_tokens.sum()), float(low), float(high)]


# What is written down -------------------------------------------------------------------------------------------------


def goal_of(entry: Json) -> Goal:
    """The goal's row; a baseline that is better is said with why."""
    gain, low, high = entry["gain"]
    metric, baseline = f"test_{entry['metric']}", entry["baseline"]
    first, last = entry["epochs"][0], entry["epochs"][-1]
    value = (
        f"test {entry['metric']} {entry['test'][metric]:.4f}, {baseline['name']} {baseline['test']:.4f}, "
        f"gain {gain:.4f} [{low:.4f}, {high:.4f}]"
    )
    note = f"{entry['data']}; {entry['unit']}; training loss {first['train_loss']:.4f} -> {last['train_loss']:.4f}"
    if "train_accuracy" in first:
        note += f", accuracy {first['train_accuracy']:.4f} -> {last['train_accuracy']:.4f}"
    note += f" in {last['epoch']:.0f} epochs, {entry['cpu_s']:.0f} CPU s; printed: {_printed(entry)}"
    dear = [f"{name} {made['validation']:.4f} on validation rows ({made['cpu_s']:.0f} CPU s)"
            for name, made in entry["baselines"].items() if made["cpu_s"] > entry["cpu_s"]]  # fmt: skip
    note += f"; dearer: {', '.join(dear)}" if dear else ""
    return Goal("numbers", f"essays: {entry['name']}", GOAL, value if gain >= 0 else f"{value}: {why_not(entry)}",
                gain >= 0, note)  # fmt: skip


def why_not(entry: Json) -> str:
    """What the epochs tell of a network that stays behind."""
    epochs, last = entry["epochs"], entry["epochs"][-1]
    if "longer" in entry:
        name, longer = f"validation_{entry['metric']}", entry["longer"]
        known = entry["baselines"][entry["baseline"]["name"]]["validation"]
        return (
            f"{last['epoch']} epochs are few steps; after {longer['steps']:,} it reaches "
            f"{max(epoch[name] for epoch in longer['epochs']):.4f} on validation rows, the baseline {known:.4f}"
        )
    held = [epoch["validation_loss"] for epoch in epochs]
    place = int(np.argmin(held))
    said = f"its validation loss is lowest in epoch {epochs[place]['epoch']:.0f} ({held[place]:.4f})"
    if place == len(epochs) - 1:
        return f"{said}, the last one: more epochs would help"
    return f"{said}, then training loss falls to {last['train_loss']:.4f} and that rises: it learns its rows by heart"


def _printed(entry: Json) -> str:
    told = [f"{name} {' -> '.join(f'{value:.4g}' for value in values)}" for name, values in entry["printed"].items()]
    return ", ".join(told) or "no figures"


def table(entries: dict[str, Json]) -> str:
    """What is printed beside what was measured, of the first -> last epoch, and on test rows."""
    columns = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    widths = (14, 18, *[20] * len(columns), 18, 10)
    lines = [("network", "epochs", *columns, "test", "baseline")]
    for part, entry in entries.items():
        tested = f"{entry['metric']} {entry['test']['test_' + entry['metric']]:.4f}"
        ends = [_arrow(entry["printed"].get(name)) for name in columns]
        lines.append((part, "printed", *ends, _arrow(entry["printed"].get("test_loss")), "-"))
        for title, epochs in (("", entry["epochs"]), (", longer", entry.get("longer", {}).get("epochs"))):
            if epochs:
                ends = [_arrow([epoch[name] for epoch in epochs[:: len(epochs) - 1] if name in epoch])
                        for name in columns]  # fmt: skip
                held = ("-", "-") if title else (tested, f"{entry['baseline']['test']:.4f}")
                lines.append(("", f"{epochs[-1]['epoch']:.0f}{title}", *ends, *held))
    return "\n".join("".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) for line in lines)


def _arrow(values: Sequence[float] | None) -> str:
    return " -> ".join(f"{value:.4f}" for value in values) if values else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--parts", nargs="*", default=[*ESSAYS, GPT2], choices=[*ESSAYS, GPT2])
    parser.add_argument("--longer", action="store_true", help=f"pictures: then {STEPS_OF_60_000:,} steps, too")
    parser.add_argument("--work", type=Path, help="where `gpt2` keeps its checkpoint: killed, it goes on")
    options = parser.parse_args()
    for part in options.parts:
        print(part, flush=True)
        if part == GPT2:
            with tempfile.TemporaryDirectory() as folder:
                entry = written(options.data, options.work or Path(folder))
        else:
            entry = measured(ESSAYS[part], options.data)
        keep(part, entry)
        if options.longer and entry["data"].startswith("image-mnist"):
            entry["longer"] = longer(ESSAYS[part], options.data)
            keep(part, entry)
        record(goal_of(entry))
    print(table(json.loads(FILE.read_text("utf-8"))))


def keep(part: str, entry: Json) -> None:
    """Writes the entry of a part in place of the one before."""
    run = {"machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    entries = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    entries[part] = entry | run
    ordered = {name: entries[name] for name in [*ESSAYS, GPT2] if name in entries}
    write_text(FILE, json.dumps(ordered, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
