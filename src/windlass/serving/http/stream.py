"""Answers that are sent while they are written, as server-sent events."""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from windlass.errors import WindlassError
from windlass.predictors.language.writing import Written
from windlass.serving.api.openai_answers import LAST, Form, event
from windlass.serving.contract.faults import Fault
from windlass.serving.http.middleware import openai_error
from windlass.serving.runtime.scheduler import Finished, Job

SEND_S = 30.0
"""Who takes no more bytes for so long is taken to be gone."""
Keep = Callable[[Sequence[Written]], None]


class Stream(Response):
    """The events of a job. Before the first of them it may still fail with a status of its own.

    keep: told what was written in the end, also when the client left in the middle: that is what it saw.
    """

    media_type = "text/event-stream"

    def __init__(self, job: Job, form: Form, keep: Keep) -> None:
        super().__init__(media_type=self.media_type, headers={"x-accel-buffering": "no"})
        del self.headers["content-length"]
        self.job, self.form, self.keep = job, form, keep
        self.pieces: list[list[str]] = [[] for _ in job.order.rows]
        self.written: dict[int, Written] = {}
        self.has_begun = self.is_kept = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.job.watched(receive):
            try:
                await self._tell(send)
            except WindlassError as error:
                if self.has_begun and getattr(error, "kind", "") != "gone":
                    await self._end(send, event(openai_error(error)))
                raise
            except Exception:
                if self.has_begun:
                    fault = Fault(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "server failed")
                    await self._end(send, event(openai_error(fault)))
                raise
            finally:
                self._keep_once()

    async def _tell(self, send: Send) -> None:
        while (heard := await self.job.next()) is not None:
            content = b"" if self.has_begun else self._first()
            if isinstance(heard, Finished):
                self.written[heard.number] = heard.written
                content += self.form.end(heard.number, heard.written)
            else:
                self.pieces[heard.number].append(heard.text)
                content += self.form.piece(heard.number, heard.text)
            await self._send(send, content)
        self._keep_once()  # before the last event: who reads it may send feedback at once
        await self._end(send, self.form.usage([self.written[number] for number in sorted(self.written)]))

    def _keep_once(self) -> None:
        if self.has_begun and not self.is_kept:
            self.is_kept = True
            self.keep([self._seen(number) for number in range(len(self.pieces))])

    def _first(self) -> bytes:
        return b"".join(self.form.start(number) for number in range(len(self.pieces)))

    async def _send(self, send: Send, content: bytes, more: bool = True) -> None:
        if not self.has_begun:
            self.has_begun = True
            await self._put(send, {"type": "http.response.start", "status": HTTPStatus.OK, "headers": self.raw_headers})
        await self._put(send, {"type": "http.response.body", "body": content, "more_body": more})

    async def _end(self, send: Send, content: bytes) -> None:
        await self._send(send, content + LAST, more=False)

    async def _put(self, send: Send, message: Message) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await send(message)
        except TimeoutError:
            raise Fault(499, "gone", f"client took nothing for {SEND_S:g} s, expected it to read") from None

    def _seen(self, number: int) -> Written:
        return self.written.get(number) or Written("".join(self.pieces[number]), "cancelled")
