"""The page that asks a person which answer is better: blind, its sides fixed by the seed alone, losing nothing."""

import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from asking import Client, Reply

from windlass.database.backend import Connection, Schema
from windlass.database.preferences import Pair, Preference, Preferences, chosen, first_is_left, training_rows
from windlass.database.sqlite import Sqlite
from windlass.errors import DataError, SpecError
from windlass.serving.contract.routes import check_declared
from windlass.serving.http.server import running
from windlass.serving.ui.page import asset
from windlass.serving.ui.sidebyside import ROUTES, create_sidebyside
from windlass.serving.ui.sidebyside_page import SCRIPTS, sidebyside_page, sidebyside_policy

PAIRS = [
    Pair(f"p{n}", f"request {n}", f"by alpha {n}", f"by beta {n}", [{"role": "user", "content": n}]) for n in range(40)
]


class Judge(Client):
    """A person who says which of two answers is better."""

    def prefer(self, pair: str, choice: str, key: str) -> Reply:
        return self.ask("POST", "/v1/preference", {"pair": pair, "choice": choice}, idempotency_key=key)

    @property
    def state(self) -> Any:
        return self.ask("GET", "/v1/pair").json


@contextmanager
def page_for(path: Path, pairs: list[Pair] = PAIRS, seed: int = 13) -> Iterator[Judge]:
    app = create_sidebyside(pairs, path, seed)
    with running(app) as port:
        yield Judge(port, app)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Judge]:
    with page_for(tmp_path / "preferences.sqlite") as client:
        yield client


