"""The champion is replaced under load: no request fails, every answer is its release's own, a bad one never serves."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_process import health_when, serving

from windlass.database.location import log_path
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.registry import releases
from windlass.registry.audit_log import Why
from windlass.store.diagnostics import LOG
from windlass.store.json_files import write_json
from windlass.store.store import Store

ROW = {"message": "my card is lost"}


@pytest.fixture
def two(own_store: Store, release_maker: Callable[..., Any]) -> Store:
    """A store with two releases that answer differently; toy-2 is the champion."""
    release_maker(own_store, {"message": "text"}, [ROW], "toy-2", 3.0)
    return own_store


def own_answers(store: Store) -> dict[str, float]:
    found = {id: releases.open_release(store, id)[1].answer([ROW])[0].confidence for id in ("toy-1", "toy-2")}
    assert abs(found["toy-1"] - found["toy-2"]) > 0.01
    return found


@pytest.mark.parametrize("n_swaps", [8, pytest.param(50, marks=pytest.mark.soak)])
@pytest.mark.parametrize("cache", [0, 100])
def test_promotions_and_rollbacks_under_load_fail_no_request(two: Store, cache: int, n_swaps: int) -> None:
    """With a cache, too: an answer of one release never comes from another's."""
    own, given, is_over = own_answers(two), [], threading.Event()
    with serving(two, cache=cache) as (asked, _, said):

        def ask() -> None:
            while not is_over.is_set():
                reply = asked.predict({"row": ROW})
                given.append((reply.status, reply.json))

        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        for number in range(n_swaps):
            if number % 2:
                releases.point_to(two, "toy-2")
            else:
                releases.rollback(two)
            health_when(asked, release=releases.champion_id(two))
        is_over.set()
        for asker in askers:
            asker.join()
        health = health_when(asked, refused="")
    assert {status for status, _ in given} == {200}
    for _, body in given:
        assert body["answers"][0]["confidence"] == pytest.approx(own[body["release"]], abs=1e-5)
    assert {body["release"] for _, body in given} == {"toy-1", "toy-2"}
    assert sum("serves now" in line for line in said) == n_swaps
    assert health["status"] == "ready"
    assert len(releases.told(two)) == 2 + n_swaps


def test_a_running_service_goes_back_from_a_champion_that_feedback_speaks_against(two: Store) -> None:
    """Nobody else looks: `windlass improve` was run once, long ago. It looks twenty times a second here."""
    releases.rollback(two)
    releases.point_to(two, "toy-2", Why("promote", "windlass improve", "better", {"improvement": "0001"}))
    with RequestLog(log_path(two)) as log:
        for release, right in (("toy-1", True), ("toy-2", False)):
            ids = [f"{release}-{number}" for number in range(40)]
            log.record([Logged(id, 1.0, release, "refund", 0.9, 1.0, None) for id in ids], 100)
            for number, id in enumerate(ids):
                log.feedback(Feedback(id, "", None, "", right, f"key{number % 20}")).result(60)
    with serving(two) as (asked, _, said):
        health_when(asked, release="toy-1")
    assert "champion: toy-1, since 40 of 40 answers were wrong by feedback" in "".join(said)
    last = releases.told(two)[-1]
    assert (last["event"], last["from"], last["to"], last["command"]) == (
        "rollback",
        "toy-2",
        "toy-1",
        "windlass serve",
    )


def damaged(store: Store) -> None:
    path = releases.folder(store, "toy-1") / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def answering_otherwise(store: Store) -> None:
    """As an insider could: the golden answers are changed, and the record agrees with them."""
    from windlass.store.files import hash_folder

    folder = releases.folder(store, "toy-1")
    golden = json.loads((folder / "model" / "golden.json").read_text())
    write_json(folder / "model" / "golden.json", {**golden, "answers": np.roll(golden["answers"], 1, 1).tolist()})
    record = json.loads((folder / "release.json").read_text())
    (folder / "release.json").unlink()
    write_json(folder / "release.json", {**record, "files": hash_folder(folder)})


@pytest.mark.parametrize(
    ("spoil", "why"), [(damaged, "changed file"), (answering_otherwise, "golden rows")], ids=["damaged", "otherwise"]
)
def test_a_champion_that_does_not_prove_itself_never_serves(
    two: Store, spoil: Callable[[Store], None], why: str
) -> None:
    """Its control: the test above, in which the very same releases are whole and serve."""
    with serving(two) as (asked, _, said):
        spoil(two)
        releases.point_to(two, "toy-1")
        health = health_when(asked, refused=why)
        assert (health["status"], health["release"]) == ("ready", "toy-2")
        assert asked.predict({"row": ROW}).json["release"] == "toy-2"
        releases.point_to(two, "toy-2")
        for _ in range(20_000):
            if not asked.ask("GET", "/health").json["refused"]:
                break
        assert asked.ask("GET", "/health").json["refused"] == ""
    assert any("release 'toy-1' is refused" in line and "serves on" in line for line in said)
    log = (two.folder / LOG).read_text(encoding="utf-8")
    assert " WARNING windlass.serving [" in log
    assert "] release 'toy-1' is refused\n  windlass.errors." in log
    assert "in HotSwap.look\n" in log
    assert ROW["message"] not in log


def test_a_release_that_asks_for_other_columns_waits_for_a_restart(
    two: Store, release_maker: Callable[..., Any]
) -> None:
    """Clients that run would fail on it, every one of them."""
    with serving(two) as (asked, _, _):
        release_maker(two, {"message": "text", "size": "number"}, [{**ROW, "size": 1.0}], "toy-3")
        assert health_when(asked, refused="columns are others")["release"] == "toy-2"
        assert asked.predict({"row": ROW}).json["release"] == "toy-2"


def test_requests_under_way_end_on_the_release_they_began_with(
    two: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    """The old release is taken away while it computes; its thread ends only when the answer is given."""
    opened, begun, replies = threading.Event(), threading.Event(), []
    with server_for(two, tmp_path) as client:
        service = client.app.state.service
        old, engine = service.replica, service.replica.predictor.engine

        def slow(batches: Any) -> Any:
            begun.set()
            assert opened.wait(60)
            return engine(batches)

        object.__setattr__(old.predictor, "engine", slow)
        asker = threading.Thread(target=lambda: replies.append(client.predict({"row": ROW}).json["release"]))
        asker.start()
        assert begun.wait(60)
        assert not old.is_idle
        service.replica = type(old)(*releases.open_release(two, "toy-1"), service.settings)
        assert client.predict({"row": ROW}).json["release"] == "toy-1"
        opened.set()
        asker.join()
        assert replies == ["toy-2"]
        assert old.is_idle
        old.close()
