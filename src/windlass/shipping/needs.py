"""What is installed where an artifact is served: the packages that its answers need, in the versions that are here.

The list is whole, so pip installs it with `--no-deps`: Windlass itself asks for what training needs as well.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import windlass
from windlass.errors import NotReady, SpecError
from windlass.kinds import table as kinds
from windlass.predictors.artifact import read_manifest
from windlass.predictors.blend import part_folder
from windlass.predictors.language.engine import FAST
from windlass.predictors.passages.engine import WRITER
from windlass.predictors.passages.index import packages_of
from windlass.records import Manifest

OWN, WHEELS = "windlass", "wheels"
SERVICE = ("fastapi", "uvicorn", "pydantic", "pyyaml", "typer", "numpy", "safetensors", "markdown-it-py")
"""What every service imports: page and model card, description, routes, command line."""
ENGINES: Mapping[str, tuple[str, ...]] = {
    "linear": (),
    "blend": (),
    "trees": ("lightgbm",),
    "chain": (),
    "naive": (),
    "nlinear": (),
    "lag-trees": ("lightgbm",),
    "average": ("lightgbm",),
    "deviation": (),
    "tracer": ("lightgbm",),
    "distance": (),
    "onnx": ("onnxruntime",),
    "excerpt": (),
    "nearest": (),
    "ngram": (),
    "repair": (),
    "span": ("onnxruntime",),
    "elsewhere": ("httpx",),
    "local": (),
    "arima": ("scipy",),
    "series-network": ("onnxruntime",),
    "heatmap": ("onnxruntime", "pillow"),
    "segmentation": ("onnxruntime", "pillow"),
    "queries": ("onnxruntime", "pillow"),
    "recommender": (),
    "passages": ("lightgbm", "onnxruntime", "tokenizers"),
}
"""Predictor -> what it imports beside; of a language model `_of_language` decides."""
TORCH = ("torch", "transformers", "tokenizers")
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
POSTGRES = ("psycopg", "psycopg-binary")
UNUSED = re.compile(r"tokenizers huggingface-hub|torch (nvidia-.*|cuda-.*|triton)")
"""'package dependency' that is never imported here: for loading from a hub, and for graphics processors."""
ELSEWHERE = re.compile(r"extra|win32|Windows")
"""In a condition: for an extra of the package, or for a system that Windlass does not run on."""
MAKES_WHEEL = "`pip wheel --no-deps .` in a clone of Windlass makes it"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def packages(model: Path, also: Iterable[str] = ()) -> dict[str, str]:
    """Package -> version here, of all that serving this artifact imports and of what those packages ask for.

    Raises: NotReady: one of them is not installed here, so nothing here could have proven it.
    """
    found: dict[str, str] = {OWN: windlass.__version__}
    waiting = [*SERVICE, *of_artifact(model), *also]
    absent = sorted({name for name in waiting if _version(name) is None})
    if absent:
        message = f"{', '.join(absent)}: not installed here, expected it to prove what is shipped"
        raise NotReady(message, f"`pip install {' '.join(absent)}`")
    while waiting:
        name = waiting.pop()
        version = _version(name)
        if name in found or version is None:  # none: for another platform or Python
            continue
        found[name] = version.partition("+")[0]
        waiting += _asked_for(name)
    return dict(sorted(found.items()))


def of_artifact(model: Path) -> list[str]:
    """What its engine and the kinds of its columns import beside the service; a package may stand there twice."""
    manifest = read_manifest(model)
    parts = [part_folder(model, number) for number in range(len(manifest.settings.get("weights", [])))]
    parts += [model / WRITER] if (model / WRITER).is_dir() else []
    of_parts = [name for part in parts for name in of_artifact(part)]
    return [*_of_engine(manifest, model), *_of_columns(manifest), *of_parts]


def _of_columns(manifest: Manifest) -> Iterator[str]:
    for column in manifest.inputs:
        yield from kinds.get(column.kind).needs
        if column.state.get("form") == "pieces":
            yield "tokenizers"


def _of_engine(manifest: Manifest, model: Path) -> tuple[str, ...]:
    if manifest.predictor == "language":
        return _of_language(model)
    found = ENGINES[manifest.predictor]
    if manifest.predictor == "passages":
        found = (*found, *packages_of(model))
    return (*found, "tokenizers") if manifest.settings.get("encoder") else found


def _of_language(model: Path) -> tuple[str, ...]:
    """A language model with a CTranslate2 copy is served by CTranslate2, another one by torch."""
    if (model / FAST).is_dir():
        return ("ctranslate2", "tokenizers")
    return (*TORCH, "llguidance") if _version("llguidance") else TORCH


def _asked_for(name: str) -> Iterator[str]:
    """The packages that a package asks for, without its extras.

    Other conditions (processor, Python) are not judged: where one is not met, the package is not installed here.
    """
    for text in distribution(name).requires or ():
        wanted, _, condition = text.partition(";")
        asked = NAME.match(wanted.strip())
        if asked and not ELSEWHERE.search(condition) and not UNUSED.fullmatch(f"{name} {canonical(asked[0])}"):
            yield canonical(asked[0])


def _version(name: str) -> str | None:
    try:
        return distribution(name).version
    except PackageNotFoundError:
        return None


def canonical(name: str) -> str:
    """The name as packaging compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(chosen: Mapping[str, str]) -> str:
    """requirements.txt of these packages."""
    index = [f"--extra-index-url {TORCH_INDEX}"] if "torch" in chosen else []
    lines = [
        "# All that the service imports, so: pip install --no-deps --find-links wheels --requirement requirements.txt",
        *index,
        *(_line(name, version) for name, version in chosen.items()),
    ]
    return "".join(f"{line}\n" for line in lines)


def _line(name: str, version: str) -> str:
    """Windlass by the path of the wheel that is taken along: under its name an index may have another project."""
    return f"./{WHEELS}/{wheel_name()}" if name == OWN else f"{name}=={version}"


def wheel_name() -> str:
    return f"{OWN}-{windlass.__version__}-py3-none-any.whl"


@cache
def owners() -> Mapping[str, tuple[str, ...]]:
    """Module of the first level -> the packages, installed here, that it comes from."""
    return {module: tuple(map(canonical, found)) for module, found in packages_distributions().items()}


def missing(chosen: Mapping[str, str]) -> list[str]:
    """The modules that can be imported here and not where only these packages are installed."""
    return sorted(module for module, found in owners().items() if not any(owner in chosen for owner in found))


def check_wheel(path: Path) -> Path:
    """A wheel of Windlass in this version. Raises: SpecError, NotReady."""
    wanted = wheel_name()
    if path.name != wanted:
        raise SpecError(f"wheel is '{path.name}', expected '{wanted}'", MAKES_WHEEL)
    if not path.is_file():
        raise NotReady(f"{path} does not exist, expected a wheel", MAKES_WHEEL)
    return path
