"""The one table of predictor formats, and the loading that all of them share."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from windlass.errors import DataError, GateRefused, NotReady, expected
from windlass.predictors import blend, linear, onnx, trees
from windlass.predictors.artifact import TOLERANCE, read_golden, read_manifest
from windlass.predictors.contract import Embeds, Engine, Labeller, Predictor
from windlass.predictors.writer import EmbeddingWriter, Writer
from windlass.predictors.writing import Engine as WritingEngine
from windlass.records import Manifest

LABELLING: dict[str, Callable[[Path, Manifest], Engine]] = {
    "linear": linear.load,
    "trees": trees.load,
    "onnx": onnx.load,
    "blend": lambda folder, manifest: blend.load(folder, manifest, load_labeller),
}


def _later(module: str) -> Callable[[Path, Manifest], WritingEngine]:
    """A `load` whose module is imported when it is first called: only who writes pays for what writing needs."""

    def load(folder: Path, manifest: Manifest) -> WritingEngine:
        return import_module(f"windlass.predictors.{module}").load(folder, manifest)

    return load


WRITING: dict[str, Callable[[Path, Manifest], WritingEngine]] = {
    "excerpt": _later("excerpt"),
    "nearest": _later("nearest"),
    "ngram": _later("ngram"),
    "span": _later("span"),
    "language": _later("language"),
    "elsewhere": _later("elsewhere"),
    "repair": _later("repair"),
}


def load(folder: Path) -> Predictor:
    """The predictor of an artifact.

    Raises: DataError: the folder is not one that we can answer from. NotReady: a package that it needs is not here.
    """
    manifest = read_manifest(folder)
    name, written = manifest.predictor, manifest.output.kind == "text"
    known = WRITING if written else LABELLING
    if name not in known:
        raise DataError(f"{folder} asks for predictor '{name}', expected {expected(known)}")
    try:
        if written:
            engine = WRITING[name](folder, manifest)
            return (EmbeddingWriter if isinstance(engine, Embeds) else Writer)(manifest, engine)
        return Labeller(manifest, LABELLING[name](folder, manifest))
    except ModuleNotFoundError as error:
        message = f"'{error.name}' is not installed, expected it to answer by '{name}'"
        raise NotReady(message, "`windlass doctor` says what to install") from None


def load_labeller(folder: Path) -> Labeller:
    """The predictor of an artifact whose answers are labels. Raises: DataError."""
    predictor = load(folder)
    if not isinstance(predictor, Labeller):
        raise DataError(f"{folder} writes texts, expected labels")
    return predictor


def replay(predictor: Predictor, folder: Path) -> float:
    """Answers the artifact's golden rows again; gives the largest difference.

    Raises: GateRefused: an answer differs from what the trained model gave.
    """
    rows, wanted = read_golden(folder)
    difference = predictor.difference(rows, wanted)
    if not difference <= TOLERANCE:
        raise GateRefused(
            f"{folder.name} answers its golden rows with a difference of {difference:.2g}, "
            f"expected at most {TOLERANCE:g} from the trained model",
            "train it again with this version of Windlass",
        )
    return difference
