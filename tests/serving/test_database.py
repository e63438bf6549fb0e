"""The service's memory: one writer among all processes, older files open, failures are told apart."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from windlass.database import sessions
from windlass.database.backend import Database, Failure, Schema
from windlass.database.connection import Memory, database_at, read
from windlass.database.request_log import TABLES, Feedback, RequestLog, answer_rows, feedback_rows
from windlass.database.sqlite import Sqlite
from windlass.errors import DataError, SpecError

NOTES = Schema("notes", ("create table if not exists notes (number {serial}, text text not null unique)",))
DATED = Schema("notes", (*NOTES.steps, "alter table notes add column at double precision; update notes set at = 7"))


def test_what_is_done_in_a_transaction_is_there_whole_or_not_at_all(place: Database) -> None:
    memory = Memory(place, NOTES)
    with memory.transaction() as connection:
        connection.executemany("insert into notes (text) values (?)", [("a",), ("b",)])

    def half() -> None:
        with memory.transaction() as connection:
            connection.execute("insert into notes (text) values (?)", ("c",))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    memory.close()
    assert list(read(place, NOTES, "select number, text from notes where number > ? order by number", (0,))) == [
        {"number": 1, "text": "a"},
        {"number": 2, "text": "b"},
    ]


def test_a_row_that_is_there_is_a_conflict_and_the_next_one_is_written(place: Database) -> None:
    memory = Memory(place, NOTES)
    with memory.transaction() as connection:
        connection.execute("insert into notes (text) values ('a')")
    with pytest.raises(Failure) as caught, memory.transaction() as connection:
        connection.execute("insert into notes (text) values ('a')")
    assert (caught.value.reason, memory.fault) == ("conflict", "")
    with memory.transaction() as connection:
        assert connection.execute("select count(*) from notes") == [(1,)]
    memory.close()


def test_an_older_file_gets_the_steps_that_it_lacks_and_a_newer_one_is_refused(place: Database) -> None:
    with closing(place.connect(NOTES)) as connection:
        connection.execute("insert into notes (text) values ('a')")
    for _ in range(2):
        with closing(place.connect(DATED)) as connection:
            assert connection.execute("select text, at from notes") == [("a", 7.0)]
    with pytest.raises(Failure, match="newer Windlass"):
        place.connect(NOTES)


YESTERDAY = """
create table if not exists answers (
  id text primary key, at real not null, release text not null, value text, confidence real,
  latency_ms real not null, inputs text);
create index if not exists answers_by_at on answers (at);
create table if not exists feedback (
  number integer primary key, key text not null unique, id text not null, correct text not null, note text,
  at real not null);
create index if not exists feedback_by_id on feedback (id, number);
insert into answers values ('a1', 1000.5, 'toy-1', 'card', 0.9, 1.0, null);
insert into feedback (key, id, correct, note, at) values ('auto:a1:0', 'a1', 'refund', null, 1001.5);
"""


def test_a_log_from_before_there_were_versions_opens_and_goes_on(tmp_path: Path) -> None:
    """The statements are those of the version before this one."""
    path = tmp_path / "requests.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(YESTERDAY)
    assert [(row["id"], row["at"]) for row in answer_rows(path)] == [("a1", 1000.5)]
    with RequestLog(path) as log:
        stored = log.feedback(Feedback("a1", "card", None, "")).result(60)
        assert (stored.is_new, stored.right) == (True, True)
    assert [row["correct"] for row in feedback_rows(path)] == ["refund", "card"]


WRITER = """
import sys
from windlass.database import sessions
from windlass.database.backend import Schema
from windlass.database.connection import Memory
schema = Schema("counts", ("create table if not exists counts (name text primary key, n integer not null)",))
memory = Memory(sys.argv[1], schema)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with memory.transaction() as connection:
        found = connection.execute("select n from counts where name = 'all'")
        if not found:
            connection.execute("insert into counts values ('all', 1)")
        else:
            connection.execute("update counts set n = ? where name = 'all'", (found[0][0] + 1,))
