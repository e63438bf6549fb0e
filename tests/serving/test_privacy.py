"""What people write is in no log, is kept only when that was asked for, and is gone when it is old or unwanted."""

import asyncio
import gc
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from asking import Client
from test_keys import guarded, with_key
from typer.testing import CliRunner

from windlass.cli import app as command
from windlass.database.keys import KeyRequest, create
from windlass.database.request_log import answer_rows, feedback_rows
from windlass.database.retention import DAY_S, Retention, delete_older, forget
from windlass.errors import DataError
from windlass.serving.api.forget import _written as all_written
from windlass.serving.contract.settings import Settings
from windlass.serving.telemetry.access_log import AccessLog
from windlass.store.store import Store

CANARY = "canary-7f3a-my-name-is-anna"


def written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def say_it_everywhere(client: Client, token: str) -> list[int]:
    """The canary in a text, in fields that are refused, in what is not JSON, in a path, a query and headers."""
    key = with_key(token)
    return [
        client.predict({"row": {"message": CANARY}}, **key).status,
        client.predict({"row": {CANARY: "x"}}, **key).status,
        client.predict({"row": {"message": {CANARY: 1}}}, **key).status,
        client.predict(CANARY.encode(), **key).status,
        client.predict({"row": {"message": CANARY + "x" * 200_000}}, **key).status,
        client.feedback({"id": CANARY, "correct": CANARY}, **key).status,
        client.ask("GET", f"/{CANARY}?{CANARY}", **key).status,
        client.ask("GET", f"/health?{CANARY}", User_Agent=CANARY, Referer=CANARY, X_Forwarded_For=CANARY).status,
        client.ask("GET", "/health", Host=CANARY).status,
        client.predict({"row": {"message": CANARY}}, Authorization=f"Bearer {CANARY}").status,
        client.ask(CANARY.upper().replace("-", ""), "/health").status,
    ]


@pytest.mark.parametrize("keep_inputs", [False, True])
def test_what_people_write_is_nowhere_unless_it_is_kept(
    text_store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str], keep_inputs: bool
) -> None:
    """Log of requests, stderr and database are searched; its control is `keep_inputs: true`, which is found."""
    place = tmp_path / "requests.sqlite"
    token = create(place, KeyRequest("anna", ("predict", "feedback")))[1]
    with (
        AccessLog(str(tmp_path / "access.jsonl")) as access,
        guarded(text_store, place, Settings(keep_inputs=keep_inputs), access=access) as client,
    ):
        statuses = say_it_everywhere(client, token)
        engine = client.app.state.service.predictor.engine

        def broken(batches: Any) -> Any:
            raise RuntimeError(f"cannot read {CANARY}")

        object.__setattr__(client.app.state.service.predictor, "engine", broken)
        statuses.append(client.predict({"row": {"message": CANARY}}, **with_key(token)).status)
        object.__setattr__(client.app.state.service.predictor, "engine", engine)
    assert statuses == [200, 422, 422, 400, 422, 404, 404, 200, 421, 401, 405, 500]
    told = "".join(capfd.readouterr())
    assert "RuntimeError" in told
    assert CANARY not in told
    assert token not in told
    found = written(tmp_path)
    assert (CANARY.encode() in found) is keep_inputs
    assert CANARY.upper().replace("-", "").encode() not in found
    assert token.encode() not in found


def test_a_line_about_each_request_says_when_where_how_and_whose(text_store: Store, tmp_path: Path) -> None:
    place, to = tmp_path / "requests.sqlite", tmp_path / "access.jsonl"
    key, token = create(place, KeyRequest("anna"))
    with AccessLog(str(to)) as access, guarded(text_store, place, access=access) as client:
        replies = [
            client.predict({"row": {"message": "card"}}, **with_key(token)),
            client.predict({"row": {"message": "card"}}),
            client.ask("GET", "/nowhere"),
        ]
    lines = [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]
    assert [(line["route"], line["status"], line["key"]) for line in lines] == [
        ("/v1/predict", 200, key.id),
        ("/v1/predict", 401, None),
        ("other", 404, None),
    ]
    assert [line["id"] for line in lines] == [reply.headers["x-request-id"] for reply in replies]
    assert replies[1].error["id"] == lines[1]["id"]
    assert set(lines[0]) == {"at", "id", "method", "route", "status", "ms", "key", "release"}
    assert all(line["ms"] > 0 for line in lines)


