"""`windlass run`: the walk through the stages, or what the last one said where nothing has changed since."""

import json
import shutil
from pathlib import Path

import typer

from windlass.commands.options import open_project
from windlass.language.chosen import spoken, translated
from windlass.store import last_walk

NEXT = "next: `windlass serve`"


def walk(project: Path, as_json: bool) -> None:
    """Walks, and prints what each stage did and the leaderboard. Raises: what the stages raise."""
    form = [spoken(), shutil.get_terminal_size((100, 24)).columns, as_json]
    known = last_walk.said(project, form)
    if known is not None:
        for text, err in known:
            typer.echo(text, err=err)
        return
    _walk(project, as_json, form)


def _walk(project: Path, as_json: bool, form: list[object]) -> None:
    from windlass import lifecycle
    from windlass.pages.text.terminal import board_text

    files, opened = last_walk.own_files(project), open_project(project, quiet=as_json)
    again: last_walk.Said = []
    """What is said when all is up to date."""

    def say(text: str, err: bool, current: str = "") -> None:
        typer.echo(text, err=err)
        again.append((current or text, err))

    def told(word: str, skipped: bool) -> None:
        if not as_json:
            say(translated(opened.summary(word, skipped)), True, translated(opened.summary(word, True)))
        if word == "evaluate":
            board = opened.board
            say(json.dumps(board.as_json(), ensure_ascii=False) if as_json else translated(board_text(board)), False)

    opened.walk(lifecycle.ORDER[-1], told)
    if not as_json:
        say(translated(NEXT), True)
    now = last_walk.seen(project)
    # In this order: what changes after `seen` is seen the next time, what changed before makes a stage out of date.
    if files and last_walk.own_files(project) == files and lifecycle.is_current(opened.spec, opened.store):
        last_walk.keep(opened.store, now, form, again)
