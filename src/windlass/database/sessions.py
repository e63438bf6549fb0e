"""Sessions of browsers, and passwords: a random token in a cookie stands for an API key until the session ends.

Of a token only its hash is kept, as of keys; of a password, which people can guess, scrypt (RFC 7914) with a salt of
its own. A session can never do more than its key, and ends with it.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

from windlass.database.backend import Database, Failure, Schema
from windlass.database.connection import Memory, read
from windlass.database.keys import hash_of
from windlass.errors import DataError, SpecError

SESSIONS = Schema(
    "sessions",
    (
        """
        create table if not exists sessions (
          hash text primary key, key_id text not null, expires double precision not null);
        create table if not exists passwords (
          key_id text primary key, salt text not null, hash text not null)
        """,
    ),
)
LASTS_S = 12 * 3600.0
"""After which one signs in again: a working day."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
LEAST_PASSWORD, MOST_PASSWORD = 12, 200
SCRYPT: dict[str, int] = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 2**20}
"""32 MiB and some 80 ms of a core for each guess."""


class Session(NamedTuple):
    """key_id: of the key that it stands for. expires: seconds since 1970."""

    key_id: str
    expires: float


def begin(place: Database | Any, key_id: str, now: float) -> str:
    """The token of a new session, which is kept nowhere; sessions that are over are swept out. Raises: DataError."""
    token = secrets.token_urlsafe(32)

    def work(connection: Any) -> None:
        connection.execute("delete from sessions where expires < ?", (now,))
        connection.execute(
            "insert into sessions (hash, key_id, expires) values (?, ?, ?)", (hash_of(token), key_id, now + LASTS_S)
        )

    _change(place, work)
    return token


def found(place: Database | Any, token: str, now: float) -> Session | None:
    """The session of this token, unless there is none or it is over. Raises: DataError."""
    if not TOKEN.fullmatch(token):
        return None
    query = "select key_id, expires from sessions where hash = ?"
    sessions = [Session(row["key_id"], row["expires"]) for row in read(place, SESSIONS, query, (hash_of(token),))]
    return next((session for session in sessions if session.expires > now), None)


def end(place: Database | Any, token: str) -> None:
    """Forgets the session, wherever it was begun. Raises: DataError."""
    if TOKEN.fullmatch(token):
        _change(place, lambda connection: connection.execute("delete from sessions where hash = ?", (hash_of(token),)))


def set_password(place: Database | Any, key_id: str, password: str) -> None:
    """Lets this password open sessions of the key; an empty one: no password does. Sessions of before are ended.

    Raises: SpecError: it is too short. DataError.
    """
    if password and not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise SpecError(
            f"password has {len(password)} characters, expected {LEAST_PASSWORD} to {MOST_PASSWORD}",
            "four words that have nothing to do with each other are long enough and easy to remember",
        )
    salt = secrets.token_hex(16)

    def work(connection: Any) -> None:
        connection.execute("delete from passwords where key_id = ?", (key_id,))
        connection.execute("delete from sessions where key_id = ?", (key_id,))
        if password:
            values = (key_id, salt, _stretched(password, salt))
            connection.execute("insert into passwords (key_id, salt, hash) values (?, ?, ?)", values)

    _change(place, work)


def has_passwords(place: Database | Any) -> bool:
    """True when some key has one. Raises: DataError."""
    return any(True for _ in read(place, SESSIONS, "select key_id from passwords limit 1"))


def is_password(place: Database | Any, key_id: str, password: str) -> bool:
    """True for the password of this key; takes as long where there is none, so that its time tells nothing.

    Raises: DataError.
    """
    rows = list(read(place, SESSIONS, "select salt, hash from passwords where key_id = ?", (key_id,)))
    salt, wanted = (rows[0]["salt"], rows[0]["hash"]) if rows else ("00" * 16, "")
    return hmac.compare_digest(_stretched(password[:MOST_PASSWORD], salt), wanted) and bool(rows)


def _stretched(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=bytes.fromhex(salt), **SCRYPT).hex()


def _change(place: Database | Any, work: Callable[[Any], Any]) -> None:
    try:
        with closing(Memory(place, SESSIONS)) as memory, memory.transaction() as connection:
            work(connection)
    except Failure as failure:
        raise DataError(f"sessions cannot be written ({failure}), expected a database that can be") from None
