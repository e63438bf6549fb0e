"""Several processes on one port: one is killed under load, counts are one, feedback finds another's answer."""

import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from own_process import SPEC, children, serving, until

from windlass.database import keys
from windlass.database.keys import KeyRequest, Rate
from windlass.database.location import log_path
from windlass.errors import NotReady, SpecError
from windlass.serving.contract.settings import Settings
from windlass.serving.http.rate_limits import SharedBuckets
from windlass.serving.http.server import bind
from windlass.serving.http.workers import Workers
from windlass.serving.telemetry.multiprocess import MultiprocessMetrics, summed
from windlass.stages.serve import serve
from windlass.store.store import Store

ROW = {"row": {"message": "my card is lost"}}
SHOP, READER = KeyRequest("shop", ("predict", "feedback"), rate="40/h"), KeyRequest("reader", ("read",))


class Asked(NamedTuple):
    """One request: when it began, and its status; 0 when the connection broke."""

    began: float
    status: int


def status_of(client: Any) -> int:
    try:
        return client.predict(ROW).status
    except (OSError, http.client.HTTPException):
        return 0


@contextmanager
def load(client: Any, askers: int = 3) -> Iterator[list[Asked]]:
    given: list[Asked] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            given.append(Asked(time.monotonic(), status_of(client)))

    threads = [threading.Thread(target=ask) for _ in range(askers)]
    for thread in threads:
        thread.start()
    try:
        yield given
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def killed_under_load(client: Any, victim: int, is_back: Callable[[], bool]) -> list[Asked]:
    """The requests that began after the killed worker had ended."""
    with load(client) as given:
        until(lambda: len(given) > 30)
        killed = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        until(lambda: not is_running(victim))
        ended = time.monotonic()
        until(is_back)
        until(lambda: sum(asked.began > ended for asked in given) > 60)
    before = [asked for asked in given if asked.began < killed]
    assert sum(asked.status != 200 for asked in before) <= 3, "at most those in flight"
    return [asked for asked in given if asked.began > ended]


def test_a_worker_that_is_killed_under_load_takes_only_its_own_requests_along(own_store: Store) -> None:
    """Its control: the same kill of a server that has no group of workers, whose later requests fail."""
    with serving(own_store, workers=2) as (client, process, said):
        before = children(process.pid)
        assert len(before) == 2
        after = killed_under_load(client, before[0], lambda: len(set(children(process.pid)) - set(before)) == 1)
        assert {asked.status for asked in after} == {200}
        kept = client.ask("GET", "/metrics").content.decode()
    assert process.returncode == 0
    assert "worker 1 is started again in 0.1 s: it ended with signal SIGKILL" in "\n".join(said)
    assert 'windlass_release_info{worker="2",product="support-desk"' in kept

    with serving(own_store, workers=1) as (client, process, _):
        failed = killed_under_load(client, process.pid, lambda: True)
    assert {asked.status for asked in failed} == {0}


