"""Pages of other origins that may ask: the allow-list, and what browsers want to hear of it (CORS).

Source: the Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from windlass.errors import SpecError

ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
ASKS = b"authorization, content-type, idempotency-key, x-api-key, x-windlass-session"
TELLS = b"retry-after, x-request-id"
REMEMBERED_S = b"600"


def checked(origins: Iterable[str]) -> frozenset[str]:
    """The origins as browsers send them. Raises: SpecError: one is no origin; `*` is none."""
    found = [origin.lower().rstrip("/") for origin in origins]
    for origin in found:
        if not ORIGIN.fullmatch(origin):
            raise SpecError(f"`--allow-origin` is '{origin}', expected an origin such as https://shop.example.com")
    return frozenset(found)


def shared_with(headers: Mapping[bytes, bytes], origins: frozenset[str]) -> list[tuple[bytes, bytes]]:
    """Headers that let the page read the answer; where pages are allowed, that caches keep one of each."""
    if not origins:
        return []
    origin = headers.get(b"origin", b"")
    allowed = [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", TELLS)]
    return [(b"vary", b"origin"), *(allowed if origin.decode("latin-1").lower() in origins else [])]


def is_preflight(method: str, headers: Mapping[bytes, bytes], origins: frozenset[str]) -> bool:
    """True for a browser's question whether an allowed page may ask."""
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    return method == "OPTIONS" and b"access-control-request-method" in headers and origin in origins


def permission(methods: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """The answer to it; which headers stand in it is the same for all."""
    return [
        (b"access-control-allow-methods", ", ".join(methods).encode()),
        (b"access-control-allow-headers", ASKS),
        (b"access-control-max-age", REMEMBERED_S),
    ]
