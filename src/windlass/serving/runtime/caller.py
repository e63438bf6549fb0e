"""Who asks: whether they are still there, and what their work is charged to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from fastapi import Request
from starlette.types import Message, Receive

from windlass.predictors.contract import PUBLIC, Names
from windlass.serving.contract.faults import Fault


class Caller(NamedTuple):
    """receive: what the client says after its request. charge: takes the characters that its work costs; refund: takes
    nothing from its quota, as of what was answered before.

    name: of its key or, without one, its address: who has the same name shares places in line. names: of the groups
    that its key is for; None: the server proves a release, and asks of all that there is.
    """

    receive: Receive
    charge: Callable[[int], None]
    name: str = ""
    refund: Callable[[], None] = lambda: None
    names: Names = PUBLIC


def caller_of(request: Request) -> Caller:
    """Of a request that came through the edge."""
    name = getattr(request.state, "key", "") or (request.client.host if request.client else "")
    state = request.state
    return Caller(request.receive, state.charge, name, state.refund, state.names)


def received(request: Request) -> bytes:
    """The body, as the edge received it: `request.body()` would copy it, in the event loop."""
    body: bytes = request.state.body
    return body


async def never_leaves() -> Message:
    """What a client says that neither asks nor goes: nothing, ever."""
    await asyncio.Event().wait()
    return {}


def _free(effort: int) -> None:
    """Work of the server itself."""


NOBODY = Caller(never_leaves, _free)
"""The server itself asks: it never leaves, and pays nothing."""


@asynccontextmanager
async def watched(receive: Receive, left: Callable[[], None]) -> AsyncIterator[None]:
    """Inside, `left` is called once the client has gone."""
    watcher = asyncio.create_task(_watch(receive, left))
    try:
        yield
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


async def _watch(receive: Receive, left: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    left()


def gone() -> Fault:
    """Of a client that left before its answer was there."""
    return Fault(499, "gone", "client left before its answer was there")
