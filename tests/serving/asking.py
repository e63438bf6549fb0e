"""Asks a server on a loopback port, one connection a request."""

import http.client
import json
from contextlib import closing
from typing import Any, NamedTuple

from windlass.database.request_log import RequestLog


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> dict[str, str]:
        return self.json["error"]


class Client(NamedTuple):
    """app, log: of a server that runs in this process."""

    port: int
    app: Any = None
    log: RequestLog | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """`body` is sent as it is when it is bytes, else as JSON; names of headers have _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, content, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())

    def predict(self, body: Any, **headers: str) -> Reply:
        return self.ask("POST", "/v1/predict", body, **headers)

    def feedback(self, body: Any, **headers: str) -> Reply:
        return self.ask("POST", "/v1/feedback", body, **headers)
