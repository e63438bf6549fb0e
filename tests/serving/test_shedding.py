"""Predictions that are refused before they are parsed: which ones, who, and what else stays as it was."""

import http.client
import json
from contextlib import closing

import pytest

from windlass.serving.http.server_state import ServerState
from windlass.serving.http.shedding import Shedder, caller, plain

ROW = b'{"row": {"message": "my card is lost"}}'


def request(*more: str, body: bytes = ROW, length: int | None = None) -> bytes:
    lines = ["POST /v1/predict HTTP/1.1", "Host: localhost", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, f"Content-Length: {len(body) if length is None else length}"]).encode() + (
        b"\r\n\r\n" + body
    )


def test_a_whole_prediction_is_plain_and_so_is_one_whose_body_is_on_its_way():
    assert plain(request()).rest == 0
    assert plain(request("Connection: keep-alive", "Accept: */*")).rest == 0
    assert plain(request(body=b"", length=39)).rest == 39


@pytest.mark.parametrize(
    "data",
    [
        request().replace(b"/v1/predict", b"/v1/feedback"),
        request().replace(b"HTTP/1.1", b"HTTP/1.0"),
        request() + b"GET / HTTP/1.1",
        request("Content-Length: 39"),
        request("Content-Length : 39"),
        request("Transfer-Encoding: chunked"),
        request("Expect: 100-continue"),
        request("Connection: close"),
        request("Origin: https://shop.example"),
        request("X-Folded: a\r\n b"),
        request("X-Bare: a\nContent-Length: 2"),
        request(length=100_000),
        request()[:40],
    ],
)
def test_what_could_be_read_in_another_way_or_needs_the_application_is_left_to_it(data):
    assert plain(data) is None


def full(*who: str, most: int = 4) -> Shedder:
    shedder = Shedder()
    shedder.most = lambda: most
    for each in who:
        shedder.enter(caller(each, b""))
    return shedder


def test_nothing_is_refused_while_there_is_room():
    assert full("a", "a", "a").refused("a", request()) is None
    assert full(*"aaaa", most=0).refused("a", request()) is None


def test_who_has_the_most_under_way_is_refused_and_others_have_their_turn():
    shedder = full(*"aaaa")
    assert shedder.refused("a", request()) is not None
    assert shedder.refused("b", request()) is None
    assert shedder.refused("a", request("X-API-Key: of another")) is None
    assert full(*"abcd").refused("e", request()) is not None


def test_a_refusal_says_when_to_come_back_and_the_connection_answers_afterwards(text_store, server_for, tmp_path):
    state = ServerState()
    with server_for(text_store, tmp_path, state=state) as client:
        room, state.shedder.most = state.shedder.most, lambda: 1
        state.shedder.enter("somebody")
        with closing(http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)) as connection:
            for wanted in (503, 503, 200):
                if wanted == 200:
                    state.shedder.leave("somebody")
                    state.shedder.most = room
                connection.request("POST", "/v1/predict", ROW, {"content-type": "application/json"})
                response = connection.getresponse()
                said = json.loads(response.read())
                assert response.status == wanted
                if wanted == 503:
                    assert response.headers["retry-after"] == "1"
                    assert said["error"]["kind"] == "overloaded"
                    assert response.headers["x-request-id"] == said["error"]["id"]
        assert client.app.state.service.measures.requests["/v1/predict", 503] == 2
        said = client.predict({"row": {"message": "hello"}}, accept_language="zh")
        assert said.status == 200
    assert not state.shedder._under_way  # after the server has ended: its thread counts once the answer is on its way


def test_a_refusal_speaks_the_language_that_is_asked_for(text_store, server_for, tmp_path):
    state = ServerState()
    with server_for(text_store, tmp_path, state=state) as client:
        state.shedder.most = lambda: 1
        state.shedder.enter("somebody")
        english, chinese = (client.predict({"row": {}}, accept_language=each).error for each in ("en", "zh"))
        assert english["message"] == "server has 1 predictions waiting, expected fewer"
        assert chinese["message"] != english["message"]
        assert chinese["hint"] != english["hint"]