memory.close()
"""


def test_processes_that_start_and_write_at_once_wait_for_each_other(place: Database) -> None:
    """Four processes make the tables together, then read and add one, 25 times each: none is lost, none refused."""
    command = [sys.executable, "-c", WRITER, url_of(place), "25"]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    said = [process.communicate("go\n")[1] for process in processes]
    assert said == [""] * 4
    with closing(place.connect()) as connection:
        assert connection.execute("select n from counts") == [(100,)]


def url_of(place: Database) -> str:
    """How another process opens it."""
    return f"sqlite:///{place}" if isinstance(place, Sqlite) else place._url


def test_a_transaction_that_does_not_end_makes_the_others_busy(place: Database) -> None:
    place.busy_s = 0.05
    one, other = (Memory(place, NOTES) for _ in range(2))
    with other.transaction():
        pass
    with one.transaction(), pytest.raises(Failure) as caught, other.transaction():
        pass
    assert caught.value.reason == "busy"
    assert caught.value.refusal("feedback").kind == "log_unavailable"
    with other.transaction():
        pass
    assert other.fault == ""
    one.close()
    other.close()


@pytest.mark.parametrize("place", ["mysql://anna:geheim@host/db", "sqlite:///", "requests.sqlite", "sqlite://x", ""])
def test_a_url_of_another_form_is_refused_and_not_repeated(place: str) -> None:
    with pytest.raises(SpecError, match="database is not a URL") as caught:
        database_at(place)
    assert "geheim" not in str(caught.value)


def test_a_url_of_sqlite_is_a_path(tmp_path: Path) -> None:
    assert str(database_at(f"sqlite:///{tmp_path}/m.sqlite")) == f"{tmp_path}/m.sqlite"
    assert str(database_at("sqlite:///m.sqlite")) == "m.sqlite"


def test_nothing_is_read_where_nothing_was_written_and_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    assert list(read(path, NOTES, "select * from notes")) == []
    assert not path.exists()
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(DataError, match="expected notes"):
        list(read(path, NOTES, "select * from notes"))


QUERIES = (
    ("select value from answers where id = 'x'", "answers"),
    ("select id from answers where at >= 2990.0 order by at", "answers_by_at"),
    ("select count(*) from feedback where id = 'x'", "feedback_by_id"),
    ("select id from feedback where id = 'x' order by number desc limit 1", "feedback_by_id"),
    ("select id from feedback where key = 'x'", "feedback"),
)


def test_no_query_of_the_log_reads_or_sorts_a_whole_table(place: Database) -> None:
    """So that a log of ten million answers is as quick as an empty one; PostgreSQL plans for the rows it has."""
    how = "explain query plan" if isinstance(place, Sqlite) else "explain"
    with closing(place.connect(TABLES)) as connection:
        rows = [(str(n), float(n), "r", "v", 1.0, 1.0, None) for n in range(3_000)]
        columns = "id, at, release, value, confidence, latency_ms, inputs"
        connection.executemany(f"insert into answers ({columns}) values (?, ?, ?, ?, ?, ?, ?)", rows)
        rows = [(str(n), str(n), "c", float(n)) for n in range(3_000)]
        connection.executemany("insert into feedback (key, id, correct, at) values (?, ?, ?, ?)", rows)
        connection.execute("analyze")
        for query, index in QUERIES:
            plan = str(connection.execute(f"{how} {query}"))
            assert not [word for word in ("SCAN", "TEMP B-TREE", "Seq Scan", "Sort") if word in plan], plan
            assert index in plan


def test_the_check_of_plans_sees_a_whole_table() -> None:
    """Control: a query that no index serves."""
    with closing(Sqlite(Path("m.sqlite")).connect(TABLES)) as connection:
        assert "SCAN" in str(connection.execute("explain query plan select id from answers where value = 'x'"))


def test_sessions_and_passwords_are_kept_by_either_engine(place: Database) -> None:
    token = sessions.begin(place, "key", 100.0)
    found = sessions.found(place, token, 101.0)
    assert found == ("key", 100.0 + sessions.LASTS_S)
    assert sessions.found(place, token, 100.0 + sessions.LASTS_S) is None
    assert sessions.found(place, "x" * 43, 101.0) is None
    sessions.end(place, token)
    assert sessions.found(place, token, 101.0) is None
    old = sessions.begin(place, "key", 0.0)
    sessions.begin(place, "key", 1e6)
    assert sessions.found(place, old, 1.0) is None, "what is over is swept out"
    assert not sessions.has_passwords(place)
    sessions.set_password(place, "key", "correct horse battery")
    assert sessions.has_passwords(place)
    assert sessions.is_password(place, "key", "correct horse battery")
    assert not sessions.is_password(place, "other", "correct horse battery")
