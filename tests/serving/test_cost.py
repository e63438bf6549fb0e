"""What a request costs is bounded before it is done; a large one is cut, others pass between, who leaves stops it."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_keys import CARD, guarded, with_key

from windlass.database.jobs import Jobs
from windlass.database.keys import KeyRequest, Rate, create, used
from windlass.predictors.contract import Labeller
from windlass.records import Column, Manifest
from windlass.serving.contract.faults import overloaded
from windlass.serving.contract.settings import Settings
from windlass.serving.http.intake import Intake
from windlass.serving.http.rate_limits import SharedBuckets
from windlass.serving.http.server_state import ServerState
from windlass.serving.runtime import cost
from windlass.store.store import Store

IDS = Column("message", "text", {"form": "ids", "tokens": ["card", "lost"], "length": 8, "pad": 0})
ANSWER = Column("intent", "category", {"form": "label", "labels": ["no", "yes"], "counts": [1, 1]})
N_ROWS = 40
GROWN = "\ufdfa" * 5_000
"""90,000 characters once it is normalised."""


class CostModel(cost.CostModel):
    """One that learns nothing, so that the slices are known."""

    def learn(self, effort: int, n_rows: int, ms: float) -> None:
        pass


class Metered:
    """An engine that computes a batch whenever it is let; it counts their rows."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.let = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)

    def __call__(self, batches: Any) -> np.ndarray:
        self.asked.release()
        assert self.let.acquire(timeout=60)
        self.sizes.append(len(batches[0]))
        return np.zeros((len(batches[0]), 2), np.float32)


@contextmanager
def metered(writer_server: Callable[..., Any], path: Path, row_ms: float) -> Iterator[tuple[Any, Metered, Any]]:
    """A network behind a server, of which a row is known to take so long; and its line."""
    engine = Metered()
    predictor = Labeller(Manifest("onnx", "by hand", (IDS,), ANSWER), engine)
    with writer_server(None, path, predictor=predictor) as client:
        replica = client.app.state.service.replica
        replica.pace = CostModel(0.0, row_ms)
        try:
            yield client, engine, replica.batcher
        finally:
            engine.let.release(1_000)


def large(n_rows: int = N_ROWS) -> dict[str, Any]:
    """More than 8 KiB, so that it is read beside the event loop."""
    return {"rows": [{"message": "card " * 60}] * n_rows}


def asking(client: Any, body: Any, statuses: list[int]) -> threading.Thread:
    asker = threading.Thread(target=lambda: statuses.append(client.predict(body).status))
    asker.start()
    return asker


def until(client: Any, holds: Callable[[], bool]) -> None:
    """Each look is a request, so that nobody sleeps."""
    for _ in range(20_000):
        if holds():
            return
        client.ask("GET", "/health")
    raise AssertionError("it never held")


@pytest.mark.parametrize(("row_ms", "sizes"), [(5.0, [4, 1, *[4] * 9]), (0.0, [N_ROWS, 1])])
def test_a_small_request_passes_between_the_slices_of_a_large_one(
    writer_server: Callable[..., Any], tmp_path: Path, row_ms: float, sizes: list[int]
) -> None:
    """Of 5 ms a row: four rows a slice. Control: of a model that takes no time it is one piece, and first."""
    statuses: list[int] = []
    with metered(writer_server, tmp_path, row_ms) as (client, engine, batcher):
        first = asking(client, large(), statuses)
        assert engine.asked.acquire(timeout=60)
        second = asking(client, {"row": {"message": "card"}}, statuses)
        until(client, lambda: len(batcher) == 1)
        engine.let.release(2)
        second.join()
        assert len(engine.sizes) == 2
        engine.let.release(1_000)
        first.join()
    assert statuses == [200, 200]
    assert engine.sizes == sizes


