"""Feedback is on disk before it is acknowledged, once, and nothing that was said is lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from asking import Client
from test_keys import CARD, guarded, with_key

from windlass.database.backend import Connection, Database, Schema
from windlass.database.keys import KeyRequest, create
from windlass.database.request_log import (
    Feedback,
    Logged,
    RequestLog,
    answer_rows,
    feedback_counts,
    feedback_rows,
    latest_without_feedback,
)
from windlass.database.sqlite import Sqlite
from windlass.errors import DataError, Refused
from windlass.serving.contract.faults import status_of
from windlass.serving.contract.settings import Settings
from windlass.store.store import Store


@pytest.fixture(scope="module")
def client(
    text_store: Store,
    new_place: Callable[[Path], Database],
    server_for: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """A server that the tests share, once with each engine."""
    place = new_place(tmp_path_factory.mktemp("log") / "requests.sqlite")
    with server_for(text_store, place, Settings(keep_inputs=True)) as client:
        yield client


def ask_for(client: Any, message: str = "my card is lost") -> str:
    return client.predict({"row": {"message": message}}).json["answers"][0]["id"]


def said(client: Any, id: str) -> list[tuple[str, str | None]]:
    return [(row["correct"], row["note"]) for row in feedback_rows(client.log.database) if row["id"] == id]


def test_feedback_right_after_an_answer_is_stored_with_what_was_asked(client: Any) -> None:
    id = ask_for(client)
    reply = client.feedback({"id": id, "correct": "refund", "note": "was about money"})
    assert reply.status == 200
    assert {"id": id, "correct": "refund", "right": False, "new_label": False}.items() <= reply.json.items()
    (row,) = [row for row in feedback_rows(client.log.database) if row["id"] == id]
    assert row["inputs"] == {"message": "my card is lost"}
    assert (row["value"], row["correct"], row["note"], row["release"]) == ("card", "refund", "was about money", "toy-1")
    assert id in {row["id"] for row in answer_rows(client.log.database)}


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "not kept"])
def test_feedback_says_whether_it_can_teach(
    text_store: Store,
    new_place: Callable[[Path], Database],
    server_for: Callable[..., Any],
    tmp_path: Path,
    keeps: bool,
) -> None:
    """Without what was asked it cannot; a thumb down says nothing of what is right."""
    place = new_place(tmp_path / "requests.sqlite")
    with server_for(text_store, place, Settings(keep_inputs=keeps)) as client:
        stored = client.feedback({"id": ask_for(client), "correct": "refund"}).json
        assert stored["teaches"] is keeps
        assert ("keep_inputs: true" in stored["hint"]) is not keeps
        down = client.feedback({"id": ask_for(client), "right": False}).json
        assert (down["teaches"], down["new_label"]) == (False, False)
        assert client.ask("GET", "/health").json["keeps_inputs"] is keeps


def test_the_same_feedback_twice_is_stored_once_and_a_change_of_mind_is_added(client: Any) -> None:
    id = ask_for(client)
    first, again = (client.feedback({"id": id, "correct": "card"}) for _ in range(2))
    assert first.json == again.json
    for correct in ("refund", "card"):
        assert client.feedback({"id": id, "correct": correct}).status == 200
    assert said(client, id) == [("card", None), ("refund", None), ("card", None)]


def test_an_idempotency_key_stores_once_and_refuses_other_content(client: Any) -> None:
    id = ask_for(client)
    body = {"id": id, "correct": "refund"}
    first = client.feedback(body, Idempotency_Key="visit-7")
    assert client.feedback({"id": id, "correct": "card"}).status == 200
    assert client.feedback(body, Idempotency_Key="visit-7").json == first.json
    assert said(client, id) == [("refund", None), ("card", None)]
    reply = client.feedback({"id": id, "correct": "address"}, Idempotency_Key="visit-7")
    assert (reply.status, reply.error["kind"]) == (409, "key_reused")
    assert client.feedback(body, Idempotency_Key="k" * 201).status == 422


def test_an_idempotency_key_is_its_callers_own(own_store: Store, tmp_path: Path) -> None:
    """Another customer that counts its visits from 1, too, got 409 for its own feedback. Control: the same one does."""
    place = tmp_path / "requests.sqlite"
    one, other = (create(place, KeyRequest(name, ("predict", "feedback")))[1] for name in ("one", "other"))
    with guarded(own_store, place) as client:
        ids = [client.predict(CARD, **with_key(token)).json["answers"][0]["id"] for token in (one, other)]
        said = [
            client.feedback({"id": id, "correct": "refund"}, Idempotency_Key="visit-1", **with_key(token))
            for id, token in zip(ids, (one, other), strict=True)
        ]
        assert [reply.status for reply in said] == [200, 200]
        body = {"id": ids[1], "correct": "refund"}
        assert client.feedback(body, Idempotency_Key="visit-1", **with_key(one)).status == 409


def test_a_new_label_is_kept_and_flagged(client: Any) -> None:
    reply = client.feedback({"id": ask_for(client), "correct": "pin code"})
    assert (reply.status, reply.json["new_label"]) == (200, True)


def test_feedback_on_an_unknown_answer_is_refused(client: Any) -> None:
    reply = client.feedback({"id": "0" * 24, "correct": "card"})
    assert (reply.status, reply.error["kind"]) == (404, "unknown_answer")


@pytest.mark.parametrize(
    "change",
    [
        {"id": 3},
        {"id": ""},
        {"id": "x" * 65},
        {"correct": None},
        {"correct": ""},
        {"correct": {"a": 1}},
        {"correct": "x" * 501},
        {"note": 3},
        {"note": "x" * 2_001},
        {"corect": "card"},
    ],
)
def test_feedback_of_another_form_is_refused(client: Any, change: dict[str, Any]) -> None:
    assert client.feedback({"id": "0" * 24, "correct": "card", **change}).status == 422


def test_inputs_are_not_kept_unless_asked_for(own_store: Store, tmp_path: Path, server_for: Callable[..., Any]) -> None:
    with server_for(own_store, tmp_path) as client:
        assert client.feedback({"id": ask_for(client), "correct": "card"}).status == 200
        assert [row["inputs"] for row in feedback_rows(client.log.database)] == [None]
    assert b"lost" not in client.log.path.read_bytes()


def answer(id: str) -> Logged:
    return Logged(id, 1_000.0, "toy-1", "card", 0.9, 1.0, None)


def test_what_waits_is_written_before_the_log_closes(place: Database) -> None:
    with RequestLog(place) as log:
        for number in range(1_500):
            log.record([answer(str(number))], 128)
    assert sum(1 for _ in answer_rows(place)) == 1_500
    assert log.unlogged == 0


def test_a_request_that_gave_up_does_not_stop_the_log(place: Database) -> None:
    """Its future is cancelled by then; what it said is stored all the same, and the next one is told."""
    with RequestLog(place) as log:
        log.record([answer("1")], 128)
        assert log.feedback(Feedback("1", "card", None, "")).result(60).is_new
        with log.memory._lock:
            left = log.feedback(Feedback("1", "refund", None, ""))
            assert left.cancel()
        assert log.feedback(Feedback("1", "address", None, "")).result(60).is_new
    assert [row["correct"] for row in feedback_rows(place)] == ["card", "refund", "address"]


def test_nul_is_refused_in_feedback_and_replaced_in_a_written_answer(place: Database) -> None:
    """PostgreSQL has no place for it; one such entry must not take its whole group with it."""
    with RequestLog(place) as log:
        log.record([answer("1")._replace(value="a\0b", inputs={"message": "c\0d"})], 128)
        wrong = [Feedback("1", "x\0", None, ""), Feedback("1", "x", "\0", ""), Feedback("\0", "x", None, "")]
        told = [log.feedback(each) for each in wrong]
        assert log.feedback(Feedback("1", "x", None, "")).result(60).is_new
        assert [status_of(each.exception(60)) for each in told] == [422, 422, 404]
    (row,) = feedback_rows(place)
    assert (row["value"], row["inputs"]) == ("a\ufffdb", {"message": "c\0d"})


def test_of_a_long_log_the_last_feedback_and_the_last_untold_answers_are_read(place: Database) -> None:
    with RequestLog(place) as log:
        log.record([answer(id)._replace(at=float(id), inputs={"message": id}) for id in "12345"], 128)
        for id, correct in (("1", "card"), ("2", "card"), ("1", "refund"), ("5", "card")):
            log.feedback(Feedback(id, correct, None, "")).result(60)
    assert [(row["id"], row["correct"]) for row in feedback_rows(place, most=2)] == [("1", "refund"), ("5", "card")]
    told = [(row["id"], row["correct"]) for row in feedback_counts(place)]
    assert told == [("2", "card"), ("1", "refund"), ("5", "card")]
    assert [row["inputs"] for row in latest_without_feedback(place, 1)] == [{"message": "4"}]


def test_answers_that_find_the_line_full_are_counted(tmp_path: Path) -> None:
    with RequestLog(tmp_path / "log.sqlite") as log:
        log.record([answer("1")], 65 * 1024 * 1024)
        log.record([answer("2")], 128)
    assert log.unlogged == 1
    assert [row["id"] for row in answer_rows(log.path)] == ["2"]


def test_predictions_go_on_when_the_log_cannot_be_written(
    own_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    """The log's place is taken by a folder; when it is free again, the next feedback is stored."""
    with server_for(own_store, tmp_path / "log") as client:
        id = ask_for(client)
        assert client.feedback({"id": id, "correct": "card"}).status == 200
        for path in (tmp_path / "log").iterdir():
            path.unlink()
        client.log.path.mkdir()
        assert client.predict({"row": {"message": "card"}}).status == 200
        reply = client.feedback({"id": id, "correct": "refund"})
        assert (reply.status, reply.error["kind"], reply.headers["retry-after"]) == (503, "log_unavailable", "1")
        assert client.ask("GET", "/health").json["log"] == "read-only"
        assert "windlass_log_read_only 1" in client.ask("GET", "/metrics").content.decode()
        client.log.path.rmdir()
        assert client.feedback({"id": ask_for(client), "correct": "refund"}).status == 200
        assert client.ask("GET", "/health").json["log"] == "writing"


