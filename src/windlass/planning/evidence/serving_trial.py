"""The processor time of one request: the release is served on loopback for a moment, and asked one row at a time."""

import http.client
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from windlass.database.request_log import RequestLog
from windlass.predictors.contract import Predictor
from windlass.records import Release, Row
from windlass.serving.api.app import create_app
from windlass.serving.contract import codec
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import running

WARM, BLOCKS, ASKED = 50, 5, 60
TIMEOUT_S = 60


def request_seconds(release: Release, predictor: Predictor, rows: Sequence[Row]) -> float | None:
    """Processor seconds of the server for one answer, log included; other processes do not change it. None: refused.

    The server's is the process's less that of this thread, the client.
    """
    bodies = [codec.dumps({"row": row}) for row in rows]
    with TemporaryDirectory(prefix="windlass-plan-") as place, RequestLog(Path(place) / "log.sqlite") as log:
        app = create_app(release, predictor, log, Settings())
        with running(app) as port, closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as wire:
            if not all(_asked(wire, bodies[number % len(bodies)]) for number in range(WARM)):
                return None
            return min(_block(wire, bodies) for _ in range(BLOCKS))


def _block(wire: http.client.HTTPConnection, bodies: Sequence[bytes]) -> float:
    """Seconds an answer of one block; the least of several is the one that other programs disturbed least."""
    process, client = time.process_time(), time.thread_time()
    for number in range(ASKED):
        _asked(wire, bodies[number % len(bodies)])
    return (time.process_time() - process - (time.thread_time() - client)) / ASKED


def _asked(wire: http.client.HTTPConnection, body: bytes) -> bool:
    """Sends one request and reads its answer; whether it was answered."""
    wire.request("POST", "/v1/predict", body, {"content-type": "application/json"})
    response = wire.getresponse()
    response.read()
    return response.status == 200