def test_large_requests_take_turns(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    """The second is half as large and comes later; it is done first."""
    done: list[str] = []
    with metered(writer_server, tmp_path, 5.0) as (client, engine, batcher):

        def ask(name: str, n_rows: int) -> None:
            assert client.predict(large(n_rows)).status == 200
            done.append(name)

        askers = [threading.Thread(target=ask, args=each) for each in (("long", 80), ("short", 40))]
        askers[0].start()
        assert engine.asked.acquire(timeout=60)
        askers[1].start()
        until(client, lambda: len(batcher) == 1)
        while not done:  # slice by slice: after the last one of the short request the long one needs many more
            engine.let.release()
            engine.asked.acquire(timeout=0.05)
        engine.let.release(1_000)
        for asker in askers:
            asker.join()
    assert done == ["short", "long"]


@pytest.mark.parametrize("leaves", [True, False])
def test_work_stops_when_its_client_leaves(writer_server: Callable[..., Any], tmp_path: Path, leaves: bool) -> None:
    """Control: of a client that stays every row is computed."""
    body = json.dumps(large()).encode()
    head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: %d\r\n\r\n"
    with metered(writer_server, tmp_path, 5.0) as (client, engine, batcher):
        with closing(socket.create_connection(("127.0.0.1", client.port), timeout=60)) as wire:
            wire.sendall(head % len(body) + body)
            assert engine.asked.acquire(timeout=60)
            if leaves:
                wire.close()
                until(client, lambda: b'route="/v1/predict",status="499"' in client.ask("GET", "/metrics").content)
            engine.let.release(1_000)
            if not leaves:
                assert wire.recv(12) == b"HTTP/1.1 200"
        assert client.predict({"row": {"message": "card"}}).status == 200
        assert len(batcher) == 0
    assert sum(engine.sizes) == (4 if leaves else N_ROWS) + 1


def test_too_many_large_requests_are_refused_and_small_ones_are_not(
    writer_server: Callable[..., Any], tmp_path: Path
) -> None:
    statuses: list[int] = []
    with metered(writer_server, tmp_path, 5.0) as (client, engine, batcher):
        askers = [asking(client, large(), statuses)]
        assert engine.asked.acquire(timeout=60)
        most = batcher.max_waiting // 4
        askers += [asking(client, large(), statuses) for _ in range(most + 3)]
        until(client, lambda: len(statuses) == 3)
        askers.append(asking(client, {"row": {"message": "card"}}, statuses))
        until(client, lambda: len(batcher) == most + 1)
        engine.let.release(10_000)
        for asker in askers:
            asker.join()
    assert statuses[:3] == [503] * 3
    assert sorted(statuses[3:]) == [200] * (most + 2)


# what is bounded ------------------------------------------------------------------------------------------------------


def forms(rows: list[str]) -> list[tuple[str, Any]]:
    """The same rows in the form of every route that answers some."""
    tensor = {"name": "message", "datatype": "BYTES", "shape": [len(rows)], "data": rows}
    return [
        ("/v1/predict", {"rows": [{"message": row} for row in rows]}),
        ("/v1/explain", {"rows": [{"message": row} for row in rows[:8]]}),
        ("/v2/models/support-desk/infer", {"inputs": [tensor]}),
        ("/models/support-desk", {"inputs": rows}),
    ]


@pytest.mark.parametrize("route", range(4))
def test_every_route_bounds_what_a_request_costs(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any], route: int
) -> None:
    """Counted after normalisation: 6 rows of 5,000 characters are 540,600. Control: half of it is answered, of
    explanations, which ask many times about a row, one row."""
    path, body = forms([GROWN] * 6)[route]
    with server_for(text_store, tmp_path, Settings(max_effort=540_000)) as client:
        reply = client.ask("POST", path, body)
        assert reply.status == 413, reply.content
        assert b"540,600" in reply.content
        assert client.ask("POST", path, forms([GROWN] * (1 if path == "/v1/explain" else 3))[route][1]).status == 200


def test_a_text_that_grows_beyond_its_bound_is_refused(client: Any) -> None:
    reply = client.predict({"row": {"message": "\ufdfa" * 100_000}})
    assert reply.status == 422
    assert "100,000 characters once it is normalised" in reply.error["message"]


def test_embeddings_are_bounded_too() -> None:
    from windlass.serving.api.openai_requests import read_embedding
    from windlass.serving.contract.faults import Fault

    body = json.dumps({"model": "teller", "input": ["\ufdfa" * 100_000]}).encode()
    with pytest.raises(Fault, match="expected 1 to 100,000"):
        read_embedding(body, ["teller"], 8)


# what is charged ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effort", "n_requests"), [(0, 1), (150, 1), (20_000, 1), (20_001, 2), (256 * 178, 3), (3_000_000, 150)]
)
def test_a_request_counts_as_many_times_as_it_holds_20_000_characters(effort: int, n_requests: int) -> None:
    """256 rows of 78 characters count 256 * 178 = 45,568 characters."""
    assert cost.requests(effort) == n_requests


def test_a_rate_is_charged_by_work_and_so_is_a_quota(text_store: Store, tmp_path: Path) -> None:
    """100 rows of 1,100 characters, 120,000 with what rows count: six requests. Control: 100 short rows are one."""
    place = tmp_path / "log" / "keys.sqlite"
    slow, metered = (create(place, KeyRequest(name, rate=rate, quota=quota))[1]
                     for name, rate, quota in (("slow", "7/h", ""), ("metered", "", "100/month")))  # fmt: skip
    heavy, light = ({"rows": [{"message": "x" * length}] * 100} for length in (1_100, 20))
    with guarded(text_store, place) as client:
        assert client.predict(light, **with_key(slow)).status == 200
        assert client.predict(heavy, **with_key(slow)).status == 200
        reply = client.predict(CARD, **with_key(slow))
        assert reply.status == 429
        assert client.predict(light, **with_key(metered)).status == 200
        assert client.predict(heavy, **with_key(metered)).status == 200
    assert list(used(place).values()) == [7]


