"""Asks a language model behind an OpenAI-compatible URL: only the one that the user named, and nothing is followed.

Source: POST {base}/chat/completions of https://platform.openai.com/docs/api-reference/chat, which vLLM, llama.cpp,
Ollama and others answer too.
"""

import http.client
import ipaddress
import json
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from windlass.errors import NotReady, SpecError
from windlass.pages.text.words import plain
from windlass.records import Json

MAX_REPLY = 1024 * 1024
MAX_TOKENS = 2_048
MOST_WAIT_S = 30.0
GOOD = re.compile(r"[!-~]+\Z")
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which it is worth asking again."""


class _Passing(Exception):
    """A fault that may be gone the next time. wait_s: what the server asked for, 0 when it asked for nothing."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Reply:
    """What a model said. is_cut: it was not done. n_prompt, n_tokens: as its server counts, 0 where it does not."""

    text: str
    is_cut: bool
    n_prompt: int
    n_tokens: int


class Remote:
    """Called with a prompt, gives what the model says.

    Args:   url: the base, such as http://127.0.0.1:8000/v1. key_name: the environment variable that holds the key,
            empty when none is needed. timeout_s: of one attempt, all of it. wait_s: before the second attempt, then
            twice as long each time.
    Raises: SpecError: not such a URL, or a key that would travel in the clear. NotReady: no key.
    """

    role = "judge"
    """What it is to the user, in messages."""

    def __init__(
        self, url: str, model: str, key_name: str = "", timeout_s: float = 60.0, attempts: int = 4, wait_s: float = 1.0
    ) -> None:
        self.url = _checked(url, self.role)
        self.model = model
        self.timeout_s, self.attempts, self.wait_s = timeout_s, attempts, wait_s
        self._key = _key(key_name, self.role)
        if self._key and self.url.scheme == "http" and not _is_here(self.url.hostname or ""):
            raise SpecError(f"{self.role} is {url}, expected https: its key would travel in the clear")

    def __call__(self, prompt: str) -> str:
        """Raises: as `chat`."""
        return self.chat([{"role": "user", "content": prompt}], {"temperature": 0, "max_tokens": MAX_TOKENS}).text

    def chat(self, messages: list[Json], options: Json) -> Reply:
        """What it says to these messages; `options` are further parameters of the request.

        Raises: NotReady: no answer after all attempts, or one that is none.
        """
        body = json.dumps({"model": self.model, "messages": messages, **options}).encode()
        fault = _Passing("")
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(min(MOST_WAIT_S, fault.wait_s or self.wait_s * 2 ** (attempt - 1)))
            try:
                return self._read(self._post(body))
            except _Passing as error:
                fault = error
            except (OSError, http.client.HTTPException) as error:
                fault = _Passing(f"{type(error).__name__}: {error}")
        raise self._not_ready(f"after {self.attempts} attempts: {fault}")

    def _post(self, body: bytes) -> bytes:
        headers = {"content-type": "application/json", "accept": "application/json", "user-agent": "windlass"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        with closing(self._connection()) as connection:
            connection.connect()
            with _deadline(connection.sock, self.timeout_s):
                connection.request("POST", f"{self.url.path.rstrip('/')}/chat/completions", body, headers)
                with connection.getresponse() as response:
                    content = response.read(MAX_REPLY + 1)
        if len(content) > MAX_REPLY:
            raise self._not_ready(f"its answer is larger than {MAX_REPLY:,} bytes")
        if response.status in PASSING:
            raise _Passing(f"status {response.status}", _seconds(response.getheader("retry-after")))
        if response.status != http.HTTPStatus.OK:
            raise self._not_ready(f"status {response.status}: {content[:2_000].decode('utf-8', 'replace')}")
        return content

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self.url.hostname or "", self.url.port
        if self.url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self.timeout_s)
        return http.client.HTTPSConnection(host, port, timeout=self.timeout_s, context=ssl.create_default_context())

    def _read(self, content: bytes) -> Reply:
        try:
            values: Any = json.loads(content)
            choice = values["choices"][0]
            said, is_cut = choice["message"]["content"], choice.get("finish_reason") == "length"
        except (ValueError, RecursionError, KeyError, IndexError, TypeError):
            raise self._not_ready(
                f"its answer is no chat completion: {content[:200].decode('utf-8', 'replace')}"
            ) from None
        if not isinstance(said, str):
            raise self._not_ready("its answer has no text, expected 'content'")
        counts = values.get("usage") if isinstance(values.get("usage"), dict) else {}
        n_prompt, n_tokens = (counts.get(name) for name in ("prompt_tokens", "completion_tokens"))
        return Reply(said, is_cut, _count(n_prompt), _count(n_tokens))

    def _not_ready(self, why: str) -> NotReady:
        if self._key:
            why = why.replace(self._key, "***")
        return NotReady(
            f"{self.role} '{self.model}' at {self.url.scheme}://{self.url.netloc} does not answer ({plain(why, 300)}), "
            "expected a chat completion",
            "look whether its server runs, and whether it knows this model",
        )


@contextmanager
def _deadline(connected: socket.socket, seconds: float) -> Iterator[None]:
    """Hangs up when the time is over, however slowly headers and body drip. Raises: _Passing: it did."""
    is_late = threading.Event()

    def hang_up() -> None:
        is_late.set()
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(seconds, hang_up)
    clock.daemon = True
    clock.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if not is_late.is_set():
            raise
    finally:
        clock.cancel()
    if is_late.is_set():
        raise _Passing(f"no answer within {seconds:g} s")


def _count(value: Any) -> int:
    return value if type(value) is int and value >= 0 else 0


def _checked(url: str, role: str) -> SplitResult:
    """Raises: SpecError: not an http or https URL without user, query and fragment."""
    try:
        parts = urlsplit(url)
        is_good = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_good = False
    if not is_good or parts.username is not None or parts.query or parts.fragment or not GOOD.match(url):
        shown = url if "@" not in url else "(one that holds a user's name)"
        raise SpecError(
            f"{role} is {plain(shown, 100)}, expected a base URL such as http://127.0.0.1:8000/v1",
            "a key comes from an environment variable, never from the URL",
        )
    return parts


def _key(name: str, role: str) -> str:
    if not name:
        return ""
    key = os.environ.get(name, "").strip()
    if not key:
        raise NotReady(f"environment variable {name} is empty, expected the key of the {role}", f"export {name}=...")
    if not key.isascii() or not key.isprintable():
        raise SpecError(f"environment variable {name} holds characters that no key has, expected printable ASCII")
    return key


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(header: str | None) -> float:
    """What Retry-After asks for, when it is a number."""
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        return 0.0
