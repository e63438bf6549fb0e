"""What waits is written together where it can be, in turn, and no longer than somebody waits for it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from ctranslate2.converters import TransformersConverter
from tests.learners import writers
from toy_writer import BROKEN, ENDLESS, REFUSED, Toy

from windlass.errors import DataError
from windlass.predictors.language import ctranslate, decoding
from windlass.predictors.language.engine import FAST, MODEL, no_joiners
from windlass.predictors.language.language import Language
from windlass.predictors.language.prompts import Template
from windlass.predictors.language.writing import Token, Writing, Written
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.settings import Settings
from windlass.serving.runtime.scheduler import BATCH, Finished, Job, Piece, Scheduler, WriteRequest
from windlass.serving.runtime.stop_sequences import Cut, within

HOW = Writing(max_tokens=64)


def order(*texts: str, how: Writing = HOW, **changes: Any) -> WriteRequest:
    return WriteRequest([{"prompt": text} for text in texts], how, **changes)


def run(toy: Any, work: Any, settings: Settings | None = None) -> Any:
    """What the coroutine `work(scheduler)` gives."""
    scheduler = Scheduler(toy, settings or Settings())
    try:
        return asyncio.run(asyncio.wait_for(_begun(work, scheduler), 120))
    finally:
        getattr(toy, "go", threading.Event()).set()
        scheduler.close()


async def _begun(work: Any, scheduler: Scheduler) -> Any:
    return await work(scheduler)


def texts(written: list[Written]) -> list[str]:
    return [each.text for each in written]


@pytest.mark.parametrize(
    ("stop", "pieces", "shown", "is_over"),
    [
        ((), ["a", "b"], ["a", "b"], False),
        (("END",), ["one E", "N", "D two"], ["one ", "", ""], True),
        (("END",), ["one E", "NO"], ["one ", "ENO"], False),
        (("\n", "!!"), ["a!", "b!", "!c\n"], ["a", "!b", ""], True),
        (("b", "ab"), ["xab"], ["x"], True),
        (("停止",), ["请停", "下停", "止了"], ["请", "停下", ""], True),
        (("aab",), ["a", "a", "a", "b"], ["", "", "a", ""], True),
    ],
)
def test_a_stop_text_is_never_shown_and_nothing_else_is_lost(
    stop: tuple[str, ...], pieces: list[str], shown: list[str], is_over: bool
) -> None:
    cut = Cut(stop)
    assert ([cut.add(piece) for piece in pieces], cut.is_over) == (shown, is_over)
    assert "".join(shown) + cut.rest() == cut.text
    assert cut.text == (min(("".join(pieces).split(each)[0] for each in stop), key=len) if stop else "".join(pieces))


def test_tokens_are_those_that_begin_within_the_text() -> None:
    tokens = [Token(text, -1.0) for text in ("You", " said", ": no")]
    assert within(tokens, 0) == ()
    assert within(tokens, 3) == tuple(tokens[:1])
    assert within(tokens, 4) == tuple(tokens[:2])
    assert within(tokens, 99) == tuple(tokens)


async def _all_at_once(scheduler: Scheduler, toy: Toy, orders: list[WriteRequest]) -> list[list[Written]]:
    """Puts a first job, waits until it is being written, then puts the others and lets all be written."""
    toy.go.clear()
    jobs = [scheduler.put(orders[0])]
    await asyncio.to_thread(toy.begun.acquire)
    jobs += [scheduler.put(each) for each in orders[1:]]
    toy.go.set()
    return [await job.all() for job in jobs]


def test_requests_that_wait_are_written_in_one_batch() -> None:
    toy = Toy()
    orders = [order(f"text {number}") for number in range(BATCH + 3)]
    written = run(toy, lambda scheduler: _all_at_once(scheduler, toy, orders))
    assert [texts(each) for each in written] == [[f"You said: text {number}"] for number in range(BATCH + 3)]
    assert [len(rows) for rows, _ in toy.calls] == [1, BATCH, 2]


def test_a_batch_is_cut_for_each_request_as_it_asked() -> None:
    """Different greatest lengths, stop texts and seeds fit into one batch; the engine is given the greatest length."""
    toy = Toy()
    orders = [
        order("first"),
        order("one two three four", how=Writing(max_tokens=3)),
        order("one two three four", stop=("three",)),
        order("one two three four", how=Writing(max_tokens=32, seed=99)),
    ]
    written = run(toy, lambda scheduler: _all_at_once(scheduler, toy, orders))
    assert [(each[0].text, each[0].finish) for each in written[1:]] == [
        ("You said: one", "length"),
        ("You said: one two ", "stop"),
        ("You said: one two three four", "stop"),
    ]
    assert [(len(rows), how.max_tokens) for rows, how in toy.calls] == [(1, 64), (3, 64)]


def test_other_ways_of_writing_wait_for_their_own_batch() -> None:
    toy = Toy()
    warm, schema = Writing(temperature=1.0), Writing(schema={"type": "object"})
    orders = [order("a"), order("b", how=warm, is_seeded=False), order("c"), order("d", how=schema)]
    orders += [order("e", how=warm, is_seeded=True), order("f", how=warm, is_seeded=False)]
    run(toy, lambda scheduler: _all_at_once(scheduler, toy, orders))
    assert [[row["prompt"] for row in rows] for rows, _ in toy.calls] == [["a"], ["b", "f"], ["c"], ["d"], ["e"]]


def test_a_seed_that_was_asked_for_gives_the_same_text_again_and_none_gives_another() -> None:
    how = Writing(temperature=1.0, seed=7)

    async def twice(scheduler: Scheduler, is_seeded: bool) -> list[str]:
        jobs = [scheduler.put(order("hello", how=how, is_seeded=is_seeded)) for _ in range(2)]
        return [(await job.all())[0].text for job in jobs]

    assert run(Toy(), lambda scheduler: twice(scheduler, True)) == ["You said: 7 hello"] * 2
    assert "You said: 7 hello" not in run(Toy(), lambda scheduler: twice(scheduler, False))


def test_a_request_of_many_texts_lets_others_in_between() -> None:
    toy = Toy()
    many = order(*(f"row {number}" for number in range(3 * BATCH)))
    written = run(toy, lambda scheduler: _all_at_once(scheduler, toy, [many, order("short", how=Writing(beams=2))]))
    assert len(written[0]) == 3 * BATCH
    assert texts(written[0])[-1] == f"You said: row {3 * BATCH - 1}"
    assert [rows[0]["prompt"] for rows, _ in toy.calls] == ["row 0", "row 8", "short", "row 16"]


def test_a_row_that_the_engine_refuses_fails_alone() -> None:
    toy = Toy()

    async def work(scheduler: Scheduler) -> list[Any]:
        toy.go.clear()
        jobs = [scheduler.put(order("first"))]
        await asyncio.to_thread(toy.begun.acquire)
        jobs += [scheduler.put(order(text)) for text in ("good", REFUSED, "fine")]
        toy.go.set()
        return await asyncio.gather(*(job.all() for job in jobs), return_exceptions=True)

    first, good, refused, fine = run(toy, work)
    assert [texts(each)[0][10:] for each in (first, good, fine)] == ["first", "good", "fine"]
    assert isinstance(refused, DataError)
    assert "row 0 is too long" in refused.message


def test_an_engine_that_breaks_is_heard_of_and_the_next_request_is_written() -> None:
    async def work(scheduler: Scheduler) -> str:
        with pytest.raises(RuntimeError, match="cannot write"):
            await scheduler.put(order(BROKEN)).all()
        return (await scheduler.put(order("on")).all())[0].text

    assert run(Toy(), work) == "You said: on"


class Whole(Toy):
    """Tells nothing while it writes, as engines do that do not write token by token."""

    def write(self, rows: Any, how: Writing, hear: Any) -> list[Written]:
        return super().write(rows, how, lambda row, piece: True)


def test_what_an_engine_does_not_tell_while_it_writes_is_told_in_the_end() -> None:
    async def work(scheduler: Scheduler) -> list[Any]:
        job = scheduler.put(order("hello END there", stop=("END",), streams=True))
        return [event async for event in _events(job)]

    piece, finished = run(Whole(is_generating=False), work)
    assert piece == Piece(0, "You said: hello ")
    assert isinstance(finished, Finished)
    assert (finished.written.text, finished.written.finish) == ("You said: hello ", "stop")


async def _events(job: Job) -> Any:
    while (event := await job.next()) is not None:
        yield event


def test_a_text_that_takes_too_long_ends_where_it_is() -> None:
    async def work(scheduler: Scheduler) -> list[Written]:
        return await scheduler.put(order(ENDLESS, how=Writing(max_tokens=4_096))).all()

    (written,) = run(Toy(wait_s=0.01), work, Settings(answer_s=0.2))
    assert written.finish == "late"
    assert 1 <= written.n_tokens < 100


def test_who_waits_too_long_is_told_so() -> None:
    toy = Toy()

    async def work(scheduler: Scheduler) -> Fault:
        toy.go.clear()
        scheduler.put(order("first"))
        await asyncio.to_thread(toy.begun.acquire)
        with pytest.raises(Fault) as caught:
            await scheduler.put(order("second")).all()
        assert len(scheduler) == 0
        return caught.value

    fault = run(toy, work, Settings(answer_s=0.2))
    assert (fault.status, fault.kind) == (503, "overloaded")


def test_more_than_may_wait_are_refused_and_who_leaves_makes_room() -> None:
    toy = Toy()

    async def work(scheduler: Scheduler) -> None:
        toy.go.clear()
        scheduler.put(order("first"))
        await asyncio.to_thread(toy.begun.acquire)
        waiting = [scheduler.put(order(str(number))) for number in range(2)]
        with pytest.raises(Fault, match="2 requests waiting"):
            scheduler.put(order("one too many"))
        waiting[0].leave()
        last = scheduler.put(order("in its place"))
        toy.go.set()
        assert texts(await last.all()) == ["You said: in its place"]
        assert scheduler.n_cancelled == 1

    run(toy, work, Settings(max_waiting=2))
    assert "0" not in [row["prompt"] for rows, _ in toy.calls for row in rows]


def test_who_leaves_is_written_no_further_and_the_others_are() -> None:
    toy = Toy(wait_s=0.005)

    async def work(scheduler: Scheduler) -> Written:
        toy.go.clear()
        scheduler.put(order("first"))
        await asyncio.to_thread(toy.begun.acquire)
        ways = (Writing(max_tokens=4_000), Writing(max_tokens=40))
        leaver, stayer = (scheduler.put(order(ENDLESS, how=how, streams=True)) for how in ways)
        toy.go.set()
        assert await leaver.next() == Piece(0, "You")
        leaver.leave()
        return (await stayer.all())[0]

    written = run(toy, work)
    assert (written.finish, written.n_tokens) == ("length", 40)
    assert toy.n_steps < 100


def test_counts_are_what_was_written() -> None:
    async def work(scheduler: Scheduler) -> dict[str, float]:
        await scheduler.put(order("one two three", "four")).all()
        await asyncio.to_thread(_idle, scheduler)
        return {name: value for name, (_, value) in scheduler.gauges().items()}

    assert run(Toy(), work) == {
        "windlass_writing_running": 0,
        "windlass_writing_waiting": 0,
        "windlass_tokens_written_total": 5 + 3,
        "windlass_prompt_tokens_total": 3 + 1,
        "windlass_writing_cancelled_total": 0,
    }


def _idle(scheduler: Scheduler) -> None:
    """Waits until the thread that writes waits for work."""
    while scheduler.running:
        threading.Event().wait(0.001)


def test_nothing_is_begun_when_it_stops() -> None:
    toy = Toy()

    async def work(scheduler: Scheduler) -> None:
        toy.go.clear()
        scheduler.put(order(ENDLESS, how=Writing(max_tokens=4_000)))
        await asyncio.to_thread(toy.begun.acquire)
        waiting = scheduler.put(order("second"))
        closing = asyncio.create_task(asyncio.to_thread(scheduler.close))
        with pytest.raises(Exception, match="server is stopping"):
            await waiting.all()
        toy.go.set()
        await closing

    run(toy, work)
    assert len(toy.calls) == 1
    assert toy.n_steps == 1


# Short answers --------------------------------------------------------------------------------------------------------

LONG, SHORT = Writing(max_tokens=200), Writing(max_tokens=1)


class Halting:
    """A decoder that stops in the middle of its first row until `go`, or for `patience_s`. ended: rows, in order."""

    def __init__(self, decoder: Any) -> None:
        self.decoder, self.go, self.patience_s, self.n_first = decoder, threading.Event(), 10.0, 0
        self.ended: list[int] = []
        self.can, self.room, self.nats = decoder.can, decoder.room, decoder.nats
        self.takes_more = decoder.takes_more

    def write(self, prompts: Any, how: Writing, step: Any, join: Any = no_joiners) -> None:
        def halting(row: int, *told: Any) -> bool:
            self.n_first += row == 0
            if row == 0 and self.n_first == 100:
                self.go.wait(self.patience_s)
            goes_on = step(row, *told)
            self.ended += [] if goes_on else [row]
            return goes_on

        self.decoder.write(prompts, how, halting, join)


class WholeBatches:
    """An engine that tells nothing of a text until its whole batch is written: the control."""

    is_generating = True

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    def write(self, rows: Any, how: Writing, hear: Any) -> list[Written]:
        return self.engine.write(rows, how, hear)

    def nats(self, rows: Any, texts: Any) -> Any:
        return self.engine.nats(rows, texts)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any]]:
    """A tiny language model of random weights, opened by torch and by CTranslate2."""
    folder = tmp_path_factory.mktemp("model")
    writers.decoder(folder / MODEL, length=400)
    TransformersConverter(str(folder / MODEL)).convert(str(folder / FAST))
    end = [writers.tokenizer().token_to_id("<|begin_of_text|>")]  # never its likeliest
    prompts = writers.prompts(folder / MODEL, Template(roles={"user": ([], [])}, end=end), prompt="text")
    torch, fast = decoding.open_decoder(folder / MODEL, end), ctranslate.open_decoder(folder, end)
    return prompts, {"torch": torch, "ctranslate2": fast}


@pytest.fixture
def model(opened: tuple[Any, dict[str, Any]]) -> Callable[[str], tuple[Language, Halting]]:
    prompts, decoders = opened

    def make(engine: str) -> tuple[Language, Halting]:
        halting = Halting(decoders[engine])
        return Language(prompts, [lambda: halting]), halting

    return make


def answered_early(engine: Any, halting: Halting, orders: list[WriteRequest], n_wanted: int) -> set[int]:
    """The orders that are answered before the first, which halts until there are so many, or its patience ends."""

    async def work(scheduler: Scheduler) -> set[int]:
        done: list[int] = []

        async def wait(number: int, job: Job) -> None:
            await job.all()
            done.append(number)
            if len(done) == n_wanted:
                halting.go.set()

        with scheduler._changed:  # the thread that writes begins when all are in line
            jobs = [scheduler.put(each) for each in orders]
        await asyncio.gather(*(wait(number, job) for number, job in enumerate(jobs)))
        return set(done[: done.index(0)])

    return run(engine, work)


@pytest.mark.parametrize("engine", ["torch", "ctranslate2"])
def test_a_short_answer_does_not_wait_for_its_batch(model: Any, engine: str) -> None:
    """One of 1 token beside one of 200; an engine that tells only whole batches answers it after the long one."""
    orders = [order("ab cd", how=LONG), order("Who are you", how=SHORT)]
    assert answered_early(*model(engine), orders, 1) == {1}
    plain, halting = model(engine)
    halting.patience_s = 0.3
    assert answered_early(WholeBatches(plain), halting, orders, 1) == set()


def test_who_comes_later_joins_those_that_are_being_written(model: Any) -> None:
    """More than one batch holds: the short ones take each other's place while the long one is written."""
    orders = [order("ab cd", how=LONG), *(order(f"ab {number}", how=SHORT) for number in range(2 * BATCH))]
    assert answered_early(*model("torch"), orders, 2 * BATCH) == set(range(1, 2 * BATCH + 1))
    fast, halting = model("ctranslate2")
    halting.patience_s = 0.3
    assert answered_early(fast, halting, orders, 2 * BATCH) == set(range(1, BATCH)), "nothing can join there"


