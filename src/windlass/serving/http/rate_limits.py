"""Token buckets: how often somebody may ask, counted in one process or together by the workers of a group."""

import fcntl
import mmap
import os
import struct
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from windlass.database.keys import Rate

MOST = 10_000
"""Buckets that one process remembers."""
PLACES, TRIES = 2**15, 8
"""Of the shared file; among how many places a bucket is looked for."""
ENTRY = struct.Struct("<16sdd")
MOST_OWED = 1e9
"""More than anybody can owe: a bucket that says so is damaged."""
Level = tuple[float, float]
"""What a bucket held, and when."""
Change = Callable[[Level | None, float], tuple[float, float]]
"""Level and time -> the new level, and what is told of it."""


class Buckets:
    """The least used are forgotten first; each refills at its rate and holds at most its count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: OrderedDict[Hashable, Level] = OrderedDict()

    def take(self, who: Hashable, rate: Rate) -> float:
        """0 when one was taken, else seconds until there is one."""
        return self._change(who, lambda seen, now: taken(seen, now, rate))

    def charge(self, who: Hashable, rate: Rate, count: int) -> None:
        """Takes so many whether they are there or not: until they have come in, there is none to take."""
        self._change(who, lambda seen, now: (level_now(seen, now, rate) - count, 0.0))

    def _change(self, who: Hashable, change: Change) -> float:
        """Has the change made; what it gives beside the new level."""
        now = self._clock()
        level, given = change(self._levels.pop(who, None), now)
        self._levels[who] = (level, now)
        if len(self._levels) > MOST:
            self._levels.popitem(last=False)
        return given


class SharedBuckets(Buckets):
    """The same for processes of one machine that name the same file: they map it, and hold a lock for microseconds.

    A process that is killed gives the lock back; a bucket that it left half written counts as full.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        weakref.finalize(self, os.close, self._file)
        os.ftruncate(self._file, PLACES * ENTRY.size)
        self._map = mmap.mmap(self._file, PLACES * ENTRY.size)

    def _change(self, who: Hashable, change: Change) -> float:
        name = blake2b(repr(who).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._locked():
            now = self._clock()
            place, seen = self._find(name)
            level, given = change(seen, now)
            ENTRY.pack_into(self._map, place, name, level, now)
        return given

    def _find(self, name: bytes) -> tuple[int, Level | None]:
        """Where the bucket lies, and what it held; else the place that was used longest ago."""
        first = int.from_bytes(name[:4]) % PLACES
        places = [(first + step) % PLACES * ENTRY.size for step in range(TRIES)]
        found = [ENTRY.unpack_from(self._map, place) for place in places]
        for place, (other, level, at) in zip(places, found, strict=True):
            if other == name:
                return place, (level, at)
        return min(zip(places, found, strict=True), key=lambda pair: pair[1][2])[0], None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


def taken(seen: Level | None, now: float, rate: Rate) -> tuple[float, float]:
    """The level after one was asked for, and the seconds to wait when there was none. seen: a level and its time."""
    level = level_now(seen, now, rate)
    wait_s = 0.0 if level >= 1 - 1e-9 else (1 - level) * rate.seconds / rate.requests
    return (level if wait_s else max(0.0, level - 1)), wait_s


def level_now(seen: Level | None, now: float, rate: Rate) -> float:
    """What has come in since then, at most the rate's count; below 0 while more is owed."""
    level, at = seen or (rate.requests, now)
    full = level + (now - at) * rate.requests / rate.seconds
    return min(rate.requests, full) if full >= -MOST_OWED else rate.requests


def buckets(folder: str, name: str) -> Buckets:
    """Those of this name, shared by all who share the folder; of this process alone where there is none."""
    return SharedBuckets(Path(folder, name)) if folder else Buckets()
