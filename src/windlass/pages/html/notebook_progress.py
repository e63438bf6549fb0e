"""Progress in a notebook: what runs now, drawn anew in its place, gone when all is done. It needs no widgets."""

import html
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

from windlass.records import Progress, silent

EVERY_S = 0.3
LONGEST_NOTE = 60


def here() -> Progress:
    """A progress for where this runs: drawn in a notebook, silent in a program."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is None:
        return silent
    pages: Any = import_module("IPython.display")
    # tqdm, which torch's friends import, says so where ipywidgets is missing; nothing here needs it.
    warnings.filterwarnings("ignore", message="IProgress not found")

    def show(body: str, shown: Any) -> Any:
        if shown is None:
            return pages.display(pages.HTML(body), display_id=True)
        shown.update(pages.HTML(body))
        return shown

    return drawn(show, lambda: shell.execution_count)


def drawn(
    show: Callable[[str, Any], Any], cell: Callable[[], object], clock: Callable[[], float] = time.monotonic
) -> Progress:
    """show(html, place) draws there, or in a new place where it is None, and gives the place; cell() is which cell
    runs: each has a place of its own."""
    tasks: dict[str, str] = {}
    places: dict[object, Any] = {}
    last = [float("-inf")]

    def progress(task: str, done: float, total: float, note: str = "") -> None:
        is_done = bool(total) and done >= total
        is_new = not is_done and task not in tasks
        if is_done:
            tasks.pop(task, None)
        else:
            tasks[task] = _row(task, done, total, note)
        now = clock()
        if now - last[0] >= EVERY_S or is_done or is_new:
            last[0] = now
            places[cell()] = show("".join(tasks.values()), places.get(cell()))

    return progress


def _row(task: str, done: float, total: float, note: str) -> str:
    share = f' value="{done / total:.3f}"' if total else ""
    words = f"{html.escape(task)} &nbsp;<progress{share}></progress>&nbsp; {html.escape(note[:LONGEST_NOTE])}"
    return f'<div style="font-family:sans-serif;font-size:13px">{words}</div>'
