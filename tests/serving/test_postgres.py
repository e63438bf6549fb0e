"""PostgreSQL, a real server: what was acknowledged survives its crashes, and a password is never shown."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from postgres_server import Server

from windlass.database.backend import Database, Failure, Schema
from windlass.database.connection import Memory, database_at
from windlass.database.location import memory
from windlass.database.request_log import TABLES, Feedback, Logged, RequestLog, feedback_rows
from windlass.errors import NotReady, Refused, SpecError, WindlassError
from windlass.serving.contract.settings import Settings
from windlass.store.store import Store

NOTES = Schema("notes", ("create table if not exists notes (text text not null unique)",))

SECRETS = ("geheim/1", "1/geheim", "1?geheim", "1@geheim", "geheim@1", "1?a=geheim", "geheim#%")


def answer(id: str) -> Logged:
    return Logged(id, 1_000.0, "toy-1", "card", 0.9, 1.0, None)


def say(log: RequestLog, id: str, key: str) -> Refused | None:
    """None when it was acknowledged."""
    try:
        log.feedback(Feedback(id, "refund", None, key)).result(60)
    except Refused as refused:
        return refused
    return None


def say_until_stored(log: RequestLog, id: str, key: str) -> None:
    while (refused := say(log, id, key)) is not None:
        assert refused.kind == "log_unavailable"


def test_a_restart_of_the_server_between_two_writes_is_not_noticed(postgres_server: Server) -> None:
    place = postgres_server.make()
    with RequestLog(place) as log:
        log.record([answer("1")], 128)
        assert say(log, "1", "before") is None
        postgres_server.stop()
        postgres_server.start()
        assert say(log, "1", "after") is None
        assert log.unlogged == 0


def test_while_the_server_is_away_feedback_gets_503_and_answers_are_counted(
    postgres_server: Server, text_store: Store, server_for: Callable[..., Any]
) -> None:
    with server_for(text_store, postgres_server.make()) as client:
        ask = {"row": {"message": "card"}}
        id = client.predict(ask).json["answers"][0]["id"]
        assert client.feedback({"id": id, "correct": "card"}).status == 200
        postgres_server.stop()
        try:
            assert client.predict(ask).status == 200
            reply = client.feedback({"id": id, "correct": "refund"})
            assert (reply.status, reply.error["kind"]) == (503, "log_unavailable")
            assert client.ask("GET", "/health").json["log"] == "read-only"
            assert client.log.unlogged == 1
        finally:
            postgres_server.start()
        say_until_stored(client.log, id, "k")
        assert client.ask("GET", "/health").json["log"] == "writing"
        assert [row["correct"] for row in feedback_rows(client.log.database)] == ["card", "refund"]


def write_through_kills(server: Server, place: Database, kills: int) -> tuple[set[str], list[str]]:
    """Four writers send each key until it is acknowledged while the server is killed; the keys told, those stored."""
    told: set[str] = set()
    done = threading.Event()
    with RequestLog(place) as log:
        log.record([answer("1")], 128)
        say_until_stored(log, "1", "first")

        def write(writer: int) -> None:
            number = 0
            while not done.is_set():
                key = f"{writer}-{number}"
                say_until_stored(log, "1", key)
                told.add(f"client::{key}")
                number += 1

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
        for each in writers:
            each.start()
        for kill in range(kills):
            before = len(told)
            while len(told) <= before + kill % 7:
                assert all(each.is_alive() for each in writers), "a writer ended: nothing more will be told"
                say_until_stored(log, "1", "first")
            server.kill()
            server.start()
        done.set()
        for each in writers:
            each.join()
    connection = place.connect(TABLES)
    stored = [key for (key,) in connection.execute("select key from feedback")]
    connection.close()
    return told, stored


def test_kill_9_of_the_server_loses_nothing_acknowledged_and_doubles_nothing(postgres_server: Server) -> None:
    """3 kills here, 30 in soak; a lost reply is asked for again under its key."""
    told, stored = write_through_kills(postgres_server, postgres_server.make(), 3)
    assert len(told) >= 3
    assert told <= set(stored)
    assert len(stored) == len(set(stored))


@pytest.mark.soak
def test_kill_9_of_the_server_thirty_times(postgres_server: Server) -> None:
    told, stored = write_through_kills(postgres_server, postgres_server.make(), 30)
    assert told <= set(stored)
    assert len(stored) == len(set(stored))


def test_a_commit_waits_for_the_disk_whatever_the_server_prefers(postgres_server: Server) -> None:
    place = postgres_server.make()
    with_preference = database_at(place._url + "&options=-csynchronous_commit%3Doff")
    for each in (place, with_preference):
        connection = each.connect()
        assert connection.execute("show synchronous_commit") == [("on",)]
        connection.close()


def test_a_commit_after_a_failure_that_was_passed_over_is_no_commit(postgres_server: Server) -> None:
    """PostgreSQL answers COMMIT with ROLLBACK then, and raises nothing."""
    memory = Memory(postgres_server.make(), NOTES)

    def careless() -> None:
        with memory.transaction() as connection:
            connection.execute("insert into notes values ('a')")
            with pytest.raises(Failure):
                connection.execute("select nothing")

    with pytest.raises(Failure, match="ROLLBACK"):
        careless()
    memory.close()


def test_a_password_is_never_shown(postgres_server: Server, own_store: Store) -> None:
    place = postgres_server.make()
    connection = place.connect()
    connection.execute("create role guarded login password 'right'")
    connection.close()
    url = place._url.replace("windlass@", "guarded:geheim%2F1@")
    unescaped = [f"{scheme}://anna:{secret}@x/db" for secret in SECRETS for scheme in ("postgresql", "mysql")]
    for wrong in (url, url.replace("?", "%zz?"), *unescaped):
        with pytest.raises(WindlassError) as caught:
            memory(own_store, wrong)
        shown = "".join(traceback.format_exception(caught.value)) + repr(Settings(database=wrong))
        assert "geheim" not in shown
    with pytest.raises(NotReady, match="password authentication failed"):
        memory(own_store, url)
    assert "geheim" not in f"{database_at(url)!r} {database_at(url).where} {fault_of(url)}"


def fault_of(url: str) -> str:
    with RequestLog(url) as log:
        say(log, "1", "k")
        return log.fault


def test_a_server_that_is_not_there_is_told_at_the_start(tmp_path: Path, own_store: Store) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(NotReady, match="cannot be used"):
        memory(own_store, f"postgresql://anna@/db?host={tmp_path}")
    with pytest.raises(SpecError, match="cannot be read"):
        memory(own_store, "postgresql://anna@host/db?nonsense=1")
