"""Asks a served product over HTTP: typed answers, one connection kept open, and patience where asking again is safe.

It needs Python alone. Predictions and reads are repeated, and feedback too, since its key makes it stored once.
"""

import base64
import http.client
import ipaddress
import json
import os
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from windlass.errors import DataError, GateRefused, NotReady, SpecError, WindlassError
from windlass.frames import rows_of
from windlass.retry import UNREACHED, Retry, asked_s

RETRY = Retry()
MAX_ROWS, MAX_BYTES = 256, 8 * 1024 * 1024
"""Of one request; more are sent in several."""
KEY_NAME = "WINDLASS_API_KEY"
ERRORS: dict[str, type[WindlassError]] = {error.kind: error for error in (GateRefused, SpecError, DataError, NotReady)}
Json = dict[str, Any]


@dataclass(frozen=True)
class Prediction:
    """An answer of a service: its id (for feedback), the value, how sure it is (0-1; None: not known), what else it
    could be, what it rests on, and the release that gave it. interval: of a number, (low, high, share): between which
    two the right one lies, for this share (0-1) of all answers."""

    id: str
    value: Any
    confidence: float | None
    alternatives: tuple[tuple[Any, float], ...]
    evidence: tuple[str, ...]
    release: str
    interval: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Stored:
    """Feedback that is on disk. correct: empty when nobody said what would have been right. teaches: `windlass improve`
    can learn from it; hint: why it cannot, where the service does not keep what is asked."""

    id: str
    correct: str
    right: bool
    new_label: bool
    teaches: bool
    hint: str


@dataclass(frozen=True)
class Job:
    """Many rows that are answered behind live requests. state: waiting, running or done. Times: seconds since 1970.

    done: rows that were answered or refused; refused: that have an error in place of an answer.
    """

    id: str
    state: str
    rows: int
    done: int
    refused: int
    created: float
    finished: float | None


@dataclass(frozen=True)
class _Reply:
    status: int
    content: Any
    asked_s: float

    @property
    def is_good(self) -> bool:
        return self.status < http.HTTPStatus.BAD_REQUEST


