"""Asks a language model behind an OpenAI-compatible URL: only the one that the user named, and nothing is followed.

Source: POST {base}/chat/completions of https://platform.openai.com/docs/api-reference/chat, which vLLM, llama.cpp,
Ollama and others answer too.
"""

import http
import ipaddress
import json
import os
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from windlass.errors import NotReady, SpecError
from windlass.pages.text.words import plain
from windlass.records import Json
from windlass.remote import transport
from windlass.retry import PASSING, Retry

MAX_REPLY = 1024 * 1024
MAX_TOKENS = 2_048
MOST_WAIT_S = 30.0
MOST_COUNTED = 10**9
"""Tokens of one answer that a server may claim."""
LONE = re.compile("[\ud800-\udfff]")
GOOD = re.compile(r"[!-~]+\Z")


class _Passing(Exception):
    """A fault that may be gone the next time. asked_s: what the server asked to wait, 0: nothing."""

    def __init__(self, why: str, asked_s: float = 0.0) -> None:
        super().__init__(why)
        self.asked_s = asked_s


@dataclass(frozen=True)
class Reply:
    """What a model said. is_cut: it was not done. n_prompt, n_tokens: as its server counts, 0 where it does not
    or claims more than a billion."""

    text: str
    is_cut: bool
    n_prompt: int
    n_tokens: int


class Remote:
    """Called with a prompt, gives what the model says.

    Args:   url: the base, such as http://127.0.0.1:8000/v1. key_name: the environment variable that holds the key,
            empty when none is needed. timeout_s: of one attempt, all of it. wait_s: about before the second attempt,
            then twice as long each time.
    Raises: SpecError: not such a URL, or a key that would travel in the clear. NotReady: no key.
    """

    role = "judge"
    """What it is to the user, in messages."""

    def __init__(
        self, url: str, model: str, key_name: str = "", timeout_s: float = 60.0, attempts: int = 4, wait_s: float = 1.0
    ) -> None:
        self.url = _checked(url, self.role)
        self.model = model
        self.attempts = attempts
        self._bounds = transport.Bounds(timeout_s, MAX_REPLY)
        self._retry = Retry(PASSING, wait_s, MOST_WAIT_S, MOST_WAIT_S)
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
                time.sleep(self._retry.wait_s(attempt, fault.asked_s))
            try:
                return self._read(self._post(body))
            except _Passing as error:
                fault = error
            except transport.Unreached as error:
                fault = _Passing(str(error))
        raise self._not_ready(f"after {self.attempts} attempts: {fault}")

    def _post(self, body: bytes) -> bytes:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        place = f"{self.url.scheme}://{self.url.netloc}{self.url.path.rstrip('/')}/chat/completions"
        response = transport.post(place, body, headers, self._bounds)
        if not response.is_whole:
            raise self._not_ready(f"its answer is larger than {MAX_REPLY:,} bytes")
        if self._retry.is_passing(response.status):
            raise _Passing(f"status {response.status}", response.asked_s)
        if response.status != http.HTTPStatus.OK:
            raise self._not_ready(f"status {response.status}: {response.content[:2_000].decode('utf-8', 'replace')}")
        return response.content

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
        if LONE.search(said):
            raise self._not_ready("its answer holds half of a character (a lone surrogate), expected text")
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


def _count(value: Any) -> int:
    """What is no count counts as none told: a number without bound would end what adds it up or keeps it."""
    return value if type(value) is int and 0 <= value <= MOST_COUNTED else 0


def _checked(url: str, role: str) -> SplitResult:
    """Raises: SpecError: not an http or https URL without user, query and fragment."""
    try:
        parts, is_good = urlsplit(url), transport.is_address(url)
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