def test_a_log_that_takes_nothing_delays_no_answer(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    """/dev/full stands in for a full disk."""
    with AccessLog("/dev/full") as access, guarded(text_store, tmp_path / "log.sqlite", access=access) as client:
        assert [client.predict({"row": {"message": "card"}}).status for _ in range(3)] == [200] * 3
    assert access.lost == 3


def ask_and_correct(client: Client, text: str, **headers: str) -> str:
    id = client.predict({"row": {"message": text}}, **headers).json["answers"][0]["id"]
    assert client.feedback({"id": id, "correct": "card", "note": text}, **headers).status == 200
    return id


def test_one_person_is_forgotten_by_route_and_by_command(text_store: Store, tmp_path: Path) -> None:
    """The bytes are gone from the file and its write-ahead log, and the others are still there."""
    (tmp_path / "windlass.yaml").write_text(
        "{name: desk, data: rows.csv, inputs: {message: text}, output: {intent: category}}", encoding="utf-8"
    )
    place = tmp_path / ".windlass" / "serve" / "requests.sqlite"
    admin, other = (create(place, KeyRequest(scope, (scope, "feedback", "predict")))[1] for scope in ("admin", "read"))
    with guarded(text_store, place, Settings(keep_inputs=True)) as client:
        first, second, third = (
            ask_and_correct(client, text, **with_key(admin)) for text in (CANARY, "eva-was-here", "otto-was-here")
        )
        assert client.ask("DELETE", f"/v1/answers/{first}", **with_key(other)).status == 403
        assert client.ask("DELETE", f"/v1/answers/{first}", **with_key(admin)).json == {"id": first, "forgotten": True}
        assert client.ask("DELETE", f"/v1/answers/{first}", **with_key(admin)).status == 404
        fresh = client.predict({"row": {"message": CANARY}}, **with_key(admin)).json["answers"][0]["id"]
        assert client.ask("DELETE", f"/v1/answers/{fresh}", **with_key(admin)).status == 200, "logged a moment ago"
        assert CANARY.encode() not in written(tmp_path)
        done = CliRunner().invoke(command, ["forget", second, "0" * 24, "--project", str(tmp_path)])
        assert done.stdout == "1 of 2 forgotten\n"
    found = written(tmp_path)
    assert b"eva-was-here" not in found
    assert b"otto-was-here" in found
    assert [row["id"] for row in feedback_rows(place)] == [third]


def test_what_is_older_than_its_days_is_deleted(text_store: Store, tmp_path: Path) -> None:
    place = tmp_path / "requests.sqlite"
    with guarded(text_store, place, Settings(keep_inputs=True)) as client:
        old, new = (ask_and_correct(client, text) for text in (CANARY, "eva-was-here"))
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("update answers set at = at - ? where id = ?", (31 * DAY_S, old))
    assert delete_older(place, 32) == 0
    with Retention(place, 30) as retention:
        pass
    assert retention.fault == ""
    assert [row["id"] for row in answer_rows(place)] == [new]
    assert [row["id"] for row in feedback_rows(place)] == [new]
    assert CANARY.encode() not in written(tmp_path)


def test_nothing_to_forget_is_no_fault(tmp_path: Path) -> None:
    assert forget(tmp_path / "none.sqlite", ["a"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_deletion_leaves_no_error_unread() -> None:
    """Its turn in the log is a refusal that nobody read: each DELETE wrote an exception report to stderr."""

    class Refuses:
        def feedback(self, said: object) -> Future[None]:
            turn: Future[None] = Future()
            turn.set_exception(DataError("answer is not in the log"))
            return turn

    seen: list[object] = []

    async def wait() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context))
        await all_written(Refuses())  # type: ignore[arg-type]
        gc.collect()

    asyncio.run(wait())
    assert seen == []
