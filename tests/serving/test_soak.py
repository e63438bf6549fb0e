"""Many minutes of load, and a thousand requests made up from the description: no failure of ours, no growth."""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from own_process import children, serving
from test_keys import guarded, with_key

from windlass.database.jobs import Jobs
from windlass.database.keys import KeyRequest, create
from windlass.database.location import log_path
from windlass.registry import releases
from windlass.serving.contract.settings import Settings
from windlass.store.store import Store

MINUTES = float(os.environ.get("WINDLASS_SOAK_MINUTES", "10"))
WARM_UP_S = 60.0
MOST_GROWTH = 64 * 1024 * 1024
ROW = {"message": "my card is lost"}
N_CASES = 1_000


def memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def requests(client: Any, seed: int, seen: Counter[str], is_over: threading.Event) -> None:
    """What clients do, and what they do wrong, until it is over."""
    chance = random.Random(seed)
    while not is_over.is_set():
        reply = client.predict({"rows": [ROW] * chance.choice((1, 1, 1, 8))})
        seen[f"predict {reply.status}"] += 1
        if reply.status == 200 and chance.random() < 0.3:
            said = client.feedback({"id": reply.json["answers"][0]["id"], "right": True})
            seen[f"feedback {said.status}"] += 1
        if chance.random() < 0.1:
            seen[f"mistake {client.predict(chance.choice(MISTAKES)).status}"] += 1
        if chance.random() < 0.05:
            seen[f"page {client.ask('GET', chance.choice(('/', '/metrics', '/openapi.json'))).status}"] += 1


MISTAKES = (b"{", b'{"row":{"message":NaN}}', {"row": {}}, {"rows": []}, b"\xff" * 100_000)


def jobs(client: Any, seen: Counter[str], is_over: threading.Event) -> None:
    while not is_over.is_set():
        id = client.ask("POST", "/v1/jobs", {"rows": [ROW] * 300}).json["id"]
        while client.ask("GET", f"/v1/jobs/{id}").json["state"] != "done" and not is_over.wait(0.5):
            pass
        seen[f"job {client.ask('DELETE', f'/v1/jobs/{id}').status}"] += 1


@pytest.mark.soak
def test_minutes_of_load_with_swaps_and_jobs_fail_no_request_and_show_no_growth(
    own_store: Store, release_maker: Callable[..., Any]
) -> None:
    """Two workers, two clients, always a job, a promotion every two seconds; memory after a minute and in the end."""
    release_maker(own_store, {"message": "text"}, [ROW], "toy-2", 3.0)
    seen: Counter[str] = Counter()
    is_over = threading.Event()
    with serving(own_store, workers=2) as (client, process, said):
        threads = [threading.Thread(target=requests, args=(client, seed, seen, is_over)) for seed in (1, 2)]
        threads.append(threading.Thread(target=jobs, args=(client, seen, is_over)))
        for thread in threads:
            thread.start()
        begun, first, swaps = time.monotonic(), 0, 0
        while (passed := time.monotonic() - begun) < 60 * MINUTES:
            if not first and passed > min(WARM_UP_S, 6 * MINUTES):
                first = sum(map(memory, children(process.pid)))
            swaps += 1
            releases.point_to(own_store, f"toy-{1 + swaps % 2}")
            is_over.wait(2)
        is_over.set()
        for thread in threads:
            thread.join()
        growth = sum(map(memory, children(process.pid))) - first
    print(f"{MINUTES:g} minutes, {swaps} swaps, growth {growth / 2**20:.1f} MiB of {first / 2**20:.0f}, {dict(seen)}")
    assert {status for status in seen if status.split()[1][0] == "5"} == set()
    assert {status for status in seen if status.startswith(("predict", "feedback", "page", "job"))} == {
        "predict 200",
        "feedback 200",
        "page 200",
        "job 200",
    }
    assert growth < MOST_GROWTH
    assert not any("started again" in line for line in said)


@pytest.mark.soak
def test_a_thousand_requests_made_up_from_the_description_get_no_error_of_ours(
    own_store: Store, tmp_path: Path
) -> None:
    """schemathesis: data that fits the description and data that does not; each answered within two seconds."""
    pytest.importorskip("schemathesis", reason="needs `pip install schemathesis`")
    place = log_path(own_store)
    token = create(place, KeyRequest("tester", ("admin",)))[1]
    with guarded(own_store, place, Settings()) as client:
        client.app.state.service.jobs = Jobs(place)
        assert client.ask("GET", "/openapi.json").status == 200
        before = memory(os.getpid())
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{client.port}/openapi.json"]
        command += ["--header", f"Authorization: Bearer {token}", "--max-examples", "60", "--seed", "7"]
        command += ["--checks", "not_a_server_error", "--max-response-time", "2", "--continue-on-failure"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        counted = client.ask("GET", "/metrics", **with_key(token)).content.decode()
        client.app.state.service.jobs.close()
        growth = memory(os.getpid()) - before
    assert done.returncode == 0, done.stdout[-6_000:]
    lines = [line for line in counted.splitlines() if line.startswith("windlass_requests_total{")]
    assert sum(float(line.rpartition(" ")[2]) for line in lines) >= N_CASES, done.stdout[-3_000:]
    assert [line for line in lines if 'status="5' in line] == []
    assert growth < MOST_GROWTH