class Client:
    """A served product, at the other end of HTTP.

    Args:   url: where it is served. key: its API key (none: the environment variable WINDLASS_API_KEY). deadline_s:
            seconds that a call may take, all attempts together. sleep: waits between attempts.
    Raises: SpecError: not such a URL, or a key that would travel in the clear.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str | None = None,
        deadline_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = _checked(url)
        self._key = (os.environ.get(KEY_NAME, "") if key is None else key).strip()
        if not self._key.isascii() or not self._key.isprintable():
            raise SpecError("key holds characters that no key has, expected printable ASCII")
        if self._key and self._url.scheme == "http" and not _is_near(self._url.hostname or ""):
            raise SpecError(f"url is {url}, expected https: the key would travel in the clear")
        self.deadline_s = deadline_s
        self._sleep = sleep
        self._idle: list[http.client.HTTPConnection] = []

    def predict(self, rows: Any) -> list[Prediction]:
        """One answer a row, in order, of a row, a list of rows or a data frame (pandas or polars) with no other columns
        than the product reads. They are sent in several requests when they are many; bytes go as base64.

        Raises: DataError: a row cannot be answered. SpecError: the key. NotReady: no answer until the deadline.
        """
        found: list[Prediction] = []
        for body in _bodies(rows_of(rows)):
            content = self._ask("POST", "/v1/predict", body)
            found += [_prediction(answer, content["release"]) for answer in content["answers"]]
        return found

    def explain(self, rows: Any, label: str = "") -> list[Json]:
        """Why a row is answered so, one explanation a row, as `/v1/explain` gives it. label: another answer than that.

        Raises: as `predict`; DataError also for a product that writes.
        """
        about = {"label": label} if label else {}
        bodies = [_dumps({"row": dict(row), **about}) for row in rows_of(rows)]
        return [each for body in bodies for each in self._ask("POST", "/v1/explain", body)["explanations"]]

    def feedback(self, id: str, correct: Any = None, right: bool | None = None, note: str = "") -> Stored:
        """Says what an answer should have been, or whether it was right; returns when it is on disk, stored once.

        Raises: DataError: no such answer, or neither or both of 'correct' and 'right'.
        """
        said = {"id": id, "correct": correct, "right": right, "note": note or None}
        body = _dumps({name: value for name, value in said.items() if value is not None})
        content = self._ask("POST", "/v1/feedback", body, {"idempotency-key": secrets.token_hex(16)})
        told = {name: content[name] for name in ("id", "correct", "right", "new_label", "teaches", "hint")}
        return Stored(**told)

    def start_job(self, rows: Any) -> Job:
        """Has up to 100,000 rows, or a data frame of them, answered behind live requests; started once, however often
        it is sent.

        Raises: DataError: too many rows, or a value that JSON does not have. NotReady: too many jobs are not done.
        """
        headers = {"content-type": "application/x-ndjson", "idempotency-key": secrets.token_hex(16)}
        return Job(**self._ask("POST", "/v1/jobs", b"\n".join(_dumps(dict(row)) for row in rows_of(rows)), headers))

    def job(self, id: str) -> Job:
        """How far the job is. Raises: DataError: there is none that this key made."""
        return Job(**self._ask("GET", f"/v1/jobs/{id}"))

    def job_result(self, id: str) -> list[Json]:
        """One answer a row, in order: as `/v1/predict` gives it with `row` and `release`, or `row` and `error`.

        Raises: DataError: no such job, or it is not done.
        """
        return list(self._ask("GET", f"/v1/jobs/{id}/result"))

    def delete_job(self, id: str) -> None:
        """Stops the job and forgets its rows and answers. Raises: DataError: no such job."""
        self._ask("DELETE", f"/v1/jobs/{id}")

    def releases(self) -> list[Json]:
        """The releases of the product, newest first: id, score, metric, created, and whether it is the champion."""
        return list(self._ask("GET", "/v1/releases")["releases"])

    def plan(self) -> Json:
        """What `windlass plan` said last, by a key with the scope `read`; empty where it never ran."""
        return dict(self._ask("GET", "/v1/plan")["roadmap"])

    def description(self) -> Json:
        """What it reads and answers, and all its routes (OpenAPI)."""
        return self._ask("GET", "/openapi.json")

    def health(self) -> Json:
        """What it serves, and whether it is ready. Raises: NotReady: it is not until the deadline."""
        return self._ask("GET", "/health")

    def close(self) -> None:
        """Closes its connections; the next call opens new ones."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> Any:
        """The content of the answer; asked again, with growing waits, while that may help and there is time."""
        until, attempt = time.monotonic() + self.deadline_s, 0
        while True:
            attempt += 1
            try:
                reply = self._once((method, path, body, headers), until)
            except (OSError, http.client.HTTPException) as error:
                reply = _Reply(UNREACHED, f"{type(error).__name__}: {error}", 0.0)
            if reply.is_good:
                return reply.content
            wait_s = RETRY.wait_s(attempt, reply.asked_s)
            if not RETRY.is_passing(reply.status) or time.monotonic() + wait_s >= until:
                raise self._error(reply, attempt)
            self._sleep(wait_s)

    def _once(self, request: tuple[str, str, bytes | None, Mapping[str, str]], until: float) -> _Reply:
        """One attempt; one more at once when a connection that was kept open turns out to be closed."""
        was_kept = bool(self._idle)
        connection = self._idle.pop() if was_kept else self._connection()
        try:
            return self._exchange(connection, request, until)
        except (http.client.RemoteDisconnected, ConnectionError):
            connection.close()
            if not was_kept:
                raise
            return self._exchange(self._connection(), request, until)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        request: tuple[str, str, bytes | None, Mapping[str, str]],
        until: float,
    ) -> _Reply:
        method, path, body, headers = request
        connection.timeout = max(0.05, until - time.monotonic())
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)
        sent = {"accept": "application/json", "user-agent": "windlass", **headers}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        if self._key:
            sent["authorization"] = f"Bearer {self._key}"
        try:
            connection.request(method, self._url.path.rstrip("/") + path, body, sent)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        kind = response.getheader("content-type", "")
        return _Reply(response.status, _loads(content, kind), asked_s(response.getheader("retry-after")))

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port)
        return http.client.HTTPSConnection(host, port, context=ssl.create_default_context())

    def _error(self, reply: _Reply, attempt: int) -> WindlassError:
        """What the service says was wrong, as one of our errors."""
        said = reply.content.get("error") if isinstance(reply.content, dict) else None
        if not isinstance(said, dict) or not isinstance(said.get("message"), str):
            where = f"{self._url.scheme}://{self._url.netloc}"
            after = f" after {attempt} attempts" if attempt > 1 else ""
            what = reply.content if isinstance(reply.content, str) else f"status {reply.status}"
            return NotReady(
                f"{where} gives no answer{after} ({what}), expected a served product",
                "look whether `windlass serve` runs",
            )
        if reply.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR and said.get("id"):
            said["message"] += f" (id {said['id']})"
        error = _class_of(reply.status, str(said.get("kind")))(said["message"], str(said.get("hint") or ""))
        error.kind = str(said.get("kind") or error.kind)
        return error