def is_running(pid: int) -> bool:
    """Also while only a thread of it is left, which still holds its sockets."""
    try:
        is_ended = Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
        return not is_ended or len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def answers(content: bytes) -> float:
    lines = [line for line in content.decode().splitlines() if line.startswith("windlass_answers_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_two_workers_are_one_service(own_store: Store) -> None:
    """Feedback finds what the other answered, counts and rates are of both, both end when the first process is killed.

    Each request takes a new connection, so that answer and feedback meet different workers about half the time.
    """
    place = log_path(own_store)
    shown, seen = ({"authorization": f"Bearer {keys.create(place, wish)[1]}"} for wish in (SHOP, READER))
    with serving(own_store, workers=2) as (client, process, _):
        for _ in range(12):
            id = client.predict(ROW, **shown).json["answers"][0]["id"]
            assert client.feedback({"id": id, "right": True}, **shown).status == 200
        assert client.feedback({"id": "0" * 24, "right": True}, **shown).status == 404
        until(lambda: answers(client.ask("GET", "/metrics", **seen).content) == 12)
        statuses = [client.predict(ROW, **shown).status for _ in range(20)]
        assert 429 in statuses, "40 an hour is the rate of both workers together"
        workers = children(process.pid)
        process.kill()
        until(lambda: not any(is_running(worker) for worker in workers))


def test_workers_that_cannot_start_says_why(own_store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(SpecError, match="workers is 0"):
        serve(SPEC, own_store, port=0, settings=Settings(workers=0))
    with pytest.raises(NotReady, match="has no release"):
        serve(SPEC, Store(tmp_path_factory.mktemp("empty")), port=0, settings=Settings(workers=2))


def test_a_worker_that_dies_before_it_was_ever_there_ends_the_others(tmp_path: Path) -> None:
    program = [sys.executable, "-S", "-c", "raise SystemExit(3)"]
    with bind("127.0.0.1", 0) as listener, pytest.raises(NotReady, match="worker ended with status 3"):
        Workers(listener, program, {"settings": {"workers_folder": str(tmp_path)}}, 2, {}).run(lambda: None)


def test_counts_are_summed_and_gauges_say_whose_they_are(tmp_path: Path) -> None:
    """By hand; the counts of a worker that has died stay, its gauges go."""
    one = '# HELP a_total A.\n# TYPE a_total counter\na_total{x="1"} 2\n# HELP g G.\n# TYPE g gauge\ng 7\n'
    two = '# HELP a_total A.\n# TYPE a_total counter\na_total{x="1"} 3\na_total{x="2"} 1\n'
    two += '# HELP g G.\n# TYPE g gauge\ng{y="z"} 8\n'
    assert summed({"1": one, "2": two}).splitlines() == [
        "# HELP a_total A.",
        "# TYPE a_total counter",
        'a_total{x="1"} 5',
        'a_total{x="2"} 1',
        "# HELP g G.",
        "# TYPE g gauge",
        'g{worker="1"} 7',
        'g{worker="2",y="z"} 8',
    ]
    first, second, gone = (MultiprocessMetrics(tmp_path, name) for name in ("1", "2", "gone"))
    first.tell(one)
    assert 'a_total{x="1"} 5' in second.together(two)
    gone.retire_worker("1")
    gone.retire_worker("1")
    first.tell(one)
    gone.retire_worker("1")
    left = second.together(two)
    assert 'a_total{x="1"} 7' in left
    assert 'worker="1"' not in left


def test_a_rate_holds_for_processes_together(tmp_path: Path) -> None:
    """Two that share a file, on one clock: ten at once, whoever is asked. Its control has a file each."""
    now = [100.0]
    for other, allowed in (("same", 10), ("another", 20)):
        pair = [SharedBuckets(tmp_path / name, lambda: now[0]) for name in ("same", other)]
        now[0] += 3_600
        assert sum(pair[turn % 2].take("a", Rate(10, 1)) == 0 for turn in range(40)) == allowed
        assert pair[0].take("b", Rate(10, 1)) == 0
    (tmp_path / "same").write_bytes(os.urandom(2**20))
    torn = SharedBuckets(tmp_path / "same", lambda: now[0])
    assert sum(torn.take("a", Rate(10, 1)) == 0 for _ in range(40)) == 10


def test_workers_answer_what_a_quota_says_and_not_one_request_more(own_store: Store) -> None:
    """Two workers, six clients, eighty requests, a quota of 20: 35 were answered."""
    _, token = keys.create(log_path(own_store), KeyRequest("few", quota="20/month"))
    with serving(own_store, workers=2) as (client, _, _):
        statuses: list[int] = []

        def ask() -> None:
            for _ in range(14):
                statuses.append(client.predict(ROW, authorization=f"Bearer {token}").status)

        askers = [threading.Thread(target=ask) for _ in range(6)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
    assert sorted(statuses) == [200] * 20 + [429] * 64