class SmallDisk(Sqlite):
    """SQLite's own limit on pages stands in for a full disk: it raises the same SQLITE_FULL."""

    def connect(self, *schemas: Schema) -> Connection:
        connection = super().connect(*schemas)
        connection.execute("pragma max_page_count = 14")
        return connection


def test_a_full_disk_is_said_in_its_own_words(tmp_path: Path) -> None:
    with RequestLog(SmallDisk(tmp_path / "log.sqlite")) as log:
        log.record([answer("1")], 128)
        stored = log.feedback(Feedback("1", "card", None, ""))
        assert stored.result(60).right
        done = [log.feedback(Feedback("1", f"label {number}", "y" * 2_000, "")) for number in range(200)]
        fault = done[-1].exception(60)
    assert isinstance(fault, Refused)
    assert (status_of(fault), fault.kind) == (507, "disk_full")
    assert next(iter(feedback_rows(log.path)))["correct"] == "card"


SERVER = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from windlass.spec import parse
from windlass.stages.serve import serve
from windlass.serving.contract.settings import Settings
from windlass.store.store import Store
store = Store(Path({store!r}))
spec = parse("{{name: support-desk, data: rows.csv, inputs: {{message: text}}, output: {{intent: category}}}}")
def tell(url):
    print(os.getpid(), url.rsplit(":", 1)[1], flush=True)
