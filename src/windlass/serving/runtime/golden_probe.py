"""Golden rows through real HTTP: what is served equals what was trained and released."""

import http.client
import logging
import secrets
from contextlib import closing
from http import HTTPStatus
from typing import Any

from windlass.errors import GateRefused
from windlass.predictors.contract import Predictor
from windlass.records import Json, Release
from windlass.serving.api.app import create_app
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import running

logger = logging.getLogger("windlass.serving")
TIMEOUT_S = 150
"""Longer than `Settings.answer_s`: a golden text may take that long to be written."""
Golden = tuple[list[Json], list[Any]]
"""Rows as a client would send them, and what the trained model gave: probabilities, or texts."""


def probe(predictor: Predictor, release: Release, golden: Golden) -> float:
    """Serves the release on a free loopback port, replays its golden rows there, and stops.

    Args:    golden: as `predictors.releases.golden` gives it.
    Returns: the largest difference from what the trained model gave.
    Raises:  GateRefused: a golden row is refused.
    """
    app = create_app(release, predictor, None, Settings())
    app.state.service.proof = proof = secrets.token_urlsafe(32)
    with running(app) as port:
        return replay_over_http(port, release.id, predictor, golden, proof)


def replay_over_http(
    port: int, release: str, predictor: Predictor, golden: Golden, proof: str = "", host: str = "127.0.0.1"
) -> float:
    """As `probe`, of a server that runs already. proof: opens a server that is still proving itself."""
    headers = {"content-type": "application/json", "x-windlass-proof": proof}
    largest = 0.0
    with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)) as connection:
        for number, (row, wanted) in enumerate(zip(*golden, strict=True)):
            connection.request("POST", "/v1/predict", codec.dumps({"row": row}), headers)
            response = connection.getresponse()
            content = response.read()
            if response.status != HTTPStatus.OK:
                raise GateRefused(f"golden row {number} is answered with status {response.status}, expected 200")
            largest = max(largest, _difference(content, release, predictor, wanted))
    return largest


def _difference(content: bytes, release: str, predictor: Predictor, wanted: Any) -> float:
    """How far the answer is from what was wanted; infinite when it is not this release's."""
    try:
        body = codec.loads(content)
        answer, answered_by = body["answers"][0], body["release"]
    except (Fault, KeyError, IndexError, TypeError):
        logger.warning("golden answer of release '%s' cannot be read", release, exc_info=True)
        return float("inf")
    return predictor.gap(answer, wanted) if answered_by == release else float("inf")
