"""An alarm that nobody shall be told of for a while: it stays visible, and says so."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from windlass.durations import read_duration
from windlass.errors import SpecError, did_you_mean, expected
from windlass.store.store import Store
from windlass.watching import state

NAMES = ("errors", "latency", "drift", "concept", "quality", "data", "traffic", "refusals", "documents")
DURATIONS = "'60s', '15m', '2h' or '7d'"
"""Examples for who wrote another."""


def silence(store: Store, order: Sequence[str], now: float | None = None) -> str:
    """Obeys `silence ALARM 7d` (0d ends a silence); gives what was done, in words. Raises: SpecError: another order."""
    if len(order) != 3 or order[0] != "silence":
        raise SpecError(f"order is '{' '.join(order)[:80]}', expected 'silence ALARM 7d'", "`windlass watch` looks")
    alarm, duration = order[1:]
    name = alarm.partition(":")[0]
    if name not in NAMES:
        raise SpecError(f"alarm is '{name[:40]}', expected {expected(NAMES)}", did_you_mean(name, NAMES))
    length_s = read_duration(duration, "duration", DURATIONS)
    until = (time.time() if now is None else now) + length_s
    state.silence(store, alarm, until)
    if not length_s:
        return f"alarm '{alarm}' is told of again"
    return f"nobody is told of alarm '{alarm}' until {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC"
