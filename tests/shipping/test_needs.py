"""What is shipped is exactly what is imported: nothing that answers is left out, nothing is installed for nothing."""

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from windlass.errors import GateRefused, NotReady
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.language.engine import FAST, MODEL
from windlass.predictors.table import FORMATS, load
from windlass.predictors.tables.linear import write_weights
from windlass.project import Project
from windlass.records import Column, Manifest
from windlass.shipping import needs, product, trial
from windlass.testing.checks import tiny_tokenizer

from ..learners import writers
from ..predictors import artifacts, test_excerpt, test_language, test_nearest, test_ngram, test_span

ANSWER = """
import json, sys
from pathlib import Path
from windlass.shipping.import_blocker import enclose
enclose(sys.argv[2].split(","))
from windlass.predictors.artifact import read_golden
from windlass.outputs.table import explain
from windlass.predictors.table import load, replay
folder = Path(sys.argv[1])
predictor = load(folder)
replay(predictor, folder)
if predictor.manifest.output.kind != "text":
    explain(predictor, read_golden(folder)[0][:1])
"""
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAAAAACMmsGiAAAAEElEQVR4nGNgcGj4z4BKAAA/cgb9ZIiU9gAAAABJRU5ErkJggg=="
"""4 x 4 grey pixels."""
PHOTO = Column("photo", "image", {"form": "pixels", "size": 4, "channels": 1, "mean": [0.0], "deviation": [1.0]})


def of_pictures(folder: Path) -> Path:
    """Linear, and blind: the bias alone answers."""
    rows, logits = [{"photo": PICTURE}], [[1.0, -1.0]]
    artifacts.write(folder, artifacts.manifest("linear", PHOTO), rows, artifacts.shares(np.array(logits)))
    write_weights(folder, [np.zeros((16, 2), np.float32)], np.array([1, -1], np.float32))
    return folder


def of_pieces(folder: Path) -> Path:
    """The sum of the pieces' ids: 'a' is 2 and 'e' is 3."""
    state = {"form": "pieces", "tokenizer": tiny_tokenizer(), "length": 8, "pad": 0}
    made = artifacts.manifest("onnx", Column("message", "text", state))
    artifacts.write(folder, made, [{"message": "a e"}], artifacts.shares(np.array([[0.0, 5.0]])))
    (folder / "model.onnx").write_bytes(artifacts.graph())
    return folder


def of_an_encoder(folder: Path) -> Path:
    return test_span.artifact(folder, encoder=test_span.ENCODER)


MADE: dict[str, tuple[Callable[[Path], Path], set[str]]] = {
    "linear": (artifacts.linear, set()),
    "pictures": (of_pictures, {"pillow"}),
    "trees": (artifacts.trees, {"lightgbm"}),
    "onnx": (artifacts.onnx, {"onnxruntime"}),
    "pieces": (of_pieces, {"onnxruntime", "tokenizers"}),
    "blend": (artifacts.blend, {"lightgbm"}),
    "excerpt": (test_excerpt.artifact, set()),
    "nearest": (test_nearest.artifact, set()),
    "ngram": (test_ngram.artifact, set()),
    "span": (test_span.artifact, {"onnxruntime"}),
    "span of an encoder": (of_an_encoder, {"onnxruntime", "tokenizers"}),
}
"""Artifacts by hand, and what each needs beside the service; the blend, what its parts need."""


def modules_of(packages: Iterable[str]) -> set[str]:
    owned = set(packages)
    return {module for module, owners in needs.owners().items() if owned.intersection(owners)}


