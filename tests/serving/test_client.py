"""The client against a real service, and against a server that fails as networks and proxies do."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.listening import listening

import windlass
from windlass.client import Client
from windlass.errors import DataError, NotReady, SpecError
from windlass.store.store import Store

GOOD = {"release": "r-1", "answers": [{"id": "a", "value": "card", "confidence": 0.9, "alternatives": []}]}


@pytest.fixture
def asking(client: Any) -> Iterator[Client]:
    """Windlass's client of the server that the module shares."""
    with Client(f"http://127.0.0.1:{client.port}") as asking:
        yield asking


def test_rows_are_answered_and_corrected(asking: Client) -> None:
    lost, address = asking.predict([{"message": "my card is lost"}, {"message": "new address"}])
    assert (lost.value, address.value, lost.release) == ("card", "address", "toy-1")
    assert lost.confidence is not None
    assert sum([lost.confidence, *(share for _, share in lost.alternatives)]) == pytest.approx(1, abs=1e-5)
    stored = asking.feedback(lost.id, "refund", note="it was about money")
    assert (stored.id, stored.correct, stored.right, stored.new_label) == (lost.id, "refund", False, False)
    assert asking.feedback(address.id, right=True).right
    assert asking.health()["status"] == "ready"


def test_more_rows_than_one_request_may_hold_are_answered_in_order(asking: Client) -> None:
    rows = [{"message": "new address" if number % 3 else "stolen card"} for number in range(600)]
    answers = asking.predict(rows)
    assert [answer.value for answer in answers] == ["address" if number % 3 else "card" for number in range(600)]
    assert len({answer.id for answer in answers}) == 600
    assert asking.predict({"message": np.str_("card")})[0].value == "card"
    assert asking.predict([]) == []


def test_what_the_service_refuses_is_one_of_our_errors(asking: Client) -> None:
    with pytest.raises(DataError, match="unknown field 'mesage'") as caught:
        asking.predict({"mesage": "card"})
    assert (caught.value.hint, caught.value.kind) == ("did you mean 'message'?", "data_error")
    with pytest.raises(DataError):
        asking.feedback("no-such-answer", "card")
    with pytest.raises(DataError, match="row cannot be sent"):
        asking.predict({"message": float("nan")})
    with pytest.raises(DataError, match="row cannot be sent"):
        asking.predict({"message": object()})


def test_answers_are_explained(asking: Client) -> None:
    """In the toy model the word 'card' votes for 'card', and 'address' does not."""
    of_answer, of_other = asking.explain([{"message": "card"}] * 2), asking.explain({"message": "card"}, "address")
    assert [each["label"] for each in (*of_answer, *of_other)] == ["card", "card", "address"]
    weights = [each["parts"][0]["weight"] for each in (*of_answer, *of_other)]
    assert weights[0] == weights[1] > 0 > weights[2]


def test_one_connection_is_used_again(asking: Client) -> None:
    asking.predict({"message": "card"})
    (kept,) = asking._idle
    asking.predict({"message": "card"})
    assert asking._idle == [kept]


@dataclass
class Failing:
    """A server that answers with what it is told, one reply a request, and then well; it remembers what was asked."""

    replies: list[Any]
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                told.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                reply = told.replies.pop(0) if told.replies else 200
                if reply == "hang up":
                    self.close_connection = True
                    return
                status, headers = reply if isinstance(reply, tuple) else (reply, {})
                content = json.dumps(GOOD if status == 200 else {"error": {"kind": "k", "message": "m", "id": "7"}})
                self.send_response(status)
                for name, value in {"content-length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, *args: Any) -> None:
                """Says nothing."""

        return Handler


@contextmanager
def failing(*replies: Any) -> Iterator[tuple[Failing, str]]:
    told = Failing(list(replies))
    with listening(told.handler()) as url:
        yield told, url


def test_a_busy_server_is_asked_again_after_what_it_asks_for() -> None:
    waits: list[float] = []
    with failing((503, {"retry-after": "2"}), (429, {"retry-after": "3"}), 502) as (told, url):
        client = Client(url, sleep=waits.append)
        assert client.predict({"message": "card"})[0].value == "card"
        client.close()
    assert len(told.asked) == 4
    assert [2 <= waits[0] <= 2.2, 3 <= waits[1] <= 3.4, 0 <= waits[2] <= 0.8] == [True] * 3


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 500])
def test_what_asking_again_cannot_mend_is_asked_once(status: int) -> None:
    """Control of the one before."""
    with failing(status) as (told, url), Client(url) as client, pytest.raises(windlass.WindlassError, match="m"):
        client.predict({"message": "card"})
    assert len(told.asked) == 1


