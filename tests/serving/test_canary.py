"""A release on trial gets its share of the requests, and is stopped by itself when it fails, is slow or is worse."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from own_process import health_when, serving

from windlass.errors import NotReady, SpecError
from windlass.metrics.proportions import Proportion
from windlass.registry import canaries as trials
from windlass.registry import releases
from windlass.registry.canaries import CanaryTrial
from windlass.serving.contract.settings import Settings
from windlass.serving.runtime.canary import Canary, is_more
from windlass.serving.runtime.replica import Replica
from windlass.store import diagnostics
from windlass.store.store import Store

ROW = {"message": "my card is lost"}
TRIAL = CanaryTrial("toy-1", 0.5, False, "toy-2", "now")


@pytest.fixture
def two(own_store: Store, release_maker: Callable[..., Any]) -> Store:
    """Two releases; toy-2 is the champion."""
    release_maker(own_store, {"message": "text"}, [ROW], "toy-2", 3.0)
    return own_store


def arms(tried: tuple[int, ...], champion: tuple[int, ...]) -> Canary:
    """Each: answered, failed, right, wrong."""
    canary = Canary(TRIAL, None)  # type: ignore[arg-type]  a verdict needs no release
    for arm, numbers in ((canary.tried, tried), (canary.champion, champion)):
        arm.answered, arm.failed, arm.right, arm.wrong = numbers
    return canary


def test_two_shares_differ_beyond_chance_as_by_hand() -> None:
    """10 of 20 against 0 of 20: pooled 1/4, error sqrt(3/16 / 10) = 0.137, z = 3.65; 8 of 20: z = 3.16; 7: 2.91."""
    assert is_more(Proportion(10, 20), Proportion(0, 20))
    assert is_more(Proportion(8, 20), Proportion(0, 20))
    assert not is_more(Proportion(7, 20), Proportion(0, 20))
    assert not is_more(Proportion(0, 20), Proportion(10, 20))
    assert not is_more(Proportion(0, 20), Proportion(0, 20))


def test_errors_latency_and_feedback_are_judged_after_enough_of_them() -> None:
    assert "10 of 20 requests failed" in arms((20, 10, 0, 0), (20, 0, 0, 0)).verdict()
    assert arms((19, 19, 0, 0), (20, 0, 0, 0)).verdict() == ""
    assert arms((40, 10, 0, 0), (40, 10, 0, 0)).verdict() == ""
    assert "20 of 40 answers were wrong" in arms((40, 0, 20, 20), (40, 0, 38, 2)).verdict()
    assert arms((40, 0, 10, 19), (40, 0, 38, 2)).verdict() == ""
    slow = arms((0, 0, 0, 0), (0, 0, 0, 0))
    for _ in range(100):
        slow.champion.count(10.0, False)
        slow.tried.count(20.0, False)
    assert slow.verdict() == ""
    for _ in range(6):
        slow.tried.count(20.5, False)
    assert "p95 is 20.5 ms, expected at most 20.0" in slow.verdict()


def test_a_shadow_that_often_answers_otherwise_is_stopped() -> None:
    """Of 100 answers 20 may differ, and three errors of 4 more."""
    canary = arms((0, 0, 0, 0), (0, 0, 0, 0))
    canary.compared, canary.differing = 100, 32
    assert canary.verdict() == ""
    canary.differing = 33
    assert "33% of 100 answers differ" in canary.verdict()


def test_a_share_of_the_sessions_is_taken_and_always_the_same() -> None:
    canary = Canary(CanaryTrial("toy-1", 0.1, False, "toy-2", "now"), None)  # type: ignore[arg-type]
    taken = [canary.takes(f"session-{number}") for number in range(10_000)]
    assert 900 < sum(taken) < 1_100
    assert taken == [canary.takes(f"session-{number}") for number in range(10_000)]


def test_only_another_release_of_a_real_share_can_be_tried(two: Store) -> None:
    with pytest.raises(SpecError, match="is the champion"):
        trials.start(two, "toy-2", 0.1)
    with pytest.raises(SpecError, match=r"share is 1\.5"):
        trials.start(two, "toy-1", 1.5)
    with pytest.raises(NotReady, match="does not exist"):
        trials.start(two, "toy-9", 0.1)
    with pytest.raises(NotReady, match="no release is on trial"):
        trials.stop(two, "windlass canary --stop", "asked for")
    assert trials.start(two, "toy-1", 0.1) == trials.running(two)
    releases.rollback(two)
    assert trials.running(two) is None


@contextmanager
def tried(
    server_for: Callable[..., Any], store: Store, path: Path, spoil: Callable[[Any], Any], is_shadow: bool = False
) -> Iterator[Any]:
    """A server whose release on trial has a spoiled engine, and its service."""
    with server_for(store, path) as client:
        replica = Replica(*releases.open_release(store, "toy-1"), Settings())
        object.__setattr__(replica.predictor, "engine", spoil(replica.predictor.engine))
        trial = CanaryTrial("toy-1", 0.5, is_shadow, "toy-2", "now")
        client.app.state.service.traffic.canary = Canary(trial, replica)
        yield client
        replica.close()


def failing(engine: Any) -> Any:
    def fail(batches: Any) -> Any:
        raise RuntimeError("out of memory")

    return fail


def slow(engine: Any) -> Any:
    def late(batches: Any) -> Any:
        threading.Event().wait(0.05)
        return engine(batches)

    return late


def test_why_a_canary_failed_is_in_the_log_without_what_was_asked(
    two: Store, tmp_path: Path, server_for: Callable[..., Any], log_in: Callable[[Path], None]
) -> None:
    def quoting(engine: Any) -> Any:
        def fail(batches: Any) -> Any:
            raise RuntimeError(ROW["message"])

        return fail

    log_in(two.folder)
    for is_shadow in (False, True):
        with tried(server_for, two, tmp_path, quoting, is_shadow) as client:
            canary = client.app.state.service.traffic.canary
            for number in range(200):
                assert client.predict({"row": ROW}, x_windlass_session=str(number)).status == 200
                if canary.tried.failed:
                    break
    text = (two.folder / diagnostics.LOG).read_text(encoding="utf-8")
    assert "WARNING windlass.serving" in text
    assert "release 'toy-1' failed in a trial\n  RuntimeError\n" in text
    assert "in TrafficSplit._measured" in text
    assert "in TrafficSplit._listen" in text
    assert "<locals>.fail\n" in text
    assert ROW["message"] not in text


@pytest.mark.parametrize(("spoil", "why"), [(failing, "requests failed"), (slow, "p95 is")], ids=["fails", "slow"])
def test_a_canary_that_fails_or_is_slow_is_stopped_and_no_client_notices(
    two: Store, tmp_path: Path, server_for: Callable[..., Any], spoil: Callable[[Any], Any], why: str
) -> None:
    with tried(server_for, two, tmp_path, spoil) as client:
        service = client.app.state.service
        for number in range(400):
            assert client.predict({"row": ROW}, x_windlass_session=str(number)).status == 200
            if service.traffic.canary is None:
                break
        assert why in service.traffic.failed_trial.why
        assert client.predict({"row": ROW}).json["release"] == "toy-2"


def test_a_canary_that_is_as_good_goes_on(two: Store, tmp_path: Path, server_for: Callable[..., Any]) -> None:
    """The control of the test before. A client's own mistake is nobody's error."""
    with tried(server_for, two, tmp_path, lambda engine: engine) as client:
        seen = {client.predict({"row": ROW}, x_windlass_session=str(number)).json["release"] for number in range(60)}
        assert seen == {"toy-1", "toy-2"}
        assert {client.predict({"row": {"message": 5}}).status for _ in range(30)} == {422}
        canary = client.app.state.service.traffic.canary
        assert canary is not None
        assert canary.tried.failed == canary.champion.failed == 0


def test_a_shadow_answers_nobody_and_is_compared(two: Store, tmp_path: Path, server_for: Callable[..., Any]) -> None:
    with tried(server_for, two, tmp_path, lambda engine: engine, is_shadow=True) as client:
        for number in range(40):
            assert client.predict({"row": ROW}, x_windlass_session=str(number)).json["release"] == "toy-2"
        canary = client.app.state.service.traffic.canary
        assert canary.compared > 0
        assert canary.differing == canary.compared or canary.differing == 0


def test_a_canary_whose_answers_are_wrong_is_stopped_by_feedback_and_the_trail_says_so(two: Store) -> None:
    """A running service picks the trial up from the store, and takes it away there as well."""
    with serving(two) as (asked, _, said):
        trials.start(two, "toy-1", 0.5)
        health_when(asked, trial="canary 'toy-1', 50% of the requests")
        for _ in range(400):
            body = asked.predict({"row": ROW}).json
            right = body["release"] == "toy-2"
            assert asked.feedback({"id": body["answers"][0]["id"], "right": right}).status == 200
            if not asked.ask("GET", "/health").json["trial"]:
                break
        while trials.running(two) is not None:
            asked.ask("GET", "/health")
    last = releases.told(two)[-1]
    assert (last["event"], last["from"], last["to"]) == ("canary stopped", "toy-2", "toy-1")
    assert "answers were wrong" in last["reason"]
    assert any("is stopped" in line for line in said)
