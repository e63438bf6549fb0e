"""Batch jobs over HTTP: rows in, answers out in order, alive after kill -9, behind live requests, bounded, private."""

import base64
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from own_process import children, serving, until
from PIL import Image
from test_keys import guarded, with_key
from test_watched import with_reference

from conftest import LABELS, MESSAGES
from windlass import Client
from windlass.database import jobs as kept
from windlass.database import keys
from windlass.database.jobs import Done, Jobs
from windlass.database.keys import KeyRequest
from windlass.database.location import log_path
from windlass.database.request_log import answer_rows
from windlass.errors import DataError, NotReady, Refused
from windlass.registry import releases
from windlass.serving.api.jobs import MOST_ROWS, read_rows
from windlass.serving.batch import work
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.settings import Settings
from windlass.store.store import Store

ROWS = [{"message": MESSAGES[number % len(MESSAGES)]} for number in range(150)]
WANTED = [LABELS[number % len(LABELS)] for number in range(150)]


@pytest.fixture
def served(own_store: Store, tmp_path: Path, server_for: Callable[..., Any]) -> Iterator[Any]:
    place = tmp_path / "requests.sqlite"
    with closing(Jobs(place)) as jobs, server_for(own_store, tmp_path, Settings(keep_inputs=True), jobs=jobs) as client:
        client.app.state.service.releases = lambda: releases.listing(own_store)
        yield client


def finished(client: Client, id: str) -> list[dict[str, Any]]:
    until(lambda: client.job(id).state == "done")
    return client.job_result(id)


def test_watch_sees_the_rows_of_a_job_as_those_of_live_requests(served: Any, tmp_path: Path) -> None:
    """Control: without a reference there is nothing to compare them with."""
    with Client(f"http://127.0.0.1:{served.port}") as client:
        finished(client, client.start_job(ROWS[:3]).id)
        service = served.app.state.service
        service.replica.reference = with_reference(service, tmp_path)
        finished(client, client.start_job(ROWS[:3]).id)
    profiles = [row["profile"] for row in answer_rows(served.log.path)]
    assert profiles[:3] == [None] * 3
    assert profiles[3:] == [service.replica.reference.profile(row) for row in ROWS[:3]]


