"""What a stranger on the internet would try, each with the status that it gets, and an honest request right after it.

The server has keys. Its controls are the honest requests: a server that refused everything would fail them.
"""

import gzip
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from asking import Client
from test_keys import guarded, with_key

from windlass.database.jobs import Jobs
from windlass.database.keys import KeyRequest, create
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server_state import SocketLimits
from windlass.serving.telemetry.metrics import memory_bytes
from windlass.store.store import Store

HONEST = b'{"row":{"message":"my card is lost"}}'
DEADLINE_S = 2.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stranger") / "requests.sqlite"


@pytest.fixture(scope="module")
def token(place: Path) -> str:
    return create(place, KeyRequest("honest", ("predict", "feedback", "jobs", "read")))[1]


@pytest.fixture(scope="module")
def server(text_store: Store, place: Path, token: str) -> Iterator[Client]:
    settings = Settings(deadline_s=DEADLINE_S, hosts=("api.example.com",))
    with guarded(text_store, place, settings) as client, closing(Jobs(place)) as jobs:
        client.app.state.service.jobs = jobs
        yield client


@pytest.fixture(autouse=True)
def honest_ones_are_served(server: Client, token: str) -> Iterator[None]:
    yield
    assert server.predict(HONEST, **with_key(token)).status == 200


def head(token: str, body: bytes = HONEST, *lines: bytes, path: bytes = b"/v1/predict") -> bytes:
    """A request of an honest client, with more header lines."""
    fields = [b"host: localhost", b"content-type: application/json", b"authorization: Bearer " + token.encode()]
    if not any(line.lower().startswith((b"content-length", b"transfer-encoding")) for line in lines):
        fields.append(b"content-length: %d" % len(body))
    return b"POST %s HTTP/1.1\r\n%s\r\n\r\n%s" % (path, b"\r\n".join([*fields, *lines]), body)


