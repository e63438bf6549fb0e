"""Refuses predictions before they are parsed while as many are under way as may be.

A refusal by the application costs half of an answer: at twice what a service can do, it did little else (docs/log.md).
This one reads no more than where the request ends, and who asks: who has fewer under way than the one with the most is
let through, for the line behind takes turns.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from windlass.serving.telemetry.metrics import Measures

PATH = "/v1/predict"
BEGINS, END = b"POST /v1/predict HTTP/1.1\r\n", b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*(?=\r\n|\Z)")
KEY = re.compile(rb"\r\n(?:authorization|x-api-key):[ \t]*([^\r\n]*)")
LANGUAGE = re.compile(rb"\r\naccept-language:[ \t]*([^\r\n]*)")
NOT_PLAIN = re.compile(
    rb"\r\n(?:transfer-encoding|expect|upgrade|origin|cookie|x-windlass-proof)"
    rb"|\r\nconnection(?!:[ \t]*keep-alive[ \t]*(?:\r|\Z))|\n[ \t]|[^\r]\n"
)
"""Of a head: what the application must see, what ends the connection, and what parsers read in several ways."""


MOST_BYTES = 64 * 1024
"""Of a body that is thrown away when it comes; a larger one is the application's."""


class Plain(NamedTuple):
    """A prediction of which the whole head is there, in lower case. rest: bytes of its body that are still to come."""

    head: bytes
    rest: int


def _unbounded() -> int:
    return 0


class Shedder:
    """Counts the predictions under way, of all connections of a server. In the event loop only.

    most: how many may be; 0: any number. measures: hear of what is refused.
    """

    def __init__(self) -> None:
        self.most: Callable[[], int] = _unbounded
        self.measures: Measures | None = None
        self._under_way: Counter[str] = Counter()

    def enter(self, who: str) -> None:
        self._under_way[who] += 1

    def leave(self, who: str) -> None:
        self._under_way[who] -= 1
        if not self._under_way[who]:
            del self._under_way[who]

    def refused(self, address: str, data: bytes) -> Plain | None:
        """The prediction that `data` begins, and is nothing but, where it is refused."""
        most = self.most()
        if not most or self._under_way.total() < most:
            return None
        asked = plain(data)
        key = KEY.search(asked.head) if asked is not None else None
        who = caller(address, key[1] if key else b"")
        if asked is None or self._under_way.get(who, 0) + 1 < max(self._under_way.values()):
            return None
        if self.measures is not None:
            self.measures.request(PATH, 503, 0.0)
            self.measures.errors["overloaded"] += 1
        return asked


def caller(address: str, key: bytes) -> str:
    """Who asks, as far as that is known before it is checked."""
    return f"{address} {key.lower().decode('latin-1')}"


def plain(data: bytes) -> Plain | None:
    """The prediction that these bytes begin, as they came first on a free connection; None: the parser shall see it."""
    at = data.find(END)
    if at < 0 or not data.startswith(BEGINS):
        return None
    head = data[:at].lower()
    lengths = LENGTH.findall(head)
    if len(lengths) != 1 or head.count(b"content-length") != 1 or NOT_PLAIN.search(head):
        return None
    rest = int(lengths[0]) - (len(data) - at - len(END))
    return Plain(head, rest) if rest >= 0 and int(lengths[0]) <= MOST_BYTES else None