def test_a_row_of_a_job_names_no_file(
    tmp_path: Path, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> None:
    """Control: the same picture as base64 is answered."""
    Image.new("RGB", (20, 20), "navy").save(tmp_path / "photo.png")
    content = base64.b64encode((tmp_path / "photo.png").read_bytes()).decode()
    store = Store(tmp_path)
    release_maker(store, {"photo": "image"}, [])
    names = [content, "photo.png", str(tmp_path / "photo.png"), "../photo.png", f"file://{tmp_path}/photo.png"]
    with (
        closing(Jobs(tmp_path / "requests.sqlite")) as jobs,
        server_for(store, tmp_path, jobs=jobs) as server,
        Client(f"http://127.0.0.1:{server.port}") as client,
    ):
        lines = finished(client, client.start_job([{"photo": name} for name in names]).id)
    assert "value" in lines[0]
    assert ["not base64" in line.get("error", "") for line in lines] == [False] + [True] * 4


def test_a_job_is_answered_in_order_and_feedback_finds_its_answers(served: Any) -> None:
    with Client(f"http://127.0.0.1:{served.port}") as client:
        job = client.start_job([*ROWS, {"message": 7}, {"other": "x"}])
        assert (job.rows, job.done, job.state) == (152, 0, "waiting")
        lines = finished(client, job.id)
        assert [line["row"] for line in lines] == list(range(152))
        assert [line["value"] for line in lines[:150]] == WANTED
        alone = client.predict(ROWS[:1])[0]
        assert (lines[0]["value"], lines[0]["confidence"]) == (alone.value, pytest.approx(alone.confidence))
        assert "expected text" in lines[150]["error"]
        assert "unknown field 'other'" in lines[151]["error"]
        assert client.job(job.id).refused == 2
        assert client.feedback(lines[3]["id"], correct="card").right is False
        assert {row["id"] for row in answer_rows(served.log.path)} >= {line["id"] for line in lines[:150]}
        listed = client.releases()
        assert [(each["id"], each["champion"], each["serving"], each["score"]) for each in listed] == [
            ("toy-1", True, True, 0.91)
        ]
        client.delete_job(job.id)
        with pytest.raises(DataError, match="job is not known"):
            client.job(job.id)


def test_jobs_survive_kill_9_and_are_answered_once(own_store: Store) -> None:
    """A worker is killed while it answers; another one, or the next service, does the rest; every row is there once."""
    many = ROWS * 40
    with serving(own_store, workers=2) as (asked, process, _):
        client = Client(f"http://127.0.0.1:{asked.port}")
        id = client.start_job(many).id
        until(lambda: client.job(id).done > 0)
        for worker in children(process.pid):
            os.kill(worker, signal.SIGKILL)
        process.kill()
        client.close()
    _expire_leases(own_store)
    with serving(own_store, workers=1) as (asked, _, _), Client(f"http://127.0.0.1:{asked.port}") as client:
        assert client.job(id).done > 0
        lines = finished(client, id)
    assert [line["value"] for line in lines] == WANTED * 40
    assert len({line["id"] for line in lines}) == len(many)
    assert len(list(answer_rows(log_path(own_store)))) == len(many)


def _expire_leases(store: Store) -> None:
    """As 20 s would, which nobody wants to wait for."""
    jobs = Jobs(log_path(store))
    with jobs._memory.transaction() as connection:
        connection.execute("update job_parts set lease = 0")
    jobs.close()


def test_a_part_is_answered_once_though_two_took_it(tmp_path: Path) -> None:
    """The first one's lease ran out: what it writes then is thrown away. Poison is not tried for ever."""
    now = [100.0]
    jobs = Jobs(tmp_path / "requests.sqlite", clock=lambda: now[0])
    job = jobs.add("", "", [{"message": "a"}, "row is not an object, expected one"])
    first = jobs.take()
    assert first is not None
    assert first.rows == [{"message": "a"}, "row is not an object, expected one"]
    assert jobs.take() is None
    now[0] += kept.LEASE_S + 1
    second = jobs.take()
    assert second is not None
    lines = [{"row": 0, "value": "x"}, {"row": 1, "error": "y"}]
    assert jobs.finish(second, Done(lines, 1, []))
    assert not jobs.finish(first, Done(lines, 1, []))
    assert jobs.get(job.id, "").as_json()["state"] == "done"
    assert b"".join(jobs.result(job.id, "")) == b'{"row":0,"value":"x"}\n{"row":1,"error":"y"}\n'
    poisoned = jobs.add("", "", [{"message": "a"}])
    for _ in range(kept.MOST_TRIES):
        taken = jobs.take()
        assert taken is not None
        assert not taken.is_poison
        now[0] += kept.LEASE_S + 1
    taken = jobs.take()
    assert taken is not None
    assert taken.is_poison
    now[0] += 8 * kept.DAY_S
    jobs.delete_older()
    with pytest.raises(Refused, match="not known"):
        jobs.get(poisoned.id, "")
    jobs.close()


def test_rows_of_a_job_are_gone_from_the_disk_once_they_are_answered(served: Any, tmp_path: Path) -> None:
    """Answered with `keep_inputs` off; its control: while the job waits, the text is there."""
    jobs = Jobs(tmp_path / "other.sqlite")
    jobs.add("", "", [{"message": "my very secret text"}])
    assert b"very secret" in on_disk(tmp_path)
    part = jobs.take()
    assert part is not None
    jobs.finish(part, Done([{"row": 0, "value": "x"}], 0, []))
    jobs.close()
    assert b"very secret" not in on_disk(tmp_path)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("other.sqlite*"))