def test_a_job_is_charged_for_its_rows(text_store: Store, tmp_path: Path) -> None:
    """10,000 rows of 50 characters are 75 requests, and 75 an hour are spent."""
    place = tmp_path / "log" / "keys.sqlite"
    _, token = create(place, KeyRequest("batch", ("jobs", "predict"), rate="75/h"))
    with guarded(text_store, place) as client, closing(Jobs(place)) as jobs:
        client.app.state.service.jobs = jobs
        rows = {"rows": [{"message": "x" * 50}] * 10_000}
        assert client.ask("POST", "/v1/jobs", rows, **with_key(token)).status == 202
        assert client.predict(CARD, **with_key(token)).status == 429


def test_who_owes_waits_until_it_has_come_in(tmp_path: Path) -> None:
    """Of 10 a second, after 40: three seconds for what is owed, a tenth for the next."""
    now = [100.0]
    shared = SharedBuckets(tmp_path / "buckets", lambda: now[0])
    shared.charge("a", Rate(10, 1), 40)
    assert shared.take("a", Rate(10, 1)) == pytest.approx(3.1)
    now[0] += 3.05
    assert shared.take("a", Rate(10, 1)) == pytest.approx(0.05)
    now[0] += 0.1
    assert shared.take("a", Rate(10, 1)) == 0.0
    assert shared.take("b", Rate(10, 1)) == 0.0


# how it is cut --------------------------------------------------------------------------------------------------------


def test_slices_follow_the_slower_of_characters_and_rows() -> None:
    pace = cost.CostModel(0.001, 5.0)
    assert [part.stop - part.start for part in pace.slices([200] * 10)] == [4, 4, 2]  # 5 ms a row
    assert [part.stop - part.start for part in pace.slices([9_000] * 5)] == [2, 2, 1]  # 9 ms of characters
    assert [part.stop - part.start for part in pace.slices([90_000] * 2)] == [1, 1]
    assert [part.stop - part.start for part in cost.CostModel(0.0, 0.0).slices([100] * 130)] == [64, 64, 2]
    assert [part.stop for part in cost.CostModel().slices([100] * 3)] == [1, 2, 3]


def test_a_pace_is_learnt_and_forgets_slowly() -> None:
    pace = cost.CostModel()
    pace.learn(1_000, 2, 10.0)
    assert (pace.character_ms, pace.row_ms) == (0.01, 5.0)
    pace.learn(1_000, 2, 20.0)
    assert (pace.character_ms, pace.row_ms) == (pytest.approx(0.012), pytest.approx(6.0))


def test_what_a_job_answers_at_once_is_measured_by_what_its_rows_cost(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    """Rows of which a thousand fit into a step, then rows of 90,000 characters: each is a step of its own."""
    from windlass.serving.batch.work import _step

    with server_for(text_store, tmp_path) as client:
        replica = client.app.state.service.replica
        replica.pace = CostModel(0.001, 0.01)
        assert _step(replica, [{"message": "x"}] * 64) == 64
        assert _step(replica, [{"message": "x"}, "no row", *[{"message": GROWN}] * 62]) == 2


def test_a_connection_is_kept_after_a_large_request(client: Any) -> None:
    """What watches whether the client leaves takes nothing of its next request."""
    with closing(http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)) as connection:
        for body in (large(), {"row": {"message": "card"}}, large()):
            connection.request("POST", "/v1/predict", json.dumps(body), {"content-type": "application/json"})
            response = connection.getresponse()
            assert response.status == 200
            assert json.loads(response.read())["answers"]


# what others feel -----------------------------------------------------------------------------------------------------


def test_a_short_row_stays_quick_after_long_ones() -> None:
    """As measured: 140 ms for 99,000 characters, 0.3 for 30. Control: judged by all rows together it takes 28 ms."""
    pace = cost.CostModel()
    pace.learn(99_100, 1, 140.0)
    pace.learn(130, 1, 0.3)
    pace.learn(99_100, 1, 140.0)
    assert pace.ms(130, 1) == pytest.approx(0.3)
    assert pace.ms(99_100, 1) == pytest.approx(140.0)
    assert max(130 * pace.character_ms, pace.row_ms) > 28


