"""What a client may send to a server, and what it gets: answers, or an error that says what is wrong."""

import base64
import io
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image
from starlette.routing import Mount, Route

from windlass.errors import SpecError
from windlass.serving.contract import codec
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.routes import Route as Declared
from windlass.serving.contract.routes import check_declared
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import bind
from windlass.store.store import Store


def test_one_row_is_answered_with_its_label_and_alternatives(client: Any) -> None:
    """The words 'card' and 'lost' vote for 'card' in the toy model."""
    reply = client.predict({"row": {"message": "my card is lost"}})
    assert reply.status == 200
    (answer,) = reply.json["answers"]
    assert (reply.json["release"], answer["value"]) == ("toy-1", "card")
    assert {other["value"] for other in answer["alternatives"]} == {"refund", "address"}
    shares = [answer["confidence"], *(other["confidence"] for other in answer["alternatives"])]
    assert sum(shares) == pytest.approx(1, abs=1e-5)


def test_many_rows_are_answered_in_order(client: Any) -> None:
    reply = client.predict({"rows": [{"message": text} for text in ("new address", "refund the money", "stolen card")]})
    assert [answer["value"] for answer in reply.json["answers"]] == ["address", "refund", "card"]
    assert len({answer["id"] for answer in reply.json["answers"]}) == 3


def test_a_missing_value_and_odd_text_are_answered(client: Any) -> None:
    for text in (None, "", "😀", "\u202eabc", "卡丢了", "\x00", "a" * 100_000):
        assert client.predict({"row": {"message": text}}).status == 200, text


