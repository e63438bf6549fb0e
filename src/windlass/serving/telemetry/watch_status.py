"""What `windlass watch` found last, where a service shows it: as a page at `/watch` and as gauges for Prometheus.

The service judges nothing itself: it reads the record that `watch` left beside it, and only when that has changed.
"""

import logging
from dataclasses import replace
from pathlib import Path

from windlass.errors import WindlassError
from windlass.pages.html.health import strength
from windlass.pages.html.health_page import health_page
from windlass.pages.text.doubling import doubled
from windlass.records import Health
from windlass.serving.telemetry.metrics import family, quoted
from windlass.store.json_files import read_as

logger = logging.getLogger("windlass.serving")
Mark = tuple[int, int, int]
NOTHING = Health("", "", 0.0, 0.0, 0, None, None, None, None, None, None, 0, {}, [], [])


class Watched:
    """The record at a path, read again when it was replaced. Without a path nothing was ever watched."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._mark: Mark | None = None
        self._health = NOTHING
        self._page = b""

    def health(self) -> Health:
        """The last look; an empty one where there was none, or its record is damaged."""
        self._look()
        return self._health

    def page(self, product: str, has_intervals: bool = False) -> bytes:
        """The last look as HTML. product: what pages call it. has_intervals: of its answers."""
        self._look()
        if not self._page:
            shown = replace(self._health, product=product)
            self._page = doubled(health_page(shown, has_intervals)).encode("utf-8")
        return self._page

    def _look(self) -> None:
        mark = _mark(self.path)
        if mark == self._mark:
            return
        self._mark, self._page, self._health = mark, b"", NOTHING
        if self.path is None or mark is None:
            return
        try:
            self._health = read_as(self.path, Health)
        except (WindlassError, OSError):
            logger.warning("%s cannot be read: no health is shown", self.path, exc_info=True)
            self._health = NOTHING

    def gauges(self) -> str:
        """For Prometheus: how far each column moved, alarms by name, the quality; empty when nothing was watched."""
        health = self.health()
        if not health.windows:
            return ""
        moved: dict[str, float] = {}
        for finding in health.drift:
            moved[finding["subject"]] = max(moved.get(finding["subject"], 0.0), strength(finding))
        names = [alarm.name for alarm in health.alarms]
        lines = [
            *family(
                "windlass_drift",
                "gauge",
                "How far a column moved in the last window, as a share of what is large.",
                [(f'{{column="{quoted(column)}"}}', value) for column, value in moved.items()],
            ),
            *family(
                "windlass_alarms",
                "gauge",
                "Alarms that are raised, by name.",
                [(f'{{name="{quoted(name)}"}}', float(names.count(name))) for name in sorted(set(names))]
                or [('{name=""}', 0.0)],
            ),
            *family("windlass_watched_until", "gauge", "End of the last window that was judged.", [("", health.until)]),
        ]
        for name, estimate in (("estimated", health.estimated), ("measured", health.measured)):
            if estimate is not None:
                text = f"Share of right answers, {name}."
                lines += family(f"windlass_quality_{name}", "gauge", text, [("", estimate.value)])
        return "\n".join(lines) + "\n"


def _mark(path: Path | None) -> Mark | None:
    """What changes whenever the file does; nothing where there is none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)