def raw(port: int, *parts: bytes, to_the_end: bool = False) -> bytes:
    """What the server answers to these bytes: a whole answer, or everything until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                connection.sendall(part)
        answer = b""
        with suppress(ConnectionResetError):
            while (to_the_end or not _is_whole(answer)) and (piece := connection.recv(65_536)):
                answer += piece
    return answer


def _is_whole(answer: bytes) -> bool:
    top, gap, body = answer.partition(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in top.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return bool(gap) and bool(length) and len(body) >= int(length[0])


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:80]
    return int(answer[9:12])


def test_an_honest_request_in_raw_bytes(server: Client, token: str) -> None:
    """Control of all that follow: the same bytes without the trick are answered."""
    assert status(raw(server.port, head(token))) == 200


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wl_000000000000_" + "A" * 43}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Basic d2w6d2w="}, 401),
        ({"x_api_key": "' or 1=1 --"}, 401),
        ({"x_api_key": "A" * 60_000}, 401),
        ({"X_Forwarded_For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X_Real_IP": "127.0.0.1"}, 401),
        ({"x_windlass_proof": ""}, 401),
    ],
)
def test_no_key_and_things_that_are_none(server: Client, headers: dict[str, str], wanted: int) -> None:
    assert server.predict(HONEST, **headers).status == wanted


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "[::1].evil", "10.0.0.1", "", "\xe9"])
def test_a_foreign_host_is_misdirected(server: Client, token: str, host: str) -> None:
    assert server.predict(HONEST, Host=host, **with_key(token)).status == 421


def test_our_own_names_are_served_and_what_a_proxy_says_is_not_believed(server: Client, token: str) -> None:
    assert server.predict(HONEST, Host="API.example.com:443", **with_key(token)).status == 200
    assert server.predict(HONEST, Host="evil.example", X_Forwarded_Host="localhost", **with_key(token)).status == 421


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "https://api.example.com"}, 200),
    ],
)
def test_a_page_elsewhere_cannot_post(server: Client, token: str, headers: dict[str, str], wanted: int) -> None:
    assert server.predict(HONEST, **headers, **with_key(token)).status == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/v1/..%2fpredict",
        "/v1/%70redict",
        "//v1/predict",
        "/v1//predict",
        "/v1/predict/",
        "/v1/./predict",
        "/../v1/predict",
        "/v1/predict%00",
        "/v1/predict;x=1",
        "/V1/PREDICT",
        "http://localhost/v1/predict",
        "/etc/passwd",
        "/static/..%5c..%5cetc/passwd",
        "*",
    ],
)
def test_path_tricks_find_nothing(server: Client, token: str, path: str) -> None:
    assert status(raw(server.port, head(token, path=path.encode()))) == 404


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/v1/jobs/..", 404),
        ("/v1/jobs/..%2f..%2fetc%2fpasswd", 404),
        ("/v1/jobs/a/../../x/result", 404),
        ("/v1/jobs/%00/result", 404),
        ("/v1/jobs/a'or'1'='1", 404),
        ("/v1/jobs/C:file", 404),
        ("/v1/jobs/" + "a" * 5_000, 404),
        ("/v1/jobs/requests.sqlite/result", 404),
    ],
)
def test_a_job_is_named_by_its_id_and_by_nothing_else(server: Client, token: str, path: str, wanted: int) -> None:
    request = head(token, b"", path=path.encode()).replace(b"POST", b"GET", 1)
    assert status(raw(server.port, request)) == wanted


@pytest.mark.parametrize(
    ("kind", "body", "wanted"),
    [
        ("text/csv", b"message\n" + b"a\n" * 100_001, 422),
        ("text/csv", b'message\n"never closed', 202),
        ("text/csv", b"message\n" + b"a" * 17_000_000, 413),
        ("application/x-ndjson", b"[" * 100_000, 202),
        ("application/x-ndjson", b'{"message":NaN}\n{"message":"\\ud800"}\n', 202),
        ("application/json", b'{"rows":[], "path":"/etc/passwd"}', 422),
        ("application/zip", b"PK\3\4", 415),
    ],
    ids=range(7),
)
def test_a_job_of_a_stranger_is_bounded(server: Client, token: str, kind: str, body: bytes, wanted: int) -> None:
    """202: its rows say what is wrong with them. Each job that was taken is deleted again: four may wait."""
    reply = server.ask("POST", "/v1/jobs", body, content_type=kind, **with_key(token))
    assert reply.status == wanted, reply.content[:200]
    if reply.status == 202:
        assert server.ask("DELETE", f"/v1/jobs/{reply.json['id']}", **with_key(token)).status == 200


@pytest.mark.parametrize("path", [b"/v1/predict\0", b"/v1/\xff\xfe", b"/v1/pre dict"])
def test_a_path_that_is_not_one_is_not_http(server: Client, token: str, path: bytes) -> None:
    assert status(raw(server.port, head(token, path=path))) == 400


def test_a_header_of_20_megabytes(server: Client, token: str) -> None:
    big = b"x-big: " + b"a" * (20 * 1024 * 1024)
    answer = raw(server.port, head(token, HONEST, big))
    assert status(answer) == 431
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["kind"] == "bad_http"


def test_ten_thousand_headers(server: Client, token: str) -> None:
    many = [b"x-%d: 1" % number for number in range(10_000)]
    assert status(raw(server.port, head(token, HONEST, *many))) == 431


def test_a_body_of_200_megabytes_announced_and_not(server: Client, token: str) -> None:
    """Neither may be held in memory: a few limits' worth are read and thrown away, then the connection ends."""
    before = memory_bytes()
    assert status(raw(server.port, head(token, b"", b"content-length: 200000000"))) == 413
    chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    answer = raw(server.port, head(token, b"", b"transfer-encoding: chunked"), *[chunk] * 200)
    assert status(answer) in (408, 413)  # 408: the machine of the test was slower than its deadline
    assert memory_bytes() - before < 96 * 1024 * 1024


def test_a_text_of_a_million_characters(server: Client, token: str) -> None:
    reply = server.predict({"row": {"message": "a" * 1_000_000}}, **with_key(token))
    assert (reply.status, reply.error["kind"]) == (422, "data_error")


@pytest.mark.parametrize(
    "body",
    [
        b'{"row":{"message":NaN}}',
        b'{"row":{"message":-Infinity}}',
        b'{"row":{"message":1e999}}',
        b'{"row":{"message":' + b"9" * 5_000 + b"}}",
        b'{"row":{"message":"\\ud800"}}',
        b'{"row":{"message":"\xed\xa0\x80"}}',
        b'{"row":{"message":"\xff"}}',
        b'{"row":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"row":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"row":{"message":"a","message":"b"}}',
        b'{"row":{"message":"a"},"row":{"message":"b"}}',
        b"\xef\xbb\xbf" + HONEST,
        HONEST + b"x",
        b"",
    ],
    ids=range(14),
)
def test_json_that_no_other_program_would_take(server: Client, token: str, body: bytes) -> None:
    reply = server.predict(body, **with_key(token))
    assert (reply.status, reply.error["kind"]) == (400, "bad_json")


def test_a_bomb_of_gzip_is_not_unpacked(server: Client, token: str) -> None:
    bomb = gzip.compress(b"a" * 50_000_000)
    assert server.predict(bomb, Content_Encoding="gzip", **with_key(token)).status == 413
    assert server.predict(bomb, **with_key(token)).status == 400