def answered(folder: Path, absent: Iterable[str]) -> subprocess.CompletedProcess[str]:
    """A process that answers the golden rows and explains one, without these modules."""
    command = [sys.executable, "-c", ANSWER, str(folder), ",".join(absent)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", MADE)
def test_an_artifact_names_what_it_needs_beside_the_service(name: str, tmp_path: Path) -> None:
    make, own = MADE[name]
    assert set(needs.of_artifact(make(tmp_path / "artifact"))) == own


@pytest.mark.parametrize("name", ["pictures", "pieces", "blend", "excerpt", "nearest", "ngram", "span of an encoder"])
def test_a_predictor_answers_with_its_packages_and_with_none_of_them_less(name: str, tmp_path: Path) -> None:
    """The control: without one of them it does not answer, and says which one it lacks."""
    make, own = MADE[name]
    folder = make(tmp_path / "artifact")
    absent = needs.missing(needs.packages(folder))
    found = answered(folder, absent)
    assert found.returncode == 0, found.stderr
    for package in own:
        modules = modules_of([package])
        less = answered(folder, [*absent, *modules])
        assert less.returncode == 1
        assert any(f"'{module}" in less.stderr for module in modules), less.stderr


def test_a_product_whose_texts_are_written_elsewhere_needs_what_asks(tmp_path: Path) -> None:
    """The one predictor that asks over HTTP."""
    columns = (Column("said", "text"),)
    write_manifest(tmp_path, Manifest("elsewhere", "elsewhere", columns, Column("answer", "text")))
    assert needs.of_artifact(tmp_path) == ["httpx"]
    assert "httpcore" in needs.packages(tmp_path)


@pytest.mark.slow
def test_a_language_model_with_a_copy_for_ctranslate2_answers_without_torch(tmp_path: Path) -> None:
    """Slow because making it needs torch. The control: without CTranslate2 it looks for torch, which is not there."""
    from ctranslate2.converters import TransformersConverter

    folder = tmp_path / "artifact"
    writers.decoder(folder / MODEL)
    TransformersConverter(str(folder / MODEL)).convert(str(folder / FAST))
    settings = {"template": test_language.TEMPLATE.as_json(), "writing": {"max_tokens": 6}}
    columns = (Column("said", "text"),)
    write_manifest(folder, Manifest("language", "llm", columns, Column("answer", "text"), settings=settings))
    rows = [{"said": "ab"}, {"said": "cd cd"}]
    write_golden(folder, rows, [answer.value for answer in load(folder).answer(rows)])
    absent = needs.missing(needs.packages(folder))
    assert {"torch", "transformers", "huggingface_hub"} <= set(absent)
    found = answered(folder, absent)
    assert found.returncode == 0, found.stderr
    assert "needs torch" in answered(folder, [*absent, "ctranslate2"]).stderr


def ask(url: str, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    place = urlsplit(url)
    with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)) as connection:
        content = None if body is None else json.dumps(body).encode()
        connection.request(method, path, content, {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()


@contextmanager
def serving(folder: Path, absent: Iterable[str]) -> Iterator[tuple[str, set[str]]]:
    """`windlass serve` without these modules: its URL, and, once it has ended, the modules that it imported."""
    command = ["-X", "importtime", "-m", "windlass.shipping.import_blocker", ",".join(absent), "windlass.cli"]
    serve = ["serve", "--project", str(folder), "--port", "0"]
    imported: set[str] = set()
    with (
        (folder / "said.txt").open("w+") as said,
        subprocess.Popen([sys.executable, *command, *serve], stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), imported
        finally:
            process.terminate()
            assert process.wait(60) == 0
        imported |= set(re.findall(r"\| +(\w+)", (folder / "said.txt").read_text(encoding="utf-8")))


RARE = {"rich", "pygments", "idna"}
"""What the command line's mistakes and hosts with letters beyond ASCII are told with, by typer and by anyio."""


def test_a_service_does_all_that_it_offers_with_its_packages_and_imports_each_of_them(
    project: Project, tmp_path: Path
) -> None:
    chosen = product.champion(project.spec, project.store, None)
    product.write_project(chosen, tmp_path)
    packages = needs.packages(chosen.model)
    assert not packages.keys() & {"polars", "scipy", "scikit-learn", "lightgbm", "onnxruntime", "tokenizers", "pillow"}
    row = chosen.golden[0]
    with serving(tmp_path, needs.missing(packages)) as (url, imported):
        status, content = ask(url, "POST", "/v1/predict", {"row": row})
        assert status == 200, content
        id = json.loads(content)["answers"][0]["id"]
        for path in ("/v1/explain", "/v1/jobs"):
            assert ask(url, "POST", path, {"rows": [row]})[0] in (200, 202), path
        assert ask(url, "POST", "/v1/feedback", {"id": id, "right": True})[0] == 200
        for path in ("/", "/metrics", "/openapi.json", "/v1/releases", "/v1/examples", "/watch", "/health", "/v2"):
            assert ask(url, "GET", path)[0] == 200, path
    unused = {package for package in packages.keys() - {"windlass"} if not modules_of([package]) & imported}
    assert unused == RARE


def test_a_command_that_needs_what_is_not_installed_says_who_knows(project: Project) -> None:
    fence = [sys.executable, "-m", "windlass.shipping.import_blocker", "polars", "windlass.cli"]
    command = ["collect", "--again", "--project", str(project.folder)]
    found = subprocess.run([*fence, *command], capture_output=True, text=True, check=False)
    assert found.returncode == 4
    assert found.stderr.endswith(
        "error: 'polars' is not installed, expected it for this command\nhint: `windlass doctor` says what to install\n"
    )


def test_a_release_is_shipped_only_when_it_answers_without_what_is_left_out(project: Project) -> None:
    """The control: one package too few."""
    chosen = product.champion(project.spec, project.store, None)
    absent = [*needs.missing(needs.packages(chosen.model)), *modules_of(["safetensors"])]
    with pytest.raises(GateRefused, match="'safetensors' is not installed"):
        trial.measure(chosen, absent)


def test_what_is_not_installed_here_cannot_be_proven_and_is_not_shipped(tmp_path: Path) -> None:
    folder = artifacts.linear(tmp_path / "artifact")
    with pytest.raises(NotReady, match=r"nor-this, not-here: not installed here"):
        needs.packages(folder, ("nor-this", "not-here"))


def test_every_predictor_has_its_line() -> None:
    assert {*needs.ENGINES, "language"} == set(FORMATS)
