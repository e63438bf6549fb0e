"""The one table of predictor formats, and the loading that all of them share."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from windlass.errors import DataError, GateRefused, NotReady, expected
from windlass.predictors import blend
from windlass.predictors.artifact import TOLERANCE, read_golden, read_manifest
from windlass.predictors.contract import Embeds, Engine, Labeller, Predictor
from windlass.predictors.estimator import Estimator
from windlass.predictors.language.writing import Engine as WritingEngine
from windlass.predictors.networks import onnx
from windlass.predictors.series import average, deviation, distance
from windlass.predictors.series.forecaster import SeriesEngine, SeriesForecaster
from windlass.predictors.tables import chain, linear, trees
from windlass.predictors.tagger import Tagger
from windlass.predictors.writer import EmbeddingWriter, Writer
from windlass.records import Manifest

Load = Callable[[Path, Manifest], Predictor]
SCORED: dict[str, Callable[[Manifest, Engine], Predictor]] = {
    "category": Labeller,
    "anomaly": Labeller,
    "number": Estimator,
    "tags": Tagger,
}
"""Kind of the output -> what answers from the scores of an engine."""


def _scoring(load_engine: Callable[[Path, Manifest], Engine]) -> Load:
    """Of an engine that scores rows, whatever the scores are of."""

    def load(folder: Path, manifest: Manifest) -> Predictor:
        made = SCORED.get(manifest.output.kind)
        if made is None:
            raise DataError(
                f"{folder} answers '{manifest.output.kind}' by '{manifest.predictor}', expected {expected(SCORED)}"
            )
        return made(manifest, load_engine(folder, manifest))

    return load


def _writing(module: str) -> Load:
    """Of an engine that writes. Its module is imported when it is first called: only who writes pays for it."""

    def load(folder: Path, manifest: Manifest) -> Predictor:
        engine: WritingEngine = import_module(f"windlass.predictors.{module}").load(folder, manifest)
        return (EmbeddingWriter if isinstance(engine, Embeds) else Writer)(manifest, engine)

    return load


def _foreseeing(module: str) -> Load:
    """Of an engine that foresees; its module is imported when it is first called."""

    def load(folder: Path, manifest: Manifest) -> Predictor:
        engine: SeriesEngine = import_module(f"windlass.predictors.series.{module}").load(folder, manifest)
        return SeriesForecaster(manifest, engine)

    return load


def _later(module: str) -> Load:
    """Of a predictor whose module is imported when it is first called."""

    def load(folder: Path, manifest: Manifest) -> Predictor:
        found: Predictor = import_module(f"windlass.predictors.{module}").load(folder, manifest)
        return found

    return load


def _of_parts(module: str) -> Load:
    """Of a predictor whose module is imported when it is first called, and that loads artifacts inside its own."""

    def load_whole(folder: Path, manifest: Manifest) -> Predictor:
        found: Predictor = import_module(f"windlass.predictors.{module}").load(folder, manifest, load)
        return found

    return load_whole


SCORING: dict[str, Callable[[Path, Manifest], Engine]] = {
    "linear": linear.load,
    "trees": trees.load,
    "chain": chain.load,
    "onnx": onnx.load,
    "deviation": deviation.load,
    "distance": distance.load,
    "blend": lambda folder, manifest: blend.load(folder, manifest, load),
}
WRITING = {
    "excerpt": "retrieval.excerpt",
    "nearest": "retrieval.nearest",
    "ngram": "language.ngram",
    "span": "retrieval.span",
    "language": "language.language",
    "elsewhere": "language.elsewhere",
    "repair": "retrieval.repair",
}
"""Format -> the module of its engine, below `predictors`."""
FORESEEING = {
    "naive": "naive",
    "nlinear": "linear",
    "lag-trees": "trees",
    "local": "local",
    "arima": "local",
    "series-network": "recurrent",
}
"""Format -> the module of its engine, below `predictors/series`."""
FORMATS: dict[str, Load] = {
    **{name: _scoring(load_engine) for name, load_engine in SCORING.items()},
    **{name: _writing(module) for name, module in WRITING.items()},
    **{name: _foreseeing(module) for name, module in FORESEEING.items()},
    "passages": _of_parts("passages.engine"),
    "recommender": _later("recommend.recommender"),
    "tracer": _later("recommend.tracing.labeller"),
    "heatmap": _later("detection.heatmap"),
    "segmentation": _later("segmentation.segmenter"),
    "queries": _later("detection.queries"),
    "average": lambda folder, manifest: SeriesForecaster(manifest, average.load(folder, manifest, load)),
}
"""Every format of an artifact -> what opens it."""


def load(folder: Path) -> Predictor:
    """The predictor of an artifact.

    Raises: DataError: the folder is not one that we can answer from. NotReady: a package that it needs is not here.
    """
    manifest = read_manifest(folder)
    name = manifest.predictor
    if name not in FORMATS:
        raise DataError(f"{folder} asks for predictor '{name}', expected {expected(FORMATS)}")
    try:
        return FORMATS[name](folder, manifest)
    except ModuleNotFoundError as error:
        message = f"'{error.name}' is not installed, expected it to answer by '{name}'"
        raise NotReady(message, "`windlass doctor` says what to install") from None


def load_labeller(folder: Path) -> Labeller:
    """The predictor of an artifact whose answers are labels. Raises: DataError."""
    predictor = load(folder)
    if not isinstance(predictor, Labeller):
        raise DataError(f"{folder} answers '{predictor.manifest.output.kind}', expected labels")
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
