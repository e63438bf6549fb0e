"""`serve` in a process of its own, for what only a process shows: signals, kills, promotions under load."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from asking import Client

from windlass.spec import Spec, dump, parse
from windlass.store.store import Store

SPEC = parse("{name: support-desk, data: rows.csv, inputs: {message: text}, output: {intent: category}}")
PROGRAM = """
from pathlib import Path
from windlass.improving import protection
from windlass.serving.contract.settings import Settings
from windlass.spec import parse
from windlass.stages.serve import serve
from windlass.store.store import Store
protection.LOOK_S = 0.05
serve(parse({spec!r}), Store(Path({store!r})), port=0, ready=lambda url: print(url, flush=True),
      settings=Settings(look_s=0.05, **{settings!r}))
"""


class Served(NamedTuple):
    """said: the lines of its stderr, once it has ended."""

    client: Client
    process: subprocess.Popen[str]
    said: list[str]


@contextmanager
def serving(store: Store, spec: Spec = SPEC, **settings: int) -> Iterator[Served]:
    """The champion of the store. It ends gently at the end, unless the test has killed it."""
    program = PROGRAM.format(spec=dump(spec), store=str(store.project), settings=settings)
    command = [sys.executable, "-W", "error", "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        assert url, process.stderr.read()
        served = Served(Client(int(url.rsplit(":", 1)[1])), process, [])
        try:
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            served.said.extend(process.communicate(timeout=60)[1].splitlines())
    assert process.returncode in (0, -signal.SIGKILL)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not check():
        assert time.monotonic() < end


def health_when(client: Client, **wanted: str) -> dict[str, str]:
    """The health of the service when it says this; each look is a request, so that nobody sleeps."""
    for _ in range(20_000):
        health = client.ask("GET", "/health").json
        if all(value in health[name] for name, value in wanted.items()):
            return health
    raise AssertionError(f"health is {health}, expected {wanted}")
