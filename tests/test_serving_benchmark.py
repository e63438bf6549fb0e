"""The load generator counts what a slow server costs everybody who waits; the committed result holds every server."""

import importlib.util
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STALL_S = 0.2
SERVERS = {
    "text": {"bare", "windlass", "fastapi", "mlflow", "bentoml", "litserve", "ray"},
    "linear": {"bare", "windlass", "fastapi", "mlflow", "bentoml", "litserve"},
}


def loaded(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its records look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generator():
    return loaded("load_generator")


@contextmanager
def toy(status: int, retry_after: bool = False) -> Iterator[int]:
    """A server that answers one after the other and stalls at its first request; gives its port."""
    n_seen = [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            n_seen[0] += 1
            if n_seen[0] == 1:
                time.sleep(STALL_S)
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.send_header("Connection", "close")
            if retry_after:
                self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket.listen(512)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_an_open_loop_counts_the_wait_of_everybody_behind_a_stall_and_a_closed_client_hides_it(generator):
    with toy(200) as port:
        found = generator.open_loop(generator.Target(port, "/", [b"{}"]), 200, 0.4, seed=1)
    waited = [latency for latency in found.latencies_s if latency > STALL_S / 4]
    assert len(waited) >= 0.25 * len(found.latencies_s)  # whoever was due in the first 150 ms: 30 of 80
    with toy(200) as port:
        control = generator.closed_loop(generator.Target(port, "/", [b"{}"]), 1, 0.8)
    assert sum(latency > STALL_S / 4 for latency in control.latencies_s) < 0.25 * len(control.latencies_s)


def test_arrivals_are_the_same_for_every_server_and_come_at_the_rate(generator):
    with toy(200) as port:
        target = generator.Target(port, "/", [b"{}"])
        counts = [generator.open_loop(target, 100, 0.4, seed=7).figures()["requests"] for _ in range(2)]
    assert counts[0] == counts[1]
    assert 40 - 4 * 40**0.5 <= counts[0] <= 40 + 4 * 40**0.5  # Poisson: the variance is the mean


@pytest.mark.parametrize(("retry_after", "told"), [(True, True), (False, False)])
def test_a_refusal_is_no_answer_and_whether_it_says_when_to_come_back_is_counted(generator, retry_after, told):
    with toy(503, retry_after) as port:
        found = generator.closed_loop(generator.Target(port, "/", [b"{}"]), 1, 0.6)
    assert not found.latencies_s
    assert found.refused[503] > 0
    assert found.retry_after == (found.refused[503] if told else 0)


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(generator):
    assert [generator.percentile([4, 1, 3, 2], share) for share in (50, 75, 99)] == [2, 3, 4]


def test_the_committed_page_tells_the_committed_figures_of_every_server():
    results = ROOT / "benchmarks" / "results"
    found = json.loads((results / "serving.json").read_text(encoding="utf-8"))
    assert {model: set(servers) for model, servers in found["rounds"].items()} == SERVERS
    assert (results / "serving.md").read_text(encoding="utf-8") == loaded("serving_report").report(found)
