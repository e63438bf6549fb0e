"""The system calls of train, evaluate, serve and predict, and of each dependency alone: who is connected or sent to.

Usage: python benchmarks/lookups.py [--seconds 15]
Each runs under strace for so long, since ONNX Runtime looks up its maker's host about ten seconds after a session
opens; the control is the same with ORT_DISABLE_TELEMETRY=0. Writes results/lookups.json and a goal.
"""

import argparse
import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import windlass
from windlass.store.files import write_text

RESULTS = Path(__file__).resolve().parent / "results" / "lookups.json"
SECONDS = 15.0
DNS_PORT = 53
ROW = '{"message": "where is my parcel"}'
SWITCH = "ORT_DISABLE_TELEMETRY"
RUNNER = """
import sys, time
seconds = float(sys.argv.pop(1))
from windlass import cli
from windlass.commands import failures as endings
code = endings.ended(cli.app)
time.sleep(seconds)
sys.exit(code)
"""
"""A command, in a process that stays for so long afterwards: who looks up something late would be gone before."""
SENDS = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg)\(")
ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("([^"]+)"|inet_pton\(AF_INET6, "([^"]+)")')
STAGES: dict[str, tuple[str, ...]] = {
    "train": ("train", "--again"),
    "evaluate": ("evaluate", "--again"),
    "serve": ("serve", "--port", "0"),
    "predict": ("predict", ROW),
}
DEPENDENCIES = {
    "onnxruntime": "import onnxruntime, pathlib\npath = next(pathlib.Path('.').rglob('model.onnx'))\n"
    "session = onnxruntime.InferenceSession(path)",
    "torch": "import torch\nmodel = torch.nn.Linear(4, 2)\nmodel(torch.zeros(1, 4)).sum().backward()",
    "transformers": "import transformers\nconfig = transformers.BertConfig(hidden_size=32, num_hidden_layers=1, "
    "num_attention_heads=2, intermediate_size=32, vocab_size=99)\ntransformers.BertModel(config)",
    "polars": "import polars\npolars.DataFrame({'a': [1, 2]}).lazy().group_by('a').len().collect()",
    "lightgbm": "import lightgbm, numpy\nlightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit("
    "numpy.arange(80.).reshape(40, 2), numpy.arange(40) % 2)",
    "scikit-learn": "import sklearn.linear_model, numpy\nsklearn.linear_model.LogisticRegression().fit("
    "numpy.arange(8.).reshape(4, 2), [0, 1, 0, 1])",
    "ctranslate2": "import ctranslate2\nctranslate2.get_supported_compute_types('cpu')",
    "huggingface_hub": "from huggingface_hub import constants\nconstants.HF_HUB_CACHE",
    "tokenizers": "import tokenizers\nfrom tokenizers import models\ntokenizers.Tokenizer(models.BPE())",
    "trl": "import trl\nfrom trl import DPOConfig",
    "peft": "import peft\npeft.LoraConfig()",
    "fastapi": "import fastapi, uvicorn\nfastapi.FastAPI().openapi()",
    "httpx": "import httpx\nhttpx.HTTPTransport()",
    "opentelemetry": "import opentelemetry.sdk.trace",
    "onnx": "import onnx",
    "llguidance": "import llguidance",
    "pillow": "import PIL.Image\nPIL.Image.new('RGB', (8, 8)).resize((4, 4))",
}
"""Imported and used as Windlass uses it, but without it: nothing of ours switches anything off."""


@dataclass(frozen=True)
class Traced:
    """What a program sent. code: its exit; calls: to anywhere but this machine, and to any name server."""

    name: str
    code: int
    calls: tuple[str, ...]


def outside(trace: str) -> list[str]:
    """The calls that leave the machine, and those to a name server, which may sit on this one: it would ask on."""
    found = []
    for line in trace.splitlines():
        said = ADDRESS.search(line) if SENDS.search(line) else None
        if said and (int(said[1]) == DNS_PORT or not ipaddress.ip_address(said[2] or said[3]).is_loopback):
            found.append(line.partition(" ")[2].strip())
    return found


def traced(name: str, order: list[str], folder: Path, switch: str = "1", seconds: float = SECONDS) -> Traced:
    """Runs the program for so long and then ends it; switch: ORT_DISABLE_TELEMETRY, `` leaves it to Windlass."""
    environment = {key: value for key, value in os.environ.items() if key != SWITCH}
    environment |= {SWITCH: switch} if switch else {}
    environment["PYTHONPATH"] = str(Path(windlass.__file__).parent.parent)
    with tempfile.NamedTemporaryFile(prefix="windlass-trace-") as file:
        strace = ["strace", "-f", "-s", "200", "-e", "trace=%network", "-o", file.name]
        with subprocess.Popen([*strace, *order], cwd=folder, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, start_new_session=True) as process:  # fmt: skip
            ending = threading.Timer(seconds + 240, os.killpg, (process.pid, signal.SIGKILL))
            ending.start()
            if "serve" in order:
                _ask(process, seconds)
            _, errors = process.communicate()
            ending.cancel()
        if process.returncode not in (0, 130):
            raise RuntimeError(f"{name} ended with {process.returncode}: {errors[-2000:]}")
        return Traced(name, process.returncode, tuple(outside(Path(file.name).read_text("utf-8", "replace"))))


def _ask(process: "subprocess.Popen[str]", seconds: float) -> None:
    """Waits for the service, asks it one row, and stops it after so long."""
    from windlass.client import Client

    assert process.stdout is not None
    line = next(each for each in process.stdout if "http://" in each)
    with Client(re.search(r"http://[\d.]+:\d+", line)[0]) as client:  # type: ignore[index]
        client.predict([json.loads(ROW)])
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)