def test_each_key_sees_its_own_jobs_and_may_have_four_of_them(own_store: Store, tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    one, other, low = (keys.create(place, KeyRequest(name, (scope,)))[1] for name, scope in OWNERS)
    with guarded(own_store, place) as client:
        client.app.state.service.jobs = jobs = Jobs(place)
        sent = [client.ask("POST", "/v1/jobs", {"rows": ROWS[:1]}, **with_key(one)) for _ in range(5)]
        assert [reply.status for reply in sent] == [202] * 4 + [429]
        path = f"/v1/jobs/{sent[0].json['id']}"
        for key, wanted in ((one, 200), (other, 404), (low, 403)):
            assert client.ask("GET", path, **with_key(key)).status == wanted
        assert client.ask("GET", f"{path}/result", **with_key(one)).error["kind"] == "job_unfinished"
        assert client.ask("GET", f"{path}/result", **with_key(other)).status == 404
        assert client.ask("DELETE", path, **with_key(other)).status == 404
        assert client.ask("DELETE", path, **with_key(one)).json["deleted"]
        again = [
            client.ask("POST", "/v1/jobs", {"rows": ROWS[:1]}, idempotency_key="k", **with_key(one)) for _ in range(2)
        ]
        assert again[0].json == again[1].json
        typed = Client(f"http://127.0.0.1:{client.port}", one, deadline_s=1)
        with typed, pytest.raises(NotReady, match="4 jobs that are not done"):
            typed.start_job(ROWS[:1])
        jobs.close()


OWNERS = (("one", "jobs"), ("other", "jobs"), ("low", "predict"))


@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        (b"", "text/csv", "has 0 rows"),
        (b"a,a\n1,2\n", "text/csv", "a column twice"),
        (b"a,\n1,2\n", "text/csv", "without a name"),
        (b"a\n\xff\n", "text/csv", "not UTF-8 at byte 2"),
        (b'{"rows": 3}', "application/json", "no list 'rows'"),
        (b'{"path": "/etc/passwd"}', "application/json", "unknown field 'path'"),
        (b"{}\n" * (MOST_ROWS + 1), "application/x-ndjson", "100,001 rows"),
    ],
)
def test_what_is_no_table_of_rows_is_refused(content: bytes, kind: str, why: str) -> None:
    with pytest.raises(Fault, match=why):
        read_rows(content, kind)


def test_a_bad_row_is_told_of_and_the_others_kept() -> None:
    """By hand: CSV with a byte order mark, a quote, a short row; JSON lines that are cut, deep, or no object."""
    csv = b'\xef\xbb\xbfmessage,city\r\n"a ""b""\nc",x\r\nonly\r\n\r\nd,y\r\n'
    assert read_rows(csv, "text/csv") == [
        {"message": 'a "b"\nc', "city": "x"},
        "row has 1 fields, expected 2",
        {"message": "d", "city": "y"},
    ]
    lines = read_rows(b'{"a": 1}\n{"a": \n[1]\n{"a": NaN}\n' + b"[" * 99 + b"\n", "application/x-ndjson")
    assert lines[0] == {"a": 1}
    assert [isinstance(line, str) and line.startswith("row ") for line in lines[1:]] == [True] * 4


def test_a_row_at_which_the_model_fails_says_so_and_the_others_are_answered(served: Any) -> None:
    """The model fails at several rows at once, and at the first one alone."""
    predictor = served.app.state.service.predictor
    engine, alone = predictor.engine, []

    def failing(batches: Any) -> Any:
        alone.append(len(batches[0].starts) - 1)
        if alone[-1] > 1 or alone.count(1) == 1:
            raise RuntimeError("out of memory")
        return engine(batches)

    object.__setattr__(predictor, "engine", failing)
    served.app.state.service.replica.cost_ms = 1.0
    with Client(f"http://127.0.0.1:{served.port}") as client:
        lines = finished(client, client.start_job(ROWS[:6]).id)
    object.__setattr__(predictor, "engine", engine)
    assert lines[0]["error"] == "server failed at this row"
    assert [line["value"] for line in lines[1:]] == WANTED[1:6]


def test_live_requests_go_before_jobs(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live request is under way: no row of the job is answered before `PATIENCE_S`."""
    monkeypatch.setattr(work, "PATIENCE_S", 600.0)
    replica = served.app.state.service.replica
    replica.under_way += 1
    with Client(f"http://127.0.0.1:{served.port}") as client:
        id = client.start_job(ROWS).id
        begun = time.monotonic()
        assert client.predict(ROWS[:1])[0].value == "card"
        until(lambda: time.monotonic() - begun > 0.4)
        assert client.job(id).done == 0
        replica.under_way -= 1
        assert len(finished(client, id)) == 150


def test_a_jobs_idempotency_key_is_its_callers_own_and_means_the_same_rows(own_store: Store, tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    one, other = (keys.create(place, KeyRequest(name, ("jobs",)))[1] for name in ("one", "other"))
    with guarded(own_store, place) as client:
        client.app.state.service.jobs = jobs = Jobs(place)

        def start(token: str, n_rows: int, key: str) -> Any:
            return client.ask("POST", "/v1/jobs", {"rows": ROWS[:n_rows]}, idempotency_key=key, **with_key(token))

        first = start(one, 1, "k")
        assert start(one, 1, "k").json == first.json
        assert start(one, 2, "k").error["kind"] == "key_reused"
        second = start(other, 2, "k")
        assert (second.status, second.json["id"] != first.json["id"]) == (202, True)
        assert start(one, 1, "").status == start(one, 1, "k" * 201).status == 422
        jobs.close()