def _class_of(status: int, kind: str) -> type[WindlassError]:
    if kind in ERRORS:
        return ERRORS[kind]
    if RETRY.is_passing(status):
        return NotReady
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return WindlassError
    return SpecError if status in (401, 403, 405, 421) else DataError


def _prediction(answer: Json, release: str) -> Prediction:
    alternatives = tuple((other["value"], other["confidence"]) for other in answer["alternatives"])
    evidence = tuple(answer.get("evidence", ()))
    found = answer.get("interval")
    interval = None if found is None else (found["low"], found["high"], found["share"])
    return Prediction(answer["id"], answer["value"], answer["confidence"], alternatives, evidence, release, interval)


def _bodies(rows: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    """The rows as requests that are not too large. Raises: DataError: a value that JSON does not have."""
    part: list[bytes] = []
    size = 0
    for row in rows:
        written = _dumps(dict(row))
        if part and (len(part) == MAX_ROWS or size + len(written) > MAX_BYTES):
            yield b'{"rows":[' + b",".join(part) + b"]}"
            part, size = [], 0
        part.append(written)
        size += len(written)
    if part:
        yield b'{"rows":[' + b",".join(part) + b"]}"


def _dumps(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain).encode()
    except (TypeError, ValueError) as error:
        raise DataError(f"row cannot be sent ({error}), expected text, numbers, bytes and None") from None


def _plain(value: Any) -> Any:
    """Bytes as base64, numbers of numpy as Python's, dates as their text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    for name in ("item", "isoformat"):
        if hasattr(value, name):
            return getattr(value, name)()
    raise TypeError(f"a value is {type(value).__name__}")


def _loads(content: bytes, kind: str) -> Any:
    """JSON, or a list of it when each line is one; nothing when it is neither."""
    try:
        if kind == "application/x-ndjson":
            return [json.loads(line) for line in content.splitlines()]
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _checked(url: str) -> SplitResult:
    """Raises: SpecError: not an http or https URL without user, query and fragment."""
    try:
        parts = urlsplit(url)
        is_good = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_good = False
    if not is_good or parts.username is not None or parts.query or parts.fragment or not url.isascii():
        shown = url if "@" not in url else "(one that holds a user's name)"
        raise SpecError(f"url is {shown}, expected one such as https://tickets.example.com")
    return parts


def _is_near(host: str) -> bool:
    """True for this machine, and for a name without a dot: one of the same Docker or Kubernetes network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return "." not in host