def test_large_bodies_leave_room_for_small_ones(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    """Of 100,000 bytes three quarters are for bodies above 64 KiB: 90,000 find no room, 60,000 do."""
    with server_for(text_store, tmp_path, Settings(max_held_bytes=100_000)) as client:
        assert client.predict({"row": {"message": "x" * 90_000}}).status == 503
        assert client.predict({"row": {"message": "x" * 60_000}}).status == 200


@pytest.mark.parametrize("leaves", [True, False])
def test_what_a_client_sent_before_it_left_is_not_read(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any], leaves: bool
) -> None:
    """Control: of a client that stays all of it is."""
    taken: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    class Held(Intake):
        async def take(self, n_bytes: int) -> None:
            taken.append(n_bytes)
            begun.set()
            while not go_on.is_set():
                await asyncio.sleep(0)

    body = json.dumps({"row": {"message": "x"}}).encode() + b" " * 1_500_000
    head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with server_for(text_store, tmp_path, state=ServerState(intake=Held())) as client:
        with closing(socket.create_connection(("127.0.0.1", client.port), timeout=60)) as wire:
            wire.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert begun.wait(60)
            if leaves:
                wire.close()
            go_on.set()
            if not leaves:
                assert wire.recv(12) == b"HTTP/1.1 200"
        until(client, lambda: b'route="/v1/predict",status=' in client.ask("GET", "/metrics").content)
        status = b"499" if leaves else b"200"
        assert b'route="/v1/predict",status="%s"' % status in client.ask("GET", "/metrics").content
    assert (sum(taken) < 800_000) is leaves


@pytest.mark.parametrize("is_short", [True, False])
def test_a_short_explanation_waits_for_no_long_one(client: Any, is_short: bool) -> None:
    """Control: one as long as the first waits for it."""
    service, held, go_on = client.app.state.service, threading.Event(), threading.Event()
    whole = service.predictor

    def slow(batches: Any) -> Any:
        if not held.is_set():
            held.set()
            assert go_on.wait(60)
        return whole.engine(batches)

    long = {"row": {"message": "where is my card " * 300}}
    replies: list[int] = []
    service.replica.predictor = type(whole)(whole.manifest, slow)
    try:
        askers = [asking_why(client, long, replies)]
        assert held.wait(60)
        askers.append(asking_why(client, {"row": {"message": "card"}} if is_short else long, replies))
        if is_short:
            until(client, lambda: len(replies) == 1)
        else:
            for _ in range(50):
                client.ask("GET", "/health")
            assert not replies
        go_on.set()
        for asker in askers:
            asker.join()
    finally:
        go_on.set()
        service.replica.predictor = whole
    assert replies == [200, 200]


def asking_why(client: Any, body: Any, statuses: list[int]) -> threading.Thread:
    asker = threading.Thread(target=lambda: statuses.append(client.ask("POST", "/v1/explain", body).status))
    asker.start()
    return asker


# what is not charged --------------------------------------------------------------------------------------------------


def test_a_quota_counts_what_was_answered(text_store: Store, tmp_path: Path) -> None:
    """Five: a job of one row and four predictions.

    Free are three repeats of the job, looking at it, and what is refused while the server is not ready.
    """
    place = tmp_path / "log" / "keys.sqlite"
    _, token = create(place, KeyRequest("shop", ("jobs", "predict"), quota="5/month"))
    again = with_key(token) | {"Idempotency-Key": "once"}
    with guarded(text_store, place) as client, closing(Jobs(place)) as jobs:
        service = client.app.state.service
        service.jobs = jobs
        rows = {"rows": [{"message": "card"}]}
        replies = [client.ask("POST", "/v1/jobs", rows, **again) for _ in range(4)]
        assert [reply.status for reply in replies] == [202] * 4
        service.proof = "not ready"
        assert [client.predict(CARD, **with_key(token)).status for _ in range(9)] == [503] * 9
        service.proof = ""
        assert [client.predict(CARD, **with_key(token)).status for _ in range(6)] == [200] * 4 + [429] * 2
        job = replies[0].json["id"]
        assert {client.ask("GET", f"/v1/jobs/{job}", **with_key(token)).status for _ in range(9)} == {200}
        assert client.ask("DELETE", f"/v1/jobs/{job}", **with_key(token)).status == 200
    assert list(used(place).values()) == [5]


def test_work_that_was_charged_and_not_done_is_given_back(text_store: Store, tmp_path: Path) -> None:
    """100 rows of 1,100 characters are six requests. Control: where they are answered, they are counted."""
    place = tmp_path / "log" / "keys.sqlite"
    _, token = create(place, KeyRequest("shop", quota="100/month"))
    heavy = {"rows": [{"message": "x" * 1_100}] * 100}
    with guarded(text_store, place) as client:
        replica = client.app.state.service.replica

        def overflowing(rows: Any, effort: int, *names: Any) -> Any:
            raise overloaded("server has too much to do, expected less")

        compute, replica.batcher.compute, replica._compute = replica._compute, overflowing, overflowing
        assert client.predict(heavy, **with_key(token)).status == 503
        replica.batcher.compute = replica._compute = compute
        assert client.predict(heavy, **with_key(token)).status == 200
    assert list(used(place).values()) == [6]
