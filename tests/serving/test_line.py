"""Everybody who asks has a share of what may wait; large requests of one who asks a lot are refused, others wait."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from windlass.serving.contract.faults import Fault
from windlass.serving.http.intake import Intake
from windlass.serving.runtime.batching import Batcher
from windlass.serving.runtime.bounded_queue import BoundedQueue
from windlass.serving.runtime.caller import Caller, never_leaves
from windlass.serving.runtime.fair_queue import Line


def named(name: str) -> Caller:
    return Caller(never_leaves, lambda effort: None, name)


def line(most: int, over: set[str] | None = None) -> Line[str]:
    return Line(most, lambda item: item in (over or ()))


def test_one_of_each_has_its_turn() -> None:
    waiting = line(9)
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        assert waiting.add(item[0], item) is None
    assert waiting.peek() == "a1"
    assert [waiting.pop() for _ in range(7)] == ["a1", "b1", "c1", "a2", "b2", "a3", None]


def test_who_has_most_makes_room_and_loses_what_came_last() -> None:
    """Of three places 'a' has three; the first 'b' takes one of them, the second one would have as many as 'a'."""
    waiting = line(3)
    for item in ("a1", "a2", "a3"):
        waiting.add("a", item)
    assert waiting.add("a", "a4") == "a4"
    assert waiting.add("b", "b1") == "a3"
    assert waiting.add("b", "b2") == "b2"
    assert [waiting.pop() for _ in range(3)] == ["a1", "b1", "a2"]


def test_whose_client_has_gone_takes_no_place() -> None:
    over: set[str] = set()
    waiting = line(2, over)
    for item in ("a1", "a2"):
        waiting.add("a", item)
    over |= {"a1", "a2"}
    assert waiting.add("a", "a3") is None
    assert (len(waiting), waiting.pop(), waiting.pop()) == (1, "a3", None)


def test_a_turnstile_lets_one_of_each_through() -> None:
    """'b' comes after three of 'a', one of which is inside: it is the next but one."""

    async def asked() -> list[str]:
        bounded_queue, inside, done = BoundedQueue(8), asyncio.Event(), []

        async def go(name: str) -> None:
            async with bounded_queue.of(name[0]):
                await inside.wait()
                done.append(name)

        tasks = [asyncio.create_task(go(name)) for name in ("a1", "a2", "a3", "b1")]
        await asyncio.sleep(0)
        inside.set()
        await asyncio.gather(*tasks)
        return done

    assert asyncio.run(asked()) == ["a1", "a2", "b1", "a3"]


def test_large_requests_that_take_too_long_together_are_refused_to_their_own_asker() -> None:
    """11 s of 'a' are at work, 10 may be: one more of 'a' has to come back a second later, one of 'b' waits."""

    async def asked() -> tuple[Any, list[str]]:
        batcher, go_on = Batcher(lambda rows, effort: [], 8, ThreadPoolExecutor(1)), threading.Event()

        def step() -> str:
            assert go_on.wait(60)
            return "a"

        first = asyncio.create_task(batcher.in_steps((work() for work in (step,)), named("a"), 11_000.0))
        await asyncio.sleep(0)
        other = asyncio.create_task(batcher.in_steps(iter("b"), named("b"), 11_000.0))
        await asyncio.sleep(0)
        with pytest.raises(Fault) as refused:
            await batcher.in_steps(iter("c"), named("a"), 1.0)
        go_on.set()
        given = [*await first, *await other, *await batcher.in_steps(iter("c"), named("a"), 1.0)]
        batcher.thread.shutdown()
        return refused.value, given

    fault, given = asyncio.run(asked())
    assert (fault.status, fault.kind, fault.retry_after_s) == (503, "overloaded", 1)
    assert given == ["a", "b", "c"]


def test_what_is_large_is_received_at_a_bounded_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """4 MiB at once; 32 MiB a second from then on: the next 8 take a quarter of a second, and 8 more too."""
    waits: list[float] = []

    slept, own = asyncio.sleep, threading.get_ident()

    async def recorded(seconds: float) -> None:
        if threading.get_ident() != own:  # a service that another test left running
            await slept(seconds)
        else:
            waits.append(seconds)

    async def taken() -> None:
        intake = Intake()
        for n_mebibytes in (4, 8, 8):
            await intake.take(n_mebibytes * 1024 * 1024)

    monkeypatch.setattr(asyncio, "sleep", recorded)
    asyncio.run(taken())
    assert [wait for wait in waits if wait > 0.01] == pytest.approx([0.25, 0.5], abs=0.02)
