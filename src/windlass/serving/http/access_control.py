"""Who may ask at all: the names that are ours, pages that are ours, keys, and a rate for those who have none."""

import asyncio
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from urllib.parse import urlsplit

from starlette.types import Scope

from windlass.database.keys import Key
from windlass.errors import expected
from windlass.predictors.contract import PUBLIC, Names
from windlass.serving.contract.faults import Fault
from windlass.serving.contract.routes import Route
from windlass.serving.contract.settings import Settings
from windlass.serving.http import cross_origin, sessions
from windlass.serving.http.keyring import KeyRing, refused, too_often
from windlass.serving.http.rate_limits import buckets
from windlass.serving.http.server_state import ServerState
from windlass.serving.runtime import cost

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FREE = SAFE | {"DELETE"}
"""Methods of which no quota counts a request: they fetch or forget what was paid for. Rates count them."""
PROOF = "proof"
"""In place of a key's id: the server asks itself."""
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")
Headers = dict[bytes, bytes]


def is_loopback(host: str) -> bool:
    """True for `localhost` and the loopback addresses."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


class AccessControl:
    """Refuses who may not ask. Without keys, or before the first one, whoever reaches the
    service may ask.

    is_proof: whether a header's value opens `predict`, as the server's own while it proves its release.
    """

    def __init__(
        self,
        settings: Settings,
        server_state: ServerState | None = None,
        is_proof: Callable[[str], bool] = lambda given: False,
    ) -> None:
        self.settings = settings
        self.hosts = frozenset(name.lower() for name in settings.hosts)
        self.origins = cross_origin.checked(settings.origins)
        self.server_state = server_state or ServerState()
        self.is_proof = is_proof
        self._buckets = buckets(settings.workers_folder, "addresses")
        self._rate = settings.keyless_rate

    def check_host(self, headers: Headers) -> None:
        """Raises: Fault 421: a name that is not ours, as a page elsewhere would send after rebinding its DNS name.

        An address is no name: it is ours where the server listens on addresses that others reach.
        """
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = _name(host)
        is_ours = is_loopback(name) or name in self.hosts
        if not is_ours and not (self.settings.is_public and _is_address(name)):
            raise Fault(
                HTTPStatus.MISDIRECTED_REQUEST,
                "wrong_host",
                f"Host is '{host[:80]}', expected {expected(['localhost', *self.settings.hosts])}",
            )

    def check_origin(self, method: str, headers: Headers) -> None:
        """Raises: Fault 403: a browser sends what changes something, from a page that is not ours."""
        if method in SAFE:
            return
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if not origin and headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin"):
            return
        if origin in self.origins:
            return
        place = origin.partition("://")[2]
        if not place or (place != headers.get(b"host", b"").decode("latin-1").lower() and not self._is_named(origin)):
            raise Fault(
                HTTPStatus.FORBIDDEN,
                "cross_site",
                f"Origin is '{origin[:80]}', expected a page of this service",
                "`windlass serve --allow-host NAME` names the host of its page, `--allow-origin URL` another page",
            )

    async def admit(self, scope: Scope, headers: Headers, route: Route) -> "RequestCharge":
        """Who pays for the request, and its first charge. What only looks is no work, and not of the quota.

        Raises: Fault 401, 403, 429.
        """
        bill = RequestCharge(self, _address(scope))
        if route.scope == "public":
            if "/health" not in scope["path"]:
                self._bound(bill.address)
            return bill
        if route.scope == "predict" and self.is_proof(headers.get(b"x-windlass-proof", b"").decode("latin-1")):
            bill.key, bill.names = PROOF, None
            return bill
        ring = self.server_state.ring
        if ring is None or not ring.is_needed:
            self._bound(bill.address)
            return bill
        try:
            key = await self._key(ring, scope["method"], headers, route)
            bill.key, bill.at, bill.names = key.id, ring.clock(), key.groups
            if scope["method"] not in FREE:
                if not ring.is_counted(key):
                    await asyncio.to_thread(ring.count, key)
                bill.counted = 1
            return bill
        except Fault as fault:
            if fault.status == HTTPStatus.UNAUTHORIZED:
                self._bound(bill.address)
            raise

    async def _key(self, ring: KeyRing, method: str, headers: Headers, route: Route) -> Key:
        """The key of the headers, or else of the session that a page's cookie shows. Raises: Fault 401, 403, 429."""
        token, cookie, signed_in = _token(headers), sessions.shown(headers), self.server_state.sessions
        if token or not cookie or signed_in is None:
            return ring.recognise(token, route.scope)
        if method not in SAFE:
            sessions.check_own_page(headers)
        key = await signed_in.key(cookie)
        if key is None:
            raise refused("session is over, expected one that is not", "sign in again")
        return ring.admitted(key, route.scope)

    def charge_address(self, address: str, n_requests: int) -> None:
        """Charges so many more to an address that shows no key."""
        if self._rate is not None:
            self._buckets.charge(address, self._rate, n_requests)

    def _bound(self, address: str) -> None:
        if self._rate is not None and (wait_s := self._buckets.take(address, self._rate)):
            raise too_often("this address asks too often without a key, expected fewer requests", ceil(wait_s))

    def _is_named(self, origin: str) -> bool:
        try:
            return urlsplit(origin).hostname in self.hosts
        except ValueError:
            return False


@dataclass
class RequestCharge:
    """What one request is charged: to its key, `PROOF` or, where it is empty, to its address. counted: of the quota.

    names: of the groups that the key is for; None: all that there is may be seen.
    """

    access_control: AccessControl
    address: str
    key: str = ""
    at: float = 0.0
    counted: int = 0
    names: Names = PUBLIC

    def charge(self, effort: int) -> None:
        """Counts a request that cost so many characters as so many as that is worth; one was counted already."""
        more, ring = cost.requests(effort) - 1, self.access_control.server_state.ring
        if not more or self.key == PROOF:
            return
        if self.key and ring is not None:
            ring.charge(self.key, more, self.at)
            self.counted += more
        else:
            self.access_control.charge_address(self.address, more)

    def refund(self) -> None:
        """Takes nothing from the quota: no work was done for it, or it was paid for before."""
        if self.access_control.server_state.ring is not None:
            self.access_control.server_state.ring.give_back(self.key, self.counted, self.at)
        self.counted = 0


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


def _token(headers: Headers) -> str:
    """Raises: Fault 400: two keys are shown."""
    given = headers.get(b"x-api-key", b"").decode("latin-1").strip()
    kind, _, token = headers.get(b"authorization", b"").decode("latin-1").strip().partition(" ")
    borne = token.strip() if kind.lower() == "bearer" else ""
    if given and borne and given != borne:
        raise Fault(400, "bad_http", "X-API-Key and Authorization hold two keys, expected one of them")
    return given or borne


def _name(host: str) -> str:
    """The name or address of a Host header without its port; empty when it is none."""
    match = HOST.fullmatch(host)
    return (match[1] or match[2]) if match else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
