"""Request log -> health, drift, quality and alarms, without a row that somebody asked."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from windlass.database.location import memory
from windlass.durations import read_duration
from windlass.errors import SpecError
from windlass.outputs import table as outputs
from windlass.pages.html.health_page import health_page
from windlass.pages.text.doubling import doubled
from windlass.records import Health
from windlass.spec import Spec
from windlass.store.files import write_text
from windlass.store.store import Store
from windlass.watching.check import Watcher
from windlass.watching.notifications import tell
from windlass.watching.silence import DURATIONS

PAGE = "watch.html"


def watch(spec: Spec, store: Store, url: str = "", now: float | None = None) -> Health:
    """One look: reads what is new in the log, judges what ended, tells of alarms; `watch/watch.json` and `watch.html`.

    Args:   url: of the service's database; empty: the project's file. now: seconds since 1970; None: the clock's.
    Raises: NotReady: no database there. DataError: the log, or what `watch` remembers, is damaged.
    """
    health = Watcher(spec, store, memory(store, url), now).look()
    page = health_page(replace(health, product=spec.shown_name), outputs.of(spec).has_intervals)
    write_text(store.stage("watch") / PAGE, doubled(page))
    for fault in tell(spec, store):
        print(fault, file=sys.stderr, flush=True)
    return health


def looks(
    spec: Spec,
    store: Store,
    url: str = "",
    now: float | None = None,
    every: str = "",
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Health]:
    """One look, or with `every` (such as 60s) one after the other without end. Raises: SpecError: not a duration."""
    pause_s = read_duration(every, "duration", DURATIONS) if every else 0.0
    if every and not pause_s:
        raise SpecError(f"every is '{every}', expected at least 1s")
    while True:
        yield watch(spec, store, url, now)
        if not every:
            return
        wait(pause_s)
