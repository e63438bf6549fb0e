"""What a project's store holds for its owner beside the releases: the audit log, the roadmap, reports as pages."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from windlass.errors import WindlassError
from windlass.records import Json, Roadmap
from windlass.registry import releases
from windlass.store.json_files import read_as
from windlass.store.store import Store

logger = logging.getLogger("windlass.registry")
REPORTS = {
    "report": "evaluate/report.html",
    "data": "prepare/data.html",
    "explanations": "explain/report.html",
    "improvements": "improve/history.html",
    "loop": "demo/loop.html",
}
"""Name of a report -> its file in the store."""


class Report(NamedTuple):
    """made: when its file was written, UTC, to the minute."""

    name: str
    made: str


@dataclass(frozen=True)
class ProjectFiles:
    """Read anew each time, so that what was forgotten is not shown. store: none where only a release was shipped."""

    store: Store | None = None

    def trail(self) -> list[Json]:
        """The audit log, newest first. Raises: DataError: a line of it is damaged."""
        return [] if self.store is None else releases.told(self.store)[::-1]

    def roadmap(self) -> Roadmap | None:
        """The last one; none where there is none, or it is damaged."""
        if self.store is None or not self.store.record("plan").is_file():
            return None
        try:
            return read_as(self.store.record("plan"), Roadmap)
        except (WindlassError, OSError):
            logger.warning("the roadmap cannot be read: none is shown", exc_info=True)
            return None

    def reports(self) -> list[Report]:
        """Those that were made."""
        if self.store is None:
            return []
        paths = {name: self.store.folder / place for name, place in REPORTS.items()}
        return [
            Report(name, datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC"))
            for name, path in paths.items()
            if path.is_file()
        ]

    def report(self, name: str) -> str:
        """The page of a report; empty where there is none of this name."""
        if self.store is None or name not in REPORTS:
            return ""
        path = self.store.folder / REPORTS[name]
        return path.read_text(encoding="utf-8") if path.is_file() else ""
