"""How many requests for answers came, were refused and failed, written to the log once a minute: `watch` reads it."""

import asyncio
from collections import Counter
from http import HTTPStatus

from windlass.database.request_log import Requests
from windlass.serving.contract.routes import ROUTES
from windlass.serving.runtime.service import Service

EVERY_S = 60.0
_OTHER = {path for (_, path), route in ROUTES.items() if route.scope != "predict"}
ASKED = frozenset(path for _, path in ROUTES) - _OTHER
"""Paths at which nothing but answers is asked for."""


class RequestCounts:
    """Counts since the last beat, of one process."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._before: Counter[str] = Counter()

    def flush(self) -> None:
        """Has what was counted since the last beat written; nothing when nothing came."""
        now = Counter[str]()
        for (path, status), count in self.service.measures.requests.items():
            if path in ASKED:
                now[_word(status)] += count
        since = now - self._before
        if since and self.service.log is not None:
            at = self.service.log.clock()
            self.service.log.count(Requests(at, since["answered"], since["refused"], since["failed"]))
        self._before = now

    async def run(self) -> None:
        """Beats until it is cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                self.flush()
        finally:
            self.flush()


def _word(status: int) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "failed"
    return "refused" if status >= HTTPStatus.BAD_REQUEST else "answered"