@pytest.mark.parametrize(
    "lines",
    [
        (b"content-length: 37", b"content-length: 5"),
        (b"content-length: 37, 5",),
        (b"content-length: 37", b"transfer-encoding: chunked"),
        (b"transfer-encoding: chunked", b"content-length: 37"),
        (b"transfer-encoding: chunked, chunked",),
        (b"transfer-encoding: xchunked",),
        (b"content-length: +37",),
        (b"content-length: 0x25",),
        (b"content-length : 37",),
        (b" content-length: 37",),
        (b"host: evil.example",),
    ],
)
def test_shapes_that_smuggle_a_second_request(server: Client, token: str, lines: tuple[bytes, ...]) -> None:
    """The answer is a refusal, and whatever follows on that connection is not read as a request."""
    hidden = head(token, HONEST)
    answer = raw(server.port, head(token, HONEST, *lines) + hidden, to_the_end=True)
    assert status(answer) in (400, 501)
    assert answer.count(b"x-content-type-options") == 1


def test_two_requests_on_one_connection_are_two_when_they_are_honest(server: Client, token: str) -> None:
    """Control of the one above."""
    answer = raw(server.port, head(token), head(token, HONEST, b"connection: close"), to_the_end=True)
    assert answer.count(b"x-content-type-options") == 2


def test_a_websocket_is_not_opened(server: Client, token: str) -> None:
    upgrade = (b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13", b"sec-websocket-key: eA==")
    request = head(token, b"", *upgrade, path=b"/").replace(b"POST", b"GET", 1)
    assert status(raw(server.port, request)) == 200
    assert b"101" not in raw(server.port, request)[:20]


def test_the_preface_of_http_2_is_not_http_1(server: Client) -> None:
    assert status(raw(server.port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) == 505


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 1_000, b"GET\r\n", b"SSH-2.0-x\r\n"])
def test_what_is_not_http_at_all(server: Client, noise: bytes) -> None:
    answer = raw(server.port, noise + b"\r\n\r\n")
    assert status(answer) == 400


def test_a_body_that_trickles_is_refused_at_its_deadline(server: Client, token: str) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head(token, b'{"row":', b"content-length: 1000"))
        answer = b""
        connection.settimeout(0.1)
        while not answer and time.monotonic() - started < 60:
            with suppress(TimeoutError):
                answer = connection.recv(4_096)
            with suppress(OSError):
                connection.sendall(b" ")
    assert status(answer) == 408
    assert DEADLINE_S * 0.9 < time.monotonic() - started < DEADLINE_S + 30  # without one it would go on for 60 s


def mutated(random_: random.Random, request: bytes) -> bytes:
    """The request with a few bytes changed, dropped, doubled or moved."""
    content = bytearray(request)
    for _ in range(random_.choice((1, 1, 2, 5, 20))):
        place = random_.randrange(len(content))
        size = random_.choice((1, 1, 4, 32))
        match random_.randrange(4):
            case 0:
                content[place] = random_.randrange(256)
            case 1:
                del content[place : place + size]
            case 2:
                content[place:place] = content[place : place + size]
            case _:
                content[place:place] = random_.randbytes(size)
        if not content:
            return b"\r\n"
    return bytes(content)


def fire(port: int, token: str, n: int, seed: int) -> list[tuple[int, float]]:
    """Mutated requests: the status (0: closed without one) and the seconds of each."""
    random_, found = random.Random(seed), []
    samples = [
        head(token),
        head(token, b'{"rows":[{"message":"a"},{"message":null}]}'),
        head(token, b'{"id":"' + b"0" * 24 + b'","correct":"card"}', path=b"/v1/feedback"),
        head(token, b"", path=b"/metrics").replace(b"POST", b"GET", 1),
        head(token, b'{"message":"a"}\n{"message":2}\n', path=b"/v1/jobs").replace(b"n/json", b"n/x-ndjson", 1),
        head(token, b"", path=b"/v1/jobs/0f3a9c5d7e1b2846aa90c4d2/result").replace(b"POST", b"GET", 1),
    ]
    for _ in range(n):
        started = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(mutated(random_, random_.choice(samples)))
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            with suppress(ConnectionResetError):
                while not _is_whole(answer) and (piece := connection.recv(65_536)):
                    answer += piece
        found.append((int(answer[9:12]) if answer else 0, time.monotonic() - started))
    return found


def judge(found: list[tuple[int, float]], most_s: float = 15 * DEADLINE_S) -> None:
    assert [code for code, _ in found if code >= 500 and code != 501] == []
    assert max(seconds for _, seconds in found) < most_s, "an answer took longer than any deadline"
    assert {code for code, _ in found} >= {200, 400}, "the mutations reach the parser and what lies behind it"


def test_500_mutated_requests_get_no_error_of_ours(server: Client, token: str) -> None:
    judge(fire(server.port, token, 500, 7))


@pytest.mark.soak
def test_10000_mutated_requests_leave_no_trace_in_memory(server: Client, token: str) -> None:
    fire(server.port, token, 500, 1)
    before = memory_bytes()
    judge(fire(server.port, token, 10_000, 2), DEADLINE_S)
    assert memory_bytes() - before < 64 * 1024 * 1024