def rows_of(path: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select key, pair, choice from preferences order by number").fetchall()


def left_of(pair: Pair, seed: int = 13) -> str:
    return pair.first if first_is_left(pair.id, seed) else pair.second


# what is shown --------------------------------------------------------------------------------------------------------


def test_pairs_come_one_after_the_other_until_all_are_compared(tmp_path: Path) -> None:
    with page_for(tmp_path / "p.sqlite", PAIRS[:3]) as client:
        assert client.state["total"] == 3
        for done in range(3):
            pair = client.state["pair"]
            assert pair["id"] == PAIRS[done].id
            assert {pair["left"], pair["right"]} == {PAIRS[done].first, PAIRS[done].second}
            assert client.prefer(pair["id"], "tie", f"k{done}").json["done"] == done + 1
        assert client.state == {"done": 3, "total": 3, "pair": None}


def test_sides_are_random_but_fixed_by_the_seed() -> None:
    """Of 400 pairs about half stand left; another seed gives another half."""
    ids = [f"pair {n}" for n in range(400)]
    sides = [first_is_left(id, 13) for id in ids]
    assert sides == [first_is_left(id, 13) for id in ids]
    assert 150 < sum(sides) < 250
    assert (
        150 < sum(one != other for one, other in zip(sides, (first_is_left(id, 14) for id in ids), strict=True)) < 250
    )


def test_a_side_means_the_answer_that_stood_there(client: Judge, tmp_path: Path) -> None:
    for number, pair in enumerate(PAIRS[:10]):
        shown = client.state["pair"]
        assert (shown["left"], shown["right"]) == (
            (pair.first, pair.second) if left_of(pair) == pair.first else (pair.second, pair.first)
        )
        assert client.prefer(pair.id, ("left", "right", "tie")[number % 3], f"k{number}").status == 200
    found = chosen(tmp_path / "preferences.sqlite")
    for number, pair in enumerate(PAIRS[:10]):
        wanted = {pair.first: "first", pair.second: "second"}[left_of(pair)]
        other = {"first": "second", "second": "first"}[wanted]
        assert found[pair.id] == (wanted, other, "tie")[number % 3]


def test_nothing_says_whose_an_answer_is(client: Judge) -> None:
    """No name of a field, no id and no header tells; control: the texts themselves are there."""
    page, pair = client.ask("GET", "/"), client.ask("GET", "/v1/pair")
    for reply in (page, pair, client.prefer("p0", "tie", "k")):
        said = reply.content.decode().replace("by alpha", "").replace("by beta", "") + str(reply.headers)
        assert not re.search(r"alpha|beta|\bfirst\b(?!-)|\bsecond\b", said, re.IGNORECASE), said
    assert b"by alpha 0" in pair.content
    assert set(pair.json["pair"]) == {"id", "asked", "left", "right"}


def test_the_page_runs_only_its_own_script_and_loads_nothing(client: Judge) -> None:
    reply = client.ask("GET", "/")
    policy = reply.headers["content-security-policy"]
    assert policy == sidebyside_policy()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = sidebyside_page().decode()
    assert not re.search(r'(?:src|href)="(?!/v1/|data:,)', page)
    assert "http:" not in page.replace("http://www.w3.org", "")
    assert "innerHTML" not in asset(*SCRIPTS)


def test_both_languages_have_the_same_words() -> None:
    english, chinese = (
        set(re.findall(r"(\w+): \"", part)) for part in re.findall(r"(?:en|zh): \{(.*?)\}", asset(*SCRIPTS), re.DOTALL)
    )
    assert english == chinese
    used = set(re.findall(r'data-word="(\w+)"', sidebyside_page().decode()))
    assert used <= english


# what is stored -------------------------------------------------------------------------------------------------------


def test_the_same_key_is_stored_once(client: Judge, tmp_path: Path) -> None:
    first, again = (client.prefer("p0", "left", "key") for _ in range(2))
    assert (first.json["new"], again.json["new"]) == (True, False)
    assert client.prefer("p0", "right", "key").status == 409
    assert client.prefer("p1", "left", "key").json["error"]["kind"] == "key_reused"
    assert len(rows_of(tmp_path / "preferences.sqlite")) == 1


def test_another_key_changes_ones_mind(client: Judge, tmp_path: Path) -> None:
    client.prefer("p0", "left", "one")
    client.prefer("p0", "tie", "two")
    assert client.prefer("p0", "left", "one").json["new"] is False, "a late repetition changes nothing"
    assert chosen(tmp_path / "preferences.sqlite") == {"p0": "tie"}
    assert client.ask("GET", "/v1/preferences.jsonl").content == b""
    assert client.state["done"] == 1


def test_a_new_start_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    with page_for(path) as client:
        client.prefer("p0", "left", "a")
        client.prefer("p1", "tie", "b")
    with page_for(path) as client:
        assert (client.state["done"], client.state["pair"]["id"]) == (2, "p2")
        assert client.prefer("p0", "left", "a").json["new"] is False


def test_training_rows_have_prompt_chosen_and_rejected_and_no_ties(client: Judge) -> None:
    for pair, choice in zip(PAIRS, ["left", "right", "tie"], strict=False):
        client.prefer(pair.id, choice, pair.id)
    rows = [json.loads(line) for line in client.ask("GET", "/v1/preferences.jsonl").content.splitlines()]
    assert [set(row) for row in rows] == [{"prompt", "chosen", "rejected"}] * 2
    assert rows[0]["prompt"] == PAIRS[0].prompt
    assert rows[0]["chosen"] == left_of(PAIRS[0]) != rows[0]["rejected"]
    assert rows[1]["rejected"] == left_of(PAIRS[1]) != rows[1]["chosen"]
    assert training_rows(PAIRS, {}) == []


@pytest.mark.parametrize(
    ("body", "key", "status"),
    [
        ({"pair": "p0", "choice": "first"}, "k", 422),
        ({"pair": "p0", "choice": ["left"]}, "k", 422),
        ({"pair": "p0"}, "k", 422),
        ({"choice": "left"}, "k", 404),
        ({"pair": "nothing", "choice": "left"}, "k", 404),
        ({"pair": ["p0"], "choice": "left"}, "k", 404),
        ({"pair": "p0", "choice": "left", "by": "x"}, "k", 422),
        ([], "k", 422),
        ({"pair": "p0", "choice": "left"}, "", 422),
        ({"pair": "p0", "choice": "left"}, "k" * 201, 422),
        ({"pair": "p" * 10_000, "choice": "left"}, "k", 413),
    ],
)
def test_what_is_no_preference_is_refused(client: Judge, body: Any, key: str, status: int) -> None:
    reply = client.ask("POST", "/v1/preference", body, idempotency_key=key)
    assert reply.status == status
    assert reply.json["error"]["message"]
    assert client.state["done"] == 0


def test_only_declared_routes_are_there(client: Judge) -> None:
    assert client.ask("GET", "/docs").status == client.ask("POST", "/v1/predict", {}).status == 404
    assert client.ask("GET", "/v1/preference").status == 405
    assert client.ask("POST", "/v1/preference", {}, host="evil.example").status == 421
    assert client.ask("POST", "/v1/preference", {}, content_type="text/plain").status == 415
    assert client.ask("GET", "/health").json == {"status": "ready", "log": "writing"}
    with pytest.raises(SpecError, match="not declared"):
        check_declared(client.app.routes, {place: ROUTES[place] for place in list(ROUTES)[1:]})


def test_a_disk_that_cannot_be_written_is_told_and_then_mended(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "p.sqlite"
    path.mkdir(parents=True)
    with page_for(tmp_path / "other.sqlite") as client:
        comparing = client.app.state.comparing
        good, comparing.store = comparing.store, Preferences(path)
        reply = client.prefer("p0", "left", "k")
        assert (reply.status, reply.json["error"]["kind"]) == (503, "log_unavailable")
        assert client.state["done"] == 0
        path.rmdir()
        assert client.prefer("p0", "left", "k").json["new"] is True
        good.close()


class BrokenDisk(Sqlite):
    """The first flush to disk fails; SQLite says so at the commit."""

    opened = 0

    def connect(self, *schemas: Schema) -> Connection:
        self.opened += 1
        connection: Any = super().connect(*schemas)
        connection._connection.close()
        connection._connection = sqlite3.connect(self.path, isolation_level=None, factory=FailingCommits)
        return connection


class FailingCommits(sqlite3.Connection):
    def execute(self, statement: str, values: Any = ()) -> Any:
        if statement == "commit":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return super().execute(statement, values)


def test_a_failed_fsync_ends_all_writing(tmp_path: Path) -> None:
    """What the disk holds is unknown then: nothing is confirmed any more, and it says so."""

    with page_for(tmp_path / "p.sqlite") as client:
        store = client.app.state.comparing.store
        disk = store.memory.database = BrokenDisk(tmp_path / "p.sqlite")
        assert [client.prefer("p0", "left", key).status for key in ("a", "b")] == [503, 503]
        assert disk.opened == 1
        assert client.ask("GET", "/health").json["log"] == "read-only"


PROGRAM = """
import sys, threading, time
from concurrent.futures import Future
from pathlib import Path
from windlass.database.preferences import Pair, Preferences
from windlass.serving.http.server import running
from windlass.serving.ui.sidebyside import create_sidebyside
if sys.argv[2] == "early":
    late = Preferences.store
    def store(self, preference):
        threading.Timer(0.2, late, (self, preference)).start()
        told = Future()
        told.set_result(True)
        return told
    Preferences.store = store
pairs = [Pair(f"p{n}", "", "a", "b") for n in range(5000)]
with running(create_sidebyside(pairs, Path(sys.argv[1]), 13)) as port:
    print(port, flush=True)
    time.sleep(60)
"""


def killed_while_storing(path: Path, how: str, after: int) -> list[tuple[str, str]]:
    """Keys and pairs that were confirmed until a kill -9 after so many."""
    confirmed: list[tuple[str, str]] = []
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path), how], stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        client = Judge(int(process.stdout.readline()))

        def ask(first: int) -> None:
            for number in range(first, 5_000, 4):
                key = f"{path.name}-{how}-{after}-{number}"
                try:
                    reply = client.prefer(f"p{number}", "left", key)
                except (OSError, http.client.HTTPException):
                    return
                if reply.status == 200:
                    confirmed.append((key, f"p{number}"))
                if len(confirmed) >= after:
                    process.send_signal(signal.SIGKILL)

        askers = [threading.Thread(target=ask, args=(first,)) for first in range(4)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        process.kill()
    return confirmed


def test_kill_9_while_storing_loses_nothing_that_was_confirmed_and_doubles_nothing(tmp_path: Path) -> None:
    """Four clients at once, four kills; afterwards every key that was sent is sent again."""
    path = tmp_path / "p.sqlite"
    confirmed = [entry for after in (1, 20, 57, 130) for entry in killed_while_storing(path, "honest", after)]
    assert len(confirmed) >= 208
    kept = {(key, pair) for key, pair, _ in rows_of(path)}
    assert set(confirmed) <= kept
    store = Preferences(path)
    sides = {pair: "first" if first_is_left(pair, 13) else "second" for _, pair in confirmed}
    assert not any(store.store(Preference(key, pair, sides[pair])).result() for key, pair in confirmed)
    store.close()
    assert len(rows_of(path)) == len(kept)


def test_confirming_before_the_commit_would_be_caught(tmp_path: Path) -> None:
    """Control: a store that confirms at once and writes later loses what it confirmed."""
    path = tmp_path / "p.sqlite"
    confirmed = killed_while_storing(path, "early", 40)
    assert {pair for _, pair in confirmed} - set(chosen(path))


def test_a_file_without_its_table_is_empty_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    assert chosen(path) == {}
    path.touch()
    assert chosen(path) == {}
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(DataError, match="expected preferences"):
        chosen(path)