def command(word: str, project: Path, seconds: float = SECONDS) -> list[str]:
    """A command as a process that stays for so long afterwards."""
    held = 0.0 if word == "serve" else seconds
    return [sys.executable, "-c", RUNNER, str(held), *STAGES[word], "--project", str(project)]


def alone(name: str, seconds: float = SECONDS) -> list[str]:
    """A dependency without Windlass, in a process that stays for so long."""
    return [sys.executable, "-c", f"{DEPENDENCIES[name]}\nimport time\ntime.sleep({seconds})"]


def network_project(folder: Path) -> Path:
    """A released product whose model is a network, so that ONNX Runtime answers."""
    labels = {"refund": "money back please", "delivery": "where is my parcel", "account": "cannot log in"}
    rows = [f"{list(labels.values())[n % 3]} number {n},{list(labels)[n % 3]}" for n in range(90)]
    write_text(folder / "data.csv", "\n".join(["message,intent", *rows, ""]))
    spec = "name: desk\ndata: data.csv\ninputs: {message: text}\noutput: {intent: category}\n"
    write_text(folder / "windlass.yaml", spec + "learners: [cnn]\nminutes: 1\n")
    from windlass.project import Project

    Project(folder).release()
    return folder


def main() -> None:
    from goals import Goal, record

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=SECONDS)
    seconds = options.parse_args().seconds
    if shutil.which("strace") is None:
        sys.exit("strace is not here, expected it to look at system calls")
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(4) as pool:
        home = network_project(Path(place) / "desk")
        ours = [traced(word, command(word, home, seconds), home, "", seconds) for word in STAGES]
        control = traced("predict, telemetry on", command("predict", home, seconds), home, "0", seconds)
        others = list(pool.map(lambda name: traced(name, alone(name, seconds), home, "", seconds), DEPENDENCIES))
    rows = [asdict(each) for each in (*ours, control, *others)]
    write_text(RESULTS, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    n_calls, talkers = sum(len(each.calls) for each in ours), [each.name for each in others if each.calls]
    record(Goal(
        "mended", "no outside look-up",
        "system calls of train, evaluate, serve, predict, 15 s each: no address but loopback",
        f"{n_calls} calls leave the machine; control with {SWITCH}=0: {len(control.calls)} calls to a name server",
        n_calls == 0 and len(control.calls) > 0,
        f"of {len(others)} dependencies alone, {', '.join(talkers) or 'none'} asks a name server"
        + ("; Windlass switches it off" if talkers == ["onnxruntime"] else ""),
    ))  # fmt: skip


if __name__ == "__main__":
    main()
