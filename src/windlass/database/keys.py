"""API keys: 256 random bits, shown once, kept as a hash, with scopes, an expiry, a rate and a quota.

SHA-256 is the right hash here: a slow one protects what people can guess, and nobody guesses 256 bits.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

from windlass.database.backend import Database, Failure, Schema
from windlass.database.connection import Memory, read
from windlass.durations import UNITS_S, read_duration
from windlass.durations import read_rate as read_count
from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.records import Json
from windlass.spec import GROUP

KeyScope = Literal["public", "predict", "feedback", "jobs", "read", "admin"]
SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)
"""What a route asks of a key: `public` asks for none, and a key with `admin` has the others."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
TOKEN = re.compile(r"wl_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
RATE_PERIODS = ("s", "min", "h")
PERIODS = {"day": "%Y-%m-%d", "month": "%Y-%m"}
"""Period of a quota -> how it is named, in UTC."""
MOST, MOST_RATE = 10**12, 10**9 - 1
KEYS = Schema(
    "keys",
    (
        """
        create table if not exists keys (
          id text primary key, name text not null unique, hash text not null, scopes text not null,
          created double precision not null, expires double precision, rate text not null, quota text not null,
          revoked double precision);
        create table if not exists key_counts (
          id text not null, period text not null, used bigint not null, primary key (id, period))
        """,
        "alter table keys add column member_of text not null default ''",
    ),
)
COLUMNS = "id, name, hash, scopes, created, expires, rate, quota, revoked, member_of"


class Rate(NamedTuple):
    """So many requests in so many seconds; that many at once, too."""

    requests: float
    seconds: float


class Quota(NamedTuple):
    """So many requests in a `day` or a `month` of UTC."""

    requests: int
    period: str


@dataclass(frozen=True)
class Key:
    """A key as it is kept. Times are seconds since 1970; rate, quota: None where there is no bound."""

    id: str
    name: str
    hash: str
    scopes: frozenset[str]
    created: float
    expires: float | None = None
    rate: Rate | None = None
    quota: Quota | None = None
    revoked: float | None = None
    groups: frozenset[str] = frozenset()
    """Of those who have it, as access lists of documents name them."""

    def may(self, scope: str) -> bool:
        """True when it has the scope, or `admin`, which has the others."""
        return scope in self.scopes or "admin" in self.scopes

    def state(self, now: float) -> str:
        """`revoked`, `expired` or `valid`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and now >= self.expires else "valid"


@dataclass(frozen=True)
class KeyRequest:
    """What a new key shall be, as it was written: `90d`, `10/s`, `100000/month`; empty: no bound."""

    name: str
    scopes: Sequence[str] = ("predict",)
    expires: str = ""
    rate: str = ""
    quota: str = ""
    groups: Sequence[str] = ()


def create(place: Database | Any, wish: KeyRequest) -> tuple[Key, str]:
    """The new key and its token, which is kept nowhere. Raises: SpecError, DataError."""
    id, now = secrets.token_hex(6), time.time()
    token = f"wl_{id}_{secrets.token_urlsafe(32)}"
    if not NAME.fullmatch(wish.name):
        raise SpecError(f"name of the key is '{wish.name[:80]}', expected a-z, 0-9 and '-', such as 'web-shop'")
    key = Key(
        id,
        wish.name,
        hash_of(token),
        read_scopes(wish.scopes),
        now,
        now + read_expiry(wish.expires) if wish.expires else None,
        read_rate(wish.rate) if wish.rate else None,
        read_quota(wish.quota) if wish.quota else None,
        groups=read_groups(wish.groups),
    )
    scopes, groups = (" ".join(sorted(each)) for each in (key.scopes, key.groups))
    values = (id, key.name, key.hash, scopes, now, key.expires, wish.rate, wish.quota, None, groups)
    if wish.name in {each.name for each in listing(place)}:
        raise SpecError(f"key '{wish.name}' is there already, expected a new name")
    _write(place, f"insert into keys ({COLUMNS}) values ({', '.join('?' * len(values))})", values)
    return key, token


def revoke(place: Database | Any, name: str) -> Key:
    """The key of this name or id, which is refused from now on. Raises: SpecError: there is none. DataError."""
    found = {key.name: key for key in listing(place)}
    key = found.get(name) or {key.id: key for key in found.values()}.get(name)
    if key is None:
        raise SpecError(f"there is no key '{name[:80]}', expected {expected(found)}", did_you_mean(name[:80], found))
    _write(place, "update keys set revoked = ? where id = ? and revoked is null", (time.time(), key.id))
    return key


def _write(place: Database | Any, statement: str, values: Sequence[Any]) -> None:
    try:
        with closing(Memory(place, KEYS)) as memory, memory.transaction() as connection:
            connection.execute(statement, values)
    except Failure as failure:
        raise DataError(f"keys cannot be written ({failure}), expected a database that can be") from None


def listing(place: Database | Any) -> list[Key]:
    """All keys ever made, oldest first; none when nothing was ever written there. Raises: DataError."""
    return [parse(row.values()) for row in read(place, KEYS, f"select {COLUMNS} from keys order by created, id")]


def used(place: Database | Any) -> dict[tuple[str, str], int]:
    """(id, period) -> requests counted, as last written. Raises: DataError."""
    rows = read(place, KEYS, "select id, period, used from key_counts")
    return {(row["id"], row["period"]): row["used"] for row in rows}


def shown(place: Database | Any) -> list[Json]:
    """The keys for people and programs: nothing of it opens anything."""
    counts, now = used(place), time.time()
    return [
        {
            "id": key.id,
            "name": key.name,
            "scopes": sorted(key.scopes),
            "groups": sorted(key.groups),
            "state": key.state(now),
            "created": _day(key.created),
            "expires": _day(key.expires),
            "rate": None if key.rate is None else f"{key.rate.requests:g}/{key.rate.seconds:g} s",
            "quota": None if key.quota is None else f"{key.quota.requests}/{key.quota.period}",
            "used": 0 if key.quota is None else counts.get((key.id, period_of(key.quota, now)), 0),
        }
        for key in listing(place)
    ]


def parse(values: Iterable[Any]) -> Key:
    """A row of the table as a key."""
    id, name, hash, scopes, created, expires, rate, quota, revoked, groups = values
    return Key(
        id,
        name,
        hash,
        frozenset(scopes.split()),
        created,
        expires,
        read_rate(rate) if rate else None,
        read_quota(quota) if quota else None,
        revoked,
        frozenset(groups.split()),
    )


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def read_scopes(names: Iterable[str]) -> frozenset[str]:
    """Raises: SpecError: none, or an unknown one."""
    given, known = frozenset(names), SCOPES[1:]
    for name in given - set(known):
        raise SpecError(f"scope is '{name[:80]}', expected {expected(known)}", did_you_mean(name[:80], known))
    if not given:
        raise SpecError(f"key has no scope, expected {expected(known)}")
    return given


def read_groups(names: Iterable[str]) -> frozenset[str]:
    """As access lists compare them. Raises: SpecError: no name of a group."""
    given = list(names)
    for name in given:
        if not GROUP.fullmatch(name):
            raise SpecError(f"group is '{name[:80]}', expected a name without spaces and commas, such as 'hr'")
    return frozenset(name.casefold() for name in given)


def read_rate(text: str) -> Rate:
    """`10/s`, `600/min`, `50/h`. Raises: SpecError."""
    requests, period = read_count(text, "rate", "'10/s', '600/min' or '50/h'", RATE_PERIODS, MOST_RATE)
    return Rate(requests, UNITS_S[period])


def read_quota(text: str) -> Quota:
    """`5000/day`, `100000/month`. Raises: SpecError."""
    return Quota(*read_count(text, "quota", "'5000/day' or '100000/month'", PERIODS, MOST))


def read_expiry(text: str) -> float:
    """Seconds until a key expires, of `90d`, `12w` or `1y`. Raises: SpecError."""
    return read_duration(text, "expiry", "'90d', '12w' or '1y'", least_s=1.0)


def period_of(quota: Quota, now: float) -> str:
    """The name of the quota's period, such as `2026-11`."""
    return datetime.fromtimestamp(now, UTC).strftime(PERIODS[quota.period])


def left_s(quota: Quota, now: float) -> int:
    """Seconds until the quota's next period begins, at least 1."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    next_one = today + timedelta(days=1)
    if quota.period == "month":
        next_one = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return max(1, round(next_one.timestamp() - now))


def _day(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