def test_what_cannot_join_is_not_overtaken(model: Any) -> None:
    """Another way of writing waits for those before it, and those after it wait for it."""
    many = [order(f"ab {number}", how=SHORT) for number in range(BATCH + 2)]
    other = order("cd", how=Writing(max_tokens=1, repetition_penalty=1.5))
    plain, halting = model("torch")
    halting.patience_s = 0.3
    early = answered_early(plain, halting, [order("ab cd", how=LONG), *many, other, *many], 99)
    assert early == set(range(1, BATCH + 3))


def test_who_joins_is_answered_as_if_it_were_alone(model: Any) -> None:
    ways = [Writing(max_tokens=5 + 7 * number % 20) for number in range(2 * BATCH)]
    orders = [order(f"ab {number} cd" * (1 + number % 3), how=how) for number, how in enumerate(ways)]

    async def together(scheduler: Scheduler) -> list[Written]:
        jobs = [scheduler.put(each) for each in orders]
        return [(await job.all())[0] for job in jobs]

    async def alone(scheduler: Scheduler) -> list[Written]:
        return [(await scheduler.put(each).all())[0] for each in orders]

    found = run(model("torch")[0], together)
    assert texts(found) == texts(run(model("torch")[0], alone))
    assert [each.n_tokens for each in found] == [how.max_tokens for how in ways]


def test_a_row_that_is_too_long_fails_alone_while_others_are_written(model: Any) -> None:
    async def work(scheduler: Scheduler) -> list[Any]:
        jobs = [scheduler.put(order(text)) for text in ("ab", "ab cd " * 300, "cd")]
        return await asyncio.gather(*(job.all() for job in jobs), return_exceptions=True)

    first, refused, last = run(model("ctranslate2")[0], work)
    assert isinstance(refused, DataError)
    assert first[0].n_tokens == last[0].n_tokens == HOW.max_tokens


def test_who_leaves_frees_its_place(model: Any) -> None:
    """The next in line is written before the others of the batch have ended."""
    plain, halting = model("torch")

    async def work(scheduler: Scheduler) -> int:
        with scheduler._changed:
            endless = {"how": Writing(max_tokens=120), "streams": True}
            jobs = [scheduler.put(order(f"ab {number}", **endless)) for number in range(BATCH)]
            last = scheduler.put(order("cd", how=SHORT))
        await jobs[1].next()
        jobs[1].leave()
        halting.go.set()
        await last.all()
        return scheduler.n_cancelled

    assert run(plain, work) == 1
    assert halting.ended[:2] == [1, BATCH]
