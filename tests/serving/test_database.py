"""The service's memory: one writer among all processes, older files open, failures are told apart."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from windlass.errors import DataError, SpecError
from windlass.serving.database import Failure, Memory, Schema, Sqlite, database, read
from windlass.serving.log import Feedback, RequestLog, answer_rows, feedback_rows

NOTES = Schema("notes", ("create table if not exists notes (number {serial}, text text not null unique)",))
DATED = Schema("notes", (*NOTES.steps, "alter table notes add column at double precision; update notes set at = 7"))


def test_what_is_done_in_a_transaction_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.sqlite", NOTES)
    with memory.transaction() as connection:
        connection.executemany("insert into notes (text) values (?)", [("a",), ("b",)])

    def half() -> None:
        with memory.transaction() as connection:
            connection.execute("insert into notes (text) values (?)", ("c",))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    memory.close()
    assert list(read(tmp_path / "m.sqlite", NOTES, "select number, text from notes order by number")) == [
        {"number": 1, "text": "a"},
        {"number": 2, "text": "b"},
    ]


def test_a_row_that_is_there_is_a_conflict_and_the_next_one_is_written(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.sqlite", NOTES)
    with memory.transaction() as connection:
        connection.execute("insert into notes (text) values ('a')")
    with pytest.raises(Failure) as caught, memory.transaction() as connection:
        connection.execute("insert into notes (text) values ('a')")
    assert (caught.value.reason, memory.fault) == ("conflict", "")
    with memory.transaction() as connection:
        assert connection.execute("select count(*) from notes") == [(1,)]
    memory.close()


def test_an_older_file_gets_the_steps_that_it_lacks_and_a_newer_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    with closing(Sqlite(path).connect(NOTES)) as connection:
        connection.execute("insert into notes (text) values ('a')")
    for _ in range(2):
        with closing(Sqlite(path).connect(DATED)) as connection:
            assert connection.execute("select text, at from notes") == [("a", 7.0)]
    with pytest.raises(Failure, match="newer Windlass"):
        Sqlite(path).connect(NOTES)


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
        stored = log.feedback(Feedback("a1", "card", None, "")).result(10)
        assert (stored.is_new, stored.right) == (True, True)
    assert [row["correct"] for row in feedback_rows(path)] == ["refund", "card"]


WRITER = """
import sys
from pathlib import Path
from windlass.serving.database import Memory, Schema
schema = Schema("counts", ("create table if not exists counts (name text primary key, n integer not null)",))
memory = Memory(Path(sys.argv[1]), schema)
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


def test_processes_that_start_and_write_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """Four processes make the tables together, then read and add one, 25 times each: none is lost, none refused."""
    path = tmp_path / "m.sqlite"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), "25"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    said = [process.communicate("go\n")[1] for process in processes]
    assert said == [""] * 4
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select n from counts").fetchall() == [(100,)]


def test_a_transaction_that_does_not_end_makes_the_others_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windlass.serving.database.BUSY_S", 0.05)
    one, other = (Memory(tmp_path / "m.sqlite", NOTES) for _ in range(2))
    with other.transaction():
        pass
    with one.transaction(), pytest.raises(Failure) as caught, other.transaction():
        pass
    assert caught.value.reason == "busy"
    assert caught.value.refusal("feedback").status == 503
    with other.transaction():
        pass
    assert other.fault == ""
    one.close()
    other.close()


@pytest.mark.parametrize("place", ["mysql://anna:geheim@host/db", "sqlite:///", "requests.sqlite", "sqlite://x", ""])
def test_a_url_of_another_form_is_refused_and_not_repeated(place: str) -> None:
    with pytest.raises(SpecError, match="database is not a URL") as caught:
        database(place)
    assert "geheim" not in str(caught.value)


def test_a_url_of_sqlite_is_a_path(tmp_path: Path) -> None:
    assert str(database(f"sqlite:///{tmp_path}/m.sqlite")) == f"{tmp_path}/m.sqlite"
    assert str(database("sqlite:///m.sqlite")) == "m.sqlite"


def test_nothing_is_read_where_nothing_was_written_and_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    assert list(read(path, NOTES, "select * from notes")) == []
    assert not path.exists()
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(DataError, match="expected notes"):
        list(read(path, NOTES, "select * from notes"))
