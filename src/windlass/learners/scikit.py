"""scikit-learn, imported without what it only might need: scipy.stats and pandas, two thirds of its two seconds."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

STATISTICS, FRAMES = "scipy.stats", "pandas"


class _Later:
    """A function or a class of a module that is imported when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self._place = module, name

    def _found(self) -> Any:
        module, name = self._place
        return getattr(import_module(module), name)

    def __call__(self, *values: Any, **named: Any) -> Any:
        return self._found()(*values, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found(), name)


class _Deferred(ModuleType):
    """Stands where a module is asked for; gives what imports the true one when it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.__name__, name)


@contextmanager
def _without() -> Iterator[None]:
    """For the imports inside, scipy.stats is a stand-in and pandas is not installed; not where they are loaded."""
    stand_ins: dict[str, Any] = {STATISTICS: _Deferred(STATISTICS), FRAMES: None}  # None: "is not there", to imports
    put = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update(put)
    try:
        yield
    finally:
        for name, module in put.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def load() -> None:
    """Imports the linear models of scikit-learn; nothing where it is loaded already."""
    if "sklearn" in sys.modules:
        return
    with _without():
        import_module("sklearn.linear_model")
        import_module("sklearn.svm")
