"""The keys of a running server: known by heart, read again every second; requests are counted before their answers.

A quota is given out by the database in shares, smaller and smaller towards its end, so that all workers together
answer exactly what it says; what is left of a share goes back with the next look. Nothing else waits for the database:
a revoked key works for at most `REFRESH_S` and what a read takes; after kill -9 at most a share is counted that nobody
asked for; and while the database is away, the keys that were known go on, and each worker counts for itself.
"""

import hmac
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from math import ceil
from types import TracebackType
from typing import Any

from windlass.database.backend import Connection, Database, Failure
from windlass.database.connection import Memory, database_at
from windlass.database.keys import COLUMNS, KEYS, TOKEN, Key, hash_of, left_s, parse, period_of
from windlass.errors import DataError
from windlass.predictors.contract import PUBLIC
from windlass.serving.contract.faults import Fault
from windlass.serving.http.rate_limits import buckets

REFRESH_S = 1.0
SHARES, MOST_SHARE = 64, 64
"""A share is one in so many of what is left of the quota, at least one request and at most so many."""
NOBODY = hash_of("nobody")
ADD = (
    "insert into key_counts (id, period, used) values (?, ?, ?) "
    "on conflict (id, period) do update set used = key_counts.used + excluded.used"
)


class KeyRing:
    """Who may ask. `is_needed`: a key was ever made, so that one must be shown; it never goes back to False.

    To be used by one event loop; its own thread only reads the table and writes the counts.
    """

    def __init__(self, place: Database | Any, clock: Callable[[], float] = time.time, workers_folder: str = "") -> None:
        """workers_folder: of the workers that count rates together. Raises: DataError: the keys cannot be read."""
        self.database = database_at(place)
        self.fault = ""
        self.is_needed = False
        self.clock, self.workers_folder = clock, workers_folder
        self._keys: dict[str, Key] = {}
        self._used: dict[tuple[str, str], int] = {}
        self._new: Counter[tuple[str, str]] = Counter()
        self._shares: Counter[tuple[str, str]] = Counter()
        self._buckets = buckets(workers_folder, "keys")
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._memory = Memory(place, KEYS)
        self._reader: Connection | None = None
        self.refresh()
        if self.fault:
            raise DataError(f"{self.database.where} cannot be read ({self.fault}), expected the keys of the service")
        self._thread = threading.Thread(target=self._run, name="windlass-keys", daemon=True)
        self._thread.start()

    def __enter__(self) -> "KeyRing":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def admit(self, token: str, scope: str) -> Key:
        """The key of the token, whose request is counted. May wait for the database. Raises: Fault 401, 403, 429."""
        key = self.recognise(token, scope)
        self.count(key)
        return key

    def recognise(self, token: str, scope: str) -> Key:
        """The key of the token, within its rate; its quota is still to be counted. Raises: Fault 401, 403, 429."""
        return self.admitted(found(self._keys, token), scope)

    def admitted(self, key: Key, scope: str) -> Key:
        """The key, which a token or a session showed, if it opens this scope now. Raises: Fault 401, 403, 429."""
        check_valid(key, self.clock())
        if not key.may(scope):
            raise Fault(403, "low_scope", f"key '{key.name}' has no scope '{scope}', expected a key that has it")
        if key.rate is not None and (wait_s := self._buckets.take(key.id, key.rate)):
            raise too_often(f"key '{key.name}' asks more often than it may, expected fewer requests", ceil(wait_s))
        return key

    @property
    def keys(self) -> Mapping[str, Key]:
        """Id -> key, valid or not."""
        return self._keys

    def groups_of(self, id: str) -> frozenset[str]:
        """Of who has the key of this id; none of a key that is not valid any more."""
        key = self._keys.get(id)
        return key.groups if key is not None and key.state(self.clock()) == "valid" else frozenset()

    def was_for(self, id: str) -> frozenset[str] | None:
        """The groups that the key of this id was made for, valid or not: they never change. None: it is not known."""
        key = self._keys.get(id)
        return PUBLIC if not id else key.groups if key is not None else None

    def is_counted(self, key: Key) -> bool:
        """True when the request is counted already: there is no quota, or a share of it was at hand."""
        if key.quota is None:
            return True
        place = key.id, period_of(key.quota, self.clock())
        with self._lock:
            is_there = self._shares[place] > 0
            self._shares[place] -= is_there
        return is_there

    def count(self, key: Key) -> None:
        """Counts the request against the quota, with a share from the database. Raises: Fault 429."""
        with self._asking:
            if self.is_counted(key):
                return
            quota, now = key.quota, self.clock()
            assert quota is not None
            place = key.id, period_of(quota, now)
            share = self._share(place, quota.requests)
            if not share:
                raise too_often(
                    f"key '{key.name}' has used its {quota.requests:,} requests of this {quota.period}, "
                    "expected a larger quota",
                    left_s(quota, now),
                    "quota_used",
                )
            with self._lock:
                self._shares[place] += share - 1

    def charge(self, id: str, n_requests: int, at: float) -> None:
        """Counts so many requests more against rate and quota of the key: one of its requests, then, cost it."""
        key = self._keys.get(id)
        if key is None or n_requests <= 0:
            return
        if key.rate is not None:
            self._buckets.charge(key.id, key.rate, n_requests)
        if key.quota is not None:
            with self._lock:
                self._new[key.id, period_of(key.quota, at)] += n_requests

    def give_back(self, id: str, n_requests: int, at: float) -> None:
        """Takes so many from the quota's count again that were counted at that time (of `clock`), for all workers."""
        key = self._keys.get(id)
        if key is not None and key.quota is not None and n_requests > 0:
            with self._lock:
                self._shares[key.id, period_of(key.quota, at)] += n_requests

    def close(self) -> None:
        """Writes what was counted, then ends."""
        self._stop.set()
        self._thread.join()
        self._disconnect()
        self._memory.close()

    def refresh(self) -> None:
        """Writes what was counted and reads keys and counts; what fails is tried again at the next one."""
        try:
            self._write()
            self._read()
            self.fault = ""
        except Failure as failure:
            self.fault = str(failure)
            self._disconnect()

    def _share(self, place: tuple[str, str], most: int) -> int:
        """Requests of the quota that are this worker's from now on; 0 when all are used."""
        try:
            with self._memory.transaction() as connection:
                found = connection.execute("select used from key_counts where id = ? and period = ?", place)
                with self._lock:
                    free = most - self._new[place] - (found[0][0] if found else 0)
                share = max(0, min(free, MOST_SHARE, max(1, free // SHARES)))
                if share:
                    connection.execute(ADD, (*place, share))
            return share
        except Failure as failure:
            self.fault = str(failure)
        with self._lock:
            is_free = self._used.get(place, 0) + self._new[place] < most
            self._new[place] += is_free
        return int(is_free)

    def _run(self) -> None:
        while not self._stop.wait(REFRESH_S):
            self.refresh()
        self.refresh()

    def _write(self) -> None:
        """Adds what this worker counted by itself, less what is left of its shares."""
        with self._lock:
            counted, left, self._shares = Counter(self._new), self._shares, Counter()
        changed = {place: counted[place] - left[place] for place in {*counted, *left} if counted[place] != left[place]}
        if not changed:
            return
        try:
            with self._memory.transaction() as connection:
                connection.executemany(ADD, [(*place, count) for place, count in changed.items()])
        except Failure:
            with self._lock:
                self._shares += left
            raise
        with self._lock:
            self._new -= counted
            for place, count in changed.items():
                self._used[place] = self._used.get(place, 0) + count

    def _read(self) -> None:
        """Rows are never deleted: a table without the known keys is of a file that was, and changes nothing."""
        if not self.database.exists():
            return
        if self._reader is None or not self._reader.is_current():
            self._disconnect()
            self._reader = self.database.connect(KEYS)
        keys = {row[0]: parse(row) for row in self._reader.execute(f"select {COLUMNS} from keys")}
        counts = self._reader.execute("select id, period, used from key_counts")
        if keys.keys() >= self._keys.keys():
            self._keys = keys
            self.is_needed = self.is_needed or bool(keys)
            with self._lock:
                self._used = {(id, period): used for id, period, used in counts}

    def _disconnect(self) -> None:
        if self._reader is not None:
            with suppress(Failure):
                self._reader.close()
            self._reader = None


def found(keys: Mapping[str, Key], token: str) -> Key:
    """The key of the token, valid or not. Raises: Fault 401."""
    if not token:
        hint = "`windlass keys create NAME` makes one"
        raise refused("request has no key, expected 'Authorization: Bearer ...'", hint)
    match = TOKEN.fullmatch(token)
    key = keys.get(match[1]) if match else None
    is_right = hmac.compare_digest(hash_of(token), key.hash if key else NOBODY)
    if key is None or not is_right:
        raise refused("key is not known, expected one that `windlass keys create` made")
    return key


def check_valid(key: Key, now: float) -> None:
    """Raises: Fault 401: it is revoked or expired."""
    state = key.state(now)
    if state != "valid":
        raise refused(f"key '{key.name}' is {state}, expected a valid one", "ask who runs the service for one")


def refused(message: str, hint: str = "") -> Fault:
    return Fault(HTTPStatus.UNAUTHORIZED, "no_key", message, hint)


def too_often(message: str, wait_s: int, kind: str = "too_often") -> Fault:
    fault = Fault(HTTPStatus.TOO_MANY_REQUESTS, kind, message, f"send it again after {wait_s:,} s")
    fault.retry_after_s = max(1, wait_s)
    return fault