def test_a_connection_that_is_reset_is_opened_again_and_feedback_keeps_its_key() -> None:
    with failing("hang up", "hang up", 200, "hang up") as (told, url), Client(url, sleep=lambda _: None) as client:
        with pytest.raises(KeyError):  # the toy server answers feedback with predictions
            client.feedback("a", "card")
        assert len({headers["idempotency-key"] for _, headers, _ in told.asked}) == 1
        assert len(told.asked) == 3
        client.predict({"message": "card"})
        with pytest.raises(KeyError):
            client.feedback("a", "card")
        assert len({headers.get("idempotency-key") for _, headers, _ in told.asked}) == 3


def test_a_server_that_stays_busy_is_given_up_before_the_deadline() -> None:
    with (
        failing(*[(503, {"retry-after": "20"})] * 9) as (told, url),
        Client(url, deadline_s=5) as client,
        pytest.raises(NotReady, match="m") as caught,
    ):
        client.predict({"message": "card"})
    assert (len(told.asked), caught.value.kind) == (1, "k")


def test_no_server_at_all_is_said_with_a_hint() -> None:
    with failing() as (_, url):
        pass
    with pytest.raises(NotReady, match="gives no answer after") as caught:
        Client(url, deadline_s=0.3, sleep=lambda _: None).predict({"message": "card"})
    assert "windlass serve" in caught.value.hint


def test_the_key_comes_from_the_argument_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with failing() as (told, url):
        monkeypatch.setenv("WINDLASS_API_KEY", "from-environment")
        for client in (Client(url), Client(url, key="given"), Client(url, key="")):
            with client:
                client.predict({"message": "card"})
    sent = [headers.get("authorization") for _, headers, _ in told.asked]
    assert sent == ["Bearer from-environment", "Bearer given", None]


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8000", "ftp://a", "http://", "http://u:p@host", "http://a?b", "http://a:0", "http://a:x", "http://ü"],
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(SpecError, match="expected one such as") as caught:
        Client(url)
    assert "u:p" not in str(caught.value)


def test_a_key_does_not_travel_in_the_clear() -> None:
    for url in ("http://example.com", "http://10.0.0.1"):
        with pytest.raises(SpecError, match="in the clear"):
            Client(url, key="secret")
    for url in ("https://example.com", "http://127.0.0.1:1", "http://localhost", "http://support-desk:8000"):
        Client(url, key="secret")
    with pytest.raises(SpecError, match="printable ASCII"):
        Client(key="a\nb")


def test_the_client_needs_nothing_but_python() -> None:
    program = "from windlass import Client; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not set(loaded.stdout.split()) & {"numpy", "pydantic", "fastapi", "polars", "httpx"}


def test_the_client_waits_for_a_service_that_proves_its_release(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    """503 until it is open: the third wait opens it."""
    with server_for(text_store, tmp_path, proof="secret") as served:
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            served.app.state.service.proof = "" if len(waits) == 3 else "secret"

        with Client(f"http://127.0.0.1:{served.port}", sleep=wait) as client:
            assert client.predict({"message": "card"})[0].value == "card"
        assert len(waits) == 3
