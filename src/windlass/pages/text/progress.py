"""Progress bars on standard error: what runs, how far it is, how long it will take."""

import sys
import time
from typing import Any

from windlass.language.chosen import CHINESE, spoken, translated
from windlass.language.width import clipped, padded
from windlass.pages.text.words import plain
from windlass.records import Progress, silent

DONE = "done"
STAGES = {
    "collect": "收集", "prepare": "准备", "train": "训练", "evaluate": "评估", "explain": "解释", "release": "发布",
    "watch": "监控", "improve": "改进", "plan": "规划", "compress": "压缩", "audit": "审计", "judge": "评审",
    "answer": "回答",
}  # fmt: skip
"""What runs, as a Chinese reader says what is done: a stage is a verb there, and a release of it no "版本"."""


def stage_name(word: str) -> str:
    """What runs, in the language that is spoken."""
    return STAGES.get(word, translated(word)) if spoken() == CHINESE else word


def bars(quiet: bool = False) -> Progress:
    """A progress that draws bars in a terminal, and writes a line now and then where there is none."""
    if quiet:
        return silent
    return _drawn() if sys.stderr.isatty() else _written()


def _share(done: float, total: float) -> str:
    return f"{100 * done / total:.0f}{'%' if spoken() == CHINESE else ' %'}"


def stop() -> None:
    """Takes away what is drawn, so that what is said next stands on a line of its own."""
    while _SHOWN:
        _SHOWN.pop().stop()


_SHOWN: list[Any] = []
"""What is drawn now, at most one."""
NAME, BAR, REST = 24, 16, 55
"""Columns of a name and of a bar, and of all but the note."""


def _drawn(console: Any = None) -> Progress:
    """A bar for each task that runs, in one line; it goes when its task is done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = console or Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=BAR),
        TextColumn("{task.fields[share]:>5}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
    )
    room = max(0, console.width - REST - 1)
    tasks: dict[str, Any] = {}
    shown: Any = None

    def progress(task: str, done: float, total: float, note: str = "") -> None:
        nonlocal shown
        if total and done >= total:
            if task in tasks:
                shown.remove_task(tasks.pop(task))
            if not tasks:
                stop()
            return
        if not _SHOWN:
            shown = Progress(*columns, console=console, refresh_per_second=4, transient=True)
            _SHOWN.append(shown)
            tasks.clear()
            shown.start()
        share = _share(done, total) if total else ""
        fields = {"note": clipped(translated(plain(note)), room) if room else "", "share": share}
        if task not in tasks:
            tasks[task] = shown.add_task(
                padded(clipped(stage_name(plain(task)), NAME), NAME), total=total or None, **fields
            )
        shown.update(tasks[task], completed=done, total=total or None, **fields)

    return progress


def _written(every_seconds: float = 15.0) -> Progress:
    last: dict[str, float] = {}

    def progress(task: str, done: float, total: float, note: str = "") -> None:
        now = time.monotonic()
        finished = bool(total) and done >= total
        if not finished and now - last.get(task, 0.0) < every_seconds:
            return
        last[task] = now
        share = f" {_share(done, total)}" if total else f" {done:,.0f}"
        said = f"  {translated(note)}" if note and not (finished and note == DONE) else ""
        sys.stderr.write(f"{stage_name(task)}{f'  {translated(DONE)}' if finished else share}{said}\n")
        sys.stderr.flush()

    return progress
