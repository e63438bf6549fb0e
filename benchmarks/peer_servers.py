"""The peers of benchmarks/serving.py, each served as its own quick start has it. Runs in the peers' environment.

Usage: python peer_servers.py prepare ROWS.csv FOLDER ENCODER           makes their models in FOLDER
       python peer_servers.py prepare-mlflow ROWS.csv FOLDER ENCODER    and MLflow's copies of them
       python peer_servers.py PEER MODEL FOLDER PORT                    serves one; MODEL is text or linear
       python peer_servers.py onnx text FOLDER PORT                     FOLDER: `model` of a release of ours
`text` is the MiniLM encoder of the folder ENCODER with a random head, behind a `transformers` pipeline; `linear` is
TF-IDF of words and characters with a linear SVM, a scikit-learn pipeline fitted on the rows. Quick starts, 2026-11:
fastapi.tiangolo.com; mlflow.org/docs/latest/ml/deployment; docs.bentoml.com; lightning.ai/docs/litserve;
docs.ray.io/en/latest/serve.
"""

import csv
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

N_LABELS = 20
LINEAR = "linear.joblib"
FRAMEWORK, MODEL, FOLDER = "PEER_FRAMEWORK", "PEER_MODEL", "PEER_FOLDER"
"""What BentoML and LitServe read from the environment, since their processes import this file by name."""


def prepare(rows: Path, folder: Path, encoder: str) -> None:
    """Makes both models."""
    import joblib
    import torch
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(13)
    model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=N_LABELS, local_files_only=True)
    model.save_pretrained(folder / "text")
    AutoTokenizer.from_pretrained(encoder, local_files_only=True).save_pretrained(folder / "text")
    with rows.open(encoding="utf-8", newline="") as file:
        texts, labels = zip(*list(csv.reader(file))[1:], strict=True)
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True)
    joblib.dump(make_pipeline(make_union(words, characters), LinearSVC(C=0.3)).fit(texts, labels), folder / LINEAR)


def prepare_mlflow(folder: Path) -> None:
    """Has MLflow save both models in its own form."""
    import joblib
    import mlflow.sklearn
    import mlflow.transformers

    mlflow.sklearn.save_model(joblib.load(folder / LINEAR), folder / "mlflow-linear", pip_requirements=[])
    mlflow.transformers.save_model(hugging_face(folder), folder / "mlflow-text", pip_requirements=[])


def hugging_face(folder: Path) -> Any:
    from transformers import pipeline

    return pipeline("text-classification", model=str(folder / "text"), tokenizer=str(folder / "text"))


def load(model: str, folder: str) -> Callable[[str], Any]:
    """Answers one text."""
    if model == "text":
        classify = hugging_face(Path(folder))
        return lambda message: classify(message)[0]
    import joblib

    fitted = joblib.load(Path(folder) / LINEAR)
    return lambda message: {"label": str(fitted.predict([message])[0])}


def fastapi(model: str, folder: str, port: int) -> None:
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    answer = load(model, folder)
    app = FastAPI()

    class Question(BaseModel):
        message: str

    @app.post("/predict")
    def predict(question: Question) -> dict:
        return answer(question.message)

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def onnx(model: str, folder: str, port: int) -> None:
    """FastAPI in front of ONNX Runtime with dynamic batching, as one writes it by hand: what waits while the engine is
    busy is the next batch, 32 at most. Runs in our environment, with our graph: the same numbers to compute."""
    import asyncio
    import json
    from concurrent.futures import ThreadPoolExecutor

    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    from serving import onnx_answer

    state = json.loads((Path(folder) / "manifest.json").read_text("utf-8"))["inputs"][0]["state"]
    answer, thread, waiting = onnx_answer(Path(folder) / "model.onnx", state), ThreadPoolExecutor(1), []
    app, busy = FastAPI(), [False]

    class Question(BaseModel):
        message: str

    async def work() -> None:
        while waiting:
            batch, waiting[:] = waiting[:32], waiting[32:]
            texts = [text for text, _ in batch]
            found = (await asyncio.get_running_loop().run_in_executor(thread, answer, texts))[0]
            for (_, turn), scores in zip(batch, found, strict=True):
                turn.set_result({"label": int(scores.argmax()), "score": float(scores.max())})
        busy[0] = False

    tasks = set()

    @app.post("/predict")
    async def predict(question: Question) -> dict:
        turn = asyncio.get_running_loop().create_future()
        waiting.append((question.message, turn))
        if not busy[0]:
            busy[0] = True
            task = asyncio.create_task(work())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return await turn

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def litserve(model: str, folder: str, port: int) -> None:
    """Its worker process imports the class by name."""
    os.chdir(Path(__file__).parent)
    os.environ |= {MODEL: model, FOLDER: folder, FRAMEWORK: "litserve"}
    os.execv(sys.executable, [sys.executable, "-c", f"import peer_servers; peer_servers.serve_api({port})"])


def serve_api(port: int) -> None:
    server = lit.LitServer(Api(), accelerator="cpu")
    server.run(port=port, generate_client_file=False, log_level="warning", num_api_servers=1)


def ray(model: str, folder: str, port: int) -> None:
    import signal

    import ray as cluster
    from ray import serve
    from starlette.requests import Request

    @serve.deployment
    class Text:
        def __init__(self) -> None:
            self.answer = load(model, folder)

        async def __call__(self, request: Request) -> dict:
            return self.answer((await request.json())["message"])

    found = {"env_vars": {"PYTHONPATH": str(Path(__file__).parent)}}
    cluster.init(num_cpus=2, include_dashboard=False, runtime_env=found)
    serve.start(http_options={"port": port})
    serve.run(Text.bind(), route_prefix="/predict")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    cluster.shutdown()


def mlflow(model: str, folder: str, port: int) -> None:
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it runs `uvicorn` by that name
    command = ["mlflow", "models", "serve", "-m", f"{folder}/mlflow-{model}", "-p", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", *command, "--env-manager", "local", "--workers", "1"])


def bentoml(model: str, folder: str, port: int) -> None:
    os.environ |= {MODEL: model, FOLDER: folder, FRAMEWORK: "bentoml"}
    where = ["--working-dir", str(Path(__file__).parent), "--port", str(port), "--host", "127.0.0.1"]
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", "serve", "peer_servers:Text", *where])


if os.environ.get(FRAMEWORK) == "litserve":
    import litserve as lit

    class Api(lit.LitAPI):
        """LitServe's service."""

        def setup(self, device: str) -> None:
            self.answer = load(os.environ[MODEL], os.environ[FOLDER])

        def decode_request(self, request: dict) -> str:
            return request["message"]

        def predict(self, message: str) -> dict:
            return self.answer(message)

        def encode_response(self, output: dict) -> dict:
            return output


if os.environ.get(FRAMEWORK) == "bentoml":
    import bentoml as bento

    @bento.service
    class Text:
        """BentoML's service."""

        def __init__(self) -> None:
            self.answer = load(os.environ[MODEL], os.environ[FOLDER])

        @bento.api
        def predict(self, message: str) -> dict:
            return self.answer(message)


PEERS = {"onnx": onnx, "fastapi": fastapi, "mlflow": mlflow, "bentoml": bentoml, "litserve": litserve, "ray": ray}


def main() -> None:
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
        return
    if sys.argv[1] == "prepare-mlflow":
        prepare_mlflow(Path(sys.argv[3]))
        return
    name, model, folder, port = sys.argv[1:]
    PEERS[name](model, folder, int(port))


if __name__ == "__main__":
    main()
