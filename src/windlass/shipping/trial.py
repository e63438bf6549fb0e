"""Serves what is to be shipped once, as it will be served there, and measures its memory and its start."""

import http.client
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from windlass.errors import GateRefused
from windlass.remote.consent import ALLOWED
from windlass.shipping.product import Product, write_project

START_S, ANSWER_S, STOP_S = 300.0, 150, 30
BATCH_ROWS, BATCHES = 256, 3
MEBIBYTE = 1024 * 1024
HELD_MIB = 128
"""Request bytes that a service may hold at once (`Settings.max_held_bytes`): the trial cannot show them."""
OWN = ("WINDLASS_",)
"""Variables that this program must not hand to the trial: another database, keys that are not its own."""


@dataclass(frozen=True)
class TrialRun:
    """What one server needed. memory_mib: most resident memory, all its processes, over golden rows, full batches and
    the heaviest values.

    start_s: from the command to a server that has answered its golden rows right.
    """

    memory_mib: int
    start_s: float

    @property
    def request_mib(self) -> int:
        """Memory to ask of a scheduler: what was needed and a quarter more, in steps of 32."""
        return _steps(self.memory_mib * 1.25)

    @property
    def limit_mib(self) -> int:
        """Memory after which it may be killed: twice what was needed, and all the requests that it may hold."""
        return _steps(self.memory_mib * 2 + HELD_MIB)

    @property
    def start_tries(self) -> int:
        """Looks at its health, 2 s apart, after which it did not start: ten times what it took here, at least 60 s."""
        return max(30, int(5 * self.start_s) + 1)


def _steps(mebibytes: float, step: int = 32) -> int:
    return int(-(-mebibytes // step) * step)


def measure(product: Product, absent: Iterable[str] = ()) -> TrialRun:
    """Serves the product by `windlass serve`, which proves its golden rows before it says where it is.

    Labels are asked for in full batches afterwards, and of the value that takes most memory in each column; a product
    that writes answers its golden rows alone.

    Args:   absent: modules that cannot be imported where it will be served, and so not here.
    Raises: GateRefused: it did not start, or did not answer; with what it said.
    """
    rows = [] if product.is_writing else product.golden
    with tempfile.TemporaryDirectory(prefix="windlass-trial-") as place:
        folder = Path(place) / "project"
        write_project(product, folder)
        serve = ["serve", "--project", str(folder), "--port", "0"]
        command = [sys.executable, "-m", "windlass.shipping.import_blocker", ",".join(absent), "windlass.cli", *serve]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(OWN) or name == ALLOWED}
        started = time.perf_counter()
        with (
            (Path(place) / "errors").open("w+b") as errors,
            subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=errors) as process,
        ):
            try:
                url = _url(process)
                start_s = time.perf_counter() - started
                _ask(url, rows, product.heaviest if rows else [])
                memory = sum(_peak_bytes(id) for id in _family(process.pid))
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise GateRefused(f"trial failed ({error}), expected the service to run; {_told(errors)}") from None
            finally:
                _stop(process)
    return TrialRun(-(-memory // MEBIBYTE), start_s)


def _url(process: "subprocess.Popen[bytes]") -> str:
    """The address that the server prints once it is proven. Raises: ValueError: it stopped, or is too late."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline().decode() if selector.select(START_S) else ""
    found = re.search(r"http://\S+", line)
    if not found:
        raise ValueError(f"it said {line.strip()[:200]!r} within {START_S:g} s, expected its address")
    return found[0]


def _ask(url: str, rows: list[Any], heaviest: list[Any]) -> None:
    for _ in range(BATCHES if rows else 0):  # 413: rows of pictures may be too large together
        _post(url, [rows[number % len(rows)] for number in range(BATCH_ROWS)], (200, 413))
    for row in heaviest:
        _post(url, [row], (200,))


def _post(url: str, rows: list[Any], allowed: tuple[int, ...]) -> None:
    place = urlsplit(url)
    with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=ANSWER_S)) as connection:
        connection.request(
            "POST", "/v1/predict", json.dumps({"rows": rows}).encode(), {"content-type": "application/json"}
        )
        response = connection.getresponse()
        response.read()
        if response.status not in allowed:
            raise ValueError(f"a batch of golden rows was answered with status {response.status}, expected 200")


def _family(id: int) -> list[int]:
    """The process and those that it started."""
    path = Path(f"/proc/{id}/task/{id}/children")
    children = [int(each) for each in path.read_text().split()] if path.is_file() else []
    return [id, *(each for child in children for each in _family(child))]


def _peak_bytes(id: int) -> int:
    """Most resident memory of a process so far; where there is no /proc, what it holds now."""
    path = Path(f"/proc/{id}/status")
    if path.is_file():
        found = re.search(r"VmHWM:\s+(\d+) kB", path.read_text())
        return int(found[1]) * 1024 if found else 0
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(id)], capture_output=True, text=True, check=False)
    return int(told.stdout.strip() or 0) * 1024


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _told(errors: Any) -> str:
    errors.seek(0)
    return f"it said: {errors.read().decode(errors='replace').strip()[-500:]}"
