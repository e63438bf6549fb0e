"""What the workers of a group have counted, as one text for Prometheus, whichever of them is asked.

Each writes its own counts every second. Counters and histograms are summed, also those of workers that have died, so
that none goes down; a gauge is each worker's own and says which.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

logger = logging.getLogger("windlass.serving")
GONE, FIRST = "gone", "1"
"""Names: of the workers that have died, and of the first of those that live."""
EVERY_S = 1.0


class MultiprocessMetrics:
    """One worker's hand in the shared folder; the group itself uses it with the name `gone`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._is_told = False

    def tell(self, text: str) -> None:
        """What this worker has counted so far. Never raises: a full disk makes the counts of others old."""
        try:
            _write(self._path(self.name), text)
            self._is_told = True
        except OSError:
            if self._is_told:
                logger.warning("counts of worker %s cannot be written", self.name, exc_info=True)
            self._is_told = False

    def together(self, text: str) -> str:
        """All counts; this worker's are the text's, those of others at most a second old."""
        with self._locked():
            others = {path.stem: _read(path) for path in sorted(self.folder.glob("*.prom")) if path.stem != self.name}
        gone = others.pop(GONE, "")
        return summed({**others, self.name: text}, gone)

    def retire_worker(self, name: str) -> None:
        """The worker of this name has died: its counters are kept, its gauges are not."""
        with self._locked(), suppress(FileNotFoundError):
            last = _read(self._path(name))
            with suppress(FileNotFoundError):
                last += _read(self._path(GONE))
            _write(self._path(GONE), summed({}, last))
            self._path(name).unlink()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.prom"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "shared_metrics.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def summed(texts: dict[str, str], gone: str = "") -> str:
    """The texts of workers by their names as one. gone: texts whose gauges are left out."""
    heads: dict[str, list[str]] = {}
    totals: dict[str, dict[str, float]] = {}
    for worker, text in [*sorted(texts.items()), ("", gone)]:
        for family, kind, sample, value in _samples(text, heads):
            found = totals.setdefault(family, {})
            if kind != "gauge":
                found[sample] = found.get(sample, 0.0) + value
            elif worker:
                found[_labelled(sample, worker)] = value
    lines = [line for family in heads for line in [*heads[family], *_lines(totals.get(family, {}))]]
    return "\n".join(lines) + "\n"


def _lines(samples: dict[str, float]) -> list[str]:
    return [f"{sample} {value:.10g}" for sample, value in samples.items()]


def _samples(text: str, heads: dict[str, list[str]]) -> Iterator[tuple[str, str, str, float]]:
    """Family, its kind, the sample with its labels, its value. heads: gets the lines that tell of each family."""
    family = kind = ""
    for line in text.split("\n"):  # a label may hold what else ends a line
        if line.startswith("# HELP "):
            family = line.split(" ", 3)[2]
            heads.setdefault(family, []).extend([line] if not heads.get(family) else [])
        elif line.startswith("# TYPE "):
            kind = line.split(" ", 3)[3]
            heads[family].extend([line] if len(heads[family]) == 1 else [])
        elif line:
            sample, _, value = line.rpartition(" ")
            yield family, kind, sample, float(value)


def _labelled(sample: str, worker: str) -> str:
    name, bracket, labels = sample.partition("{")
    return f'{name}{{worker="{worker}"{"," + labels if bracket else "}"}'


def _read(path: Path) -> str:
    """As it was written: `read_text` would end a line at each carriage return."""
    return path.read_bytes().decode("utf-8")


def _write(path: Path, text: str) -> None:
    """No sync: the folder goes with the group."""
    aside = path.with_suffix(f".{os.getpid()}")
    aside.write_bytes(text.encode("utf-8"))
    os.replace(aside, path)