@contextmanager
def slow_sockets(port: int, n: int) -> Iterator[list[socket.socket]]:
    """A third sends nothing, a third half a header, a third half a body."""
    begun = (b"", b"POST /v1/predict HTTP/1.1\r\nhost: loc", head("none", b"{", b"content-length: 100"))
    sockets = []
    try:
        for number in range(n):
            connection = socket.create_connection(("127.0.0.1", port), timeout=60)
            connection.sendall(begun[number % 3])
            sockets.append(connection)
        yield sockets
    finally:
        for connection in sockets:
            connection.close()


def closed(sockets: list[socket.socket], by: float) -> int:
    """How many of them the other side has closed by that time."""
    n = 0
    for connection in sockets:
        connection.settimeout(max(0.01, by - time.monotonic()))
        with suppress(TimeoutError):
            try:
                while connection.recv(4_096):
                    pass
            except ConnectionResetError:
                pass
            n += 1
    return n


@pytest.mark.parametrize("n_slow", [300, pytest.param(500, marks=pytest.mark.soak)])
def test_slow_sockets_are_closed_and_honest_ones_served(server: Client, token: str, n_slow: int) -> None:
    """The honest ones ask while the slow ones hold on; how long they wait is printed, not judged, here."""
    with slow_sockets(server.port, n_slow) as sockets:
        begun, statuses, took = time.monotonic(), [], []
        while time.monotonic() - begun < DEADLINE_S / 2 or len(statuses) < 20:
            started = time.monotonic()
            statuses.append(server.predict(HONEST, **with_key(token)).status)
            took.append(time.monotonic() - started)
        assert set(statuses) == {200}
        print(f"{n_slow} slow, {len(took)} honest: p99 {1_000 * sorted(took)[int(0.99 * len(took))]:.0f} ms")
        assert closed(sockets, begun + DEADLINE_S + 40) == n_slow


def test_stock_uvicorn_leaves_slow_sockets_open(server: Client) -> None:
    """Control: the same sockets against uvicorn's own protocol are still open after the same time."""

    async def nothing(scope: Any, receive: Any, send: Any) -> None: ...

    listener = socket.create_server(("127.0.0.1", 0))
    plain = uvicorn.Server(uvicorn.Config(nothing, log_config=None, lifespan="off", ws="none", http="h11"))
    thread = threading.Thread(target=plain.run, args=([listener],))
    thread.start()
    try:
        with slow_sockets(listener.getsockname()[1], 30) as sockets:
            assert closed(sockets[:20:3], time.monotonic() + DEADLINE_S + 0.5) == 0
    finally:
        plain.should_exit = plain.force_exit = True
        thread.join()


def test_one_address_cannot_take_all_connections(text_store: Store, tmp_path: Path) -> None:
    """At most 40 of one address: the 41st is told 503, another address is served, and places are given back."""
    place = tmp_path / "requests.sqlite"
    with guarded(text_store, place, max_sockets=SocketLimits(100, 40)) as client:
        held = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(40)]
        assert client.ask("GET", "/health").status == 503
        with closing(socket.create_connection(("127.0.0.1", client.port), source_address=("127.0.0.2", 0))) as other:
            other.settimeout(60)
            other.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert status(other.recv(4_096)) == 200
        for connection in held:
            connection.close()
        deadline = time.monotonic() + 60
        while client.ask("GET", "/health").status != 200:
            assert time.monotonic() < deadline


def listens(port: int) -> bool:
    with socket.socket() as wire:
        return wire.connect_ex(("127.0.0.1", port)) == 0


def test_what_was_begun_is_finished_and_what_is_new_is_refused(text_store: Store, tmp_path: Path) -> None:
    """A signal while a prediction is computed: it is answered, another one gets 503, then the server is gone."""
    begun, opened = threading.Event(), threading.Event()
    with guarded(text_store, tmp_path / "requests.sqlite") as client:
        predictor = client.app.state.service.predictor
        engine = predictor.engine

        def slow(batches: Any) -> Any:
            begun.set()
            opened.wait(60)
            return engine(batches)

        object.__setattr__(predictor, "engine", slow)
        replies: list[int] = []
        asker = threading.Thread(target=lambda: replies.append(client.predict(HONEST).status))
        asker.start()
        assert begun.wait(60)
        client.app.state.server_state.shut()
        late = client.predict(HONEST)
        assert (late.status, late.error["kind"], late.headers["retry-after"]) == (503, "overloaded", "1")
        assert client.ask("GET", "/health").status == 503
        opened.set()
        asker.join(60)
        assert replies == [200]
        deadline = time.monotonic() + 60
        while listens(client.port):
            assert time.monotonic() < deadline
        object.__setattr__(predictor, "engine", engine)