def test_an_unknown_field_is_refused_with_the_nearest_match(client: Any) -> None:
    reply = client.predict({"row": {"mesage": "hello"}})
    assert (reply.status, reply.error["kind"]) == (422, "data_error")
    assert reply.error["message"] == "row 0 has no 'message' and the unknown field 'mesage', expected 'message'"
    assert reply.error["hint"] == "did you mean 'message'?"
    reply = client.predict({"row": {"message": "hello", "id": 1, "masage": "a"}})
    assert reply.error["message"] == "row 0 has the unknown fields 'id', 'masage', expected 'message'"
    assert reply.error["hint"] == "did you mean 'message' by 'masage'?"
    assert client.predict({"row": {}}).error["hint"] == "send null for a missing value"
    assert "row" in client.predict({"rwo": {"message": "hello"}}).error["hint"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        3,
        {"row": {}},
        {"row": []},
        {"rows": {}},
        {"rows": []},
        {"rows": ["text"]},
        {"row": None},
        {"row": {"message": "a"}, "rows": []},
        {"row": {"message": 7}},
        {"row": {"message": {"a": 1}}},
        {"row": {"message": "a" * 100_001}},
        {"rows": [{"message": "a"}] * 257},
    ],
)
def test_a_body_of_another_form_is_refused(client: Any, body: Any) -> None:
    reply = client.predict(body)
    assert (reply.status, reply.error["kind"]) == (422, "data_error")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"row":{"message":NaN}}', "NaN"),
        (b'{"row":{"message":-Infinity}}', "Infinity"),
        (b'{"row":{"message":1e999}}', "finite"),
        (b'{"row":{"message":"a","message":"b"}}', "key twice"),
        (b'{"row":{"message":"\\ud83d"}}', "surrogate"),
        (b'{"row":{"message":"\xed\xa0\x80"}}', "UTF-8"),
        (b'{"row":{"message":"a"}}'.decode().encode("utf-16"), "UTF-8"),
        (b'\xef\xbb\xbf{"row":{"message":"a"}}', "JSON"),
        (b'{"row":' + b"[" * 33 + b"]" * 33 + b"}", "deeper than 32"),
        (b"[" * 1_000_000, "values"),
        (b"[" + b"[]," * 200_000 + b"[]]", "values"),
        (b'{"row":{"message":' + b"7" * 5_000 + b"}}", "5,000 digits"),
        (b'{"row":{"message":9223372036854775808}}', "64 bits"),
        (b'{"row":{"message":"a', "JSON"),
        (b'{"row":{"message":"a\nb"}}', "JSON"),
        (b'{"row":{"message":"a"}} x', "JSON"),
        (b"", "JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused(client: Any, body: bytes, words: str) -> None:
    reply = client.predict(body)
    assert (reply.status, reply.error["kind"]) == (400, "bad_json")
    assert words in reply.error["message"]


def test_brackets_and_escapes_inside_text_do_not_count_as_depth(client: Any) -> None:
    for text in ("[" * 1_000, '"' * 1_000 + "{" * 100, "\\" * 999 + "[" * 99, "😀"):
        assert client.predict(json.dumps({"row": {"message": text}}).encode()).status == 200


def test_the_codec_is_quick_on_text_made_to_slow_it_down() -> None:
    """16 MiB of escaped quotes in a string that never ends: linear, not quadratic."""
    started = time.process_time()
    with pytest.raises(Fault, match="not JSON"):
        codec.loads(b'{"a":[' + b"[]," * 33 + b'"' + b'\\"' * (8 * 1024 * 1024))
    assert time.process_time() - started < 10


def test_whole_numbers_up_to_64_bits_pass_unchanged() -> None:
    assert codec.loads(b"[9223372036854775807,-9223372036854775808,0.5]") == [2**63 - 1, -(2**63), 0.5]
    assert codec.dumps({"a": "ü😀"}) == '{"a":"ü😀"}'.encode()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_another_content_type_is_refused(client: Any, kind: str) -> None:
    reply = client.predict(b'{"row":{"message":"a"}}', content_type=kind)
    assert (reply.status, reply.error["kind"]) == (415, "wrong_type")
    assert client.predict(b'{"row":{"message":"a"}}', content_type="application/json; charset=utf-8").status == 200


def test_a_body_of_20_megabytes_is_refused_before_it_is_parsed(client: Any) -> None:
    reply = client.predict(b" " * 20_000_000)
    assert (reply.status, reply.error["kind"]) == (413, "too_large")


def test_a_chunked_body_is_counted_while_it_arrives(client: Any) -> None:
    with closing(socket.create_connection(("127.0.0.1", client.port), timeout=60)) as connection:
        connection.sendall(
            b"POST /v1/feedback HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"transfer-encoding: chunked\r\n\r\n" + b"40200\r\n" + b" " * 0x40200 + b"\r\n0\r\n\r\n"
        )
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")


def read_all(connection: socket.socket) -> bytes:
    """All bytes until the server closes."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def test_slow_senders_are_cut_off_and_honest_ones_answered(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    """A deadline of 1 s: unfinished headers are closed, an unfinished body gets 408, silent sockets harm nobody."""
    with server_for(text_store, tmp_path, Settings(deadline_s=1.0)) as client:
        silent = [socket.create_connection(("127.0.0.1", client.port), timeout=60) for _ in range(40)]
        halves = [
            b"POST /v1/pre",
            b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: 100\r\n\r\n{",
        ]
        for connection, half in zip(silent, halves, strict=False):
            connection.sendall(half)
        assert client.predict({"row": {"message": "card"}}).status == 200
        replies = [read_all(connection) for connection in silent]
        for connection in silent:
            connection.close()
        assert replies[0] == b""
        assert replies[1].startswith(b"HTTP/1.1 408")
        assert b'"kind":"too_slow"' in replies[1]
        assert client.predict({"row": {"message": "card"}}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.7:8000", "localhost.", "[::2]"])
def test_a_foreign_host_is_refused(client: Any, host: str) -> None:
    reply = client.predict({"row": {"message": "a"}}, Host=host)
    assert (reply.status, reply.error["kind"]) == (421, "wrong_host")


def test_loopback_and_configured_hosts_are_answered(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    with server_for(text_store, tmp_path, Settings(hosts=("desk.example",))) as client:
        for host in ("localhost", "LOCALHOST:80", "127.0.0.2:1", "[::1]:8000", "desk.example"):
            assert client.ask("GET", "/health", Host=host).status == 200, host


def test_unknown_routes_and_methods_are_refused(client: Any) -> None:
    assert client.ask("GET", "/redoc").error["kind"] == "unknown_route"
    reply = client.ask("DELETE", "/v1/predict")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert client.ask("OPTIONS", "/v1/predict", Origin="https://evil.example").status == 405
    assert client.ask("GET", "/health", b"x" * 10).status == 413


def test_a_route_that_is_not_declared_stops_the_start() -> None:
    def nothing() -> None: ...

    declared, secret = (Route(path, nothing, methods=["POST"]) for path in ("/v1/predict", "/secret"))
    check_declared([declared])
    with pytest.raises(SpecError, match="POST /secret is not declared"):
        check_declared([declared, secret])
    with pytest.raises(SpecError, match="not declared"):
        check_declared([Mount("/files", nothing)])
    with pytest.raises(SpecError, match="scope of POST /v1/predict is ''"):
        check_declared([declared], {("POST", "/v1/predict"): Declared(1, 1, "")})


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.com"])
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(SpecError, match="expected a loopback address"):
        bind(host, 0)


def test_a_picture_comes_as_base64_and_a_path_is_refused(
    tmp_path: Path, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> None:
    store = Store(tmp_path)
    release_maker(store, {"photo": "image", "amount": "number", "shop": "category"}, [])
    content = io.BytesIO()
    Image.new("RGB", (20, 20), "navy").save(content, "PNG")
    (tmp_path / "photo.png").write_bytes(content.getvalue())
    data = base64.b64encode(content.getvalue()).decode()
    with server_for(store, tmp_path) as client:
        for photo in (data, f"data:image/png;base64,{data}"):
            assert client.predict({"row": {"photo": photo, "amount": 2, "shop": "web"}}).status == 200
        for photo in (
            str(tmp_path / "photo.png"),
            "photo.png",
            "../photo.png",
            "file:///etc/passwd",
            "etc/passwd",
            3,
            None,
        ):
            reply = client.predict({"row": {"photo": photo, "amount": 2, "shop": "web"}})
            assert (reply.status, reply.error["kind"]) == (422, "data_error"), photo
            assert "row 0, column 'photo'" in reply.error["message"]


def test_the_description_fits_the_real_requests_and_answers(client: Any) -> None:
    """openapi.json is valid for what is really sent and refuses what the server refuses."""
    described = client.ask("GET", "/openapi.json").json
    operation = described["paths"]["/v1/predict"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    request = {**schema, "components": described["components"]}
    body = {"rows": [{"message": "card"}]}
    jsonschema.validate(body, request)
    for wrong in ({"rows": [{"mesage": "card"}]}, {"rows": []}, {"row": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, request)
    reply = client.predict(body)
    feedback = client.feedback({"id": reply.json["answers"][0]["id"], "correct": "card"})
    checked = [
        (reply, "/v1/predict", "post"),
        (feedback, "/v1/feedback", "post"),
        (client.ask("GET", "/health"), "/health", "get"),
        (client.predict({"row": 3}), "/v1/predict", "post"),
    ]
    for answer, path, method in checked:
        answers = described["paths"][path][method]["responses"]
        schema = answers[str(answer.status)]["content"]["application/json"]["schema"]
        jsonschema.validate(answer.json, {**schema, "components": described["components"]})


def test_the_page_runs_only_its_own_script(client: Any) -> None:
    reply = client.ask("GET", "/")
    text = reply.content.decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert all(word in text for word in ("support-desk", "toy-1", "0.910 [0.880, 0.940]", 'data-column="message"'))
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "unsafe" not in reply.headers["content-security-policy"]
    assert "http://" not in text
    assert "https://" not in text


def test_metrics_can_be_read_by_prometheus(client: Any) -> None:
    """Each line is a comment or `name{labels} number`; histogram buckets only grow and end at the count."""
    client.predict({"row": {"message": "card"}})
    lines = client.ask("GET", "/metrics").content.decode().splitlines()
    values: dict[str, float] = {}
    for line in lines:
        if not line.startswith("# "):
            name, _, number = line.rpartition(" ")
            values[name] = float(number)
    assert values['windlass_requests_total{route="/v1/predict",status="200"}'] >= 1
    assert values['windlass_answers_total{label="card"}'] >= 1
    assert values["windlass_memory_bytes"] > 10_000_000
    buckets = [number for name, number in values.items() if 'bucket{route="/v1/predict"' in name]
    assert buckets == sorted(buckets)
    assert buckets[-1] == values['windlass_request_seconds_count{route="/v1/predict"}']


def test_a_fault_of_ours_shows_only_an_id(
    own_store: Store, tmp_path: Path, server_for: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(rows: Any) -> None:
        raise RuntimeError(f"cannot read {rows}")

    with server_for(own_store, tmp_path) as client:
        object.__setattr__(client.app.state.service.predictor, "engine", broken)
        reply = client.predict({"row": {"message": "a secret word"}})
    assert (reply.status, reply.error["kind"]) == (500, "internal")
    printed = capfd.readouterr().err
    assert reply.error["id"] in printed
    assert "RuntimeError" in printed
    assert "secret" not in printed + reply.content.decode()


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from conftest import serve_store
from windlass.store.store import Store
with serve_store(Store(Path({store!r})), Path({log!r})) as client:
    assert client.predict({{"row": {{"message": "card"}}}}).status == 200
print([name for name in ("torch", "polars", "sklearn", "scipy", "transformers", "pandas") if name in sys.modules])
"""


def test_a_serving_process_loads_no_training_library(text_store: Store, tmp_path: Path) -> None:
    program = PROGRAM.format(tests=str(Path(__file__).parent), store=str(text_store.project), log=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
