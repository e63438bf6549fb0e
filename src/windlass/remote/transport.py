"""Sends one request out and gives what came back, bounded in time and size. Nothing is followed, kept or unpacked.

httpx's transport is used without its client: that one follows the environment, answers to names and passwords in a URL,
and writes the URL, which may be a secret, into a log.
"""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from windlass import retry


class Unreached(ConnectionError):
    """There is no answer. Its words tell no path, which may be a secret."""


@dataclass(frozen=True)
class Bounds:
    """Of one request. timeout_s: from its start to the last byte of the answer, and as long before to connect.
    max_bytes: of the answer; what is more is not read."""

    timeout_s: float
    max_bytes: int


@dataclass(frozen=True)
class Response:
    """asked_s: how long to wait, as the server asks; 0: it does not. is_whole: `content` is all that it said."""

    status: int
    content: bytes
    is_whole: bool
    asked_s: float


ADDRESS = "the address is none of a server, expected one such as https://host.example/path"
PROXY = "the proxy is none for HTTP, expected one such as http://proxy.example:3128"
"""No part of either is told: both may hold a secret."""


def is_address(url: str) -> bool:
    """True for a URL of http or https whose host can be looked up, as urllib, httpx and the resolver read it."""
    import httpx

    try:
        parts, read = urlsplit(url), httpx.URL(url)
        read.raw_host.decode("ascii").encode("idna")  # as a socket does
        return parts.scheme in ("http", "https") and bool(parts.hostname and read.host) and parts.port != 0
    except (httpx.InvalidURL, ValueError):  # a UnicodeError is a ValueError
        return False


def post(url: str, body: bytes, headers: Mapping[str, str], bounds: Bounds, proxy: str = "") -> Response:
    """The answer to a POST, whatever its status.

    Args:   proxy: its URL, as `proxy_of` gives it; empty: none, whatever the environment says.
    Raises: Unreached: no answer within the bounds, or one that is no HTTP. ValueError: a header that cannot be sent.
    """
    import httpx

    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"header '{name}' holds characters that none may, expected printable ASCII")
    for place, fault in ((url, ADDRESS), (proxy or url, PROXY)):
        if not is_address(place):
            raise Unreached(fault)
    clock = _Clock(bounds.timeout_s)
    asked = {"accept-encoding": "identity", "connection": "close", "user-agent": "windlass", **headers}
    extensions = {"timeout": httpx.Timeout(bounds.timeout_s).as_dict(), "trace": clock.trace}
    try:
        request = httpx.Request("POST", url, headers=asked, content=body, extensions=extensions)
        with closing(_transport(url, proxy)) as transport, clock.running():
            response = transport.handle_request(request)
            with closing(response):
                content, is_whole = _read(response, bounds.max_bytes)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise Unreached(clock.fault or _words(error)) from None
    return Response(response.status_code, content, is_whole, retry.asked_s(response.headers.get("retry-after")))


def proxy_of(url: str) -> str:
    """The proxy for this URL that the environment names (http_proxy, https_proxy, no_proxy); empty: none.

    Raises: Unreached: it is none for HTTP, or the URL is none.
    """
    from urllib.request import getproxies, proxy_bypass

    if not is_address(url):
        raise Unreached(ADDRESS)
    parts = urlsplit(url)
    found = getproxies().get(parts.scheme, "")
    if not found or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    named = found if "://" in found else f"http://{found}"
    if not is_address(named):
        raise Unreached(f"{parts.scheme}_proxy names no proxy for HTTP, expected one such as http://proxy.example:3128")
    return named


def _transport(url: str, proxy: str) -> Any:
    """One connection that trusts whom this machine trusts (httpx brings a list of its own), deaf to the environment."""
    import httpx

    is_secret = "https" in (urlsplit(url).scheme, urlsplit(proxy).scheme)
    context = ssl.create_default_context() if is_secret else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
    between = httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https:") else None) if proxy else None
    return httpx.HTTPTransport(verify=context, trust_env=False, proxy=between)


def _read(response: Any, max_bytes: int) -> tuple[bytes, bool]:
    """What was said, and whether it is all of it."""
    content = bytearray()
    for part in response.iter_raw():
        content += part
        if len(content) > max_bytes:
            return bytes(content[:max_bytes]), False
    return bytes(content), True


def _words(error: BaseException) -> str:
    """What the system said, where it did: httpx and httpcore wrap it, and say less. Others may quote what was sent."""
    import httpx

    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    if found is None and not isinstance(error, httpx.TransportError | httpx.DecodingError):
        return ADDRESS
    if found is None and isinstance(error, httpx.LocalProtocolError):
        return f"{type(error).__name__}: this request is none that may be sent"
    said = found or error
    return f"{type(said).__name__}: {said}"


class _Clock:
    """Hangs up when the time is over, however slowly headers and body drip: httpx bounds each read, not all of them.

    fault: that it did, in words; empty: it did not.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.fault = seconds, ""
        self._stream: Any = None

    def trace(self, event: str, told: Mapping[str, Any]) -> None:
        """httpx tells here what it does. Raises: Unreached: it is connected too late."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream = told["return_value"]
            if self.fault:
                raise Unreached(self.fault)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Raises: Unreached: the time was over, though the answer looks whole."""
        timer = threading.Timer(self.seconds, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        if self.fault:
            raise Unreached(self.fault)

    def _hang_up(self) -> None:
        self.fault = f"no answer within {self.seconds:g} s"
        with suppress(OSError, AttributeError):
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
