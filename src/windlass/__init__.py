"""Windlass: say what goes in and what comes out; it finds the cheapest model that meets your goal and ships it."""

import os
from typing import TYPE_CHECKING, Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
"""ONNX Runtime 1.29 and later looks up its maker's telemetry host about ten seconds after a session opens, unless this
stands before its import. Every module of the product, and every process that it starts, passes here."""

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Board",
    "Classifier",
    "Client",
    "Forecaster",
    "Project",
    "Regressor",
    "Release",
    "WindlassError",
    "__version__",
    "load",
]

if TYPE_CHECKING:
    from windlass.client import Client
    from windlass.errors import WindlassError
    from windlass.pages.html.notebook import Board
    from windlass.project import Project, load
    from windlass.records import Answer, Release
    from windlass.sklearn.classifier import Classifier
    from windlass.sklearn.forecaster import Forecaster
    from windlass.sklearn.regressor import Regressor

_HOME = {
    "Answer": "records",
    "Board": "pages.html.notebook",
    "Classifier": "sklearn.classifier",
    "Client": "client",
    "Forecaster": "sklearn.forecaster",
    "Project": "project",
    "Regressor": "sklearn.regressor",
    "Release": "records",
    "WindlassError": "errors",
    "load": "project",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'windlass' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"windlass.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """The face alone, before and after parts of it were imported."""
    return __all__
