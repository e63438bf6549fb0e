"""Requests that wait together are answered together, as if each were alone; a known question from memory."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windlass.predictors.contract import Labeller
from windlass.records import Answer, Column, Manifest
from windlass.serving.contract.settings import Settings
from windlass.serving.runtime.batching import Batcher
from windlass.serving.runtime.cache import ENTRY_BYTES, Cache
from windlass.serving.runtime.caller import NOBODY
from windlass.store.store import Store

TEXTS = ("card", "lost card", "card zzz lost", "lost lost lost lost card card", "zzz", "card card", "lost")
IDS = Column("message", "text", {"form": "ids", "tokens": ["card", "lost"], "length": 8, "pad": 0})
ANSWER = Column("intent", "category", {"form": "label", "labels": ["no", "yes"], "counts": [1, 1]})


class Gate:
    """An engine as a network's: logits [0, sum of the ids / 10]; it waits for `opened` and counts its batches."""

    def __init__(self) -> None:
        self.opened, self.begun = threading.Event(), threading.Event()
        self.sizes: list[int] = []

    def __call__(self, batches: Any) -> np.ndarray:
        self.sizes.append(len(batches[0]))
        self.begun.set()
        assert self.opened.wait(60)
        sums = batches[0].sum(axis=1, dtype=np.float32) / 10
        return np.stack([np.zeros_like(sums), sums], axis=1)


@contextmanager
def gathered(
    writer_server: Callable[..., Any], path: Path, bodies: list[Any], settings: Settings | None = None
) -> Iterator[tuple[Any, Gate, list[Any]]]:
    """Replies to these bodies, which all waited while a first request was computed."""
    gate = Gate()
    predictor = Labeller(Manifest("onnx", "by hand", (IDS,), ANSWER), gate)
    replies: list[Any] = [None] * len(bodies)
    with writer_server(None, path, settings=settings, predictor=predictor) as client:

        def ask(number: int, body: Any) -> None:
            replies[number] = client.predict(body)

        askers = [threading.Thread(target=ask, args=(-1, {"row": {"message": "card"}}))]
        replies.append(None)
        askers += [threading.Thread(target=ask, args=each) for each in enumerate(bodies)]
        askers[0].start()
        assert gate.begun.wait(60)
        for asker in askers[1:]:
            asker.start()
        batcher = client.app.state.service.replica.batcher
        while len(batcher) < len(bodies):
            client.ask("GET", "/health")
        gate.opened.set()
        for asker in askers:
            asker.join()
        yield client, gate, replies


def confidence(reply: Any, number: int = 0) -> float:
    return reply.json["answers"][number]["confidence"]


def test_what_waited_is_one_batch_and_each_answer_is_as_if_it_were_alone(
    writer_server: Callable[..., Any], tmp_path: Path
) -> None:
    bodies = [{"row": {"message": text}} for text in TEXTS]
    with gathered(writer_server, tmp_path, bodies) as (client, gate, replies):
        assert gate.sizes == [1, len(TEXTS)]
        for body, reply in zip(bodies, replies, strict=False):
            assert reply.status == 200
            assert confidence(reply) == pytest.approx(confidence(client.predict(body)), abs=1e-5)
        assert gate.sizes == [1, len(TEXTS)] + [1] * len(TEXTS)


def test_an_error_in_a_batch_stays_with_its_request(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    bodies = [{"row": {"message": text}} for text in TEXTS]
    bodies[3] = {"row": {"message": 5}}
    bodies[5] = {"row": {"other": "x"}}
    with gathered(writer_server, tmp_path, bodies[:5]) as (client, _, replies):
        assert [reply.status for reply in replies] == [200, 200, 200, 422, 200, 200]
        assert "message" in replies[3].error["message"]
        assert client.predict(bodies[5]).status == 422


def test_more_than_may_wait_is_refused(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    bodies = [{"row": {"message": "card"}}] * 2
    with gathered(writer_server, tmp_path, bodies, Settings(max_waiting=2)) as (client, gate, _):
        gate.opened.clear()
        gate.begun.clear()
        statuses: list[int] = []
        askers = [
            threading.Thread(target=lambda: statuses.append(client.predict({"row": {"message": "x"}}).status))
            for _ in range(8)
        ]
        for asker in askers:
            asker.start()
        while len(statuses) < 5:
            client.ask("GET", "/health")
        gate.opened.set()
        for asker in askers:
            asker.join()
        assert sorted(statuses) == [200] * 3 + [503] * 5


def test_the_same_question_is_answered_from_memory_and_counted(
    own_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    with server_for(own_store, tmp_path, Settings(cache=10)) as client:
        first, again = (client.predict({"row": {"message": "card"}}).json["answers"][0] for _ in range(2))
        assert first.pop("id") != again.pop("id")
        assert first == again
        cache = client.app.state.service.replica.cache
        assert (cache.hits, cache.misses, len(cache)) == (1, 1, 1)
        assert b"windlass_cache_hits_total 1" in client.ask("GET", "/metrics").content


def test_a_cache_is_bounded_in_entries_and_in_bytes() -> None:
    """The longest unused entry goes first; the order of a row's keys is no difference."""
    cache = Cache(2)
    answers = {name: Answer(name, 0.5) for name in "abc"}
    cache.keep([{"x": 1, "y": 2}, {"x": 2}], [answers["a"], answers["b"]])
    assert cache.find([{"y": 2, "x": 1}]) == [answers["a"]]
    cache.keep([{"x": 3}], [answers["c"]])
    assert cache.find([{"x": 2}]) is None
    assert cache.find([{"y": 2, "x": 1}, {"x": 3}]) == [answers["a"], answers["c"]]
    cache = Cache(2, most_bytes=2 * ENTRY_BYTES)
    for number in range(2):
        cache.keep([{"x": number}], [answers["a"]])
    assert (len(cache), cache.size_bytes) == (1, ENTRY_BYTES + 104)


def test_an_error_that_comes_as_its_request_is_given_up_is_no_noise() -> None:
    """asyncio complains on stderr of an error that nobody asked for. Control: it does of a future left alone."""

    async def given_up(in_line: bool) -> list[str]:
        told: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        batcher = Batcher(lambda rows, effort: [], 4, ThreadPoolExecutor(1))
        batcher._is_busy = True
        asking = asyncio.create_task(batcher.answer([], 0, NOBODY))
        await asyncio.sleep(0)
        turn = batcher._line.pop().turn if in_line else asyncio.get_running_loop().create_future()
        turn.set_exception(ValueError("late"))
        asking.cancel()
        await asyncio.wait([asking])
        del turn, asking
        gc.collect()
        batcher.thread.shutdown()
        return told

    assert asyncio.run(given_up(in_line=True)) == []
    assert asyncio.run(given_up(in_line=False)) == ["Future exception was never retrieved"]
