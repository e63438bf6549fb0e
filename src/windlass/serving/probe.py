"""Golden rows through real HTTP: what is served equals what was trained and released."""

import http.client
from contextlib import closing
from http import HTTPStatus

import numpy as np

from windlass.errors import GateRefused
from windlass.predictors.contract import Predictor
from windlass.records import Json, Release
from windlass.serving import codec
from windlass.serving.app import create_app
from windlass.serving.faults import Fault
from windlass.serving.server import running
from windlass.serving.settings import Settings

TIMEOUT_S = 60
Golden = tuple[list[Json], np.ndarray]
"""Rows as a client would send them, and the (n, k) probabilities that the trained model gave."""


def probe(predictor: Predictor, release: Release, golden: Golden) -> float:
    """Serves the release on a free loopback port, replays its golden rows there, and stops.

    Args:    golden: as `predictors.releases.golden` gives it.
    Returns: the largest difference of a probability from what the trained model gave.
    Raises:  GateRefused: a golden row is refused.
    """
    app = create_app(release, predictor, None, Settings())
    with running(app) as port:
        return replay_over_http(port, release.id, predictor.manifest.output.state["labels"], golden)


def replay_over_http(
    port: int, release: str, labels: list[str], golden: Golden, proof: str = "", host: str = "127.0.0.1"
) -> float:
    """As `probe`, of a server that runs already. proof: opens a server that is still proving itself."""
    place = {label: number for number, label in enumerate(labels)}
    headers = {"content-type": "application/json", "x-windlass-proof": proof}
    largest = 0.0
    with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)) as connection:
        for number, (row, wanted) in enumerate(zip(*golden, strict=True)):
            connection.request("POST", "/v1/predict", codec.dumps({"row": row}), headers)
            response = connection.getresponse()
            content = response.read()
            if response.status != HTTPStatus.OK:
                raise GateRefused(f"golden row {number} is answered with status {response.status}, expected 200")
            largest = max(largest, _difference(content, release, place, wanted))
    return largest


def _difference(content: bytes, release: str, place: dict[str, int], wanted: np.ndarray) -> float:
    """The largest difference over the labels that the answer names; infinite when it is not this release's."""
    try:
        body = codec.loads(content)
        answer = body["answers"][0]
        said = [
            (answer["value"], answer["confidence"]),
            *((other["value"], other["confidence"]) for other in answer["alternatives"]),
        ]
        differences = [abs(share - wanted[place[label]]) for label, share in said]
    except (Fault, KeyError, IndexError, TypeError):
        return float("inf")
    return max(differences) if body["release"] == release else float("inf")
