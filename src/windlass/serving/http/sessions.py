"""Who has signed in on a page: the cookie that their browser shows, and the key that it stands for.

The cookie is HttpOnly (no script reads it) and SameSite=Strict (no other site's page makes the browser send it); what
changes something must beside that come from a page of this very host, so that no forged request passes. What was looked
up is remembered for a moment: a session that is ended elsewhere works here for at most `LOOK_S`.
"""

import asyncio
import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

from windlass.database import sessions
from windlass.database.keys import Key, Rate
from windlass.errors import DataError
from windlass.serving.contract.faults import Fault
from windlass.serving.http.keyring import KeyRing, check_valid, found, refused, too_often
from windlass.serving.http.rate_limits import Buckets, buckets

COOKIE = "windlass-session"
LOOK_S, MOST = 2.0, 10_000
TRIES = Rate(10.0, 60.0)
"""Of signing in, of one address and for one name: what somebody who guesses gets, and nobody who mistypes notices."""


LOOKUPS = Rate(200.0, 1.0)
"""Of cookies in the database: who sends made-up ones shall not keep it busy."""


class SessionRing:
    """The sessions of one server. To be used by its event loop; the database is asked beside it."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self._known: OrderedDict[str, tuple[sessions.Session | None, float]] = OrderedDict()
        self._tries: Buckets = buckets(ring.workers_folder, "logins")
        self._lookups = Buckets()
        self._one_guess = asyncio.Lock()

    async def key(self, token: str) -> Key | None:
        """The key of a cookie, valid or not; None where the cookie opens nothing. Raises: DataError."""
        now = time.monotonic()
        session, until = self._known.pop(token, (None, 0.0))
        if until < now:
            if self._lookups.take("all", LOOKUPS):
                return None
            session = await asyncio.to_thread(sessions.found, self.ring.database, token, self.ring.clock())
            until = now + LOOK_S
        self._known[token] = session, until
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        if session is None or session.expires <= self.ring.clock():
            return None
        return self.ring.keys.get(session.key_id)

    async def begin(self, address: str, token: str = "", name: str = "", password: str = "") -> tuple[Key, str]:
        """The key of who signs in, by the key itself or by its name and password, and the token of the new session.

        Raises: Fault 401, 429. DataError.
        """
        for who in (("address", address), *([("name", name)] if name else [])):
            if wait_s := self._tries.take(who, TRIES):
                raise too_often("somebody tries to sign in too often, expected fewer tries", round(wait_s) + 1)
        key = found(self.ring.keys, token) if token else await self._by_password(name, password)
        check_valid(key, self.ring.clock())
        return key, await asyncio.to_thread(sessions.begin, self.ring.database, key.id, self.ring.clock())

    async def _by_password(self, name: str, password: str) -> Key:
        key = next((key for key in self.ring.keys.values() if key.name == name), None)
        async with self._one_guess:  # each takes 32 MiB and a core
            place, id = self.ring.database, key.id if key else ""
            is_right = await asyncio.to_thread(sessions.is_password, place, id, password)
        if key is None or not is_right:
            raise refused("name and password do not fit, expected those of a valid key")
        return key

    async def end(self, token: str) -> None:
        """Raises: DataError."""
        self._known.pop(token, None)
        await asyncio.to_thread(sessions.end, self.ring.database, token)

    async def has_passwords(self) -> bool:
        """Whether one can sign in by a password at all."""
        try:
            return await asyncio.to_thread(sessions.has_passwords, self.ring.database)
        except DataError:
            return False


class Viewer(NamedTuple):
    """Who looks at a page. name: of the key that signed in. is_guarded: keys are asked for at all."""

    name: str = ""
    key: Key | None = None
    is_guarded: bool = False

    def may(self, scope: str) -> bool:
        """True when a route of this scope would answer."""
        return not self.is_guarded or (self.key is not None and self.key.may(scope))


async def viewer(sessions: SessionRing | None, headers: dict[bytes, bytes]) -> Viewer:
    """Who the session's cookie says that it is; nobody where it cannot be told."""
    if sessions is None or not sessions.ring.is_needed:
        return Viewer()
    try:
        key = await sessions.key(token) if (token := shown(headers)) else None
    except DataError:
        key = None
    if key is None or key.state(sessions.ring.clock()) != "valid":
        return Viewer(is_guarded=True)
    return Viewer(key.name, key, True)


def shown(headers: dict[bytes, bytes]) -> str:
    """The token of the session's cookie that a request shows; empty without one."""
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def cookie(token: str, is_secure: bool) -> str:
    """The Set-Cookie header that begins a session; with an empty token, the one that ends it. is_secure: by HTTPS."""
    age = int(sessions.LASTS_S) if token else 0
    secure = "; Secure" if is_secure else ""
    return f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"


def check_own_page(headers: dict[bytes, bytes]) -> None:
    """Raises: Fault 403: what changes something by a cookie does not come from a page of this host."""
    host = headers.get(b"host", b"").lower()
    place = headers.get(b"origin", b"").lower().partition(b"://")[2]
    if not place or place != host:
        raise Fault(403, "cross_site", "request with a cookie has no Origin of this host, expected one of our pages")