for _ in sys.stdin:
    if os.fork() == 0:
        serve(spec, store, port=0, ready=tell)
        os._exit(0)
"""


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_acknowledged_feedback_survives_kill_9(own_store: Store, rounds: int) -> None:
    """A server is killed while feedback is being written; every acknowledged row is there, once.

    0 of n bounds the rate of loss at 3/n (rule of three). It has no control: under kill -9 the page cache
    survives, so that `synchronous = OFF` would pass as well; only a power cut can tell them apart (test_power_cut.py).
    """
    program = SERVER.format(tests=str(Path(__file__).parent), store=str(own_store.project))
    acknowledged = []
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for number in range(rounds):
            parent.stdin.write("go\n")
            parent.stdin.flush()
            pid, port = map(int, parent.stdout.readline().split())
            acknowledged += write_until_killed(Client(port), pid, number)
        parent.stdin.close()
    stored = [(row["id"], row["correct"]) for row in feedback_rows(own_store.folder / "serve" / "requests.sqlite")]
    assert len(acknowledged) >= rounds
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


def write_until_killed(client: Any, pid: int, number: int) -> list[tuple[str, str]]:
    """Feedback that was acknowledged; the server is killed while the next one is on its way."""
    acknowledged = []
    try:
        for _ in range(1 + number % 3):
            id = ask_for(client)
            if client.feedback({"id": id, "correct": "refund"}).status == 200:
                acknowledged.append((id, "refund"))
        id = ask_for(client)
        with closing(open_feedback(client.port, id)):
            os.kill(pid, signal.SIGKILL)
    except OSError:
        os.kill(pid, signal.SIGKILL)
    return acknowledged


def open_feedback(port: int, id: str) -> Any:
    """A connection with feedback on its way, unanswered."""
    import socket

    body = b'{"id":"%s","correct":"card"}' % id.encode()
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(
        b"POST /v1/feedback HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    )
    return connection


def test_a_log_with_another_clock_stamps_answers_of_other_days(
    own_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    with server_for(own_store, tmp_path) as client:
        client.log.clock = lambda: 86_400.0
        id = ask_for(client)
        assert client.feedback({"id": id, "correct": "refund"}).status == 200
        assert [row["at"] for row in answer_rows(client.log.database)] == [86_400.0]
        assert [row["at"] for row in feedback_rows(client.log.database)] == [86_400.0]


@pytest.mark.parametrize("allowed", [0, 10], ids=["not learned", "learned"])
def test_feedback_with_a_label_that_is_new_says_whether_it_can_be_learned(
    text_store: Store,
    new_place: Callable[[Path], Database],
    server_for: Callable[..., Any],
    tmp_path: Path,
    allowed: int,
) -> None:
    """`teaches` was true for labels that `improve` then set aside."""
    place = new_place(tmp_path / "requests.sqlite")
    with server_for(text_store, place, Settings(keep_inputs=True, new_labels=allowed)) as client:
        stored = client.feedback({"id": ask_for(client), "correct": "refnd"}).json
    assert (stored["new_label"], stored["teaches"]) == (True, bool(allowed))
    assert "did you mean 'refund'?" in stored["hint"]
    assert ("new_labels: 10" in stored["hint"]) is (allowed == 0)


def test_feedback_that_does_not_fit_the_answer_is_refused_by_name_and_not_kept(client: Any) -> None:
    def settled(value: str, correct: str) -> str:
        raise DataError("forecast is told 4 steps, expected at most 3", "send fewer")

    id = ask_for(client)
    with pytest.raises(Refused, match="told 4 steps, expected at most 3"):
        client.log.feedback(Feedback(id, "refund", None, "", settled=settled)).result(5)
    assert said(client, id) == []
