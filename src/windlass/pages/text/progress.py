"""Progress bars on standard error: what runs, how far it is, how long it will take."""

import sys
import time
from typing import Any

from windlass.language.chosen import translated
from windlass.records import Progress, silent

DONE = "done"


def bars(quiet: bool = False) -> Progress:
    """A progress that draws bars in a terminal, and writes a line now and then where there is none."""
    if quiet:
        return silent
    return _drawn() if sys.stderr.isatty() else _written()


def _drawn() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    shown = Progress(*columns, console=Console(stderr=True), refresh_per_second=4)
    tasks: dict[str, Any] = {}

    def progress(task: str, done: float, total: float, note: str = "") -> None:
        if not shown.live.is_started:
            shown.start()
        if task not in tasks:
            tasks[task] = shown.add_task(translated(task), total=total or None, note=note)
        shown.update(tasks[task], completed=done, total=total or None, note=translated(note)[:40])
        if total and done >= total and shown.finished:
            shown.stop()
            tasks.clear()

    return progress


def _written(every_seconds: float = 15.0) -> Progress:
    last: dict[str, float] = {}

    def progress(task: str, done: float, total: float, note: str = "") -> None:
        now = time.monotonic()
        finished = bool(total) and done >= total
        if not finished and now - last.get(task, 0.0) < every_seconds:
            return
        last[task] = now
        share = f" {100 * done / total:.0f} %" if total else f" {done:,.0f}"
        said = f"  {translated(note)}" if note and not (finished and note == DONE) else ""
        sys.stderr.write(f"{translated(task)}{f'  {translated(DONE)}' if finished else share}{said}\n")
        sys.stderr.flush()

    return progress
