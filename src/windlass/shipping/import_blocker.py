"""Runs a command as where only what is shipped is installed.

`python -m windlass.shipping.import_blocker a,b windlass.cli serve ...`: modules that cannot
be imported, then the one to run.
"""

import runpy
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, DistributionFinder
from types import ModuleType


class ImportBlocker(DistributionFinder):
    """Finds modules as Python does, but for some of the first level and all below them."""

    def __init__(self, absent: Iterable[str]) -> None:
        self.absent = frozenset(absent)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return None if name.partition(".")[0] in self.absent else PathFinder.find_spec(name, path, target)

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterable[Distribution]:
        return PathFinder.find_distributions(context or DistributionFinder.Context())


def enclose(absent: Iterable[str]) -> None:
    """From now on this process finds none of these modules, as if they were not installed."""
    fence = ImportBlocker(absent)
    sys.meta_path[:] = [fence if finder is PathFinder else finder for finder in sys.meta_path]


def main() -> None:
    enclose(sys.argv.pop(1).split(","))
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
